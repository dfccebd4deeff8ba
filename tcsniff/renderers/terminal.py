"""A terminal on which a picture is drawn again in its place, and its status line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamStatus
from tcsniff.sanitize import sanitize

_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
# Synchronized output: the terminal shows either the whole picture or the previous
# one. Older terminals ignore it.
_BEGIN_SYNC, _END_SYNC = "\x1b[?2026h", "\x1b[?2026l"
_CLEAR_LINE, _CLEAR_BELOW, _CLEAR_ALL = "\x1b[K", "\x1b[J", "\x1b[2J\x1b[H"


class Screen:
    """Draws each picture over the previous one, without the alternate screen.

    The last picture stays, with the cursor below it.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._height = 0
        self._size: tuple[int, int] | None = None

    def draw(self, lines: Sequence[str], size: tuple[int, int]) -> None:
        """Draw a picture.

        Args:
            lines: The picture; smaller than the screen.
            size: Of the screen, in columns and lines.
        """
        if self._size is None:
            start = _HIDE_CURSOR + "\r"
        elif size != self._size:
            # The terminal has wrapped or cut the previous lines, so the place where
            # the picture begins is unknown.
            start = _CLEAR_ALL
        else:
            start = "\r" + self._move_to_top()
        self._size = size
        self._height = len(lines)
        picture = "\r\n".join(f"{line}{_CLEAR_LINE}" for line in lines)
        # End at the start of the last line: a terminal that echoes ^C after a line as
        # wide as itself would begin a new line, and move the picture.
        self._write(_BEGIN_SYNC + start + picture + _CLEAR_BELOW + "\r" + _END_SYNC)

    def write_above(self, line: str) -> None:
        """Write a line that stays above the picture, which has to be drawn again.

        Args:
            line: May be wider than the screen.
        """
        if self._size is None:
            self._write(f"{line}\r\n")
            return
        top = self._move_to_top()
        self._write(f"{_BEGIN_SYNC}\r{top}{_CLEAR_BELOW}{line}\r\n{_END_SYNC}")
        self._height = 0

    def release(self) -> None:
        """Show the cursor below the picture; the next picture is drawn below that."""
        if self._size is not None:
            self._size = None
            self._write(f"\r\n{_SHOW_CURSOR}")

    def _move_to_top(self) -> str:
        return f"\x1b[{self._height - 1}A" if self._height > 1 else ""

    def _write(self, text: str) -> None:
        self._output.write(text.encode(errors="replace"))


def format_status(status: StreamStatus, width: int) -> Text:
    """Format the status line.

    Args:
        status: Its content.
        width: Of the screen, in cells; the selection is left out first.
    """
    line = Text()
    line.append("● ", style="green" if status.idle is not None else "yellow")
    line.append(sanitize(status.source), style="bold")
    line.append(f"  {status.total:,} event{'s' * (status.total != 1)}")
    if not status.is_over:
        line.append(f"  {status.rate:.0f}/s")
        if status.idle is not None:
            line.append(f"  last {_format_seconds(status.idle)} ago")
    if status.lag is not None:
        line.append(f"  lag {_format_seconds(max(0.0, status.lag))}")
    for note in status.notes:
        line.append(f"  {sanitize(note)}", style="bold yellow")
    keys = "" if status.is_over else "Ctrl-C ends"
    right = "  ".join(filter(None, (sanitize(status.selection), keys)))
    room = width - line.cell_len - 2
    if cell_len(right) > room:
        right = keys if room >= len(keys) else ""
    gap = " " * (room - cell_len(right) + 2)
    return line.append(gap).append(right, style="dim") if right else line


def _format_seconds(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
