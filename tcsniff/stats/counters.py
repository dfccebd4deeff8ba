"""What `top` counts: events folded into rows, in a bounded amount of memory.

Pure, but for `Meters`, which remembers. What is counted are the runs of all tasks
that are heard of, each as the newest snapshot of its task tells it, so neither
order nor repeats change a number or a percentile. Rates alone are by arrival.

Memory is bounded by forgetting. Up to these bounds all is exact; beyond them:

* Of tasks that have ended, all but the last `ENDED` are forgotten, but for how many
  runs they had: a message about those runs is known as a repeat, one about a later
  run is counted. Only the last quarter of a million are known so.
* A task that has not ended is dropped when its deadline is long past, or when there
  are more than `OPEN` of them: its last run no longer counts, until it is heard of.
* Rows beyond `ROWS` are summed up in one: first those that changed longest ago.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.payloads import Run, TaskState
from tcsniff.pulse.times import format_timestamp, parse_seconds
from tcsniff.stats.rows import MEASURES, Reading, Row, build_mark
from tcsniff.taskgraph.tracker import Task, Tracker

OPEN, SOURCE_ENDED, ROWS = 20_000, 2_000, 1_000
"""How many tasks and rows are kept."""

OTHERS = "(others)"
"""The row for what has no row of its own any more."""

_OVERDUE = 3600.0  # seconds that the end of a task may be late, after its deadline
_TIDY = 3600.0  # seconds between two looks for such tasks


def _worker(_task: Task, run: Run) -> str:
    return f"{run.worker_group or ''}/{run.worker_id}" if run.worker_id else "(no worker)"


NAMES: Mapping[str, Callable[[Task, Run], str]] = {
    "pool": lambda task, _run: task.pool,
    "worker": _worker,
    "kind": lambda task, _run: task.kind or "(no kind)",
    "scheduler": lambda task, _run: task.status.scheduler_id,
    "group": lambda task, _run: task.status.task_group_id,
    "reason": lambda _task, run: run.reason_resolved or "(not ended)",
}
"""What a row can stand for, and which one a run belongs to."""


@dataclass(frozen=True)
class StatisticsBounds:
    """How much is kept.

    Attributes:
        open: Tasks that have not ended.
        ended: Tasks that have.
        rows: Rows that have a name.
    """

    open: int = OPEN
    ended: int = SOURCE_ENDED
    rows: int = ROWS


class RunStatistics:
    """All that `top` knows.

    Attributes:
        began: Since when it counts, in seconds since the Unix epoch; None before
            the first event.
        total: All runs.
    """

    def __init__(self, by: str, *, bounds: StatisticsBounds = StatisticsBounds()) -> None:
        """Nothing is counted yet.

        Args:
            by: What a row stands for, one of `NAMES`.
            bounds: How much is kept.
        """
        self.began: float | None = None
        self.total = Row("")
        self._name = NAMES[by]
        self._keeps_blank = by == "kind"  # which a later message may lack
        self._bounds = bounds
        self._tracker = Tracker()
        self._rows: dict[str, Row] = {}
        self._others: Row | None = None
        # Of each task, the row of every run that is counted; those before it were
        # counted when the task was forgotten.
        self._homes: dict[str, list[Row]] = {}
        self._ended: dict[str, None] = {}  # in the order in which they ended
        self._forgotten = ForgottenTasks()
        self._shared = StringPool()
        self._tidied = 0.0

    @property
    def unread(self) -> int:
        """How many messages could not be read."""
        return self._tracker.unread

    @property
    def known(self) -> Collection[str]:
        """The ids of the tasks that are kept."""
        return self._tracker.tasks.keys()

    @property
    def size(self) -> int:
        """How many rows there are, or were lately."""
        return len(self._rows)

    def take(self, delivery: Delivery, now: float) -> None:
        """Take a message in.

        Args:
            delivery: The message.
            now: When it arrived, in seconds since the Unix epoch; never earlier
                than the one before.
        """
        if self.began is None:
            self.began = self._tidied = now
        if now - self._tidied >= _TIDY:
            self._tidy(now)
        change = self._tracker.apply(delivery)
        if change is None:
            self._tracker.groups.clear()  # of which nothing is asked
            return
        before, after = change
        task_id = after.status.task_id
        if before is None:
            if not self._is_news(after):
                self._tracker.forget(task_id)
                return
            counted = self._forgotten.runs(task_id)
            homes = self._homes[task_id] = []
        else:
            homes = self._homes[task_id]
            counted = len(before.runs) - len(homes)
        self._recount(before.runs if before else (), after, homes, counted, now)
        self._file(task_id, after)
        if len(self._rows) > self._bounds.rows:
            self._fold(now)

    def rows(self, sort: str, now: float, *, reverse: bool = False) -> list[Row]:
        """List the rows.

        Args:
            sort: By what: ``name``, or one of `MEASURES`, the largest first;
                equal ones by how many run, then by name.
            now: The time.
            reverse: Whether the other way round.

        Returns:
            The rows that hold anything; last, if there is one, that for what has none.
        """
        rows = sorted(filter(None, self._rows.values()), key=attrgetter("name"))
        if sort == "name":
            rows.sort(key=attrgetter("name"), reverse=reverse)
        else:
            measure, running, began = MEASURES[sort], MEASURES["running"], self.began or now
            sign = 1 if reverse else -1
            rows.sort(key=lambda row: (sign * measure(row, now, began), -running(row, now, began)))
        return rows if self._others is None else [*rows, self._others]

    def begin_period(self) -> None:
        """Count anew what starts and ends in a period."""
        for row in self._rows.values():
            row.begin_period()
        if self._others is not None:
            self._others.begin_period()
        self.total.begin_period()

    def _is_news(self, task: Task) -> bool:
        if not task.runs:
            return self._keeps_blank
        return len(task.runs) > self._forgotten.runs(task.status.task_id)

    def _recount(
        self, before: tuple[Run, ...], after: Task, homes: list[Row], counted: int, now: float
    ) -> None:
        # A snapshot never has fewer runs than the one before it.
        for number in range(counted, len(after.runs)):
            run = after.runs[number]
            name = self._name(after, run)
            was = before[number] if number < len(before) else None
            if was is not None:
                home = homes[number - counted]
                if was == run and home.name == name:
                    continue
                self._count(home, was, -1)
            row = self._rows.get(name)
            if row is None:
                row = self._rows[name] = Row(name)
            self._count(row, run, 1)
            homes[number - counted : number - counted + 1] = [row]
            started = run.started is not None and (was is None or was.started is None)
            ended = _has_ended(run) and (was is None or not _has_ended(was))
            row.happened(now, started=started, ended=ended)
            self.total.happened(now, started=started, ended=ended)

    def _count(self, row: Row, run: Run, number: int) -> None:
        mark = build_mark(run)
        (row.into or row).count(mark, number)
        self.total.count(mark, number)

    def _file(self, task_id: str, task: Task) -> None:
        run = task.run
        if run is not None and _has_ended(run):
            self._ended[task_id] = None
            if len(self._ended) > self._bounds.ended:
                self._forget(next(iter(self._ended)))
        else:
            self._ended.pop(task_id, None)
            self._tracker.tasks[task_id] = self._shared.slim(task)
            if len(self._homes) - len(self._ended) > self._bounds.open:
                excess = max(1, self._bounds.open // 20)  # at once, as it takes a long look
                for oldest in list(self._open())[:excess]:
                    self._forget(oldest)

    def _open(self) -> Iterator[str]:
        return (task_id for task_id in self._homes if task_id not in self._ended)

    def _forget(self, task_id: str) -> None:
        task = self._tracker.tasks[task_id]
        homes = self._homes.pop(task_id)
        counted = len(task.runs)
        if task_id in self._ended:
            del self._ended[task_id]
        elif homes:
            self._count(homes[-1], task.runs[-1], -1)
            counted -= 1
        if counted:
            self._forgotten.add(task_id, counted)
        self._tracker.forget(task_id)

    def _tidy(self, now: float) -> None:
        self._tidied = now
        # Taskcluster writes all times alike, so that they sort as text.
        passed = format_timestamp(max(0.0, now - _OVERDUE))
        tasks = self._tracker.tasks
        for task_id in list(self._open()):
            deadline = tasks[task_id].status.deadline
            if deadline is not None and deadline < passed:
                self._forget(task_id)

    def _fold(self, now: float) -> None:
        if self._others is None:
            self._others = Row(OTHERS)
        idle = sorted(self._rows.values(), key=attrgetter("touched"))
        # More than one, as it takes a long look.
        for row in idle[: len(idle) - self._bounds.rows + self._bounds.rows // 10]:
            self._others.merge(row, now)
            del self._rows[row.name]


def _has_ended(run: Run) -> bool:
    return run.state not in ("pending", "running")


_WAYS = 8  # places that a task may have
_RUNS = 8  # bits for the number of runs; the queue allows 50
_MOST_RUNS = (1 << _RUNS) - 1
_MARK = (1 << (64 - _RUNS)) - 1


class ForgottenTasks:
    """How many runs of each task were counted, of the tasks that were forgotten last.

    A task is known by 56 bits of a hash: among a quarter of a million tasks one
    in 10^10 that is new is taken for another. The numbers are in one table; a new
    one takes the place of the oldest of the eight that share its row.
    """

    def __init__(self, most: int = 1 << 18) -> None:
        """Nothing is remembered yet.

        Args:
            most: How many tasks have room, each of 8 bytes.
        """
        self._rows = max(1, most // _WAYS)
        self._places = array("Q", bytes(8 * self._rows * _WAYS))
        self._oldest = bytearray(self._rows)

    def add(self, task_id: str, runs: int) -> None:
        """Remember a task.

        Args:
            task_id: The task.
            runs: How many of its runs were counted.
        """
        mark, row = self._found(task_id)
        start = row * _WAYS
        entry = mark << _RUNS | min(runs, _MOST_RUNS)
        for place in range(start, start + _WAYS):
            if self._places[place] >> _RUNS == mark:
                self._places[place] = entry
                return
        self._places[start + self._oldest[row]] = entry
        self._oldest[row] = (self._oldest[row] + 1) % _WAYS

    def runs(self, task_id: str) -> int:
        """Tell how many runs of a task were counted; 0 if it is not remembered."""
        mark, row = self._found(task_id)
        for entry in self._places[row * _WAYS : (row + 1) * _WAYS]:
            if entry >> _RUNS == mark:
                return entry & _MOST_RUNS
        return 0

    def _found(self, task_id: str) -> tuple[int, int]:
        mark = hash(task_id) & _MARK or 1  # 0 stands for nobody
        return mark, mark % self._rows


class StringPool:
    """Finds the string that was there first."""

    def __init__(self, most: int = 10_000) -> None:
        """Nothing is known yet.

        Args:
            most: How many strings are remembered, or a task's more.
        """
        self._most = most
        self._known: dict[str, str] = {}

    def __len__(self) -> int:
        """How many strings are remembered."""
        return len(self._known)

    def slim(self, task: Task) -> Task:
        """Make an equal task, but for its label, of strings that others have too."""
        if len(self._known) >= self._most:
            self._known.clear()
        status = task.status
        slim = TaskState(
            status.task_id,
            self._one(status.task_group_id),
            self._one(status.state),
            self._one(status.scheduler_id),
            self._one(status.provisioner_id),
            self._one(status.worker_type),
            tuple(map(self._run, status.runs)),
            status.deadline,
        )
        return Task(slim, "", self._one(task.kind))

    def _run(self, run: Run) -> Run:
        return Run(
            run.run_id,
            self._one(run.state),
            self._maybe(run.reason_created),
            self._maybe(run.reason_resolved),
            self._maybe(run.worker_group),
            run.worker_id,
            run.scheduled,
            run.started,
            run.resolved,
        )

    def _one(self, text: str) -> str:
        return self._known.setdefault(text, text)

    def _maybe(self, text: str | None) -> str | None:
        return None if text is None else self._known.setdefault(text, text)


class RunCounter:
    """Counts events as they arrive.

    Attributes:
        by: What a row stands for.
        meters: All that was counted.
    """

    def __init__(
        self,
        by: str,
        sort: str,
        *,
        reverse: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Nothing is counted yet.

        Args:
            by: What a row stands for, one of `meters.NAMES`.
            sort: What rows are sorted by: ``name``, or one of `rows.MEASURES`.
            reverse: Whether the other way round.
            clock: Tells the time, in seconds since the Unix epoch; None if time is
                what events say.
        """
        self.by = by
        self.meters = RunStatistics(by)
        self._sort = sort
        self._reverse = reverse
        self._arrivals = ArrivalClock(clock)

    @property
    def now(self) -> float | None:
        """The time, in seconds since the Unix epoch; None as long as no event tells it."""
        return self._arrivals.now

    def arrives(self, event: Event) -> float:
        """Tell when an event arrives, before it is taken."""
        return self._arrivals.of(event)

    def take(self, event: Event) -> None:
        """Count an event."""
        self.meters.take(event.delivery, self._arrivals.of(event))

    def rows(self, now: float | None = None) -> list[Row]:
        """Sort the rows, as they are at a time; None for now."""
        return self.meters.rows(self._sort, self._time(now), reverse=self._reverse)

    def reading(self, row: Row, now: float | None = None) -> Reading:
        """Read a row at a time; None for now."""
        time = self._time(now)
        return row.reading(time, self.meters.began or time)

    def _time(self, now: float | None) -> float:
        return (self.now or 0.0) if now is None else now


class ArrivalClock:
    """Tells the time, which never goes back."""

    def __init__(self, clock: Callable[[], float] | None) -> None:
        """Choose a clock.

        Args:
            clock: Tells the time, in seconds since the Unix epoch; None if time is
                what events say: when they were received, once.
        """
        self._clock = clock
        self._now: float | None = None if clock is None else clock()

    @property
    def now(self) -> float | None:
        """The time, in seconds since the Unix epoch; None as long as no event tells it."""
        if self._clock is not None:
            self._move(self._clock())
        return self._now

    def of(self, event: Event) -> float:
        """Tell when an event arrives; one that does not tell, with the one before it."""
        moment = parse_seconds(event.delivery.received) if self._clock is None else self._clock()
        if moment is not None:
            self._move(moment)
        return self._now or 0.0

    def _move(self, moment: float) -> None:
        self._now = moment if self._now is None else max(self._now, moment)
