"""Publishing simulated messages as Taskcluster does: on a broker of this machine only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from amqp.exceptions import AccessRefused, NotFound, PreconditionFailed

from tcsniff.errors import ConnectionFailed, Refused, TcsniffError, UsageError
from tcsniff.pulse.deliveries import Delivery
from tcsniff.readiness import is_writable
from tcsniff.settings.brokers import Broker
from tcsniff.signals import signal_handler
from tcsniff.sources.connection import Connection, ignore
from tcsniff.sources.failures import (
    CONNECTION_ERRORS,
    explain_failure,
    explain_lost_connection,
)
from tcsniff.sources.kombu_connection import is_remote
from tcsniff.sources.wakeup import WakeUp

WINDOW = 1000  # published messages that the broker has not confirmed
CONFIRM_TIMEOUT = 30.0  # seconds without a confirmation
_HEARTBEAT_INTERVAL = 5.0  # seconds between two checks
_BLOCKED_INTERVAL = 0.5  # seconds between two checks whether the broker reads again
_PERSISTENT = 2  # AMQP 0-9-1, section 3.1: kept on disk by durable queues


class Publisher(Connection):
    """A connection to publish on.

    Attributes:
        sent: How many messages were published.
        refused: How many of them the broker refused, as for a queue that is full.
        confirm_timeout: Seconds without a confirmation after which the
            connection has failed.
    """

    def __init__(
        self, broker: Broker, wake_up: WakeUp, *, notify: Callable[[str], object] = ignore
    ) -> None:
        """Create a publisher; `open` connects it.

        Args:
            broker: Where to connect.
            wake_up: Ends a wait in `idle`, and for a broker that accepts no messages.
            notify: Receives messages for the user.
        """
        super().__init__(broker, wake_up, notify=notify)
        self.sent = self.refused = 0
        self.confirm_timeout = CONFIRM_TIMEOUT
        self._unconfirmed: set[int] = set()
        self._is_blocked = False  # by the broker, which is short of memory or disk space

    @property
    def confirmed(self) -> int:
        """How many messages the broker has accepted."""
        return self.sent - self.refused - len(self._unconfirmed)

    def open(self, timeout: float | None = None) -> None:
        """Connect.

        Args:
            timeout: The longest wait in seconds; None for that of each step.

        Raises:
            UsageError: If the broker is on another machine.
            ConnectionFailed: If it cannot be reached.
            Refused: If it refuses the login or the vhost.
            TlsError: If its certificate cannot be trusted.
        """
        with self._explain_failures():
            remote = is_remote(self._broker)
        if remote:
            raise UsageError(
                f"{self._broker} is on another machine; simulated messages go only to a broker "
                "on this one, such as amqp://localhost"
            )
        super().open(timeout)
        with self._explain_failures():
            self._channel.confirm_select()
        # Otherwise py-amqp reads before each message, with a socket that does not block,
        # and may leave half a frame behind.
        self._connection.client_properties.get("capabilities", {}).pop("connection.blocked", None)
        self._connection.on_blocked = self._on_blocked
        self._connection.on_unblocked = self._on_unblocked
        self._channel.events["basic_ack"].add(self._on_confirm)
        self._channel.events["basic_nack"].add(self._on_refuse)

    def ensure_exchanges(self, exchanges: Iterable[str]) -> None:
        """Declare exchanges as Taskcluster does, where they are missing.

        Raises:
            Refused: If that is not permitted, or one exists with other settings.
            ConnectionFailed: If the connection is lost.
        """
        for exchange in exchanges:
            with self._explain_failures():
                try:
                    self._channel.exchange_declare(
                        exchange, "topic", durable=True, auto_delete=False
                    )
                except PreconditionFailed as error:
                    raise Refused(
                        f"{exchange} exists on {self._broker.name} with other settings than "
                        f"Taskcluster's: {error.reply_text}; delete it there, or use another vhost"
                    ) from error

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish; the last messages may be unconfirmed when it returns.

        While the broker accepts no messages, this waits, until the `WakeUp` is
        triggered: then the rest is not published.

        Raises:
            Refused: If that is not permitted.
            ConnectionFailed: If the connection is lost, or confirmations stop.
        """
        for delivery in deliveries:
            if len(self._unconfirmed) >= WINDOW:
                self.await_confirms(WINDOW // 2)
            self._await_writable()
            if self._wake_up.is_triggered:
                return
            message = self._channel.prepare_message(
                delivery.body,
                content_type="application/json",
                content_encoding="utf-8",
                headers={"CC": list(delivery.cc)} if delivery.cc else {},
                properties={"delivery_mode": _PERSISTENT},
            )
            self.sent += 1
            self._unconfirmed.add(self.sent)
            try:
                # A message that is larger than the free part of the socket's buffer blocks.
                with signal_handler.immediate():
                    self._channel.basic_publish(message, delivery.exchange, delivery.routing_key)
            except CONNECTION_ERRORS as error:
                raise self._explain_publish_failure(error) from error

    def await_confirms(self, max_unconfirmed: int = 0) -> None:
        """Wait until the broker has confirmed or refused the published messages.

        The time without a confirmation does not count while the broker says that it
        accepts no messages; then the `WakeUp` ends the wait.

        Args:
            max_unconfirmed: How many messages may remain unconfirmed.

        Raises:
            Refused: If publishing was not permitted.
            ConnectionFailed: If the connection is lost, or confirmations stop.
        """
        before = len(self._unconfirmed)
        end = time.monotonic() + self.confirm_timeout
        while len(self._unconfirmed) > max_unconfirmed:
            self._read_confirms(min(_HEARTBEAT_INTERVAL, max(0.0, end - time.monotonic())))
            is_blocked = self._is_blocked and not self._wake_up.is_triggered
            if len(self._unconfirmed) < before or is_blocked:
                before = len(self._unconfirmed)
                end = time.monotonic() + self.confirm_timeout
            elif time.monotonic() >= end:
                raise ConnectionFailed(
                    f"{self._broker} confirmed nothing for {self.confirm_timeout:g} s, perhaps "
                    "because it is short of memory or disk space"
                )

    def idle(self, seconds: float) -> None:
        """Keep the connection alive for a time, or until the `WakeUp` is triggered.

        Raises:
            Refused: As for `await_confirms`.
            ConnectionFailed: If the connection is lost.
        """
        end = time.monotonic() + seconds
        while not self._wake_up.is_triggered and (left := end - time.monotonic()) > 0:
            self._read_confirms(min(_HEARTBEAT_INTERVAL, left))

    def _await_writable(self) -> None:
        # A broker that is short of memory stops reading, and says so. A write would wait
        # for it, and neither confirmations nor heartbeats would be read.
        self._read_confirms(0)
        while not self._wake_up.is_triggered and (self._is_blocked or not is_writable(self._sock)):
            self._read_confirms(_BLOCKED_INTERVAL)

    def _read_confirms(self, seconds: float) -> None:
        try:
            self.drain(seconds)
            self.check_heartbeat()
        except ConnectionFailed as error:
            raise self._explain_publish_failure(error.__cause__ or error) from error

    def _explain_publish_failure(self, error: BaseException) -> TcsniffError:
        if isinstance(error, AccessRefused | NotFound):  # closes the channel only
            return explain_failure(error, self._broker)
        return explain_lost_connection(error, self._broker)

    def _on_blocked(self, _reason: str) -> None:
        # The reason that the broker gave does not get through py-amqp.
        if not self._is_blocked:
            self._is_blocked = True
            self._notify(
                f"{self._broker.name} accepts no messages, because it is short of memory or "
                "disk space; waiting"
            )

    def _on_unblocked(self) -> None:
        self._is_blocked = False
        self._notify(f"{self._broker.name} accepts messages again")

    def _on_confirm(self, tag: int, multiple: bool) -> None:
        # In any order: messages that go to disk are confirmed later.
        if multiple:
            self._unconfirmed = {later for later in self._unconfirmed if later > tag}
        else:
            self._unconfirmed.discard(tag)

    def _on_refuse(self, tag: int, multiple: bool) -> None:
        before = len(self._unconfirmed)
        self._on_confirm(tag, multiple)
        self.refused += before - len(self._unconfirmed)
