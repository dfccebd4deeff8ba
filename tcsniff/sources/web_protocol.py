"""What the protocols of a web server have in common: what a client sends, what a server answers.

Pure. `web_frames` and `web_graphql` are the two protocols.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple, TypeVar

import msgspec
import orjson

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.routing import Binding
from tcsniff.settings.credentials import Credentials

_END_OF_PAYLOAD = b',"exchange":'
_DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_Decoded = TypeVar("_Decoded")


class Accepted(NamedTuple):
    """The server accepted the client."""


class Subscribed(NamedTuple):
    """The server accepted the next subscription; it makes the bindings a moment later."""


class Arrival(NamedTuple):
    """A message.

    Attributes:
        subscription: The number of the subscription, from 0; None if it is unknown.
        delivery: The message, without the time of receipt.
    """

    subscription: int | None
    delivery: Delivery


class Problem(NamedTuple):
    """An error from the server.

    Attributes:
        code: One of the codes of the newer protocol, such as ``InsufficientScopes``; for
            the older protocol as far as its text shows it.
        text: Its description.
        subscription: The number of the subscription, from 0; None if it is about none.
    """

    code: str
    text: str
    subscription: int | None = None


class Other(NamedTuple):
    """Something that needs no answer, such as a sign of life."""


Answer = Accepted | Subscribed | Arrival | Problem | Other


class InvalidFrame(ValueError):
    """Data that does not follow the protocol; the text is the reason."""


class ServerMessage(msgspec.Struct, frozen=True, rename="camel"):
    """A message in an answer; the payload is kept as it was received."""

    payload: msgspec.Raw
    exchange: str
    routing_key: str
    redelivered: bool = False


class WebProtocol:
    """A protocol, with the state of one connection.

    Attributes:
        name: A name for messages.
        path: The path of the WebSocket, below the root URL.
        subprotocol: The WebSocket subprotocol; None for none.
        confirms_subscriptions: Whether the server answers a subscription at once.
    """

    name: ClassVar[str]
    path: ClassVar[str]
    subprotocol: ClassVar[str | None] = None
    confirms_subscriptions: ClassVar[bool]

    def format_hello(self, credentials: Credentials | None) -> bytes:
        """Format the first message.

        Args:
            credentials: Taskcluster's credentials; None for none.
        """
        raise NotImplementedError

    def format_subscription(self, bindings: Sequence[Binding]) -> bytes:
        """Format a subscription; the first one has number 0."""
        raise NotImplementedError

    def parse_answer(self, data: bytes) -> Answer:
        """Parse a message of the server.

        Raises:
            InvalidFrame: If it does not follow the protocol.
        """
        raise NotImplementedError


def format_token(credentials: Credentials) -> str:
    """Format credentials as the value of an ``Authorization`` header."""
    values = {"clientId": credentials.client_id, "accessToken": credentials.access_token}
    if credentials.certificate:
        values["certificate"] = credentials.certificate
    return f"Bearer {base64.b64encode(orjson.dumps(values)).decode()}"


def format_bindings(bindings: Sequence[Binding]) -> list[dict[str, str]]:
    """Format bindings as both protocols do."""
    return [binding._asdict() for binding in bindings]


def to_delivery(message: ServerMessage, payload: bytes | None) -> Delivery:
    """Convert a message; its routes are unknown, as servers do not send them.

    Args:
        message: The message.
        payload: Its payload, if that was cut out.
    """
    body = bytes(message.payload) if payload is None else payload
    return Delivery(message.exchange, message.routing_key, body, None, bool(message.redelivered))


def decode_answer(
    decode: Callable[[bytes], _Decoded], data: bytes, start: bytes
) -> tuple[_Decoded, bytes | None]:
    """Decode an answer, also one whose payload is not valid JSON or nested too deeply.

    Args:
        decode: Decodes an answer.
        data: The answer.
        start: What stands before the payload of a message.

    Returns:
        The answer, and None; or the answer with null instead of the payload, and the
        payload as it was received.

    Raises:
        InvalidFrame: If it cannot be decoded.
    """
    try:
        return decode(data), None
    except _DECODE_ERRORS as error:
        reason = str(error)
    head, key, rest = data.partition(start)
    end = rest.rfind(_END_OF_PAYLOAD)  # within a JSON string, quotes are escaped
    if not key or end < 0:
        raise InvalidFrame(reason)
    try:
        return decode(b"".join([head, key, b"null", rest[end:]])), rest[:end]
    except _DECODE_ERRORS as error:
        raise InvalidFrame(str(error)) from error
