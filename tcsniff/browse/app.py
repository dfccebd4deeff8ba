"""The app: pages, what keys do with them, and the state of the source."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.driver import Driver

from tcsniff.browse.chrome import format_key_line, format_status_line, format_tab_line
from tcsniff.browse.event_buffer import EventBuffer
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.events_page import EventsPage, parse_clock_time
from tcsniff.browse.feed import PoolCounts
from tcsniff.browse.keys import EVENTS, KEYS, TABS, list_keys
from tcsniff.browse.keys_page import KeysPage
from tcsniff.browse.page import Page
from tcsniff.browse.prompt import Prompt
from tcsniff.browse.row_filter import EXPRESSION, compile_filter
from tcsniff.browse.widgets import ClickableLine, ClickedAt, LineView, RowList
from tcsniff.errors import UsageError
from tcsniff.renderers.stream import StreamInfo, Traffic

_TICK = 0.1  # seconds between two looks into the buffer
_BUSY_TICK = 0.02  # the same while more has arrived than is taken at once
_MAX_TAKEN = 1_000  # rows that are taken at once: 3 ms
_NOTE_TIME = 6.0  # seconds that a message is shown
_MIN_PANE_SCREEN = 16  # lines of a screen that has room for the pane
_PANE, _MIN_RAW = 5, 6  # lines of the pane
_MAX_DEPTH = 50  # steps that Esc goes back


class Look(NamedTuple):
    """How the app looks.

    Attributes:
        columns: The names of the columns of events; empty for those that fit best.
        utc: Whether to show times in UTC instead of the local time zone.
        ascii_only: Whether to replace symbols by ASCII characters.
    """

    columns: tuple[str, ...] = ()
    utc: bool = False
    ascii_only: bool = False


DEFAULT_LOOK = Look()


class BrowseApp(App[None]):
    """The interactive app."""

    CSS = """
    Screen { background: ansi_default; color: ansi_default; layout: vertical; }
    #status, #tabs, #keys, #prompt { height: 1; }
    #prompt { display: none; }
    #rows { height: 1fr; }
    #pane { height: 0; }
    """
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    AUTO_FOCUS = None
    # With priority, so that keys are obeyed in the order in which they are typed.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.names, key.action, key.meaning, show=False, priority=True) for key in KEYS
    ]

    def __init__(
        self,
        buffer: EventBuffer,
        info: StreamInfo,
        pools: PoolCounts,
        look: Look = DEFAULT_LOOK,
        driver_class: type[Driver] | None = None,
    ) -> None:
        """Create an app that shows nothing yet.

        Args:
            buffer: Where events arrive.
            info: What the source is called.
            pools: The statistics of runs.
            look: How the app looks.
            driver_class: Textual's door to the terminal; None for its own.
        """
        super().__init__(ansi_color=True, driver_class=driver_class)
        self.theme = "ansi-dark"
        self.buffer = buffer
        self.look = look
        self.pools = pools
        self.store = EventStore()
        self.traffic = Traffic(info, time.monotonic)
        self.info = info
        self.events_page = EventsPage(self.store, look.columns, utc=look.utc)
        self.pages: list[Page] = [self.events_page]
        self.is_raw = False
        self._note = ("", 0.0)
        self._pane_top = 0
        self._prompt: Prompt | None = None
        self._tab_places: list[range] = []
        self._key_places: list[tuple[range, str]] = []
        self._drawn_second = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_ending = False

    @property
    def page(self) -> Page:
        """The page that is shown."""
        return self.pages[-1]

    def compose(self) -> ComposeResult:
        """Create the widgets."""
        ascii_only = self.look.ascii_only
        yield LineView(self._draw_status, id="status", ascii_only=ascii_only)
        yield ClickableLine(self._draw_tabs, id="tabs", ascii_only=ascii_only)
        yield RowList(self.page, ascii_only=ascii_only)
        yield LineView(self._draw_pane, id="pane", ascii_only=ascii_only)
        yield LineView(self._draw_prompt, id="prompt", ascii_only=ascii_only)
        yield ClickableLine(self._draw_keys, id="keys", ascii_only=ascii_only)

    def on_mount(self) -> None:
        """Begin to look into the buffer."""
        self._loop = asyncio.get_running_loop()
        if self._is_ending:
            self.exit()
        self.query_one(RowList).focus()
        self._fit_pane()
        self._tick()

    def on_resize(self) -> None:
        """Give the pane the room that there is."""
        self._fit_pane()

    # What arrives.

    def _tick(self) -> None:
        arrivals = self.buffer.take(_MAX_TAKEN)
        self.store.add(arrivals.rows)
        if arrivals.rows:
            self.traffic.count(len(arrivals.rows), arrivals.rows[-1].lag)
        for note in arrivals.notes:
            self.report(note)
        for _ in range(arrivals.gaps):
            self.traffic.add_gap()
        if self.page.update():
            self._redraw_rows()
        second = int(time.monotonic())
        if arrivals.rows or arrivals.notes or second != self._drawn_second:
            self._drawn_second = second
            self.query_one("#status", LineView).redraw()
        is_busy = len(arrivals.rows) == _MAX_TAKEN or self.events_page.matching.progress < 1
        self.set_timer(_BUSY_TICK if is_busy else _TICK, self._tick)

    def report(self, text: str) -> None:
        """Show a message for some seconds."""
        self._note = text, time.monotonic() + _NOTE_TIME
        if self.is_running:
            self.query_one("#status", LineView).redraw()

    # What is drawn.

    def _draw_status(self, width: int, _height: int) -> list[Text]:
        text, until = self._note
        failure = self.buffer.failure
        return [
            format_status_line(
                self.traffic.measure(is_over=self.buffer.has_ended),
                width,
                has_ended=self.buffer.has_ended,
                failure=str(failure) if failure else "",
                note=text if time.monotonic() < until else "",
            )
        ]

    def _draw_tabs(self, width: int, _height: int) -> list[Text]:
        line, self._tab_places = format_tab_line(self.page.tab, self.page.describe_state(), width)
        return [line]

    def _draw_keys(self, width: int, _height: int) -> list[Text]:
        line, self._key_places = format_key_line(list_keys(self.page.tab), width)
        return [line]

    def _draw_prompt(self, width: int, _height: int) -> list[Text]:
        return [self._prompt.draw(width)] if self._prompt is not None else []

    def _draw_pane(self, width: int, height: int) -> list[Text]:
        if height < 2:
            return []
        wanted = height - 1 + self._pane_top
        lines = self.page.draw_pane(width, wanted, raw=self.is_raw)
        self._pane_top = max(0, min(self._pane_top, len(lines) - (height - 1)))
        return [Text("─" * width, style="dim"), *lines[self._pane_top :]]

    def _redraw_rows(self, *, is_new: bool = False) -> None:
        self.page.settle()
        self.query_one(RowList).redraw(is_new=is_new)
        self.query_one("#tabs", LineView).redraw()
        self.query_one("#pane", LineView).redraw()

    def _show_page(self) -> None:
        self._pane_top = 0
        self.page.update()
        self.page.settle()
        self.query_one(RowList).show(self.page)
        self._fit_pane()
        for name in ("#tabs", "#pane", "#keys"):
            self.query_one(name, LineView).redraw()

    def _fit_pane(self) -> None:
        # The pane is the first to go on a small screen.
        height = self.size.height
        room = _PANE + 1
        if self.is_raw:
            room = max(_MIN_RAW, height * 3 // 5)
        has_room = height >= _MIN_PANE_SCREEN or self.is_raw
        has_pane = self.page.has_pane and has_room
        self.query_one("#pane").styles.height = min(room, max(0, height - 6)) if has_pane else 0

    # Where one goes.

    def open_page(self, page: Page) -> None:
        """Show a page; Esc goes back from it."""
        self.pages.append(page)
        del self.pages[1 : max(1, len(self.pages) - _MAX_DEPTH)]
        self._show_page()

    def action_go_back(self) -> None:
        """Go back one step; on the first page, clear the filter."""
        if len(self.pages) > 1:
            self.pages.pop()
            self._show_page()
        elif self.events_page.matching.text:
            self._set_filter("")

    def action_show_tab(self, tab: int) -> None:
        """Show the page of a tab."""
        if tab == EVENTS:
            del self.pages[1:]
            self._show_page()

    def action_show_keys(self) -> None:
        """Show the list of keys, or go back from it."""
        if isinstance(self.page, KeysPage):
            self.action_go_back()
        else:
            self.open_page(KeysPage(self.page.tab))

    # What is selected.

    def action_move(self, rows: int) -> None:
        """Select another row."""
        self.page.move(rows)
        self._follow_selection()

    def action_move_page(self, pages: int) -> None:
        """Move by screens."""
        self.page.move_page(pages)
        self._follow_selection()

    def action_move_to(self, index: int) -> None:
        """Select the first row, or the last one for -1."""
        self.page.select(len(self.page) - 1 if index < 0 else index)
        self._follow_selection()

    def action_scroll_pane(self, lines: int) -> None:
        """Scroll the pane."""
        self._pane_top = max(0, self._pane_top + lines)
        self.query_one("#pane", LineView).redraw()

    def action_select_failure(self) -> None:
        """Select the next failure."""
        if not self.page.select_failure():
            self.report("no failure here")
        self._follow_selection()

    def _follow_selection(self) -> None:
        self._pane_top = 0
        self._redraw_rows()

    def on_row_list_selected(self) -> None:
        """Draw what belongs to the row that the mouse has selected."""
        self._follow_selection()

    def on_row_list_opened(self) -> None:
        """Open the row that was clicked twice."""
        self.action_open_row()

    def on_clicked_at(self, message: ClickedAt) -> None:
        """Do what was clicked: a tab, or a key of the footer."""
        if message.view == "tabs":
            for tab, place in zip(TABS, self._tab_places, strict=False):
                if message.x in place:
                    self.action_show_tab(tab)
        for place, action in self._key_places if message.view == "keys" else ():
            if message.x in place:
                self.call_later(self.run_action, action)

    # What is done with the page.

    def action_open_row(self) -> None:
        """Open what is selected."""

    def action_toggle_pause(self) -> None:
        """Let the list of events stand still, or go on."""
        self.events_page.toggle_pause()
        self._redraw_rows()

    def action_follow_end(self) -> None:
        """Follow the end of the list."""
        self.events_page.follow_end()
        self._redraw_rows()

    def action_change_columns(self) -> None:
        """Show other columns."""
        self.events_page.next_columns()
        self._redraw_rows(is_new=True)

    def action_toggle_raw(self) -> None:
        """Show the whole message in the pane, or a summary."""
        self.is_raw = not self.is_raw
        self._pane_top = 0
        self._fit_pane()
        self.query_one("#pane", LineView).redraw()

    # What is asked for.

    def action_edit_filter(self) -> None:
        """Ask for a filter; the page follows while it is typed."""
        text = self.events_page.matching.text
        self._ask(Prompt("/", text, "words, or =EXPR", self._set_filter))

    def action_edit_time(self) -> None:
        """Ask for a time to go to."""
        self._ask(Prompt(":", "", "18:05 or 18:05:30", self._go_to_time))

    def _ask(self, prompt: Prompt | None) -> None:
        self._prompt = prompt
        line = self.query_one("#prompt", LineView)
        line.styles.display = "none" if prompt is None else "block"
        line.redraw()

    async def on_event(self, event: events.Event) -> None:
        """Give keys to the prompt while there is one; everything else to textual."""
        is_new = isinstance(event, events.InputEvent) and not event.is_forwarded
        if self._prompt is None or not is_new:
            await super().on_event(event)
        elif isinstance(event, events.Key) and event.key not in ("ctrl+c", "ctrl+z"):
            self._press_in_prompt(self._prompt, event)
        elif isinstance(event, events.Paste):
            self._prompt.insert(event.text)
            self._follow_prompt(self._prompt)
        else:
            await super().on_event(event)

    def _press_in_prompt(self, prompt: Prompt, event: events.Key) -> None:
        if event.key == "escape":
            self._ask(None)
        elif event.key == "enter":
            try:
                prompt.answer(prompt.text)
            except (UsageError, ValueError) as error:
                self.report(" ".join(str(error).split()))
                return
            self._ask(None)
        elif prompt.press(event.key, event.character):
            self._follow_prompt(prompt)
        self.query_one("#prompt", LineView).redraw()

    def _follow_prompt(self, prompt: Prompt) -> None:
        # A filter of words is applied while it is typed.
        if prompt.answer == self._set_filter and not prompt.text.startswith(EXPRESSION):
            self._set_filter(prompt.text)
        self.query_one("#prompt", LineView).redraw()

    def _set_filter(self, text: str) -> None:
        compile_filter(text)
        self.events_page.set_filter(text)
        if self.page is not self.events_page:
            self.action_show_tab(EVENTS)
        self._redraw_rows()

    def _go_to_time(self, text: str) -> None:
        row = self.events_page.selected
        near = row.seconds if row is not None else time.time()
        self.events_page.select_time(parse_clock_time(text, near, utc=self.look.utc))
        self._follow_selection()

    # How it ends.

    def action_close_app(self) -> None:
        """Quit."""
        self.exit()

    def end_soon(self) -> None:
        """Quit; safe to call in a signal handler, also before the app runs."""
        self._is_ending = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.exit)

    def action_interrupt(self) -> None:
        """Quit as after a signal."""
        os.kill(os.getpid(), signal.SIGINT)
