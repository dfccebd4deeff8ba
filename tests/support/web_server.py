"""A deployment's web server on a local port, which speaks both WebSocket protocols.

The answers follow what the real server sends; see ``tests/data/websocket-*.jsonl``.
"""

from __future__ import annotations

import base64
import http
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from running import PATIENCE
from tcsniff.pulse.routing import match_topic

FRAMES, GRAPHQL = "/subscription/raw", "/subscription"
BOTH = (FRAMES, GRAPHQL)
KNOWN = "exchange/taskcluster-"  # the start of the names of exchanges that exist
_GRAPHQL_WS = Subprotocol("graphql-ws")

Json = dict[str, Any]


class Subscription(NamedTuple):
    """A subscription of a client, with its ID."""

    connection: ServerConnection
    path: str
    id: str
    bindings: Sequence[Json]

    def matches(self, exchange: str, keys: Sequence[str]) -> bool:
        """Return whether a message has to be sent."""
        return any(
            binding["exchange"] == exchange and match_topic(binding["pattern"], key)
            for binding in self.bindings
            for key in keys
        )

    def send(self, message: Json) -> None:
        """Send a message."""
        if self.path == FRAMES:
            frame = {"type": "data", "subscriptionId": self.id, "message": message}
        else:
            data = {"data": {"pulseMessages": message}}
            frame = {"type": "data", "id": self.id, "payload": data}
        self.connection.send(json.dumps(frame, separators=(",", ":")))

    def fail(self, text: str) -> None:
        """Report that a binding could not be made."""
        if self.path == FRAMES:
            problem = {"type": "error", "code": "SubscriptionError", "message": text}
            self.connection.send(json.dumps(problem | {"subscriptionId": self.id}))
        else:
            payload = {"message": text}
            self.connection.send(json.dumps({"type": "error", "id": self.id, "payload": payload}))


class WebServer:
    """The server; a context manager.

    Attributes:
        paths: The paths it knows: `FRAMES`, `GRAPHQL`.
        hellos: The first message of each connection.
        requested: The path of each request.
        subscriptions: All subscriptions of open connections.
        opened: The number of connections that said hello, ever.
    """

    def __init__(
        self,
        paths: Sequence[str] = BOTH,
        *,
        context: ssl.SSLContext | None = None,
        on_hello: Callable[[ServerConnection], object] | None = None,
        on_request: Callable[[Request], Response | None] | None = None,
        port: int = 0,
    ) -> None:
        self.paths = paths
        self.hellos: list[Json] = []
        self.requested: list[str] = []
        self.subscriptions: list[Subscription] = []
        self.opened = 0
        self._context = context
        self._on_hello = on_hello
        self._on_request = on_request
        self._port = port
        self._changed = threading.Condition()
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The port."""
        return self._port

    @property
    def root_url(self) -> str:
        """The deployment's root URL."""
        return f"http{'s' if self._context else ''}://localhost:{self._port}"

    def __enter__(self) -> Self:
        self._server = serve(
            self._handle,
            "127.0.0.1",
            self._port,
            ssl=self._context,
            compression=None,
            subprotocols=[_GRAPHQL_WS],
            select_subprotocol=lambda _, offered: _GRAPHQL_WS if offered else None,
            process_request=self._process_request,
            ping_interval=None,
            close_timeout=1,
            max_size=None,
        )
        self._port = self._server.socket.getsockname()[1]
        threading.Thread(target=self._server.serve_forever, name="server").start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Cut all connections, and accept no new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            self.cut()

    def subscribed(self, number: int = 1) -> list[Subscription]:
        """Wait for so many subscriptions that are open; returns them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.subscriptions) >= number, PATIENCE)
            return list(self.subscriptions)

    def greeted(self) -> None:
        """Wait for the first message of a client."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.hellos, PATIENCE)

    def connected(self, number: int) -> None:
        """Wait until so many connections were opened, ever."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.opened >= number, PATIENCE)

    def gone(self, subscription: Subscription) -> None:
        """Wait until a subscription's connection has ended."""
        with self._changed:
            assert self._changed.wait_for(lambda: subscription not in self.subscriptions, PATIENCE)

    def publish(
        self,
        exchange: str,
        key: str,
        payload: object,
        routes: Sequence[str] = (),
        *,
        redelivered: bool = False,
    ) -> int:
        """Send a message to all subscriptions that match it; returns to how many."""
        keys = [key, *(f"route.{route}" for route in routes)]
        message = {
            "payload": payload,
            "exchange": exchange,
            "routingKey": key,
            "redelivered": redelivered,
            "cc": [],
        }
        with self._changed:
            matching = [sub for sub in self.subscriptions if sub.matches(exchange, keys)]
        sent = 0
        for subscription in matching:
            try:
                subscription.send(message)
                sent += 1
            except ConnectionClosed:  # meanwhile
                continue
        return sent

    def close(self, code: int, reason: str = "") -> None:
        """Close all connections with a code."""
        for subscription in self.subscribed(0):
            subscription.connection.close(code, reason)

    def cut(self) -> None:
        """Cut all connections, without a closing frame."""
        for subscription in self.subscribed(0):
            try:
                subscription.connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:  # gone
                continue

    def _process_request(self, _: ServerConnection, request: Request) -> Response | None:
        self.requested.append(request.path)
        if self._on_request is not None and (answer := self._on_request(request)) is not None:
            return answer
        return None if request.path in self.paths else respond(404)

    def _handle(self, connection: ServerConnection) -> None:
        path = connection.request.path if connection.request else ""
        try:
            hello = json.loads(connection.recv())
            with self._changed:
                self.hellos.append(hello)
                self._changed.notify_all()
            if self._on_hello is not None:
                self._on_hello(connection)
            connection.send('{"type":"connection_ack"}')
            for text in connection:
                self._subscribe(connection, path, json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            with self._changed:
                self.subscriptions = [
                    sub for sub in self.subscriptions if sub.connection is not connection
                ]
                self._changed.notify_all()

    def _subscribe(self, connection: ServerConnection, path: str, request: Json) -> None:
        if path == FRAMES:
            assert request["type"] == "subscribe"
            number = f"s-{time.monotonic_ns()}"
            bindings = request["bindings"]
            connection.send(json.dumps({"type": "subscribe_ack", "subscriptionId": number}))
        else:
            assert request["type"] == "start"
            number = request["id"]
            bindings = request["payload"]["variables"]["subscriptions"]
        assert 1 <= len(bindings) <= 100
        subscription = Subscription(connection, path, number, bindings)
        unknown = [b["exchange"] for b in bindings if not b["exchange"].startswith(KNOWN)]
        if unknown:
            subscription.fail(
                "Error binding queue: Operation failed: QueueBind; 404 (NOT-FOUND) with message "
                f"\"NOT_FOUND - no exchange '{unknown[0]}' in vhost '/'\""
            )
            return
        with self._changed:
            self.subscriptions.append(subscription)
            self.opened = len(self.hellos)
            self._changed.notify_all()


def respond(status: int, body: bytes = b"", **headers: str) -> Response:
    """Create an HTTP answer, which refuses a handshake."""
    values = {name.replace("_", "-"): value for name, value in headers.items()}
    fields = Headers({**values, "Content-Length": str(len(body))})
    return Response(status, http.HTTPStatus(status).phrase, fields, body)


def credentials_of(token: str) -> Json:
    """Decode the credentials that a client sent."""
    kind, _, value = token.partition(" ")
    assert kind == "Bearer"
    credentials: Json = json.loads(base64.b64decode(value))
    return credentials


def report_problem(code: str, text: str, close: int) -> Callable[[ServerConnection], None]:
    """Return an answer to the first message: an error, and the end of the connection."""

    def answer(connection: ServerConnection) -> None:
        path = connection.request.path if connection.request else ""
        if path == FRAMES:
            connection.send(json.dumps({"type": "error", "code": code, "message": text}))
        else:
            payload = {"message": f"Error: {code} {text}"}
            connection.send(json.dumps({"type": "connection_error", "payload": payload}))
        connection.close(close, text[:60])

    return answer
