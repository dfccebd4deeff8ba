"""The socket of a py-amqp connection, read many frames at a time.

py-amqp reads one frame at a time. Reading everything that has arrived at once takes a
third of the time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from amqp import __version__
from amqp.connection import Connection as AmqpConnection

from tcsniff.sources.frames import FRAME, FRAME_END, NOT_AMQP, make_frame_handler, parse_deliveries
from tcsniff.sources.receive_buffer import Receiver

UNSUPPORTED = (
    f"this tcsniff does not know py-amqp {__version__}: messages are read in its own way, "
    "which takes three times the time"
)
"""The message for a py-amqp without the parts that are used here."""

_CHUNK = 1 << 18  # bytes read at a time
_MIN_FRAME = FRAME.size + 1  # bytes


def build_frame_handler(receiver: Receiver, max_body: int) -> Callable[..., Any] | None:
    """Create a frame handler for py-amqp's connection, as `make_frame_handler` does.

    Returns:
        None if this version of py-amqp accepts none.
    """
    parameter = inspect.signature(AmqpConnection.__init__).parameters.get("frame_handler")
    if parameter is None:
        return None
    return make_frame_handler(receiver, max_body, parameter.default)


def can_read_frames(connection: Any) -> bool:
    """Return whether this version of py-amqp is built as `FrameReader` needs it.

    Args:
        connection: An open connection of py-amqp with our frame handler.
    """
    # Private parts of another library may be missing: here the names have to be looked up.
    buffer = getattr(getattr(connection, "transport", None), "_read_buffer", None)
    return isinstance(buffer, bytes) and hasattr(connection, "on_inbound_frame")


class FrameReader:
    """Reads frames for a connection that passes `can_read_frames`."""

    def __init__(self, connection: Any, receiver: Receiver, max_body: int) -> None:
        """Create a reader.

        Args:
            connection: A connection of py-amqp with our frame handler.
            receiver: Receives the deliveries.
            max_body: The largest body to read, in bytes.
        """
        self._connection = connection
        self._receiver = receiver
        self._max_body = max_body

    def read(self) -> bool:
        """Read once, and handle every complete frame.

        Returns:
            Whether there was a complete frame.

        Raises:
            OSError: If the connection is lost, or the broker sends something
                that is not AMQP.
        """
        transport = self._connection.transport
        chunk = transport.sock.recv(_CHUNK)
        if not chunk:
            raise ConnectionResetError("the broker closed the connection")
        buffer = transport._read_buffer  # noqa: SLF001 - see `can_read_frames`
        data = buffer + chunk if buffer else chunk
        received = self._receiver.format_now()
        at = 0
        try:
            while True:
                at = self._read_deliveries(data, at, received)
                start, at = at, _find_frame_end(data, at)
                if at == start:
                    break
                self._handle_frame(data, start, at)
        finally:
            transport._read_buffer = data[at:]  # noqa: SLF001
        return at > 0

    def _read_deliveries(self, data: bytes, at: int, received: str | None) -> int:
        at, tags, deliveries = parse_deliveries(data, at, self._max_body, received)
        if deliveries:
            self._connection.bytes_recv += len(deliveries)  # py-amqp's heartbeat check counts them
            self._receiver.add(tags, deliveries)
        return at

    def _handle_frame(self, data: bytes, start: int, end: int) -> None:
        kind, channel, _ = FRAME.unpack_from(data, start)
        self._connection.on_inbound_frame((kind, channel, data[start + FRAME.size : end - 1]))


def _find_frame_end(data: bytes, at: int) -> int:
    # Return where the frame that starts at `at` ends; `at` itself if it is incomplete.
    if len(data) - at < _MIN_FRAME:
        return at
    end: int = at + FRAME.unpack_from(data, at)[2] + _MIN_FRAME
    if end > len(data):
        return at
    if data[end - 1] != FRAME_END:
        raise ConnectionResetError(NOT_AMQP)
    return end
