"""Publishing made-up messages as Taskcluster does: on a broker of this machine, and no other."""

from __future__ import annotations

import time
from collections.abc import Iterable

from amqp.exceptions import AccessRefused, NotFound, PreconditionFailed

from tcsniff.errors import ConnectionFailed, Refused, TcsniffError, UsageError
from tcsniff.pulse.deliveries import Delivery
from tcsniff.settings.brokers import Broker
from tcsniff.sources.connection import (
    CONNECTION_ERRORS,
    Connection,
    explain_failure,
    is_connection_lost,
    is_elsewhere,
)
from tcsniff.sources.wakeup import WakeUp

WINDOW = 1000  # messages on their way that the broker has not confirmed
CONFIRMING = 30.0  # seconds in which it confirms something, or is taken for lost
_LOOK = 5.0  # seconds between two looks at the heartbeat
_PERSISTENT = 2  # AMQP 0-9-1, section 3.1: kept on disk by queues that are


class Publisher(Connection):
    """A connection to publish on.

    Attributes:
        sent: How many messages were published.
        refused: How many of them the broker would not take, as for a queue that
            is full.
        patience: Seconds in which the broker confirms something, or is taken
            for lost.
    """

    def __init__(self, broker: Broker, alarm: WakeUp) -> None:
        """Nothing is connected yet.

        Args:
            broker: Where to connect.
            alarm: Ends a wait in `rest`.
        """
        super().__init__(broker, alarm)
        self.sent = self.refused = 0
        self.patience = CONFIRMING
        self._unconfirmed: set[int] = set()

    @property
    def confirmed(self) -> int:
        """How many messages the broker has answered for."""
        return self.sent - self.refused - len(self._unconfirmed)

    def open(self) -> None:
        """Connect.

        Raises:
            UsageError: If the broker is on another machine.
            ConnectionFailed: If it cannot be reached.
            Refused: If it refuses the login or the vhost.
            TlsError: If its certificate is not to be trusted.
        """
        try:
            elsewhere = is_elsewhere(self._broker)
        except OSError as error:
            raise explain_failure(error, self._broker) from error
        if elsewhere:
            raise UsageError(
                f"{self._broker} is on another machine; made-up messages go only to a broker on "
                "this one, such as amqp://localhost"
            )
        super().open()
        try:
            self._channel.confirm_select()
        except CONNECTION_ERRORS as error:
            raise explain_failure(error, self._broker) from error
        # Else py-amqp reads before each message, with a socket that does not block,
        # and may leave half a frame behind.
        self._connection.client_properties.get("capabilities", {}).pop("connection.blocked", None)
        self._channel.events["basic_ack"].add(self._confirm)
        self._channel.events["basic_nack"].add(self._refuse)

    def provide(self, exchanges: Iterable[str]) -> None:
        """Declare exchanges as Taskcluster does, where they are missing.

        Raises:
            Refused: If that is not permitted, or there is one that is otherwise.
            ConnectionFailed: If the connection is lost.
        """
        for exchange in exchanges:
            try:
                self._channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
            except PreconditionFailed as error:
                raise Refused(
                    f"{self._broker.name} has {exchange} otherwise than Taskcluster: "
                    f"{error.reply_text}; delete it there, or use another vhost"
                ) from error
            except CONNECTION_ERRORS as error:
                raise explain_failure(error, self._broker) from error

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish; when it returns, the last messages may be on their way still.

        Raises:
            Refused: If that is not permitted.
            ConnectionFailed: If the connection is lost, or the broker confirms
                nothing any more.
        """
        for delivery in deliveries:
            if len(self._unconfirmed) >= WINDOW:
                self.settle(WINDOW // 2)
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
                raise self._told(error) from error

    def settle(self, most: int = 0) -> None:
        """Wait until the broker has answered for what was published.

        Args:
            most: How many messages may be on their way still.

        Raises:
            Refused: If publishing was not permitted after all.
            ConnectionFailed: If the connection is lost, or no answer comes.
        """
        known = len(self._unconfirmed)
        end = time.monotonic() + self.patience
        while len(self._unconfirmed) > most:
            self._listen(min(_LOOK, max(0.0, end - time.monotonic())))
            if len(self._unconfirmed) < known:
                known = len(self._unconfirmed)
                end = time.monotonic() + self.patience
            elif time.monotonic() >= end:
                raise ConnectionFailed(
                    f"{self._broker} confirmed nothing for {self.patience:g} s, as one that is "
                    "short of memory or disk"
                )

    def rest(self, seconds: float) -> None:
        """Keep the connection alive, until the time is over or the alarm rings.

        Raises:
            Refused: As for `settle`.
            ConnectionFailed: If the connection is lost.
        """
        end = time.monotonic() + seconds
        while not self._alarm.rung and (left := end - time.monotonic()) > 0:
            self._listen(min(_LOOK, left))

    def _listen(self, seconds: float) -> None:
        try:
            self.drain(seconds)
            self.check()
        except ConnectionFailed as error:
            raise self._told(error.__cause__ or error) from error

    def _told(self, error: BaseException) -> TcsniffError:
        if isinstance(error, AccessRefused | NotFound):  # of the channel, not the connection
            return explain_failure(error, self._broker)
        return is_connection_lost(error, self._broker)

    def _confirm(self, tag: int, multiple: bool) -> None:
        # In no order: what has to reach the disk is confirmed later.
        if multiple:
            self._unconfirmed = {later for later in self._unconfirmed if later > tag}
        else:
            self._unconfirmed.discard(tag)

    def _refuse(self, tag: int, multiple: bool) -> None:
        before = len(self._unconfirmed)
        self._confirm(tag, multiple)
        self.refused += before - len(self._unconfirmed)
