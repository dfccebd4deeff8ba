"""The broker: a temporary queue, bound and consumed through kombu.

The one door to kombu and py-amqp: nothing of theirs leaves it, every failure
becomes one of `tcsniff.errors`, without the password. It asks for no more than
Pulse permits: queues named ``queue/<user>/...``, and binding them to exchanges
that exist; exchanges are never declared.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    ConsumerCancelled,
    NotAllowed,
    NotFound,
)
from kombu.connection import Connection
from kombu.exceptions import KombuError

from tcsniff import __version__
from tcsniff.bindings import Binding
from tcsniff.config import Broker
from tcsniff.deliveries import Delivery
from tcsniff.errors import ConnectionFailed, Refused, TcsniffError, TlsError, suggestion
from tcsniff.exchanges import BY_ADDRESS
from tcsniff.times import stamp

CONNECTING = 10  # seconds for the broker to answer, at each step of connecting
QUIET = 0.25  # seconds without a message after which a batch is empty
CLOSING = 2  # seconds for a goodbye
HEARTBEAT = 30  # seconds; either side gives up after two without a sign of life
PREFETCH = 1000  # messages in our hands and not acknowledged

_FAILURES = (OSError, AMQPError, KombuError)

# Both warn through logging's last resort, on the person's terminal, about
# what is told here anyway.
for _library in ("amqp", "kombu"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


class Listener:
    """A queue of one's own, bound to exchanges and consumed.

    A context manager: connected inside of it, and the temporary queue gone
    after it.

    Attributes:
        queue: The queue's name.
        missing: Exchanges that were left out because the broker has none of
            that name; only of those that were `implied`.
    """

    def __init__(
        self,
        broker: Broker,
        bindings: Sequence[Binding],
        *,
        prefetch: int = PREFETCH,
        auto_ack: bool = False,
        implied: bool = False,
        in_memory: bool = False,
        quiet: float = QUIET,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is connected yet.

        Args:
            broker: Where to connect.
            bindings: What to ask for.
            prefetch: How many messages the broker may send ahead of their
                acknowledgement; bounds the memory.
            auto_ack: Whether the broker forgets a message as soon as it is
                sent: faster, and lost if we do not get to it.
            implied: Whether an exchange that is missing is left out, as long
                as there are others, instead of an error.
            in_memory: Whether to use kombu's own broker inside this process,
                where the exchanges are made first.
            quiet: Seconds without a message after which a batch is empty.
            clock: Tells when messages are received, in seconds since the Unix
                epoch.
        """
        self.queue = f"queue/{broker.user}/tcsniff/{secrets.token_urlsafe(16)}"
        self.missing: list[str] = []
        self._broker = broker
        self._bindings = bindings
        self._exchanges = list(dict.fromkeys(binding.exchange for binding in bindings))
        self._prefetch = prefetch
        self._auto_ack = auto_ack
        self._implied = implied
        self._quiet = quiet
        self._clock = clock
        self._in_memory = in_memory
        self._transport: Any = _connection(broker, in_memory=in_memory).transport
        self._connection: Any = None
        self._sock: Any = None
        self._channel: Any = None
        self._arrived: list[Delivery] = []
        self._last_tag = 0
        self._unsettled = 0
        # Small enough that the broker refills the other half of the prefetch
        # while this one is written.
        self._most = max(1, prefetch // 2)

    def __enter__(self) -> Self:
        """Connect, declare, bind and consume.

        Raises:
            ConnectionFailed: If the broker cannot be reached.
            Refused: If it refuses the login, the vhost, the queue or a binding.
            TlsError: If its certificate is not to be trusted.
        """
        try:
            self._open()
        except _FAILURES as error:
            self._close()
            raise _explained(error, self._broker) from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def batches(self) -> Iterator[Sequence[Delivery]]:
        """Hand out what has arrived, batch by batch.

        Asking for the next batch acknowledges the one before. The first is
        empty: the bindings stand.

        Yields:
            Everything that has arrived, at most half the prefetch; nothing
            when it was quiet for a moment.

        Raises:
            ConnectionFailed: If the connection is lost.
        """
        yield ()
        try:
            while True:
                self.settle(self._unsettled)
                yield self._arrivals()
        except _FAILURES as error:
            raise _lost(error, self._broker) from error

    def settle(self, taken: int) -> None:
        """Acknowledge the first messages of the last batch.

        Args:
            taken: How many; the others go back to the queue in the end.
        """
        if taken and not self._auto_ack:
            self._channel.basic_ack(self._last_tag - self._unsettled + taken, multiple=True)
        self._unsettled = 0

    def _open(self) -> None:
        self._connection = self._transport.establish_connection()
        self._sock = getattr(self._connection, "sock", None)  # none in memory
        self._limit(CONNECTING)
        self._channel = self._transport.create_channel(self._connection)
        self._channel.auto_decode = False
        for exchange in self._exchanges if self._in_memory else ():
            self._channel.exchange_declare(exchange, "topic")
        self._channel.queue_declare(self.queue, exclusive=True, auto_delete=True)
        self._bind()
        self._channel.basic_qos(0, self._prefetch, False)
        self._channel.basic_consume(
            self.queue, consumer_tag=_NAME, no_ack=self._auto_ack, callback=self._receive
        )

    def _bind(self) -> None:
        try:
            self._bind_all(self._bindings)
        except NotFound:
            if not self._implied:
                raise
            self.missing = [name for name in self._exchanges if not self._exists(name)]
            if len(self.missing) in (0, len(self._exchanges)):
                raise
            self._bind_all([one for one in self._bindings if one.exchange not in self.missing])

    def _bind_all(self, bindings: Sequence[Binding]) -> None:
        # On a channel of their own, which a refusal closes. Without waiting for
        # each answer: the declaration at the end waits for all of them.
        channel = self._transport.create_channel(self._connection)
        for exchange, pattern in bindings:
            channel.queue_bind(self.queue, exchange, pattern, nowait=True)
        channel.queue_declare(self.queue, passive=True)
        channel.close()

    def _exists(self, exchange: str) -> bool:
        channel = self._transport.create_channel(self._connection)
        try:
            channel.exchange_declare(exchange, "topic", passive=True)
        except NotFound:
            return False
        channel.close()
        return True

    def _arrivals(self) -> Sequence[Delivery]:
        self._transport.heartbeat_check(self._connection)
        self._drain(self._quiet)
        while len(self._arrived) < self._most and self._drain(0):
            pass
        batch, self._arrived = self._arrived, []
        self._unsettled = len(batch)
        return batch

    def _drain(self, timeout: float) -> bool:
        # py-amqp loses the head of a half-read frame if its socket does not
        # block: so wait here, and let it read only what is there.
        if self._sock is not None:
            if not _readable(self._sock, timeout):
                return False
            timeout = QUIET
        try:
            self._transport.drain_events(self._connection, timeout=timeout)
        except TimeoutError:
            return False
        return True

    def _receive(self, raw: Any) -> None:
        message = self._channel.message_to_python(raw)
        where = message.delivery_info
        body = message.body
        self._last_tag = message.delivery_tag
        self._arrived.append(
            Delivery(
                where["exchange"],
                where["routing_key"],
                body if isinstance(body, bytes) else (body or "").encode(),
                _cc(message.headers.get("CC")),
                bool(where.get("redelivered")),
                stamp(self._clock()),
            )
        )

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish, on the demo's own transport, as Taskcluster does."""
        for delivery in deliveries:
            message = self._channel.prepare_message(
                delivery.body,
                content_type="application/json",
                headers={"CC": list(delivery.cc)},
            )
            self._channel.basic_publish(message, delivery.exchange, delivery.routing_key)

    def _limit(self, seconds: float) -> None:
        if self._sock is not None:
            self._sock.settimeout(seconds)

    def _close(self) -> None:
        # What goes wrong in saying goodbye changes nothing: without its
        # connection the broker deletes an exclusive queue.
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._in_memory:  # whose state belongs to the process
            for exchange in self._exchanges:
                self._channel.exchange_delete(exchange)
        try:
            self._limit(CLOSING)
            self._transport.close_connection(connection)
        except (*_FAILURES, ValueError, AttributeError):  # py-amqp, when half closed
            connection.collect()


_NAME = f"tcsniff-{__version__}-{socket.gethostname()}-{os.getpid()}"


def _connection(broker: Broker, *, in_memory: bool) -> Connection:
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
        transport="memory" if in_memory else "pyamqp",
        heartbeat=HEARTBEAT,
        connect_timeout=CONNECTING,
        transport_options=(
            {"polling_interval": 0.01} if in_memory else {"client_properties": properties}
        ),
    )


def _readable(sock: Any, timeout: float) -> bool:
    # TLS may have read further than was asked for.
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    return bool(select.select([sock], [], [], timeout)[0])


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
        return Refused(f"{broker.name} has no exchange {found[1]!r}{near}")
    if isinstance(error, AccessRefused) and "Login" in text:
        return Refused(
            f"{broker.name} refused user {broker.user!r}; check PULSE_USERNAME and PULSE_PASSWORD"
        )
    if isinstance(error, NotAllowed):
        return Refused(f"{broker.name} refused vhost {broker.vhost!r} to {broker.user!r}: {text}")
    if isinstance(error, AccessRefused | NotFound):
        return Refused(f"{broker.name} refused {broker.user!r}: {text}")
    return ConnectionFailed(f"no connection to {broker}: {text}")


def _text(error: BaseException) -> str:
    said = error.reply_text if isinstance(error, AMQPError) else None
    return str(said or error or type(error).__name__)
