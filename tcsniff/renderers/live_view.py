"""The live view: a picture on a terminal that is drawn again in its place, and its keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.ansi import cut_line, paint_lines
from tcsniff.renderers.columns import to_ascii
from tcsniff.renderers.live_keys import LiveKeys
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.renderers.stream import StreamInfo, StreamStatus, Traffic
from tcsniff.renderers.terminal import Screen, format_status
from tcsniff.sanitize import sanitize

_MAX_SHARE = 7  # drawing takes at most one seventh of the time
_MAX_PAUSE = 0.5  # seconds after which it may take more than that,
_MIN_SHARE = 2  # but at most half of the time
_TICK = 1.0  # seconds between two drawings of clocks
_MAX_IDLE_SHARE = 250  # drawing clocks alone takes at most this part of the time
_MAX_TICK = 10.0  # seconds, however long it takes
_SETTLE = 1.0  # seconds after the last change of the width, before all of it is used


class Picture:
    """The content of a live view.

    Attributes:
        interval: Minimum seconds between two drawings.
        has_clocks: Whether it changes with the time, without events.
        color: Whether to use colors.
    """

    interval = 0.25
    has_clocks = True
    color = False

    def add(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""

    def draw(self, width: int, height: int, status: StreamStatus) -> list[str]:
        """Return lines of at most `width` cells; the status line is last.

        If they are more than `height`, those before the status line are left out.
        """
        raise NotImplementedError


class LiveView(Renderer):
    """Draws a picture at its interval when it has changed; large pictures less often.

    Without a change, clocks go on once a second. While the view is paused, events are added
    and counted, but only the status line changes.
    """

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
            stream: The source, for the status line and the keys.
            ascii_only: Whether to replace symbols by ASCII characters.
            size: Returns the terminal's size, in columns and lines.
            clock: Returns the time in seconds.
        """
        self._screen = Screen(output)
        self._picture = picture
        self._keys = LiveKeys(stream.control)
        self._ascii_only = ascii_only
        self._get_size = size
        self._clock = clock
        self._traffic = Traffic(stream, clock)
        self._lines: list[str] = []  # of the last picture; the last is the status line
        self._width = 0  # of these lines
        self._size: tuple[int, int] | None = None
        self._settled_at: float | None = None  # when the width is no longer about to change
        self._is_changed = False  # whether the picture would be another one now
        self._is_urgent = True  # whether to draw the picture at once
        self._is_disturbed = False  # whether to draw at once what is known of it
        self._due = 0.0  # when to draw the picture if it has changed
        self._clocks_due = self._status_due = 0.0  # when to draw if it has not

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        self._picture.add(events)
        self._traffic.add(events)
        if events:
            self._is_changed = True

    def show_gap(self, gap: Gap) -> None:  # noqa: ARG002 - a renderer's signature
        """Count a gap in the status line."""
        self._traffic.add_gap()
        self._is_disturbed = True

    def mark_changed(self) -> None:
        """Draw the picture again soon, because it has changed without an event."""
        self._is_changed = True

    def notify(self, text: str) -> None:
        """Write a line above the picture, where it stays."""
        self._screen.write_above(sanitize(text))
        self._is_disturbed = True

    def leave_terminal(self) -> None:
        """Restore the terminal, because the program is stopped or ends at once."""
        self._keys.leave()
        self._screen.release()

    def redraw(self) -> None:
        """Draw the next picture below the terminal's present content."""
        self._keys.forget()
        self._screen.forget()
        self._is_urgent = True

    def flush(self) -> None:
        """Obey the keys, and draw what is due."""
        if self._keys.read(self._traffic.total):
            self._screen.refresh()
            self._is_urgent = True
        now = self._clock()
        self._follow_size(now)
        is_due = now >= self._clocks_due or (self._is_changed and now >= self._due)
        is_frozen = self._keys.is_paused and self._lines
        if (self._is_urgent or is_due) and not is_frozen:
            self._draw_picture()
        elif self._is_urgent or self._is_disturbed or now >= self._status_due:
            self._draw_status()

    def close(self) -> None:
        """Draw the last picture, if any was drawn, and restore the terminal."""
        self._keys.leave()
        try:
            if self._lines:
                width, height = size = self._get_size()
                self._screen.draw(self.draw_last(width, _limit_height(height)), size)
        finally:
            self._screen.release()

    def abandon(self) -> None:
        """Restore the terminal without a last picture."""
        self.leave_terminal()

    def draw_last(self, width: int, height: int) -> list[str]:
        """Return the last picture for a file, in cells and lines."""
        return self._draw(width, height, self._traffic.measure(is_over=True))

    def _follow_size(self, now: float) -> None:
        size = self._get_size()
        if size != self._size:
            if self._size is not None and size[0] != self._size[0]:
                self._settled_at = now + _SETTLE
            self._size = size
            self._is_urgent = True
        elif self._settled_at is not None and now >= self._settled_at:
            self._settled_at = None
            self._is_urgent = True

    def _measure(self) -> tuple[int, int]:
        # The size of the picture. While a window is dragged, half of its width: most terminals
        # wrap lines that no longer fit, and move into their history what then is too high.
        width, height = self._size or self._get_size()
        return width if self._settled_at is None else max(1, width // 2), _limit_height(height)

    def _draw_picture(self) -> None:
        begun = self._clock()
        width, height = self._measure()
        keys = self._keys.draw_list(width, color=self._picture.color)[: height - 1]
        status = self._keys.describe(self._traffic.measure())
        self._lines, self._width = self._draw(width, height - len(keys), status), width
        self._show(self._lines, keys)
        self._is_changed = False
        taken = self._clock() - begun
        pause = max(min(_MAX_SHARE * taken, _MAX_PAUSE), _MIN_SHARE * taken)
        self._due = begun + max(self._picture.interval, pause)
        tick = min(max(_TICK, _MAX_IDLE_SHARE * taken), _MAX_TICK)
        self._clocks_due = begun + tick if self._picture.has_clocks else float("inf")

    def _draw_status(self) -> None:
        width, height = self._measure()
        color = self._picture.color
        keys = self._keys.draw_list(width, color=color)[: height - 1]
        status = self._keys.describe(self._traffic.measure())
        last = paint_lines([format_status(status, width)], width, color=color)
        rows = self._lines[:-1][: height - 1 - len(keys)]
        if width < self._width:  # it is paused, and the terminal has become narrower
            rows = [cut_line(line, width) for line in rows]
        self._show([*rows, *self._convert(last)], keys)

    def _show(self, lines: Sequence[str], keys: Sequence[str]) -> None:
        size = self._size or self._get_size()
        self._screen.draw([*lines[:-1], *self._convert(keys), lines[-1]], size)
        self._is_urgent = self._is_disturbed = False
        self._status_due = self._clock() + _TICK

    def _draw(self, width: int, height: int, status: StreamStatus) -> list[str]:
        lines = self._picture.draw(width, height, status)
        if len(lines) > height:
            lines = [*lines[: height - 1], lines[-1]]
        return self._convert(lines)

    def _convert(self, lines: Sequence[str]) -> list[str]:
        return list(map(to_ascii, lines)) if self._ascii_only else list(lines)


def _limit_height(height: int) -> int:
    # The last line of the screen stays free for the cursor.
    return max(1, height - 1)
