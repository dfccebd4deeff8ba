"""The errors of web servers, and of connecting to them, turned into those of tcsniff."""

from __future__ import annotations

import re
import socket
import ssl

from tcsniff.errors import (
    ConnectionFailed,
    Refused,
    TcsniffError,
    TlsError,
    WrongCredentials,
    suggest,
)
from tcsniff.pulse.exchanges import BY_ADDRESS
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.web_protocol import Problem

READ_SCOPE = "web:read-pulse"
"""The scope that a web server asks for."""

SUBSCRIPTION_ERROR = "SubscriptionError"
"""The code of an error about a subscription."""

END_OF_LIFE = 4408
"""The close code of a connection that has lasted as long as the server allows."""

# RFC 6455, section 7.4, and the codes of the newer protocol.
_CLOSE_REASONS = {
    1000: "closed by the server",
    1001: "the server is going away",
    1006: "closed without a reason",
    1009: "a message was too large for the server",
    1011: "internal error of the server",
    1012: "the server restarts",
    1013: "the server is overloaded",
    4400: "the server did not understand tcsniff",
    END_OF_LIFE: "the server's time limit for a connection",
}
_PROBLEM_OF_CLOSE = {4401: "AuthenticationFailed", 4403: "InsufficientScopes"}
_SCOPE = re.compile(r"web:[A-Za-z0-9:/._*-]+")
_EXCHANGE = re.compile(r"exchange '?((?:exchange/)[^'\s]+)'?")
_REFUSAL = re.compile(r"40[34]|NOT[-_ ]FOUND|ACCESS[-_ ]REFUSED", re.IGNORECASE)


class NoWebExchange(Refused):
    """The web server cannot bind an exchange.

    Attributes:
        exchange: Its name; empty if the server does not name it.
        subscription: The number of the subscription; None if the server does not name it.
    """

    def __init__(self, text: str, exchange: str, subscription: int | None) -> None:
        super().__init__(text)
        self.exchange = exchange
        self.subscription = subscription


class HandshakeRefused(Exception):
    """The server did not switch to WebSocket; perhaps it speaks another protocol.

    Attributes:
        status: The status of its answer; None if that was not HTTP.
        location: The address that a redirect names; empty for none.
    """

    def __init__(self, reason: str, status: int | None = None, location: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.location = location


class EndOfLife(ConnectionFailed):
    """The server closed a connection that has lasted as long as it allows."""


def explain_connect_failure(error: Exception, server: WebServer, proxy: str = "") -> TcsniffError:
    """Return the tcsniff error for a failure to reach a web server.

    Args:
        error: The failure.
        server: The web server.
        proxy: Host and port of the proxy in use; empty for none.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(f"the certificate of {server} cannot be trusted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return TlsError(f"no TLS at {server}: {error.reason or error}")
    host = proxy.rpartition(":")[0] or server.host
    where = f"the proxy {proxy}, on the way to {server}" if proxy else str(server)
    check = "HTTPS_PROXY" if proxy else "the root URL"
    if isinstance(error, socket.gaierror | UnicodeError):
        return ConnectionFailed(f"unknown host {host!r}; check {check} and the network")
    if isinstance(error, TimeoutError):
        return ConnectionFailed(f"{where} did not answer in time")
    if isinstance(error, ConnectionRefusedError):
        return ConnectionFailed(f"nothing listens at {where}; check {check}")
    reason = error.strerror if isinstance(error, OSError) else None
    return ConnectionFailed(f"no connection to {where}: {reason or error}")


def explain_refused_handshake(error: HandshakeRefused, server: WebServer) -> TcsniffError:
    """Return the tcsniff error for a server that does not switch to WebSocket."""
    status = error.status or 0
    if status in (401, 403):
        return Refused(f"{server} {error}; ask its administrator who may listen")
    if error.location:
        return ConnectionFailed(
            f"{server} redirects to {error.location}, which tcsniff does not follow; give the "
            "deployment's root URL with --root-url"
        )
    if status == 429 or status >= 500:
        return ConnectionFailed(f"{server} {error}; try again later")
    return ConnectionFailed(
        f"{server} {error}, so it has no Taskcluster web server; check the root URL"
    )


def explain_lost_connection(reason: str, server: WebServer) -> ConnectionFailed:
    """Return the tcsniff error for a connection that was lost."""
    return ConnectionFailed(f"connection to {server} lost: {reason}")


def explain_close(code: int, text: str, server: WebServer) -> TcsniffError:
    """Return the tcsniff error for a connection that the server closed.

    Args:
        code: The close code; 1006 for none.
        text: The server's reason; may be empty.
        server: The web server.
    """
    if code in _PROBLEM_OF_CLOSE:
        return explain_problem(Problem(_PROBLEM_OF_CLOSE[code], text), server)
    reason = _CLOSE_REASONS.get(code, "closed by the server")
    if text and text.lower() not in reason:
        reason += f", {text}"
    error = EndOfLife if code == END_OF_LIFE else ConnectionFailed
    return error(f"connection to {server} lost: {reason} (close code {code})")


def explain_problem(problem: Problem, server: WebServer) -> TcsniffError:
    """Return the tcsniff error for an error that the server reported."""
    text = problem.text
    match problem.code:
        case "InsufficientScopes":
            scope = found[0] if (found := _SCOPE.search(text)) else READ_SCOPE
            return Refused(_explain_scope(scope, server))
        case "AuthenticationFailed":
            return WrongCredentials(
                f"{server} refused the credentials of {server.client_id!r}: {text}; "
                "check TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN, or unset them"
            )
        case code if code == SUBSCRIPTION_ERROR and _REFUSAL.search(text):
            exchange = found[1] if (found := _EXCHANGE.search(text)) else ""
            return NoWebExchange(
                _explain_exchange(exchange, text, server), exchange, problem.subscription
            )
        case "ProtocolError":
            return ConnectionFailed(f"{server} did not understand tcsniff: {text}")
    return ConnectionFailed(f"{server} reports an error: {text}")


def _explain_scope(scope: str, server: WebServer) -> str:
    if server.client_id:
        return (
            f"{server} refused: the client {server.client_id} lacks the scope {scope}; ask for "
            "it, or set PULSE_USERNAME and PULSE_PASSWORD to use the broker"
        )
    return (
        f"{server} refused: it gives the scope {scope} only to clients that log in; set "
        "TASKCLUSTER_ROOT_URL, TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN, or "
        "PULSE_USERNAME and PULSE_PASSWORD to use the broker"
    )


def _explain_exchange(exchange: str, text: str, server: WebServer) -> str:
    if exchange and re.search(r"404|NOT[-_ ]FOUND", text, re.IGNORECASE):
        hint = "" if exchange in BY_ADDRESS else suggest(exchange, BY_ADDRESS)
        return f"{server} has no exchange {exchange!r}{hint}"
    return f"{server} cannot bind the exchange: {text}"
