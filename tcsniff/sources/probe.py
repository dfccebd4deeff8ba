"""The way to a broker as far as its greeting, tried step by step.

By the standard library, so that name, port and TLS can each fail by itself.
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

_PROBING = 2  # seconds for what is asked only to give better advice
_SOON = 21  # days before its end from which a certificate is told of
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h
# X509_V_ERR_..., the same; each with a word for it.
_DISTRUST = {9: "early", 10: "expired", 62: "other name", 64: "other name"}
_DISTRUST |= dict.fromkeys((18, 19, 20, 21), "unsigned")

# AMQP 0-9-1, sections 4.2.2 and 4.2.3: what a client says first, and how the answer begins.
_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD = b"\x01\x00\x00"
_START = b"\x00\x0a\x00\x0a"


class Finding(NamedTuple):
    """What a step has found.

    Attributes:
        found: In words; may hold text of strangers.
        about: What advice should be about, in a word; empty if all is well.
        exit_status: That which listening would end with; 0 if it could go on.
    """

    found: str
    about: str = ""
    exit_status: int = 0


def is_about_vhost(error: TcsniffError) -> bool:
    """Tell whether a login has failed only after user and password were accepted."""
    return isinstance(error.__cause__, NotAllowed)


class ProbeConnection:
    """The way to a broker. Each step needs those before it; close it in the end."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._addresses: list[Any] = []  # as `socket.getaddrinfo` gives them
        self._address: Any = None  # the last tried: in the end the one that accepts
        self._sock: Any = None

    def name(self) -> Finding:
        """Look up the host."""
        host, port = self._broker.host, self._broker.port
        answer: list[Any] = []

        def look_up() -> None:
            try:
                answer.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                answer.append(error)

        # In a thread, as nothing else ends this wait: no time limit, no Ctrl-C.
        thread = threading.Thread(target=look_up, name="look-up", daemon=True)
        thread.start()
        thread.join(CONNECT_TIMEOUT)
        error = answer[0] if answer else TimeoutError(socket.EAI_AGAIN, "no answer in time")
        if isinstance(error, OSError | UnicodeError):
            about = "unresolved" if error.args[0] == socket.EAI_AGAIN else "unknown"
            return self._failed(error, f"no host {host!r}: {_reason(error)}", about)
        self._addresses = answer
        names = list(dict.fromkeys(str(one[4][0]) for one in answer))
        return Finding(host if names == [host] else f"{host} is {', '.join(names)}")

    def port(self) -> Finding:
        """Connect to the first address that accepts."""
        last: OSError = ConnectionRefusedError()
        failures = []
        for address in self._addresses:
            self._address = address
            host = address[4][0]
            try:
                self._sock = self._connected(CONNECT_TIMEOUT)
            except OSError as error:
                last = error
                failures.append(f"{host}: {_reason(error)}")
            else:
                before = f" (not {', '.join(failures)})" if failures else ""
                return Finding(f"{host} accepts at {self._broker.port}{before}")
        kinds = {ConnectionRefusedError: "refused", TimeoutError: "timeout"}
        about = kinds.get(type(last), "unreachable")
        where = f"port {self._broker.port} of {', '.join(failures)}"
        return self._failed(last, f"no connection to {where}", about)

    def tls(self) -> Finding:
        """Begin TLS, and check the certificate as listening does."""
        broker = self._broker
        try:
            context = _context(broker)
        except OSError as error:  # also ssl.SSLError
            return self._failed(error, f"a file cannot be used: {_reason(error)}", "files")
        name = None if broker.insecure else broker.host
        try:
            self._sock = context.wrap_socket(self._sock, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message.rstrip(".")
            found = f"the certificate cannot be trusted: {reason}{self._shown()}"
            return self._failed(error, found, _DISTRUST.get(error.verify_code, "distrusted"))
        except OSError as error:
            found = f"no TLS at port {broker.port}: {_reason(error)}"
            return self._failed(error, found, self._cause(error) or "no tls")
        version = self._sock.version()
        if broker.insecure:
            return Finding(f"{version}, certificate not checked (--tls-insecure)", "insecure")
        certificate = self._sock.getpeercert()
        days = int(ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // 86400
        about = "soon" if days < _SOON else ""
        return Finding(f"{version}, {_worded(certificate)}, ends in {days:,} days", about)

    def greeting(self) -> Finding:
        """Have the broker say what it is."""
        where = f"at port {self._broker.port}"
        try:
            self._sock.sendall(_HEADER)
            said = _frame(self._sock)
        except OSError as error:
            found = f"no AMQP {where}: {_reason(error)}"
            return self._failed(error, found, self._cause(error) or "no amqp")
        if not said.startswith(_START):
            begin = f"it begins with {said[:8]!r}" if said else "it hangs up"
            found = f"no AMQP 0-9-1 {where}: {begin}"
            return self._failed(OSError(), found, self._cause() or "no amqp")
        names = f"{_property(said, 'product')} {_property(said, 'version')}".strip() or "it"
        offered = _long(said, 10 + len(_long(said, 6))).decode(errors="replace")
        found = f"{names} takes logins by {offered[:80]}"
        ours = "PLAIN" if self._broker.password else "EXTERNAL"  # as `Link` logs in
        if ours not in offered.split():
            return self._failed(OSError(), f"{found}, not by {ours}", ours)
        return Finding(found)

    def close(self) -> None:
        """Hang up."""
        if self._sock is not None:
            self._sock.close()

    def _failed(self, error: BaseException, found: str, about: str) -> Finding:
        return Finding(found, about, explain_failure(error, self._broker).exit_status)

    def _connected(self, seconds: float) -> socket.socket:
        family, kind, protocol, _, address = self._address
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(seconds)
        try:
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def _shown(self) -> str:
        # What is there, trusted or not. Python reads only what it trusts, so it
        # is told to trust that very one. Nothing is said over these connections.
        try:
            context = _context(self._broker, checking=False)
            with self._handshake(context) as sock:
                pem = ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True) or b"")
            context.load_verify_locations(cadata=pem)
            context.verify_mode = ssl.CERT_REQUIRED
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
            with self._handshake(context) as sock:
                seen: dict[str, Any] = dict(sock.getpeercert() or {})
        except (OSError, ValueError):
            return ""
        return f" ({_worded(seen)}, from {seen['notBefore']} to {seen['notAfter']})"

    def _handshake(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        with self._connected(_PROBING) as sock:  # which is another one afterwards
            return context.wrap_socket(sock, server_hostname=self._broker.host)

    def _cause(self, error: OSError | None = None) -> str:
        # Why we are not understood: a word, or nothing if that cannot be told.
        if "CERTIFICATE" in _reason(error):  # in an alert of the broker's
            return "wanted"
        said = b""
        with suppress(OSError), self._connected(_PROBING) as sock:
            sock.sendall(_HEADER)
            said = sock.recv(8)
        if said.startswith(b"HTTP"):
            return "http"
        if self._broker.tls:
            return "amqp" if said.startswith((_METHOD, b"AMQP")) else ""
        with suppress(OSError), self._handshake(_context(self._broker, checking=False)):
            return "tls"
        return ""


def _context(broker: Broker, *, checking: bool = True) -> ssl.SSLContext:
    # As py-amqp makes it for `Link`.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if broker.cert is not None:
        context.load_cert_chain(broker.cert, broker.key)
    if broker.insecure or not checking:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif broker.ca is None:
        context.load_default_certs()
    if broker.ca is not None:
        context.load_verify_locations(broker.ca)
    return context


def _frame(sock: socket.socket) -> bytes:
    # What the first frame holds; of anything else, its beginning.
    with sock.makefile("rb") as file:
        head = file.read(7)
        size = int.from_bytes(head[3:])
        return file.read(size) if head.startswith(_METHOD) and size < 1 << 17 else head


def _property(said: bytes, name: str) -> str:
    # Of the server, in a table of names and values (section 4.2.5.5).
    _, key, rest = said.partition(bytes([len(name)]) + name.encode() + b"S")
    return _long(rest, 0).decode(errors="replace")[:40] if key else ""


def _long(data: bytes, at: int) -> bytes:
    return data[at + 4 : at + 4 + int.from_bytes(data[at : at + 4])]


def _worded(certificate: dict[str, Any]) -> str:
    names = [value for _, value in certificate.get("subjectAltName", ())]
    issuer = dict(pair for pairs in certificate.get("issuer", ()) for pair in pairs)
    by = issuer.get("organizationName") or issuer.get("commonName") or "nobody"
    listed = ", ".join([*names[:4], *["…"] * (len(names) > 4)]) or "no host"
    return f"certificate for {listed}, issued by {by}"


def _reason(error: BaseException | None) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(reason or error or type(error).__name__)
