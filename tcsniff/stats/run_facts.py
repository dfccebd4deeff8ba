"""What a row of ``top`` counts of a run: how it ended, how long it waited and ran.

Pure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from tcsniff.pulse.payloads import Run
from tcsniff.pulse.times import parse_seconds
from tcsniff.stats.histogram import find_bucket

PENDING, RUNNING, COMPLETED, FAILED, LOST, CANCELED, EXCEPTION, UNKNOWN = range(8)
"""The columns in which a run is counted: indexes of `rows.Row.states`."""

LOST_REASONS = frozenset({"claim-expired", "worker-shutdown"})
"""The reasons of runs whose worker went away."""

_STATES = {
    "pending": PENDING,
    "running": RUNNING,
    "completed": COMPLETED,
    "failed": FAILED,
    "exception": EXCEPTION,
}
_EXCEPTIONS = {**dict.fromkeys(LOST_REASONS, LOST), "canceled": CANCELED}

# Each time is needed when a run starts, and twice when it ends.
parse_time = lru_cache(maxsize=4096)(parse_seconds)
"""Parse a time as `parse_seconds` does, from a cache."""


class RunFacts(NamedTuple):
    """What a row counts of a run.

    Attributes:
        state: The column, such as `PENDING`.
        wait: Bucket of the time from scheduled to started; None if unknown.
        took: Bucket of the time from started to resolved; None if unknown.
        is_in_time: Whether it started within the limit of ``--slo``.
        pending_since: When it was scheduled, if it is pending; in seconds since the
            Unix epoch, as all times.
        started: When it started; None if unknown.
    """

    state: int
    wait: int | None = None
    took: int | None = None
    is_in_time: bool = False
    pending_since: float | None = None
    started: float | None = None


def find_run_facts(run: Run, slo: float | None = None) -> RunFacts:
    """Return what a row counts of a run.

    Args:
        run: The run.
        slo: The longest time from scheduled to started that is in time, in seconds.
    """
    state = _STATES.get(run.state, UNKNOWN)
    if state == EXCEPTION:
        state = _EXCEPTIONS.get(run.reason_resolved or "", EXCEPTION)
    scheduled = parse_time(run.scheduled)
    if run.started is None:
        return RunFacts(state, pending_since=scheduled if state == PENDING else None)
    started = parse_time(run.started)
    waited = _subtract_times(started, scheduled)
    took = None
    if run.resolved is not None:
        took = _subtract_times(parse_time(run.resolved), started)
    return RunFacts(
        state,
        None if waited is None else find_bucket(waited),
        None if took is None else find_bucket(took),
        is_in_time=slo is not None and waited is not None and waited <= slo,
        pending_since=scheduled if state == PENDING else None,
        started=started,
    )


def has_ended(run: Run) -> bool:
    """Return whether a run is neither pending nor running."""
    return run.state not in ("pending", "running")


def _subtract_times(later: float | None, earlier: float | None) -> float | None:
    # To a millisecond, as the times are; differences of large floats are not.
    return None if later is None or earlier is None else round(later - earlier, 3)
