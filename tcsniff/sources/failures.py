"""The errors of kombu and py-amqp, turned into those of tcsniff."""

from __future__ import annotations

import re
import socket
import ssl

from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    ConsumerCancelled,
    NotAllowed,
    NotFound,
    PreconditionFailed,
)
from kombu.exceptions import KombuError

from tcsniff.errors import (
    ConnectionFailed,
    Refused,
    TcsniffError,
    TlsError,
    WrongCredentials,
    suggest,
)
from tcsniff.pulse.exchanges import BY_ADDRESS
from tcsniff.settings.brokers import Broker

CONNECT_TIMEOUT = 10  # seconds for the broker to answer, at each step of connecting

CONNECTION_ERRORS = (OSError, AMQPError, KombuError)
"""Everything that kombu and py-amqp may raise."""

_UNREACHABLE = {
    socket.gaierror: "unknown host {broker.host!r}; check the name and the network",
    TimeoutError: f"{{broker}} did not answer within {CONNECT_TIMEOUT} s",
    ConnectionRefusedError: "nothing listens at {broker}; check host and port",
}


class NoExchange(Refused):
    """The broker has no exchange of that name."""


def explain_lost_connection(error: BaseException, broker: Broker) -> TcsniffError:
    """Return the tcsniff error for a failure after the connection was open."""
    if isinstance(error, ConsumerCancelled):
        return ConnectionFailed(
            f"{broker.name} deleted our queue, as PulseGuardian does when a queue grows too long"
        )
    return ConnectionFailed(f"connection to {broker} lost: {_get_reason(error)}")


def explain_failure(error: BaseException, broker: Broker) -> TcsniffError:
    """Return the tcsniff error for a failure to connect, or for a refusal."""
    if isinstance(error, AMQPError):
        return _explain_refusal(error, broker)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(f"the certificate of {broker} cannot be trusted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return TlsError(f"no TLS at {broker}: {error.reason}; use amqp:// to connect without TLS")
    for kind, text in _UNREACHABLE.items():
        if isinstance(error, kind):
            return ConnectionFailed(text.format(broker=broker))
    return ConnectionFailed(f"no connection to {broker}: {_get_reason(error)}")


def _explain_refusal(error: AMQPError, broker: Broker) -> TcsniffError:
    reason = _get_reason(error)
    if isinstance(error, NotFound) and (match := re.search("no exchange '(.*?)'", reason)):
        exchange = match[1]
        hint = "" if exchange in BY_ADDRESS else suggest(exchange, BY_ADDRESS)
        return NoExchange(f"{broker.name} has no exchange {exchange!r}{hint}")
    if isinstance(error, NotAllowed) and "is down" in reason:  # a broker that is starting
        return ConnectionFailed(f"no connection to {broker}: {reason}")
    if isinstance(error, AccessRefused) and "Login" in reason:
        credentials = "user name or password" if broker.password else "certificate"
        return WrongCredentials(f"wrong {credentials} for {broker.user!r} at {broker.name}")
    if isinstance(error, NotAllowed):
        reason = f"vhost {broker.vhost!r}: {reason}"
    elif isinstance(error, PreconditionFailed):
        reason = f"the queue exists with other settings: {reason}; delete it with --delete-queue"
    elif not isinstance(error, AccessRefused | NotFound):
        return ConnectionFailed(f"no connection to {broker}: {reason}")
    return Refused(f"{broker.name} refused user {broker.user!r}: {reason}")


def _get_reason(error: BaseException) -> str:
    reply = error.reply_text if isinstance(error, AMQPError) else None
    return str(reply or error or type(error).__name__)
