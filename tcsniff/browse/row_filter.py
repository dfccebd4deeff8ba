"""Filters of rows, and the rows that match one while more arrive.

Pure, except that `MatchingRows` has state and a default clock.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator

from tcsniff.browse.event_rows import EventRow
from tcsniff.browse.event_store import EventStore, Ring
from tcsniff.selection.expressions import compile_expression

RowTest = Callable[[EventRow, str], bool]
"""Returns whether a row matches; the second argument is its task's label."""

EXPRESSION = "="
"""The first character of a filter that is an expression."""
_STEP = 50  # rows between two looks at the clock: 5 ms at most
_BUDGET = 0.01  # seconds that rows are tested for at once


def compile_filter(text: str) -> RowTest:
    """Return the test for a filter: words that a row must have, or an expression after ``=``.

    Raises:
        UsageError: If the expression is not valid.
    """
    if not text.startswith(EXPRESSION):
        words = text.lower().split()

        def has_words(row: EventRow, label: str) -> bool:
            # Letter case is changed only for labels that other messages have.
            others = "" if row.has_tags else label.lower()
            return all(word in row.searched or word in others for word in words)

        return has_words
    expression = compile_expression(text.removeprefix(EXPRESSION), "filter")
    return lambda row, _label: expression.holds(row.event)


class MatchingRows:
    """The numbers of the rows that match a filter, in order.

    New rows are tested first, then old ones from the newest to the oldest, for 10 ms at a
    time, so that a slow filter shows something at once and never keeps a key waiting.
    """

    def __init__(
        self, store: EventStore, text: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create a list in which no row was tested yet.

        Args:
            store: All rows.
            text: The filter; empty for all rows.
            clock: Returns the time in seconds.

        Raises:
            UsageError: If the filter is not valid.
        """
        self.text = text
        self._clock = clock
        self._store = store
        self._test = compile_filter(text) if text.strip() else None
        self._older: list[int] = []  # in descending order
        self._newer: Ring[int] = Ring()
        self._tested = self._untested = store.end  # from here on, and before

    @property
    def progress(self) -> float:
        """The share of the rows that were tested."""
        if self._test is None:
            return 1.0
        first, end = self._store.first, self._store.end
        left = max(0, self._untested - first) + end - max(first, self._tested)
        return 1 - left / max(1, end - first)

    def __len__(self) -> int:
        if self._test is None:
            return self._store.end - self._store.first
        return len(self._older) + len(self._newer)

    def __getitem__(self, index: int) -> int:
        if self._test is None:
            return self._store.first + index
        older = len(self._older)
        return self._older[older - 1 - index] if index < older else self._newer[index - older]

    def find(self, number: int) -> int:
        """Return the index of the first row that has at least this number."""
        if self._test is None:
            return max(0, min(number, self._store.end) - self._store.first)
        return bisect_left(self, number)

    def update(self) -> None:
        """Test new rows, and the next step of old ones; drop rows that are no longer kept."""
        if self._test is None:
            return
        first, end = self._store.first, self._store.end
        while self._older and self._older[-1] < first:
            self._older.pop()
        while not self._older and len(self._newer) and self._newer[0] < first:
            self._newer.drop_first()
        deadline = self._clock() + _BUDGET
        while self._test_more(first, end) and self._clock() < deadline:
            pass

    def _test_more(self, first: int, end: int) -> bool:
        # Test a few rows; return whether there were any.
        if self._tested < end:
            begin = max(first, self._tested)
            self._tested = min(begin + _STEP, end)
            for number in self._list_matching(range(begin, self._tested)):
                self._newer.append(number)
        elif self._untested > first:
            begin = max(first, self._untested - _STEP)
            self._older += self._list_matching(range(self._untested - 1, begin - 1, -1))
            self._untested = begin
        else:
            return False
        return True

    def _list_matching(self, numbers: range) -> Iterator[int]:
        test, store = self._test, self._store
        return (
            number for number in numbers if test and test(store[number], store.get_label(number))
        )
