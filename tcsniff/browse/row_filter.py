"""Filters of rows, and the rows that match one while more arrive.

Pure, except that `MatchingRows` has state.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

from tcsniff.browse.event_rows import EventRow
from tcsniff.browse.event_store import EventStore, Ring
from tcsniff.pulse.events import Event
from tcsniff.selection.expressions import compile_expression

RowTest = Callable[[EventRow, str], bool]
"""Returns whether a row matches; the second argument is its task's label."""

EXPRESSION = "="
"""The first character of a filter that is an expression."""
_TEXT_STEP, _EXPRESSION_STEP = 5_000, 50  # rows that are tested at once: 2 ms, 5 ms


def compile_filter(text: str) -> RowTest:
    """Return the test for a filter: words that a row must have, or an expression after ``=``.

    Raises:
        UsageError: If the expression is not valid.
    """
    if not text.startswith(EXPRESSION):
        words = text.lower().split()
        return lambda row, label: all(
            word in row.searched or word in label.lower() for word in words
        )
    expression = compile_expression(text.removeprefix(EXPRESSION), "filter")
    return lambda row, _label: expression.holds(Event(row.delivery))


class MatchingRows:
    """The numbers of the rows that match a filter, in order.

    Old rows are tested from the newest to the oldest, a step at a time, so that a slow
    filter shows something at once and never keeps a key waiting.
    """

    def __init__(self, store: EventStore, text: str = "") -> None:
        """Create a list in which no row was tested yet.

        Args:
            store: All rows.
            text: The filter; empty for all rows.

        Raises:
            UsageError: If the filter is not valid.
        """
        self.text = text
        self._store = store
        self._test = compile_filter(text) if text.strip() else None
        self._step = _EXPRESSION_STEP if text.startswith(EXPRESSION) else _TEXT_STEP
        self._older: list[int] = []  # in descending order
        self._newer: Ring[int] = Ring()
        self._tested = self._untested = store.end  # from here on, and before

    @property
    def progress(self) -> float:
        """The share of the rows that were tested."""
        left = max(0, self._untested - self._store.first)
        return 1.0 if self._test is None or not left else 1 - left / len_of(self._store)

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
        for number in self._list_matching(range(max(self._tested, first), end)):
            self._newer.append(number)
        self._tested = end
        begin = max(first, self._untested - self._step)
        self._older += self._list_matching(range(self._untested - 1, begin - 1, -1))
        self._untested = begin

    def _list_matching(self, numbers: range) -> Iterator[int]:
        test, store = self._test, self._store
        return (
            number for number in numbers if test and test(store[number], store.get_label(number))
        )


def len_of(store: EventStore) -> int:
    """Return the number of rows that are kept; at least 1."""
    return max(1, store.end - store.first)
