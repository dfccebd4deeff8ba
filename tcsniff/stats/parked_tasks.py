"""Open tasks of which only the counted numbers are kept, in about 150 bytes each.

Pure. These are tasks beyond the bound, and runs that the queue's API lists as pending or
running: nothing else is known about those.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from tcsniff.stats.rows import Row
from tcsniff.stats.run_facts import RUNNING, RunFacts

_FORMAT = struct.Struct("<dIIHBB")  # pending since, deadline, row, wait, state, runs
_UNKNOWN_WAIT = 0xFFFF
_IN_TIME, _LISTED = 0x80, 0x40  # added to the state
_MAX_RUNS, _MAX_DEADLINE = 0xFF, 0xFFFFFFFF


class ParkedTask(NamedTuple):
    """What is kept of an open task.

    Attributes:
        row: The row of its last run; without runs, that of its next one.
        runs: Number of its runs, all of which are counted; at most 255.
        facts: What the row counts of the last run.
        deadline: When it must have ended, in seconds since the Unix epoch; infinite if
            unknown.
        is_listed: Whether it is known from the queue's API alone: then its last run is
            counted, and earlier ones are not.
    """

    row: Row
    runs: int
    facts: RunFacts
    deadline: float = math.inf
    is_listed: bool = False

    @property
    def age(self) -> tuple[int, int]:
        """The age of what is known, as `measure_age` returns it."""
        return self.runs, -1 if not self.runs else int(self.facts.state == RUNNING)


class ParkedTasks:
    """Parked tasks by key, in the order in which they were parked."""

    def __init__(self) -> None:
        self._packed: dict[int, bytes] = {}
        self._rows: dict[int, Row] = {}
        self._numbers: dict[Row, int] = {}
        self._uses: dict[int, int] = {}
        self._next_number = 0

    def __len__(self) -> int:
        """Return the number of tasks."""
        return len(self._packed)

    def park(self, key: int, task: ParkedTask) -> None:
        """Add a task.

        Args:
            key: A hash of 64 bits.
            task: The task.
        """
        facts = task.facts
        self._packed[key] = _FORMAT.pack(
            math.nan if facts.pending_since is None else facts.pending_since,
            int(min(max(0.0, task.deadline), _MAX_DEADLINE)),
            self._use_row(task.row),
            _UNKNOWN_WAIT if facts.wait is None else facts.wait,
            facts.state
            | (_IN_TIME if facts.is_in_time else 0)
            | (_LISTED if task.is_listed else 0),
            min(task.runs, _MAX_RUNS),
        )

    def take(self, key: int) -> ParkedTask | None:
        """Remove and return a task; None if it is not parked."""
        packed = self._packed.pop(key, None)
        if packed is None:
            return None
        since, deadline, number, wait, state, runs = _FORMAT.unpack(packed)
        facts = RunFacts(
            state & ~(_IN_TIME | _LISTED),
            None if wait == _UNKNOWN_WAIT else wait,
            is_in_time=bool(state & _IN_TIME),
            pending_since=None if math.isnan(since) else since,
        )
        return ParkedTask(
            self._release_row(number),
            runs,
            facts,
            math.inf if deadline == _MAX_DEADLINE else deadline,
            is_listed=bool(state & _LISTED),
        )

    def get_oldest(self) -> int:
        """Return the key of the task that was parked first."""
        return next(iter(self._packed))

    def list_overdue(self, time: float) -> Iterator[int]:
        """Yield the keys of the tasks whose deadline is before a time."""
        for key, packed in list(self._packed.items()):
            if _FORMAT.unpack(packed)[1] < min(time, _MAX_DEADLINE):
                yield key

    def _use_row(self, row: Row) -> int:
        number = self._numbers.get(row)
        if number is None:
            number = self._numbers[row] = self._next_number
            self._next_number += 1
            self._rows[number], self._uses[number] = row, 0
        self._uses[number] += 1
        return number

    def _release_row(self, number: int) -> Row:
        row = self._rows[number]
        self._uses[number] -= 1
        if not self._uses[number]:
            del self._rows[number], self._numbers[row], self._uses[number]
        return row
