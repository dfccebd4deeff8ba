"""Full queues of simulated messages on a RabbitMQ that the benchmark starts."""

from __future__ import annotations

import itertools
import socket
import struct
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from amqp.connection import Connection
from measuring import PATIENCE, busy

from rabbitmq import ADMIN, HOST, PULSE, RabbitMQ
from tcsniff.pulse.deliveries import Delivery
from tcsniff.selection.select import QUEUE_EXCHANGES
from tcsniff.simulator.simulation import simulate

SIZES = range(820, 941)  # bytes of a body
WORKER_TYPE = "gaia"  # of all messages
DIFFERENT = 500  # messages; a backlog repeats them

_START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
_SENT = 256  # messages handed to the socket at a time
_FRAME = struct.Struct(">BHI")


def messages() -> list[Delivery]:
    """Simulate different messages of the queue, each with a CC header."""
    made = (one for _, one in simulate(seed=7, start=_START))
    fitting = (
        one
        for one in made
        if len(one.body) in SIZES and one.cc and f".{WORKER_TYPE}." in one.routing_key
    )
    return list(itertools.islice(fitting, DIFFERENT))


class Backlog:
    """A broker, and a way to fill its queues quickly.

    Attributes:
        server: The broker.
    """

    def __init__(self, server: RabbitMQ, vhost: str = "/") -> None:
        self.server = server
        self.vhost = vhost
        self._connection = Connection(
            # py-amqp's own is a second, and a broker that is given much makes us wait.
            f"{HOST}:{server.port}",
            *ADMIN,
            virtual_host=vhost,
            socket_settings={socket.TCP_USER_TIMEOUT: 60_000},
        )
        self._queues: list[str] = []
        self._connection.connect()
        self._channel = self._connection.channel()
        for exchange in QUEUE_EXCHANGES:
            self._channel.exchange_declare(
                exchange.address, "topic", durable=True, auto_delete=False
            )
        frames = [_published(one) for one in messages()]
        self._blocks = [b"".join(frames[at : at + _SENT]) for at in range(0, len(frames), _SENT)]

    def fill(self, queues: Sequence[str], number: int) -> list[str]:
        """Create queues of the user pulse and fill them; those of the last call are deleted.

        Args:
            queues: Their names behind ``queue/pulse/``.
            number: How many in each; a multiple of `DIFFERENT`.

        Returns:
            The full names.
        """
        for name in self._queues:  # else they would receive what is published now
            self._channel.queue_delete(name)
        self._queues = names = [f"queue/{PULSE[0]}/{name}" for name in queues]
        for name in names:
            self._channel.queue_delete(name)
            self._channel.queue_declare(name, durable=True, auto_delete=False)
            for exchange in QUEUE_EXCHANGES:
                self._channel.queue_bind(name, exchange.address, "#")
        self._publish(number)
        for name in names:
            self._await(name, number)
        return names

    def pour(self, number: int) -> None:
        """Publish more messages into all bound queues; a multiple of `DIFFERENT`."""
        self._publish(number)

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish some messages at once."""
        self._connection.transport.write(b"".join(map(_published, deliveries)))

    def waiting(self, queue: str) -> int:
        """Return how many messages are in a queue, by its full name."""
        return int(self._channel.queue_declare(queue, passive=True).message_count)

    def busy(self) -> float:
        """Return the broker's seconds of processor time so far."""
        return busy(int((self.server.folder / "pid").read_text()))

    def _publish(self, number: int) -> None:
        for _ in range(number // DIFFERENT):
            for block in self._blocks:
                self._connection.transport.write(block)

    def _await(self, name: str, number: int) -> None:
        # A queue is a process of the broker, and lags behind the channel.
        deadline = time.monotonic() + PATIENCE
        while (found := self.waiting(name)) != number:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} has {found:,} messages, not {number:,}")
            time.sleep(0.05)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def backlog() -> Iterator[Backlog]:
    """Start a RabbitMQ."""
    with (
        tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as folder,
        RabbitMQ(Path(folder)) as server,
    ):
        made = Backlog(server)
        yield made
        made.close()


def _published(message: Delivery) -> bytes:
    # AMQP 0-9-1: basic.publish on channel 1, its header with CC, its body.
    method = b"\0\x3c\0\x28\0\0" + _short(message.exchange) + _short(message.routing_key) + b"\0"
    keys = b"".join(b"S" + _long(key.encode()) for key in message.cc)
    table = _long(b"\x02CCA" + _long(keys))
    properties = b"\xb0\0" + _short("application/json") + table + b"\x01"
    header = struct.pack(">HHQ", 60, 0, len(message.body)) + properties
    return b"".join(
        _FRAME.pack(kind, 1, len(payload)) + payload + b"\xce"
        for kind, payload in ((1, method), (2, header), (3, message.body))
    )


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _long(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data
