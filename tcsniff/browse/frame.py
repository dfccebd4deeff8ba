"""The screen of the app: its widgets, what they show, and how arrivals change it."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver

from tcsniff.browse.chrome import format_key_line, format_status_line, format_tab_line
from tcsniff.browse.event_buffer import Arrivals, EventBuffer
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.keys import list_keys
from tcsniff.browse.navigation import Look, Navigator
from tcsniff.browse.page import Page
from tcsniff.browse.prompt import Prompt
from tcsniff.browse.widgets import ClickableLine, LineView, RowList
from tcsniff.renderers.stream import StreamInfo, Traffic

_TICK = 0.1  # seconds between two looks into the buffer
_BUSY_TICK = 0.01  # the same while more has arrived than is taken at once
_BUSY_REST = 0.25  # seconds between two drawings meanwhile
_MAX_TAKEN = 2_000  # rows that are taken at once: 5 ms
_NOTE_TIME = 6.0  # seconds that a message is shown
_MIN_PANE_SCREEN = 16  # lines of a screen that has room for the pane
_PANE, _MIN_RAW = 6, 6  # lines of the pane, with the line above it
_OTHER_LINES = 6  # that stay free when a message is shown


class Frame(App[None]):
    """The widgets around a page, drawn again when something has changed.

    Attributes:
        ends_with_source: Whether the app closes when nothing more will arrive.
        picture: The last screen, as lines with escape sequences; empty after a signal.
    """

    CSS = """
    Screen { background: ansi_default; color: ansi_default; layout: vertical; overflow: hidden; }
    #status, #tabs, #keys, #prompt { height: 1; }
    #prompt { display: none; }
    #rows { height: 1fr; }
    #pane { height: 0; }
    """
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    AUTO_FOCUS = None

    def __init__(
        self,
        buffer: EventBuffer,
        info: StreamInfo,
        navigator: Navigator,
        store: EventStore,
        look: Look,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(ansi_color=True, driver_class=driver_class)
        self.theme = "ansi-dark"
        self.navigator = navigator
        self.store = store
        self.look = look
        self.tab_places: list[range] = []
        self.key_places: list[tuple[range, str]] = []
        self.prompt: Prompt | None = None
        self.is_raw = False
        self.pane_top = 0
        self._buffer = buffer
        self._traffic = Traffic(info, time.monotonic)
        self._note = ("", 0.0)
        self._drawn_at = 0.0  # when the status was drawn
        self._is_old = False  # whether rows have changed since they were drawn
        self.ends_with_source = False
        self.picture: list[str] = []
        self._running_loop: asyncio.AbstractEventLoop | None = None
        self._is_ending = False
        # Kept, not asked of textual: it has removed them when the last timers fire.
        ascii_only = look.ascii_only
        self._rows = RowList(self.page, ascii_only=ascii_only)
        self._lines: dict[str, LineView] = {
            "status": LineView(self._draw_status, id="status", ascii_only=ascii_only),
            "tabs": ClickableLine(self._draw_tabs, id="tabs", ascii_only=ascii_only),
            "pane": LineView(self._draw_pane, id="pane", ascii_only=ascii_only),
            "prompt": LineView(self._draw_prompt, id="prompt", ascii_only=ascii_only),
            "keys": ClickableLine(self._draw_keys, id="keys", ascii_only=ascii_only),
        }

    @property
    def page(self) -> Page:
        """The page that is shown."""
        return self.navigator.page

    def compose(self) -> ComposeResult:
        """Give textual the widgets, from the top to the bottom."""
        status, tabs, *others = self._lines.values()
        yield from (status, tabs, self._rows, *others)

    def on_mount(self) -> None:
        """Begin to look into the buffer."""
        self._running_loop = asyncio.get_running_loop()
        if self._is_ending:
            self.exit()
        self._rows.focus()
        self.show_page()
        self._tick()

    def on_resize(self, event: events.Resize) -> None:
        """Give the pane the room that there is."""
        self.fit_pane(event.size.height)  # textual changes `size` only afterwards
        if self._running_loop is not None:
            # Textual does not draw a size again that has come back since it was last drawn,
            # but the terminal has cut the lines.
            self.screen.refresh()

    def on_unmount(self) -> None:
        """Stop following groups."""
        self.navigator.stop()

    def close_app(self) -> None:
        """Quit, with the status of what is shown."""
        self.picture = self._take_picture()
        self.exit(return_code=self.navigator.exit_status)

    def _take_picture(self) -> list[str]:
        self.page.forget_widths()
        console = Console(color_system="standard", force_terminal=True, legacy_windows=False)
        lines = []
        for widget in self.compose():
            if widget.display:
                lines += [widget.render_line(y).render(console) for y in range(widget.size.height)]
        return lines

    def end_soon(self) -> None:
        """Quit; safe to call in a signal handler, also before the app runs."""
        self._is_ending = True
        if self._running_loop is not None:
            self._running_loop.call_soon_threadsafe(self.exit)

    def _handle_exception(self, error: Exception) -> None:
        # A bug: textual would print it with the values of all variables.
        super()._handle_exception(error)
        self._exit_renderables.clear()
        self._buffer.end(error)

    # What arrives.

    def _tick(self) -> None:
        if not self.is_running:
            return
        arrivals = self._buffer.take(_MAX_TAKEN)
        self.store.add(arrivals.rows)
        if self.navigator.feed(arrivals):
            self.show_page()
        if (failure := self.navigator.failure) is not None:
            self._buffer.end(failure)
            self.exit()
        self._count(arrivals)
        has_all = self._buffer.has_ended and not arrivals.rows and self.navigator.is_current
        self._is_old |= self.page.update()
        if self.ends_with_source and has_all:
            self.close_app()
        is_busy = len(arrivals.rows) == _MAX_TAKEN or self.page.is_busy
        self._draw_news(has_arrived=bool(arrivals.rows), is_busy=is_busy)
        self.set_timer(_BUSY_TICK if is_busy else _TICK, self._tick)

    def _draw_news(self, *, has_arrived: bool, is_busy: bool) -> None:
        now = time.monotonic()
        if is_busy and now - self._drawn_at < _BUSY_REST:
            return
        if self._is_old:
            self.redraw_rows()
        if self._is_old or has_arrived or int(now) != int(self._drawn_at):
            self._drawn_at = now
            self._redraw("status")
        self._is_old = False

    def _count(self, arrivals: Arrivals) -> None:
        if arrivals.rows:
            self._traffic.count(len(arrivals.rows), arrivals.rows[-1].event.lag)
        for note in arrivals.notes:
            self.report(note)
        for _ in range(arrivals.gaps):
            self._traffic.add_gap()

    def report(self, text: str) -> None:
        """Show a message for some seconds."""
        self._note = text, time.monotonic() + _NOTE_TIME
        self._redraw("status")

    # What is drawn.

    def show_page(self) -> None:
        """Draw everything, because another page is shown."""
        self.pane_top = 0
        self.page.settle()
        self._rows.show(self.page)
        self.fit_pane()
        self._redraw("tabs", "pane", "keys")

    def redraw_rows(self, *, is_new: bool = False) -> None:
        """Draw the rows and what depends on them.

        Args:
            is_new: Whether rows that were drawn before look different now.
        """
        self.page.settle()
        self._rows.redraw(is_new=is_new)
        self._redraw("tabs", "pane")

    def redraw_selection(self) -> None:
        """Draw the rows, because another one is selected."""
        self.pane_top = 0
        self.redraw_rows()

    def redraw_pane(self) -> None:
        """Draw the pane."""
        self._redraw("pane")

    def show_prompt(self, prompt: Prompt | None) -> None:
        """Show a prompt, or hide it; keys go to it while it is shown."""
        self.prompt = prompt
        self._lines["prompt"].styles.display = "none" if prompt is None else "block"
        self._redraw("prompt")

    def fit_pane(self, height: int | None = None) -> None:
        """Give the pane its height: on a small screen, it is the first to go.

        Args:
            height: Of the screen, in lines; None for what it is now.
        """
        height = self.size.height if height is None else height
        room = max(_MIN_RAW, height * 3 // 5) if self.is_raw else _PANE
        has_pane = self.page.has_pane and (height >= _MIN_PANE_SCREEN or self.is_raw)
        room = min(room, max(0, height - _OTHER_LINES)) if has_pane else 0
        self._lines["pane"].styles.height = room

    def _redraw(self, *names: str) -> None:
        for name in names:
            self._lines[name].redraw()

    def _draw_status(self, width: int, _height: int) -> list[Text]:
        text, until = self._note
        failure = self._buffer.failure
        line = format_status_line(
            self._traffic.measure(is_over=self._buffer.has_ended),
            width,
            is_replay=self.navigator.is_replay,
            failure=str(failure) if failure else "",
            note=text if time.monotonic() < until else "",
        )
        return [line]

    def _draw_tabs(self, width: int, _height: int) -> list[Text]:
        line, self.tab_places = format_tab_line(self.page.tab, self.page.describe_state(), width)
        return [line]

    def _draw_keys(self, width: int, _height: int) -> list[Text]:
        line, self.key_places = format_key_line(list_keys(self.page.tab), width)
        return [line]

    def _draw_prompt(self, width: int, _height: int) -> list[Text]:
        return [self.prompt.draw(width)] if self.prompt is not None else []

    def _draw_pane(self, width: int, height: int) -> list[Text]:
        if height < 2:
            return []
        wanted = height - 1 + self.pane_top
        lines = self.page.draw_pane(width, wanted, raw=self.is_raw)
        self.pane_top = max(0, min(self.pane_top, len(lines) - (height - 1)))
        return [Text("─" * width, style="dim"), *lines[self.pane_top :]]
