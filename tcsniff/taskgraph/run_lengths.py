"""How long runs usually wait and run, by what all runs of a group have taken.

Pure, except that `RunLengths` has state. Lengths are in seconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import takewhile
from operator import eq
from typing import NamedTuple, Self

from tcsniff.pulse.payloads import Run
from tcsniff.taskgraph.timeline import RunTimes

_Key = tuple[str, ...]  # a kind of tasks and their worker pool, or the kind, or nothing


class TaskLengths(NamedTuple):
    """What the runs of a task have taken.

    Attributes:
        kind: The task's kind.
        pool: Its worker pool.
        waiting: How long each run waited that was claimed.
        running: How long each ran that ended as it should, be it as failed: a run that was
            cut short does not show how long one takes.
    """

    kind: str
    pool: str
    waiting: tuple[float, ...] = ()
    running: tuple[float, ...] = ()


class UsualLengths(NamedTuple):
    """What a run usually takes: how long it waits for a worker, and how long it runs then."""

    waiting: float
    running: float


def measure_runs(
    kind: str, pool: str, runs: Iterable[Run], times: Iterable[RunTimes]
) -> TaskLengths:
    """Return what the runs of a task have taken.

    Args:
        kind: The task's kind.
        pool: Its worker pool.
        runs: Its runs.
        times: Their times.
    """
    waiting, running = [], []
    for run, (scheduled, started, resolved) in zip(runs, times, strict=True):
        if started is None:
            continue
        if scheduled is not None:
            waiting.append(max(0.0, started - scheduled))
        if resolved is not None and run.state != "exception":
            running.append(max(0.0, resolved - started))
    return TaskLengths(kind, pool, tuple(waiting), tuple(running))


class RunLengths:
    """What all runs have taken.

    Attributes:
        waiting: How long runs waited that were claimed: by kind and pool, by kind, and all.
        running: How long runs ran that ended as they should, in the same way.
    """

    def __init__(self) -> None:
        self.waiting: dict[_Key, SortedLengths] = {}
        self.running: dict[_Key, SortedLengths] = {}
        self._usual: dict[tuple[str, str], UsualLengths] = {}

    @property
    def is_known(self) -> bool:
        """Whether a run has ended as it should, be it as failed."""
        return bool(self.running)

    def replace(self, before: TaskLengths, after: TaskLengths) -> None:
        """Replace what the runs of a task have taken."""
        if before[:2] == after[:2]:
            self._update(self.waiting, after, before.waiting, after.waiting)
            self._update(self.running, after, before.running, after.running)
            return
        for lengths, gone, new in (
            (self.waiting, before.waiting, after.waiting),
            (self.running, before.running, after.running),
        ):
            self._update(lengths, before, gone, ())
            self._update(lengths, after, (), new)

    def _update(
        self,
        lengths: dict[_Key, SortedLengths],
        task: TaskLengths,
        before: tuple[float, ...],
        after: tuple[float, ...],
    ) -> None:
        if before == after:
            return
        same = sum(1 for _ in takewhile(bool, map(eq, before, after))) if before else 0
        for key in _list_keys(task.kind, task.pool):
            some = lengths.get(key)
            if some is None:
                some = lengths[key] = SortedLengths()
            for length in before[same:]:  # none, unless messages contradict each other
                some.remove(length)
            for length in after[same:]:
                some.add(length)
            if not some:
                del lengths[key]
        self._usual.clear()

    def find_usual(self, kind: str, pool: str) -> UsualLengths:
        """Return what a run usually takes: the median of those that are most alike.

        These are all of the same kind and pool, else of the same kind, else all; 0 without
        any.
        """
        usual = self._usual.get((kind, pool))
        if usual is None:
            waiting = _find_median(self.waiting, kind, pool)
            usual = UsualLengths(waiting, _find_median(self.running, kind, pool))
            self._usual[kind, pool] = usual
        return usual

    def copy(self) -> Self:
        """Return a copy that does not change with this one."""
        copied = type(self)()
        copied.waiting = {key: some.copy() for key, some in self.waiting.items()}
        copied.running = {key: some.copy() for key, some in self.running.items()}
        return copied


class SortedLengths:
    """Lengths, put in order when that matters: at once, each would take 5 µs of 20,000."""

    __slots__ = ("_is_sorted", "_lengths")

    def __init__(self, lengths: Iterable[float] = ()) -> None:
        self._lengths = list(lengths)
        self._is_sorted = False

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, length: float) -> None:
        """Add a length."""
        self._lengths.append(length)
        self._is_sorted = False

    def remove(self, length: float) -> None:
        """Remove a length that was added."""
        self._sort()
        del self._lengths[bisect_left(self._lengths, length)]

    def find_median(self) -> float:
        """Return the median; there must be a length."""
        self._sort()
        number = len(self._lengths)
        return (self._lengths[(number - 1) // 2] + self._lengths[number // 2]) / 2

    def copy(self) -> Self:
        """Return a copy that does not change with this one."""
        return type(self)(self._lengths)

    def _sort(self) -> None:
        if not self._is_sorted:
            self._lengths.sort()  # quick, as most of them are in order
            self._is_sorted = True


def _list_keys(kind: str, pool: str) -> tuple[_Key, ...]:
    return (kind, pool), (kind,), ()


def _find_median(lengths: Mapping[_Key, SortedLengths], kind: str, pool: str) -> float:
    alike = next((lengths[key] for key in _list_keys(kind, pool) if key in lengths), None)
    return 0.0 if alike is None else alike.find_median()
