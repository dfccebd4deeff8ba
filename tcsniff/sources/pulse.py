"""The broker as a source: a queue, bound and consumed, in batches.

The command line and the library listen through the same `Listener`.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from tcsniff.bindings import Binding
from tcsniff.config import Broker
from tcsniff.deliveries import Delivery
from tcsniff.sources.link import HEARTBEAT, Link, NoExchange
from tcsniff.times import stamp

QUIET = 0.25  # seconds without a message after which a batch is empty
PREFETCH = 1000  # messages in our hands and not acknowledged


class Listener:
    """A queue, bound to exchanges and consumed.

    A context manager: connected inside of it, and a temporary queue gone after
    it. While whoever takes the batches is busy with one, for however long, a
    thread keeps the connection alive.

    Attributes:
        queue: The queue's name.
        missing: Exchanges that were left out because the broker has none of
            that name; only of those that were `optional`.
        stopped: Whether `stop` was called.
    """

    def __init__(
        self,
        broker: Broker,
        bindings: Sequence[Binding],
        *,
        queue: str | None = None,
        prefetch: int = PREFETCH,
        auto_ack: bool = False,
        optional: Collection[str] = (),
        in_memory: bool = False,
        quiet: float = QUIET,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is connected yet.

        Args:
            broker: Where to connect.
            bindings: What to ask for.
            queue: Name of a durable queue, below ``queue/<user>/``, that is
                kept afterwards and shared by all who name it; None for a
                temporary one of our own.
            prefetch: How many messages the broker may send ahead of their
                acknowledgement; bounds the memory.
            auto_ack: Whether the broker forgets a message as soon as it is
                sent: faster, and lost if we do not get to it.
            optional: Exchanges that are left out if they are missing, as long
                as there are others, instead of an error.
            in_memory: Whether to use kombu's own broker inside this process,
                where the exchanges are made first.
            quiet: Seconds without a message after which a batch is empty.
            clock: Tells when messages are received, in seconds since the Unix
                epoch.
        """
        name = f"tcsniff/{secrets.token_urlsafe(16)}" if queue is None else queue
        self.queue = f"queue/{broker.user}/{name}"
        self.missing: list[str] = []
        self.stopped = False
        self._named = queue is not None
        self._bindings = bindings
        self._prefetch = prefetch
        self._auto_ack = auto_ack
        self._optional = optional
        self._in_memory = in_memory
        self._quiet = quiet
        self._clock = clock
        self._link = Link(broker, in_memory=in_memory)
        self._idle = threading.Lock()  # held by who uses the link
        self._ended = threading.Event()  # for the heartbeat
        self._arrived: list[Delivery] = []
        # Delivery tags count up by one on a channel with one consumer.
        self._last_tag = 0
        self._size = self._settled = 0
        # Small enough that the broker refills the other half of the prefetch
        # while this one is written.
        self._most = max(1, prefetch // 2)

    def __enter__(self) -> Self:
        """Connect, declare, bind and consume.

        Raises:
            ConnectionFailed: If the broker cannot be reached.
            Refused: If it refuses the login, the vhost, the queue or a binding.
            TlsError: If its certificate is not to be trusted.
        """
        try:
            self._open()
        except BaseException:
            self._link.close()
            raise
        threading.Thread(target=self._keep_alive, name="heartbeat", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self.stop()
        with self._idle:
            self._link.close()

    def batches(self) -> Iterator[Sequence[Delivery]]:
        """Hand out what has arrived, batch by batch, until `stop`.

        Asking for the next batch acknowledges the one before. The first is
        empty: the bindings stand.

        Yields:
            Everything that has arrived, at most half the prefetch; nothing
            when it was quiet for a moment.

        Raises:
            ConnectionFailed: If the connection is lost.
        """
        yield ()
        while not self.stopped:
            with self._idle:
                self._settle(self._size)
                batch = self._arrivals()
            yield batch
        self.settle(self._size)

    def settle(self, taken: int) -> None:
        """Acknowledge the first messages of the last batch.

        Args:
            taken: How many, those settled before included; the others are
                acknowledged when the next batch is asked for, or else go back
                to the queue in the end.
        """
        with self._idle:
            self._settle(taken)

    def stop(self) -> None:
        """Have `batches` end after the batch that is being taken.

        From any thread, and from a signal handler.
        """
        self.stopped = True
        self._link.wake()

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish to ourselves; in memory only."""
        self._link.publish(deliveries)

    def _open(self) -> None:
        self._link.open()
        if self._in_memory:
            self._link.make(self._exchanges)
        self._link.declare(self.queue, named=self._named)
        self._bind()
        self._link.consume(
            self.queue, self._receive, prefetch=self._prefetch, auto_ack=self._auto_ack
        )

    @property
    def _exchanges(self) -> list[str]:
        return list(dict.fromkeys(binding.exchange for binding in self._bindings))

    def _bind(self) -> None:
        try:
            self._link.bind(self.queue, self._bindings)
        except NoExchange:
            self.missing = [name for name in self._exchanges if not self._link.has(name)]
            needed = set(self.missing) - set(self._optional)
            if needed or len(self.missing) == len(self._exchanges):
                raise
            there = [one for one in self._bindings if one.exchange not in self.missing]
            self._link.bind(self.queue, there)

    def _arrivals(self) -> Sequence[Delivery]:
        self._link.drain(self._quiet)
        while len(self._arrived) < self._most and self._link.drain(0):
            pass
        self._link.check()
        batch, self._arrived = self._arrived, []
        self._size, self._settled = len(batch), 0
        return batch

    def _receive(self, tag: int, delivery: Delivery) -> None:
        self._last_tag = tag
        self._arrived.append(delivery._replace(received=stamp(self._clock())))

    def _settle(self, taken: int) -> None:
        if taken > self._settled and not self._auto_ack:
            self._link.acknowledge(self._last_tag - self._size + taken)
        self._settled = taken

    def _keep_alive(self) -> None:
        while not self._ended.wait(HEARTBEAT / 4):
            if self._idle.acquire(blocking=False):
                try:
                    self._link.beat()
                finally:
                    self._idle.release()
