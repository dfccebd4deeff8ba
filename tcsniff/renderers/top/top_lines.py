"""What `top` counts, as JSON lines: one a period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.times import format_timestamp
from tcsniff.renderers.lines import escape_lines
from tcsniff.renderers.output import Output
from tcsniff.stats.histogram import HistogramSummary
from tcsniff.stats.rows import Reading
from tcsniff.stats.run_statistics import RunCounter

_MOST_QUIET = 1000  # periods without an event that have a line each


class TopJsonRenderer(Renderer):
    """Counts events, and writes a line at the end of each period, and at the very end."""

    def __init__(self, output: Output, counter: RunCounter, *, every: float) -> None:
        """The first period begins as soon as the time is known.

        Args:
            output: Where to write.
            counter: Counts the events.
            every: How long a period is, in seconds.
        """
        self._output = output
        self._counter = counter
        self._every = every
        self._begin = counter.now
        self._lines: list[bytes] = []
        self._events = 0
        self._is_broken = False

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        for event in events:
            now = self._counter.get_arrival_time(event)
            self._pass(now)
            self._counter.statistics.add(event.delivery, now)
            self._events += 1

    def show_gap(self, gap: Gap) -> None:
        """Nothing is known of what was missed."""

    def flush(self) -> None:
        """Write what is due."""
        if (now := self._counter.now) is not None:
            self._pass(now)
        if self._lines:
            self._write()
        else:
            self._output.check()

    def close(self) -> None:
        """Write how it stands in the end."""
        if not self._is_broken:
            self._line(self._counter.now)
            self._write()

    def _pass(self, now: float) -> None:
        if self._begin is None:
            self._begin = now
        while (end := self._begin + self._every) <= now:
            quiet = (now - end) // self._every
            # Of a time of which nothing is known, one line says so as well as thousands.
            self._line(end if quiet < _MOST_QUIET else end + quiet * self._every)

    def _line(self, moment: float | None) -> None:
        end = moment or 0.0
        begin = end if self._begin is None else self._begin
        total = _worded(self._counter.read_row(self._counter.statistics.total, end))
        rows = [_worded(self._counter.read_row(row, end)) for row in self._counter.list_rows(end)]
        line = {
            "time": None if moment is None else format_timestamp(moment),
            "seconds": round(end - begin, 3),
            "by": self._counter.by,
            "events": self._events,
            "rows": rows,
            "total": {name: total[name] for name in total if name != "name"},
        }
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._counter.statistics.start_period()
        self._begin, self._events = end, 0

    def _write(self) -> None:
        data = b"".join(self._lines)
        self._lines = []
        self._is_broken = True
        self._output.write(escape_lines(data) if self._output.is_terminal else data)
        self._is_broken = False


def _worded(reading: Reading) -> dict[str, Any]:
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
        "waiting": _times(reading.wait_times),
        "runningTime": _times(reading.run_times),
    }


def _times(summary: HistogramSummary) -> dict[str, Any]:
    names = ("count", "p50", "p95", "p99", "max")
    rounded = [None if value is None else round(value, 3) for value in summary]
    return dict(zip(names, rounded, strict=True))
