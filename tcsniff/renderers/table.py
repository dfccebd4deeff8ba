"""The live table: the newest events, as many as fit."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.table import Table

from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.styles import EVENT_STYLES, Style, get_event_style
from tcsniff.renderers.ansi import join_words, paint_lines
from tcsniff.renderers.columns import (
    COLUMN_GAP,
    EVENT,
    POOL,
    REASON,
    RUN,
    TASK_ID,
    Column,
    find_link_target,
    fit_columns,
    show_utc,
    to_ascii,
)
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.renderers.svg import Drawing
from tcsniff.renderers.terminal import (
    Screen,
    StreamStatus,
    Traffic,
    format_gap_count,
    format_status,
)
from tcsniff.sanitize import sanitize

REDRAW = 0.1  # seconds between two drawings, at least
_CHROME = 3  # lines that are no events: the heading, the status, and one to spare
_MOST_ROWS = 500  # of the highest screen


class TableRenderer(Drawing):
    """Keeps the newest events and draws them, at most ten times a second."""

    def __init__(
        self,
        output: Output,
        *,
        source: str,
        selection: str,
        condition: Callable[[], str] = str,
        columns: Sequence[Column] = (),
        utc: bool = False,
        colour: bool,
        ascii_only: bool,
        root_url: str | None = None,
        styles: Mapping[str, Style] = EVENT_STYLES,
        size: Callable[[], tuple[int, int]] = get_terminal_size,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is drawn yet.

        Args:
            output: A terminal.
            source: What it is connected to, for the status line.
            selection: What was asked for, for the same.
            condition: Tells what a person should know of the connection.
            columns: What to show, in order; none for what fits best.
            utc: Whether times are in UTC instead of the local time zone.
            colour: Whether to use colours.
            ascii_only: Whether our symbols are spelled in ASCII.
            root_url: Of the Taskcluster deployment, if tasks are to be links to
                it; None for no links.
            styles: How events look.
            size: Measures the terminal, in columns and lines.
            clock: Tells the time, in seconds.
        """
        self._screen = Screen(output)
        self._source = source
        self._selection = selection
        self._condition = condition
        self._gaps = 0
        self._columns = columns
        self._utc = utc
        self._colour = colour
        self._ascii_only = ascii_only
        self._root_url = root_url
        self._looks = styles
        self._size = size
        self._clock = clock
        self._events: deque[Event] = deque(maxlen=_MOST_ROWS)
        self._traffic = Traffic(clock)
        self._drawn = clock()
        self._stale = True

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in; nothing is drawn yet."""
        if not events:
            return
        self._events.extend(events[-_MOST_ROWS:])
        self._traffic.add(len(events), events[-1].lag)

    def show_gap(self, gap: Gap) -> None:  # noqa: ARG002 - a renderer's signature
        """Take a gap in: the status line counts them."""
        self._gaps += 1

    def notify(self, text: str) -> None:
        """Write a line above the table, where it stays."""
        self._screen.above(sanitize(text))
        self._stale = True

    def redraw(self) -> None:
        """Give the terminal away; the next picture is drawn below what is there then."""
        self._screen.redraw()
        self._stale = True

    def flush(self) -> None:
        """Draw if the last drawing is old enough."""
        now = self._clock()
        if self._stale or now - self._drawn >= REDRAW:
            self._draw(now)

    def close(self) -> None:
        """Draw a last time, and leave the terminal in order."""
        try:
            if not self._stale:
                self._draw(self._clock())
        finally:
            self._screen.close()

    def still(self, width: int, height: int) -> list[str]:
        """Draw the last picture, as it is when all is over.

        Args:
            width: In cells.
            height: The most lines.

        Returns:
            Lines, without links.
        """
        status = self._status()._replace(is_over=True)
        return self._picture(width, max(1, height - 2), status, root_url=None)

    def _draw(self, now: float) -> None:
        self._stale = False
        self._drawn = now
        columns, height = self._size()
        rows = max(1, height - _CHROME)
        picture = self._picture(columns, rows, self._status(), root_url=self._root_url)
        self._screen.draw(picture[: max(1, height - 1)], (columns, height))

    def _picture(
        self, width: int, rows: int, status: StreamStatus, *, root_url: str | None
    ) -> list[str]:
        share_labels(self._events)
        shown = fit_columns(width, self._columns)
        picture = draw_table(
            list(self._events)[-rows:],
            status,
            width,
            colour=self._colour,
            shown=show_utc(shown) if self._utc else shown,
            root_url=root_url,
            styles=self._looks,
        )
        return [to_ascii(line) for line in picture] if self._ascii_only else picture

    def _status(self) -> StreamStatus:
        notes = tuple(filter(None, (self._condition(), format_gap_count(self._gaps))))
        return self._traffic.status(self._source, self._selection, notes)


def share_labels(events: Iterable[Event]) -> None:
    """Give events of the same tasks the labels that only some of their messages carry."""
    known = {event.task_id: event.label for event in events if event.label and event.task_id}
    for event in events:
        event.label = event.label or known.get(event.task_id, "")


def draw_table(
    events: Sequence[Event],
    status: StreamStatus,
    width: int,
    *,
    colour: bool,
    shown: Sequence[Column] | None = None,
    root_url: str | None = None,
    styles: Mapping[str, Style] = EVENT_STYLES,
) -> list[str]:
    """Lay a table out.

    Args:
        events: What to show, oldest first.
        status: For the line below.
        width: Of the screen, in cells.
        colour: Whether to use colours.
        shown: The columns; None for what fits best.
        root_url: Of the Taskcluster deployment, for links; None for none.
        styles: How events look.

    Returns:
        Lines no wider than `width`: the heading, the events, the status.
    """
    table = _table(events, shown or fit_columns(width), root_url, styles)
    return paint_lines([table, format_status(status, width)], width, colour=colour)


def _table(
    events: Sequence[Event],
    columns: Sequence[Column],
    root_url: str | None,
    styles: Mapping[str, Style],
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(
            column.title,
            width=column.width,
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if column.title == RUN.title else "left",
        )
    for event in events:
        table.add_row(
            *(
                join_words(
                    column.text(event),
                    _style(column, styles, event),
                    find_link_target(column, event, root_url),
                )
                for column in columns
            )
        )
    return table


def _style(column: Column, styles: Mapping[str, Style], event: Event) -> str:
    if column.title == EVENT.title:
        return get_event_style(event, styles).style
    if column.title.endswith(REASON.title) and event.name in {"task-failed", "task-exception"}:
        return get_event_style(event, styles).style
    return "dim" if column.title in {TASK_ID.title, POOL.title} else ""
