"""The newest events, as rows with ever growing numbers.

Pure, except that `EventStore` and `Ring` have state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from tcsniff.browse.event_rows import EventRow

MAX_ROWS = 50_000
_MAX_BYTES = 80 << 20  # of compressed messages; 50,000 of Taskcluster's take 15 to 40 MB
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


class _KnownTask(NamedTuple):
    # The newest row that has a task's label, or the label if that row was dropped; and the
    # task's newest row.
    tagged: int | str = ""
    last: int = -1


_UNKNOWN = _KnownTask()


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
        self._tasks: dict[str, _KnownTask] = {}

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
            if row.task_id:
                tagged = self.end if row.has_tags else self._get_task(row.task_id).tagged
                self._tasks[row.task_id] = _KnownTask(tagged, self.end)
            self._rows.append(row)
            self._bytes += row.block.mean_size
            self.total += 1
            while len(self._rows) > self._max_rows or self._is_too_large():
                self._drop_first()

    def get_label(self, number: int) -> str:
        """Return the label of a row's task, which may be known from another message."""
        row = self[number]
        if row.has_tags or not row.task_id:
            return row.label
        tagged = self._get_task(row.task_id).tagged
        return self[tagged].label if isinstance(tagged, int) else tagged

    def find_last(self, task_id: str, since: int = 0) -> EventRow | None:
        """Return the newest row of a task from a number on; takes 3 ms if there is none."""
        numbers = range(self.end - 1, max(since, self.first) - 1, -1)
        return next((row for number in numbers if (row := self[number]).task_id == task_id), None)

    def iterate_group(self, group_id: str) -> Iterator[EventRow]:
        """Yield the rows of a task group, the oldest first."""
        for number in range(self.first, self.end):
            row = self[number]
            if row.group_id == group_id:
                yield row

    def _get_task(self, task_id: str) -> _KnownTask:
        return self._tasks.get(task_id, _UNKNOWN)

    def _is_too_large(self) -> bool:
        return self._bytes > _MAX_BYTES and len(self._rows) > _MIN_ROWS

    def _drop_first(self) -> None:
        number, row = self.first, self._rows[0]
        if row.task_id:
            known = self._get_task(row.task_id)
            if known.last == number:
                del self._tasks[row.task_id]
            elif known.tagged == number:
                self._tasks[row.task_id] = known._replace(tagged=row.label)
        self._rows.drop_first()
        self._bytes -= row.block.mean_size
        self.first += 1
