"""What kombu and py-amqp raise, told as failures of ours.

With the address, and never the password.
"""

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

from tcsniff.errors import ConnectionFailed, Refused, TcsniffError, TlsError, suggestion
from tcsniff.pulse.exchanges import BY_ADDRESS
from tcsniff.settings.brokers import Broker

FAILURES = (OSError, AMQPError, KombuError)
"""All that the two may raise."""

CONNECTING = 10  # seconds for the broker to answer, at each step of connecting


class NoExchange(Refused):
    """The broker has no exchange of that name."""


def lost(error: BaseException, broker: Broker) -> TcsniffError:
    """Tell of a failure after the connection stood."""
    if isinstance(error, ConsumerCancelled):
        return ConnectionFailed(
            f"{broker.name} deleted our queue, as PulseGuardian does when one grows too long"
        )
    return ConnectionFailed(f"connection to {broker} lost: {_text(error)}")


def explained(error: BaseException, broker: Broker) -> TcsniffError:
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
        near = suggestion(found[1], BY_ADDRESS) if found[1] not in BY_ADDRESS else ""
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
