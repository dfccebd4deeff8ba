"""A row of ``top``: counts, rate and durations of the runs of one pool, worker or the like.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tcsniff.stats.histogram import Histogram, HistogramSummary
from tcsniff.stats.pending_times import PendingTimes
from tcsniff.stats.rates import Rate
from tcsniff.stats.run_facts import COMPLETED, FAILED, LOST, PENDING, RUNNING, UNKNOWN, RunFacts
from tcsniff.stats.worker_counts import WorkerCounts, WorkerReading
from tcsniff.stats.worker_events import WorkerChange
from tcsniff.stats.worker_health import HealthReading, WorkerHealth


class Reading(NamedTuple):
    """The numbers of a row at one time.

    Attributes:
        name: Name of the row; in parentheses if its runs have no such name.
        pending: Runs that wait for a worker.
        running: Runs that a worker has claimed.
        completed: Runs that completed.
        failed: Runs that failed.
        lost: Runs whose worker went away, including retried ones.
        canceled: Runs that were canceled.
        exception: Runs that ended in any other exception.
        finished: Runs that have ended, in any state.
        started: Runs that started in this period.
        ended: Runs that ended in this period.
        per_minute: Runs that ended, per minute, over the last minute.
        by_minute: Runs that ended in each of the last minutes, the newest last.
        wait_times: Seconds from scheduled to started; of pending runs, from scheduled
            to now.
        run_times: Seconds from started to resolved.
        oldest: Seconds since the oldest pending run was scheduled; None if none is.
        last: Seconds since a run last started; None if none has, or the row is a
            rest without a name.
        in_time: Share of runs that started within the limit, from 0 to 1. Runs that
            have been pending for longer did not. None without a limit or such runs.
        health: The condition of the row's worker; None if a row is not a worker.
        workers: What was announced about the workers of the row's pool; None for
            nothing, or if a row is not a pool.
    """

    name: str
    pending: int
    running: int
    completed: int
    failed: int
    lost: int
    canceled: int
    exception: int
    finished: int
    started: int
    ended: int
    per_minute: float
    by_minute: tuple[int, ...]
    wait_times: HistogramSummary
    run_times: HistogramSummary
    oldest: float | None = None
    last: float | None = None
    in_time: float | None = None
    health: HealthReading | None = None
    workers: WorkerReading | None = None


class Row:
    """Counts of runs; a run can be added and removed.

    Attributes:
        name: What the runs have in common.
        states: Number of runs in each column of `run_facts`.
        started: Runs that started in this period.
        ended: Runs that ended in this period.
        end_rate: Rate of runs that end.
        wait_times: Times from scheduled to started.
        run_times: Times from started to resolved.
        in_time: Number of runs that started within the limit.
        pending: The times since which the pending runs have been waiting.
        last_started: When a run last started; None if none has.
        health: The condition of the row's worker, if it is one.
        workers: What was announced about the workers of the row's pool; None for nothing.
        changed: Time of the last change.
        merged_into: The row that this one was merged into, if any.
    """

    __slots__ = (
        "changed",
        "end_rate",
        "ended",
        "health",
        "in_time",
        "last_started",
        "merged_into",
        "name",
        "pending",
        "run_times",
        "started",
        "states",
        "wait_times",
        "workers",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.states = [0] * (UNKNOWN + 1)
        self.started = self.ended = self.in_time = 0
        self.end_rate = Rate()
        self.wait_times, self.run_times = Histogram(), Histogram()
        self.pending = PendingTimes()
        self.last_started: float | None = None
        self.health: WorkerHealth | None = None
        self.workers: WorkerCounts | None = None
        self.changed = 0.0
        self.merged_into: Row | None = None

    def __bool__(self) -> bool:
        """Return whether the row holds a run or workers, or held a run in this period."""
        return any(self.states) or bool(self.started or self.ended or self.workers)

    @property
    def counts(self) -> Row:
        """The row that holds the counts: this one, or the one that it was merged into."""
        return self if self.merged_into is None else self.merged_into

    def count_run(self, facts: RunFacts, number: int) -> None:
        """Add a run if the number is 1; remove it if the number is -1."""
        self.states[facts.state] += number
        self.in_time += number if facts.is_in_time else 0
        if facts.wait is not None:
            self.wait_times.add(facts.wait, number)
        if facts.took is not None:
            self.run_times.add(facts.took, number)
        if facts.pending_since is not None:
            change = self.pending.add if number > 0 else self.pending.remove
            change(facts.pending_since)
        if number > 0:
            self._record_start(facts.started)

    def count_worker(self, change: WorkerChange) -> None:
        """Add an event about a worker."""
        if self.workers is None:
            self.workers = WorkerCounts()
        self.workers.add(change)

    def record_change(self, now: float, *, started: bool, ended: bool) -> None:
        """Count that a run has started or ended, by the arrival time of the message."""
        self.changed = now
        if started:
            self.started += 1
        if ended:
            self.ended += 1
            self.end_rate.add(now)

    def merge(self, other: Row, now: float) -> None:
        """Add all that another row has counted; it then shares the counts of this row."""
        other.merged_into = self
        for state, number in enumerate(other.states):
            self.states[state] += number
        self.started += other.started
        self.ended += other.ended
        self.in_time += other.in_time
        self.end_rate.merge(other.end_rate, now)
        self.wait_times.merge(other.wait_times)
        self.run_times.merge(other.run_times)
        self.pending.merge(other.pending)
        self._record_start(other.last_started)
        if other.workers is not None:
            self.workers = self.workers or WorkerCounts()
            self.workers.merge(other.workers)
        # Tasks may refer to the other row for long: free the memory of its own counts.
        other.states, other.end_rate, other.pending = self.states, self.end_rate, self.pending
        other.wait_times, other.run_times = self.wait_times, self.run_times
        other.health = other.workers = None

    def start_period(self) -> None:
        """Reset the counts of a period."""
        self.started = self.ended = 0

    def measure_oldest(self, now: float) -> float | None:
        """Return for how many seconds the oldest pending run has been waiting, if any."""
        oldest = self.pending.oldest
        return None if oldest is None else max(0.0, now - oldest)

    def summarize_waiting(self, now: float) -> HistogramSummary:
        """Return the waiting times, with those of pending runs until now."""
        return self.wait_times.summarize(self.pending.count_by_bucket(now))

    def build_reading(self, now: float, began: float, slo: float | None = None) -> Reading:
        """Return the numbers of the row.

        Args:
            now: Current time, in seconds since the Unix epoch.
            began: When counting began.
            slo: The longest waiting time that is in time, in seconds; None for no limit.
        """
        is_named = not self.name.startswith("(")
        is_last_known = is_named and self.last_started is not None
        pending, running, completed, failed, lost, canceled, exception, _ = self.states
        return Reading(
            self.name,
            pending,
            running,
            completed,
            failed,
            lost,
            canceled,
            exception,
            finished=self.count_finished(),
            started=self.started,
            ended=self.ended,
            per_minute=self.end_rate.compute_per_minute(now, began),
            by_minute=tuple(self.end_rate.count_by_minute(now)),
            wait_times=self.summarize_waiting(now),
            run_times=self.run_times.summarize(),
            oldest=self.measure_oldest(now),
            last=max(0.0, now - (self.last_started or 0.0)) if is_last_known else None,
            in_time=None if slo is None else self._measure_in_time(now, slo),
            health=None if self.health is None else self.health.build_reading(now),
            workers=None if self.workers is None else self.workers.build_reading(),
        )

    def count_finished(self) -> int:
        """Return how many runs have ended, in any state."""
        return sum(self.states[COMPLETED:])

    def _measure_in_time(self, now: float, slo: float) -> float | None:
        number = self.wait_times.count + self.pending.count_before(now - slo)
        return self.in_time / number if number else None

    def _record_start(self, started: float | None) -> None:
        if started is not None and (self.last_started is None or started > self.last_started):
            self.last_started = started


def _measure_worst_wait(row: Row, now: float) -> float:
    waiting = row.summarize_waiting(now).p50, row.measure_oldest(now)
    return max((seconds for seconds in waiting if seconds is not None), default=-1.0)


def _measure_run_time(row: Row) -> float:
    median = row.run_times.summarize().p50
    return -1.0 if median is None else median


def _measure_oldest(row: Row, now: float) -> float:
    oldest = row.measure_oldest(now)
    return -1.0 if oldest is None else oldest


MEASURES: dict[str, Callable[[Row, float, float], float]] = {
    "pending": lambda row, _now, _began: row.states[PENDING],
    "running": lambda row, _now, _began: row.states[RUNNING],
    "finished": lambda row, _now, _began: row.count_finished(),
    "failed": lambda row, _now, _began: row.states[FAILED],
    "lost": lambda row, _now, _began: row.states[LOST],
    "rate": lambda row, now, began: row.end_rate.compute_per_minute(now, began),
    "wait": lambda row, now, _began: _measure_worst_wait(row, now),
    "oldest": lambda row, now, _began: _measure_oldest(row, now),
    "run": lambda row, _now, _began: _measure_run_time(row),
    "streak": lambda row, _now, _began: 0 if row.health is None else row.health.streak,
}
"""Numbers to sort rows by: each a function of row, current time and begin of counting."""
