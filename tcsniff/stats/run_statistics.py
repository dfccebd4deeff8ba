"""The statistics of ``top``: the runs of all known tasks, counted in rows.

Pure. A run counts as the newest snapshot of its task says, so neither the order of
messages nor repeats change a count or a percentile. Only rates depend on arrival.
Events about workers are counted by pool.

Memory is bounded by `StatisticsBounds`; the numbers stay exact:

* Open tasks beyond the first bound are parked: only what is counted of them is kept.
* The tasks that ended first are forgotten, except for their number of runs: a later
  message about these runs is a repeat, and a further run is counted.
* An open task is dropped when its deadline is long past: the message about its end was
  lost. Its last run does not count until a message about it arrives.
* The rows that have not changed for longest are merged into one.

What lies beyond all bounds is an estimate, and `RunStatistics.uncertain` has its extent.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.payloads import TASK_EXCHANGES, Run, TaskState
from tcsniff.pulse.times import format_timestamp, parse_seconds
from tcsniff.stats.groupings import GROUPINGS, TAGS
from tcsniff.stats.memory import ForgottenTasks, StatisticsBounds, StringPool, hash_task
from tcsniff.stats.parked_tasks import ParkedTask, ParkedTasks
from tcsniff.stats.rows import MEASURES, Row
from tcsniff.stats.run_facts import RUNNING, find_run_facts, has_ended, parse_time
from tcsniff.stats.uncounted import UncountedEvents
from tcsniff.stats.worker_events import EVENTS_BY_ADDRESS, WorkerEvents
from tcsniff.stats.worker_health import WorkerHealth
from tcsniff.taskgraph.tracker import Change, Task, Tracker, measure_age, rank_run

OTHERS = "(others)"
"""Name of the row that others were merged into."""

_BOUNDS = StatisticsBounds()
_MAX_DELAY = 3600.0  # seconds from the end or deadline of a task until the message about it
_CLEANUP_INTERVAL = 3600.0  # seconds


class Uncertainty(NamedTuple):
    """How far the counts may be wrong, because tasks are beyond all bounds.

    Attributes:
        open: Runs that were dropped while they were pending or running: as many may be
            missing there.
        ended: Runs that ended longer ago than tasks are remembered: whether they had
            been counted is a guess, so that many may be missing or counted twice.
        workers: Events about workers that may have been counted twice.
    """

    open: int = 0
    ended: int = 0
    workers: int = 0


class RunStatistics:
    """Runs counted in rows.

    Attributes:
        began: Time of the first message, in seconds since the Unix epoch; None before it.
        total: The row of all runs.
        slo: The longest waiting time that is in time, in seconds; None for no limit.
    """

    def __init__(
        self, by: str, *, bounds: StatisticsBounds = _BOUNDS, slo: float | None = None
    ) -> None:
        """Create statistics without runs.

        Args:
            by: What a row stands for, a key of `GROUPINGS`.
            bounds: How much is kept.
            slo: The longest waiting time that is in time, in seconds.
        """
        self.began: float | None = None
        self.total = Row("")
        self.slo = slo
        self._by = by
        self._name_row = GROUPINGS[by]
        # A task without runs is kept if it has a name that later messages may lack.
        self._keeps_unscheduled = by in TAGS
        self._bounds = bounds
        self._tracker = Tracker()
        self._rows: dict[str, Row] = {}
        self._others: Row | None = None
        # The row of each counted run, by task ID. The list lacks the first runs of a task
        # that were counted before it was forgotten.
        self._run_rows: dict[str, list[Row]] = {}
        self._ended: dict[str, None] = {}  # task IDs in the order in which tasks ended
        self._parked = ParkedTasks()
        self._forgotten = ForgottenTasks(bounds.forgotten)
        self._workers = WorkerEvents()
        self._uncounted = UncountedEvents()
        self._strings = StringPool()
        self._cleaned_up = 0.0
        self._dropped = self._guessed = 0

    @property
    def unread(self) -> int:
        """Number of messages that could not be decoded."""
        return self._tracker.unread + self._workers.unread

    @property
    def uncounted(self) -> Mapping[str, int]:
        """Number of messages that are about neither runs nor workers, by EVENT or exchange."""
        return self._uncounted.numbers

    @property
    def uncertain(self) -> Uncertainty:
        """How far the counts may be wrong; all 0 if they are exact."""
        return Uncertainty(self._dropped, self._guessed, self._workers.guessed)

    @property
    def task_ids(self) -> Collection[str]:
        """IDs of the tasks that are kept."""
        return self._tracker.tasks.keys()

    @property
    def row_count(self) -> int:
        """Number of rows with a name, including rows that are empty now."""
        return len(self._rows)

    def add(self, delivery: Delivery, now: float | None) -> None:
        """Count the runs or the worker that a message is about.

        Args:
            delivery: The message.
            now: When it arrived, in seconds since the Unix epoch, in ascending order. None
                if no time is known so far: rates then lack the message.
        """
        if now is not None:
            self._note_time(now)
        if delivery.exchange in TASK_EXCHANGES:
            change = self._tracker.apply(delivery)
            if change is not None:
                self._apply_change(change, now or 0.0)
        elif delivery.exchange in EVENTS_BY_ADDRESS:
            self._count_worker(delivery, now or 0.0)
        else:
            self._uncounted.add(delivery.exchange)

    def add_status(self, status: TaskState, now: float) -> None:
        """Count the runs of a task, as the queue's API knows it."""
        self._note_time(now)
        change = self._tracker.update_task(status)
        if change is not None:
            self._apply_change(change, now)

    def add_listed(self, task: Task, now: float) -> bool:
        """Count a run that the queue's API lists as pending or running.

        Messages about it replace what is counted here. Earlier runs of the task count as
        soon as there is one.

        Args:
            task: The task; of its runs only that one.
            now: Current time.

        Returns:
            False if messages say something older about the task: then nothing is counted,
            and `add_status` is needed.
        """
        self._note_time(now)
        run = task.runs[-1]
        age = (run.run_id + 1, rank_run(run.state))
        known = self._tracker.tasks.get(task.status.task_id)
        if known is not None:
            return measure_age(known.status) >= age
        key = hash_task(task.status.task_id)
        parked = self._parked.take(key)
        if parked is not None:
            if not parked.is_listed or parked.age >= age:
                self._parked.park(key, parked)
                return parked.age >= age
            self._uncount_parked(parked)
        elif self._forgotten.get_runs(key) > run.run_id:
            return True
        self._park_listed(key, task, run)
        self._limit_parked(now)
        self._limit_rows(now)
        return True

    def drop_listed(self, keys: Iterable[int]) -> None:
        """Forget runs that the API listed before and does not list any more.

        Args:
            keys: The tasks, by `hash_task`. Those with a message since then are kept.
        """
        for key in keys:
            parked = self._parked.take(key)
            if parked is not None and parked.is_listed:
                self._uncount_parked(parked)
            elif parked is not None:
                self._parked.park(key, parked)

    def list_open_tasks(self, pool: str) -> list[tuple[str, str]]:
        """Return the tasks of a worker pool whose last run has not ended: ID and state.

        Only tasks with messages, and not those beyond the bound.
        """
        tasks = map(self._tracker.tasks.__getitem__, self._iterate_open())
        return [
            (task.status.task_id, task.runs[-1].state)
            for task in tasks
            if task.runs and task.pool == pool
        ]

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

    def _note_time(self, now: float) -> None:
        if self.began is None:
            self.began = self._cleaned_up = now
        if now - self._cleaned_up >= _CLEANUP_INTERVAL:
            self._drop_overdue_tasks(now)

    def _count_worker(self, delivery: Delivery, now: float) -> None:
        change = self._workers.apply(delivery, now)
        if change is None:
            return
        self.total.count_worker(change)
        if self._by == "pool":
            row = self._get_row(change.pool)
            row.counts.count_worker(change)
            row.changed = now
            self._limit_rows(now)

    def _apply_change(self, change: Change, now: float) -> None:
        before, task = change
        task_id = task.status.task_id
        if before is None:
            parked = self._parked.take(hash_task(task_id))
            if parked is None:
                self._add_task(task, now)
            else:
                self._resume_task(parked, task, now)
        else:
            rows = self._run_rows[task_id]
            self._recount_runs(before.runs, task, rows, len(before.runs) - len(rows), now)
            self._store_task(task_id, task, now)
        self._limit_rows(now)

    def _add_task(self, task: Task, now: float) -> None:
        task_id = task.status.task_id
        first = self._forgotten.get_runs(hash_task(task_id))
        first = first or self._assume_repeats(task, now)
        if not (len(task.runs) > first or (self._keeps_unscheduled and not task.runs)):
            self._tracker.forget(task_id)
            return
        rows = self._run_rows[task_id] = []
        self._recount_runs((), task, rows, first, now)
        self._store_task(task_id, task, now)

    def _assume_repeats(self, task: Task, now: float) -> int:
        # Return how many runs of an unknown task were probably counted before it was
        # forgotten: those before its last one, if they ended while runs were counted but
        # longer ago than tasks are remembered. The end of the last run itself is news,
        # but so late that it may be a repeat.
        horizon, began = self._forgotten.horizon, self.began
        if horizon is None or began is None or not task.runs:
            return 0
        ends = [parse_time(run.resolved) if has_ended(run) else None for run in task.runs]
        is_old = [end is not None and began <= end <= horizon for end in ends]
        if is_old[-1] and now - (ends[-1] or now) > _MAX_DELAY:
            self._guessed += 1
        counted = max((number for number, old in enumerate(is_old[:-1], 1) if old), default=0)
        self._guessed += counted
        return counted

    def _resume_task(self, parked: ParkedTask, task: Task, now: float) -> None:
        task_id, row = task.status.task_id, parked.row
        age = measure_age(task.status)
        if age < parked.age or (age == parked.age and not parked.is_listed):
            self._parked.park(hash_task(task_id), parked)
            self._tracker.forget(task_id)
            return
        if self._by in TAGS and not getattr(task, self._by) and not row.name.startswith("("):
            names = dict(zip(TAGS, task[1:], strict=True)) | {self._by: row.name}
            task = Task(task.status, **names)
            self._tracker.tasks[task_id] = task
        rows = self._run_rows[task_id] = []
        self._uncount_parked(parked)
        first = counted = 0
        if parked.runs and not parked.is_listed:
            first, counted = parked.runs - 1, parked.runs
            run = task.runs[first]
            rows.append(self._add_run(task, run))
            started = run.started is not None and parked.facts.state != RUNNING
            self._record_change(rows[0], now, started=started, ended=has_ended(run))
        self._recount_runs(task.runs[:counted], task, rows, first, now)
        self._store_task(task_id, task, now)

    def _uncount_parked(self, parked: ParkedTask) -> None:
        if parked.runs:
            for counted in (parked.row.counts, self.total):
                counted.count_run(parked.facts, -1)

    def _recount_runs(
        self, before: Sequence[Run], task: Task, rows: list[Row], first: int, now: float
    ) -> None:
        # A snapshot never has fewer runs than the one before it.
        for number in range(first, len(task.runs)):
            run = task.runs[number]
            old = before[number] if number < len(before) else None
            if old is not None:
                old_row = rows[number - first]
                if old == run and old_row.name == self._name_row(task, run):
                    continue
                self._count_run(old_row, old, -1)
            row = self._add_run(task, run, is_new_end=old is None or not has_ended(old))
            rows[number - first : number - first + 1] = [row]
            started = run.started is not None and (old is None or old.started is None)
            ended = has_ended(run) and (old is None or not has_ended(old))
            self._record_change(row, now, started=started, ended=ended)

    def _add_run(self, task: Task, run: Run, *, is_new_end: bool = True) -> Row:
        row = self._get_row(self._name_row(task, run))
        self._count_run(row, run, 1)
        if self._by == "worker" and run.worker_id:
            row.health = row.health or WorkerHealth()
            facts = find_run_facts(run)
            row.health.add_run(task.pool, run, facts, is_new_end=is_new_end)
        return row

    def _get_row(self, name: str) -> Row:
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = Row(name)
        return row

    def _record_change(self, row: Row, now: float, *, started: bool, ended: bool) -> None:
        row.record_change(now, started=started, ended=ended)
        self.total.record_change(now, started=started, ended=ended)

    def _count_run(self, row: Row, run: Run, number: int) -> None:
        facts = find_run_facts(run, self.slo)
        row.counts.count_run(facts, number)
        self.total.count_run(facts, number)

    def _store_task(self, task_id: str, task: Task, now: float) -> None:
        run = task.run
        if run is not None and has_ended(run):
            self._ended[task_id] = None
            if len(self._ended) > self._bounds.ended:
                self._forget_ended_task(next(iter(self._ended)), now)
            return
        self._ended.pop(task_id, None)
        keeps_label = self._by == "label"
        shared = self._strings.share_strings(task, keeps_label=keeps_label)
        self._tracker.tasks[task_id] = shared
        if len(self._run_rows) - len(self._ended) > self._bounds.open:
            # Several at once, because listing open tasks is slow.
            for oldest in list(self._iterate_open())[: max(1, self._bounds.open // 20)]:
                self._park_task(oldest)
            self._limit_parked(now)

    def _limit_parked(self, now: float) -> None:
        while len(self._parked) > self._bounds.parked:
            self._dropped += self._drop_parked_task(self._parked.get_oldest(), now)

    def _iterate_open(self) -> Iterator[str]:
        return (task_id for task_id in self._run_rows if task_id not in self._ended)

    def _forget_ended_task(self, task_id: str, now: float) -> None:
        runs = self._tracker.tasks[task_id].runs
        del self._run_rows[task_id], self._ended[task_id]
        ended = parse_time(runs[-1].resolved) if runs else None
        self._forgotten.add(hash_task(task_id), len(runs), now if ended is None else ended)
        self._tracker.forget(task_id)

    def _park_task(self, task_id: str) -> None:
        task = self._tracker.tasks[task_id]
        rows = self._run_rows.pop(task_id)
        self._tracker.forget(task_id)
        run = task.run or Run(0, "pending")
        row = rows[-1] if rows else self._find_next_row(task, run)
        facts = find_run_facts(run, self.slo)
        parked = ParkedTask(row, len(task.runs), facts, _find_deadline(task))
        self._parked.park(hash_task(task_id), parked)

    def _park_listed(self, key: int, task: Task, run: Run) -> None:
        row = self._add_run(task, run)
        facts = find_run_facts(run, self.slo)
        parked = ParkedTask(row, run.run_id + 1, facts, _find_deadline(task), is_listed=True)
        self._parked.park(key, parked)

    def _find_next_row(self, task: Task, run: Run) -> Row:
        name = self._name_row(task, run)
        row = self._rows.get(name)
        return Row(name) if row is None else row

    def _drop_parked_task(self, key: int, now: float) -> bool:
        # Return whether a run was counted, and now is not.
        parked = self._parked.take(key)
        if parked is None or not parked.runs:
            return False
        self._uncount_parked(parked)
        if parked.runs > 1 and not parked.is_listed:
            self._forgotten.add(key, parked.runs - 1, now)
        return True

    def _drop_overdue_tasks(self, now: float) -> None:
        self._cleaned_up = now
        limit = max(0.0, now - _MAX_DELAY)
        # All of Taskcluster's times have the same form, so they sort as text.
        limit_text = format_timestamp(limit)
        for task_id in list(self._iterate_open()):
            deadline = self._tracker.tasks[task_id].status.deadline
            if deadline is not None and deadline < limit_text:
                self._park_task(task_id)
                self._drop_parked_task(hash_task(task_id), now)
        for key in self._parked.list_overdue(limit):
            self._drop_parked_task(key, now)

    def _limit_rows(self, now: float) -> None:
        if len(self._rows) <= self._bounds.rows:
            return
        if self._others is None:
            self._others = Row(OTHERS)
        # A tenth more than needed, because sorting is slow.
        number = len(self._rows) - self._bounds.rows + self._bounds.rows // 10
        for row in sorted(self._rows.values(), key=attrgetter("changed"))[:number]:
            self._others.merge(row, now)
            del self._rows[row.name]


def _find_deadline(task: Task) -> float:
    deadline = parse_seconds(task.status.deadline)
    return math.inf if deadline is None else deadline
