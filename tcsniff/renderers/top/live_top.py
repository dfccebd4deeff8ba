"""The live view of `top`: what happens, row by row."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.columns import to_ascii
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.renderers.svg import Drawing
from tcsniff.renderers.terminal import Screen, StreamStatus, Traffic, format_gap_count
from tcsniff.renderers.top.top_table import Board, draw_top
from tcsniff.sanitize import sanitize
from tcsniff.stats.rows import Row
from tcsniff.stats.run_statistics import RunCounter

REDRAW = 0.25  # seconds between two drawings, at least
RESORT = 2.0  # seconds between two sortings, at least: who reads a row should find it again
_CHROME = 3  # lines that are no rows: the heading, the total, the status


class Ranking:
    """The rows that are shown, in an order that does not change at every moment."""

    def __init__(self, counter: RunCounter, clock: Callable[[], float]) -> None:
        """Nothing is sorted yet.

        Args:
            counter: Where the rows are.
            clock: Tells the time, in seconds.
        """
        self._counter = counter
        self._clock = clock
        self._rows: list[Row] = []
        self._size = 0
        self._sorted = clock()

    def board(self, most: int, *, anew: bool = False) -> Board:
        """Read what is to be shown.

        Args:
            most: How many rows there is room for.
            anew: Whether to sort anyway.
        """
        moment, size = self._clock(), self._counter.statistics.row_count
        if anew or moment - self._sorted >= RESORT or size != self._size:
            self._rows = self._counter.list_rows()
            self._size, self._sorted = size, moment
        return board_of(self._counter, self._rows, most)


def board_of(counter: RunCounter, rows: Sequence[Row], most: int | None = None) -> Board:
    """Read rows, the first `most` of them, and their total."""
    readings = [counter.read_row(row) for row in rows[:most]]
    return Board(counter.by, readings, counter.read_row(counter.statistics.total), len(rows))


class TopRenderer(Drawing):
    """Counts events and draws what it counts, at most four times a second."""

    def __init__(
        self,
        output: Output,
        counter: RunCounter,
        *,
        source: str,
        selection: str,
        condition: Callable[[], str] = str,
        colour: bool,
        ascii_only: bool,
        size: Callable[[], tuple[int, int]] = get_terminal_size,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is drawn yet.

        Args:
            output: A terminal.
            counter: Counts the events.
            source: What it is connected to, for the status line.
            selection: What was asked for, for the same.
            condition: Tells what a person should know of the connection.
            colour: Whether to use colours.
            ascii_only: Whether our symbols are spelled in ASCII.
            size: Measures the terminal, in columns and lines.
            clock: Tells the time, in seconds.
        """
        self._screen = Screen(output)
        self._counter = counter
        self._ranking = Ranking(counter, clock)
        self._source = source
        self._selection = selection
        self._condition = condition
        self._gaps = 0
        self._colour = colour
        self._ascii_only = ascii_only
        self._size = size
        self._clock = clock
        self._traffic = Traffic(clock)
        self._drawn = clock()
        self._stale = True

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in; nothing is drawn yet."""
        for event in events:
            self._counter.add(event)
        if events:
            self._traffic.add(len(events), events[-1].lag)

    def show_gap(self, gap: Gap) -> None:  # noqa: ARG002 - a renderer's signature
        """Take a gap in: the status line counts them."""
        self._gaps += 1

    def notify(self, text: str) -> None:
        """Write a line above the picture, where it stays."""
        self._screen.above(sanitize(text))
        self._stale = True

    def redraw(self) -> None:
        """Give the terminal away; the next picture is drawn below what is there then."""
        self._screen.redraw()
        self._stale = True

    def flush(self) -> None:
        """Draw if the last drawing is old enough."""
        if self._stale or self._clock() - self._drawn >= REDRAW:
            self._draw()

    def close(self) -> None:
        """Draw a last time, and leave the terminal in order."""
        try:
            if not self._stale:
                self._draw(anew=True)
        finally:
            self._screen.close()

    def still(self, width: int, height: int) -> list[str]:
        """Draw the last picture, as it is when all is over.

        Args:
            width: In cells.
            height: The most lines.
        """
        status = self._status()._replace(is_over=True)
        return self._picture(width, height, status, anew=True)

    def _draw(self, *, anew: bool = False) -> None:
        self._stale = False
        self._drawn = self._clock()
        columns, height = self._size()
        # The screen keeps a line for the cursor.
        picture = self._picture(columns, max(1, height - 1), self._status(), anew=anew)
        self._screen.draw(picture, (columns, height))

    def _picture(self, width: int, height: int, status: StreamStatus, *, anew: bool) -> list[str]:
        board = self._ranking.board(max(1, height - _CHROME), anew=anew)
        picture = draw_top(board, width, status, colour=self._colour)[:height]
        return [to_ascii(line) for line in picture] if self._ascii_only else picture

    def _status(self) -> StreamStatus:
        notes = tuple(filter(None, (self._condition(), format_gap_count(self._gaps))))
        return self._traffic.status(self._source, self._selection, notes)


class TopPageRenderer(Renderer):
    """Counts events and writes what it has counted at the end, where nothing can be drawn."""

    def __init__(
        self, output: Output, counter: RunCounter, *, colour: bool, ascii_only: bool
    ) -> None:
        """Nothing is written yet; the arguments are those of `TopRenderer`."""
        self._output = output
        self._counter = counter
        self._colour = colour
        self._ascii_only = ascii_only
        self._is_gone = False

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        for event in events:
            self._counter.add(event)

    def show_gap(self, gap: Gap) -> None:
        """Nothing is known of what was missed."""

    def flush(self) -> None:
        """See whether anybody will read it."""
        self._is_gone = True
        self._output.check()
        self._is_gone = False

    def close(self) -> None:
        """Write all rows, as wide as ``COLUMNS`` says."""
        if self._is_gone:
            return
        board = board_of(self._counter, self._counter.list_rows())
        picture = draw_top(board, get_terminal_size()[0], None, colour=self._colour)
        text = "".join(f"{line.rstrip()}\n" for line in picture)
        self._output.write((to_ascii(text) if self._ascii_only else text).encode(errors="replace"))
