"""The page of worker pools: what `top` shows, sorted by any column."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from rich.text import Text

from tcsniff.browse.feed import PoolCounts
from tcsniff.browse.keys import POOLS
from tcsniff.browse.page import Page, Subject
from tcsniff.renderers.top.live_top import SORT_INTERVAL, measure_names, read_board
from tcsniff.renderers.top.top_table import format_board
from tcsniff.sanitize import sanitize
from tcsniff.stats.rows import MEASURES, Row

SORTS = (*(name for name in MEASURES if name not in ("finished", "streak")), "name")
_INTERVAL = 0.5  # seconds between two drawings while nothing is pressed
_MAX_SILENT = 2_000  # events that may wait to be counted without a word


class PoolsPage(Page):
    """The worker pools of all events, whatever the filter is."""

    tab = POOLS

    def __init__(self, pools: PoolCounts, clock: Callable[[], float] = time.monotonic) -> None:
        """Create a page.

        Args:
            pools: The statistics of runs.
            clock: Returns the time in seconds.
        """
        super().__init__()
        self.is_paused = False
        self._order = SORTS[0]
        self._pools = pools
        self._clock = clock
        self._rows: list[Row] = []
        self._longest = 0  # of their names, in cells
        self._places: dict[Hashable, int] = {}
        self._sorted = self._updated = float("-inf")
        self._lines: dict[int, Text] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def get_key(self, index: int) -> Hashable:
        """Return the pool's name."""
        return self._rows[index].name

    def find_key(self, key: Hashable) -> int | None:
        """Return the place of a pool."""
        return self._places.get(key)

    def get_subject(self) -> Subject:
        """Return the selected pool."""
        if not 0 <= self.index < len(self._rows):
            return Subject()
        return Subject(pool=sanitize(self._rows[self.index].name))

    def update(self) -> bool:
        """Read the numbers again, and now and then their order."""
        now = self._clock()
        if self.is_paused or now - self._updated < _INTERVAL:
            return False
        self._updated = now
        if now - self._sorted >= SORT_INTERVAL:
            self._sort(now)
        return True

    def toggle_pause(self) -> None:
        """Let the numbers stand still, or go on."""
        self.is_paused = not self.is_paused

    def describe_state(self) -> str:
        """Return the order, whether the page is paused, and what is not counted yet."""
        waiting = self._pools.waiting
        parts = (
            f"{waiting:,} events are not counted yet" if waiting > _MAX_SILENT else "",
            f"sorted by {self._order}",
            "paused" if self.is_paused else "",
        )
        return "  ".join(filter(None, parts))

    def sort_next(self) -> str:
        """Sort by another column; return which one."""
        self._order = SORTS[(SORTS.index(self._order) + 1) % len(SORTS)]
        self._sort(self._clock())
        return self._order

    def draw_heading(self, width: int) -> list[Text]:
        """Draw the titles of the columns, and the rows on the screen with them."""
        top = self.settle()
        shown = range(top, min(top + self._height, len(self._rows)))
        with self._pools.lock:
            rows = [self._rows[index] for index in shown]
            board = read_board(self._pools.counter, rows)._replace(
                number=len(self._rows), sort=self._order, longest=self._longest
            )
        heading, *lines, _total = format_board(board, width)
        self._lines = dict(zip(shown, lines, strict=True))
        return [heading]

    def draw_row(self, index: int, width: int) -> Text:  # noqa: ARG002 - `draw_heading`
        """Return a pool's numbers."""
        return self._lines.get(index, Text())

    def _sort(self, now: float) -> None:
        self._sorted = now
        with self._pools.lock:
            counter = self._pools.counter
            self._rows = counter.statistics.list_rows(self._order, counter.now or 0.0)
        self._longest = measure_names(self._rows)
        self._places = {row.name: place for place, row in enumerate(self._rows)}
        self.settle()
