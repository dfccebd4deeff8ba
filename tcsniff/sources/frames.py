"""Deliveries decoded from AMQP's frames, whatever they contain.

py-amqp decodes every header and string of a message, and closes the connection
if one is not UTF-8 or of an unknown type: a single bad message would end the
run. Here only what a delivery needs is decoded, no content can fail, and it
takes half the time. The layout is that of AMQP 0-9-1, sections 2.3.5 and 4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import unpack_from
from typing import Any

from tcsniff.pulse.deliveries import Delivery
from tcsniff.sources.frame_headers import parse_cc, parse_cc_cached
from tcsniff.sources.receive_buffer import Receiver

FRAME_END = 0xCE
FRAME = struct.Struct(">BHI")  # type, channel, size of the payload; payload and `FRAME_END` follow

_METHOD, _HEADER, _BODY = 1, 2, 3
_DELIVER = 0x003C003C  # class basic, method deliver
_DELIVER_BYTES = _DELIVER.to_bytes(4, "big")

# The start of a deliver frame, up to the length of the consumer tag; what follows the tag,
# up to the length of the exchange's name; the start of a header frame, up to the body's size.
_DELIVER_START = struct.Struct(">BHIIB")
_AFTER_CONSUMER_TAG = struct.Struct(">QBB")
_HEADER_START = struct.Struct(">BHIIQ")
_FRAME_KINDS = (_METHOD, _DELIVER, _HEADER, _BODY)


def parse_deliveries(
    data: bytes, at: int, max_body: int, received: str | None
) -> tuple[int, Sequence[int], Sequence[Delivery]]:
    """Parse consecutive deliveries whose frames are complete.

    Stops at the first that is incomplete, too large, has its body in no or
    several frames, or is interrupted by another frame. `make_frame_handler`
    reads all of these, one frame at a time, in four times the time.

    Args:
        data: Frames.
        at: Where the first frame starts.
        max_body: The largest body to read, in bytes.
        received: The time of receipt, for the deliveries.

    Returns:
        Where the first frame starts that was not read; the delivery tags; the
        deliveries.
    """
    tags: list[int] = []
    deliveries: list[Delivery] = []
    new = tuple.__new__  # what a NamedTuple does, without the call in between
    try:
        while True:
            kind, channel, size, method, length = _DELIVER_START.unpack_from(data, at)
            after_tag = at + _DELIVER_START.size + length
            tag, flags, length = _AFTER_CONSUMER_TAG.unpack_from(data, after_tag)
            name = after_tag + _AFTER_CONSUMER_TAG.size
            key = name + length + 1
            header = key + data[key - 1] + 1
            header_kind, channel_2, size_2, _, body_size = _HEADER_START.unpack_from(data, header)
            body = header + FRAME.size + size_2 + 1
            body_kind, channel_3, size_3 = FRAME.unpack_from(data, body)
            end = body + FRAME.size + size_3
            if (
                (kind, method, header_kind, body_kind) != _FRAME_KINDS
                or not (channel == channel_2 == channel_3 and size_3 == body_size <= max_body)
                or not (data[header - 1] == data[body - 1] == data[end] == FRAME_END)
                or header != at + FRAME.size + size + 1
            ):
                break
            properties = data[header + _HEADER_START.size : body - 1]
            tags.append(tag)
            deliveries.append(
                new(
                    Delivery,
                    (
                        _decode_exchange(data[name : key - 1]),
                        data[key : header - 1].decode("utf-8", "backslashreplace"),
                        data[end - size_3 : end],
                        parse_cc_cached(properties),
                        bool(flags & 1),
                        received,
                    ),
                )
            )
            at = end + 1
    except (struct.error, IndexError):  # the rest has not arrived yet
        pass
    return at, tags, deliveries


@lru_cache(maxsize=64)
def _decode_exchange(name: bytes) -> str:
    return name.decode(errors="backslashreplace")


NOT_AMQP = "the broker sent data that is not AMQP"

# What py-amqp raises for data that is not as it expects; it checks little of it.
_DECODE_ERRORS = (ValueError, LookupError, TypeError, AttributeError, struct.error)

OnFrame = Callable[[Any], Any]
"""Receives a frame (type, channel, payload); returns whether it completes a method."""


def make_frame_handler(
    receiver: Receiver, max_body: int, make_default: Callable[[Any, Any], OnFrame]
) -> Callable[[Any, Any], OnFrame]:
    """Create a frame handler for py-amqp that leaves everything but deliveries to its own.

    Args:
        receiver: Receives the deliveries.
        max_body: The largest body to read, in bytes.
        make_default: Creates py-amqp's own handler.
    """

    def make(connection: Any, callback: Any) -> OnFrame:
        handle_frame = _FrameHandler(
            connection, receiver, max_body, make_default(connection, callback)
        ).handle_frame

        def on_frame(frame: tuple[int, int, bytes]) -> bool:
            try:
                return handle_frame(*frame)
            except _DECODE_ERRORS as error:
                raise ConnectionResetError(NOT_AMQP) from error

        return on_frame

    return make


class _FrameHandler:
    # Collects deliveries from frames, and leaves the other frames to py-amqp.

    def __init__(
        self, connection: Any, receiver: Receiver, max_body: int, default: OnFrame
    ) -> None:
        self._connection = connection
        self._receiver = receiver
        self._max_body = max_body
        self._default = default
        self._partial: dict[int, _PartialDelivery] = {}  # by channel

    def handle_frame(self, kind: int, channel: int, data: bytes) -> bool:
        # Return whether the frame completes a method.
        connection, partial = self._connection, self._partial
        if kind == _METHOD and data.startswith(_DELIVER_BYTES):
            partial[channel] = _PartialDelivery(data, self._max_body)
        elif kind in (_HEADER, _BODY) and channel in partial:
            delivery = partial[channel]
            delivery.add_frame(kind, data)
            if delivery.is_complete:
                del partial[channel]
                connection.bytes_recv += 1
                delivery.send_to(self._receiver)
                return True
        elif connection.channels is None or channel in connection.channels:
            return bool(self._default((kind, channel, data)))
        # Else the channel is closed, and what was under way is discarded.
        connection.bytes_recv += 1
        return False


class _PartialDelivery:
    # A delivery of which some frames have arrived.

    __slots__ = ("_chunks", "_header", "_max_body", "_method", "_missing", "_size", "is_complete")

    def __init__(self, method: bytes, max_body: int) -> None:
        self.is_complete = False
        self._method = method
        self._max_body = max_body
        self._header = b""
        self._chunks: list[bytes] = []
        self._missing = self._size = 0

    def add_frame(self, kind: int, data: bytes) -> None:
        if kind == _HEADER:
            self._header = data
            (self._size,) = unpack_from(">Q", data, 4)
            self._missing = self._size
        else:
            self._missing -= len(data)
            if self._size <= self._max_body:
                self._chunks.append(data)
        self.is_complete = self._missing <= 0

    def send_to(self, receiver: Receiver) -> None:
        (tag,) = unpack_from(">Q", self._method, 5 + self._method[4])
        delivery = self._build_delivery(receiver.format_now())
        if self._size > self._max_body:
            receiver.skip(tag, delivery, self._size)
        else:
            receiver.add((tag,), (delivery,))

    def _build_delivery(self, received: str | None) -> Delivery:
        method = self._method
        at = 13 + method[4]
        is_redelivered = bool(method[at] & 1)
        exchange, at = _decode_short_string(method, at + 1)
        key, at = _decode_short_string(method, at)
        body = b"".join(self._chunks)
        cc = parse_cc(self._header[12:])
        return Delivery(exchange, key, body, cc, is_redelivered, received)


def _decode_short_string(data: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + data[at]
    return data[at + 1 : end].decode(errors="backslashreplace"), end
