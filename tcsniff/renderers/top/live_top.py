"""The picture of `top` in a live view, and the same as a page at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.cells import cell_len

from tcsniff.pipeline import Renderer
from tcsniff.pulse.events import Event
from tcsniff.renderers.columns import encode_text
from tcsniff.renderers.live_view import Picture
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.top.top_table import Board, draw_top
from tcsniff.sanitize import sanitize
from tcsniff.stats.rows import Row
from tcsniff.stats.run_counter import RunCounter

SORT_INTERVAL = 2.0  # minimum seconds between two sortings, so that rows stay readable
_MAX_MEASURED = 200  # rows
_OTHER_LINES = 3  # the heading, the total and the status


class TopPicture(Picture):
    """Counts of runs, a row for each pool, worker or the like.

    The order of rows changes only every two seconds; their numbers are current.
    """

    def __init__(
        self,
        counter: RunCounter,
        *,
        color: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counter = counter
        self.color = color
        self._clock = clock
        self._rows: list[Row] = []
        self._size = 0  # when the rows were sorted
        self._sorted = clock()

    def add(self, events: Sequence[Event]) -> None:
        """Count a batch of events."""
        for event in events:
            self._counter.add(event)

    def draw(self, width: int, height: int, status: StreamStatus) -> list[str]:
        """Return the heading, rows, their total and the status line."""
        now, size = self._clock(), self._counter.statistics.row_count
        if status.is_over or now - self._sorted >= SORT_INTERVAL or size != self._size:
            self._rows = self._counter.list_rows()
            self._size, self._sorted = size, now
        board = read_board(self._counter, self._rows, max(1, height - _OTHER_LINES))
        return draw_top(board, width, status, color=self.color)


def read_board(counter: RunCounter, rows: Sequence[Row], limit: int | None = None) -> Board:
    """Read the first `limit` rows, or all, and the total."""
    statistics = counter.statistics
    return Board(
        counter.by,
        [counter.read_row(row) for row in rows[:limit]],
        counter.read_row(statistics.total),
        len(rows),
        counter.sort,
        counter.reverse,
        has_limit=statistics.slo is not None,
        is_estimate=any(statistics.uncertain),
        has_workers=counter.by == "pool" and statistics.total.workers is not None,
        longest=measure_names(rows),
    )


def measure_names(rows: Sequence[Row]) -> int:
    """Return the cells of the longest name of the first rows."""
    return max((cell_len(sanitize(row.name)) for row in rows[:_MAX_MEASURED]), default=0)


class TopPageRenderer(Renderer):
    """Counts events, and writes all rows at the end."""

    def __init__(
        self, output: Output, counter: RunCounter, *, color: bool, ascii_only: bool
    ) -> None:
        self._output = output
        self._counter = counter
        self._color = color
        self._ascii_only = ascii_only
        self._has_reader = True

    def show(self, events: Sequence[Event]) -> None:
        """Count a batch of events."""
        for event in events:
            self._counter.add(event)

    def flush(self) -> None:
        """Check whether there is still a reader."""
        self._has_reader = False
        self._output.check()
        self._has_reader = True

    def close(self) -> None:
        """Write all rows, as wide as the environment variable ``COLUMNS`` says."""
        if self._has_reader:
            board = read_board(self._counter, self._counter.list_rows())
            lines = draw_top(board, get_terminal_size()[0], None, color=self._color)
            text = "".join(f"{line.rstrip()}\n" for line in lines)
            self._output.write(encode_text(text, ascii_only=self._ascii_only))
