"""The counts of `top` as JSON lines, one for each period."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from tcsniff.pipeline import Renderer
from tcsniff.pulse.events import Event
from tcsniff.pulse.times import format_timestamp
from tcsniff.renderers.lines import escape_json
from tcsniff.renderers.output import Output
from tcsniff.stats.histogram import HistogramSummary
from tcsniff.stats.rows import Reading
from tcsniff.stats.run_statistics import RunCounter

_MAX_EMPTY_PERIODS = 1000  # consecutive ones that get a line each


class TopJsonRenderer(Renderer):
    """Counts events, and writes a line at the end of each period and of the run."""

    def __init__(self, output: Output, counter: RunCounter, *, every: float) -> None:
        """Create a renderer; the first period begins when the time is known.

        Args:
            output: Where to write.
            counter: Counts the events.
            every: The length of a period, in seconds.
        """
        self._output = output
        self._counter = counter
        self._every = every
        self._begin = counter.now
        self._lines: list[bytes] = []
        self._events = 0
        self._is_broken = False

    def show(self, events: Sequence[Event]) -> None:
        """Count a batch of events."""
        for event in events:
            now = self._counter.get_arrival_time(event)
            self._end_periods(now)
            self._counter.statistics.add(event.delivery, now)
            self._events += 1

    def flush(self) -> None:
        """Write the periods that have ended."""
        if (now := self._counter.now) is not None:
            self._end_periods(now)
        self._write()

    def close(self) -> None:
        """Write the last, unfinished period."""
        if not self._is_broken:
            self._end_period(self._counter.now)
            self._write()

    def _end_periods(self, now: float) -> None:
        if self._begin is None:
            self._begin = now
        while (end := self._begin + self._every) <= now:
            # One line stands for thousands of periods without any event.
            empty = (now - end) // self._every
            self._end_period(end if empty < _MAX_EMPTY_PERIODS else end + empty * self._every)

    def _end_period(self, now: float | None) -> None:
        end = now or 0.0
        begin = end if self._begin is None else self._begin
        total = _to_json(self._counter.read_row(self._counter.statistics.total, end))
        del total["name"]
        unread = self._counter.statistics.unread
        period = {
            "time": None if now is None else format_timestamp(now),
            "seconds": round(end - begin, 3),
            "by": self._counter.by,
            "events": self._events,
            **({"undecodable": unread} if unread else {}),
            "rows": [
                _to_json(self._counter.read_row(row, end)) for row in self._counter.list_rows(end)
            ],
            "total": total,
        }
        self._lines.append(orjson.dumps(period, option=orjson.OPT_APPEND_NEWLINE))
        self._counter.statistics.start_period()
        self._begin, self._events = end, 0

    def _write(self) -> None:
        self._is_broken = True
        self._output.write_lines(self._lines, escape_json)
        self._is_broken = False


def _to_json(reading: Reading) -> dict[str, object]:
    return {
        "name": reading.name,
        "pending": reading.pending,
        "running": reading.running,
        "completed": reading.completed,
        "failed": reading.failed,
        "exception": reading.exception,
        "started": reading.started,
        "finished": reading.ended,
        "rate": round(reading.per_minute, 2),
        "waiting": _round_times(reading.wait_times),
        "runningTime": _round_times(reading.run_times),
    }


def _round_times(summary: HistogramSummary) -> dict[str, float | None]:
    names = ("count", "p50", "p95", "p99", "max")
    rounded = [None if value is None else round(value, 3) for value in summary]
    return dict(zip(names, rounded, strict=True))
