"""What is remembered of forgotten tasks: that they were counted, in a fixed amount of memory.

Pure, but for `Forgotten`, which remembers.
"""

from __future__ import annotations

from array import array

_WAYS = 8  # places that a task may have
_RUNS = 8  # bits for the number of runs; the queue allows 50
_MOST_RUNS = (1 << _RUNS) - 1
_MARK = (1 << (64 - _RUNS)) - 1


class Forgotten:
    """How many runs of each task were counted, of the tasks that were forgotten last.

    A task is known by 56 bits of a hash: among a quarter of a million tasks one
    in 10^10 that is new is taken for another. The numbers are in one table; a new
    one takes the place of the oldest of the eight that share its row.
    """

    def __init__(self, most: int = 1 << 18) -> None:
        """Nothing is remembered yet.

        Args:
            most: How many tasks have room, each of 8 bytes.
        """
        self._rows = max(1, most // _WAYS)
        self._places = array("Q", bytes(8 * self._rows * _WAYS))
        self._oldest = bytearray(self._rows)

    def add(self, task_id: str, runs: int) -> None:
        """Remember a task.

        Args:
            task_id: The task.
            runs: How many of its runs were counted.
        """
        mark, row = self._found(task_id)
        start = row * _WAYS
        entry = mark << _RUNS | min(runs, _MOST_RUNS)
        for place in range(start, start + _WAYS):
            if self._places[place] >> _RUNS == mark:
                self._places[place] = entry
                return
        self._places[start + self._oldest[row]] = entry
        self._oldest[row] = (self._oldest[row] + 1) % _WAYS

    def runs(self, task_id: str) -> int:
        """Tell how many runs of a task were counted; 0 if it is not remembered."""
        mark, row = self._found(task_id)
        for entry in self._places[row * _WAYS : (row + 1) * _WAYS]:
            if entry >> _RUNS == mark:
                return entry & _MOST_RUNS
        return 0

    def _found(self, task_id: str) -> tuple[int, int]:
        mark = hash(task_id) & _MARK or 1  # 0 stands for nobody
        return mark, mark % self._rows
