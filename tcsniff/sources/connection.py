"""The connection to a broker, through kombu.

Nothing of kombu and py-amqp leaves this package, and every failure of theirs
becomes one of `tcsniff.errors`. It asks for no more than Pulse permits: queues named
``queue/<user>/...``, and binding them to exchanges that exist; exchanges are
never declared.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple

from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    ConsumerCancelled,
    NotAllowed,
    NotFound,
    PreconditionFailed,
)
from kombu.connection import Connection as KombuConnection
from kombu.exceptions import KombuError

from tcsniff import __version__
from tcsniff.errors import (
    ConnectionFailed,
    Refused,
    TcsniffError,
    TlsError,
    UsageError,
    suggest,
)
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import BY_ADDRESS
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import Broker
from tcsniff.sources.frames import UNFIT, FrameReader, Receiver, can_read_frames, frame_handler
from tcsniff.sources.wakeup import WakeUp

READING = 0.25  # seconds for the rest of a frame whose beginning is there
CLOSING = 2  # seconds for a goodbye
HEARTBEAT = 30  # seconds; either side gives up after two without a sign of life

_NAME = f"tcsniff-{__version__}-{socket.gethostname()}-{os.getpid()}"

# Both warn through logging's last resort, on the person's terminal, about
# what is told here anyway.
for _library in ("amqp", "kombu"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

MAX_KEY_BYTES = 16 << 20  # of a body that is wanted, unless told otherwise


class QueueSpec(NamedTuple):
    """A queue as we want it.

    Attributes:
        name: Its full name.
        kept: Whether it outlives the connection, and may be shared; else it is
            ours alone and goes with it.
        arguments: For the broker, such as ``x-expires``.
    """

    name: str
    kept: bool = False
    arguments: Mapping[str, int | str] = MappingProxyType({})


class Connection:
    """A connection to a broker, with one channel to consume on.

    For one thread at a time.
    """

    def __init__(
        self,
        broker: Broker,
        alarm: WakeUp | None = None,
        *,
        receiver: Receiver | None = None,
        most: int = MAX_KEY_BYTES,
        notify: Callable[[str], object] = str,
        in_memory: bool = False,
        in_bulk: bool = True,
    ) -> None:
        """Nothing is connected yet.

        Args:
            broker: Where to connect.
            alarm: Ends a wait in `drain`.
            receiver: Is given what is delivered, by `drain`.
            most: The largest body that is wanted, in bytes; of larger ones only
                the size is handed over.
            notify: Takes what a person should know.
            in_memory: Whether to use kombu's own broker inside this process
                instead.
            in_bulk: Whether to read past py-amqp where that can be.
        """
        self._broker = broker
        self._receiver = receiver or Receiver()
        self._most = most
        self._notify = notify
        self._in_memory = in_memory
        self._in_bulk = in_bulk
        frames = frame_handler(self._receiver, most) if in_bulk else None
        self._has_handler = frames is not None
        self._transport: Any = _connection(broker, frames, in_memory=in_memory).transport
        self._connection: Any = None
        self._channel: Any = None
        self._sock: Any = None
        self._bulk: FrameReader | None = None
        self._made: list[str] = []
        self._alarm = alarm or WakeUp()

    def open(self) -> None:
        """Connect.

        Raises:
            UsageError: If the password would go to another machine in the open.
            ConnectionFailed: If the broker cannot be reached.
            Refused: If it refuses the login or the vhost.
            TlsError: If its certificate is not to be trusted.
        """
        try:
            if not self._in_memory:
                _refuse_in_the_open(self._broker)
            self._connection = self._transport.establish_connection()
            self._sock = getattr(self._connection, "sock", None)  # none in memory
            self._limit(CONNECTING)
            self._channel = self._transport.create_channel(self._connection)
        except CONNECTION_ERRORS as error:
            raise explain_failure(error, self._broker) from error
        self._channel.auto_decode = False
        if self._in_bulk and self._sock is not None:
            if self._has_handler and can_read_frames(self._connection):
                self._bulk = FrameReader(self._connection, self._receiver, self._most)
            else:
                self._notify(UNFIT)

    def declare(self, queue: QueueSpec) -> int:
        """Have a queue.

        Returns:
            How many messages wait in it.

        Raises:
            Refused: If the broker permits no such queue, or has one of that
                name that is otherwise.
            ConnectionFailed: If the connection is lost.
        """
        try:
            declared = self._channel.queue_declare(
                queue.name,
                durable=queue.kept,
                exclusive=not queue.kept,
                auto_delete=not queue.kept,
                arguments=dict(queue.arguments) or None,
            )
        except CONNECTION_ERRORS as error:
            raise explain_failure(error, self._broker) from error
        return int(declared.message_count)

    def waiting(self, queue: str) -> int | None:
        """Tell how many messages wait in a queue; None if there is none of that name.

        Raises:
            ConnectionFailed: If the connection is lost.
        """
        try:
            channel = self._transport.create_channel(self._connection)
            declared = channel.queue_declare(queue, passive=True)
            channel.close()
        except NotFound:
            return None
        except CONNECTION_ERRORS as error:
            raise explain_failure(error, self._broker) from error
        return int(declared.message_count)

    def discard(self, queue: str) -> None:
        """Delete a queue that is of no more use; no failure in that changes anything."""
        if self._channel is None or self._connection is None:
            return
        with suppress(*CONNECTION_ERRORS, AttributeError):  # py-amqp, when half closed
            self._channel.queue_delete(queue)

    def delete(self, queue: str) -> int:
        """Delete a queue.

        Returns:
            How many messages were in it.

        Raises:
            Refused: If that is not permitted.
            ConnectionFailed: If the connection is lost.
        """
        try:
            return int(self._channel.queue_delete(queue) or 0)
        except CONNECTION_ERRORS as error:
            raise explain_failure(error, self._broker) from error

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
        except CONNECTION_ERRORS as error:
            raise explain_failure(error, self._broker) from error

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
        except CONNECTION_ERRORS as error:
            raise explain_failure(error, self._broker) from error
        return True

    def consume(self, queue: str, *, prefetch: int, auto_ack: bool) -> None:
        """Have the messages of a queue delivered.

        Args:
            queue: Its name.
            prefetch: How many may be ahead of their acknowledgement.
            auto_ack: Whether none is acknowledged.

        Raises:
            Refused: If that is not permitted.
            ConnectionFailed: If the connection is lost.
        """
        try:
            self._channel.basic_qos(0, prefetch, False)
            self._channel.basic_consume(
                queue, consumer_tag=_NAME, no_ack=auto_ack, callback=self._take
            )
        except CONNECTION_ERRORS as error:
            raise explain_failure(error, self._broker) from error

    def drain(self, seconds: float) -> bool:
        """Take in one message, or another word of the broker.

        Args:
            seconds: How long to wait for it; the alarm cuts that short.

        Returns:
            Whether anything came.

        Raises:
            ConnectionFailed: If the connection is lost.
        """
        # py-amqp loses the head of a half-read frame if its socket does not
        # block: so wait here, and read only what is there.
        if self._sock is not None:
            if not self._readable(seconds):
                return False
            seconds = READING
        try:
            if self._bulk is not None:
                return self._bulk.take()
            self._transport.drain_events(self._connection, timeout=seconds)
        except TimeoutError:
            return False
        except CONNECTION_ERRORS as error:
            raise is_connection_lost(error, self._broker) from error
        return True

    def acknowledge(self, tag: int) -> None:
        """Acknowledge all messages up to a delivery tag.

        Raises:
            ConnectionFailed: If the connection is lost.
        """
        try:
            self._channel.basic_ack(tag, multiple=True)
        except CONNECTION_ERRORS as error:
            raise is_connection_lost(error, self._broker) from error

    def check(self) -> None:
        """Send a heartbeat if one is due, and see that the broker's are not overdue.

        Call it after what was there has been drained: it counts what was read.

        Raises:
            ConnectionFailed: If they are.
        """
        try:
            self._transport.heartbeat_check(self._connection)
        except CONNECTION_ERRORS as error:
            raise is_connection_lost(error, self._broker) from error

    def beat(self) -> None:
        """Send a heartbeat while nobody drains; that the line is dead shows later."""
        if self._sock is not None and self._connection is not None:
            with suppress(*CONNECTION_ERRORS):
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
        except (*CONNECTION_ERRORS, ValueError, AttributeError):  # py-amqp, when half closed
            connection.collect()

    def _take(self, message: Any) -> None:
        # As kombu and py-amqp have decoded it: in memory, and where nothing else fits.
        delivery = _delivery(message, self._receiver.stamp())
        if (size := len(delivery.body)) > self._most:
            self._receiver.pass_over(message.delivery_tag, delivery._replace(body=b""), size)
        else:
            self._receiver.take([message.delivery_tag], [delivery])

    def _readable(self, seconds: float) -> bool:
        # TLS may have read further than was asked for.
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        try:
            return self._alarm.wait(seconds, self._sock)
        except (OSError, ValueError) as error:  # closed under us
            raise is_connection_lost(error, self._broker) from error

    def _limit(self, seconds: float) -> None:
        if self._sock is not None:
            self._sock.settimeout(seconds)


def _connection(broker: Broker, frames: Any, *, in_memory: bool) -> KombuConnection:
    if in_memory:
        return KombuConnection(transport="memory", transport_options={"polling_interval": 0.01})
    properties = {"product": "tcsniff", "version": __version__, "connection_name": _NAME}
    options: dict[str, Any] = {"client_properties": properties}
    if frames is not None:
        options["frame_handler"] = frames
    return KombuConnection(
        hostname=broker.host,
        port=broker.port,
        userid=broker.user,
        password=broker.password,
        virtual_host=broker.vhost,
        ssl=_tls(broker) if broker.tls else False,
        login_method="PLAIN" if broker.password else "EXTERNAL",
        transport="pyamqp",
        heartbeat=HEARTBEAT,
        connect_timeout=CONNECTING,
        transport_options=options,
    )


def _refuse_in_the_open(broker: Broker) -> None:
    if broker.tls or broker.plaintext or not broker.password:
        return
    if is_elsewhere(broker):
        raise UsageError(
            f"{broker} would send the password unencrypted to another machine; amqps:// "
            "encrypts, --plaintext sends it all the same"
        )


def is_elsewhere(broker: Broker) -> bool:
    """Tell whether a broker's name leads to any machine but this one.

    Raises:
        OSError: If it leads nowhere.
    """
    found = socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)
    addresses = {str(address[0]).partition("%")[0] for *_, address in found}
    return not all(ipaddress.ip_address(address).is_loopback for address in addresses)


def _tls(broker: Broker) -> dict[str, Any]:
    files = {"ca_certs": broker.ca, "certfile": broker.cert, "keyfile": broker.key}
    if broker.insecure:
        return {**files, "cert_reqs": ssl.CERT_NONE}
    # The host name is checked only when py-amqp is told which to expect.
    return {**files, "server_hostname": broker.host}


def _delivery(message: Any, received: str | None) -> Delivery:
    where, headers = message.delivery_info, message.headers or {}
    keys = headers.get("CC")
    cc = tuple(key for key in keys if isinstance(key, str)) if isinstance(keys, list) else ()
    body = message.body
    return Delivery(
        where["exchange"],
        where["routing_key"],
        body.encode() if isinstance(body, str) else bytes(body),
        cc,
        bool(where.get("redelivered")),
        received,
    )


CONNECTION_ERRORS = (OSError, AMQPError, KombuError)
"""All that the two may raise."""

CONNECTING = 10  # seconds for the broker to answer, at each step of connecting


class NoExchange(Refused):
    """The broker has no exchange of that name."""


def is_connection_lost(error: BaseException, broker: Broker) -> TcsniffError:
    """Tell of a failure after the connection stood."""
    if isinstance(error, ConsumerCancelled):
        return ConnectionFailed(
            f"{broker.name} deleted our queue, as PulseGuardian does when one grows too long"
        )
    return ConnectionFailed(f"connection to {broker} lost: {_text(error)}")


def explain_failure(error: BaseException, broker: Broker) -> TcsniffError:
    """Tell of a failure while connecting, or of something that was refused."""
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
        near = suggest(found[1], BY_ADDRESS) if found[1] not in BY_ADDRESS else ""
        return NoExchange(f"{broker.name} has no exchange {found[1]!r}{near}")
    if isinstance(error, NotAllowed) and "is down" in text:  # a broker that is starting
        return ConnectionFailed(f"no connection to {broker}: {text}")
    if isinstance(error, AccessRefused) and "Login" in text:
        text = "login; check PULSE_USERNAME and PULSE_PASSWORD"
    elif isinstance(error, NotAllowed):
        text = f"vhost {broker.vhost!r}: {text}"
    elif isinstance(error, PreconditionFailed):
        text = f"our queue, which is there otherwise: {text}; --delete-queue is rid of it"
    elif not isinstance(error, AccessRefused | NotFound):
        return ConnectionFailed(f"no connection to {broker}: {text}")
    return Refused(f"{broker.name} refused user {broker.user!r}: {text}")


def _text(error: BaseException) -> str:
    said = error.reply_text if isinstance(error, AMQPError) else None
    return str(said or error or type(error).__name__)
