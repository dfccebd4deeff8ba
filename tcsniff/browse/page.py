"""What all pages have in common: rows, of which one is selected, on a screen of any height.

Pure, except that `Page` has state.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from rich.text import Text


class Subject(NamedTuple):
    """What a row is about; empty where it is about no such thing.

    Attributes:
        task_id: A task.
        group_id: Its task group.
        run_id: A run of the task.
        pool: Its worker pool.
    """

    task_id: str = ""
    group_id: str = ""
    run_id: int | None = None
    pool: str = ""


class Page:
    """Rows with a selected one, which stays selected, and in its place, while others change.

    Rows change only in `update`.

    Attributes:
        tab: The number of the page's tab.
        index: The place of the selected row.
        offset: The selected row's line on the screen.
        follows: Whether the selection stays at the last row.
        has_pane: Whether there is more to show of a row than the row.
    """

    tab = 1
    has_pane = False

    def __init__(self) -> None:
        self.index = 0
        self.offset = 0
        self.follows = False
        self._height = 1
        # What the user has selected, and its line: a filter or a small screen may show
        # another row, or this one in another line, for a while.
        self._key: Hashable = None
        self._wanted_offset = 0

    def __len__(self) -> int:
        raise NotImplementedError

    def get_key(self, index: int) -> Hashable:
        """Return what identifies a row."""
        raise NotImplementedError

    def find_key(self, key: Hashable) -> int | None:
        """Return the place of a row, or of one that is next to it; None if it is gone."""
        raise NotImplementedError

    def draw_row(self, index: int, width: int) -> Text:
        """Draw a row; it is safe for a terminal."""
        raise NotImplementedError

    def get_stamp(self, index: int) -> Hashable:  # noqa: ARG002 - for pages that have one
        """Return a value that changes when a row has to be drawn again; None if it always has."""
        return None

    def draw_heading(self, width: int) -> list[Text]:  # noqa: ARG002
        """Draw the lines above the rows, the most important ones first."""
        return []

    def draw_pane(self, width: int, height: int, *, raw: bool) -> list[Text]:  # noqa: ARG002
        """Draw more about the selected row, in at most `height` lines."""
        return []

    def get_subject(self) -> Subject:
        """Return what the selected row is about."""
        return Subject()

    def describe_state(self) -> str:
        """Return what the tab line says of the page, such as its filter."""
        return ""

    def update(self) -> bool:
        """Take what has changed; return whether the page has to be drawn again."""
        return False

    @property
    def exit_status(self) -> int:
        """The exit status if the app is closed while this page is shown."""
        return 0

    def settle(self, height: int | None = None) -> int:
        """Place the selected row on a screen, and return the first row to draw.

        Args:
            height: Of the screen, in rows; None if it has not changed.
        """
        self._height = self._height if height is None else max(1, height)
        count = len(self)
        place = None if self._key is None or self.follows else self.find_key(self._key)
        if self.follows:
            self.index = count - 1
        elif place is not None:
            self.index = place
        self.index = max(0, min(self.index, count - 1))
        top = self.index - max(0, min(self._wanted_offset, self._height - 1))
        top = max(0, min(top, count - self._height))
        self.offset = self.index - top
        if place is None:
            self._keep_key()
        return top

    def select(self, index: int) -> None:
        """Select a row by its place; the screen moves only if it has to."""
        index = max(0, min(index, len(self) - 1))
        self.offset = max(0, min(self.offset + index - self.index, self._height - 1))
        self.index = index
        self.follows = self.has_end and index == len(self) - 1
        self._keep_place()

    @property
    def has_end(self) -> bool:
        """Whether rows are added at the end, so that it can be followed."""
        return False

    def move(self, rows: int) -> None:
        """Select another row, `rows` further down, or up if negative."""
        self.select(self.index + rows)

    def move_page(self, pages: int) -> None:
        """Move by screens, less a line."""
        self.select(self.index + pages * max(1, self._height - 1))

    def scroll(self, lines: int) -> None:
        """Move the screen; the selection moves only if it would leave it."""
        count, height = len(self), self._height
        top = max(0, min(self.index - self.offset + lines, count - height))
        index = max(top, min(self.index, top + height - 1, count - 1))
        self.index, self.offset = index, index - top
        self.follows = self.has_end and index == count - 1
        self._keep_place()

    @property
    def is_busy(self) -> bool:
        """Whether `update` has more to do than it did at once."""
        return False

    def forget_widths(self) -> None:
        """Fit the columns to the rows on the screen alone, whatever was shown before."""

    def toggle_pause(self) -> None:
        """Let the page stand still, or go on; pages that can't be paused do nothing."""

    def sort_next(self) -> str:
        """Sort by another column, and return which one; empty if there is only one order."""
        return ""

    def select_failure(self) -> bool:
        """Select the next failure; return whether there is one."""
        return False

    def select_key(self, key: Hashable) -> None:
        """Select a row by what identifies it."""
        place = self.find_key(key)
        if place is not None:
            self.select(place)

    def _keep_place(self) -> None:
        self._wanted_offset = self.offset
        self._keep_key()

    def _keep_key(self) -> None:
        if 0 <= self.index < len(self):
            self._key = self.get_key(self.index)
