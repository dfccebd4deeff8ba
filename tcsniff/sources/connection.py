"""The connection to a broker, through kombu.

kombu and py-amqp are used in this package only, and their errors leave it as
those of `tcsniff.errors`. It does only what Pulse permits: declare queues named
``queue/<user>/...`` and bind them to existing exchanges. It never declares an
exchange on a broker.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from amqp import spec
from amqp.exceptions import NotFound, PreconditionFailed

from tcsniff.errors import ConnectionFailed, TcsniffError
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import Broker
from tcsniff.sources.failures import (
    CONNECT_TIMEOUT,
    CONNECTION_ERRORS,
    NoExchange,
    explain_failure,
    explain_lost_connection,
)
from tcsniff.sources.frame_reader import (
    UNSUPPORTED,
    FrameReader,
    build_frame_handler,
    can_read_frames,
)
from tcsniff.sources.inquiries import BindingInquiry, LengthInquiry
from tcsniff.sources.interruptible import call_interruptibly
from tcsniff.sources.kombu_connection import (
    CONNECTION_NAME,
    build_kombu_connection,
    build_memory_connection,
    check_encryption,
)
from tcsniff.sources.queue_policy import QueueSpec
from tcsniff.sources.receive_buffer import Receiver
from tcsniff.sources.wakeup import WakeUp

HEARTBEAT = 30  # seconds; either side gives up after two intervals of silence
MAX_BODY = 16 << 20  # bytes of a body, unless the caller sets another limit

_READ_TIMEOUT = 0.25  # seconds for the rest of a frame that has started to arrive
_CLOSE_TIMEOUT = 2  # seconds
# What an existing queue may have that we do not ask for: an administrator has chosen its kind.
_OTHER_KIND = re.compile(r"inequivalent arg 'x-(queue-type|single-active-consumer)'")

# Both write warnings to the terminal, by logging's last resort, about failures that tcsniff
# reports itself.
for _library in ("amqp", "kombu"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


def ignore(_text: str) -> None:
    """Print nothing."""


class Connection:
    """A connection to a broker, with one channel to consume on. Not thread-safe.

    Unless they ignore failures, its methods raise `ConnectionFailed` if the
    connection is lost, and `Refused` if the broker does not permit something.
    """

    def __init__(
        self,
        broker: Broker,
        wake_up: WakeUp | None = None,
        *,
        receiver: Receiver | None = None,
        max_body: int = MAX_BODY,
        notify: Callable[[str], object] = ignore,
        in_memory: bool = False,
        reads_frames: bool = True,
    ) -> None:
        """Create a connection; `open` connects it.

        Args:
            broker: Where to connect.
            wake_up: Ends a wait in `drain`.
            receiver: Receives the deliveries that `drain` reads.
            max_body: The largest body in bytes; of larger ones only the size is
                received.
            notify: Receives messages for the user.
            in_memory: Whether to use kombu's broker inside this process instead.
            reads_frames: Whether to read frames without py-amqp where possible.
        """
        self._broker = broker
        self._receiver = receiver or Receiver()
        self._max_body = max_body
        self._notify = notify
        self._in_memory = in_memory
        self._reads_frames = reads_frames and not in_memory
        handler = build_frame_handler(self._receiver, max_body) if self._reads_frames else None
        self._has_handler = handler is not None
        kombu = (
            build_memory_connection()
            if in_memory
            else build_kombu_connection(
                broker, handler, heartbeat=HEARTBEAT, connect_timeout=CONNECT_TIMEOUT
            )
        )
        self._transport: Any = kombu.transport
        self._connection: Any = None
        self._channel: Any = None
        self._sock: Any = None
        self._frame_reader: FrameReader | None = None
        self._exchanges: list[str] = []  # declared by us, in memory
        self._wake_up = wake_up or WakeUp()
        self._is_consuming = False
        self._loss: ConnectionFailed | None = None  # why the connection was lost
        self._heard = self._asked = 0.0  # the last times, by the monotonic clock

    def open(self, timeout: float | None = None) -> None:
        """Connect; an exception from a signal handler ends this at once.

        Args:
            timeout: The longest wait in seconds; None for that of each step.

        Raises:
            UsageError: If the password would go to another machine unencrypted.
            ConnectionFailed: If the broker cannot be reached.
            Refused: If it refuses the login or the vhost.
            TlsError: If its certificate cannot be trusted.
        """
        with self._explain_failures():
            if self._in_memory:
                self._connection = self._transport.establish_connection()
            else:
                check_encryption(self._broker)
                self._connection = self._establish_connection(timeout)
                self._sock = self._connection.sock
            self._set_timeout(CONNECT_TIMEOUT)
            self._channel = self._open_channel()
        if self._reads_frames:
            if self._has_handler and can_read_frames(self._connection):
                self._frame_reader = FrameReader(self._connection, self._receiver, self._max_body)
            else:
                self._notify(UNSUPPORTED)

    def declare_queue(self, queue: QueueSpec) -> int:
        """Declare a queue.

        Returns:
            How many messages wait in it.

        Raises:
            Refused: Also if the queue exists with other settings.
        """
        with self._explain_failures():
            try:
                answer = self._channel.queue_declare(
                    queue.name,
                    durable=queue.is_kept,
                    exclusive=not queue.is_kept,
                    auto_delete=not queue.is_kept,
                    arguments=dict(queue.arguments) or None,
                )
            except PreconditionFailed as error:
                if _OTHER_KIND.search(str(error)) is None:
                    raise
                self._channel = self._open_channel()
                answer = self._channel.queue_declare(queue.name, passive=True)
        return int(answer.message_count)

    def count_messages(self, queue: str) -> int | None:
        """Return how many messages wait in a queue; None if it does not exist."""
        with self._explain_failures():
            try:
                with self._side_channel() as channel:
                    answer = channel.queue_declare(queue, passive=True)
            except NotFound as error:
                if "no queue" not in str(error):  # its node is down
                    raise
                return None
        return int(answer.message_count)

    def delete_queue(self, queue: str) -> int:
        """Delete a queue.

        Returns:
            How many messages were in it.
        """
        with self._explain_failures():
            return int(self._channel.queue_delete(queue) or 0)

    def discard_queue(self, queue: str) -> None:
        """Delete a queue that is not needed any more; failures are ignored."""
        if self._channel is None or self._connection is None:
            return
        with suppress(*CONNECTION_ERRORS, AttributeError):  # py-amqp's, when half closed
            self._channel.queue_delete(queue)

    def bind(
        self, queue: str, bindings: Iterable[Binding], timeout: float = CONNECT_TIMEOUT
    ) -> None:
        """Bind a queue.

        Args:
            queue: Its name.
            bindings: The bindings.
            timeout: The longest silence of the broker in seconds.

        Raises:
            NoExchange: If an exchange does not exist.
        """
        # On a separate channel, since a refusal closes it. Without waiting for each answer:
        # the last declaration waits for all of them.
        with self._explain_failures(), self._side_channel() as channel:
            for exchange, pattern in bindings:
                channel.queue_bind(queue, exchange, pattern, nowait=True)
            self._set_timeout(timeout)
            channel.queue_declare(queue, passive=True)
            self._set_timeout(CONNECT_TIMEOUT)

    def has_exchange(self, exchange: str) -> bool:
        """Return whether the broker has an exchange."""
        with self._explain_failures():
            try:
                with self._side_channel() as channel:
                    channel.exchange_declare(exchange, "topic", passive=True)
            except NotFound:
                return False
        return True

    def consume(self, queue: str, *, prefetch: int, auto_ack: bool) -> None:
        """Start the delivery of a queue's messages.

        Args:
            queue: Its name.
            prefetch: The largest number of messages that are not acknowledged.
            auto_ack: Whether no message has to be acknowledged.
        """
        with self._explain_failures():
            self._channel.basic_qos(0, prefetch, False)
            self._channel.basic_consume(
                queue, consumer_tag=CONNECTION_NAME, no_ack=auto_ack, callback=self._on_message
            )
        if not self._in_memory:
            self._length_inquiry = LengthInquiry(self._channel, prefetch)
            self._binding_inquiry = BindingInquiry(self._send_channel_open)
        self._is_consuming = True

    def ask_length(self, queue: str) -> bool:
        """Ask how many messages wait in the consumed queue, unless that was asked already.

        Returns:
            Whether it was asked now.
        """
        if self._length_inquiry.is_pending:
            return False
        self._asked = time.monotonic()
        with self._explain_failures():
            self._length_inquiry.ask(queue)
        return True

    def pop_length(self) -> int | None:
        """Return the answer to `ask_length`, once; None while there is none.

        Every delivery that the queue made before the answer has been received.
        """
        return self._length_inquiry.pop_answer()

    def ask_bindings(self, queue: str, bindings: Iterable[Binding]) -> bool:
        """Bind a queue without waiting, unless earlier bindings are not answered yet.

        Returns:
            Whether they were sent.
        """
        if self._binding_inquiry.is_pending:
            return False
        self._asked = time.monotonic()
        with self._explain_failures():
            self._binding_inquiry.ask(queue, bindings)
        return True

    def pop_bindings_answer(self) -> str | None:
        """Return the answer to `ask_bindings`, once: empty, or why it failed; None for none."""
        return self._binding_inquiry.pop_answer()

    def check_answers(self) -> None:
        """Check that the broker is not silent although it was asked; call it after draining."""
        is_asked = self._length_inquiry.is_pending or self._binding_inquiry.is_pending
        if is_asked and time.monotonic() - max(self._heard, self._asked) > CONNECT_TIMEOUT:
            raise self._explain_loss(TimeoutError(f"no answer within {CONNECT_TIMEOUT} s"))

    def drain(self, seconds: float) -> bool:
        """Read what has arrived: deliveries go to the receiver.

        Args:
            seconds: The longest wait; the `WakeUp` cuts it short.

        Returns:
            Whether anything was read.
        """
        if self._loss is not None:
            raise self._loss
        # With a non-blocking socket py-amqp loses the start of a frame that it has half read.
        # So wait here, and read only what is there.
        if self._sock is not None:
            if not self._wait_readable(seconds):
                return False
            self._heard = time.monotonic()
            seconds = _READ_TIMEOUT
        try:
            if self._frame_reader is not None:
                return self._frame_reader.read()
            self._transport.drain_events(self._connection, timeout=seconds)
        except TimeoutError:
            return False
        except CONNECTION_ERRORS as error:
            raise self._explain_loss(error) from error
        return True

    def ack(self, tag: int) -> None:
        """Acknowledge all messages up to a delivery tag."""
        if self._loss is not None:
            raise self._loss
        try:
            self._channel.basic_ack(tag, multiple=True)
        except CONNECTION_ERRORS as error:
            raise self._explain_loss(error) from error

    def check_heartbeat(self) -> None:
        """Send a heartbeat if one is due, and check that the broker's are not overdue.

        Call it after draining: what was read counts as a sign of life.
        """
        try:
            self._transport.heartbeat_check(self._connection)
        except CONNECTION_ERRORS as error:
            raise self._explain_loss(error) from error

    def send_heartbeat(self) -> None:
        """Send a heartbeat during a long pause between drains; failures show later."""
        if self._sock is not None and self._connection is not None:
            with suppress(*CONNECTION_ERRORS):
                self._connection.send_heartbeat()

    def declare_exchanges(self, exchanges: Iterable[str]) -> None:
        """Declare topic exchanges; in memory only."""
        self._exchanges = list(exchanges)
        for exchange in self._exchanges:
            self._channel.exchange_declare(exchange, "topic")

    def publish(self, deliveries: Iterable[Delivery]) -> None:
        """Publish as Taskcluster does; in memory only."""
        for delivery in deliveries:
            message = self._channel.prepare_message(
                delivery.body,
                content_type="application/json",
                headers={"CC": list(delivery.cc or ())},
            )
            self._channel.basic_publish(message, delivery.exchange, delivery.routing_key)

    def close(self) -> None:
        """Disconnect, which deletes an exclusive queue; failures are ignored."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        for exchange in self._exchanges:  # in memory they belong to the process
            self._channel.exchange_delete(exchange)
        try:
            self._set_timeout(_CLOSE_TIMEOUT)
            if self._in_memory:
                self._transport.close_connection(connection)
            else:
                # The broker may first send the rest of a large message, for minutes.
                call_interruptibly(
                    lambda: self._transport.close_connection(connection), "close", _CLOSE_TIMEOUT
                )
        except TimeoutError:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
            self._sock.close()
        except (*CONNECTION_ERRORS, ValueError, AttributeError):  # py-amqp's, when half closed
            close_at_once(connection)

    def _establish_connection(self, timeout: float | None) -> Any:
        attempts: list[Any] = []
        create = self._transport.Connection

        def create_connection(**options: Any) -> Any:
            attempts.append(create(**options))
            return attempts[-1]

        self._transport.Connection = create_connection
        try:
            return call_interruptibly(self._transport.establish_connection, "connect", timeout)
        except BaseException:  # py-amqp closes the socket after some failures only
            for connection in attempts:
                close_at_once(connection)
            raise
        finally:
            self._transport.Connection = create

    def _open_channel(self) -> Any:
        channel = self._transport.create_channel(self._connection)
        channel.auto_decode = False
        if not self._in_memory:
            # py-amqp opens a channel that the broker closes again by itself, and waits for the
            # answer while `FrameReader` may have it. Such a channel stays closed.
            channel._do_revive = channel.collect  # noqa: SLF001 - there is no other way
        return channel

    def _send_channel_open(self) -> Any:
        channel = self._connection.Channel(self._connection)
        channel.send_method(spec.Channel.Open, "s", ("",))
        return channel

    @contextmanager
    def _side_channel(self) -> Iterator[Any]:
        channel = self._open_channel()
        yield channel
        channel.close()

    @contextmanager
    def _explain_failures(self) -> Iterator[None]:
        try:
            yield
        except CONNECTION_ERRORS as error:
            raise self._explain(error) from error

    def _explain(self, error: BaseException) -> TcsniffError:
        # While it consumes, anything but a missing exchange is a lost connection.
        failure = explain_failure(error, self._broker)
        if self._is_consuming and not isinstance(failure, NoExchange):
            return self._explain_loss(error)
        return failure

    def _explain_loss(self, error: BaseException) -> ConnectionFailed:
        # The first reason counts: what fails afterwards is a consequence.
        if self._loss is None:
            self._loss = explain_lost_connection(error, self._broker)
        return self._loss

    def _on_message(self, message: Any) -> None:
        # Receive a message that kombu has decoded: in memory, and without a `FrameReader`.
        delivery = _to_delivery(message, self._receiver.format_now())
        if (size := len(delivery.body)) > self._max_body:
            self._receiver.skip(message.delivery_tag, delivery._replace(body=b""), size)
        else:
            self._receiver.add([message.delivery_tag], [delivery])

    def _wait_readable(self, seconds: float) -> bool:
        # TLS may have decrypted more than was read.
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        try:
            return self._wake_up.wait(seconds, self._sock)
        except (OSError, ValueError) as error:  # closed by another thread
            raise self._explain_loss(error) from error

    def _set_timeout(self, seconds: float) -> None:
        if self._sock is not None:
            self._sock.settimeout(seconds)


def close_at_once(connection: Any) -> None:
    """Close a connection without a word to the broker.

    The thread that made it may do the same at this moment: then py-amqp finds its socket
    gone between two of its own lines.

    Args:
        connection: py-amqp's connection.
    """
    with suppress(AttributeError):
        connection.collect()


def _to_delivery(message: Any, received: str | None) -> Delivery:
    info, headers = message.delivery_info, message.headers or {}
    keys = headers.get("CC")
    cc = tuple(key for key in keys if isinstance(key, str)) if isinstance(keys, list) else ()
    body = message.body
    return Delivery(
        info["exchange"],
        info["routing_key"],
        body.encode() if isinstance(body, str) else bytes(body),
        cc,
        bool(info.get("redelivered")),
        received,
    )
