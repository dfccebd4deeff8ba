"""A row of `top`: what is known of the runs of one pool, worker, kind or the like.

Pure, but for `Row`, which remembers.
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

_PLACES = {state: place for place, state in enumerate(STATES[1:])}
_PENDING, _RUNNING, _COMPLETED, _FAILED = range(4)
_STRANGE = len(_PLACES)  # a word yet to come: an end, of whatever kind


class Reading(NamedTuple):
    """What a row tells.

    Attributes:
        name: Its name; in parentheses if it stands for what has none.
        pending: How many runs wait for a worker.
        running: How many are being worked on.
        completed: How many have ended so.
        failed: How many have ended so.
        exception: How many have ended so, retried ones included.
        finished: How many have ended in any way.
        started: How many started in this period.
        ended: How many ended in this period.
        per_minute: How many ended in the last minute, or as many a minute.
        by_minute: How many ended in each of the last minutes, the newest last.
        waiting: Seconds from when a run was scheduled until it started.
        taking: Seconds from when it started until it ended.
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
    waiting: HistogramSummary
    taking: HistogramSummary


class Mark(NamedTuple):
    """What counts of a run.

    Attributes:
        place: The number of its state in `Row.places`.
        waited: The bucket of its waiting time; None if it has none.
        took: The bucket of its running time; None if it has none.
    """

    place: int
    waited: int | None
    took: int | None


def build_mark(run: Run) -> Mark:
    """Tell what counts of a run."""
    place = _PLACES.get(run.state, _STRANGE)
    if run.started is None:
        return Mark(place, None, None)
    waited = _bucket(run.scheduled, run.started)
    return Mark(
        place, waited, None if run.resolved is None else _bucket(run.started, run.resolved)
    )


class Row:
    """Counts runs, in and out.

    Attributes:
        name: What they have in common.
        places: How many are in each state, in the order of `messages.STATES`
            from pending on; the last one is for words yet to come.
        started: How many started in this period.
        ended: How many ended in this period.
        finishing: How often one ends.
        waiting: From when they were scheduled until they started.
        taking: From when they started until they ended.
        touched: When something changed.
        into: The row that took over what this one had counted; None so far.
    """

    __slots__ = (
        "ended",
        "finishing",
        "into",
        "name",
        "places",
        "started",
        "taking",
        "touched",
        "waiting",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.places = [0] * (_STRANGE + 1)
        self.started = self.ended = 0
        self.finishing = Rate()
        self.waiting, self.taking = Histogram(), Histogram()
        self.touched = 0.0
        self.into: Row | None = None

    def __bool__(self) -> bool:
        """Tell whether it holds any run, or held one in this period."""
        return any(self.places) or bool(self.started or self.ended)

    def count(self, mark: Mark, number: int) -> None:
        """Put a run in, or take one out that was put in.

        Args:
            mark: What counts of the run, as it was or is.
            number: 1 to put it in, -1 to take it out.
        """
        place, waited, took = mark
        self.places[place] += number
        if waited is not None:
            self.waiting.add(waited, number)
        if took is not None:
            self.taking.add(took, number)

    def happened(self, now: float, *, started: bool, ended: bool) -> None:
        """Count what has happened to a run, when it is heard of."""
        self.touched = now
        if started:
            self.started += 1
        if ended:
            self.ended += 1
            self.finishing.add(now)

    def merge(self, other: Row, now: float) -> None:
        """Take over what another row has counted."""
        other.into = self
        for place, number in enumerate(other.places):
            self.places[place] += number
        self.started += other.started
        self.ended += other.ended
        self.finishing.merge(other.finishing, now)
        self.waiting.merge(other.waiting)
        self.taking.merge(other.taking)
        # Tasks may refer to it for long: what it had counted need not be there twice.
        other.places, other.finishing = self.places, self.finishing
        other.waiting, other.taking = self.waiting, self.taking

    def begin_period(self) -> None:
        """Count anew what starts and ends in a period."""
        self.started = self.ended = 0

    def reading(self, now: float, began: float) -> Reading:
        """Read the row.

        Args:
            now: The time.
            began: Since when it is counted.
        """
        pending, running, completed, failed, exception, _ = self.places
        return Reading(
            self.name,
            pending,
            running,
            completed,
            failed,
            exception,
            finished=sum(self.places[_COMPLETED:]),
            started=self.started,
            ended=self.ended,
            per_minute=self.finishing.per_minute(now, began),
            by_minute=tuple(self.finishing.by_minute(now)),
            waiting=self.waiting.summary(),
            taking=self.taking.summary(),
        )


def _half(sketch: Histogram) -> float:
    half = sketch.summary().p50
    return -1.0 if half is None else half


# How large a row is at a time, counted since another.
MEASURES: dict[str, Callable[[Row, float, float], float]] = {
    "pending": lambda row, _now, _began: row.places[_PENDING],
    "running": lambda row, _now, _began: row.places[_RUNNING],
    "finished": lambda row, _now, _began: sum(row.places[_COMPLETED:]),
    "failed": lambda row, _now, _began: row.places[_FAILED],
    "rate": lambda row, now, began: row.finishing.per_minute(now, began),
    "wait": lambda row, _now, _began: _half(row.waiting),
    "run": lambda row, _now, _began: _half(row.taking),
}
"""What rows can be sorted by, besides their names; the largest first."""


@lru_cache(maxsize=4096)  # each is asked for when a run starts, and twice when it ends
def _bucket(earlier: str | None, later: str) -> int | None:
    # None if one of the times cannot be read. Clocks differ: what ends before
    # it begins takes no time.
    begin, end = parse_timestamp(earlier), parse_timestamp(later)
    if begin is None or end is None:
        return None
    return find_bucket((end - begin).total_seconds())
