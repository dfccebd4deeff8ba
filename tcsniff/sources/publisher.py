"""Publishing simulated messages as Taskcluster does: on a broker of this machine only."""

from __future__ import annotations

import time
from collections.abc import Iterable

from amqp.exceptions import AccessRefused, NotFound, PreconditionFailed

from tcsniff.errors import ConnectionFailed, Refused, TcsniffError, UsageError
from tcsniff.pulse.deliveries import Delivery
from tcsniff.settings.brokers import Broker
from tcsniff.sources.connection import Connection, is_remote
from tcsniff.sources.failures import (
    CONNECTION_ERRORS,
    explain_failure,
    explain_lost_connection,
)
from tcsniff.sources.wakeup import WakeUp

WINDOW = 1000  # published messages that the broker has not confirmed
CONFIRM_TIMEOUT = 30.0  # seconds without a confirmation
_HEARTBEAT_INTERVAL = 5.0  # seconds between two checks
_PERSISTENT = 2  # AMQP 0-9-1, section 3.1: kept on disk by durable queues


class Publisher(Connection):
    """A connection to publish on.

    Attributes:
        sent: How many messages were published.
        refused: How many of them the broker refused, as for a queue that is full.
        confirm_timeout: Seconds without a confirmation after which the
            connection has failed.
    """

    def __init__(self, broker: Broker, wake_up: WakeUp) -> None:
        """Create a publisher; `open` connects it.

        Args:
            broker: Where to connect.
            wake_up: Ends a wait in `idle`.
        """
        super().__init__(broker, wake_up)
        self.sent = self.refused = 0
        self.confirm_timeout = CONFIRM_TIMEOUT
        self._unconfirmed: set[int] = set()

    @property
    def confirmed(self) -> int:
        """How many messages the broker has accepted."""
        return self.sent - self.refused - len(self._unconfirmed)

    def open(self) -> None:
        """Connect.

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
        super().open()
        with self._explain_failures():
            self._channel.confirm_select()
        # Otherwise py-amqp reads before each message, with a socket that does not block,
        # and may leave half a frame behind.
        self._connection.client_properties.get("capabilities", {}).pop("connection.blocked", None)
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

        Raises:
            Refused: If that is not permitted.
            ConnectionFailed: If the connection is lost, or confirmations stop.
        """
        for delivery in deliveries:
            if len(self._unconfirmed) >= WINDOW:
                self.await_confirms(WINDOW // 2)
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
                self._channel.basic_publish(message, delivery.exchange, delivery.routing_key)
            except CONNECTION_ERRORS as error:
                raise self._explain_publish_failure(error) from error

    def await_confirms(self, max_unconfirmed: int = 0) -> None:
        """Wait until the broker has confirmed or refused the published messages.

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
            if len(self._unconfirmed) < before:
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
