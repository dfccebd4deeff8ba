"""What terminals make of their content when their size changes, for tests of pictures.

pyte cuts lines and drops the first ones, and keeps the cursor's place on the screen, which
no terminal does.
"""

from __future__ import annotations

import pyte


class ResizingScreen(pyte.Screen):
    """A screen with a history, whose content moves with its size as in other terminals.

    Attributes:
        history: The rows that have left the screen at its top, without their styles.
    """

    def __init__(self, columns: int, lines: int) -> None:
        self.history: list[str] = []
        super().__init__(columns, lines)

    def index(self) -> None:
        """Move down a row; at the bottom, the first row goes into the history."""
        if self.cursor.y == self.lines - 1:
            first = self.buffer[0]
            row = "".join(first[column].data for column in range(self.columns))
            self.history.append(row.rstrip())
        super().index()

    def erase_in_display(self, how: int = 0, *args: object, **options: object) -> None:
        """Clear rows; those of a whole screen go into the history, as in tmux."""
        if how == 2 or (how == 0 and self.cursor.x == self.cursor.y == 0):
            rows = [row.rstrip() for row in self.display]
            self.history += rows[: max((n + 1 for n, row in enumerate(rows) if row), default=0)]
        super().erase_in_display(how, *args, **options)

    def wrap(self, columns: int, lines: int) -> None:
        """Change the size like tmux, VTE, kitty and most others.

        Rows below the cursor go first if there are too many; then those at the top go into
        the history. Rows that are too long go on in the next one.
        """
        rows = [row.rstrip() for row in self.display]
        at = self.cursor.y
        while len(rows) > max(lines, at + 1):
            rows.pop()
        parts = [_split(row, columns) for row in rows]
        self._show(
            [part for row in parts for part in row], sum(map(len, parts[:at])), columns, lines
        )

    def cut(self, columns: int, lines: int) -> None:
        """Change the size like xterm: rows that are too long lose their ends."""
        rows = [row.rstrip()[:columns] for row in self.display]
        while len(rows) > max(lines, self.cursor.y + 1):
            rows.pop()
        self._show(rows, self.cursor.y, columns, lines)

    def _show(self, rows: list[str], at: int, columns: int, lines: int) -> None:
        hidden, hides_cursor = max(0, len(rows) - lines), self.cursor.hidden
        self.history += rows[:hidden]
        self.resize(lines, columns)
        self.reset()
        pyte.Stream(self).feed("\r\n".join(rows[hidden:]))
        self.cursor.y, self.cursor.x = max(0, at - hidden), 0
        self.cursor.hidden = hides_cursor


def _split(row: str, columns: int) -> list[str]:
    return [row[place : place + columns] for place in range(0, max(1, len(row)), columns)]
