"""A picture on the terminal that is drawn again in its place."""

from __future__ import annotations

from collections.abc import Sequence

from tcsniff.renderers.output import Output

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

    def again(self) -> None:
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
