"""The counts of `top` as JSON lines, one for each period."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from tcsniff.pipeline import Renderer
from tcsniff.pulse.events import Event
from tcsniff.renderers.lines import escape_json
from tcsniff.renderers.output import Output
from tcsniff.stats.run_counter import RunCounter
from tcsniff.stats.snapshots import Snapshot


class TopJsonRenderer(Renderer):
    """Counts events, and writes a line at the end of each period and of the run."""

    def __init__(self, output: Output, counter: RunCounter) -> None:
        """Create a renderer.

        Args:
            output: Where to write.
            counter: Counts the events.
        """
        self._output = output
        self._counter = counter
        self._lines: list[bytes] = []
        self._is_broken = False
        counter.listen(self._add_line)

    def show(self, events: Sequence[Event]) -> None:
        """Count a batch of events."""
        for event in events:
            self._counter.add(event)

    def flush(self) -> None:
        """Write the periods that have ended."""
        self._counter.end_periods()
        self._write()

    def close(self) -> None:
        """Write the last, unfinished period."""
        if not self._is_broken:
            self._counter.finish()
            self._write()

    def _add_line(self, snapshot: Snapshot) -> None:
        self._lines.append(orjson.dumps(snapshot, option=orjson.OPT_APPEND_NEWLINE))

    def _write(self) -> None:
        self._is_broken = True
        self._output.write_lines(self._lines, escape_json)
        self._is_broken = False
