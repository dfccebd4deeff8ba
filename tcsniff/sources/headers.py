"""Header frames of AMQP, of which only the header ``CC`` is wanted.

The layout is that of AMQP 0-9-1, sections 2.3.5.2 and 4.2.5, with the field types
that RabbitMQ uses.
"""

from __future__ import annotations

from functools import lru_cache
from struct import unpack_from

_HAS_TYPE, _HAS_ENCODING, _HAS_HEADERS = 1 << 15, 1 << 14, 1 << 13
# Bytes of a field's value by its type; those of any length begin with it, in four.
_SIZES = dict(zip(b"tbBsuUIilLfdDTV", (1, 1, 1, 2, 2, 2, 4, 4, 8, 8, 4, 8, 5, 8, 0), strict=True))
_LONG = b"SxAF"
_OFTEN = 1024  # bytes of properties that are worth being remembered


def cc_of(properties: bytes) -> tuple[str, ...]:
    """Find the further routing keys of a message; whatever is no text among them is left out.

    Args:
        properties: What stands in a header frame behind the size of the body.
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


def quick_cc_of(properties: bytes) -> tuple[str, ...]:
    """Find the same, and remember it: messages of one push mostly share theirs."""
    return _remembered(properties) if len(properties) <= _OFTEN else cc_of(properties)


_remembered = lru_cache(maxsize=1024)(cc_of)


def _find_cc(table: bytes, at: int, end: int) -> tuple[str, ...]:
    while at < end:
        name = table[at + 1 : at + 1 + table[at]]
        at += 1 + table[at]
        kind = table[at]
        size = _size(table, at)
        if size is None:
            return ()
        if name == b"CC":
            return _keys(table, at + 5, at + 1 + size) if kind == b"A"[0] else ()
        at += 1 + size
    return ()


def _keys(array: bytes, at: int, end: int) -> tuple[str, ...]:
    keys = []
    while at < end:
        size = _size(array, at)
        if size is None:
            break
        if array[at] == b"S"[0]:
            keys.append(array[at + 5 : at + 1 + size].decode(errors="backslashreplace"))
        at += 1 + size
    return tuple(keys)


def _size(data: bytes, at: int) -> int | None:
    # Of the value behind a type; None for a type that nobody has told us of.
    if data[at] in _LONG:
        return 4 + int(unpack_from(">I", data, at + 1)[0])
    return _SIZES.get(data[at])
