"""The record: a delivery as one line of JSON, and back.

Pure. The names are those of Taskcluster's own Pulse library, ``libraries/pulse``
of the taskcluster repository.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import msgspec
import orjson
from msgspec import Raw

from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.exchanges import PLACEHOLDER, ROUTE, find_exchange

_MAX_DEPTH = 1024  # levels of nesting that orjson accepts


class Record(MessageStruct, frozen=True):
    """A delivery, as `tcsniff -o json` prints it on one line.

    Attributes:
        exchange: The exchange's name on the broker.
        routing_key: The primary routing key.
        payload: The body as it was received, without line breaks between its
            tokens; null if it is not JSON.
        received: When tcsniff received it, in UTC, with milliseconds; null if
            unknown.
        routes: The task's own routes: the keys of the AMQP header ``CC`` that
            start with ``route.``, without that prefix; null if they are unknown.
        redelivered: Whether the broker had tried to deliver it before.
        error: Why the body is not JSON; absent if it is.
        body: The body in base64, if it is not JSON.
        cc: The keys of the header ``CC`` that do not start with ``route.``;
            absent if there are none, which is always so for Taskcluster.
    """

    exchange: str
    routing_key: str
    payload: Raw
    received: str | None = None
    routes: tuple[str, ...] | None = ()
    redelivered: bool = False
    error: str | None = None
    body: str | None = None
    cc: tuple[str, ...] = ()

    def with_payload(self, payload: bytes) -> Record:
        """Return the same record with another payload."""
        return msgspec.structs.replace(self, payload=Raw(payload))


class RecordHead(MessageStruct, frozen=True):
    """The part of a record that is needed to check its routing key.

    Attributes:
        exchange: The exchange's name on the broker.
        routing_key: The primary routing key.
        cc: The keys of the header ``CC`` that are not routes.
    """

    exchange: str
    routing_key: str
    cc: tuple[str, ...] = ()


class GapDetails(MessageStruct, frozen=True):
    """The details of a gap.

    Attributes:
        since: When messages were certainly received for the last time, in UTC.
        until: When messages could be received again, in UTC.
        missed: Whether messages may have been missed.
        reason: The cause.
    """

    since: str
    until: str
    missed: bool
    reason: str


class GapRecord(MessageStruct, frozen=True):
    """A time during which no messages could be received, as `--gaps` prints it on one line.

    Attributes:
        gap: The details of the gap.
    """

    gap: GapDetails


_decode_record = msgspec.json.Decoder(Record).decode
_decode_head = msgspec.json.Decoder(RecordHead).decode
_decode_gap = msgspec.json.Decoder(GapRecord).decode


def decode_body(body: bytes) -> tuple[Any, str | None]:
    """Decode a body.

    Returns:
        The value and None; or None and the reason why the body is not JSON.
        Numbers of more than 64 bits become floats; of repeated keys, the last
        one counts.
    """
    try:
        value = orjson.loads(body)
        # Each level has two brackets, so a shorter body cannot be that deep.
        if len(body) >= 2 * _MAX_DEPTH and body.count(b"[") + body.count(b"{") >= _MAX_DEPTH:
            orjson.loads(b"[%b]" % body)  # as deep as it is in the record
    except orjson.JSONDecodeError as error:
        return None, f"not JSON: {error}"
    return value, None


def find_decode_error(body: bytes) -> str | None:
    """Return why a body is not JSON; None if it is."""
    return decode_body(body)[1]


def format_record(delivery: Delivery) -> bytes:
    """Format a delivery as a line of JSON, with its line feed; see `Record`."""
    return format_record_with_error(delivery, find_decode_error(delivery.body))


_REDELIVERED = b',"redelivered":true,"payload":'
_NOT_REDELIVERED = b',"redelivered":false,"payload":'


def format_record_with_error(delivery: Delivery, error: str | None) -> bytes:
    """Format a delivery as `format_record` does, without decoding the body again.

    Args:
        delivery: The delivery.
        error: Why its body is not JSON; None if it is.
    """
    exchange, key, body, cc, redelivered, received = delivery
    try:
        # The head is cached, because many records share it; the payload is not encoded again.
        routes = delivery.routes
        parts = [
            _format_head(received, exchange),
            orjson.dumps(key),
            b',"routes":',
            orjson.dumps(routes),
        ]
        end = b"}\n" if cc is None or len(routes or ()) == len(cc) else _format_other_keys(cc)
    except TypeError:
        # py-amqp accepts strings that are not valid Unicode.
        return format_record_with_error(replace_undecodable(delivery), error)
    parts.append(_REDELIVERED if redelivered else _NOT_REDELIVERED)
    if error is None:
        parts.append(_remove_line_breaks(body))
    else:
        parts += [b'null,"error":', orjson.dumps(error)]
        parts += [b',"body":"', base64.b64encode(body), b'"']
    parts.append(end)
    return b"".join(parts)


@lru_cache(maxsize=64)
def _format_head(received: str | None, exchange: str) -> bytes:
    return b'{"received":%b,"exchange":%b,"routingKey":' % (
        orjson.dumps(received),
        orjson.dumps(exchange),
    )


def _format_other_keys(cc: tuple[str, ...]) -> bytes:
    return b',"cc":%b}\n' % orjson.dumps([key for key in cc if not key.startswith(ROUTE)])


_LF, _CR = b"\n\r"  # `in` finds an int seven times as fast as bytes


def _remove_line_breaks(body: bytes) -> bytes:
    # Inside a JSON string a line break is always escaped (RFC 8259, section 7),
    # so every unescaped one is between tokens, where it has no meaning.
    return body.translate(None, b"\r\n") if _LF in body or _CR in body else body


def replace_undecodable(delivery: Delivery) -> Delivery:
    """Return a delivery in which everything but the body is valid Unicode."""
    return delivery._replace(
        exchange=_replace_surrogates(delivery.exchange),
        routing_key=_replace_surrogates(delivery.routing_key),
        cc=delivery.cc and tuple(map(_replace_surrogates, delivery.cc)),
        received=delivery.received and _replace_surrogates(delivery.received),
    )


def _replace_surrogates(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def format_gap(gap: Gap) -> bytes:
    """Format a gap as a line of JSON, with its line feed; see `GapRecord`."""
    return orjson.dumps({"gap": gap._asdict()}, option=orjson.OPT_APPEND_NEWLINE)


def parse_record(text: bytes) -> Record:
    """Parse a record.

    Args:
        text: A line, with or without its line feed.

    Raises:
        ValueError: If it is not a record, with the reason.
    """
    try:
        return _decode_record(text)
    except RecursionError:
        return _parse_deep_record(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def parse_record_head(text: bytes) -> RecordHead:
    """Parse the head of a record, in two thirds of the time of `parse_record`.

    Raises:
        ValueError: If it is not a record, with the reason.
    """
    try:
        return _decode_head(text)
    except RecursionError:
        record = _parse_deep_record(text)
        return RecordHead(record.exchange, record.routing_key, record.cc)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def _parse_deep_record(text: bytes) -> Record:
    # msgspec accepts fewer levels of nesting than orjson, so the payload is cut
    # out. The first `"payload":` is its key: within strings, quotes are escaped.
    fields = orjson.loads(text)
    head, key, rest = text.partition(b'"payload":')
    end = rest.rindex(b',"cc":') if isinstance(fields, dict) and "cc" in fields else -1
    payload = rest[:end] if end >= 0 else rest.rstrip()[:-1]
    orjson.loads(payload)
    tail = rest[end:] if end >= 0 else b"}"
    return _decode_record(head + key + b"null" + tail).with_payload(payload)


def parse_gap(text: bytes) -> Gap:
    """Parse a gap.

    Raises:
        ValueError: If it is not a gap, with the reason.
    """
    try:
        gap = _decode_gap(text).gap
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return Gap(gap.since, gap.until, gap.missed, gap.reason)


def to_delivery(record: Record) -> Delivery:
    """Convert a record to the delivery that it was made from.

    The body is byte for byte the payload of the record.

    Raises:
        ValueError: If the record's body is not valid base64.
    """
    if record.body is None:
        body = bytes(record.payload)
    else:
        body = base64.b64decode(record.body, validate=True)
    cc = None
    if record.routes is not None:
        cc = (*[ROUTE + route for route in record.routes], *record.cc)
    return Delivery(
        record.exchange, record.routing_key, body, cc, record.redelivered, record.received
    )


_EVENTS_BY_STATE = {
    "pending": "task-pending",
    "completed": "task-completed",
    "failed": "task-failed",
    "exception": "task-exception",
}


def rebuild_delivery(text: bytes) -> Delivery:
    """Return the delivery whose body is a payload, as far as the payload shows it.

    The delivery has no routes, because payloads do not contain them. If a task
    group's message has only its IDs, it may be about the group's resolution or
    its sealing; resolution is assumed.

    Args:
        text: JSON.

    Raises:
        ValueError: If it is not a payload of the queue.
    """
    payload = orjson.loads(text)
    if not isinstance(payload, dict):
        raise ValueError("not an object")  # noqa: TRY004 - the text is wrong, not the argument
    status = payload.get("status")
    if isinstance(status, dict) and isinstance(status.get("taskId"), str):
        return _build_delivery(_find_task_event(payload, status), payload | status, payload, text)
    if isinstance(payload.get("taskGroupId"), str):
        name = "task-group-resolved"
        if "newPriority" in payload:
            name = "task-group-priority-changed"
        return _build_delivery(name, payload, payload, text)
    raise ValueError("neither a record nor a payload of the queue")


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
        # In v19, a task-defined message had the task's state at that time.
        state = "exception" if status.get("state") == "exception" else None
    return _EVENTS_BY_STATE.get(str(state), "task-defined")


def _build_delivery(
    name: str, values: dict[str, Any], payload: dict[str, Any], text: bytes
) -> Delivery:
    exchange = find_exchange(name)
    # The run and worker of a message are beside its status, never in it.
    values = values | {field: payload.get(field) for field in ("runId", "workerGroup", "workerId")}
    words = [
        field.constant or str(_fill_placeholder(values.get(field.name)))
        for field in exchange.fields
    ]
    return Delivery(exchange.address, ".".join(words), text.strip())


def _fill_placeholder(value: object) -> object:
    return PLACEHOLDER if value is None else value
