"""Deliveries out of AMQP's frames, whatever is in them.

py-amqp decodes every header and string of a message, and gives up the
connection where one is no UTF-8 or of a type that it does not know: one message
of a stranger would end everything. Here only what a delivery needs is decoded,
nothing in it can fail, and it takes half the time. The layout is that of AMQP
0-9-1, sections 2.3.5 and 4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import unpack_from
from typing import Any

from tcsniff.pulse.deliveries import Delivery
from tcsniff.sources.headers import cc_of, quick_cc_of


class Receiver:
    """Takes what the broker delivers; this one takes no notice."""

    def stamp(self) -> str | None:
        """Tell the time, for the deliveries that have been read just now."""
        return None

    def take(self, tags: Sequence[int], deliveries: Sequence[Delivery]) -> None:
        """Take deliveries in, with their delivery tags."""

    def pass_over(self, tag: int, delivery: Delivery, size: int) -> None:
        """Take note of a delivery that is larger than wanted.

        Args:
            tag: Its delivery tag.
            delivery: All of it but the body.
            size: Of the body, in bytes.
        """


FRAME_END = 0xCE
FRAME = struct.Struct(">BHI")  # type, channel and size of what follows; then `FRAME_END`

_METHOD, _HEADER, _BODY = 1, 2, 3
_DELIVER = 0x003C003C  # class basic, method deliver
_DELIVER_BYTES = _DELIVER.to_bytes(4, "big")

# Beginnings of frames: of a delivery, up to the length of the consumer's tag; behind
# that, up to the length of the exchange's name; of a header, up to the body's size.
_DELIVERY = struct.Struct(">BHIIB")
_WHICH = struct.Struct(">QBB")
_PROPERTIES = struct.Struct(">BHIIQ")
_KINDS = (_METHOD, _DELIVER, _HEADER, _BODY)


def whole(
    data: bytes, at: int, most: int, received: str | None
) -> tuple[int, Sequence[int], Sequence[Delivery]]:
    """Take the deliveries of which every frame is there, one behind the other.

    It ends at the first that is not so: with its body in several frames or none,
    frames of something else in between, cut off, or too large. That is for
    `handler`, which takes any, a frame at a time and in four times as long.

    Args:
        data: Frames.
        at: Where the first begins.
        most: The largest body that is wanted, in bytes.
        received: For the deliveries.

    Returns:
        Where the first frame begins that was not taken; the delivery tags; the
        deliveries.
    """
    tags: list[int] = []
    found: list[Delivery] = []
    make = tuple.__new__  # what a NamedTuple does, without the call in between
    try:
        while True:
            kind, channel, size, signature, length = _DELIVERY.unpack_from(data, at)
            place = at + _DELIVERY.size + length
            tag, flags, length = _WHICH.unpack_from(data, place)
            name = place + _WHICH.size
            key = name + length + 1
            header = key + data[key - 1] + 1
            of_header, channel_2, size_2, _, body_size = _PROPERTIES.unpack_from(data, header)
            body = header + FRAME.size + size_2 + 1
            of_body, channel_3, size_3 = FRAME.unpack_from(data, body)
            end = body + FRAME.size + size_3
            if (
                (kind, signature, of_header, of_body) != _KINDS
                or not (channel == channel_2 == channel_3 and size_3 == body_size <= most)
                or not (data[header - 1] == data[body - 1] == data[end] == FRAME_END)
                or header != at + FRAME.size + size + 1
            ):
                break
            properties = data[header + _PROPERTIES.size : body - 1]
            tags.append(tag)
            found.append(
                make(
                    Delivery,
                    (
                        _name(data[name : key - 1]),
                        data[key : header - 1].decode("utf-8", "backslashreplace"),
                        data[end - size_3 : end],
                        quick_cc_of(properties),
                        bool(flags & 1),
                        received,
                    ),
                )
            )
            at = end + 1
    except (struct.error, IndexError):  # the rest has not come yet
        pass
    return at, tags, found


OnFrame = Callable[[Any], Any]
"""Takes a frame: type, channel, payload. Tells whether a method is complete by it."""


def handler(
    receiver: Receiver, most: int, theirs: Callable[[Any, Any], OnFrame]
) -> Callable[[Any, Any], OnFrame]:
    """Make a frame handler for py-amqp, which leaves to its own all but deliveries.

    Args:
        receiver: Is given each.
        most: The largest body that is wanted, in bytes.
        theirs: Makes py-amqp's own.
    """

    def make(connection: Any, callback: Any) -> OnFrame:
        otherwise = theirs(connection, callback)
        partial: dict[int, _Partial] = {}

        def on_frame(frame: tuple[int, int, bytes]) -> bool:
            kind, channel, data = frame
            if kind == _METHOD and data.startswith(_DELIVER_BYTES):
                partial[channel] = _Partial(data, most)
            elif kind in (_HEADER, _BODY) and channel in partial:
                message = partial[channel]
                if message.take(kind, data):
                    del partial[channel]
                    connection.bytes_recv += 1
                    message.give(receiver)
                    return True
            else:
                return bool(otherwise(frame))
            connection.bytes_recv += 1
            return False

        return on_frame

    return make


class _Partial:
    # A delivery, of which some frames have come.

    __slots__ = ("_chunks", "_header", "_method", "_missing", "_most", "_size")

    def __init__(self, method: bytes, most: int) -> None:
        self._method = method
        self._most = most
        self._header = b""
        self._chunks: list[bytes] = []
        self._missing = self._size = 0

    def take(self, kind: int, data: bytes) -> bool:
        # Whether that was all of it.
        if kind == _HEADER:
            self._header = data
            (self._size,) = unpack_from(">Q", data, 4)
            self._missing = self._size
        else:
            self._missing -= len(data)
            if self._size <= self._most:
                self._chunks.append(data)
        return self._missing <= 0

    def give(self, receiver: Receiver) -> None:
        method = self._method
        (tag,) = unpack_from(">Q", method, 5 + method[4])
        delivery = self._delivery(receiver.stamp())
        if self._size > self._most:
            receiver.pass_over(tag, delivery, self._size)
        else:
            receiver.take((tag,), (delivery,))

    def _delivery(self, received: str | None) -> Delivery:
        method = self._method
        at = 13 + method[4]
        redelivered = bool(method[at] & 1)
        exchange, at = _short(method, at + 1)
        key, at = _short(method, at)
        chunks = self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return Delivery(exchange, key, body, cc_of(self._header[12:]), redelivered, received)


def _short(data: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + data[at]
    return data[at + 1 : end].decode(errors="backslashreplace"), end


@lru_cache(maxsize=64)
def _name(data: bytes) -> str:
    return data.decode(errors="backslashreplace")
