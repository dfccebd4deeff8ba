"""Deliveries out of AMQP's frames, whatever is in them.

py-amqp decodes every header and string of a message, and gives up the
connection where one is no UTF-8 or of a type that it does not know: one message
of a stranger would end everything. Here only what a delivery needs is decoded,
nothing in it can fail, and it takes half the time. The layout is that of AMQP
0-9-1, sections 2.3.5 and 4.2.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import unpack_from
from typing import Any

from amqp.method_framing import frame_handler

from tcsniff.deliveries import Delivery

Deliver = Callable[[int, Delivery, int], None]
"""Takes a delivery tag, the delivery, and the size of its body in bytes.

The body is empty if it is larger than wanted.
"""

_METHOD, _HEADER, _BODY = 1, 2, 3
_DELIVER = b"\x00\x3c\x00\x3c"  # class basic, method deliver
_HAS_TYPE, _HAS_ENCODING, _HAS_HEADERS = 1 << 15, 1 << 14, 1 << 13
# Bytes of a field's value by its type; those of any length begin with it, in four.
_SIZES = dict(zip(b"tbBsuUIilLfdDTV", (1, 1, 1, 2, 2, 2, 4, 4, 8, 8, 4, 8, 5, 8, 0), strict=True))
_LONG = b"SxAF"


def handler(deliver: Deliver, most: int) -> Callable[..., Callable[[Any], bool]]:
    """Make a frame handler for py-amqp, which leaves to its own all but deliveries.

    Args:
        deliver: Is called with each.
        most: The largest body that is wanted, in bytes.
    """

    def make(connection: Any, callback: Any) -> Callable[[Any], bool]:
        otherwise = frame_handler(connection, callback)
        partial: dict[int, _Partial] = {}

        def on_frame(frame: tuple[int, int, bytes]) -> bool:
            kind, channel, data = frame
            if kind == _METHOD and data.startswith(_DELIVER):
                partial[channel] = _Partial(data, most)
            elif kind in (_HEADER, _BODY) and channel in partial:
                message = partial[channel]
                if message.take(kind, data):
                    del partial[channel]
                    connection.bytes_recv += 1
                    deliver(message.tag, message.delivery(), message.size)
                    return True
            else:
                return bool(otherwise(frame))
            connection.bytes_recv += 1
            return False

        return on_frame

    return make


class _Partial:
    # A delivery, of which some frames have come.

    __slots__ = ("_chunks", "_header", "_method", "_missing", "_most", "size")

    def __init__(self, method: bytes, most: int) -> None:
        self._method = method
        self._most = most
        self._header = b""
        self._chunks: list[bytes] = []
        self._missing = self.size = 0

    @property
    def tag(self) -> int:
        tag: int = unpack_from(">Q", self._method, 5 + self._method[4])[0]
        return tag

    def take(self, kind: int, data: bytes) -> bool:
        # Whether that was all of it.
        if kind == _HEADER:
            self._header = data
            (self.size,) = unpack_from(">Q", data, 4)
            self._missing = self.size
        else:
            self._missing -= len(data)
            if self.size <= self._most:
                self._chunks.append(data)
        return self._missing <= 0

    def delivery(self) -> Delivery:
        method = self._method
        at = 13 + method[4]
        redelivered = bool(method[at] & 1)
        exchange, at = _short(method, at + 1)
        key, at = _short(method, at)
        chunks = self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return Delivery(exchange, key, body, _cc(self._header), redelivered)


def _short(data: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + data[at]
    return data[at + 1 : end].decode(errors="backslashreplace"), end


def _cc(header: bytes) -> tuple[str, ...]:
    if b"\x02CC" not in header:
        return ()
    (flags,) = unpack_from(">H", header, 12)
    at = 14
    for flag in (_HAS_TYPE, _HAS_ENCODING):
        if flags & flag:
            at += 1 + header[at]
    if not flags & _HAS_HEADERS:
        return ()
    (size,) = unpack_from(">I", header, at)
    return _find_cc(header, at + 4, at + 4 + size)


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
