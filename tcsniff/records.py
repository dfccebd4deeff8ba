"""The record: a delivery as one line of JSON.

Pure. The names are those that Taskcluster's own pulse library gives its users
(``libraries/pulse`` of the taskcluster repository).
"""

from __future__ import annotations

import base64

import orjson

from tcsniff.deliveries import Delivery
from tcsniff.exchanges import ROUTE


def line(delivery: Delivery) -> bytes:
    """Write a delivery as a line of JSON, with its line feed.

    The body is kept byte for byte where it is one line of JSON; line breaks
    between its tokens are left out. A body that is no JSON becomes
    ``"payload":null`` with the reason as ``error`` and the bytes as ``body``,
    in base64. Routing keys of the CC header that are no routes, which
    Taskcluster never sends, are kept as ``cc``.
    """
    record: dict[str, object] = {
        "received": delivery.received,
        "exchange": delivery.exchange,
        "routingKey": delivery.routing_key,
        "routes": delivery.routes,
        "redelivered": delivery.redelivered,
    }
    error = flaw(delivery.body)
    if error is None:
        record["payload"] = orjson.Fragment(_on_one_line(delivery.body))
    else:
        record["payload"] = None
        record["error"] = error
        record["body"] = base64.b64encode(delivery.body).decode()
    others = [key for key in delivery.cc if not key.startswith(ROUTE)]
    if others:
        record["cc"] = others
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def flaw(body: bytes) -> str | None:
    """Tell why a body is no JSON; None if it is."""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error}"
    return None


def _on_one_line(body: bytes) -> bytes:
    # Inside a JSON string a line break is always escaped (RFC 8259, section 7),
    # so each one that is there stands between tokens and means nothing.
    return body.translate(None, b"\r\n") if b"\n" in body or b"\r" in body else body
