"""Connecting to a broker up to its greeting, one step at a time.

Uses the standard library's sockets, so that name, port and TLS fail separately.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any, NamedTuple

from amqp.exceptions import NotAllowed

from tcsniff.errors import TcsniffError
from tcsniff.settings.brokers import Broker
from tcsniff.sources.failures import CONNECT_TIMEOUT, explain_failure

_PROBE_TIMEOUT = 2  # seconds, for connections that only improve the advice
_SOON = 21  # days before its end from which a certificate gets a note
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h
# X509_V_ERR_... of the same file, and the topic of the advice.
_TRUST_ERRORS = {9: "early", 10: "expired", 62: "other host", 64: "other host"}
_TRUST_ERRORS |= dict.fromkeys((18, 19, 20, 21), "untrusted issuer")

# AMQP 0-9-1, sections 4.2.2 and 4.2.3: the client's first bytes, and the start of the answer.
_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01\x00\x00"
_START = b"\x00\x0a\x00\x0a"


class Finding(NamedTuple):
    """The finding of a step.

    Attributes:
        found: A description of the result; may hold untrusted text.
        topic: The key of the advice in `sources.doctor`; empty for none.
        exit_status: The exit status that listening would have; 0 if the step succeeded.
    """

    found: str
    topic: str = ""
    exit_status: int = 0


def is_about_vhost(error: TcsniffError) -> bool:
    """Return whether a login failed after user and password were accepted."""
    return isinstance(error.__cause__, NotAllowed)


class ProbeConnection:
    """A connection for the first steps. Each step needs those before it; close it finally."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._addresses: list[Any] = []  # as `socket.getaddrinfo` returns them
        self._address: Any = None  # the last one tried; after `connect`, the one that accepted
        self._sock: Any = None

    def resolve_host(self) -> Finding:
        """Resolve the host's name."""
        host, port = self._broker.host, self._broker.port
        answer: list[Any] = []

        def look_up_host() -> None:
            try:
                answer.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                answer.append(error)

        # In a thread, as getaddrinfo has no timeout and Ctrl-C does not interrupt it.
        thread = threading.Thread(target=look_up_host, name="look-up", daemon=True)
        thread.start()
        thread.join(CONNECT_TIMEOUT)
        error = answer[0] if answer else TimeoutError(socket.EAI_AGAIN, "no answer in time")
        if isinstance(error, OSError | UnicodeError):
            topic = "no dns" if error.args[0] == socket.EAI_AGAIN else "unknown host"
            return self._describe_failure(error, f"no host {host!r}: {_get_reason(error)}", topic)
        self._addresses = answer
        names = list(dict.fromkeys(str(address[4][0]) for address in answer))
        return Finding(host if names == [host] else f"{host} is {', '.join(names)}")

    def connect(self) -> Finding:
        """Connect to the first address that accepts."""
        last_error: OSError = ConnectionRefusedError()
        failures = []
        for address in self._addresses:
            self._address = address
            host = address[4][0]
            try:
                self._sock = self._open_socket(CONNECT_TIMEOUT)
            except OSError as error:
                last_error = error
                failures.append(f"{host}: {_get_reason(error)}")
            else:
                skipped = f" (not {', '.join(failures)})" if failures else ""
                return Finding(f"{host} accepts at {self._broker.port}{skipped}")
        topics = {ConnectionRefusedError: "refused", TimeoutError: "timeout"}
        topic = topics.get(type(last_error), "unreachable")
        where = f"port {self._broker.port} of {', '.join(failures)}"
        return self._describe_failure(last_error, f"no connection to {where}", topic)

    def start_tls(self) -> Finding:
        """Start TLS, and check the certificate as listening does."""
        broker = self._broker
        try:
            context = _create_context(broker)
        except OSError as error:  # also ssl.SSLError
            return self._describe_failure(
                error, f"cannot read a TLS file: {_get_reason(error)}", "files"
            )
        name = None if broker.insecure else broker.host
        try:
            self._sock = context.wrap_socket(self._sock, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message.rstrip(".")
            found = f"the certificate is not trusted: {reason}{self._describe_presented()}"
            return self._describe_failure(
                error, found, _TRUST_ERRORS.get(error.verify_code, "untrusted")
            )
        except OSError as error:
            found = f"no TLS at port {broker.port}: {_get_reason(error)}"
            return self._describe_failure(error, found, self._find_cause(error) or "no tls")
        version = self._sock.version()
        if broker.insecure:
            return Finding(f"{version}, certificate not checked (--tls-insecure)", "insecure")
        certificate = self._sock.getpeercert()
        days = int(ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // 86400
        topic = "expires soon" if days < _SOON else ""
        return Finding(
            f"{version}, {_describe_certificate(certificate)}, expires in {days:,} days", topic
        )

    def read_greeting(self) -> Finding:
        """Read the broker's product, version and login methods."""
        where = f"at port {self._broker.port}"
        try:
            self._sock.sendall(_HEADER)
            answer = _read_frame(self._sock)
        except OSError as error:
            found = f"no AMQP {where}: {_get_reason(error)}"
            return self._describe_failure(error, found, self._find_cause(error) or "no amqp")
        if not answer.startswith(_START):
            problem = f"the answer starts with {answer[:8]!r}" if answer else "connection closed"
            found = f"no AMQP 0-9-1 {where}: {problem}"
            return self._describe_failure(OSError(), found, self._find_cause() or "no amqp")
        product, version = _read_property(answer, "product"), _read_property(answer, "version")
        name = f"{product} {version}".strip() or "the broker"
        offered = _read_long(answer, 10 + len(_read_long(answer, 6))).decode(errors="replace")
        found = f"{name} accepts logins by {offered[:80]}"
        mechanism = "PLAIN" if self._broker.password else "EXTERNAL"  # as in `Connection`
        if mechanism not in offered.split():
            return self._describe_failure(OSError(), f"{found}, not by {mechanism}", mechanism)
        return Finding(found)

    def close(self) -> None:
        """Close the connection."""
        if self._sock is not None:
            self._sock.close()

    def _describe_failure(self, error: BaseException, found: str, topic: str) -> Finding:
        return Finding(found, topic, explain_failure(error, self._broker).exit_status)

    def _open_socket(self, seconds: float) -> socket.socket:
        family, kind, protocol, _, address = self._address
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(seconds)
        try:
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def _describe_presented(self) -> str:
        # Python parses only trusted certificates: fetch this one, then trust it.
        # No data is sent over these connections.
        try:
            context = _create_context(self._broker, verify=False)
            with self._handshake(context) as sock:
                pem = ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True) or b"")
            context.load_verify_locations(cadata=pem)
            context.verify_mode = ssl.CERT_REQUIRED
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
            with self._handshake(context) as sock:
                certificate: dict[str, Any] = dict(sock.getpeercert() or {})
        except (OSError, ValueError):
            return ""
        valid = f"from {certificate['notBefore']} to {certificate['notAfter']}"
        return f" ({_describe_certificate(certificate)}, {valid})"

    def _handshake(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        with self._open_socket(_PROBE_TIMEOUT) as sock:  # wrapping detaches it
            return context.wrap_socket(sock, server_hostname=self._broker.host)

    def _find_cause(self, error: OSError | None = None) -> str:
        # Returns the topic of the advice, or an empty text if the cause is unknown.
        if error is not None and "CERTIFICATE" in _get_reason(error):  # in the broker's TLS alert
            return "certificate required"
        answer = b""
        with suppress(OSError), self._open_socket(_PROBE_TIMEOUT) as sock:
            sock.sendall(_HEADER)
            answer = sock.recv(8)
        if answer.startswith(b"HTTP"):
            return "http"
        if self._broker.tls:
            return "amqp" if answer.startswith((_METHOD_FRAME, b"AMQP")) else ""
        with suppress(OSError), self._handshake(_create_context(self._broker, verify=False)):
            return "tls"
        return ""


def _create_context(broker: Broker, *, verify: bool = True) -> ssl.SSLContext:
    # The same settings as py-amqp's for `Connection`.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if broker.cert is not None:
        context.load_cert_chain(broker.cert, broker.key)
    if broker.insecure or not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif broker.ca is None:
        context.load_default_certs()
    if broker.ca is not None:
        context.load_verify_locations(broker.ca)
    return context


def _read_frame(sock: socket.socket) -> bytes:
    # Returns the first frame's payload, or the first bytes of anything else.
    with sock.makefile("rb") as file:
        head = file.read(7)
        size = int.from_bytes(head[3:])
        return file.read(size) if head.startswith(_METHOD_FRAME) and size < 1 << 17 else head


def _read_property(answer: bytes, name: str) -> str:
    # From the server's properties, a table of names and values (section 4.2.5.5).
    _, key, rest = answer.partition(bytes([len(name)]) + name.encode() + b"S")
    return _read_long(rest, 0).decode(errors="replace")[:40] if key else ""


def _read_long(data: bytes, at: int) -> bytes:
    return data[at + 4 : at + 4 + int.from_bytes(data[at : at + 4])]


def _describe_certificate(certificate: dict[str, Any]) -> str:
    names = [value for _, value in certificate.get("subjectAltName", ())]
    issuer = dict(pair for pairs in certificate.get("issuer", ()) for pair in pairs)
    issuer_name = issuer.get("organizationName") or issuer.get("commonName") or "an unnamed issuer"
    listed = ", ".join([*names[:4], *["…"] * (len(names) > 4)]) or "no host"
    return f"certificate for {listed}, issued by {issuer_name}"


def _get_reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, ssl.SSLError | UnicodeEncodeError) and error.reason:
        return error.reason
    text = error.strerror if isinstance(error, OSError) else None
    return str(text or error or type(error).__name__)
