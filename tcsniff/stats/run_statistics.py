"""The statistics of ``top``: the runs of all known tasks, counted in rows.

Pure. A run counts as the newest snapshot of its task says, so neither the order of
messages nor repeats change a count or a percentile. Only rates depend on arrival.

Memory is bounded by `StatisticsBounds`. Up to the bounds all numbers are exact. Beyond:

* The tasks that ended first are forgotten, except for their number of runs: a later
  message about these runs is a repeat, and a further run is counted. The table of
  these numbers is bounded too.
* An open task is dropped when its deadline is long past, or the oldest ones when there
  are too many: their last run does not count until a message about it arrives.
* The rows that have not changed for longest are merged into one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import attrgetter

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.payloads import Run
from tcsniff.pulse.times import format_timestamp, parse_seconds
from tcsniff.stats.memory import ForgottenTasks, StatisticsBounds, StringPool
from tcsniff.stats.rows import MEASURES, Reading, Row, find_run_buckets
from tcsniff.taskgraph.tracker import Task, Tracker

OTHERS = "(others)"
"""Name of the row that others were merged into."""

_BOUNDS = StatisticsBounds()
_MAX_DELAY = 3600.0  # seconds from a task's deadline until the message about its end
_CLEANUP_INTERVAL = 3600.0  # seconds


def _format_worker(_task: Task, run: Run) -> str:
    return f"{run.worker_group or ''}/{run.worker_id}" if run.worker_id else "(no worker)"


GROUPINGS: Mapping[str, Callable[[Task, Run], str]] = {
    "pool": lambda task, _run: task.pool,
    "worker": _format_worker,
    "kind": lambda task, _run: task.kind or "(no kind)",
    "scheduler": lambda task, _run: task.status.scheduler_id,
    "group": lambda task, _run: task.status.task_group_id,
    "reason": lambda _task, run: run.reason_resolved or "(not ended)",
}
"""What a row can stand for, and the name of the row that a run belongs to."""


class RunStatistics:
    """Runs counted in rows.

    Attributes:
        began: Time of the first message, in seconds since the Unix epoch; None before it.
        total: The row of all runs.
    """

    def __init__(self, by: str, *, bounds: StatisticsBounds = _BOUNDS) -> None:
        """Create statistics without runs.

        Args:
            by: What a row stands for, a key of `GROUPINGS`.
            bounds: How much is kept.
        """
        self.began: float | None = None
        self.total = Row("")
        self._name_row = GROUPINGS[by]
        # A task without runs is kept if it has a kind that later messages may lack.
        self._keeps_unscheduled = by == "kind"
        self._bounds = bounds
        self._tracker = Tracker()
        self._rows: dict[str, Row] = {}
        self._others: Row | None = None
        # The row of each counted run, by task ID. The list lacks the first runs of a task
        # that were counted before it was forgotten.
        self._run_rows: dict[str, list[Row]] = {}
        self._ended: dict[str, None] = {}  # task IDs in the order in which tasks ended
        self._forgotten = ForgottenTasks()
        self._strings = StringPool()
        self._cleaned_up = 0.0

    @property
    def unread(self) -> int:
        """Number of messages that could not be decoded."""
        return self._tracker.unread

    @property
    def task_ids(self) -> Collection[str]:
        """IDs of the tasks that are kept."""
        return self._tracker.tasks.keys()

    @property
    def row_count(self) -> int:
        """Number of rows with a name, including rows that are empty now."""
        return len(self._rows)

    def add(self, delivery: Delivery, now: float) -> None:
        """Count the runs that a message is about.

        Args:
            delivery: The message.
            now: When it arrived, in seconds since the Unix epoch, in ascending order.
        """
        if self.began is None:
            self.began = self._cleaned_up = now
        if now - self._cleaned_up >= _CLEANUP_INTERVAL:
            self._drop_overdue_tasks(now)
        change = self._tracker.apply(delivery)
        if change is None:
            self._tracker.groups.clear()  # not used here; would grow without bound
            return
        before, task = change
        task_id = task.status.task_id
        if before is None:
            first = self._forgotten.get_runs(task_id)
            if not (len(task.runs) > first or (self._keeps_unscheduled and not task.runs)):
                self._tracker.forget(task_id)
                return
            rows = self._run_rows[task_id] = []
        else:
            rows = self._run_rows[task_id]
            first = len(before.runs) - len(rows)
        self._recount_runs(before.runs if before else (), task, rows, first, now)
        self._store_task(task_id, task)
        if len(self._rows) > self._bounds.rows:
            self._merge_idle_rows(now)

    def list_rows(self, sort: str, now: float, *, reverse: bool = False) -> list[Row]:
        """Return the rows that are not empty, sorted; last the row of merged ones, if any.

        Args:
            sort: ``name`` for alphabetical order; or one of `MEASURES` for the largest
                first, equal ones by number of running tasks, then by name.
            now: Current time.
            reverse: Whether to reverse the order.
        """
        rows = sorted(filter(None, self._rows.values()), key=attrgetter("name"))
        if sort == "name":
            rows.sort(key=attrgetter("name"), reverse=reverse)
        else:
            measure, running, began = MEASURES[sort], MEASURES["running"], self.began or now
            sign = 1 if reverse else -1
            rows.sort(key=lambda row: (sign * measure(row, now, began), -running(row, now, began)))
        return rows if self._others is None else [*rows, self._others]

    def start_period(self) -> None:
        """Reset the counts of a period."""
        for row in self._rows.values():
            row.start_period()
        if self._others is not None:
            self._others.start_period()
        self.total.start_period()

    def _recount_runs(
        self, before: Sequence[Run], task: Task, rows: list[Row], first: int, now: float
    ) -> None:
        # A snapshot never has fewer runs than the one before it.
        for number in range(first, len(task.runs)):
            run = task.runs[number]
            name = self._name_row(task, run)
            old = before[number] if number < len(before) else None
            if old is not None:
                old_row = rows[number - first]
                if old == run and old_row.name == name:
                    continue
                self._count_run(old_row, old, -1)
            row = self._rows.get(name)
            if row is None:
                row = self._rows[name] = Row(name)
            self._count_run(row, run, 1)
            rows[number - first : number - first + 1] = [row]
            started = run.started is not None and (old is None or old.started is None)
            ended = _has_ended(run) and (old is None or not _has_ended(old))
            row.record_change(now, started=started, ended=ended)
            self.total.record_change(now, started=started, ended=ended)

    def _count_run(self, row: Row, run: Run, number: int) -> None:
        buckets = find_run_buckets(run)
        (row.merged_into or row).count_run(buckets, number)
        self.total.count_run(buckets, number)

    def _store_task(self, task_id: str, task: Task) -> None:
        run = task.run
        if run is not None and _has_ended(run):
            self._ended[task_id] = None
            if len(self._ended) > self._bounds.ended:
                self._forget_task(next(iter(self._ended)))
            return
        self._ended.pop(task_id, None)
        self._tracker.tasks[task_id] = self._strings.share_strings(task)
        if len(self._run_rows) - len(self._ended) > self._bounds.open:
            # Several at once, because listing open tasks is slow.
            for oldest in list(self._iterate_open())[: max(1, self._bounds.open // 20)]:
                self._forget_task(oldest)

    def _iterate_open(self) -> Iterator[str]:
        return (task_id for task_id in self._run_rows if task_id not in self._ended)

    def _forget_task(self, task_id: str) -> None:
        runs = self._tracker.tasks[task_id].runs
        rows = self._run_rows.pop(task_id)
        counted = len(runs)
        if task_id in self._ended:
            del self._ended[task_id]
        elif rows:
            self._count_run(rows[-1], runs[-1], -1)
            counted -= 1
        if counted:
            self._forgotten.add(task_id, counted)
        self._tracker.forget(task_id)

    def _drop_overdue_tasks(self, now: float) -> None:
        self._cleaned_up = now
        # All of Taskcluster's times have the same form, so they sort as text.
        limit = format_timestamp(max(0.0, now - _MAX_DELAY))
        for task_id in list(self._iterate_open()):
            deadline = self._tracker.tasks[task_id].status.deadline
            if deadline is not None and deadline < limit:
                self._forget_task(task_id)

    def _merge_idle_rows(self, now: float) -> None:
        if self._others is None:
            self._others = Row(OTHERS)
        # A tenth more than needed, because sorting is slow.
        number = len(self._rows) - self._bounds.rows + self._bounds.rows // 10
        for row in sorted(self._rows.values(), key=attrgetter("changed"))[:number]:
            self._others.merge(row, now)
            del self._rows[row.name]


def _has_ended(run: Run) -> bool:
    return run.state not in ("pending", "running")


class RunCounter:
    """Statistics with a sort order and a clock that never goes back.

    Attributes:
        by: What a row stands for, a key of `GROUPINGS`.
        sort: The sort order of the rows, as for `RunStatistics.list_rows`.
        reverse: Whether the order is reversed.
        statistics: The counted runs.
    """

    def __init__(
        self,
        by: str,
        sort: str,
        *,
        reverse: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Create a counter without runs.

        Args:
            by: What a row stands for, a key of `GROUPINGS`.
            sort: Sort order of the rows, as for `RunStatistics.list_rows`.
            reverse: Whether to reverse the order.
            clock: Returns seconds since the Unix epoch; None to use the times when
                events were received, as for a recording.
        """
        self.by = by
        self.statistics = RunStatistics(by)
        self.sort = sort
        self.reverse = reverse
        self._clock = clock
        self._now: float | None = None

    @property
    def now(self) -> float | None:
        """Current time, in seconds since the Unix epoch; None until an event has a time."""
        if self._clock is not None:
            self._advance(self._clock())
        return self._now

    def get_arrival_time(self, event: Event) -> float:
        """Return when an event arrives; if its time is unknown, that of the event before it."""
        received = event.delivery.received
        self._advance(parse_seconds(received) if self._clock is None else self._clock())
        return self._now or 0.0

    def add(self, event: Event) -> None:
        """Count the runs that an event is about."""
        self.statistics.add(event.delivery, self.get_arrival_time(event))

    def list_rows(self, now: float | None = None) -> list[Row]:
        """Return the sorted rows at a time; None for the current time."""
        return self.statistics.list_rows(self.sort, self._get_time(now), reverse=self.reverse)

    def read_row(self, row: Row, now: float | None = None) -> Reading:
        """Return the numbers of a row at a time; None for the current time."""
        time = self._get_time(now)
        return row.build_reading(time, self.statistics.began or time)

    def _advance(self, time: float | None) -> None:
        if time is not None and (self._now is None or time > self._now):
            self._now = time

    def _get_time(self, now: float | None) -> float:
        return (self.now or 0.0) if now is None else now
