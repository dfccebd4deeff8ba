"""Rows of runs as columns on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import NamedTuple

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
        widths = fit_columns(get_terminal_size()[0])
        state = pad_text(state, widths.state)
        parts = [
            resolved.ljust(_TIME),
            color_text(state, style) if self._color and style else state,
            *((waited.rjust(_DURATION),) if widths.waited else ()),
            *((ran.rjust(_DURATION),) if widths.ran else ()),
            pad_text(name, widths.name),
            *((run.rjust(_RUN),) if widths.run else ()),
            *((pad_text(pool, widths.pool),) if widths.pool else ()),
        ]
        line = (" " * COLUMN_GAP).join(parts).rstrip()
        return encode_text(f"{line}\n", ascii_only=self._ascii_only)


_TIME, _DURATION, _RUN = 8, 7, 3  # cells


class Widths(NamedTuple):
    """The cells of the columns of runs; 0 for those that are left out."""

    state: int
    ran: int
    waited: int
    name: int
    run: int
    pool: int


def fit_columns(width: int) -> Widths:
    """Share a screen of this width; a wider one has no fewer cells for the task's name."""
    name, state, pool = 26, 13, 0
    left = width - _TIME - state - 2 * COLUMN_GAP
    name = max(8, min(name, left))
    left -= name
    others: list[int] = []
    for cells in (_DURATION, _DURATION, _RUN):  # how long it ran and waited, and the run
        shown = cells if all(others) and left >= cells + COLUMN_GAP else 0
        others.append(shown)
        left -= shown + COLUMN_GAP if shown else 0
    if all(others):
        name, left = _widen(name, 44, left)
        if name == 44 and left >= 22 + COLUMN_GAP:
            pool, left = 22, left - 22 - COLUMN_GAP
    state, left = _widen(state, 24, left)
    if pool:
        pool, left = _widen(pool, 40, left)
        name, left = _widen(name, 72, left)
    ran, waited, run = others
    return Widths(state, ran, waited, name, run, pool)


def _widen(cells: int, limit: int, left: int) -> tuple[int, int]:
    more = max(0, min(limit - cells, left))
    return cells + more, left - more


def _format_time(seconds: float | None) -> str:
    return "" if seconds is None else format_duration(seconds).replace(" ", "")
