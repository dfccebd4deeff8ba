"""The page of events: the newest 50,000, filtered, and as if time stood still if it is paused."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime

from rich.text import Text

from tcsniff.browse.event_rows import EventRow
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.json_text import format_json_lines
from tcsniff.browse.keys import EVENTS
from tcsniff.browse.page import Page, Subject
from tcsniff.browse.row_filter import MatchingRows
from tcsniff.pulse.events import Event
from tcsniff.pulse.styles import EVENT_STYLES, get_event_style
from tcsniff.pulse.times import format_duration, to_local_time
from tcsniff.renderers.columns import (
    POOL,
    REASON,
    RUN,
    WORKER,
    Column,
    find_columns,
    show_utc,
)
from tcsniff.renderers.layouts import fit_columns, fit_row, list_needed
from tcsniff.renderers.table import choose_style
from tcsniff.renderers.widths import shorten_text
from tcsniff.sanitize import sanitize

_MAX_EVENTS = 500  # decoded events that are kept for the screen
_MAX_SKEW = 5.0  # seconds by which an event may seem to be received before it happened
COLUMN_SETS = (
    (),
    ("time", "event", "task", "run", "group", "scheduler"),
    ("time", "event", "task", "run", "pool", "worker"),
    ("time", "received", "lag", "event", "task", "run", "reason"),
    ("time", "event", "task-id", "run", "task", "routes"),
)
"""What `c` chooses from; the first is what fits the screen best."""


class EventsPage(Page):
    """The events that match a filter.

    Attributes:
        matching: The rows that match the filter, paused or not.
        is_paused: Whether the page stands still.
    """

    tab = EVENTS
    has_pane = True

    def __init__(
        self, store: EventStore, columns: Sequence[str] = (), *, utc: bool = False
    ) -> None:
        """Create a page without a filter.

        Args:
            store: The events.
            columns: The names of columns; empty for those that fit best.
            utc: Whether to show times in UTC instead of the local time zone.
        """
        super().__init__()
        self.matching = MatchingRows(store)
        self.is_paused = False
        self.follows = True
        self._store = store
        self._utc = utc
        self._sets = [tuple(columns), *COLUMN_SETS] if columns else list(COLUMN_SETS)
        self._fitted: list[Column] = []
        self._width = 0
        # The widest so far, so that columns don't move with every event.
        self._needed: dict[str, int] = {}
        self._measured: set[int] = set()
        self._events: dict[int, Event] = {}
        self._paused_at = 0
        self._seen = (0, 0, 1.0)

    def __len__(self) -> int:
        return self.matching.find(self._paused_at) if self.is_paused else len(self.matching)

    def get_key(self, index: int) -> Hashable:
        """Return the row's number."""
        return self.matching[index]

    def find_key(self, key: Hashable) -> int | None:
        """Return the place of a number, or of the next one that is shown."""
        return self.matching.find(key) if isinstance(key, int) else None

    @property
    def has_end(self) -> bool:
        """Rows are added at the end, unless the page is paused."""
        return not self.is_paused

    @property
    def is_busy(self) -> bool:
        """Whether old rows were not tested yet."""
        return self.matching.progress < 1

    @property
    def selected(self) -> EventRow | None:
        """The selected row; None if there is none."""
        return self._store[self.matching[self.index]] if 0 <= self.index < len(self) else None

    def get_subject(self) -> Subject:
        """Return the task, group and pool of the selected event."""
        row = self.selected
        if row is None:
            return Subject()
        event = self._load(self.matching[self.index])
        run = RUN.text(event)
        run_id = int(run) if run.isascii() and run.isdigit() and len(run) <= 4 else None
        return Subject(row.task_id, row.group_id, run_id, POOL.text(event))

    # What keys do.

    def set_filter(self, text: str) -> None:
        """Show only rows that match; the selected row, or the next one, stays selected.

        Raises:
            UsageError: If the text is not a valid filter.
        """
        if text == self.matching.text:
            return
        self.matching = MatchingRows(self._store, text)
        self.matching.update()

    def toggle_pause(self) -> None:
        """Let the page stand still, or go on."""
        self.is_paused = not self.is_paused
        self._paused_at = self._store.end
        self.follows = False

    def follow_end(self) -> None:
        """Go to the end and stay there; a paused page goes on."""
        self.is_paused = False
        self.follows = True

    def select_failure(self) -> bool:
        """Select the next failure, from the start again after the last one.

        Returns:
            Whether there is one.
        """
        count = len(self)
        for step in range(1, count + 1):
            place = (self.index + step) % count
            if self._store[self.matching[place]].is_failure:
                self.select(place)
                return True
        return False

    def select_time(self, seconds: float) -> None:
        """Select the first event at or after a time, in seconds since the Unix epoch."""
        earliest = seconds - _MAX_SKEW
        for place in range(len(self)):
            row = self._store[self.matching[place]]
            if not row.block.is_before(earliest) and row.seconds >= seconds:
                self.select(place)
                return
        self.select(len(self) - 1)

    def forget_widths(self) -> None:
        """Fit the columns to the rows on the screen alone."""
        self._width = 0

    def next_columns(self) -> None:
        """Show other columns."""
        self._sets.append(self._sets.pop(0))
        self._width = 0

    # What is drawn.

    def update(self) -> bool:
        """Test new rows, and some old ones if the filter is new."""
        self.matching.update()
        self.settle()
        seen = (self._store.end, len(self.matching), self.matching.progress)
        is_new, self._seen = seen != self._seen, seen
        return is_new

    @property
    def arrived(self) -> int:
        """How many rows have arrived since the page was paused."""
        return len(self.matching) - len(self) if self.is_paused else 0

    def describe_state(self) -> str:
        """Return the filter, and whether the page is paused or follows the end."""
        parts = []
        if self.matching.text:
            share = self.matching.progress
            parts.append(f"filter: {sanitize(self.matching.text)}")
            parts.append(f"{len(self.matching):,} of {self._store.end - self._store.first:,}")
            parts.append(f"searching {share:.0%}" if share < 1 else "")
        if self.is_paused:
            parts.append(f"paused +{self.arrived:,}")
        elif self.follows:
            parts.append("following")
        return "  ".join(filter(None, parts))

    def draw_heading(self, width: int) -> list[Text]:
        """Draw the titles of the columns, which are as wide as the rows on the screen need."""
        self._fit_columns(width)
        titles = [column.title for column in self._fitted]
        return [Text("".join(fit_row(titles, self._fitted, width)).rstrip(), style="bold")]

    def get_stamp(self, index: int) -> Hashable:
        """Return what the row shows: its number, its label, and the columns."""
        number = self.matching[index]
        widths = tuple(column.width for column in self._fitted)
        return number, self._store.get_label(number), self._sets[0], widths

    def draw_row(self, index: int, width: int) -> Text:
        """Draw an event."""
        event = self._load(self.matching[index])
        text = Text()
        cells = fit_row([column.text(event) for column in self._fitted], self._fitted, width)
        for column, cell in zip(self._fitted, cells, strict=True):
            text.append(cell, style=choose_style(column, event))
        text.rstrip()
        return text

    def draw_pane(self, width: int, height: int, *, raw: bool) -> list[Text]:
        """Draw what the selected event says, or the whole message."""
        if self.selected is None:
            return []
        event = self._load(self.matching[self.index])
        if raw:
            return format_json_lines(event.delivery, height)
        return [line for line in describe_event(event, width) if line][:height]

    def _load(self, number: int) -> Event:
        event = self._events.get(number)
        if event is None:
            if len(self._events) >= _MAX_EVENTS:
                self._events.clear()
            event = self._events[number] = self._store[number].event
        event.label = event.label or self._store.get_label(number)
        return event

    def _fit_columns(self, width: int) -> None:
        chosen = find_columns(self._sets[0])
        if width != self._width or len(self._measured) > _MAX_EVENTS:
            is_other = width != self._width
            self._needed, self._measured = {} if is_other else self._needed, set()
            self._width = width
        top = self.settle()
        shown = range(top, min(top + self._height, len(self)))
        new = {self.matching[index] for index in shown} - self._measured
        self._measured |= new
        for title, cells in list_needed(chosen, [self._load(number) for number in new]).items():
            self._needed[title] = max(cells, self._needed.get(title, 0))
        columns = fit_columns(width, chosen, self._needed)
        self._fitted = show_utc(columns) if self._utc else columns


def describe_event(event: Event, width: int) -> Iterable[Text]:
    """Yield lines with what a message says, for the pane below the list."""
    style = get_event_style(event, EVENT_STYLES)
    first = Text().append(f"{style.symbol} ", style=style.style)
    run = event.run
    if run is not None:
        first.append(f"run {run.run_id} ", style="bold")
    first.append(style.word, style=style.style)
    if run is not None and run.started_at is not None:
        if run.resolved_at is not None:
            first.append(f" after {format_duration(run.resolved_at - run.started_at)}")
        elif run.scheduled_at is not None:
            first.append(f", waited {format_duration(run.started_at - run.scheduled_at)}")
    for part in (REASON.text(event), WORKER.text(event), POOL.text(event)):
        first.append(f"   {part}" if part else "")
    yield first
    yield Text(shorten_text(event.label or event.routing_key, width), style="bold")
    ids = [f"task {sanitize(event.task_id)}"] if event.task_id else []
    group = event.routing.get("taskGroupId", "")
    ids += [f"group {sanitize(group)}"] if group and group != "_" else []
    ids += [f"lag {event.lag:.1f} s"] if event.lag is not None else []
    yield Text("   ".join(ids), style="dim")
    if event.decode_error is not None:
        yield Text(f"the body is {sanitize(event.decode_error)}", style="yellow")
    routes = ["routes unknown"] if event.routes is None else event.routes
    yield Text(shorten_text("  ".join(routes), width), style="dim")


def parse_clock_time(text: str, near: float, *, utc: bool) -> float:
    """Parse a time of day, such as ``18:05`` or ``18:05:30``.

    Args:
        text: The time.
        near: A time of the day that is meant, in seconds since the Unix epoch.
        utc: Whether it is in UTC instead of the local time zone.

    Returns:
        Seconds since the Unix epoch.

    Raises:
        ValueError: If it is not a time of day.
    """
    parts = text.strip().split(":")
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is not a time of day; write it like 18:05 or 18:05:30")
    hour, minute, second = (*map(int, parts), 0)[:3]
    day = datetime.fromtimestamp(near, UTC)
    try:
        wanted = (day if utc else to_local_time(day)).replace(
            hour=hour, minute=minute, second=second, microsecond=0
        )
    except ValueError:
        raise ValueError(f"{text!r} is not a time of day; the last one is 23:59:59") from None
    return wanted.timestamp()
