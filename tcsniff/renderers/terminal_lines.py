"""Events as lines of columns on a terminal: a row of the screen for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tcsniff.pulse.events import Event
from tcsniff.pulse.styles import EVENT_STYLES, Style
from tcsniff.renderers.columns import Column, show_utc
from tcsniff.renderers.layouts import fit_columns, fit_row
from tcsniff.renderers.lines import ColumnFormatter
from tcsniff.renderers.output import get_terminal_size


class TerminalLineFormatter(ColumnFormatter):
    """Formats events as columns of text that fit the terminal, whatever its width is then."""

    def __init__(
        self,
        chosen: Sequence[Column] = (),
        *,
        color: bool = False,
        ascii_only: bool = False,
        utc: bool = False,
        root_url: str | None = None,
        styles: Mapping[str, Style] = EVENT_STYLES,
        get_width: Callable[[], int] = lambda: get_terminal_size()[0],
    ) -> None:
        """Create a formatter; see `ColumnFormatter`.

        Args:
            chosen: The columns that the user named; empty for those that fit best.
            color: Whether to color the event.
            ascii_only: Whether to replace symbols by ASCII characters.
            utc: Whether to show times in UTC instead of the local time zone.
            root_url: Root URL of the deployment, for links; None for no links.
            styles: The style of each kind of event.
            get_width: Returns the terminal's width in cells.
        """
        super().__init__((), color=color, ascii_only=ascii_only, root_url=root_url, styles=styles)
        self._chosen = chosen
        self._utc = utc
        self._get_width = get_width
        self._width = 0

    def format_heading(self) -> bytes:
        """Format the titles of the columns."""
        self._fit_columns()
        return super().format_heading()

    def format_event(self, event: Event) -> bytes:
        """Format an event."""
        self._fit_columns()
        return super().format_event(event)

    def pad_row(self, texts: Sequence[str]) -> list[str]:
        """Return the cells of a row, shortened and padded, each with its gap."""
        return fit_row(texts, self._columns, self._width)

    def _fit_columns(self) -> None:
        width = self._get_width()  # a system call: 1 µs
        if width != self._width:
            self._width = width
            columns = fit_columns(width, self._chosen)
            self._columns = show_utc(columns) if self._utc else columns
