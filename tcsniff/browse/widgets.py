"""The widgets of the app: lines of text, and rows of which one is selected."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tcsniff.browse.page import Page
from tcsniff.renderers.columns import to_ascii

_WHEEL = 3  # lines
_MAX_STRIPS = 2_000  # drawn rows that are kept
_SELECTED = Style(reverse=True)
_BAR, _THUMB = "│", "█"

DrawLines = Callable[[int, int], Sequence[Text]]
"""Draws lines for a width and a height."""


class LineView(Widget):
    """Lines that a function draws."""

    def __init__(self, draw: DrawLines, *, id: str, ascii_only: bool = False) -> None:  # noqa: A002 - textual's name
        super().__init__(id=id)
        self._draw = draw
        self._ascii_only = ascii_only
        self._lines: Sequence[Text] | None = None

    def redraw(self) -> None:
        """Draw the lines again."""
        self._lines = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return a line for textual."""
        width, height = self.size
        if self._lines is None or y == 0:
            self._lines = self._draw(width, height)
        text = self._lines[y] if y < len(self._lines) else Text()
        return to_strip(self, text, width, ascii_only=self._ascii_only)

    def on_resize(self) -> None:
        """Draw the lines again for another size."""
        self._lines = None


class ClickedAt(Message):
    """A click on a line view.

    Attributes:
        view: The view's ID.
        x: The column.
    """

    def __init__(self, view: str, x: int) -> None:
        super().__init__()
        self.view = view
        self.x = x


class ClickableLine(LineView):
    """A line whose words do something when they are clicked."""

    def on_click(self, event: events.Click) -> None:
        """Report the place of a click."""
        self.post_message(ClickedAt(self.id or "", event.x))


class RowList(Widget, can_focus=True):
    """The rows of a page, with its heading above them."""

    class Opened(Message):
        """A row was clicked that was selected before."""

    class Selected(Message):
        """Another row was selected with the mouse."""

    def __init__(self, page: Page, *, ascii_only: bool = False) -> None:
        super().__init__(id="rows")
        self.page = page
        self._ascii_only = ascii_only
        self._strips: dict[tuple[int, Hashable], Strip] = {}
        self._heading: list[Text] = []
        self._top = 0
        self._row_width = 1

    def show(self, page: Page) -> None:
        """Show another page."""
        self.page = page
        self._strips.clear()
        self.refresh()

    def redraw(self, *, is_new: bool = False) -> None:
        """Draw the rows again.

        Args:
            is_new: Whether rows that were drawn before look different now.
        """
        if is_new:
            self._strips.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return a line for textual: of the heading, or a row."""
        width, height = self.size
        if y == 0:
            self._settle(width, height)
        if y < len(self._heading):
            return self._strip(self._heading[y], width)
        index = self._top + y - len(self._heading)
        if not 0 <= index < len(self.page):
            return Strip.blank(width)
        row = self._draw_row(index, self._row_width)
        if self._row_width == width:
            return row
        bar = self._draw_bar(y - len(self._heading), height - len(self._heading))
        return Strip([*row, Segment(bar, Style(dim=True))], width)

    def _settle(self, width: int, height: int) -> None:
        # The heading of events depends on the rows on the screen.
        self.page.settle(height - len(self._heading))
        has_bar = len(self.page) > height - len(self._heading)
        self._row_width = max(1, width - len(f" {_BAR}") if has_bar else width)
        self._heading = self.page.draw_heading(self._row_width)[: max(0, height - 2)]
        self._top = self.page.settle(height - len(self._heading))

    def _draw_row(self, index: int, width: int) -> Strip:
        stamp = self.page.get_stamp(index)
        key = (width, stamp)
        strip = self._strips.get(key) if stamp is not None else None
        if strip is None:
            strip = self._strip(self.page.draw_row(index, width), width)
            if stamp is not None:
                if len(self._strips) >= _MAX_STRIPS:
                    self._strips.clear()
                self._strips[key] = strip
        if index != self.page.index:
            return strip
        # Without colors of its own, so that it can be read on every background.
        return Strip([Segment(strip.text, _SELECTED)], width)

    def _draw_bar(self, y: int, height: int) -> str:
        count = max(len(self.page), height + 1)
        size = max(1, height * height // count)
        start = round(self._top / (count - height) * (height - size))
        bar = _THUMB if start <= y < start + size else _BAR
        return " " + (to_ascii(bar) if self._ascii_only else bar)

    def _strip(self, text: Text, width: int) -> Strip:
        return to_strip(self, text, width, ascii_only=self._ascii_only)

    def on_click(self, event: events.Click) -> None:
        """Select the row under the mouse; a second click opens it."""
        index = self._top + event.y - len(self._heading)
        if event.y < len(self._heading) or not 0 <= index < len(self.page):
            return
        if event.chain > 1 and index == self.page.index:
            self.post_message(self.Opened())
            return
        self.page.select(index)
        self.post_message(self.Selected())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        self._scroll(event, _WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        self._scroll(event, -_WHEEL)

    def _scroll(self, event: events.MouseEvent, lines: int) -> None:
        event.stop()
        self.page.scroll(lines)
        self.post_message(self.Selected())


def to_strip(widget: Widget, text: Text, width: int, *, ascii_only: bool) -> Strip:
    """Return a line of text for textual, exactly as wide as the widget.

    Args:
        widget: The widget.
        text: Safe for a terminal; what does not fit is cut.
        width: In cells.
        ascii_only: Whether to replace symbols by ASCII characters.
    """
    if ascii_only:
        text = Text(to_ascii(text.plain), style=text.style, spans=text.spans)
    else:
        text = text.copy()
    text.truncate(width, overflow="ellipsis" if not ascii_only else "crop", pad=True)
    return Strip(list(text.render(widget.app.console)), width)
