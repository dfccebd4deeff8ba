"""What the table and the lines show of an event, column by column.

Pure. Everything that comes out of here is safe for a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.payloads import get_path
from tcsniff.pulse.styles import get_event_style
from tcsniff.pulse.urls import build_group_url, build_log_url, build_run_url, build_task_url
from tcsniff.sanitize import sanitize

_ASCII = {
    "○": "o",
    "◷": ".",
    "▶": ">",
    "✔": "v",
    "✖": "x",
    "■": "#",
    "□": "=",
    "±": "%",
    "·": "-",
    "→": ">",
}
_ASCII |= {"●": "*", "…": "~"}
_ASCII |= {"█": "#", "▓": "=", "▒": "-", "░": "."}
_ASCII |= dict(zip("▁▂▃▄▅▆▇", "_.:-=+*", strict=True))


def describe_gap(gap: Gap) -> str:
    """Word a gap for people."""
    what = "messages in between were missed" if gap.missed else "no message was missed"
    return sanitize(f"nothing heard from {gap.since} to {gap.until}: {what} ({gap.reason})")


def to_ascii(text: str) -> str:
    """Spell our own symbols in ASCII, for terminals that know no more."""
    return "".join(_ASCII.get(letter, letter) for letter in text)


class Column(NamedTuple):
    """One thing to show of an event.

    Attributes:
        title: Its heading.
        text: What to show; empty if the event has nothing of the kind.
        width: In cells; what is wider is cut off in a table.
    """

    title: str
    text: Callable[[Event], str]
    width: int


def format_clock_time(moment: datetime | None, *, utc: bool = False) -> str:
    """Write the time of day, in the local time zone unless told otherwise."""
    if moment is None:
        return ""
    try:
        return f"{moment.astimezone(UTC if utc else None):%H:%M:%S}"
    except OverflowError:  # at the ends of the calendar
        return ""


def _what(event: Event) -> str:
    look = get_event_style(event)
    return f"{look.symbol} {look.word}"


def _state(event: Event) -> str:
    return _word(get_path(event.payload, "status", "state"))


def _task(event: Event) -> str:
    return sanitize(event.label) or ("" if event.task_id else _group_or_key(event))


def _group_or_key(event: Event) -> str:
    group = _routed(event, "taskGroupId")
    return f"group {group}" if group else sanitize(event.routing_key)


def _task_id(event: Event) -> str:
    return sanitize(event.task_id)


def _run(event: Event) -> str:
    number = get_path(event.payload, "runId")
    return _word(number) or _routed(event, "runId")


def _pool(event: Event) -> str:
    parts = (_routed(event, "provisionerId"), _routed(event, "workerType"))
    return "/".join(parts) if any(parts) else ""


def _worker(event: Event) -> str:
    parts = (_routed(event, "workerGroup"), _routed(event, "workerId"))
    return " ".join(filter(None, parts))


def _reason(event: Event) -> str:
    if event.decode_error is not None:
        return "body is no JSON"
    reason = event.run.reason_resolved if event.run else None
    if event.name == "task-exception":
        state = get_path(event.payload, "status", "state")
        return _joined(", ", reason, "retried" if state in ("pending", "running") else None)
    if event.name == "task-pending":
        created = _word(event.run.reason_created) if event.run else ""
        return "" if created == "scheduled" else created
    return _DETAIL.get(event.name, _nothing)(event)


def _nothing(_event: Event) -> str:
    return ""


def _priority(event: Event) -> str:
    old, new = get_path(event.payload, "oldPriority"), get_path(event.payload, "newPriority")
    return _joined(" ", old, "→", new)


_DETAIL: dict[str, Callable[[Event], str]] = {
    "artifact-created": lambda event: _word(get_path(event.payload, "artifact", "name")),
    "task-priority-changed": _priority,
    "task-group-priority-changed": _priority,
    "worker-removed": lambda event: _word(get_path(event.payload, "reason")),
}


def _routed(event: Event, field: str) -> str:
    word = event.routing.get(field, "")
    return "" if word == "_" else sanitize(word)


def _joined(between: str, *values: object) -> str:
    return between.join(filter(None, map(_word, values)))


def _word(value: object) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return sanitize(str(value))


def _happened(event: Event) -> str:
    return format_clock_time(event.time or event.received)


def _happened_in_utc(event: Event) -> str:
    return format_clock_time(event.time or event.received, utc=True)


def _received(event: Event) -> str:
    return format_clock_time(event.received)


def _received_in_utc(event: Event) -> str:
    return format_clock_time(event.received, utc=True)


def _lag(event: Event) -> str:
    return "" if event.lag is None else f"{event.lag:.1f} s"


def _route(event: Event) -> str:
    return sanitize(" ".join(event.routes))


TIME = Column("TIME", _happened, 8)
EVENT = Column("EVENT", _what, 16)
STATE = Column("STATE", _state, 11)
TASK = Column("TASK", _task, 40)
TASK_ID = Column("TASK ID", _task_id, 22)
RUN = Column("RUN", _run, 3)
POOL = Column("POOL", _pool, 24)
WORKER = Column("WORKER", _worker, 26)
REASON = Column("REASON", _reason, 24)

COLUMNS = (TIME, EVENT, STATE, TASK, TASK_ID, RUN, POOL, WORKER, REASON)
"""What is shown where there is room for it, in order."""

_MEANINGS = {
    "time": (TIME, "when it happened, or else when it reached us"),
    "received": (Column("RECEIVED", _received, 8), "when it reached us"),
    "lag": (Column("LAG", _lag, 8), "how long after it happened it reached us"),
    "event": (EVENT, "what happened, by symbol and word"),
    "state": (STATE, "the task's state, as the queue knew it when it sent the message"),
    "task": (TASK, "the task's label or kind; the group's id; else the routing key"),
    "task-id": (TASK_ID, "the task's id"),
    "run": (RUN, "the run's number"),
    "pool": (POOL, "the worker pool: provisioner and worker type"),
    "worker": (WORKER, "the worker: group and id"),
    "reason": (REASON, "why a run ended or was made; an artifact's name; a priority"),
    "scheduler": (
        Column("SCHEDULER", lambda event: _routed(event, "schedulerId"), 20),
        "the scheduler",
    ),
    "group": (
        Column("TASK GROUP", lambda event: _routed(event, "taskGroupId"), 22),
        "the task group's id",
    ),
    "routes": (Column("ROUTES", _route, 40), "the task's own routes"),
    "exchange": (
        Column("EXCHANGE", lambda event: sanitize(event.exchange), 48),
        "the exchange's name on the broker",
    ),
    "key": (
        Column("ROUTING KEY", lambda event: sanitize(event.routing_key), 60),
        "the routing key",
    ),
}

COLUMN_MEANINGS = {name: meaning for name, (_, meaning) in _MEANINGS.items()}
"""Every column that can be asked for, and what it shows."""

_IN_UTC: dict[Callable[[Event], str], Callable[[Event], str]] = {
    _happened: _happened_in_utc,
    _received: _received_in_utc,
}


def find_columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Look columns up.

    Raises:
        UsageError: If there is none of a name.
    """
    for name in names:
        if name not in _MEANINGS:
            near = suggest(name, COLUMN_MEANINGS) or f"; there are {', '.join(COLUMN_MEANINGS)}"
            raise UsageError(f"no column {name!r}{near}")
    return tuple(_MEANINGS[name][0] for name in names)


def show_utc(columns: Iterable[Column]) -> list[Column]:
    """Have columns show times in UTC instead of the local time zone."""
    return [column._replace(text=_IN_UTC.get(column.text, column.text)) for column in columns]


# For narrow screens: two in the place of one, the more telling first.
_NAME = Column("TASK", lambda event: _task(event) or _task_id(event), 40)
_POOL_OR_REASON = Column("POOL · REASON", lambda event: _reason(event) or _pool(event), 20)
_WORKER_OR_REASON = Column("WORKER · REASON", lambda event: _reason(event) or _worker(event), 24)

_SHORT_EVENT = EVENT._replace(width=11)

# By the least cells that they need. The task takes what the others leave, and
# when it has enough, the last column does.
_LAYOUTS = (
    (184, (TIME, EVENT, STATE, TASK, TASK_ID, RUN, POOL, WORKER._replace(width=34), REASON)),
    (116, (TIME, _SHORT_EVENT, TASK, TASK_ID._replace(width=13), RUN, POOL, _WORKER_OR_REASON)),
    (94, (TIME, _SHORT_EVENT, _NAME, RUN, POOL._replace(width=22), _WORKER_OR_REASON)),
    (66, (TIME, _SHORT_EVENT, _NAME, RUN, _POOL_OR_REASON)),
    (0, (TIME, _SHORT_EVENT, _NAME)),
)

COLUMN_GAP = 2  # cells between columns
_LEAST = 8  # cells for a task
_ENOUGH = 44  # cells for a task, if the last column can do with more
_MOST = 60  # cells for anything


def fit_columns(width: int, chosen: Sequence[Column] = ()) -> list[Column]:
    """Choose columns for a screen, each with the width that it has there.

    Args:
        width: Of the screen, in cells.
        chosen: The columns that were asked for; none for what fits best. Those
            that find no room are left out, from the right.
    """
    if chosen:
        columns = list(_fitting(chosen, width))
    else:
        columns = list(next(columns for least, columns in _LAYOUTS if width >= least))
    titles = [column.title for column in columns]
    place = titles.index(TASK.title) if TASK.title in titles else len(columns) - 1
    fixed = sum(column.width for column in columns) - columns[place].width
    left = max(_LEAST, width - fixed - COLUMN_GAP * (len(columns) - 1))
    columns[place] = columns[place]._replace(width=min(left, _ENOUGH))
    last = columns[-1]
    more = left - columns[place].width
    columns[-1] = last._replace(width=max(last.width, min(last.width + more, _MOST)))
    return columns


def _fitting(chosen: Sequence[Column], width: int) -> Iterator[Column]:
    yield chosen[0]
    used = _least(chosen[0])
    for column in chosen[1:]:
        used += COLUMN_GAP + _least(column)
        if used > width:
            return
        yield column


def _least(column: Column) -> int:
    return _LEAST if column.title == TASK.title else column.width


_GROUP = "TASK GROUP"
_CLAIMED = frozenset(("task-running", "artifact-created", "task-completed", "task-failed"))
"""What happens to runs that have a log; of exceptions, only those that a worker had."""


def find_link_target(column: Column, event: Event, root_url: str | None) -> str | None:
    """Tell where a column leads for an event.

    Args:
        column: Which.
        event: The event.
        root_url: Of the Taskcluster deployment; None if that is not known.

    Returns:
        An address; None if it leads nowhere.
    """
    if root_url is None:
        return None
    if column.title in (TASK.title, TASK_ID.title):
        if not event.task_id:
            return _group(event, root_url) if column.title == TASK.title else None
        number = _linked_run(event)
        page = None if number is None else build_run_url(root_url, event.task_id, number)
        return page or build_task_url(root_url, event.task_id)
    if column.title == RUN.title:
        number = _linked_run(event)
        has_log = event.name in _CLAIMED or (
            event.run is not None and event.run.started is not None
        )
        return (
            build_log_url(root_url, event.task_id, number)
            if has_log and number is not None
            else None
        )
    return _group(event, root_url) if column.title == _GROUP else None


def _group(event: Event, root_url: str) -> str | None:
    return build_group_url(root_url, event.routing.get("taskGroupId", ""))


def _linked_run(event: Event) -> int | None:
    number = get_path(event.payload, "runId")
    if number is None:
        word = event.routing.get("runId", "")
        return int(word) if word.isascii() and word.isdigit() and len(word) <= 4 else None
    return number if type(number) is int else None
