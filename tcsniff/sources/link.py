"""The connection to a broker, through kombu.

The one door to kombu and py-amqp: nothing of theirs leaves it, and every
failure becomes one of `tcsniff.errors`, with the address and without the
password. It asks for no more than Pulse permits: queues named
``queue/<user>/...``, and binding them to exchanges that exist; exchanges are
never declared.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    ConsumerCancelled,
    NotAllowed,
    NotFound,
    PreconditionFailed,
)
from kombu.connection import Connection
from kombu.exceptions import KombuError

from tcsniff import __version__
from tcsniff.bindings import Binding
from tcsniff.config import Broker
from tcsniff.deliveries import Delivery
from tcsniff.errors import ConnectionFailed, Refused, TcsniffError, TlsError, suggestion
from tcsniff.exchanges import BY_ADDRESS
from tcsniff.sources.alarm import Alarm

CONNECTING = 10  # seconds for the broker to answer, at each step of connecting
READING = 0.25  # seconds for the rest of a frame whose beginning is there
CLOSING = 2  # seconds for a goodbye
HEARTBEAT = 30  # seconds; either side gives up after two without a sign of life

_FAILURES = (OSError, AMQPError, KombuError)
_NAME = f"tcsniff-{__version__}-{socket.gethostname()}-{os.getpid()}"

# Both warn through logging's last resort, on the person's terminal, about
# what is told here anyway.
for _library in ("amqp", "kombu"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

Receive = Callable[[Any, Delivery], None]
"""Takes a delivery, behind its delivery tag; when it was received is not yet filled in."""


class NoExchange(Refused):
    """The broker has no exchange of that name."""


class Link:
    """A connection to a broker, with one channel to consume on.

    For one thread at a time; `wake` may be called from any.
    """

    def __init__(self, broker: Broker, *, in_memory: bool = False) -> None:
        """Nothing is connected yet.

        Args:
            broker: Where to connect.
            in_memory: Whether to use kombu's own broker inside this process
                instead.
        """
        self._broker = broker
        self._in_memory = in_memory
        self._transport: Any = _connection(broker, in_memory=in_memory).transport
        self._connection: Any = None
        self._channel: Any = None
        self._sock: Any = None
        self._made: list[str] = []
        self._alarm = Alarm()

    def open(self) -> None:
        """Connect.

        Raises:
            ConnectionFailed: If the broker cannot be reached.
            Refused: If it refuses the login or the vhost.
            TlsError: If its certificate is not to be trusted.
        """
        try:
            self._connection = self._transport.establish_connection()
            self._sock = getattr(self._connection, "sock", None)  # none in memory
            self._limit(CONNECTING)
            self._channel = self._transport.create_channel(self._connection)
        except _FAILURES as error:
            raise _explained(error, self._broker) from error
        self._channel.auto_decode = False

    def declare(self, queue: str, *, named: bool) -> None:
        """Have a queue.

        Args:
            queue: Its name.
            named: Whether it is kept and shared; else it is ours alone and goes
                with the connection.

        Raises:
            Refused: If the broker permits no such queue, or has one of that
                name that is otherwise.
            ConnectionFailed: If the connection is lost.
        """
        try:
            self._channel.queue_declare(
                queue, durable=named, exclusive=not named, auto_delete=not named
            )
        except _FAILURES as error:
            raise _explained(error, self._broker) from error

    def bind(self, queue: str, bindings: Iterable[Binding]) -> None:
        """Make bindings.

        Raises:
            NoExchange: If one is to an exchange that is not there.
            Refused: If one is not permitted.
            ConnectionFailed: If the connection is lost.
        """
        try:
            # On a channel of their own, which a refusal closes. Without waiting for
            # each answer: the declaration at the end waits for all of them.
            channel = self._transport.create_channel(self._connection)
            for exchange, pattern in bindings:
                channel.queue_bind(queue, exchange, pattern, nowait=True)
            channel.queue_declare(queue, passive=True)
            channel.close()
        except _FAILURES as error:
            raise _explained(error, self._broker) from error

    def has(self, exchange: str) -> bool:
        """Tell whether the broker has an exchange.

        Raises:
            ConnectionFailed: If the connection is lost.
        """
        try:
            channel = self._transport.create_channel(self._connection)
            channel.exchange_declare(exchange, "topic", passive=True)
            channel.close()
        except NotFound:
            return False
        except _FAILURES as error:
            raise _explained(error, self._broker) from error
        return True

    def consume(self, queue: str, receive: Receive, *, prefetch: int, auto_ack: bool) -> None:
        """Have the messages of a queue delivered.

        Args:
            queue: Its name.
            receive: What to call with each, from `drain`.
            prefetch: How many may be ahead of their acknowledgement.
            auto_ack: Whether none is acknowledged.

        Raises:
            Refused: If that is not permitted.
            ConnectionFailed: If the connection is lost.
        """

        def received(raw: Any) -> None:
            message = self._channel.message_to_python(raw)
            receive(message.delivery_tag, _delivery(message))

        try:
            self._channel.basic_qos(0, prefetch, False)
            self._channel.basic_consume(
                queue, consumer_tag=_NAME, no_ack=auto_ack, callback=received
            )
        except _FAILURES as error:
            raise _explained(error, self._broker) from error

    def drain(self, seconds: float) -> bool:
        """Take in one message, or another word of the broker.

        Args:
            seconds: How long to wait for it; `wake` cuts that short.

        Returns:
            Whether anything came.

        Raises:
            ConnectionFailed: If the connection is lost.
        """
        # py-amqp loses the head of a half-read frame if its socket does not
        # block: so wait here, and let it read only what is there.
        if self._sock is not None:
            if not self._readable(seconds):
                return False
            seconds = READING
        try:
            self._transport.drain_events(self._connection, timeout=seconds)
        except TimeoutError:
            return False
        except _FAILURES as error:
            raise _lost(error, self._broker) from error
        return True

    def wake(self) -> None:
        """End a wait in `drain`, now or the next one; also from a signal handler."""
        self._alarm.ring()

    def acknowledge(self, tag: int) -> None:
        """Acknowledge all messages up to a delivery tag.

        Raises:
            ConnectionFailed: If the connection is lost.
        """
        try:
            self._channel.basic_ack(tag, multiple=True)
        except _FAILURES as error:
            raise _lost(error, self._broker) from error

    def check(self) -> None:
        """Send a heartbeat if one is due, and see that the broker's are not overdue.

        Call it after what was there has been drained: it counts what was read.

        Raises:
            ConnectionFailed: If they are.
        """
        try:
            self._transport.heartbeat_check(self._connection)
        except _FAILURES as error:
            raise _lost(error, self._broker) from error

    def beat(self) -> None:
        """Send a heartbeat while nobody drains; that the line is dead shows later."""
        if self._sock is not None:
            with suppress(*_FAILURES):
                self._connection.send_heartbeat()

    def make(self, exchanges: Iterable[str]) -> None:
        """Declare topic exchanges; in memory only."""
        self._made = list(exchanges)
        for exchange in self._made:
            self._channel.exchange_declare(exchange, "topic")

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish as Taskcluster does; in memory only."""
        for delivery in deliveries:
            message = self._channel.prepare_message(
                delivery.body,
                content_type="application/json",
                headers={"CC": list(delivery.cc)},
            )
            self._channel.basic_publish(message, delivery.exchange, delivery.routing_key)

    def close(self) -> None:
        """Say goodbye; no failure in that changes anything.

        Without its connection the broker deletes an exclusive queue.
        """
        connection, self._connection = self._connection, None
        if connection is None:
            return
        for exchange in self._made:  # in memory they belong to the process
            self._channel.exchange_delete(exchange)
        try:
            self._limit(CLOSING)
            self._transport.close_connection(connection)
        except (*_FAILURES, ValueError, AttributeError):  # py-amqp, when half closed
            connection.collect()

    def _readable(self, seconds: float) -> bool:
        # TLS may have read further than was asked for.
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        try:
            return self._alarm.wait(seconds, self._sock)
        except (OSError, ValueError) as error:  # closed under us
            raise _lost(error, self._broker) from error

    def _limit(self, seconds: float) -> None:
        if self._sock is not None:
            self._sock.settimeout(seconds)


def _connection(broker: Broker, *, in_memory: bool) -> Connection:
    if in_memory:
        return Connection(transport="memory", transport_options={"polling_interval": 0.01})
    # The host name is checked only when py-amqp is told which to expect.
    tls = {"server_hostname": broker.host} if broker.tls else False
    properties = {"product": "tcsniff", "version": __version__, "connection_name": _NAME}
    return Connection(
        hostname=broker.host,
        port=broker.port,
        userid=broker.user,
        password=broker.password,
        virtual_host=broker.vhost,
        ssl=tls,
        transport="pyamqp",
        heartbeat=HEARTBEAT,
        connect_timeout=CONNECTING,
        transport_options={"client_properties": properties},
    )


def _delivery(message: Any) -> Delivery:
    where = message.delivery_info
    body = message.body
    return Delivery(
        where["exchange"],
        where["routing_key"],
        body if isinstance(body, bytes) else (body or "").encode(),
        _cc(message.headers.get("CC")),
        bool(where.get("redelivered")),
    )


def _cc(header: object) -> tuple[str, ...]:
    # Anybody may send a header of that name in any form; RabbitMQ takes a list.
    if not isinstance(header, (list, tuple)):
        return ()
    return tuple(key for key in header if isinstance(key, str))


def _lost(error: BaseException, broker: Broker) -> TcsniffError:
    if isinstance(error, ConsumerCancelled):
        return ConnectionFailed(f"{broker.name} ended our subscription: the queue was deleted")
    return ConnectionFailed(f"connection to {broker} lost: {_text(error)}")


def _explained(error: BaseException, broker: Broker) -> TcsniffError:
    if isinstance(error, AMQPError):
        return _refused(error, broker)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(f"the certificate of {broker} cannot be trusted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return TlsError(f"no TLS at {broker}: {error.reason}; amqp:// speaks without")
    for kind, text in _UNREACHABLE.items():
        if isinstance(error, kind):
            return ConnectionFailed(text.format(broker=broker))
    return ConnectionFailed(f"no connection to {broker}: {_text(error)}")


_UNREACHABLE = {
    socket.gaierror: "no host {broker.host!r}; check the name and the network",
    TimeoutError: f"{{broker}} did not answer within {CONNECTING} s",
    ConnectionRefusedError: "nothing listens at {broker}; check host and port",
}


def _refused(error: AMQPError, broker: Broker) -> TcsniffError:
    text = _text(error)
    if isinstance(error, NotFound) and (found := re.search("no exchange '(.*?)'", text)):
        near = suggestion(found[1], BY_ADDRESS) if found[1] not in BY_ADDRESS else ""
        return NoExchange(f"{broker.name} has no exchange {found[1]!r}{near}")
    if isinstance(error, AccessRefused) and "Login" in text:
        return Refused(
            f"{broker.name} refused user {broker.user!r}; check PULSE_USERNAME and PULSE_PASSWORD"
        )
    if isinstance(error, NotAllowed):
        return Refused(f"{broker.name} refused vhost {broker.vhost!r} to {broker.user!r}: {text}")
    if isinstance(error, AccessRefused | NotFound | PreconditionFailed):
        return Refused(f"{broker.name} refused {broker.user!r}: {text}")
    return ConnectionFailed(f"no connection to {broker}: {text}")


def _text(error: BaseException) -> str:
    said = error.reply_text if isinstance(error, AMQPError) else None
    return str(said or error or type(error).__name__)
