"""The errors of kombu and py-amqp, turned into those of tcsniff."""

from __future__ import annotations

import re
import socket
import ssl

from amqp import spec
from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    ConsumerCancelled,
    NotAllowed,
    NotFound,
    PreconditionFailed,
    ResourceLocked,
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


class LimitReached(Refused):
    """A limit of the broker is reached, perhaps only until it notices that a client has gone."""


class TlsUnavailable(TlsError):
    """No TLS at that port, perhaps only for now."""


_TEMPORARY = (ConnectionFailed, LimitReached, TlsUnavailable)

# Limits by what RabbitMQ says when one is reached; the first that matches counts.
_LIMITS = {
    "queue limit in vhost": "max-queues of vhost {broker.vhost!r}",
    "queue limit in cluster": "cluster_queue_limit of the broker",
    "user connection limit": "max-connections of user {broker.user!r}",
    "node connection limit": "connection_max of the broker",
    "connection limit": "max-connections of vhost {broker.vhost!r}",
    "maximum allowed user limit": "max-channels of user {broker.user!r}",
    "channel_max": "channel_max of the broker",
}


def is_temporary(error: TcsniffError) -> bool:
    """Return whether a lost connection may be restored later, although this attempt failed."""
    return isinstance(error, _TEMPORARY)


def explain_lost_connection(error: BaseException, broker: Broker) -> ConnectionFailed:
    """Return the tcsniff error for a failure after the connection was open."""
    if isinstance(error, ConsumerCancelled | NotFound):
        return ConnectionFailed(
            f"{broker.name} deleted our queue, as PulseGuardian does when a queue grows too long"
        )
    return ConnectionFailed(f"connection to {broker} lost: {_get_reason(error)}")


def explain_failure(error: BaseException, broker: Broker) -> TcsniffError:
    """Return the tcsniff error for a failure to connect, or for a refusal."""
    if isinstance(error, AMQPError):
        return _explain_refusal(error, broker)
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = getattr(error, "verify_message", None) or error
        return TlsError(f"the certificate of {broker} cannot be trusted: {reason}")
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or error  # only OpenSSL's own errors have one
        return TlsUnavailable(f"no TLS at {broker}: {reason}; use amqp:// to connect without TLS")
    for kind, text in _UNREACHABLE.items():
        if isinstance(error, kind):
            return ConnectionFailed(text.format(broker=broker))
    return ConnectionFailed(f"no connection to {broker}: {_get_reason(error)}")


def _explain_refusal(error: AMQPError, broker: Broker) -> TcsniffError:
    reason = _get_reason(error)
    if (limit := _find_limit(reason)) is not None:
        name = limit.format(broker=broker)
        return LimitReached(f"{broker.name} has reached a limit: {name} ({reason})")
    if isinstance(error, NotFound) and (exchange := find_missing_exchange(reason)):
        hint = "" if exchange in BY_ADDRESS else suggest(exchange, BY_ADDRESS)
        return NoExchange(f"{broker.name} has no exchange {exchange!r}{hint}")
    if isinstance(error, AccessRefused) and "Login" in reason:
        credentials = "user name or password" if broker.password else "certificate"
        return WrongCredentials(f"wrong {credentials} for {broker.user!r} at {broker.name}")
    if isinstance(error, PreconditionFailed) and error.method_sig == spec.Queue.Declare:
        return Refused(
            f"{broker.name} has that queue with other settings: {reason}; use the settings that "
            "it has, or another name; --delete-queue deletes the queue with all its messages"
        )
    is_down = isinstance(error, NotAllowed) and "is down" in reason  # a broker that is starting
    if isinstance(error, AccessRefused | NotAllowed | ResourceLocked) and not is_down:
        vhost = f"vhost {broker.vhost!r}: " if isinstance(error, NotAllowed) else ""
        return Refused(f"{broker.name} refused user {broker.user!r}: {vhost}{reason}")
    return ConnectionFailed(f"no connection to {broker}: {reason}")


def find_missing_exchange(reason: str) -> str:
    """Return the name of the exchange that a broker says it does not have; empty for none."""
    match = re.search("no exchange '(.*?)'", reason)
    return match[1] if match else ""


def _find_limit(reason: str) -> str | None:
    return next((name for text, name in _LIMITS.items() if text in reason), None)


def _get_reason(error: BaseException) -> str:
    reply = error.reply_text if isinstance(error, AMQPError) else None
    return str(reply or error or type(error).__name__)
