"""Deliveries out of AMQP's frames, whatever is in them.

py-amqp decodes every header and string of a message, and gives up the
connection where one is no UTF-8 or of a type that it does not know: one message
of a stranger would end everything. Here only what a delivery needs is decoded,
nothing in it can fail, and it takes half the time. The layout is that of AMQP
0-9-1, sections 2.3.5 and 4.2.
"""

from __future__ import annotations

import inspect
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import unpack_from
from typing import Any

from amqp import __version__
from amqp.connection import Connection

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.times import format_timestamp


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


class ReceiveBuffer(Receiver):
    """Keeps deliveries with their tags, in order.

    Attributes:
        arrived: The deliveries.
    """

    def __init__(
        self, clock: Callable[[], float], most: int, notify: Callable[[str], object]
    ) -> None:
        """Nothing has arrived yet.

        Args:
            clock: Tells when messages are received, in seconds since the Unix
                epoch.
            most: The largest body in bytes, for the telling.
            notify: Is told of larger messages.
        """
        self.arrived: list[Delivery] = []
        self._tags: list[int] = []
        self._last = 0  # the tag of what came last, also of what was too large
        self._clock = clock
        self._most = most
        self._notify = notify
        self._stamped = (-1, "")

    def stamp(self) -> str:
        """Tell the time; the same text serves all that comes within a millisecond."""
        now = self._clock()
        if int(now * 1000) != self._stamped[0]:
            self._stamped = int(now * 1000), format_timestamp(now)
        return self._stamped[1]

    def take(self, tags: Sequence[int], deliveries: Sequence[Delivery]) -> None:
        """Take deliveries in, with their delivery tags."""
        self._tags += tags
        self.arrived += deliveries
        self._last = tags[-1]

    def pass_over(self, tag: int, delivery: Delivery, size: int) -> None:
        """Tell of a delivery that is too large; it is done with as soon as those around it."""
        self._last = tag
        self._notify(
            f"a message of {size:,} bytes on {delivery.exchange} passed over "
            f"({delivery.routing_key}); --max-size allows {self._most:,}"
        )

    def cut(self, number: int) -> tuple[list[Delivery], list[int], int]:
        """Hand out the first deliveries.

        Args:
            number: How many at most.

        Returns:
            They; their tags; and the tag up to which all is done with when they
            are: what was too large came in between.
        """
        if len(self.arrived) <= number:
            batch, tags, last = self.arrived, self._tags, self._last
            self.arrived, self._tags = [], []
            return batch, tags, last
        batch, self.arrived = self.arrived[:number], self.arrived[number:]
        tags, self._tags = self._tags[:number], self._tags[number:]
        return batch, tags, tags[-1]

    def clear(self) -> list[Delivery]:
        """Hand out all, when nothing of it can be acknowledged any more."""
        arrived, self.arrived, self._tags, self._last = self.arrived, [], [], 0
        return arrived


_CHUNK = 1 << 18  # bytes read at a time
_LEAST = FRAME.size + 1  # bytes of a frame

UNFIT = (
    f"py-amqp {__version__} is not built as tcsniff knows it: messages are read in its own way, "
    "in three times the time"
)
"""What to tell where that cannot be."""


def frame_handler(receiver: Receiver, most: int) -> Callable[..., Any] | None:
    """Make a frame handler for py-amqp's connection, as `frames.handler` does.

    Returns:
        None if this py-amqp takes none.
    """
    parameter = inspect.signature(Connection.__init__).parameters.get("frame_handler")
    return None if parameter is None else handler(receiver, most, parameter.default)


def can_read_frames(connection: Any) -> bool:
    """Tell whether this py-amqp is built as `Bulk` needs it.

    Args:
        connection: One of its, open, with a frame handler of ours.
    """
    kept = getattr(getattr(connection, "transport", None), "_read_buffer", None)
    return isinstance(kept, bytes) and hasattr(connection, "on_inbound_frame")


class FrameReader:
    """Reads for a connection that `fits`."""

    def __init__(self, connection: Any, receiver: Receiver, most: int) -> None:
        """Take a connection.

        Args:
            connection: Of py-amqp, with our `frame_handler`.
            receiver: Is given the deliveries.
            most: The largest body that is wanted, in bytes.
        """
        self._connection = connection
        self._receiver = receiver
        self._most = most

    def take(self) -> bool:
        """Read once, and handle every frame that is whole.

        Returns:
            Whether there was one.

        Raises:
            OSError: If the connection is lost, or what came is no AMQP.
        """
        transport = self._connection.transport
        part = transport.sock.recv(_CHUNK)
        if not part:
            raise ConnectionResetError("the broker closed the connection")
        kept = transport._read_buffer  # noqa: SLF001 - see `fits`
        data = kept + part if kept else part
        received = self._receiver.stamp()
        at = 0
        try:
            while True:
                at = self._deliveries(data, at, received)
                begin, at = at, _after(data, at)
                if at == begin:
                    break
                self._frame(data, begin, at)
        finally:
            transport._read_buffer = data[at:]  # noqa: SLF001
        return at > 0

    def _deliveries(self, data: bytes, at: int, received: str | None) -> int:
        at, tags, found = whole(data, at, self._most, received)
        if found:
            self._connection.bytes_recv += len(found)  # a sign of life, for the heartbeat
            self._receiver.take(tags, found)
        return at

    def _frame(self, data: bytes, begin: int, end: int) -> None:
        kind, channel, _ = FRAME.unpack_from(data, begin)
        self._connection.on_inbound_frame((kind, channel, data[begin + FRAME.size : end - 1]))


def _after(data: bytes, at: int) -> int:
    # Where the frame ends that begins there; the same place if it is not yet whole.
    if len(data) - at < _LEAST:
        return at
    end: int = at + FRAME.unpack_from(data, at)[2] + _LEAST
    if end > len(data):
        return at
    if data[end - 1] != FRAME_END:
        raise ConnectionResetError("the broker sent what is no AMQP")
    return end
