"""The record: a delivery as one line of JSON, and back.

Pure. The names are those that Taskcluster's own pulse library gives its users
(``libraries/pulse`` of the taskcluster repository).
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import msgspec
import orjson
from msgspec import Raw

from tcsniff.messages.parts import MessageStruct as Struct
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.exchanges import PLACEHOLDER, ROUTE, find_exchange

_DEEP = 1024  # levels, at which orjson gives up


class Record(Struct, frozen=True):
    """A delivery, as `tcsniff -o json` writes it on one line.

    Attributes:
        exchange: The exchange's name on the broker.
        routing_key: The primary routing key.
        payload: The body as it came, without line breaks between its tokens;
            null if it is no JSON.
        received: When it reached tcsniff, in UTC, with milliseconds; null if
            nobody wrote that down.
        routes: The task's own routes: the keys of the AMQP header ``CC`` that
            start with ``route.``, without that word.
        redelivered: Whether the broker had tried to deliver it before.
        error: Why the body is no JSON; left out if it is.
        body: The body in base64, if it is no JSON.
        cc: The keys of the header ``CC`` that do not start with ``route.``; left
            out if there are none, as Taskcluster never has any.
    """

    exchange: str
    routing_key: str
    payload: Raw
    received: str | None = None
    routes: tuple[str, ...] = ()
    redelivered: bool = False
    error: str | None = None
    body: str | None = None
    cc: tuple[str, ...] = ()

    def with_payload(self, payload: bytes) -> Record:
        """Make the same record with another payload."""
        return msgspec.structs.replace(self, payload=Raw(payload))


class GapDetails(Struct, frozen=True):
    """What is known of a gap.

    Attributes:
        since: When all had surely been heard for the last time, in UTC.
        until: From when on all was heard again, in UTC.
        missed: Whether messages can have been missed.
        reason: Why.
    """

    since: str
    until: str
    missed: bool
    reason: str


class GapRecord(Struct, frozen=True):
    """A time in which nothing could be heard, as `--gaps` writes it on one line.

    Attributes:
        gap: The time.
    """

    gap: GapDetails


def format_gap(gap: Gap) -> bytes:
    """Write a gap as a line of JSON, with its line feed; see `GapRecord`."""
    return orjson.dumps({"gap": gap._asdict()}, option=orjson.OPT_APPEND_NEWLINE)


def parse_gap(text: bytes) -> Gap:
    """Read a gap.

    Raises:
        ValueError: If it is none.
    """
    try:
        details = _GAPS(text).gap
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return Gap(details.since, details.until, details.missed, details.reason)


_GAPS = msgspec.json.Decoder(GapRecord).decode


def format_record(delivery: Delivery) -> bytes:
    """Write a delivery as a line of JSON, with its line feed; see `Record`."""
    return format_record_with_error(delivery, decode_error(delivery.body))


def format_record_with_error(delivery: Delivery, error: str | None) -> bytes:
    """Write a delivery whose `flaw` is known, as `line` does."""
    exchange, key, body, cc, redelivered, received = delivery
    try:
        # What many records share is made once, and the payload is not touched.
        routes = [key.removeprefix(ROUTE) for key in cc if key.startswith(ROUTE)]
        parts = [
            _format_head(received, exchange),
            orjson.dumps(key),
            b',"routes":',
            orjson.dumps(routes),
        ]
        end = b"}\n" if len(routes) == len(cc) else _format_other_keys(cc)
    except TypeError:
        # AMQP's strings may hold what is no Unicode text; py-amqp lets it pass.
        return format_record_with_error(_replace_undecodable(delivery), error)
    parts.append(_REDELIVERED if redelivered else _NEW)
    if error is None:
        parts.append(_remove_line_breaks(body))
    else:
        parts += [b'null,"error":', orjson.dumps(error)]
        parts += [b',"body":"', base64.b64encode(body), b'"']
    parts.append(end)
    return b"".join(parts)


_REDELIVERED = b',"redelivered":true,"payload":'
_NEW = b',"redelivered":false,"payload":'


@lru_cache(maxsize=64)
def _format_head(received: str | None, exchange: str) -> bytes:
    return b'{"received":%b,"exchange":%b,"routingKey":' % (
        orjson.dumps(received),
        orjson.dumps(exchange),
    )


def _format_other_keys(cc: tuple[str, ...]) -> bytes:
    return b',"cc":%b}\n' % orjson.dumps([key for key in cc if not key.startswith(ROUTE)])


def _replace_undecodable(delivery: Delivery) -> Delivery:
    return delivery._replace(
        exchange=_replace_surrogates(delivery.exchange),
        routing_key=_replace_surrogates(delivery.routing_key),
        cc=tuple(map(_replace_surrogates, delivery.cc)),
        received=delivery.received and _replace_surrogates(delivery.received),
    )


def _replace_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def decode_error(body: bytes) -> str | None:
    """Tell why a body is no JSON; None if it is."""
    return decode_body(body)[1]


def decode_body(body: bytes) -> tuple[Any, str | None]:
    """Decode a body.

    Returns:
        The value, and None; or None, and why the body is no JSON. Numbers of
        more than 64 bits become floats, of repeated keys the last one counts.
    """
    try:
        value = orjson.loads(body)
        # Each level has two brackets: what is shorter is not as deep.
        if len(body) >= 2 * _DEEP and body.count(b"[") + body.count(b"{") >= _DEEP:
            orjson.loads(b"[%b]" % body)  # as deep as it will stand in the record
    except orjson.JSONDecodeError as error:
        return None, f"not JSON: {error}"
    return value, None


_LF, _CR = b"\n\r"  # asked for as numbers, they are found seven times as fast


def _remove_line_breaks(body: bytes) -> bytes:
    # Inside a JSON string a line break is always escaped (RFC 8259, section 7),
    # so each one that is there stands between tokens and means nothing.
    return body.translate(None, b"\r\n") if _LF in body or _CR in body else body


class RecordHead(Struct, frozen=True):
    """As much of a record as tells whether it is selected by its routing key.

    Attributes:
        exchange: The exchange's name on the broker.
        routing_key: The primary routing key.
        cc: The keys of the header ``CC`` that are no routes.
    """

    exchange: str
    routing_key: str
    cc: tuple[str, ...] = ()


def parse_record_head(text: bytes) -> RecordHead:
    """Read the head of a record, in two thirds of the time of `parse`.

    Raises:
        ValueError: If it is none, with the reason.
    """
    try:
        return _HEAD_DECODER(text)
    except RecursionError:
        record = _parse_deep_record(text)
        return RecordHead(record.exchange, record.routing_key, record.cc)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


_HEAD_DECODER = msgspec.json.Decoder(RecordHead).decode


def parse_record(text: bytes) -> Record:
    """Read a record.

    Args:
        text: A line, with or without its line feed.

    Raises:
        ValueError: If it is no record, with the reason.
    """
    try:
        return _DECODER(text)
    except RecursionError:
        return _parse_deep_record(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def _parse_deep_record(text: bytes) -> Record:
    # msgspec reads fewer levels than orjson writes. The payload is cut out by
    # hand: a key before it has no quotes in it that are not escaped.
    fields = orjson.loads(text)
    head, mark, rest = text.partition(b'"payload":')
    end = rest.rindex(b',"cc":') if isinstance(fields, dict) and "cc" in fields else -1
    payload = rest[:end] if end >= 0 else rest.rstrip()[:-1]
    orjson.loads(payload)
    return _DECODER(head + mark + b"null" + (rest[end:] if end >= 0 else b"}")).with_payload(
        payload
    )


_DECODER = msgspec.json.Decoder(Record).decode


def to_delivery(record: Record) -> Delivery:
    """Make the delivery again that a record was made of.

    The body is byte for byte as it stands in the record.

    Raises:
        ValueError: If a body in base64 is none.
    """
    if record.body is None:
        body = bytes(record.payload)
    else:
        body = base64.b64decode(record.body, validate=True)
    cc = (*[ROUTE + route for route in record.routes], *record.cc)
    return Delivery(
        record.exchange, record.routing_key, body, cc, record.redelivered, record.received
    )


_BY_STATE = {
    "pending": "task-pending",
    "completed": "task-completed",
    "failed": "task-failed",
    "exception": "task-exception",
}


def rebuild_delivery(text: bytes) -> Delivery:
    """Tell which message a payload was the body of.

    Its routes are in no payload: the delivery has none. A group's message with
    no more than its ids may have been about its resolution or its sealing; it
    is taken for the former.

    Args:
        text: JSON.

    Raises:
        ValueError: If it is no payload of the queue's.
    """
    payload = orjson.loads(text)
    if not isinstance(payload, dict):
        raise ValueError("not an object")  # noqa: TRY004 - of the text, not of the argument
    status = payload.get("status")
    if isinstance(status, dict) and isinstance(status.get("taskId"), str):
        return _build_delivery(_find_task_event(payload, status), payload | status, payload, text)
    if isinstance(payload.get("taskGroupId"), str):
        name = "task-group-resolved"
        if "newPriority" in payload:
            name = "task-group-priority-changed"
        return _build_delivery(name, payload, payload, text)
    raise ValueError("neither a record nor a payload of the queue's")


def _find_task_event(payload: dict[str, Any], status: dict[str, Any]) -> str:
    if "artifact" in payload:
        return "artifact-created"
    if "newPriority" in payload:
        return "task-priority-changed"
    if "takenUntil" in payload:
        return "task-running"
    number, runs = payload.get("runId"), status.get("runs")
    if isinstance(number, int) and isinstance(runs, list) and 0 <= number < len(runs):
        state = runs[number].get("state") if isinstance(runs[number], dict) else None
    else:
        # In v19 a definition told the state that the task had by then.
        state = "exception" if status.get("state") == "exception" else None
    return _BY_STATE.get(str(state), "task-defined")


def _build_delivery(
    name: str, values: dict[str, Any], payload: dict[str, Any], text: bytes
) -> Delivery:
    exchange = find_exchange(name)
    # What is about a run or a worker stands beside the status, never in it.
    values = values | {field: payload.get(field) for field in ("runId", "workerGroup", "workerId")}
    words = [
        field.constant or str(_fill_placeholder(values.get(field.name)))
        for field in exchange.fields
    ]
    return Delivery(exchange.address, ".".join(words), text.strip())


def _fill_placeholder(value: object) -> object:
    return PLACEHOLDER if value is None else value
