"""Stores that keep the memory of ``top`` small and bounded.

Pure.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from tcsniff.pulse.payloads import Run, TaskState
from tcsniff.taskgraph.tracker import Task


@dataclass(frozen=True)
class StatisticsBounds:
    """Numbers of objects that are kept.

    Attributes:
        open: Tasks that have not ended.
        ended: Tasks that have ended.
        rows: Rows with a name.
    """

    open: int = 20_000
    ended: int = 2_000
    rows: int = 1_000


_SLOTS = 8  # slots in which an entry may stand
_RUN_BITS = 8  # the queue allows 50 runs
_MAX_RUNS = (1 << _RUN_BITS) - 1
_HASH_MASK = (1 << (64 - _RUN_BITS)) - 1


class ForgottenTasks:
    """Number of counted runs of each task that is no longer kept.

    An entry is 56 bits of the task ID's hash and 8 bits for the number: among a
    quarter of a million tasks, one new task in 10^10 is taken for a known one. A new
    entry replaces the oldest of the eight in its group of slots.
    """

    def __init__(self, max_tasks: int = 1 << 18) -> None:
        """Create an empty table.

        Args:
            max_tasks: Number of tasks that fit; each takes 8 bytes.
        """
        self._groups = max(1, max_tasks // _SLOTS)
        self._entries = array("Q", bytes(8 * self._groups * _SLOTS))
        self._oldest = bytearray(self._groups)

    def add(self, task_id: str, runs: int) -> None:
        """Store the number of counted runs of a task; more than 255 are stored as 255."""
        key, group = self._find_group(task_id)
        start = group * _SLOTS
        entry = key << _RUN_BITS | min(runs, _MAX_RUNS)
        for slot in range(start, start + _SLOTS):
            if self._entries[slot] >> _RUN_BITS == key:
                self._entries[slot] = entry
                return
        self._entries[start + self._oldest[group]] = entry
        self._oldest[group] = (self._oldest[group] + 1) % _SLOTS

    def get_runs(self, task_id: str) -> int:
        """Return how many runs of a task were counted; 0 if it is not in the table."""
        key, group = self._find_group(task_id)
        for entry in self._entries[group * _SLOTS : (group + 1) * _SLOTS]:
            if entry >> _RUN_BITS == key:
                return entry & _MAX_RUNS
        return 0

    def _find_group(self, task_id: str) -> tuple[int, int]:
        key = hash(task_id) & _HASH_MASK or 1  # 0 marks a free slot
        return key, key % self._groups


class StringPool:
    """A pool of strings, so that equal strings of many tasks are stored once."""

    def __init__(self, max_strings: int = 10_000) -> None:
        """Create an empty pool.

        Args:
            max_strings: The pool is emptied when it holds this many strings.
        """
        self._max_strings = max_strings
        self._strings: dict[str, str] = {}

    def __len__(self) -> int:
        """Return the number of strings in the pool."""
        return len(self._strings)

    def share_strings(self, task: Task) -> Task:
        """Return an equal task without its label, made of strings of the pool."""
        if len(self._strings) >= self._max_strings:
            self._strings.clear()
        status = task.status
        shared = TaskState(
            status.task_id,
            self._intern(status.task_group_id),
            self._intern(status.state),
            self._intern(status.scheduler_id),
            self._intern(status.provisioner_id),
            self._intern(status.worker_type),
            tuple(map(self._share_run, status.runs)),
            status.deadline,
        )
        return Task(shared, "", self._intern(task.kind))

    def _share_run(self, run: Run) -> Run:
        return Run(
            run.run_id,
            self._intern(run.state),
            self._intern_optional(run.reason_created),
            self._intern_optional(run.reason_resolved),
            self._intern_optional(run.worker_group),
            run.worker_id,
            run.scheduled,
            run.started,
            run.resolved,
        )

    def _intern(self, text: str) -> str:
        return self._strings.setdefault(text, text)

    def _intern_optional(self, text: str | None) -> str | None:
        return None if text is None else self._intern(text)
