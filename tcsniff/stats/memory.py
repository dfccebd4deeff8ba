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
        open: Tasks that have not ended, with all that is known about them.
        parked: Further tasks that have not ended, see `ParkedTasks`.
        ended: Tasks that have ended.
        forgotten: Ended tasks of which only the number of runs is kept.
        rows: Rows with a name.
    """

    open: int = 5_000
    parked: int = 250_000
    ended: int = 2_000
    forgotten: int = 1 << 20
    rows: int = 1_000


_SLOTS = 8  # slots in which an entry may stand
_RUN_BITS = 8  # the queue allows 50 runs
_MAX_RUNS = (1 << _RUN_BITS) - 1
_TIME_BITS = 16
_MAX_TIME = (1 << _TIME_BITS) - 1
_TIME_UNIT = 600.0  # seconds; the table covers 455 days
_MARGIN = 30 * 86_400.0  # seconds before the first time that the table covers, too
_HASH_SHIFT = 24  # the lower bits of a hash choose the group
_HASH_MASK = (1 << 40) - 1


def hash_task(task_id: str) -> int:
    """Return the key of a task in tables that do not keep its ID: 64 bits."""
    return hash(task_id) & 0xFFFFFFFFFFFFFFFF


class ForgottenTasks:
    """Number of counted runs of each task that is no longer kept.

    An entry is 40 bits of the task ID's hash, 16 bits for when the task ended, and 8 bits
    for the number of runs; further bits of the hash choose its group of eight slots. Of a
    week of Firefox CI, 7 million tasks, one in 10^11 is taken for another. A new entry
    replaces the oldest of its group.

    Attributes:
        horizon: A time, in seconds since the Unix epoch: all tasks that ended later are
            in the table. None as long as no entry was replaced.
    """

    def __init__(self, max_tasks: int = 1 << 20) -> None:
        """Create an empty table.

        Args:
            max_tasks: Number of tasks that fit; each takes 8 bytes.
        """
        self.horizon: float | None = None
        self._groups = max(1, max_tasks // _SLOTS)
        self._entries = array("Q")  # allocated by the first `add`
        self._oldest = bytearray(self._groups)
        self._epoch: float | None = None  # the time that is stored as 0

    def add(self, key: int, runs: int, ended: float) -> None:
        """Store the number of counted runs of a task.

        Args:
            key: From `hash_task`.
            runs: The number; more than 255 are stored as 255.
            ended: When the task ended, in seconds since the Unix epoch.
        """
        if self._epoch is None:
            self._epoch = ended - _MARGIN
            self._entries.frombytes(bytes(8 * self._groups * _SLOTS))
        mark, start = self._find_group(key)
        time = int(min(max(1.0, (ended - self._epoch) / _TIME_UNIT), _MAX_TIME))
        entry = mark << (_RUN_BITS + _TIME_BITS) | time << _RUN_BITS | min(runs, _MAX_RUNS)
        for slot in range(start, start + _SLOTS):
            if self._entries[slot] >> (_RUN_BITS + _TIME_BITS) == mark:
                self._entries[slot] = entry
                return
        group = start // _SLOTS
        self._replace_entry(start + self._oldest[group], entry)
        self._oldest[group] = (self._oldest[group] + 1) % _SLOTS

    def get_runs(self, key: int) -> int:
        """Return how many runs of a task were counted; 0 if it is not in the table."""
        mark, start = self._find_group(key)
        for entry in self._entries[start : start + _SLOTS]:
            if entry >> (_RUN_BITS + _TIME_BITS) == mark:
                return entry & _MAX_RUNS
        return 0

    def _find_group(self, key: int) -> tuple[int, int]:
        mark = key >> _HASH_SHIFT & _HASH_MASK or 1  # 0 marks a free slot
        return mark, key % self._groups * _SLOTS

    def _replace_entry(self, slot: int, entry: int) -> None:
        if old := self._entries[slot]:
            # The end of its unit of time, as the entry has no more.
            units = (old >> _RUN_BITS & _MAX_TIME) + 1
            ended = (self._epoch or 0.0) + units * _TIME_UNIT
            self.horizon = ended if self.horizon is None else max(self.horizon, ended)
        self._entries[slot] = entry


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

    def share_strings(self, task: Task, *, keeps_label: bool = False) -> Task:
        """Return an equal task made of strings of the pool, without its label by default."""
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
        label = task.label if keeps_label else ""  # most labels are different
        return Task(shared, label, self._intern(task.kind), self._intern(task.project))

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
