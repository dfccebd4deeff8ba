"""The broker as a source: a queue, bound and consumed, in batches.

The command line and the library listen through the same `Listener`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from tcsniff.bindings import Binding
from tcsniff.config import Broker
from tcsniff.deliveries import Delivery, Gap
from tcsniff.errors import ConnectionFailed
from tcsniff.sources.alarm import Alarm
from tcsniff.sources.failures import NoExchange
from tcsniff.sources.link import HEARTBEAT, MOST_BYTES, Link
from tcsniff.sources.queues import TEMPORARY, Keeping, pauses, queue_of
from tcsniff.stream import Watch
from tcsniff.times import stamp

QUIET = 0.25  # seconds without a message after which a batch is empty
PREFETCH = 1000  # messages in our hands and not acknowledged
_LOOK = 10.0  # seconds between two looks at how much waits
_MUCH = 1_000  # messages that wait; PulseGuardian warns above 2,000 and deletes above 8,000


class Listener:
    """A queue, bound to exchanges and consumed.

    A context manager: connected inside of it, and a temporary queue gone after
    it. While whoever takes the batches is busy with one, for however long, a
    thread keeps the connection alive. A connection that is lost is made again,
    with its queue and bindings.

    Attributes:
        missing: Exchanges that were left out because the broker has none of
            that name; only of those that were `optional`.
        waiting: How many messages wait in the queue, at the last look.
        is_connected: Whether it is.
        stopped: Whether `stop` was called.
    """

    def __init__(
        self,
        broker: Broker,
        bindings: Sequence[Binding],
        *,
        keeping: Keeping = TEMPORARY,
        prefetch: int = PREFETCH,
        auto_ack: bool = False,
        optional: Collection[str] = (),
        most: int = MOST_BYTES,
        watch: Watch | None = None,
        in_memory: bool = False,
        quiet: float = QUIET,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is connected yet.

        Args:
            broker: Where to connect.
            bindings: What to ask for.
            keeping: What becomes of the queue.
            prefetch: How many messages the broker may send ahead of their
                acknowledgement; bounds the memory.
            auto_ack: Whether the broker forgets a message as soon as it is
                sent: faster, and lost if we do not get to it.
            optional: Exchanges that are left out if they are missing, as long
                as there are others, instead of an error.
            most: The largest body in bytes; larger messages are told and passed
                over.
            watch: Is told what happens to the connection.
            in_memory: Whether to use kombu's own broker inside this process,
                where the exchanges are made first.
            quiet: Seconds without a message after which a batch is empty.
            clock: Tells when messages are received, in seconds since the Unix
                epoch.
        """
        self._queue = queue_of(broker.user, keeping)
        self.missing: list[str] = []
        self.waiting = 0
        self.is_connected = False
        self.stopped = False
        self._broker = broker
        self._bindings = bindings
        self._keeping = keeping
        self._prefetch = prefetch
        self._auto_ack = auto_ack
        self._optional = optional
        self._most = most
        self._watch = watch or Watch()
        self._in_memory = in_memory
        self._quiet = quiet
        self._clock = clock
        self._alarm = Alarm()
        self._link = self._new_link()
        self._idle = threading.Lock()  # held by who uses the link
        self._ended = threading.Event()  # for the heartbeat
        self._arrived: list[Delivery] = []
        self._tags: list[int] = []  # of what has arrived, in the same order
        self._batch_tags: list[int] = []
        self._settled = 0
        # Small enough that the broker refills the other half of the prefetch
        # while this one is written.
        self._most_at_once = max(1, prefetch // 2)
        self._calm = 0.0  # when all that the queue held had been heard
        self._stamped = (-1, "")
        self._looked = 0.0
        self._told = _MUCH

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
            if self._keeping.resume is not None and self.is_connected:
                self._link.discard(self.queue)
            self._link.close()

    def batches(self) -> Iterator[Sequence[Delivery]]:
        """Hand out what has arrived, batch by batch, until `stop`.

        Asking for the next batch acknowledges the one before. The first is
        empty: the bindings stand.

        Yields:
            Everything that has arrived, at most half the prefetch; nothing
            when it was quiet for a moment.

        Raises:
            Refused: If a lost connection cannot be made again.
            TlsError: The same.
        """
        yield ()
        while not self.stopped:
            try:
                with self._idle:
                    self._settle(len(self._batch_tags))
                    batch = self._arrivals()
            except ConnectionFailed as error:
                yield from self._mend(str(error))
            else:
                yield batch
        if self.is_connected:
            self.settle(len(self._batch_tags))

    @property
    def condition(self) -> str:
        """What a person should know of the connection just now; empty if all is well."""
        if not self.is_connected:
            return "connecting again"
        return f"{self.waiting:,} waiting" if self.waiting else ""

    @property
    def queue(self) -> str:
        """The queue's name; after a lost connection a temporary one has another."""
        return self._queue.name

    def settle(self, taken: int) -> None:
        """Acknowledge the first messages of the last batch.

        Args:
            taken: How many, those settled before included; the others are
                acknowledged when the next batch is asked for, or else go back
                to the queue in the end.
        """
        with self._idle:
            try:
                self._settle(taken)
            except ConnectionFailed:
                self._batch_tags = []  # they come again, if the queue keeps them

    def stop(self) -> None:
        """Have `batches` end after the batch that is being taken.

        From any thread, and from a signal handler.
        """
        self.stopped = True
        self._alarm.ring()

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish to ourselves; in memory only."""
        self._link.publish(deliveries)

    def _new_link(self) -> Link:
        return Link(self._broker, self._alarm, most=self._most, in_memory=self._in_memory)

    def _open(self) -> None:
        self._link.open()
        if self._in_memory:
            self._link.make(self._exchanges)
        self._consume()

    def _consume(self) -> None:
        self.waiting = self._link.declare(self._queue)
        self._bind()
        self._link.consume(
            self.queue, self._receive, prefetch=self._prefetch, auto_ack=self._auto_ack
        )
        self._calm = self._clock() if not self._in_memory else 0.0
        self.is_connected = True

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
        # In memory the clock belongs to the messages.
        started = 0.0 if self._in_memory else self._clock()
        came = bool(self._arrived) or self._link.drain(self._quiet)
        while len(self._arrived) < self._most_at_once and self._link.drain(0):
            pass
        self._link.check()
        if not came:
            self._calm = started
        if not self._in_memory:
            self._look(started)
        most = self._most_at_once  # a look may have let in more
        batch, self._arrived = self._arrived[:most], self._arrived[most:]
        self._batch_tags, self._tags = self._tags[:most], self._tags[most:]
        self._settled = 0
        return batch

    def _look(self, now: float) -> None:
        if now - self._looked < _LOOK:
            return
        self._looked = now
        self.waiting = self._link.waiting(self.queue) or 0
        if self.waiting >= self._told:
            self._told *= 2
            self._watch.tell(
                f"{self.waiting:,} messages wait in {self.queue}: we are too slow, and "
                "PulseGuardian deletes queues that grow too long; select less, or share the "
                "work with --queue"
            )

    def _receive(self, tag: int, delivery: Delivery, size: int) -> None:
        if size > self._most:
            self._watch.tell(
                f"a message of {size:,} bytes on {delivery.exchange} passed over "
                f"({delivery.routing_key}); --max-size allows {self._most:,}"
            )
            return  # acknowledged with the next that is not
        self._tags.append(tag)
        self._arrived.append(delivery._replace(received=self._stamp()))

    def _stamp(self) -> str:
        # The same text serves all that comes within a millisecond.
        now = self._clock()
        if int(now * 1000) != self._stamped[0]:
            self._stamped = int(now * 1000), stamp(now)
        return self._stamped[1]

    def _settle(self, taken: int) -> None:
        if taken > self._settled and not self._auto_ack:
            self._link.acknowledge(self._batch_tags[taken - 1])
        self._settled = taken

    def _mend(self, reason: str) -> Iterator[Sequence[Delivery]]:
        self.is_connected = False
        self._watch.tell(f"{reason}; trying again")
        since = self._calm
        arrived, self._arrived = self._arrived, []
        self._tags, self._batch_tags, self._settled = [], [], 0
        if not self._queue.kept:  # else they come again
            yield arrived
        with self._idle:
            self._link.close()
        for pause in pauses():
            end = time.monotonic() + pause
            while not self.stopped and (left := end - time.monotonic()) > 0:
                yield ()
                self._alarm.wait(min(left, QUIET))
            if self.stopped:
                return
            try:
                with self._idle:
                    missed = self._reopen()
                break
            except ConnectionFailed:
                self._link.close()
        self._watch.gap(Gap(stamp(since), stamp(self._clock()), missed, reason))

    def _reopen(self) -> bool:
        # Whether messages can have been missed.
        self._link = self._new_link()
        self._link.open()
        missed = not self._queue.kept or self._link.waiting(self.queue) is None
        if not self._queue.kept:
            self._queue = queue_of(self._broker.user, self._keeping)
        self._consume()
        return missed

    def _keep_alive(self) -> None:
        while not self._ended.wait(HEARTBEAT / 4):
            if self._idle.acquire(blocking=False):
                try:
                    self._link.beat()
                finally:
                    self._idle.release()
