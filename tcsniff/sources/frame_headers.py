"""The CC routing keys in an AMQP header frame; pure.

Only as much of the properties is decoded as finding them needs. The layout is
that of AMQP 0-9-1, sections 4.2.5.5 and 4.2.6.1, as RabbitMQ extends it.
"""

from __future__ import annotations

from functools import lru_cache
from struct import unpack_from

_HAS_TYPE, _HAS_ENCODING, _HAS_HEADERS = 1 << 15, 1 << 14, 1 << 13
# Bytes of a field's value, by its type; those of variable length start with it, in 4 bytes.
_FIXED_SIZES = dict(
    zip(b"tbBsuUIilLfdDTV", (1, 1, 1, 2, 2, 2, 4, 4, 8, 8, 4, 8, 5, 8, 0), strict=True)
)
_VARIABLE_SIZES = b"SxAF"
_MAX_CACHED_BYTES = 1024  # of properties: larger ones are rarely repeated


def parse_cc(properties: bytes) -> tuple[str, ...]:
    """Return the CC routing keys of a message, without those that are not text.

    Args:
        properties: The part of a header frame after the size of the body.
    """
    if b"\x02CC" not in properties:
        return ()
    (flags,) = unpack_from(">H", properties)
    at = 2
    for flag in (_HAS_TYPE, _HAS_ENCODING):
        if flags & flag:
            at += 1 + properties[at]
    if not flags & _HAS_HEADERS:
        return ()
    (size,) = unpack_from(">I", properties, at)
    return _find_cc(properties, at + 4, at + 4 + size)


_parse_cached = lru_cache(maxsize=1024)(parse_cc)


def parse_cc_cached(properties: bytes) -> tuple[str, ...]:
    """Return the same as `parse_cc`, cached: messages of one push mostly share their routes."""
    if len(properties) <= _MAX_CACHED_BYTES:
        return _parse_cached(properties)
    return parse_cc(properties)


def _find_cc(table: bytes, at: int, end: int) -> tuple[str, ...]:
    while at < end:
        name = table[at + 1 : at + 1 + table[at]]
        at += 1 + table[at]
        size = _measure_value(table, at)
        if size is None:
            return ()
        if name == b"CC":
            is_array = table[at] == b"A"[0]
            return _parse_keys(table, at + 5, at + 1 + size) if is_array else ()
        at += 1 + size
    return ()


def _parse_keys(array: bytes, at: int, end: int) -> tuple[str, ...]:
    keys = []
    while at < end:
        size = _measure_value(array, at)
        if size is None:
            break
        if array[at] == b"S"[0]:
            keys.append(array[at + 5 : at + 1 + size].decode(errors="backslashreplace"))
        at += 1 + size
    return tuple(keys)


def _measure_value(data: bytes, at: int) -> int | None:
    # Return the bytes of the value after the type at `at`; None for an unknown type.
    if data[at] in _VARIABLE_SIZES:
        return 4 + int(unpack_from(">I", data, at + 1)[0])
    return _FIXED_SIZES.get(data[at])
