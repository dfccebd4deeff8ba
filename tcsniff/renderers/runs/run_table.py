"""Rows of runs as columns on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from tcsniff.pulse.styles import STATE_STYLES
from tcsniff.pulse.times import format_duration, parse_timestamp, to_local_time
from tcsniff.renderers.columns import COLUMN_GAP, encode_text
from tcsniff.renderers.lines import color_text
from tcsniff.renderers.output import get_terminal_size
from tcsniff.renderers.runs.run_formats import RowFormat
from tcsniff.renderers.widths import pad_text
from tcsniff.sanitize import sanitize
from tcsniff.stats.run_ledger import RunRow


class RowTable:
    """Formats rows as columns that fit the terminal, whatever its width is then."""

    def __init__(self, *, color: bool, ascii_only: bool, utc: bool) -> None:
        self._utc = utc
        self._color = color
        self._ascii_only = ascii_only

    @property
    def row_format(self) -> RowFormat:
        """The format for a renderer."""
        heading = self._format(("RESOLVED", "STATE", "WAITED", "RAN", "TASK", "RUN", "POOL"))
        return RowFormat(self.format_row, heading)

    def format_row(self, row: RunRow) -> bytes:
        """Format a row."""
        style = STATE_STYLES.get(row.state)
        word = row.reasonResolved if row.state == "exception" else row.state
        state = f"{style.symbol if style else ' '} {word or row.state}"
        name = row.label or row.kind or row.taskId
        cells = (
            self._format_clock(row.resolved),
            f"{state}, retried" if row.retried else state,
            _format_time(row.waited),
            _format_time(row.ran),
            name,
            "" if row.runId is None else str(row.runId),
            row.taskQueueId or "",
        )
        return self._format(cells, style.style if style else "")

    def _format_clock(self, text: str | None) -> str:
        time = parse_timestamp(text)
        if time is None:
            return ""
        return f"{time.astimezone(UTC) if self._utc else to_local_time(time):%H:%M:%S}"

    def _format(self, cells: Sequence[str], style: str = "") -> bytes:
        resolved, state, waited, ran, name, run, pool = map(sanitize, cells)
        width = get_terminal_size()[0]
        parts = [resolved.ljust(8), pad_text(state, 24), waited.rjust(7), ran.rjust(7)]
        left = width - sum(map(len, parts)) - COLUMN_GAP * len(parts)
        pool_width = min(28, left // 3) if left > 50 else 0
        name_width = max(8, left - 3 - COLUMN_GAP - (pool_width + COLUMN_GAP if pool_width else 0))
        parts += [pad_text(name, name_width), run.rjust(3)]
        if pool_width:
            parts.append(pad_text(pool, pool_width))
        if self._color and style:
            parts[1] = color_text(parts[1], style)
        line = (" " * COLUMN_GAP).join(parts).rstrip()
        return encode_text(f"{line}\n", ascii_only=self._ascii_only)


def _format_time(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(seconds).replace(" ", "")
