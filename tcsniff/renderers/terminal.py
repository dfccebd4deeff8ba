"""A terminal on which a picture is drawn again in its place, and its status line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.widths import shorten_text
from tcsniff.sanitize import sanitize

_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
# Synchronized output: the terminal shows either the whole picture or the previous
# one. Older terminals ignore it.
_BEGIN_SYNC, _END_SYNC = "\x1b[?2026h", "\x1b[?2026l"
# If the terminal has become narrower just now, lines are cut instead of wrapped.
_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"
_CLEAR_LINE, _CLEAR_RIGHT, _CLEAR_BELOW = "\x1b[2K", "\x1b[K", "\x1b[J"
_GAP = "  "
_MIN_SOURCE = 8  # cells
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x1b]*\x1b\\)")


class Screen:
    """Draws each picture over the previous one, without the alternate screen.

    The last picture stays, with the cursor below it. Until then the cursor waits at the
    start of the first line: wherever a terminal moves or wraps the picture when its size
    changes, it moves the cursor too, so the picture is erased from there down. A terminal
    that becomes lower drops lines below the cursor, and does not scroll them up.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._is_held = False  # whether the cursor is hidden, at the start of a picture
        self._size = (0, 0)
        self._height = 0  # of the picture, in lines
        # Of the picture on the screen; none if other lines may be there.
        self._lines: Sequence[str] = ()

    def draw(self, lines: Sequence[str], size: tuple[int, int]) -> None:
        """Draw a picture; of the previous one only lines that differ are drawn again.

        Args:
            lines: The picture, at least one line; smaller than the screen.
            size: Of the screen, in columns and lines.
        """
        start = "" if self._is_held else _HIDE_CURSOR
        if size != self._size:
            self._lines = ()  # the terminal has wrapped or cut them
        if lines == self._lines:
            return
        width = size[0]
        text = "".join(self._change(lines, width) if self._lines else _draw_all(lines, width))
        self._is_held, self._size, self._lines, self._height = True, size, lines, len(lines)
        self._write(_BEGIN_SYNC + start + _CUT + text + _WRAP + _END_SYNC)

    def write_above(self, line: str) -> None:
        """Write a line that stays above the picture, which has to be drawn again.

        Args:
            line: May be wider than the screen.
        """
        if not self._is_held:
            self._write(f"{line}\r\n")
            return
        self._lines, self._height = (), 0
        below = "\r\n" + _CLEAR_BELOW
        self._write(_BEGIN_SYNC + "\r" + _fill_row(line, self._size[0]) + below + _END_SYNC)

    def release(self) -> None:
        """Show the cursor below the picture; the next picture is drawn below that."""
        if self._is_held:
            self._is_held, self._lines = False, ()
            self._write("\r\n" * self._height + _SHOW_CURSOR)

    def forget(self) -> None:
        """Note that another program may have used the terminal; draw below its content."""
        self._is_held, self._lines = False, ()

    def refresh(self) -> None:
        """Note that other lines may be in the place of the picture; draw all of it again."""
        self._lines = ()

    def _change(self, lines: Sequence[str], width: int) -> Iterator[str]:
        row = 0  # of the cursor
        for number in range(max(len(lines), len(self._lines))):
            line = lines[number] if number < len(lines) else None
            if number < len(self._lines) and line == self._lines[number]:
                continue
            yield "\r\n" * (number - row)
            row = number
            yield _CLEAR_LINE if line is None else _fill_row(line, width)
        yield _move_up(row)

    def _write(self, text: str) -> None:
        self._output.write(text.encode(errors="replace"))


def _draw_all(lines: Sequence[str], width: int) -> Iterator[str]:
    yield "\r" + _fill_row(lines[0], width)
    for number, line in enumerate(lines[1:]):
        # Not before the first row: tmux, for example, moves a screen that is cleared from its
        # first cell into the history.
        yield "\r\n" if number else "\r\n" + _CLEAR_BELOW
        yield _fill_row(line, width)
    yield _move_up(len(lines) - 1)


def _move_up(rows: int) -> str:
    return f"\r\x1b[{rows}A" if rows else "\r"


def _fill_row(line: str, width: int) -> str:
    # After a line as wide as the screen, the cursor is still on its last cell.
    is_full = width and cell_len(_ESCAPE_SEQUENCE.sub("", line)) % width == 0
    return line if is_full and line else line + _CLEAR_RIGHT


class _Part(NamedTuple):
    text: str
    style: str = ""
    rank: int = 0  # where there is no room, the highest is left out first, and never 0


def format_status(status: StreamStatus, width: int) -> Text:
    """Format the status line.

    Args:
        status: Its content.
        width: Of the screen, in cells; the selection is left out first, then hints, then
            parts that change with every event. Nothing is cut in its middle.
    """
    parts = list(_list_parts(status))
    while _measure(parts) > width and any(part.rank for part in parts):
        parts.remove(max(parts, key=lambda part: part.rank))
    room = cell_len(parts[0].text) - max(0, _measure(parts) - width)
    parts[0] = parts[0]._replace(text=shorten_text(parts[0].text, max(_MIN_SOURCE, room)))
    line = Text().append("● ", style="green" if status.idle is not None else "yellow")
    for number, part in enumerate(parts):
        line.append(_GAP if number else "").append(part.text, style=part.style)
    hints = () if status.is_over else status.hints
    shown = list(filter(None, (sanitize(status.selection), *hints)))
    room = width - line.cell_len - len(_GAP)
    while cell_len(right := _GAP.join(shown)) > room and shown:
        del shown[0]
    gap = " " * (room - cell_len(right) + len(_GAP))
    return line.append(gap).append(right, style="dim") if right else line


def _list_parts(status: StreamStatus) -> Iterator[_Part]:
    yield _Part(sanitize(status.source), "bold")
    yield _Part(f"{status.total:,} event{'s' * (status.total != 1)}", rank=1)
    if not status.is_over:
        yield _Part(f"{status.rate:.0f}/s", rank=3)
        if status.idle is not None:
            yield _Part(f"last {_format_seconds(status.idle)} ago", rank=2)
    if status.lag is not None:
        yield _Part(f"lag {_format_seconds(max(0.0, status.lag))}", rank=4)
    for note in status.notes:
        yield _Part(sanitize(note), "yellow")


def _measure(parts: Sequence[_Part]) -> int:
    return len("● ") + sum(cell_len(part.text) for part in parts) + len(_GAP) * (len(parts) - 1)


def _format_seconds(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
