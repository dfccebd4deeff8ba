"""Rows of events, in a form that is small enough to keep 50,000 of them.

Pure. What is searched and jumped to is kept as text; the message itself is kept
compressed, and is decoded again for the rows on the screen.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import NamedTuple

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.records import format_record_with_error, parse_record, to_delivery
from tcsniff.renderers.columns import POOL, REASON, WORKER
from tcsniff.sanitize import sanitize

FAILURES = frozenset(("task-failed", "task-exception"))
"""The events that `e` jumps to."""
_LEVEL = 1  # of zlib: 12 µs for a message of 2 KB, which becomes 700 bytes
_MAX_SEARCHED = 1_000  # characters of a row that a filter looks at


class EventRow(NamedTuple):
    """An event of the list.

    Attributes:
        name: The last part of the exchange's name, such as ``task-running``.
        task_id: The event's task; empty if it is about none.
        group_id: Its task group; empty if it is unknown.
        pool: Its worker pool, safe for a terminal; empty if it is unknown.
        run_id: The run that it is about; None if it is about none.
        label: The task's label, if the message has it.
        seconds: When it happened, or else when it was received, in seconds since the
            Unix epoch; 0 if neither is known.
        lag: Seconds from when it happened to when it was received; None if unknown.
        searched: What a text filter looks at, in lower case.
        record: The delivery, as a compressed record.
    """

    name: str
    task_id: str
    group_id: str
    pool: str
    run_id: int | None
    label: str
    seconds: float
    lag: float | None
    searched: str
    record: bytes

    @property
    def is_failure(self) -> bool:
        """Whether a run failed or ended in exception."""
        return self.name in FAILURES

    @property
    def delivery(self) -> Delivery:
        """The delivery, decompressed."""
        return to_delivery(parse_record(zlib.decompress(self.record)))


def build_row(event: Event) -> EventRow:
    """Return the row of an event."""
    routing = event.routing
    time = event.time or event.received
    pool = POOL.text(event)
    searched = " ".join(
        (
            event.name,
            sanitize(event.label),
            pool,
            WORKER.text(event),
            REASON.text(event),
            sanitize(event.routing_key),
        )
    )
    record = format_record_with_error(event.delivery, event.decode_error)
    return EventRow(
        _share(event.name),
        event.task_id,
        _share(routing.get("taskGroupId", "").removeprefix("_")),
        _share(pool),
        event.run.run_id if event.run else _parse_run(routing.get("runId", "")),
        event.label,
        0.0 if time is None else time.timestamp(),
        event.lag,
        searched[:_MAX_SEARCHED].lower(),
        zlib.compress(record, _LEVEL),
    )


@lru_cache(maxsize=4_096)
def _share(text: str) -> str:
    # One string for all rows that have it.
    return text


def _parse_run(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 4 else None
