"""The columns that the table and the lines show of an event.

Pure. All text from here is safe for a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.payloads import get_path
from tcsniff.pulse.styles import get_event_style
from tcsniff.pulse.subjects import describe_details, find_pool, find_subject
from tcsniff.pulse.times import to_local_time
from tcsniff.pulse.urls import build_group_url, build_log_url, build_run_url, build_task_url
from tcsniff.sanitize import sanitize

_TO_ASCII = str.maketrans("○◷▶✔✖■□±·→●…×█▓▒░▁▂▃▄▅▆▇▼▲│─▾▸←↑↓", "o.>vx#=%->*~x#=-._.:-=+*V^|--+<^v")


def describe_gap(gap: Gap) -> str:
    """Describe a gap for people."""
    effect = "messages may be missing" if gap.missed else "no message was missed"
    return sanitize(f"no connection from {gap.since} to {gap.until}: {effect} ({gap.reason})")


def to_ascii(text: str) -> str:
    """Replace the program's symbols by ASCII characters, for terminals without Unicode."""
    return text.translate(_TO_ASCII)


def encode_text(text: str, *, ascii_only: bool) -> bytes:
    """Encode text for the output, with symbols in ASCII if the terminal needs that."""
    return (to_ascii(text) if ascii_only else text).encode(errors="replace")


class Column(NamedTuple):
    """One value of an event.

    Attributes:
        title: Its heading.
        text: Formats the value; empty if the event has none.
        width: The usual number of cells.
        min_width: The fewest cells; a screen with less room leaves the column out.
    """

    title: str
    text: Callable[[Event], str]
    width: int
    min_width: int


def format_clock_time(time: datetime | None, *, utc: bool = False) -> str:
    """Format the time of day, in the local time zone or UTC."""
    if time is None:
        return ""
    try:
        return f"{time.astimezone(UTC) if utc else to_local_time(time):%H:%M:%S}"
    except OverflowError:  # at the ends of the calendar
        return ""


def _format_event(event: Event) -> str:
    style = get_event_style(event)
    return f"{style.symbol} {style.word}"


def _get_state(event: Event) -> str:
    return _to_text(get_path(event.payload, "status", "state"))


def get_unexpected_state(event: Event) -> str:
    """Return the task's state if the event's name does not imply it; else nothing."""
    state = _get_state(event)
    return "" if state == IMPLIED_STATES.get(event.name) else state


IMPLIED_STATES = {
    "task-defined": "unscheduled",
    "task-pending": "pending",
    "task-running": "running",
    "artifact-created": "running",
    "task-completed": "completed",
    "task-failed": "failed",
    "task-exception": "exception",
}
"""The state that a task has, as a rule, when the queue sends an event."""


def get_task_or_id(event: Event) -> str:
    """Return what `TASK` shows, or the task's ID if its name is unknown."""
    return _get_task(event) or _get_task_id(event)


def get_reason_or_pool(event: Event) -> str:
    """Return the reason, or the pool if there is none."""
    return _get_reason(event) or _get_pool(event)


def get_reason_or_worker(event: Event) -> str:
    """Return the reason, or the worker if there is none."""
    return _get_reason(event) or _get_worker(event)


def _get_task(event: Event) -> str:
    return sanitize(event.label) or ("" if event.task_id else _get_group_or_key(event))


def _get_group_or_key(event: Event) -> str:
    group = _get_routed(event, "taskGroupId")
    if group:
        return f"group {group}"
    return sanitize(find_subject(event) or event.routing_key)


def _get_task_id(event: Event) -> str:
    return sanitize(event.task_id)


def _get_run(event: Event) -> str:
    number = get_path(event.payload, "runId")
    return _to_text(number) or _get_routed(event, "runId")


def _get_pool(event: Event) -> str:
    parts = (_get_routed(event, "provisionerId"), _get_routed(event, "workerType"))
    return "/".join(parts) if any(parts) else sanitize(find_pool(event))


def _get_worker(event: Event) -> str:
    parts = (_get_routed(event, "workerGroup"), _get_routed(event, "workerId"))
    return " ".join(filter(None, parts))


def _get_reason(event: Event) -> str:
    if event.decode_error is not None:
        return "body is not JSON"
    reason = event.run.reason_resolved if event.run else None
    if event.name == "task-exception":
        state = get_path(event.payload, "status", "state")
        return _join(", ", reason, "retried" if state in ("pending", "running") else None)
    if event.name == "task-pending":
        created = _to_text(event.run.reason_created) if event.run else ""
        return "" if created == "scheduled" else created
    return _DETAILS[event.name](event) if event.name in _DETAILS else _describe_subject(event)


def _describe_subject(event: Event) -> str:
    return sanitize(describe_details(event))


def _format_priority(event: Event) -> str:
    old, new = get_path(event.payload, "oldPriority"), get_path(event.payload, "newPriority")
    return _join(" ", old, "→", new)


_DETAILS: dict[str, Callable[[Event], str]] = {
    "artifact-created": lambda event: _to_text(get_path(event.payload, "artifact", "name")),
    "task-priority-changed": _format_priority,
    "task-group-priority-changed": _format_priority,
}


def _get_routed(event: Event, field: str) -> str:
    word = event.routing.get(field, "")
    return "" if word == "_" else sanitize(word)


def _join(separator: str, *values: object) -> str:
    return separator.join(filter(None, map(_to_text, values)))


def _to_text(value: object) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return sanitize(str(value))


def _format_time(event: Event) -> str:
    return format_clock_time(event.time or event.received)


def _format_time_in_utc(event: Event) -> str:
    return format_clock_time(event.time or event.received, utc=True)


def _format_received(event: Event) -> str:
    return format_clock_time(event.received)


def _format_received_in_utc(event: Event) -> str:
    return format_clock_time(event.received, utc=True)


def _format_lag(event: Event) -> str:
    return "" if event.lag is None else f"{event.lag:.1f} s"


def _list_routes(event: Event) -> str:
    return "unknown" if event.routes is None else sanitize(" ".join(event.routes))


TIME = Column("TIME", _format_time, 8, 8)
EVENT = Column("EVENT", _format_event, 16, 11)
STATE = Column("STATE", _get_state, 11, 11)
TASK = Column("TASK", _get_task, 40, 8)
TASK_ID = Column("TASK ID", _get_task_id, 22, 22)
RUN = Column("RUN", _get_run, 3, 3)
POOL = Column("POOL", _get_pool, 24, 21)
WORKER = Column("WORKER", _get_worker, 26, 18)
REASON = Column("REASON", _get_reason, 24, 16)

COLUMNS = (TIME, EVENT, STATE, TASK, TASK_ID, RUN, POOL, WORKER, REASON)
"""The columns on a wide screen, in order."""

_MEANINGS = {
    "time": (TIME, "when it happened, or if unknown, when it was received"),
    "received": (Column("RECEIVED", _format_received, 8, 8), "when it was received"),
    "lag": (
        Column("LAG", _format_lag, 8, 6),
        "time from when it happened to when it was received",
    ),
    "event": (EVENT, "what happened, as symbol and word"),
    "state": (STATE, "the task's state when the queue sent the message"),
    "task": (
        TASK,
        "the task's label or kind, the group's ID, or what else the event is about",
    ),
    "task-id": (TASK_ID, "the task's ID"),
    "run": (RUN, "the run's number"),
    "pool": (POOL, "the worker pool: provisioner and worker type"),
    "worker": (WORKER, "the worker: group and ID"),
    "reason": (REASON, "why a run ended or was created; an artifact's name; a priority"),
    "scheduler": (
        Column("SCHEDULER", lambda event: _get_routed(event, "schedulerId"), 20, 10),
        "the scheduler",
    ),
    "group": (
        Column("TASK GROUP", lambda event: _get_routed(event, "taskGroupId"), 22, 22),
        "the task group's ID",
    ),
    "routes": (Column("ROUTES", _list_routes, 40, 12), "the task's own routes"),
    "exchange": (
        Column("EXCHANGE", lambda event: sanitize(event.exchange), 48, 16),
        "the exchange's name on the broker",
    ),
    "key": (
        Column("ROUTING KEY", lambda event: sanitize(event.routing_key), 60, 16),
        "the routing key",
    ),
}

COLUMN_MEANINGS = {name: meaning for name, (_, meaning) in _MEANINGS.items()}
"""The names of all columns, with their meanings."""

_IN_UTC: dict[Callable[[Event], str], Callable[[Event], str]] = {
    _format_time: _format_time_in_utc,
    _format_received: _format_received_in_utc,
}


def find_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns with these names.

    Raises:
        UsageError: If a name is unknown.
    """
    for name in names:
        if name not in _MEANINGS:
            near = suggest(name, COLUMN_MEANINGS) or f"; there are {', '.join(COLUMN_MEANINGS)}"
            raise UsageError(f"unknown column {name!r}{near}")
    return tuple(_MEANINGS[name][0] for name in names)


def show_utc(columns: Iterable[Column]) -> list[Column]:
    """Return columns that show times in UTC instead of the local time zone."""
    return [column._replace(text=_IN_UTC.get(column.text, column.text)) for column in columns]


COLUMN_GAP = 2
"""Cells between columns."""

_GROUP = "TASK GROUP"
_CLAIMED = frozenset(("task-running", "artifact-created", "task-completed", "task-failed"))
"""Events of runs that have a log; exceptions have one only if a worker had the run."""


def find_link_target(column: Column, event: Event, root_url: str | None) -> str | None:
    """Return the URL for a column of an event; None for no link.

    Args:
        column: The column.
        event: The event.
        root_url: Root URL of the Taskcluster deployment; None if unknown.
    """
    if root_url is None:
        return None
    if column.title in (TASK.title, TASK_ID.title):
        if not event.task_id:
            return _find_group_url(event, root_url) if column.title == TASK.title else None
        number = _get_run_number(event)
        page = None if number is None else build_run_url(root_url, event.task_id, number)
        return page or build_task_url(root_url, event.task_id)
    if column.title == RUN.title:
        number = _get_run_number(event)
        has_log = event.name in _CLAIMED or (
            event.run is not None and event.run.started is not None
        )
        return (
            build_log_url(root_url, event.task_id, number)
            if has_log and number is not None
            else None
        )
    return _find_group_url(event, root_url) if column.title == _GROUP else None


def _find_group_url(event: Event, root_url: str) -> str | None:
    return build_group_url(root_url, event.routing.get("taskGroupId", ""))


def _get_run_number(event: Event) -> int | None:
    number = get_path(event.payload, "runId")
    if number is None:
        word = event.routing.get("runId", "")
        return int(word) if word.isascii() and word.isdigit() and len(word) <= 4 else None
    return number if type(number) is int else None
