"""The broker as a source: a queue that is bound and consumed, in batches.

The command line and the library use the same `Consumer`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Self

from tcsniff.errors import ConnectionFailed, Refused, TcsniffError
from tcsniff.pipeline import ConnectionObserver, FindFile, Source
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.routing import Binding
from tcsniff.pulse.times import format_timestamp
from tcsniff.settings.brokers import Broker
from tcsniff.sources.back_off import list_pauses
from tcsniff.sources.connection import HEARTBEAT, MAX_BODY, Connection
from tcsniff.sources.deadline import NEVER, Deadline
from tcsniff.sources.failures import CONNECT_TIMEOUT
from tcsniff.sources.interruptible import call_interruptibly
from tcsniff.sources.kombu_connection import CONNECTION_NAME
from tcsniff.sources.queue_bindings import QueueBindings
from tcsniff.sources.queue_policy import TEMPORARY, QueuePolicy, QueueSpec, build_queue
from tcsniff.sources.receive_buffer import ReceiveBuffer
from tcsniff.sources.reconnection import ReconnectAttempt
from tcsniff.sources.wakeup import WakeUp

MAX_WAIT = 0.25  # seconds without a message after which a batch is empty
PREFETCH = 1000  # messages that are received but not acknowledged

_DISCARD_TIMEOUT = 3.0  # seconds to delete a queue when connecting was interrupted
_RECONNECT_STEP = 0.1  # seconds between two checks of an attempt to reconnect
_LOOK_INTERVAL = 10.0  # seconds between two looks at the queue's length and bindings
_WARNING_LENGTH = 1_000  # messages; PulseGuardian warns above 2,000 and deletes above 8,000
_EMPTY_LOOKS = 2  # at a queue without messages, before it counts as empty: see `_is_empty`


class Consumer(Source):
    """A queue that is bound to exchanges and consumed.

    A context manager: it connects on entry, and deletes a temporary queue on
    exit. While the caller works on a batch, for however long, a thread keeps the
    connection alive. A lost connection is restored with its queue and bindings.

    Attributes:
        waiting: How many messages waited in the queue at the last check.
        is_connected: Whether it is connected.
        is_stopped: Whether `stop` was called.
    """

    def __init__(  # noqa: PLR0913 - all but two are keywords with defaults
        self,
        broker: Broker,
        bindings: Sequence[Binding],
        *,
        queue_policy: QueuePolicy = TEMPORARY,
        prefetch: int = PREFETCH,
        auto_ack: bool = False,
        optional: Collection[str] = (),
        max_body: int = MAX_BODY,
        observer: ConnectionObserver | None = None,
        events: str | None = None,
        until_empty: bool = False,
        deadline: float | None = None,
        in_memory: bool = False,
        reads_frames: bool = True,
        max_wait: float = MAX_WAIT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Create a consumer; entering it connects.

        Args:
            broker: Where to connect.
            bindings: The bindings of the queue.
            queue_policy: What remains of the queue when the connection closes.
            prefetch: How many messages the broker may send before they are
                acknowledged; limits the memory.
            auto_ack: Whether the broker forgets each message when it sends it:
                faster, but messages are lost with the connection.
            optional: Exchanges that may be missing, if there are others.
            max_body: The largest body in bytes; larger messages are skipped,
                with a message to the observer.
            observer: Receives what happens to the connection.
            events: The selection in words, for `describe_listening`; None to
                name the exchanges.
            until_empty: Whether the batches end when the queue is empty.
            deadline: When to give up connecting and binding, by the monotonic clock;
                None for never.
            in_memory: Whether to use kombu's broker inside this process, on
                which the exchanges are declared first.
            reads_frames: Whether to read frames without py-amqp where possible;
                see `frame_reader`.
            max_wait: Seconds without a message after which a batch is empty.
            clock: Returns the time of receipt, in seconds since the Unix epoch.
        """
        self.waiting = 0
        self.is_connected = False
        self.is_stopped = False
        self._broker = broker
        self._queue_policy = queue_policy
        self._queue = build_queue(broker.user, queue_policy)
        self._prefetch = prefetch
        self._auto_ack = auto_ack
        self._max_body = max_body
        self._observer = observer or ConnectionObserver()
        self._bindings = QueueBindings(bindings, optional, self._observer.notify)
        self._events = events
        self._until_empty = until_empty
        self._empty_looks = 0
        self._final_tag: int | None = None  # the last that was delivered before it was empty
        self._deadline = Deadline(deadline)
        self._in_memory = in_memory
        self._reads_frames = reads_frames
        self._max_wait = max_wait
        self._clock = clock
        self._wake_up = WakeUp()
        self._buffer = ReceiveBuffer(clock, max_body, self._observer.notify)
        self._connection = self._create_connection()
        self._lock = threading.Lock()  # held while the connection is used
        self._closed = threading.Event()  # ends the heartbeat thread
        self._may_have_queue = False
        self._batch_tags: list[int] = []
        self._batch_end = 0  # the tag that acknowledges the whole last batch
        self._acked = 0  # the last tag that was acknowledged
        # Half, so that the broker refills the other half while this one is written.
        self._max_batch = max(1, prefetch // 2)
        # When everything published before had been received, by the wall clock and the
        # monotonic clock.
        self._last_complete = 0.0, 0.0
        self._asked = 0.0, 0.0  # when the queue's length was asked for
        self._last_check = 0.0  # of the queue, by the monotonic clock
        self._warning_length = _WARNING_LENGTH

    def __enter__(self) -> Self:
        """Connect, declare, bind and consume.

        Raises:
            ConnectionFailed: If the broker cannot be reached.
            Refused: If it refuses the login, the vhost, the queue or a binding.
            TlsError: If its certificate cannot be trusted.
            TimedOut: If that takes longer than until the deadline.
        """
        try:
            self._connection.open(self._deadline.limit(CONNECT_TIMEOUT * 4))
            if self._in_memory:
                self._connection.declare_exchanges(self._bindings.exchanges)
            self._start_consuming(self._connection, self._queue, self._deadline)
            self._mark_connected()
        except BaseException as error:
            self._connection.close()
            self._discard_resumable_queue()
            if isinstance(error, ConnectionFailed):
                self._deadline.check("while connecting")
            raise
        threading.Thread(target=self._keep_alive, name="heartbeat", daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closed.set()
        self.stop()
        with self._lock:
            if self._queue_policy.resume is not None:  # it would outlive us
                self._connection.discard_queue(self.queue)
            self._connection.close()

    @property
    def queue(self) -> str:
        """The queue's name; a temporary one gets a new name after a lost connection."""
        return self._queue.name

    @property
    def missing_exchanges(self) -> list[str]:
        """The optional exchanges that were left out because the broker does not have them."""
        return self._bindings.missing_exchanges

    def describe_listening(self) -> str:
        """Return what it listens to, where, and as which user."""
        name, host = self._broker.name, self._broker.host
        where = host if name == host else f"{name} ({host})"
        events = self._events or self._bindings.describe_exchanges()
        return f"listening to {events} on {where} as {self._broker.user}"

    def describe_condition(self) -> str:
        """Return what is unusual about the connection right now; empty for nothing."""
        if not self.is_connected:
            return "reconnecting"
        return f"{self.waiting:,} waiting" if self.waiting else ""

    # From the socket to batches.

    def batches(self) -> Iterator[Sequence[Delivery]]:
        """Yield what has arrived, batch by batch, until `stop`, or until the queue is empty.

        Asking for the next batch acknowledges the last one. The first is empty:
        the queue is bound.

        Yields:
            Everything that has arrived, but at most half the prefetch and, of several
            large messages, 4 MB; nothing after `max_wait` seconds without a message.

        Raises:
            Refused: If a lost connection cannot be restored.
            TlsError: The same.
        """
        yield ()
        while not self.is_stopped:
            try:
                with self._lock:
                    self._ack_first(len(self._batch_tags))
                    if self._until_empty and self._is_empty():
                        break
                    batch = self._receive_batch()
            except ConnectionFailed as error:
                yield from self._reconnect(str(error))
            else:
                yield batch
        if self.is_connected:
            self.ack(len(self._batch_tags))

    def _receive_batch(self) -> Sequence[Delivery]:
        # In memory the clock returns the messages' times, once for each.
        started = (0.0, 0.0) if self._in_memory else self._read_clocks()
        connection, buffer = self._connection, self._buffer
        # If the buffer is full, what arrives waits in the socket, heartbeats too.
        if not buffer.is_full:
            # Drain also if deliveries are left over: heartbeats may have arrived.
            connection.drain(0 if buffer.deliveries else self._max_wait)
            while (
                len(buffer.deliveries) < self._max_batch
                and not (buffer.is_full or self.is_stopped)  # also in a large message
                and connection.drain(0)
            ):
                pass
            connection.check_heartbeat()
            if not self._in_memory:
                connection.check_answers()
        if not self._in_memory:
            self._look_at_queue(started)
        batch, self._batch_tags, self._batch_end = buffer.pop_batch(self._max_batch)
        return batch

    def _is_empty(self) -> bool:
        # Whether the queue was seen empty, and everything that it had delivered before was
        # yielded and acknowledged; what is published later does not count.
        if self._final_tag is None:
            if not self._buffer.deliveries:
                self._ask_length()
            return False
        is_lost = self._auto_ack and self._buffer.deliveries  # at exit
        return self._batch_end >= self._final_tag and not is_lost

    def ack(self, count: int) -> None:
        """Acknowledge the first messages of the last batch.

        Args:
            count: How many, including those acknowledged before. The others are
                acknowledged with the next batch, or return to the queue at exit.
        """
        with self._lock:
            try:
                self._ack_first(count)
            except ConnectionFailed:  # a kept queue delivers them again
                self._batch_tags, self._batch_end = [], 0

    def _ack_first(self, count: int) -> None:
        # After a lost connection there are no tags: what is in hand is not acknowledged,
        # and a kept queue delivers it again.
        if count >= len(self._batch_tags):
            tag = self._batch_end
        else:
            tag = self._batch_tags[count - 1] if count else 0
        if not self._auto_ack and tag > self._acked:
            self._connection.ack(tag)
            self._acked = tag

    def stop(self) -> None:
        """Make `batches` end after the current batch; for any thread and signal handlers."""
        self.is_stopped = True
        self._wake_up.trigger()

    def watch(self, find_file: FindFile) -> None:
        """Let `batches` yield soon, whenever a file can be read while it waits."""
        self._wake_up.watch(find_file)

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish on the same connection; in memory only."""
        self._connection.publish(deliveries)

    # Connecting.

    def _create_connection(self) -> Connection:
        return Connection(
            self._broker,
            self._wake_up,
            receiver=self._buffer,
            max_body=self._max_body,
            notify=self._observer.notify,
            in_memory=self._in_memory,
            reads_frames=self._reads_frames,
        )

    def _start_consuming(
        self, connection: Connection, queue: QueueSpec, deadline: Deadline = NEVER
    ) -> None:
        self._may_have_queue = True
        now = 0.0 if self._in_memory else self._clock()
        self.waiting = connection.declare_queue(queue)
        self._bindings.bind_all(connection, queue.name, now, deadline)
        connection.consume(queue.name, prefetch=self._prefetch, auto_ack=self._auto_ack)

    def _mark_connected(self) -> None:
        if not self._in_memory:
            self._last_complete = self._read_clocks()
            self._last_check = self._last_complete[1]
        self.is_connected = True
        number = len(self._bindings.bound)
        bindings = "1 binding" if number == 1 else f"{number} bindings"
        self._observer.detail(f"queue {self.queue}, {bindings}, AMQP connection {CONNECTION_NAME}")

    def _discard_resumable_queue(self) -> None:
        # On a new connection: after an interruption the state of the old one is unknown.
        if self._queue_policy.resume is None or not self._may_have_queue:
            return
        connection = self._create_connection()

        def discard_queue() -> None:
            connection.open()
            connection.discard_queue(self.queue)
            connection.close()

        with suppress(TcsniffError, TimeoutError):
            call_interruptibly(discard_queue, "discard", _DISCARD_TIMEOUT)

    # Staying connected.

    def _keep_alive(self) -> None:
        while not self._closed.wait(HEARTBEAT / 4):
            if self._lock.acquire(blocking=False):
                try:
                    self._connection.send_heartbeat()
                finally:
                    self._lock.release()

    def _look_at_queue(self, now: tuple[float, float]) -> None:
        connection = self._connection
        for exchange, since in self._bindings.receive_answer(connection):
            reason = f"the exchange {exchange} was deleted and declared again"
            self._add_gap(since, now[0], reason, has_missed=True)
        if (waiting := connection.pop_length()) is not None:
            self._receive_length(waiting)
        if now[1] - self._last_check >= _LOOK_INTERVAL:
            self._last_check = now[1]
            self._ask_length()
            self._bindings.ask_again(connection, self.queue, now[0])

    def _ask_length(self) -> None:
        now = self._read_clocks()
        if self._connection.ask_length(self.queue):
            self._asked = now

    def _receive_length(self, waiting: int) -> None:
        self.waiting = waiting
        if not waiting:
            # Everything published before the question has been received.
            self._last_complete = self._asked
        # Quorum queues may deliver a little later, so look twice.
        self._empty_looks = 0 if waiting else self._empty_looks + 1
        if self._empty_looks >= _EMPTY_LOOKS:
            self._final_tag = self._buffer.last_tag
        if self.waiting >= self._warning_length:
            self._warning_length *= 2
            self._observer.notify(
                f"{self.waiting:,} messages wait in {self.queue}: tcsniff is too slow, and "
                "PulseGuardian deletes queues that grow too long; select fewer events, or share "
                "the work with --queue"
            )

    def _reconnect(self, reason: str) -> Iterator[Sequence[Delivery]]:
        self.is_connected = False
        self._observer.notify(f"{reason}; trying again")
        since, since_reading = self._last_complete
        deliveries = self._buffer.pop_all()
        self._batch_tags = []
        self._batch_end = self._acked = self._empty_looks = 0
        self._final_tag = None
        if not self._queue.is_kept:  # a kept queue delivers them again
            yield deliveries
        with self._lock:
            self._connection.close()
        has_missed = yield from self._repeat_attempts(reason)
        if has_missed is not None:
            until, now = self._read_clocks()
            # The wall clock may have been set back, and the monotonic one may have stood
            # still while the machine was suspended.
            until = max(until, since + now - since_reading)
            self._add_gap(since, until, reason, has_missed=has_missed)

    def _add_gap(self, since: float, until: float, reason: str, *, has_missed: bool) -> None:
        self._observer.add_gap(
            Gap(format_timestamp(since), format_timestamp(until), has_missed, reason)
        )

    def _repeat_attempts(self, reason: str) -> Generator[Sequence[Delivery], None, bool | None]:
        # Return whether messages may have been missed; None if `stop` was called first.
        for pause in list_pauses():
            yield from self._yield_empty_batches(lambda: False, time.monotonic() + pause)
            if self.is_stopped:
                return None
            attempt = ReconnectAttempt(self._create_connection(), self._reopen)
            yield from self._yield_empty_batches(attempt.is_over, float("inf"))
            if self.is_stopped:
                return None  # the attempt may hang: its thread is not waited for
            if (result := attempt.get_result()) is not None:
                with self._lock:
                    self._connection = attempt.connection
                    self._queue, has_missed = result
                    self._mark_connected()
                return has_missed
            if attempt.failure != reason:
                reason = attempt.failure
                self._observer.notify(f"{reason}; trying again")
        return None

    def _yield_empty_batches(
        self, is_over: Callable[[], bool], end: float
    ) -> Iterator[Sequence[Delivery]]:
        while not (self.is_stopped or is_over()) and (left := end - time.monotonic()) > 0:
            yield ()
            self._wake_up.wait(min(left, _RECONNECT_STEP))

    def _read_clocks(self) -> tuple[float, float]:
        return self._clock(), time.monotonic()

    def _reopen(self, connection: Connection) -> tuple[QueueSpec, bool]:
        # Runs in a thread that may hang, so it sets nothing that the consumer relies on.
        connection.open()
        queue, has_missed = self._queue, False
        if not queue.is_kept:
            queue, has_missed = build_queue(self._broker.user, self._queue_policy), True
        elif (waiting := connection.count_messages(queue.name)) is None:
            if self._until_empty:
                raise Refused(f"{queue.name} was deleted before it was empty")
            has_missed = True
        elif isinstance(max_length := queue.arguments.get("x-max-length"), int):
            has_missed = waiting >= max_length  # the oldest were dropped
        self._start_consuming(connection, queue)
        return queue, has_missed
