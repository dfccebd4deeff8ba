"""The older protocol of web servers: GraphQL subscriptions.

Pure. The library subscriptions-transport-ws 0.11, as used by ``services/web-server`` of the
taskcluster repository up to v106.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import orjson

from tcsniff.pulse.routing import Binding
from tcsniff.settings.credentials import Credentials
from tcsniff.sources.web_protocol import (
    Accepted,
    Answer,
    Arrival,
    InvalidFrame,
    Other,
    Problem,
    ServerMessage,
    WebProtocol,
    decode_answer,
    format_bindings,
    format_token,
    to_delivery,
)

_QUERY = """\
subscription PulseMessages($subscriptions: [PulseSubscription]!) {
  pulseMessages(subscriptions: $subscriptions) {
    payload
    exchange
    routingKey
    redelivered
    cc
  }
}"""
_PAYLOAD = b'"pulseMessages":{"payload":'
_MAX_TEXT = 500  # characters of an error

# What an error's text contains, and its code in the newer protocol. The first that fits counts.
_CODES = {
    "InsufficientScopes": "InsufficientScopes",
    "AuthenticationFailed": "AuthenticationFailed",
    "Authentication Error": "AuthenticationFailed",
    "binding queue": "SubscriptionError",
    "NOT-FOUND": "SubscriptionError",
    "NOT_FOUND": "SubscriptionError",
    "ACCESS_REFUSED": "SubscriptionError",
    "ACCESS-REFUSED": "SubscriptionError",
}


class _Data(msgspec.Struct, frozen=True, rename="camel"):
    pulse_messages: ServerMessage | None = None


class _Result(msgspec.Struct, frozen=True):
    data: _Data | None = None
    errors: Any = None


class _Frame(msgspec.Struct, frozen=True):
    type: str
    id: str | None = None
    payload: _Result | list[Any] | str | float | bool | None = None


class _ErrorFrame(msgspec.Struct, frozen=True):
    payload: Any = None


_decode_frame = msgspec.json.Decoder(_Frame).decode
_decode_error = msgspec.json.Decoder(_ErrorFrame).decode


class GraphqlProtocol(WebProtocol):
    """GraphQL; the client names each subscription, and the server does not confirm it."""

    name = "GraphQL"
    path = "/subscription"
    subprotocol = "graphql-ws"
    confirms_subscriptions = False

    def __init__(self) -> None:
        self._subscriptions = 0

    def format_hello(self, credentials: Credentials | None) -> bytes:
        """Format the first message."""
        payload = {"Authorization": format_token(credentials)} if credentials else {}
        return orjson.dumps({"type": "connection_init", "payload": payload})

    def format_subscription(self, bindings: Sequence[Binding]) -> bytes:
        """Format a subscription."""
        self._subscriptions += 1
        payload = {
            "operationName": "PulseMessages",
            "query": _QUERY,
            "variables": {"subscriptions": format_bindings(bindings)},
        }
        return orjson.dumps({"id": str(self._subscriptions), "type": "start", "payload": payload})

    def parse_answer(self, data: bytes) -> Answer:
        """Parse a message of the server."""
        frame, payload = decode_answer(_decode_frame, data, _PAYLOAD)
        number = int(frame.id) - 1 if frame.id and frame.id.isdecimal() else None
        match frame.type:
            case "data":
                return _parse_result(frame.payload, payload, number)
            case "connection_ack":
                return Accepted()
            case "connection_error" | "error":
                return _make_problem(_decode_error(data).payload, number)
            case "complete":
                return Problem("InternalError", "the server ended the subscription", number)
        return Other()


def _parse_result(result: object, payload: bytes | None, number: int | None) -> Answer:
    if isinstance(result, _Result):
        if result.data is not None and result.data.pulse_messages is not None:
            return Arrival(number, to_delivery(result.data.pulse_messages, payload))
        if result.errors is not None:
            return _make_problem(result.errors, number)
    raise InvalidFrame("it contains no message")


def _make_problem(value: Any, number: int | None) -> Problem:
    text = "; ".join(_list_texts(value))[:_MAX_TEXT] or "no reason given"
    code = next((code for mark, code in _CODES.items() if mark in text), "InternalError")
    return Problem(code, text.removeprefix("Error: "), number)


def _list_texts(value: Any) -> Iterator[str]:
    # An error is a text, an object with a message, or a list of such objects.
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _list_texts(value.get("message"))
    elif isinstance(value, list):
        for item in value:
            yield from _list_texts(item)
