"""What worker-manager has announced about the workers of a pool.

Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from tcsniff.stats.histogram import EMPTY_SUMMARY, Histogram, HistogramSummary
from tcsniff.stats.worker_events import WorkerChange

MAX_KINDS = 20
"""Kinds of errors that are counted by name."""

OTHER_KINDS = "(others)"
"""The name of the rest."""

_EVENTS = ("worker-requested", "worker-running", "worker-stopped", "worker-removed")


class WorkerReading(NamedTuple):
    """What was announced so far.

    Attributes:
        requested: Workers that were requested from the cloud provider.
        running: Workers that have registered, and can claim tasks.
        stopped: Workers that have stopped.
        removed: Workers that worker-manager stopped or asked to stop.
        errors: Errors of provisioning, or that workers reported.
        kinds: Number of errors of each kind, the most frequent first.
        start_times: Seconds from requested to running.
    """

    requested: int = 0
    running: int = 0
    stopped: int = 0
    removed: int = 0
    errors: int = 0
    kinds: tuple[tuple[str, int], ...] = ()
    start_times: HistogramSummary = EMPTY_SUMMARY


class WorkerCounts:
    """Numbers of events about the workers of a pool."""

    __slots__ = ("_errors", "_events", "_start_times")

    def __init__(self) -> None:
        self._events = dict.fromkeys(_EVENTS, 0)
        self._errors: dict[str, int] = {}
        self._start_times = Histogram()

    def add(self, change: WorkerChange) -> None:
        """Count an event."""
        if change.event in self._events:
            self._events[change.event] += 1
        else:
            self._add_errors(change.kind, 1)
        for bucket, number in ((change.start_before, -1), (change.start, 1)):
            if bucket is not None:
                self._start_times.add(bucket, number)

    def merge(self, other: WorkerCounts) -> None:
        """Add all that another object has counted."""
        for event, number in other._events.items():
            self._events[event] += number
        for kind, number in other._errors.items():
            self._add_errors(kind, number)
        self._start_times.merge(other._start_times)

    def build_reading(self) -> WorkerReading:
        """Return the numbers."""
        kinds = sorted(self._errors.items(), key=lambda pair: (-pair[1], pair[0]))
        requested, running, stopped, removed = self._events.values()
        return WorkerReading(
            requested,
            running,
            stopped,
            removed,
            errors=sum(self._errors.values()),
            kinds=tuple(kinds),
            start_times=self._start_times.summarize(),
        )

    def _add_errors(self, kind: str, number: int) -> None:
        # Workers choose the kinds that they report.
        if kind not in self._errors and len(self._errors) >= MAX_KINDS:
            kind = OTHER_KINDS
        self._errors[kind] = self._errors.get(kind, 0) + number
