"""A picture on the terminal that is drawn again in its place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
# Synchronised output: the terminal shows the whole picture or the one before.
# Unknown to older ones, which pass it over.
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_CLEAR_LINE, _CLEAR_BELOW, _CLEAR_ALL = "\x1b[K", "\x1b[J", "\x1b[2J\x1b[H"


class Screen:
    """Draws a picture over the one before, in the scrollback's own screen.

    The last picture stays, and the cursor comes back below it.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._height = 0
        self._size: tuple[int, int] | None = None

    def draw(self, lines: Sequence[str], size: tuple[int, int]) -> None:
        """Draw.

        Args:
            lines: The picture; no wider than the screen, and not as high.
            size: Of the screen, in columns and lines.
        """
        if self._size is None:
            start = _HIDE + "\r"
        elif size != self._size:
            # The terminal has folded or cut the lines that were there: nobody
            # knows where the picture begins.
            start = _CLEAR_ALL
        else:
            start = "\r" + (f"\x1b[{self._height - 1}A" if self._height > 1 else "")
        self._size = size
        self._height = len(lines)
        picture = "\r\n".join(f"{line}{_CLEAR_LINE}" for line in lines)
        # To the start of the last line: a terminal that echoes ^C behind a line as
        # wide as itself would go on to the next one, and the picture with it.
        self._write(_BEGIN + start + picture + _CLEAR_BELOW + "\r" + _END)

    def above(self, line: str) -> None:
        """Write a line that stays, above the picture; it is drawn again below.

        Args:
            line: May be wider than the screen.
        """
        if self._size is None:
            self._write(f"{line}\r\n")
            return
        up = f"\x1b[{self._height - 1}A" if self._height > 1 else ""
        self._write(f"{_BEGIN}\r{up}{_CLEAR_BELOW}{line}\r\n{_END}")
        self._height = 0

    def redraw(self) -> None:
        """Draw the next picture below whatever the terminal shows by then."""
        if self._size is not None:
            self._write(f"\r\n{_SHOW}")
        self._size = None

    def close(self) -> None:
        """Give the cursor back, below the last picture."""
        if self._size is not None:
            self._size = None
            self._write(f"\r\n{_SHOW}")

    def _write(self, text: str) -> None:
        self._output.write(text.encode(errors="replace"))


_SPAN = 5.0  # seconds over which the rate is taken


class StreamStatus(NamedTuple):
    """What the line tells.

    Attributes:
        source: What it is connected to.
        total: Events so far.
        rate: Events a second.
        idle: Seconds since the last one; None before the first.
        lag: Seconds from when the last one happened to when it reached us;
            None if it does not tell.
        selection: What was asked for.
        notes: What a person should know of the connection.
        is_over: Whether this is the last word, which nothing follows: what is
            true for a moment only is left out.
    """

    source: str
    total: int
    rate: float
    idle: float | None
    lag: float | None
    selection: str
    notes: tuple[str, ...] = ()
    is_over: bool = False


class Traffic:
    """Counts what comes, for a status."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Nothing has come yet.

        Args:
            clock: Tells the time, in seconds.
        """
        self._clock = clock
        self._arrivals: deque[tuple[float, int]] = deque()
        self._total = 0
        self._started = clock()
        self._last: float | None = None
        self._lag: float | None = None

    def add(self, number: int, lag: float | None) -> None:
        """Take note that events have come just now.

        Args:
            number: How many.
            lag: Of the last one, in seconds; None if it does not tell.
        """
        if number:
            self._last = self._clock()
            self._arrivals.append((self._last, number))
            self._total += number
            self._lag = lag

    def status(self, source: str, selection: str, notes: tuple[str, ...] = ()) -> StreamStatus:
        """Sum up; the rate is that of the last five seconds."""
        now = self._clock()
        while self._arrivals and self._arrivals[0][0] < now - _SPAN:
            self._arrivals.popleft()
        span = min(_SPAN, max(now - self._started, 1.0))
        return StreamStatus(
            source,
            self._total,
            sum(number for _, number in self._arrivals) / span,
            None if self._last is None else now - self._last,
            self._lag,
            selection,
            notes,
        )


def format_status(status: StreamStatus, width: int) -> Text:
    """Lay the line out.

    Args:
        status: What it tells.
        width: Of the screen, in cells; what was asked for is left out first.
    """
    left = Text()
    left.append("● ", style="green" if status.idle is not None else "yellow")
    left.append(sanitize(status.source), style="bold")
    events = "event" if status.total == 1 else "events"
    left.append(f"  {status.total:,} {events}")
    if not status.is_over:
        left.append(f"  {status.rate:.0f}/s")
        if status.idle is not None:
            left.append(f"  last {_ago(status.idle)} ago")
    if status.lag is not None:
        left.append(f"  lag {_ago(max(0.0, status.lag))}")
    for note in status.notes:
        left.append(f"  {sanitize(note)}", style="bold yellow")
    way_out = "" if status.is_over else "Ctrl-C ends"
    right = "  ".join(filter(None, (sanitize(status.selection), way_out)))
    room = width - left.cell_len - 2
    if cell_len(right) > room:
        right = way_out if room >= len(way_out) else ""
    gap = " " * (room - cell_len(right) + 2)
    return left.append(gap).append(right, style="dim") if right else left


def _ago(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def format_gap_count(number: int) -> str:
    """Word how many gaps there were; empty for none."""
    return f"{number} gap{'s' * (number != 1)}" if number else ""
