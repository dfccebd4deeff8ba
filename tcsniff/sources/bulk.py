"""All frames that are there at once, out of py-amqp's hands.

The one place that knows py-amqp's insides. py-amqp asks the socket for each part
of a frame by itself: nine calls a message. Here what is there is read at once;
the beginning of a frame that is left over goes where py-amqp keeps what it has
read too early, so that either of the two may read next.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from amqp import __version__
from amqp.connection import Connection

from tcsniff.sources.frames import FRAME, FRAME_END, Receiver, handler, whole

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


def fits(connection: Any) -> bool:
    """Tell whether this py-amqp is built as `Bulk` needs it.

    Args:
        connection: One of its, open, with a frame handler of ours.
    """
    kept = getattr(getattr(connection, "transport", None), "_read_buffer", None)
    return isinstance(kept, bytes) and hasattr(connection, "on_inbound_frame")


class Bulk:
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
