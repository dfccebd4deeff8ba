"""The newest events, as rows with ever growing numbers.

Pure, except that `EventStore` and `Ring` have state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from tcsniff.browse.event_rows import EventRow

MAX_ROWS = 50_000
_MAX_BYTES = 96 << 20  # of compressed records; 50,000 of Taskcluster's take 40 MB
_MIN_ROWS = 100  # that are kept however large they are

_Item = TypeVar("_Item")


class Ring(Generic[_Item]):
    """A list that also drops items from its start quickly.

    A deque needs 8 µs to reach an item in the middle of 50,000.
    """

    def __init__(self) -> None:
        self._items: list[_Item] = []
        self._start = 0

    def __len__(self) -> int:
        return len(self._items) - self._start

    def __getitem__(self, index: int) -> _Item:
        if index < 0:
            raise IndexError(index)
        return self._items[self._start + index]

    def append(self, item: _Item) -> None:
        """Add an item at the end."""
        self._items.append(item)

    def drop_first(self) -> _Item:
        """Remove the first item, and return it."""
        item = self._items[self._start]
        self._start += 1
        if self._start > 1_000 and self._start * 2 > len(self._items):
            del self._items[: self._start]
            self._start = 0
        return item


class EventStore:
    """The newest events, at most 50,000.

    Attributes:
        first: The number of the oldest row that is kept.
        total: How many events there were.
    """

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self.first = 0
        self.total = 0
        self._max_rows = max_rows
        self._rows: Ring[EventRow] = Ring()
        self._bytes = 0
        self._labels: dict[str, tuple[str, int]] = {}  # with the number of its last row

    @property
    def end(self) -> int:
        """The number that the next row gets."""
        return self.first + len(self._rows)

    def __contains__(self, number: int) -> bool:
        return self.first <= number < self.end

    def __getitem__(self, number: int) -> EventRow:
        return self._rows[number - self.first]

    def add(self, rows: Iterable[EventRow]) -> None:
        """Add rows, and drop the oldest ones above the limits."""
        for row in rows:
            self._add_label(row)
            self._rows.append(row)
            self._bytes += len(row.record)
            self.total += 1
            while len(self._rows) > self._max_rows or self._is_too_large():
                self._drop_first()

    def get_label(self, number: int) -> str:
        """Return the label of a row's task, which may be known from another message."""
        row = self[number]
        return row.label or self._labels.get(row.task_id, ("", 0))[0]

    def find_last(self, task_id: str) -> EventRow | None:
        """Return the newest row of a task; takes 3 ms if there is none."""
        numbers = range(self.end - 1, self.first - 1, -1)
        return next((row for number in numbers if (row := self[number]).task_id == task_id), None)

    def iterate_group(self, group_id: str) -> Iterator[EventRow]:
        """Yield the rows of a task group, the oldest first."""
        for number in range(self.first, self.end):
            row = self[number]
            if row.group_id == group_id:
                yield row

    def _add_label(self, row: EventRow) -> None:
        if not row.task_id:
            return
        known = row.label or self._labels.get(row.task_id, ("", 0))[0]
        if known:
            self._labels[row.task_id] = known, self.end

    def _is_too_large(self) -> bool:
        return self._bytes > _MAX_BYTES and len(self._rows) > _MIN_ROWS

    def _drop_first(self) -> None:
        row = self._rows.drop_first()
        self._bytes -= len(row.record)
        if self._labels.get(row.task_id, ("", -1))[1] == self.first:
            del self._labels[row.task_id]
        self.first += 1
