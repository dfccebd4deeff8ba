"""Statistics over time: periods, and a snapshot of each.

Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tcsniff.pulse.events import Event
from tcsniff.pulse.payloads import TaskState
from tcsniff.pulse.times import format_timestamp, parse_seconds
from tcsniff.stats.rows import Reading, Row
from tcsniff.stats.run_statistics import RunStatistics
from tcsniff.stats.snapshots import Snapshot, format_row
from tcsniff.stats.worker_counts import WorkerReading
from tcsniff.taskgraph.tracker import Task

_MAX_EMPTY_PERIODS = 1000  # consecutive ones that get a snapshot each

SnapshotListener = Callable[[Snapshot], None]
"""Receives the snapshot of each period that has ended."""


class RunCounter:
    """Statistics with a sort order, a clock that never goes back, and periods.

    Attributes:
        by: What a row stands for, a key of `GROUPINGS`.
        sort: The sort order of the rows, as for `RunStatistics.list_rows`.
        reverse: Whether the order is reversed.
        statistics: The counted runs.
        is_stopped: Whether further events are ignored; set by a listener.
        api: Whether the queue's API has said what was pending and running before:
            ``asking``, ``answered``, ``refused`` or ``failed``; empty if it is not asked.
    """

    def __init__(
        self,
        by: str,
        sort: str,
        *,
        reverse: bool = False,
        clock: Callable[[], float] | None = None,
        every: float = math.inf,
        slo: float | None = None,
    ) -> None:
        """Create a counter without runs.

        Args:
            by: What a row stands for, a key of `GROUPINGS`.
            sort: Sort order of the rows, as for `RunStatistics.list_rows`.
            reverse: Whether to reverse the order.
            clock: Returns seconds since the Unix epoch; None to use the times when
                events were received, as for a recording.
            every: The length of a period, in seconds.
            slo: The longest waiting time that is in time, in seconds.
        """
        self.by = by
        self.statistics = RunStatistics(by, slo=slo)
        self.is_stopped = False
        self.api = ""
        self.sort = sort
        self.reverse = reverse
        self._clock = clock
        self._now: float | None = None
        self._every = every
        self._listeners: list[SnapshotListener] = []
        self._begin: float | None = None  # of the period; None until the time is known
        self._events = 0
        self._is_finished = False

    @property
    def now(self) -> float | None:
        """Current time, in seconds since the Unix epoch; None until an event has a time."""
        if self._clock is not None:
            self._advance(self._clock())
        return self._now

    def listen(self, listener: SnapshotListener) -> None:
        """Call a function with the snapshot of each period; the first one begins now."""
        self._listeners.append(listener)
        self._begin = self.now

    def get_arrival_time(self, event: Event) -> float | None:
        """Return when an event arrives; if its time is unknown, that of the event before it.

        Returns:
            Seconds since the Unix epoch; None as long as no event has a time.
        """
        received = event.delivery.received
        self._advance(parse_seconds(received) if self._clock is None else self._clock())
        return self._now

    def add(self, event: Event) -> None:
        """Count the runs that an event is about, after the periods before it have ended."""
        now = self.get_arrival_time(event)
        if now is not None:
            self._end_periods(now)
        if not self.is_stopped:  # by the end of a period
            self.statistics.add(event.delivery, now)
            self._events += 1

    def add_listed(self, task: Task) -> bool:
        """Count a run that the API lists, as `RunStatistics.add_listed`; not if stopped."""
        return self.is_stopped or self.statistics.add_listed(task, self.now or 0.0)

    def add_status(self, status: TaskState) -> None:
        """Count the runs of a task, as the API knows it; not if stopped."""
        if not self.is_stopped:
            self.statistics.add_status(status, self.now or 0.0)

    def end_periods(self) -> None:
        """End the periods that are over by now."""
        if (now := self.now) is not None:
            self._end_periods(now)

    def finish(self) -> None:
        """End the last period, which is shorter than the others; once."""
        if not self._is_finished:
            self._is_finished = True
            self._end_period(self.now)

    def list_rows(self, now: float | None = None) -> list[Row]:
        """Return the sorted rows at a time; None for the current time."""
        return self.statistics.list_rows(self.sort, self._get_time(now), reverse=self.reverse)

    def read_row(self, row: Row, now: float | None = None) -> Reading:
        """Return the numbers of a row at a time; None for the current time."""
        time = self._get_time(now)
        statistics = self.statistics
        reading = row.build_reading(time, statistics.began or time, statistics.slo)
        if reading.workers is None and (self.by == "pool" or row is statistics.total):
            return reading._replace(workers=WorkerReading())
        return reading

    @property
    def _is_watched(self) -> bool:
        return bool(self._listeners) and not self.is_stopped

    def _end_periods(self, now: float) -> None:
        if self._begin is None:
            self._begin = now
        while self._is_watched and (end := self._begin + self._every) <= now:
            # One period stands for thousands without any event.
            empty = (now - end) // self._every
            self._end_period(end if empty < _MAX_EMPTY_PERIODS else end + empty * self._every)

    def _end_period(self, now: float | None) -> None:
        if self.is_stopped:
            return
        snapshot = self._build_snapshot(now)
        for listener in self._listeners:
            listener(snapshot)
        if self.is_stopped:
            self._now = now  # also for the last picture
        self.statistics.start_period()
        self._begin, self._events = now or 0.0, 0

    def _build_snapshot(self, now: float | None) -> Snapshot:
        end = now or 0.0
        begin = end if self._begin is None else self._begin
        statistics = self.statistics
        total = format_row(self.read_row(statistics.total, end))
        del total["name"]
        uncertain = statistics.uncertain
        return {
            "time": None if now is None else format_timestamp(now),
            "seconds": round(end - begin, 3),
            "by": self.by,
            "events": self._events,
            **({"api": self.api} if self.api else {}),
            **({"undecodable": statistics.unread} if statistics.unread else {}),
            **({"uncertain": uncertain._asdict()} if any(uncertain) else {}),
            **({"uncounted": dict(statistics.uncounted)} if statistics.uncounted else {}),
            "rows": [format_row(self.read_row(row, end)) for row in self.list_rows(end)],
            "total": total,
        }

    def _advance(self, time: float | None) -> None:
        if self.is_stopped or time is None:
            return
        if self._now is None or time > self._now:
            self._now = time

    def _get_time(self, now: float | None) -> float:
        return (self.now or 0.0) if now is None else now
