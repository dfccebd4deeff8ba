"""The rows of ``tcsniff runs``: one for each run that has ended.

Pure. Every message of a task repeats all of its runs so far, so a run is known to have ended
from the message about it or any later one, in any order. A row is made once: the ledger
remembers how many runs of each task have theirs, of the last million tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.payloads import DECODE_ERRORS, DECODERS, Run, Tags, TaskPayload, TaskState
from tcsniff.stats.memory import ForgottenTasks, hash_task
from tcsniff.stats.run_facts import has_ended, parse_time
from tcsniff.taskgraph.tracker import RESOLVED

MAX_NAMED = 50_000  # tasks whose names are kept for later messages, which may lack them
MAX_HELD = 10_000  # tasks whose rows wait for their names
_RETRIES = frozenset({"retry", "task-retry"})
_WITHOUT_RUN = 0x80  # added to the number of runs, of which the queue allows 50


class RunRow(NamedTuple):
    """A run that has ended, or a task that ended without a run.

    Times are as in the messages, durations in seconds. What is not known is None.

    Attributes:
        taskId: The task.
        runId: The run's number, from 0; None if the task ended without a run.
        taskGroupId: The task's group.
        label: Its tag ``label``, the task's name by taskgraph's convention.
        kind: Its tag ``kind``.
        project: Its tag ``project``.
        taskQueueId: Its worker pool.
        workerGroup: The group of the worker; None if none has claimed the run.
        workerId: The worker.
        schedulerId: The scheduler of the group.
        state: ``completed``, ``failed`` or ``exception``.
        reasonCreated: Why the run was created.
        reasonResolved: Why it ended.
        scheduled: When it became pending.
        started: When a worker claimed it.
        resolved: When it ended.
        waited: From scheduled to started.
        ran: From started to resolved.
        retried: Whether the queue created another run in the same moment, for
            ``retry`` or ``task-retry``. A rerun comes later, with a row of its own.
    """

    taskId: str  # noqa: N815 - the names of the columns, as in messages
    runId: int | None  # noqa: N815
    taskGroupId: str  # noqa: N815
    label: str | None
    kind: str | None
    project: str | None
    taskQueueId: str | None  # noqa: N815
    workerGroup: str | None  # noqa: N815
    workerId: str | None  # noqa: N815
    schedulerId: str  # noqa: N815
    state: str
    reasonCreated: str | None  # noqa: N815
    reasonResolved: str | None  # noqa: N815
    scheduled: str | None
    started: str | None
    resolved: str | None
    waited: float | None
    ran: float | None
    retried: bool


class _Known(NamedTuple):
    rows: int  # number of runs with a row, perhaps with `_WITHOUT_RUN`
    names: Tags
    ended: float  # when the last of these ended


_NAMELESS = Tags()


class RunLedger:
    """Makes the row of each run once, whatever the order and repeats of messages.

    Attributes:
        unread: Number of messages about tasks that could not be decoded.
    """

    def __init__(
        self,
        *,
        waits_for_names: bool = False,
        max_named: int = MAX_NAMED,
        max_held: int = MAX_HELD,
    ) -> None:
        """Create a ledger without rows.

        Args:
            waits_for_names: Whether the rows of a task without tags are held back until
                a message has them, or until `finish`, so that they are the same in any
                order of messages. Not for messages that are acknowledged meanwhile.
            max_named: Number of tasks whose names are kept.
            max_held: Number of tasks whose rows are held back.
        """
        self.unread = 0
        self._waits = waits_for_names
        self._max_named = max_named
        self._max_held = max_held
        self._known: dict[str, _Known] = {}  # the least recently heard of first
        self._forgotten = ForgottenTasks()
        self._held: dict[str, list[RunRow]] = {}

    def add(self, delivery: Delivery) -> list[RunRow]:
        """Return the rows that a message completes; most have none or one."""
        decode = DECODERS.get(delivery.exchange)
        if decode is None:
            return []
        try:
            payload = decode(delivery.body)
        except DECODE_ERRORS:
            self.unread += 1
            return []
        if not isinstance(payload, TaskPayload):
            return []
        return self.add_status(payload.status, payload.task.tags or _NAMELESS)

    def add_status(self, status: TaskState, names: Tags = _NAMELESS) -> list[RunRow]:
        """Return the rows that a snapshot of a task completes.

        Args:
            status: The snapshot.
            names: The tags of the task; empty if unknown.
        """
        task_id = status.task_id
        known = self._known.pop(task_id, None)
        if known is None:
            known = _Known(self._forgotten.get_runs(hash_task(task_id)), _NAMELESS, 0.0)
        names = _join_names(known.names, names)
        rows = list(_list_new_rows(status, names, known.rows))
        ends = [parse_time(row.resolved) or 0.0 for row in rows]
        done = max(known.rows, _count_rows(status, known.rows))
        self._known[task_id] = _Known(done, names, max(known.ended, *ends, 0.0))
        if len(self._known) > self._max_named:
            self._forget_task(next(iter(self._known)))
        return self._hold_nameless(task_id, names, rows) if self._waits else rows

    def finish(self) -> list[RunRow]:
        """Return the rows that were held back for names that never came."""
        held, self._held = self._held, {}
        return [row for rows in held.values() for row in rows]

    def _hold_nameless(self, task_id: str, names: Tags, rows: list[RunRow]) -> list[RunRow]:
        if names != _NAMELESS:
            held = self._held.pop(task_id, [])
            return [_name_row(row, names) for row in held] + rows
        if not rows:
            return []
        self._held.setdefault(task_id, []).extend(rows)
        return self._held.pop(next(iter(self._held))) if len(self._held) > self._max_held else []

    def _forget_task(self, task_id: str) -> None:
        known = self._known.pop(task_id)
        if known.rows:
            self._forgotten.add(hash_task(task_id), known.rows, known.ended)


def _count_rows(status: TaskState, rows: int) -> int:
    # Runs end in order: only the last one can be open.
    ended = len(status.runs)
    if ended and not has_ended(status.runs[-1]):
        ended -= 1
    mark = rows & _WITHOUT_RUN
    if not status.runs and status.state in RESOLVED:
        mark = _WITHOUT_RUN
    return max(ended, rows & ~_WITHOUT_RUN) | mark


def _list_new_rows(status: TaskState, names: Tags, rows: int) -> Iterator[RunRow]:
    if not status.runs:
        if status.state in RESOLVED and not rows & _WITHOUT_RUN:
            yield _make_row(status, names, None, is_retried=False)
        return
    after = (*status.runs[1:], None)
    for number, (run, following) in enumerate(zip(status.runs, after, strict=True)):
        if number >= rows & ~_WITHOUT_RUN and has_ended(run):
            is_retried = following is not None and following.reason_created in _RETRIES
            yield _make_row(status, names, run, is_retried=is_retried)


def _make_row(status: TaskState, names: Tags, run: Run | None, *, is_retried: bool) -> RunRow:
    pool = f"{status.provisioner_id}/{status.worker_type}"
    task = (status.task_group_id, names.label or None, names.kind or None, names.project or None)
    pool_id = None if pool == "/" else pool
    if run is None:
        nothing = (None,) * 7
        return RunRow(
            status.task_id, None, *task, pool_id, None, None, status.scheduler_id, status.state,
            *nothing, retried=False,
        )  # fmt: skip
    return RunRow(
        status.task_id,
        run.run_id,
        *task,
        pool_id,
        run.worker_group,
        run.worker_id,
        status.scheduler_id,
        run.state,
        run.reason_created,
        run.reason_resolved,
        run.scheduled,
        run.started,
        run.resolved,
        _subtract_times(run.started, run.scheduled),
        _subtract_times(run.resolved, run.started),
        is_retried,
    )


def _subtract_times(later: str | None, earlier: str | None) -> float | None:
    end, begin = parse_time(later), parse_time(earlier)
    return None if end is None or begin is None else round(end - begin, 3)


def _join_names(first: Tags, second: Tags) -> Tags:
    # Names never change. If they differ nevertheless, the order must not decide.
    if first is second or second == _NAMELESS:
        return first
    return Tags(
        max(first.label or "", second.label or "") or None,
        max(first.kind or "", second.kind or "") or None,
        max(first.project or "", second.project or "") or None,
    )


def _name_row(row: RunRow, names: Tags) -> RunRow:
    return row._replace(
        label=names.label or None, kind=names.kind or None, project=names.project or None
    )
