"""The broker as a source: a queue, bound and consumed, in batches.

The command line and the library listen through the same `Listener`.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

from tcsniff.errors import ConnectionFailed, TcsniffError
from tcsniff.pipeline import ConnectionObserver, Source
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.routing import Binding
from tcsniff.pulse.times import format_timestamp
from tcsniff.settings.brokers import Broker
from tcsniff.sources.connection import HEARTBEAT, MAX_KEY_BYTES, Connection, NoExchange, QueueSpec
from tcsniff.sources.frames import ReceiveBuffer
from tcsniff.sources.wakeup import WakeUp

FIRST_PAUSE = 0.5  # seconds before a lost connection is tried again; doubled each time
LONGEST_PAUSE = 30.0  # seconds
_RESUMED = 50_000  # messages that a queue keeps for us while we are away


class QueuePolicy(NamedTuple):
    """What is to be kept of a queue when the connection goes.

    Attributes:
        name: Of a durable queue, below ``queue/<user>/``, that is kept and
            shared by all who name it; None for a temporary one of our own.
        resume: Seconds for which a temporary queue outlives a lost connection;
            None for not at all.
        expires: Seconds without a consumer after which the broker deletes a
            named queue; None for never.
        max_length: The most messages of a named queue; older ones are dropped.
    """

    name: str | None = None
    resume: float | None = None
    expires: float | None = None
    max_length: int | None = None


TEMPORARY = QueuePolicy()
"""Nothing is kept."""


def build_queue(user: str, keeping: QueuePolicy) -> QueueSpec:
    """Make up the queue for a connection.

    Args:
        user: Whose queue it is: Pulse permits ``queue/<user>/...`` alone.
        keeping: What is to be kept.

    Returns:
        For a temporary one another name each time: after a lost connection the
        broker may still believe that the old one is in use.
    """
    if keeping.name is not None:
        limits = {
            "x-expires": None if keeping.expires is None else int(keeping.expires * 1000),
            "x-max-length": keeping.max_length,
        }
        arguments = {name: value for name, value in limits.items() if value is not None}
        return QueueSpec(f"queue/{user}/{keeping.name}", kept=True, arguments=arguments)
    name = f"queue/{user}/tcsniff/{secrets.token_urlsafe(16)}"
    if keeping.resume is None:
        return QueueSpec(name)
    # Durable, as RabbitMQ 4.3 wants of a queue that is not exclusive.
    expires = {"x-expires": int(keeping.resume * 1000), "x-max-length": _RESUMED}
    return QueueSpec(name, kept=True, arguments=expires)


def list_pauses() -> Iterator[float]:
    """Tell how long to wait before each further try, in seconds, for ever.

    With jitter, so that a broker that comes back is not met by all at once.
    """
    pause = FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.5, 1.5)
        pause = min(2 * pause, LONGEST_PAUSE)


QUIET = 0.25  # seconds without a message after which a batch is empty
PREFETCH = 1000  # messages in our hands and not acknowledged
_TURN = 0.1  # seconds between two looks at a connection that is being made
_LOOK = 10.0  # seconds between two looks at how much waits
_MUCH = 1_000  # messages that wait; PulseGuardian warns above 2,000 and deletes above 8,000


class Consumer(Source):
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
        keeping: QueuePolicy = TEMPORARY,
        prefetch: int = PREFETCH,
        auto_ack: bool = False,
        optional: Collection[str] = (),
        most: int = MAX_KEY_BYTES,
        watch: ConnectionObserver | None = None,
        in_memory: bool = False,
        in_bulk: bool = True,
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
            in_bulk: Whether to read past py-amqp where that can be; see
                `sources.bulk`.
            quiet: Seconds without a message after which a batch is empty.
            clock: Tells when messages are received, in seconds since the Unix
                epoch.
        """
        self._queue = build_queue(broker.user, keeping)
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
        self._watch = watch or ConnectionObserver()
        self._in_memory = in_memory
        self._in_bulk = in_bulk
        self._quiet = quiet
        self._clock = clock
        self._alarm = WakeUp()
        self._inbox = ReceiveBuffer(clock, most, self._watch.notify)
        self._link = self._new_link()
        self._idle = threading.Lock()  # held by who uses the link
        self._ended = threading.Event()  # for the heartbeat
        self._batch_tags: list[int] = []
        # The last one that the last batch covers; that is acknowledged.
        self._covered = self._acknowledged = 0
        # Small enough that the broker refills the other half of the prefetch
        # while this one is written.
        self._most_at_once = max(1, prefetch // 2)
        self._calm = 0.0  # when all that the queue held had been heard
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
            self._discard_anew()
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
            self._leave()

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
                    self._ack(len(self._batch_tags))
                    batch = self._arrivals()
            except ConnectionFailed as error:
                yield from self._mend(str(error))
            else:
                yield batch
        if self.is_connected:
            self.ack(len(self._batch_tags))

    def describe_condition(self) -> str:
        """What a person should know of the connection just now; empty if all is well."""
        if not self.is_connected:
            return "connecting again"
        return f"{self.waiting:,} waiting" if self.waiting else ""

    @property
    def queue(self) -> str:
        """The queue's name; after a lost connection a temporary one has another."""
        return self._queue.name

    def ack(self, taken: int) -> None:
        """Acknowledge the first messages of the last batch.

        Args:
            taken: How many, those settled before included; the others are
                acknowledged when the next batch is asked for, or else go back
                to the queue in the end.
        """
        with self._idle:
            try:
                self._ack(taken)
            except ConnectionFailed:
                self._batch_tags, self._covered = [], 0  # they come again, if they are kept

    def stop(self) -> None:
        """Have `batches` end after the batch that is being taken.

        From any thread, and from a signal handler.
        """
        self.stopped = True
        self._alarm.ring()

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish to ourselves; in memory only."""
        self._link.publish(deliveries)

    def _new_link(self) -> Connection:
        return Connection(
            self._broker,
            self._alarm,
            receiver=self._inbox,
            most=self._most,
            notify=self._watch.notify,
            in_memory=self._in_memory,
            in_bulk=self._in_bulk,
        )

    def _open(self) -> None:
        self._link.open()
        if self._in_memory:
            self._link.make(self._exchanges)
        self._consume(self._link, self._queue)
        self._is_open()

    def _discard_anew(self) -> None:
        # After an interruption nobody knows where a connection stands: take another.
        if self._keeping.resume is not None:
            link = self._new_link()
            with suppress(TcsniffError):
                link.open()
                link.discard(self.queue)
            link.close()

    def _leave(self) -> None:
        if self._keeping.resume is not None:  # nobody comes back for it
            self._link.discard(self.queue)
        self._link.close()

    def _consume(self, link: Connection, queue: QueueSpec) -> None:
        self.waiting = link.declare(queue)
        self._bind(link, queue.name)
        link.consume(queue.name, prefetch=self._prefetch, auto_ack=self._auto_ack)

    def _is_open(self) -> None:
        if not self._in_memory:  # where the clock belongs to the messages
            self._calm = self._looked = self._clock()
        self.is_connected = True

    @property
    def _exchanges(self) -> list[str]:
        return list(dict.fromkeys(binding.exchange for binding in self._bindings))

    def _bind(self, link: Connection, queue: str) -> None:
        try:
            link.bind(queue, self._bindings)
        except NoExchange:
            self.missing = [name for name in self._exchanges if not link.has(name)]
            needed = set(self.missing) - set(self._optional)
            if needed or len(self.missing) == len(self._exchanges):
                raise
            there = [one for one in self._bindings if one.exchange not in self.missing]
            link.bind(queue, there)

    def _arrivals(self) -> Sequence[Delivery]:
        # In memory the clock belongs to the messages.
        started = 0.0 if self._in_memory else self._clock()
        # Also when something is left: heartbeats may have come since.
        inbox, most = self._inbox, self._most_at_once
        self._link.drain(0 if inbox.arrived else self._quiet)
        while len(inbox.arrived) < most and self._link.drain(0):
            pass
        self._link.check()
        if not self._in_memory:
            self._look(started)
        # A look may have let in more.
        batch, self._batch_tags, self._covered = inbox.cut(most)
        return batch

    def _look(self, now: float) -> None:
        if now - self._looked < _LOOK:
            return
        self._looked = now
        self.waiting = self._link.waiting(self.queue) or 0
        if not self.waiting:
            # The answer came behind all that had been sent to us: whatever was
            # published before we asked is in our hands.
            self._calm = now
        if self.waiting >= self._told:
            self._told *= 2
            self._watch.notify(
                f"{self.waiting:,} messages wait in {self.queue}: we are too slow, and "
                "PulseGuardian deletes queues that grow too long; select less, or share the "
                "work with --queue"
            )

    def _ack(self, taken: int) -> None:
        whole = taken == len(self._batch_tags)
        tag = self._covered if whole else self._batch_tags[taken - 1] if taken else 0
        if not self._auto_ack and tag > self._acknowledged:
            self._link.acknowledge(tag)
            self._acknowledged = tag

    def _mend(self, reason: str) -> Iterator[Sequence[Delivery]]:
        self.is_connected = False
        self._watch.notify(f"{reason}; trying again")
        since = self._calm
        arrived = self._inbox.clear()
        self._batch_tags = []
        self._covered = self._acknowledged = 0
        if not self._queue.kept:  # else they come again
            yield arrived
        with self._idle:
            self._link.close()
        missed = yield from self._tried_again()
        if missed is not None:
            self._watch.add_gap(
                Gap(format_timestamp(since), format_timestamp(self._clock()), missed, reason)
            )

    def _tried_again(self) -> Generator[Sequence[Delivery], None, bool | None]:
        # Whether messages can have been missed; None if we were stopped before.
        for pause in list_pauses():
            yield from self._waiting_for(lambda: False, time.monotonic() + pause)
            if self.stopped:
                return None
            attempt = _Attempt(self._new_link(), self._reopen)
            yield from self._waiting_for(attempt.is_over, float("inf"))
            if self.stopped:
                return None  # it may hang for a while: its thread is left to itself
            if (found := attempt.found()) is not None:
                with self._idle:
                    self._link = attempt.link
                    self._queue, missed = found
                    self._is_open()
                return missed
        return None

    def _waiting_for(
        self, is_over: Callable[[], bool], end: float
    ) -> Iterator[Sequence[Delivery]]:
        while not (self.stopped or is_over()) and (left := end - time.monotonic()) > 0:
            yield ()
            self._alarm.wait(min(left, _TURN))

    def _reopen(self, link: Connection) -> tuple[QueueSpec, bool]:
        # In a thread of its own, as it may hang: changes nothing of ours.
        link.open()
        queue, missed = self._queue, False
        if not queue.kept:
            queue, missed = build_queue(self._broker.user, self._keeping), True
        elif (waiting := link.waiting(queue.name)) is None:
            missed = True
        elif isinstance(most := queue.arguments.get("x-max-length"), int):
            missed = waiting >= most  # the oldest were dropped
        self._consume(link, queue)
        return queue, missed

    def _keep_alive(self) -> None:
        while not self._ended.wait(HEARTBEAT / 4):
            if self._idle.acquire(blocking=False):
                try:
                    self._link.beat()
                finally:
                    self._idle.release()


class _Attempt:
    # To make a connection again, which may take long or never end.

    def __init__(
        self, link: Connection, reopen: Callable[[Connection], tuple[QueueSpec, bool]]
    ) -> None:
        self.link = link
        self._reopen = reopen
        self._found: tuple[QueueSpec, bool] | None = None
        self._error: TcsniffError | None = None
        self._thread = threading.Thread(target=self._run, name="reconnect", daemon=True)
        self._thread.start()

    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def found(self) -> tuple[QueueSpec, bool] | None:
        # None if it may be tried again.
        if self._error is not None and not isinstance(self._error, ConnectionFailed):
            raise self._error
        return self._found

    def _run(self) -> None:
        try:
            self._found = self._reopen(self.link)
        except TcsniffError as error:
            self._error = error
            self.link.close()
