"""The newer protocol of web servers: JSON frames.

Pure. ``services/web-server`` of the taskcluster repository, pull request 8971.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    Subscribed,
    WebProtocol,
    decode_answer,
    format_bindings,
    format_token,
    to_delivery,
)


class _Frame(msgspec.Struct, frozen=True, rename="camel"):
    type: str
    subscription_id: str | None = None
    message: ServerMessage | str | None = None
    code: str | None = None


_decode_frame = msgspec.json.Decoder(_Frame).decode
_PAYLOAD = b'"message":{"payload":'


class FrameProtocol(WebProtocol):
    """JSON frames; the server names each subscription when it confirms it."""

    name = "JSON frames"
    path = "/subscription/raw"
    confirms_subscriptions = True

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def format_hello(self, credentials: Credentials | None) -> bytes:
        """Format the first message."""
        hello = {"type": "connection_init"}
        if credentials:
            hello["authorization"] = format_token(credentials)
        return orjson.dumps(hello)

    def format_subscription(self, bindings: Sequence[Binding]) -> bytes:
        """Format a subscription."""
        return orjson.dumps({"type": "subscribe", "bindings": format_bindings(bindings)})

    def parse_answer(self, data: bytes) -> Answer:
        """Parse a message of the server."""
        frame, payload = decode_answer(_decode_frame, data, _PAYLOAD)
        number = self._numbers.get(frame.subscription_id or "")
        match frame.type:
            case "data":
                if not isinstance(frame.message, ServerMessage):
                    raise InvalidFrame("it contains no message")
                return Arrival(number, to_delivery(frame.message, payload))
            case "connection_ack":
                return Accepted()
            case "subscribe_ack":
                self._numbers.setdefault(frame.subscription_id or "", len(self._numbers))
                return Subscribed()
            case "error":
                text = frame.message if isinstance(frame.message, str) else ""
                return Problem(frame.code or "", text or "no reason given", number)
        return Other()
