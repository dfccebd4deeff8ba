"""An open WebSocket with its subscriptions: what a web server sends, as deliveries."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.times import format_timestamp
from tcsniff.selection.subscriptions import Subscription
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.frame_limit import SkippedMessage
from tcsniff.sources.web_connection import CONNECT_TIMEOUT, WebConnection
from tcsniff.sources.web_failures import (
    SUBSCRIPTION_ERROR,
    HandshakeRefused,
    NoWebExchange,
    explain_lost_connection,
    explain_problem,
    explain_refused_handshake,
)
from tcsniff.sources.web_frames import FrameProtocol
from tcsniff.sources.web_graphql import GraphqlProtocol
from tcsniff.sources.web_protocol import (
    Accepted,
    Arrival,
    InvalidFrame,
    Problem,
    Subscribed,
    WebProtocol,
)

PROTOCOLS: tuple[type[WebProtocol], ...] = (FrameProtocol, GraphqlProtocol)
"""The protocols, the newest first."""

PING_INTERVAL = 10.0  # seconds; also how exactly the start of a gap is known
PONG_TIMEOUT = 30.0  # seconds

_ENVELOPE = 1 << 13  # bytes of a message beside its payload: keys of 255 bytes, escaped
_KEY = re.compile(rb'"exchange":"([^"\\]{1,255})","routingKey":"([^"\\]{0,255})"')
_WAIT_STEP = 0.02  # seconds between two looks for an answer while connecting


class Numbered(NamedTuple):
    """A delivery, and the subscription that it arrived through.

    Attributes:
        subscription: Its number, from 0; None if the server did not name it.
        delivery: The delivery, without the time of receipt.
    """

    subscription: int | None
    delivery: Delivery


class WebStream:
    """A connection to a web server, with its subscriptions. Not thread-safe.

    Attributes:
        connection: The connection.
        protocol: The protocol that the server speaks.
        subscriptions: The subscriptions, by number.
        opened: When the subscriptions were made, by the monotonic clock.
    """

    def __init__(
        self,
        server: WebServer,
        subscriptions: Iterable[Subscription],
        *,
        max_body: int,
        observer: ConnectionObserver,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Create a stream; `open` connects it.

        Args:
            server: The web server.
            subscriptions: What to subscribe to.
            max_body: The largest payload in bytes; larger messages are skipped.
            observer: Receives messages about what is skipped.
            clock: Returns seconds since the Unix epoch.
        """
        self.subscriptions: list[Subscription] = []
        self.protocol: WebProtocol = FrameProtocol()
        self.opened = 0.0
        self._server = server
        self._wanted = list(subscriptions)
        self._max_body = max_body
        self._observer = observer
        self._clock = clock
        self.connection = self._create_connection()
        self._early: list[Numbered] = []  # arrived while other subscriptions were made
        self._problems: list[Problem] = []

    def open(self, preferred: type[WebProtocol] | None = None) -> None:
        """Connect, and subscribe.

        Args:
            preferred: The protocol to try first; None for the newest.

        Raises:
            ConnectionFailed: If the server cannot be reached.
            Refused: If it refuses the client.
            TlsError: If its certificate cannot be trusted.
            UsageError: If a proxy's address is not valid.
        """
        try:
            self.connect(preferred)
            self.log_in()
            self.subscribe_all()
        except BaseException:
            self.close()
            raise
        self.opened = time.monotonic()
        self.connection.answered_ping = self._clock(), self.opened

    def connect(self, preferred: type[WebProtocol] | None = None) -> None:
        """Connect, by the first protocol that the server speaks; the first step of `open`.

        Raises:
            ConnectionFailed: If the server cannot be reached, or speaks neither protocol.
            Refused: If it refuses the handshake.
            TlsError: If its certificate cannot be trusted.
            UsageError: If a proxy's address is not valid.
        """
        refusals = []
        for kind in sorted(PROTOCOLS, key=lambda kind: kind is not preferred):
            self.connection = self._create_connection()
            self.protocol = kind()
            try:
                self.connection.open(kind.path, kind.subprotocol)
            except HandshakeRefused as error:
                refusals.append(error)
            else:
                return
        # The answer that says most: other web servers do not know the paths.
        refusal = max(refusals, key=lambda error: error.status not in (None, 400, 404))
        raise explain_refused_handshake(refusal, self._server)

    def log_in(self) -> None:
        """Say who listens, and wait until the server accepts that; the second step of `open`.

        Raises:
            ConnectionFailed: If the connection was lost, or the server does not answer.
            Refused: If the server refuses the client.
        """
        self.connection.send(self.protocol.format_hello(self._server.credentials))
        self._await_answer(Accepted)

    def subscribe_all(self) -> None:
        """Subscribe to all that is wanted; the last step of `open`.

        Raises:
            ConnectionFailed: If the connection was lost, or the server does not answer.
        """
        for subscription in self._wanted:
            self.subscribe(subscription)
            if self.protocol.confirms_subscriptions:
                self._await_answer(Subscribed)

    def subscribe(self, subscription: Subscription) -> None:
        """Subscribe, without waiting for an answer."""
        self.connection.send(self.protocol.format_subscription(subscription.bindings))
        self.subscriptions.append(subscription)

    def leave_out(self, error: NoWebExchange) -> tuple[Subscription, Subscription]:
        """Subscribe again, without an exchange that could not be bound.

        Returns:
            The subscription that failed, and the new one.

        Raises:
            NoWebExchange: If nothing is left, or the subscription is unknown.
        """
        number = error.subscription
        if number is None and len(self.subscriptions) == 1:
            number = 0
        if number is None or number >= len(self.subscriptions):
            raise error
        failed = self.subscriptions[number]
        bindings = tuple(one for one in failed.bindings if one.exchange != error.exchange)
        if not bindings:
            raise error
        self.subscribe(failed._replace(bindings=bindings))
        return failed, self.subscriptions[-1]

    def read(self) -> list[Numbered]:
        """Read what has arrived; never waits.

        Raises:
            ConnectionFailed: If the connection was lost.
            Refused: If the server reports that the client may not read something.
        """
        arrived, self._early = self._early, []
        if arrived:
            return arrived
        if self._problems:
            raise explain_problem(self._problems.pop(0), self._server)
        for data in self.connection.read():
            self._handle_answer(data, arrived)
        for skipped in self.connection.pop_skipped():
            self._report_skipped(skipped)
        return arrived

    def has_data(self) -> bool:
        """Return whether there is more to read than the socket shows."""
        return bool(self._early or self._problems) or self.connection.has_data()

    def check_alive(self) -> None:
        """Send a ping now and then.

        Raises:
            ConnectionFailed: If the server does not answer.
        """
        self.connection.check_alive(PING_INTERVAL, PONG_TIMEOUT)

    def close(self) -> None:
        """Disconnect, which ends the subscriptions; failures are ignored."""
        self.connection.close()

    def _create_connection(self) -> WebConnection:
        return WebConnection(self._server, self._max_body + _ENVELOPE, self._clock)

    def _await_answer(self, kind: type[Accepted | Subscribed]) -> None:
        end = time.monotonic() + CONNECT_TIMEOUT
        while time.monotonic() < end:
            is_answered = False
            for data in self.connection.read():
                is_answered = self._handle_answer(data, self._early) is kind or is_answered
            if is_answered:
                return
            # A subscription that failed can be repeated without an exchange, later.
            if self._problems and self._problems[0].code != SUBSCRIPTION_ERROR:
                raise explain_problem(self._problems[0], self._server)
            if self.connection.is_drained:
                self.connection.wait(_WAIT_STEP)
        raise explain_lost_connection(f"no answer within {CONNECT_TIMEOUT} s", self._server)

    def _handle_answer(self, data: bytes, arrived: list[Numbered]) -> type[object]:
        # Return the kind of the answer.
        try:
            answer = self.protocol.parse_answer(data)
        except InvalidFrame as error:
            self._report_invalid(str(error), len(data))
            return InvalidFrame
        if isinstance(answer, Arrival):
            delivery = answer.delivery
            if len(delivery.body) > self._max_body:
                self._report_too_large(len(delivery.body), delivery.exchange, delivery.routing_key)
            else:
                arrived.append(Numbered(answer.subscription, delivery))
        elif isinstance(answer, Problem):
            self._problems.append(answer)
        return type(answer)

    def _report_skipped(self, skipped: SkippedMessage) -> None:
        keys = _KEY.findall(skipped.tail)
        exchange, key = keys[-1] if keys else (b"an unknown exchange", b"unknown key")
        self._report_too_large(
            skipped.size, exchange.decode(errors="replace"), key.decode(errors="replace")
        )

    def _report_too_large(self, size: int, exchange: str, key: str) -> None:
        self._observer.notify(
            f"skipped a message of {size:,} bytes on {exchange} ({key}); --max-size allows "
            f"{self._max_body:,}"
        )

    def _report_invalid(self, reason: str, size: int) -> None:
        # It may have been a message, so nothing counts as complete any more.
        self._observer.notify(
            f"skipped {size:,} bytes from {self._server} that are not a message: {reason}"
        )
        now = format_timestamp(self._clock())
        self._observer.add_gap(Gap(now, now, True, "a message that cannot be read"))


class StreamOpening:
    """An attempt to open a stream, in a thread, since it may take long or never end."""

    def __init__(self, stream: WebStream, preferred: type[WebProtocol] | None) -> None:
        """Start the attempt.

        Args:
            stream: The stream to open.
            preferred: The protocol to try first; None for the newest.
        """
        self._stream = stream
        self._preferred = preferred
        self._error: Exception | None = None
        self._lock = threading.Lock()
        self._is_abandoned = False
        self._ended = threading.Event()
        threading.Thread(target=self._run, name="web server", daemon=True).start()

    def is_over(self) -> bool:
        """Return whether it has succeeded or failed."""
        return self._ended.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has succeeded or failed.

        Args:
            seconds: The longest wait; None for no limit.

        Returns:
            Whether it has.
        """
        return self._ended.wait(seconds)

    def get_stream(self) -> WebStream:
        """Return the open stream.

        Raises:
            TcsniffError: The reason why it could not be opened.
        """
        if self._error is not None:
            raise self._error
        return self._stream

    def abandon(self) -> None:
        """Close the stream as soon as it is open; does not wait."""
        with self._lock:
            self._is_abandoned = True
            if self._ended.is_set():
                self._stream.close()

    def _run(self) -> None:
        try:
            self._stream.open(self._preferred)
        except Exception as error:  # noqa: BLE001 - raised again by `get_stream`
            self._error = error
        with self._lock:
            self._ended.set()
            if self._is_abandoned:
                self._stream.close()
