"""The live view: a picture on a terminal that is drawn again in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.columns import to_ascii
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.renderers.stream import StreamInfo, StreamStatus, Traffic
from tcsniff.renderers.terminal import Screen
from tcsniff.sanitize import sanitize

_MAX_SHARE = 7  # drawing takes at most one seventh of the time


class Picture:
    """The content of a live view.

    Attributes:
        interval: Minimum seconds between two drawings.
    """

    interval = 0.25

    def add(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""

    def draw(self, width: int, height: int, status: StreamStatus) -> list[str]:
        """Return at most `height` lines of at most `width` cells."""
        raise NotImplementedError


class LiveView(Renderer):
    """Draws a picture at its interval; large pictures less often."""

    is_live = True

    def __init__(
        self,
        output: Output,
        picture: Picture,
        stream: StreamInfo,
        *,
        ascii_only: bool = False,
        size: Callable[[], tuple[int, int]] = get_terminal_size,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create a view; nothing is drawn before the first `flush`.

        Args:
            output: A terminal.
            picture: What to draw.
            stream: The source, for the status line.
            ascii_only: Whether to replace symbols by ASCII characters.
            size: Returns the terminal's size, in columns and lines.
            clock: Returns the time in seconds.
        """
        self._screen = Screen(output)
        self._picture = picture
        self._ascii_only = ascii_only
        self._size = size
        self._clock = clock
        self._traffic = Traffic(stream, clock)
        self._due = clock()
        self._is_drawn = False

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        self._picture.add(events)
        self._traffic.add(events)

    def show_gap(self, gap: Gap) -> None:  # noqa: ARG002 - a renderer's signature
        """Count a gap in the status line."""
        self._traffic.add_gap()

    def notify(self, text: str) -> None:
        """Write a line above the picture, where it stays."""
        self._screen.write_above(sanitize(text))
        self._due = self._clock()

    def redraw(self) -> None:
        """Release the terminal; the next picture is drawn below its content."""
        self._screen.release()
        self._due = self._clock()

    def flush(self) -> None:
        """Draw the picture if it is due."""
        begun = self._clock()
        if begun >= self._due:
            self._draw()
            taken = self._clock() - begun
            self._due = begun + max(self._picture.interval, _MAX_SHARE * taken)

    def close(self) -> None:
        """Draw the last picture, if any was drawn, and release the terminal."""
        try:
            if self._is_drawn:
                self._draw(is_over=True)
        finally:
            self._screen.release()

    def abandon(self) -> None:
        """Release the terminal without a last picture."""
        self._screen.release()

    def draw_last(self, width: int, height: int) -> list[str]:
        """Return the last picture for a file, in cells and lines."""
        return self._draw_lines(width, height, is_over=True)

    def _draw(self, *, is_over: bool = False) -> None:
        self._is_drawn = True
        width, height = self._size()
        # The last line of the screen stays free for the cursor.
        lines = self._draw_lines(width, max(1, height - 1), is_over=is_over)
        self._screen.draw(lines, (width, height))

    def _draw_lines(self, width: int, height: int, *, is_over: bool) -> list[str]:
        lines = self._picture.draw(width, height, self._traffic.measure(is_over=is_over))
        return [to_ascii(line) for line in lines] if self._ascii_only else lines
