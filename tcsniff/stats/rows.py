"""A row of ``top``: counts, rate and durations of the runs of one pool, worker or the like.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from tcsniff.messages import STATES
from tcsniff.pulse.payloads import Run
from tcsniff.pulse.times import parse_timestamp
from tcsniff.stats.histogram import Histogram, HistogramSummary, find_bucket
from tcsniff.stats.rates import Rate

_INDEXES = {state: index for index, state in enumerate(STATES[1:])}
_PENDING, _RUNNING, _COMPLETED, _FAILED = range(4)
_UNKNOWN = len(_INDEXES)  # any other state: counts as an end


class Reading(NamedTuple):
    """The numbers of a row at one time.

    Attributes:
        name: Name of the row; in parentheses if its runs have no such name.
        pending: Runs that wait for a worker.
        running: Runs that a worker has claimed.
        completed: Runs that completed.
        failed: Runs that failed.
        exception: Runs that ended in exception, including retried ones.
        finished: Runs that have ended, in any state.
        started: Runs that started in this period.
        ended: Runs that ended in this period.
        per_minute: Runs that ended, per minute, over the last minute.
        by_minute: Runs that ended in each of the last minutes, the newest last.
        wait_times: Seconds from scheduled to started.
        run_times: Seconds from started to resolved.
    """

    name: str
    pending: int
    running: int
    completed: int
    failed: int
    exception: int
    finished: int
    started: int
    ended: int
    per_minute: float
    by_minute: tuple[int, ...]
    wait_times: HistogramSummary
    run_times: HistogramSummary


class RunBuckets(NamedTuple):
    """Where a row counts a run.

    Attributes:
        state: Index in `Row.states`.
        wait: Bucket of the wait time; None if it is not known.
        run: Bucket of the run time; None if it is not known.
    """

    state: int
    wait: int | None
    run: int | None


def find_run_buckets(run: Run) -> RunBuckets:
    """Return where a row counts a run."""
    state = _INDEXES.get(run.state, _UNKNOWN)
    if run.started is None:
        return RunBuckets(state, None, None)
    wait = _find_time_bucket(run.scheduled, run.started)
    took = None if run.resolved is None else _find_time_bucket(run.started, run.resolved)
    return RunBuckets(state, wait, took)


@lru_cache(maxsize=4096)  # each pair is needed when a run starts, and twice when it ends
def _find_time_bucket(earlier: str | None, later: str) -> int | None:
    begin, end = parse_timestamp(earlier), parse_timestamp(later)
    if begin is None or end is None:
        return None
    return find_bucket((end - begin).total_seconds())


class Row:
    """Counts of runs; a run can be added and removed.

    Attributes:
        name: What the runs have in common.
        states: Number of runs in each state, in the order of `messages.STATES` from
            pending on; the last number is for states that are not in that list.
        started: Runs that started in this period.
        ended: Runs that ended in this period.
        end_rate: Rate of runs that end.
        wait_times: Times from scheduled to started.
        run_times: Times from started to resolved.
        changed: Time of the last change.
        merged_into: The row that this one was merged into, if any.
    """

    __slots__ = (
        "changed",
        "end_rate",
        "ended",
        "merged_into",
        "name",
        "run_times",
        "started",
        "states",
        "wait_times",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.states = [0] * (_UNKNOWN + 1)
        self.started = self.ended = 0
        self.end_rate = Rate()
        self.wait_times, self.run_times = Histogram(), Histogram()
        self.changed = 0.0
        self.merged_into: Row | None = None

    def __bool__(self) -> bool:
        """Return whether the row holds a run, or held one in this period."""
        return any(self.states) or bool(self.started or self.ended)

    def count_run(self, buckets: RunBuckets, number: int) -> None:
        """Add a run if the number is 1; remove it if the number is -1."""
        state, wait, run = buckets
        self.states[state] += number
        if wait is not None:
            self.wait_times.add(wait, number)
        if run is not None:
            self.run_times.add(run, number)

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
        self.end_rate.merge(other.end_rate, now)
        self.wait_times.merge(other.wait_times)
        self.run_times.merge(other.run_times)
        # Tasks may refer to the other row for long: free the memory of its own counts.
        other.states, other.end_rate = self.states, self.end_rate
        other.wait_times, other.run_times = self.wait_times, self.run_times

    def start_period(self) -> None:
        """Reset the counts of a period."""
        self.started = self.ended = 0

    def build_reading(self, now: float, began: float) -> Reading:
        """Return the numbers of the row.

        Args:
            now: Current time, in seconds since the Unix epoch.
            began: When counting began.
        """
        pending, running, completed, failed, exception, _ = self.states
        return Reading(
            self.name,
            pending,
            running,
            completed,
            failed,
            exception,
            finished=sum(self.states[_COMPLETED:]),
            started=self.started,
            ended=self.ended,
            per_minute=self.end_rate.compute_per_minute(now, began),
            by_minute=tuple(self.end_rate.count_by_minute(now)),
            wait_times=self.wait_times.summarize(),
            run_times=self.run_times.summarize(),
        )


def _get_median(histogram: Histogram) -> float:
    median = histogram.summarize().p50
    return -1.0 if median is None else median


MEASURES: dict[str, Callable[[Row, float, float], float]] = {
    "pending": lambda row, _now, _began: row.states[_PENDING],
    "running": lambda row, _now, _began: row.states[_RUNNING],
    "finished": lambda row, _now, _began: sum(row.states[_COMPLETED:]),
    "failed": lambda row, _now, _began: row.states[_FAILED],
    "rate": lambda row, now, began: row.end_rate.compute_per_minute(now, began),
    "wait": lambda row, _now, _began: _get_median(row.wait_times),
    "run": lambda row, _now, _began: _get_median(row.run_times),
}
"""Numbers to sort rows by: each a function of row, current time and begin of counting."""
