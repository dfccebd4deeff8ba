"""A deployment's web server as a source: Pulse messages over a WebSocket, without an account.

`web_stream` is one connection; this module keeps one open, and reports what was missed.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Self

from tcsniff.errors import ConnectionFailed, TcsniffError
from tcsniff.pipeline import ConnectionObserver, FindFile, Source
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.times import format_timestamp
from tcsniff.selection.describe import describe_bindings
from tcsniff.selection.select import Selection
from tcsniff.selection.subscriptions import MAX_BINDINGS, Subscription, plan_subscriptions
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.back_off import list_pauses
from tcsniff.sources.deadline import Deadline
from tcsniff.sources.deferred_observer import DeferredObserver
from tcsniff.sources.double_filter import DoubleFilter
from tcsniff.sources.wakeup import WakeUp
from tcsniff.sources.web_failures import EndOfLife, NoWebExchange
from tcsniff.sources.web_stream import StreamOpening, WebStream

MAX_BODY = 16 << 20  # bytes of a payload, unless the caller sets another limit
MAX_WAIT = 0.25  # seconds without a message after which a batch is empty
LIFE = 5.5 * 3600  # seconds after which a new connection is opened; servers close after 6 h
OVERLAP = 10.0  # seconds during which the old and the new connection are both read
SETTLE = 1.0  # seconds that the server may take to bind what it has accepted
OPEN_TIMEOUT = 30.0  # seconds to connect and subscribe

_MAX_BATCH = 1000  # deliveries
_MAX_BUFFER = 16 << 20  # bytes of deliveries that wait for the caller
_KEEP_ALIVE = 5.0  # seconds; servers close a connection that does not answer for 30 s
_RECONNECT_STEP = 0.1  # seconds between two checks of an attempt to reconnect
_UNCERTAIN = 2.0  # seconds that a message may take from the broker through the web server


class WebListener(Source):
    """A selection that is received from a web server.

    A context manager: it connects and subscribes on entry. While the caller works on a
    batch, a thread reads what fits into a bounded buffer, which answers the server's pings.
    A lost connection is restored, and the time until then is reported as a gap. Before the
    server's time limit ends a connection, a second one takes over.

    Attributes:
        missing_exchanges: The exchanges that were left out because the server does not
            have them.
        is_connected: Whether it is connected.
        is_stopped: Whether `stop` was called.
    """

    def __init__(
        self,
        server: WebServer,
        selection: Selection,
        *,
        max_body: int = MAX_BODY,
        observer: ConnectionObserver | None = None,
        max_wait: float = MAX_WAIT,
        life: float = LIFE,
        overlap: float = OVERLAP,
        settle: float = SETTLE,
        deadline: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Create a listener; entering it connects.

        Args:
            server: Where to connect.
            selection: The messages to receive.
            max_body: The largest payload in bytes; larger messages are skipped, with a
                message to the observer.
            observer: Receives what happens to the connection.
            max_wait: Seconds without a message after which a batch is empty.
            life: Seconds after which a new connection takes over.
            overlap: Seconds during which both are read.
            settle: Seconds after which the server has surely bound what it accepted.
            deadline: When to give up connecting, by the monotonic clock; None for never.
            clock: Returns the time of receipt, in seconds since the Unix epoch.
        """
        self.missing_exchanges: list[str] = []
        self.is_connected = False
        self.is_stopped = False
        self._server = server
        self._selection = selection
        self._plan = plan_subscriptions(selection)
        self._max_body = max_body
        self._observer = DeferredObserver(observer or ConnectionObserver())
        self._max_wait = max_wait
        self._life = life
        self._overlap = overlap
        self._settle = settle
        self._deadline = Deadline(deadline)
        self._clock = clock
        self._wake_up = WakeUp()
        self._streams: list[WebStream] = []  # while a new one takes over: old and new
        self._opening: StreamOpening | None = None  # of the one that will take over
        self._renewal_due = float("inf")  # by the monotonic clock
        self._doubles: DoubleFilter | None = None
        self._doubles_end = float("inf")  # when copies no longer arrive
        self._unselected = 0
        self._deliveries: list[Delivery] = []
        self._bytes = 0  # of these
        self._failure: TcsniffError | None = None  # noticed while the caller was busy
        self._lock = threading.Lock()  # held while the streams are used
        self._closed = threading.Event()  # ends the thread

    def __enter__(self) -> Self:
        """Connect, and subscribe.

        Raises:
            ConnectionFailed: If the server cannot be reached.
            Refused: If it refuses the client.
            TlsError: If its certificate cannot be trusted.
            TimedOut: If that takes longer than until the deadline.
        """
        opening = self._start_opening(None)
        try:
            self._use_stream(self._await_stream(opening))
        except BaseException:
            opening.abandon()
            raise
        threading.Thread(target=self._keep_alive, name="keep-alive", daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closed.set()
        self.stop()
        with self._lock:
            if self._opening is not None:
                self._opening.abandon()
            self._close_streams()

    @property
    def queue(self) -> str:
        """Empty: the server's queue has no name that a client knows."""
        return ""

    def describe_listening(self) -> str:
        """Return what it listens to, where, and what that costs."""
        account = f"as {self._server.client_id}" if self._server.client_id else "no account"
        return (
            f"listening to {describe_bindings(self._selection.bindings)} on {self._server} "
            f"through its web server ({account}): routes are unknown, payloads are equal in "
            "value but not byte for byte, and a lost connection is a gap"
        )

    def describe_merging(self) -> str:
        """Return that bindings were merged into fewer, wider ones; empty if they were not."""
        wanted = len(self._selection.bindings)
        made = sum(len(subscription.bindings) for subscription in self._plan)
        if made >= wanted:
            return ""
        return (
            f"a web server takes {MAX_BINDINGS} bindings at a time: {wanted:,} are merged into "
            f"{made}, and what else they match is dropped on arrival"
        )

    def describe_condition(self) -> str:
        """Return what is unusual about the connection right now; empty for nothing."""
        return "" if self.is_connected else "reconnecting"

    @property
    def has_routes(self) -> bool:
        """Whether deliveries have routes: web servers do not send them."""
        return False

    @property
    def unselected(self) -> int:
        """The number of deliveries that were dropped on arrival."""
        return self._unselected

    # From the socket to batches.

    def batches(self) -> Iterator[Sequence[Delivery]]:
        """Yield what has arrived, batch by batch, until `stop`.

        The first batch is empty: the server has accepted the subscriptions.

        Yields:
            Everything that has arrived, at most 1,000 deliveries; nothing after
            `max_wait` seconds without a message.

        Raises:
            Refused: If the server refuses a subscription, or a lost connection cannot be
                restored.
            TlsError: If a lost connection cannot be restored.
        """
        self._observer.hand_on()
        yield ()
        while not self.is_stopped:
            try:
                with self._lock:
                    batch = self._receive_batch()
            except ConnectionFailed as error:
                yield from self._reconnect(error)
                self._observer.hand_on()
            else:
                self._observer.hand_on()
                yield batch

    def stop(self) -> None:
        """Make `batches` end after the current batch; for any thread and signal handlers."""
        self.is_stopped = True
        self._wake_up.trigger()

    def watch(self, find_file: FindFile) -> None:
        """Let `batches` yield soon, whenever a file can be read while it waits."""
        self._wake_up.watch(find_file)

    def _receive_batch(self) -> list[Delivery]:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        self._renew()
        self._receive(0 if self._deliveries else self._max_wait)
        return self._pop_deliveries(_MAX_BATCH)

    def _receive(self, seconds: float) -> None:
        # Read until nothing is left, or the buffer is full.
        streams = list(self._streams)
        if not any(stream.has_data() for stream in streams):
            self._wake_up.wait(seconds, *[stream.connection.socket for stream in streams])
        is_drained = False
        while not is_drained and not self.is_stopped and not self._is_full():
            for stream in streams:
                self._read_stream(stream)
            streams = list(self._streams)
            is_drained = all(stream.connection.is_drained for stream in streams)
        for stream in streams:
            stream.check_alive()

    def _is_full(self) -> bool:
        return len(self._deliveries) >= _MAX_BATCH or self._bytes >= _MAX_BUFFER

    def _read_stream(self, stream: WebStream) -> None:
        try:
            arrived = stream.read()
        except NoWebExchange as error:
            self._leave_out(stream, error)
            return
        except ConnectionFailed:
            if not self._lose_one_of_two(stream):
                raise
            return
        received = format_timestamp(self._clock()) if arrived else None
        for number, delivery in arrived:
            if self._is_selected(stream, number, delivery):
                self._deliveries.append(delivery._replace(received=received))
                self._bytes += len(delivery.body)

    def _is_selected(self, stream: WebStream, number: int | None, delivery: Delivery) -> bool:
        subscriptions = stream.subscriptions
        if number is not None and number < len(subscriptions):
            accepts = subscriptions[number].accepts
            is_selected = accepts is None or accepts(delivery)
        else:
            is_selected = any(
                subscription.accepts is None or subscription.accepts(delivery)
                for subscription in subscriptions
            )
        if not is_selected:
            self._unselected += 1
            return False
        return self._doubles is None or self._doubles.is_new((stream.opened, number), delivery)

    def _pop_deliveries(self, max_count: int) -> list[Delivery]:
        batch, self._deliveries = self._deliveries[:max_count], self._deliveries[max_count:]
        self._bytes = sum(len(delivery.body) for delivery in self._deliveries)
        return batch

    def _keep_alive(self) -> None:
        while not self._closed.wait(_KEEP_ALIVE):
            if self._lock.acquire(blocking=False):
                try:
                    if self.is_connected and self._failure is None:
                        self._receive(0)
                except TcsniffError as error:
                    self._failure = error
                finally:
                    self._lock.release()

    # Subscriptions.

    def _leave_out(self, stream: WebStream, error: NoWebExchange) -> None:
        if error.exchange not in self._selection.optional:
            raise error
        failed, remaining = stream.leave_out(error)
        self._plan = [remaining if one is failed else one for one in self._plan]
        self.missing_exchanges.append(error.exchange)
        self._observer.notify(f"{error}; it is left out")

    # Staying connected.

    def _await_stream(self, opening: StreamOpening) -> WebStream:
        if not opening.wait(self._deadline.limit(OPEN_TIMEOUT)):
            self._deadline.check("while connecting")
            raise ConnectionFailed(f"{self._server} did not answer within {OPEN_TIMEOUT:g} s")
        return opening.get_stream()

    def _start_opening(self, old: WebStream | None) -> StreamOpening:
        stream = WebStream(
            self._server,
            self._plan,
            max_body=self._max_body,
            observer=self._observer,
            clock=self._clock,
        )
        return StreamOpening(stream, None if old is None else type(old.protocol))

    def _use_stream(self, stream: WebStream) -> None:
        self._streams.append(stream)
        self.is_connected = True
        self._renewal_due = stream.opened + self._life * random.uniform(0.9, 1)
        if len(self._plan) > 1 and self._doubles is None:
            self._doubles = DoubleFilter()
        self._observer.detail(
            f"{_count(stream.subscriptions)} over {stream.protocol.name} at {self._server}"
        )

    def _close_streams(self) -> None:
        for stream in self._streams:
            stream.close()
        self._streams = []

    def _renew(self) -> None:
        # Let a second connection take over; nothing is lost meanwhile.
        now = time.monotonic()
        if self._opening is not None and self._opening.is_over():
            opening, self._opening = self._opening, None
            try:
                self._use_stream(opening.get_stream())
            except TcsniffError:  # the old one still works
                self._renewal_due = now + self._overlap
        elif len(self._streams) > 1 and now - self._streams[-1].opened >= self._overlap:
            self._streams.pop(0).close()
            self._doubles_end = now + self._overlap
        elif self._opening is None and now >= self._renewal_due and len(self._streams) == 1:
            self._doubles, self._doubles_end = self._doubles or DoubleFilter(), float("inf")
            self._opening = self._start_opening(self._streams[0])
        elif now >= self._doubles_end and len(self._plan) == 1:
            self._doubles, self._doubles_end = None, float("inf")

    def _lose_one_of_two(self, stream: WebStream) -> bool:
        # Return whether the other connection has all messages that this one had.
        if len(self._streams) == 1:
            return False
        if stream is self._streams[0]:
            if time.monotonic() - self._streams[-1].opened < self._settle:
                return False
        else:
            self._renewal_due = time.monotonic() + self._overlap
        self._streams.remove(stream)
        stream.close()
        return True

    def _reconnect(self, error: ConnectionFailed) -> Iterator[Sequence[Delivery]]:
        self.is_connected = False
        self._observer.notify(f"{error}; trying again")
        self._observer.hand_on()
        with self._lock:
            lost = self._streams[0]
            since, since_reading = lost.connection.answered_ping
            if isinstance(error, EndOfLife):
                self._life = min(self._life, 0.9 * (time.monotonic() - lost.opened))
            if self._opening is not None:
                self._opening.abandon()
                self._opening = None
            self._close_streams()
            deliveries = self._pop_deliveries(len(self._deliveries))
        yield deliveries
        stream = yield from self._repeat_openings(lost)
        if stream is None:
            return
        # What is published before the server has made the bindings is missing, too.
        yield from self._yield_empty_batches(lambda: False, time.monotonic() + self._settle)
        with self._lock:
            self._opening = None
            self._use_stream(stream)
        until, now = self._clock(), time.monotonic()
        # The wall clock may have been set back, and the monotonic one may have stood still
        # while the machine was suspended.
        until = max(until, since + now - since_reading)
        start = max(0.0, since - _UNCERTAIN)
        self._observer.add_gap(
            Gap(format_timestamp(start), format_timestamp(until), True, str(error))
        )

    def _repeat_openings(
        self, lost: WebStream
    ) -> Generator[Sequence[Delivery], None, WebStream | None]:
        # Return a new stream; None if `stop` was called first.
        for pause in list_pauses():
            yield from self._yield_empty_batches(lambda: False, time.monotonic() + pause)
            if self.is_stopped:
                return None
            opening = self._opening = self._start_opening(lost)  # abandoned at exit
            end = time.monotonic() + OPEN_TIMEOUT
            yield from self._yield_empty_batches(opening.is_over, end)
            if self.is_stopped or not opening.is_over():
                opening.abandon()
                continue
            try:
                return opening.get_stream()
            except ConnectionFailed:
                continue  # the next attempt may succeed
        return None

    def _yield_empty_batches(
        self, is_over: Callable[[], bool], end: float
    ) -> Iterator[Sequence[Delivery]]:
        while not (self.is_stopped or is_over()) and (left := end - time.monotonic()) > 0:
            yield ()
            self._wake_up.wait(min(left, _RECONNECT_STEP))


def _count(subscriptions: Sequence[Subscription]) -> str:
    number = sum(len(subscription.bindings) for subscription in subscriptions)
    return "1 binding" if number == 1 else f"{number} bindings"
