"""A WebSocket to a web server: TCP or a proxy, TLS, the handshake, and messages.

Uses the part of websockets that does no I/O, so that one wait covers the socket and the
signals, reading stops when the caller stops, and large messages are skipped.
"""

from __future__ import annotations

import base64
import http.client
import logging
import re
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import NoReturn

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidProxy
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.proxy import Proxy, parse_proxy
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from tcsniff import __version__
from tcsniff.errors import TlsError, UsageError
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.frame_limit import FrameLimit, SkippedMessage
from tcsniff.sources.proxies import find_proxy
from tcsniff.sources.web_failures import (
    HandshakeRefused,
    explain_close,
    explain_connect_failure,
    explain_lost_connection,
)

CONNECT_TIMEOUT = 10  # seconds, for each step of connecting
USER_AGENT = f"tcsniff/{__version__}"

_SEND_TIMEOUT = 10  # seconds
_RECEIVE_SIZE = 1 << 18  # bytes
_CLOSE_TIMEOUT = 0.5  # seconds for the last frame
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_END_OF_HEAD = b"\r\n\r\n"
_MAX_HEAD = 1 << 16  # bytes
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]")
_LOCATION = re.compile(rb"\r\nlocation:[ \t]*([!-~]{1,500})", re.IGNORECASE)

_silent = logging.getLogger("tcsniff.websockets")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class WebConnection:
    """A WebSocket connection. Not thread-safe.

    Attributes:
        socket: The socket, to wait for.
        is_drained: Whether the last `read` found no more data.
        answered_ping: When the last ping that was answered was sent, by the wall clock and
            the monotonic clock; when the connection was opened, at first.
    """

    def __init__(
        self, server: WebServer, max_message: int, clock: Callable[[], float] = time.time
    ) -> None:
        """Create a connection; `open` connects it.

        Args:
            server: Where to connect.
            max_message: The largest message in bytes; larger ones are skipped.
            clock: Returns seconds since the Unix epoch.
        """
        self.socket: socket.socket | None = None
        self.is_drained = True
        self.answered_ping = 0.0, 0.0
        self._clock = clock
        self._server = server
        self._limit = FrameLimit(max_message)
        self._protocol: ClientProtocol | None = None
        self._early_messages: list[bytes] = []  # arrived with the handshake
        self._parts: list[bytes] = []  # of a message in several frames
        self._ping_sent: tuple[float, float] | None = None  # None if no answer is awaited

    # Connecting.

    def open(self, path: str, subprotocol: str | None) -> None:
        """Connect.

        Args:
            path: The path of the WebSocket, below the root URL.
            subprotocol: The WebSocket subprotocol; None for none.

        Raises:
            HandshakeRefused: If the server does not switch to WebSocket.
            ConnectionFailed: If it cannot be reached.
            TlsError: If its certificate cannot be trusted.
            UsageError: If a proxy's address is not valid, or of an unknown kind.
        """
        try:
            self.socket = open_http(self._server).sock
            self._shake_hands(path, subprotocol)
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            self._discard()
            proxy = choose_proxy(self._server)
            used = "" if proxy is None else f"{proxy.host}:{proxy.port}"
            raise explain_connect_failure(error, self._server, used) from error
        except BaseException:
            self._discard()
            raise
        self.socket.setblocking(False)
        self.answered_ping = self._read_clocks()

    def _shake_hands(self, path: str, subprotocol: str | None) -> None:
        subprotocols = None if subprotocol is None else [Subprotocol(subprotocol)]
        # Without compression: a skipped message would break that of the next ones.
        protocol = ClientProtocol(
            build_uri(self._server, path), subprotocols=subprotocols, max_size=None, logger=_silent
        )
        request = protocol.connect()
        request.headers["User-Agent"] = USER_AGENT
        protocol.send_request(request)
        self._get_socket().sendall(b"".join(protocol.data_to_send()))
        rest = self._await_response(protocol)
        self._protocol = protocol
        self._early_messages = self._feed(rest) if rest else []

    def _await_response(self, protocol: ClientProtocol) -> bytes:
        # Return what arrived after the response: frames go through the limit first.
        sock, end = self._get_socket(), time.monotonic() + CONNECT_TIMEOUT
        received = bytearray()
        while (length := received.find(_END_OF_HEAD) + len(_END_OF_HEAD)) < len(_END_OF_HEAD):
            if (left := end - time.monotonic()) <= 0 or len(received) > _MAX_HEAD:
                raise TimeoutError
            sock.settimeout(left)
            if not (data := sock.recv(_RECEIVE_SIZE)):
                raise HandshakeRefused("closed the connection instead of an answer")
            received += data
        head = bytes(received[:length])
        _check_status(head)
        protocol.receive_data(head)
        protocol.events_received()
        if protocol.handshake_exc is not None:
            raise HandshakeRefused(str(protocol.handshake_exc), 101)
        return bytes(received[length:])

    # Messages.

    def has_data(self) -> bool:
        """Return whether there is more to read than the socket shows."""
        if self._early_messages or self._get_protocol().state is not State.OPEN:
            return True
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0

    def wait(self, seconds: float) -> None:
        """Wait until the socket can be read."""
        select.select([self._get_socket()], [], [], seconds)

    def read(self) -> list[bytes]:
        """Read what has arrived, at most 256 KiB; never waits.

        Returns:
            The messages that are complete; see `is_drained` and `pop_skipped`.

        Raises:
            ConnectionFailed: If the connection was lost.
            Refused: If the server closed it because the client may not read.
        """
        if self._early_messages:
            messages, self._early_messages = self._early_messages, []
            return messages
        if self._get_protocol().state is not State.OPEN:
            self._raise_closed()
        try:
            data = self._get_socket().recv(_RECEIVE_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self.is_drained = True
            return []
        except OSError as error:
            self._fail(error)
        self.is_drained = False
        return self._feed(data)

    def pop_skipped(self) -> list[SkippedMessage]:
        """Return the messages that were too large, since the last call."""
        return self._limit.pop_skipped()

    def send(self, text: bytes) -> None:
        """Send a message.

        Raises:
            ConnectionFailed: If the connection was lost.
        """
        self._get_protocol().send_text(text)
        self._flush()

    def check_alive(self, interval: float, timeout: float) -> None:
        """Send a ping now and then, and check that it is answered.

        Args:
            interval: Seconds between two pings.
            timeout: Seconds within which a ping must be answered.

        Raises:
            ConnectionFailed: If it is not.
        """
        now = self._read_clocks()
        if self._ping_sent is not None:
            if self.is_drained and now[1] - self._ping_sent[1] > timeout:
                raise explain_lost_connection(f"no answer for {timeout:g} s", self._server)
        elif now[1] - self.answered_ping[1] >= interval:
            self._get_protocol().send_ping(b"")
            self._flush()
            self._ping_sent = now

    def close(self) -> None:
        """Disconnect; failures are ignored."""
        sock, protocol = self.socket, self._protocol
        if sock is not None and protocol is not None and protocol.state is State.OPEN:
            protocol.send_close(1000)
            try:
                sock.settimeout(_CLOSE_TIMEOUT)
                sock.sendall(b"".join(protocol.data_to_send()))
            except OSError:
                pass
        self._discard()

    def _feed(self, data: bytes) -> list[bytes]:
        protocol = self._get_protocol()
        if not data:
            protocol.receive_eof()
        elif kept := self._limit.filter_data(data):
            protocol.receive_data(kept)
        messages = []
        for event in protocol.events_received():
            assert isinstance(event, Frame)  # noqa: S101 - for mypy; the response was read
            if event.opcode is Opcode.PONG:
                self._note_pong()
            elif event.opcode in _DATA and (message := self._join_frames(event)):
                messages.append(message)
        self._flush()
        if protocol.state is not State.OPEN and not messages:
            self._raise_closed()
        return messages

    def _join_frames(self, frame: Frame) -> bytes:
        # Return a message when its last frame has arrived; empty before, and if skipped.
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            return b""
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _note_pong(self) -> None:
        if self._ping_sent is not None:
            self.answered_ping, self._ping_sent = self._ping_sent, None

    def _read_clocks(self) -> tuple[float, float]:
        return self._clock(), time.monotonic()

    def _flush(self) -> None:
        data = b"".join(self._get_protocol().data_to_send())
        if not data:
            return
        sock = self._get_socket()
        try:
            sock.settimeout(_SEND_TIMEOUT)
            sock.sendall(data)
            sock.setblocking(False)
        except OSError as error:
            if self._get_protocol().state is State.OPEN:
                self._fail(error)

    def _raise_closed(self) -> NoReturn:
        protocol = self._get_protocol()
        if protocol.close_rcvd is not None:
            raise explain_close(protocol.close_rcvd.code, protocol.close_rcvd.reason, self._server)
        error = protocol.parser_exc
        if error is None or isinstance(error, EOFError):
            raise explain_close(1006, "", self._server)
        raise explain_lost_connection(f"it sent invalid frames, {error}", self._server)

    def _fail(self, error: OSError) -> NoReturn:
        reason = error.strerror or str(error) or type(error).__name__
        raise explain_lost_connection(reason, self._server) from error

    def _get_socket(self) -> socket.socket:
        if self.socket is None:
            raise explain_lost_connection("it is closed", self._server)
        return self.socket

    def _get_protocol(self) -> ClientProtocol:
        if self._protocol is None:
            raise explain_lost_connection("it is not open", self._server)
        return self._protocol

    def _discard(self) -> None:
        sock, self.socket = self.socket, None
        if sock is not None:
            sock.close()


def build_uri(server: WebServer, path: str) -> WebSocketURI:
    """Return the address of a WebSocket.

    Args:
        server: The web server.
        path: The path below its root URL.
    """
    _, rest = server.root_url.split(":", 1)
    return parse_uri(f"{'wss' if server.tls else 'ws'}:{rest}{path}")


def open_http(server: WebServer) -> http.client.HTTPConnection:
    """Connect to a web server, through the proxy that the environment names, with TLS.

    Raises:
        OSError: If it cannot be reached, or its certificate cannot be trusted.
        UsageError: If the proxy's address is not valid, or of an unknown kind.
        TlsError: If a TLS file cannot be read.
    """
    proxy = choose_proxy(server)
    host, port = (server.host, server.port) if proxy is None else (proxy.host, proxy.port)
    connection = http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT)
    if server.tls:
        connection = http.client.HTTPSConnection(
            host, port, timeout=CONNECT_TIMEOUT, context=create_tls_context(server)
        )
    if proxy is not None:
        headers = {"User-Agent": USER_AGENT}
        if proxy.user_info is not None:
            account = base64.b64encode(":".join(proxy.user_info).encode()).decode()
            headers["Proxy-Authorization"] = f"Basic {account}"
        connection.set_tunnel(server.host, server.port, headers)
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    return connection


def choose_proxy(server: WebServer) -> Proxy | None:
    """Return the proxy that the environment names for a web server; None for none.

    Raises:
        UsageError: If its address is not valid, or of an unknown kind.
    """
    if not (address := find_proxy(server.root_url)):
        return None
    try:
        proxy = parse_proxy(address)
    except (InvalidProxy, ValueError):
        # The address stays out of the message: it may hold a password.
        raise UsageError(
            "the proxy's address in the environment is not valid; write it like "
            "HTTPS_PROXY=http://HOST:PORT"
        ) from None
    if proxy.scheme != "http":
        raise UsageError(
            f"the proxy {proxy.scheme}://{proxy.host} is of a kind that tcsniff cannot use for "
            "WebSockets; name an http:// proxy in HTTPS_PROXY, or the host in NO_PROXY"
        )
    return proxy


def create_tls_context(server: WebServer) -> ssl.SSLContext:
    """Return the settings of TLS.

    Raises:
        TlsError: If a file cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=server.ca)
        if server.cert is not None:
            context.load_cert_chain(server.cert, server.key)
    except OSError as error:  # also ssl.SSLError
        reason = error.strerror or str(error)
        raise TlsError(f"cannot read a file for TLS with {server}: {reason}") from error
    if server.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_status(head: bytes) -> None:
    status = _STATUS_LINE.match(head)
    if status is None:
        raise HandshakeRefused("does not answer in HTTP")
    if status[1] != b"101":
        location = _LOCATION.search(head)
        raise HandshakeRefused(
            f"answers with HTTP status {status[1].decode()}",
            int(status[1]),
            location[1].decode() if location else "",
        )
