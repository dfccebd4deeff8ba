"""The JSON record in words: for tcsniff-record(5) and ``tcsniff help record``.

Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tcsniff import messages
from tcsniff.manual.blocks import Block, Example, Heading, Prose, Terms
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.selection.evaluation import EXPRESSION_FIELDS

_WIDEST = 56  # characters of a value in an example
_KEY = "primary.G41B6K1FS32lXqJrVoB7Yw.0.us-east-1.i-0a1b2c3d.gecko-1.b-linux.gecko-level-1."
_DELIVERY = Delivery(
    exchange="exchange/taskcluster-queue/v1/task-running",
    routing_key=f"{_KEY}fN1SbArXTPSVFNUvaOlinQ._",
    body=b'{"status":{"taskId":"G41B6K1FS32lXqJrVoB7Yw"},"runId":0}',
    cc=("route.index.gecko.v2.try.latest.build",),
    received="2026-11-23T18:00:00.123Z",
)
_NO_JSON = _DELIVERY._replace(
    exchange="exchange/build/normalized", routing_key="build", cc=(), body=b"done"
)
_WHY = "not JSON: unexpected character: line 1 column 1"  # as orjson's words change
_GAP = Gap(
    "2026-11-23T18:00:00.123Z",
    "2026-11-23T18:00:04.567Z",
    missed=True,
    reason="a temporary queue is lost with its connection",
)

_INTRODUCTION = """A record is a message as tcsniff got it, in one line of JSON in UTF-8. `-o json`
    prints records, `--record` writes them to a file, and `--from` reads them again: a recording is
    records and nothing else, plain or compressed with gzip. The names are those that Taskcluster's
    own library for Pulse gives its users."""

_PAYLOAD = """The payload is the message byte for byte, where it is one line of JSON: numbers and
    the order of keys are not touched. Where it is several lines, the line breaks between its
    tokens are left out. What it holds is Taskcluster's: `tcsniff schema EVENT` prints the JSON
    Schema of the queue's messages, and `tcsniff schema` that of the record."""

_NOT_JSON = """A message that is no JSON is a record too. Its payload is null, the reason is in
    error, and its bytes are in body:"""

_ADDED = """Expressions (`--where`, `--until`, `--fail-on`, `--select`) see all of these, and in
    addition:"""

ADDED = {
    "routing": "The words of the routing key by the names of their fields, such as "
    "routing.taskId; empty for an exchange that tcsniff does not know.",
    "event": "The last part of the exchange's name, such as task-running.",
    "service": "The service that announced it, such as queue; null for an exchange that tcsniff "
    "does not know.",
    "time": "When it happened, in UTC, from the run that the message is about; null where it does "
    "not tell. `received` is when we heard of it.",
    "lag": "Seconds from the one to the other; null without both; negative if clocks differ.",
}
"""What expressions see besides the record, and what each is."""

_GAPS = """With `--gaps`, a time in which nothing could be heard is a line of its own among the
    records. It has one field, gap; programs that do not care pass over lines without exchange."""

_PROMISE = (
    """Fields are only ever added: a program that passes over fields that it does not know keeps
    working. A field that is there today keeps its name, its type and its meaning; what is left out
    where it does not apply stays so. The same holds for the fields of a gap.""",
    """A line is whole when its line feed is there. `--from` passes over a torn last line and over
    lines that are no records, and tells how many.""",
    """The order of records is that of arrival, and the same message may come twice: the broker
    repeats what was not acknowledged (redelivered is true then), and Taskcluster itself repeats
    messages, which `--dedupe` drops.""",
)


def fields() -> dict[str, str]:
    """Tell of each field of the record, in the order in which they are written."""
    worded = messages.build_schema(records.Record)["$defs"]["Record"]["properties"]
    order = [name for name in EXPRESSION_FIELDS if name in worded]
    return {name: _field(worded[name]) for name in order}


def _field(field: dict[str, Any]) -> str:
    kinds = [one["type"] for one in field.get("anyOf", [field]) if "type" in one]
    text = field["description"].replace("``", "`")
    return f"({' or '.join(kinds) or 'any JSON'}) {text}"


def record() -> list[Block]:
    """Tell of the record."""
    return [Prose(_INTRODUCTION), *_told()]


def sections() -> dict[str, list[Block]]:
    """Give the same as sections of a page, by their titles."""
    found: dict[str, list[Block]] = {"DESCRIPTION": [Prose(_INTRODUCTION)]}
    for block in _told():
        if isinstance(block, Heading):
            found[block.text.upper()] = []
        else:
            found[list(found)[-1]].append(block)
    return found


def _told() -> Iterator[Block]:
    yield Heading("Fields")
    yield Terms(fields())
    yield Prose(_PAYLOAD)
    yield Prose(_NOT_JSON)
    yield Example(_broken(records.format_record_with_error(_NO_JSON, _WHY)))
    yield Heading("What expressions see")
    yield Prose(_ADDED)
    yield Terms(ADDED)
    yield Heading("Gaps")
    yield Prose(_GAPS)
    yield Example(_broken(records.format_gap(_GAP)))
    yield Heading("Promise")
    yield from map(Prose, _PROMISE)
    yield Heading("Examples")
    yield Prose("A record, here broken into lines and with its key cut short:")
    yield Example(_broken(records.format_record(_DELIVERY)))


def _broken(line: bytes) -> str:
    """Break a record between its fields, as nobody could read it otherwise."""
    rows = [f"{json.dumps(name)}:{_compact(value)}" for name, value in json.loads(line).items()]
    return "{" + ",\n ".join(rows) + "}"


def _compact(value: object) -> str:
    if isinstance(value, dict) and len(value) > 3:
        rows = [f"{json.dumps(name)}:{_compact(one)}" for name, one in value.items()]
        return "{" + ",\n  ".join(rows) + "}"
    if isinstance(value, str) and len(value) > _WIDEST:
        value = value[: _WIDEST - 1] + "…"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
