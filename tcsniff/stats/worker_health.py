"""How a worker is doing: its pool, when it was last heard of, and its streak of failures.

Pure.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from typing import NamedTuple

from tcsniff.pulse.payloads import Run
from tcsniff.stats.run_facts import CANCELED, COMPLETED, RunFacts, has_ended, parse_time

# The queue ends these runs by itself; the worker may be long gone.
_ENDED_BY_QUEUE = frozenset({"claim-expired", "deadline-exceeded", "canceled"})


class HealthReading(NamedTuple):
    """The condition of a worker at one time.

    Attributes:
        pool: Its worker pool; that of its newest run, if they differ.
        heard: Seconds since it last claimed or resolved a run; None if unknown.
        streak: Number of its latest runs that did not complete, without canceled ones.
    """

    pool: str
    heard: float | None
    streak: int


class WorkerHealth:
    """What is known about one worker, whatever the order of its runs."""

    __slots__ = ("_completed", "_failures", "_heard", "_pool")

    def __init__(self) -> None:
        self._pool = (float("-inf"), "")  # of the newest run, and when it started
        self._heard: float | None = None
        self._completed = float("-inf")  # when the last run completed
        self._failures = array("d")  # when later runs ended, in ascending order

    def add_run(self, pool: str, run: Run, facts: RunFacts, *, is_new_end: bool) -> None:
        """Add what is known about a run.

        Args:
            pool: The run's worker pool.
            run: The run; adding it again changes nothing.
            facts: What a row counts of it.
            is_new_end: Whether the end of the run is added for the first time.
        """
        started, resolved = facts.started, parse_time(run.resolved)
        self._pool = max(self._pool, (float("-inf") if started is None else started, pool))
        for time in (started, None if run.reason_resolved in _ENDED_BY_QUEUE else resolved):
            if time is not None and (self._heard is None or time > self._heard):
                self._heard = time
        if is_new_end and has_ended(run) and resolved is not None:
            self._add_end(facts.state, resolved)

    def _add_end(self, state: int, resolved: float) -> None:
        if state == COMPLETED and resolved > self._completed:
            self._completed = resolved
            del self._failures[: bisect_right(self._failures, resolved)]
        elif state not in (COMPLETED, CANCELED) and resolved > self._completed:
            insort(self._failures, resolved)

    def build_reading(self, now: float) -> HealthReading:
        """Return the condition of the worker.

        Args:
            now: Current time, in seconds since the Unix epoch.
        """
        heard = None if self._heard is None else max(0.0, now - self._heard)
        return HealthReading(self._pool[1], heard, len(self._failures))

    @property
    def streak(self) -> int:
        """Number of the latest runs that did not complete, without canceled ones."""
        return len(self._failures)
