"""The live table: the newest events, as many as fit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from tcsniff.pulse.events import Event
from tcsniff.pulse.styles import EVENT_STYLES, Style, get_event_style
from tcsniff.renderers.ansi import join_words, paint_lines
from tcsniff.renderers.columns import (
    EVENT,
    POOL,
    REASON,
    TASK_ID,
    Column,
    find_link_target,
    show_utc,
)
from tcsniff.renderers.layouts import fit_columns, fit_row, list_needed
from tcsniff.renderers.live_view import Picture
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.terminal import format_status

_OTHER_LINES = 2  # the heading and the status
_MAX_ROWS = 500  # of the highest screen


class TablePicture(Picture):
    """The newest events, each in a row."""

    interval = 0.1
    has_clocks = False

    def __init__(
        self,
        *,
        color: bool,
        columns: Sequence[Column] = (),
        utc: bool = False,
        root_url: str | None = None,
        styles: Mapping[str, Style] = EVENT_STYLES,
    ) -> None:
        """Create an empty table.

        Args:
            color: Whether to use colors.
            columns: The columns, in order; empty for those that fit best.
            utc: Whether to show times in UTC instead of the local time zone.
            root_url: Root URL of the deployment, for links; None for no links.
            styles: The style of each kind of event.
        """
        self.color = color
        self._columns = columns
        self._utc = utc
        self._root_url = root_url
        self._styles = styles
        self._events: deque[Event] = deque(maxlen=_MAX_ROWS)
        # The widest so far, so that columns don't move with every event.
        self._needed: dict[str, int] = {}
        self._width = 0

    def add(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        self._events.extend(events[-_MAX_ROWS:])

    def draw(self, width: int, height: int, status: StreamStatus) -> list[str]:
        """Return the heading, the newest events and the status line."""
        share_labels(self._events)
        events = list(self._events)[-max(1, height - _OTHER_LINES) :]
        return draw_table(
            events,
            status,
            width,
            color=self.color,
            columns=self._fit_columns(events, width),
            root_url=self._root_url,
            styles=self._styles,
        )[:height]

    def _fit_columns(self, events: Sequence[Event], width: int) -> list[Column]:
        if width != self._width:
            self._needed, self._width = {}, width
        for title, cells in list_needed(self._columns, events).items():
            self._needed[title] = max(cells, self._needed.get(title, 0))
        columns = fit_columns(width, self._columns, self._needed)
        return show_utc(columns) if self._utc else columns


def share_labels(events: Iterable[Event]) -> None:
    """Copy labels, which only some messages carry, to other events of the same task."""
    known = {event.task_id: event.label for event in events if event.label and event.task_id}
    for event in events:
        event.label = event.label or known.get(event.task_id, "")


def draw_table(
    events: Sequence[Event],
    status: StreamStatus,
    width: int,
    *,
    color: bool,
    columns: Sequence[Column] = (),
    root_url: str | None = None,
    styles: Mapping[str, Style] = EVENT_STYLES,
) -> list[str]:
    """Draw a table.

    Args:
        events: The rows, oldest first.
        status: The content of the status line.
        width: Of the screen, in cells.
        color: Whether to use colors.
        columns: The columns; empty for those that fit best.
        root_url: Root URL of the deployment, for links; None for no links.
        styles: The style of each kind of event.

    Returns:
        Lines of at most `width` cells: the heading, the events, the status.
    """
    columns = columns or fit_columns(width, (), list_needed((), events))
    lines = [Text("".join(fit_row([column.title for column in columns], columns, width)))]
    lines[0].stylize("bold")
    for event in events:
        line = Text()
        cells = fit_row([column.text(event) for column in columns], columns, width)
        for column, cell in zip(columns, cells, strict=True):
            text = cell.strip()
            line.append(cell[: len(cell) - len(cell.lstrip())] if text else "")
            style = choose_style(column, event, styles)
            line.append_text(join_words(text, style, find_link_target(column, event, root_url)))
            line.append(cell[len(cell.rstrip()) :] if text else cell)
        lines.append(line)
    for line in lines:
        line.rstrip()
    return paint_lines([*lines, format_status(status, width)], width, color=color)


def choose_style(column: Column, event: Event, styles: Mapping[str, Style] = EVENT_STYLES) -> str:
    """Return the style of a column of an event: words of `SGR_CODES`, or nothing."""
    if column.title == EVENT.title:
        return get_event_style(event, styles).style
    if column.title.endswith(REASON.title) and REASON.text(event):
        is_wrong = event.name in {"task-failed", "task-exception"}
        return get_event_style(event, styles).style if is_wrong else ""
    is_pool = column.title.startswith(POOL.title)
    return "dim" if is_pool or column.title == TASK_ID.title else ""
