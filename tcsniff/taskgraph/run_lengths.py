"""How long runs usually wait and run, by what all runs of a group have taken.

Pure, except that `RunLengths` has state. Lengths are in seconds.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from itertools import takewhile
from operator import eq
from typing import NamedTuple, Self

from tcsniff.pulse.payloads import Run
from tcsniff.taskgraph.timeline import RunTimes

_Pool = tuple[str, str]  # a kind of tasks and their worker pool
_Lengths = dict[tuple[str, ...], list[float]]


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
        waiting: How long runs waited that were claimed: by kind and pool, by kind, and all;
            in order. To put lengths in order when they are asked for took 3 ms for 20,000
            tasks, and to insert one in its place takes 5 µs.
        running: How long runs ran that ended as they should, in the same way.
    """

    def __init__(self) -> None:
        self.waiting: _Lengths = {}
        self.running: _Lengths = {}
        self._usual: dict[_Pool, UsualLengths] = {}

    @property
    def is_known(self) -> bool:
        """Whether a run has ended as it should, be it as failed."""
        return bool(self.running)

    def replace(self, before: TaskLengths, after: TaskLengths) -> None:
        """Replace what the runs of a task have taken."""
        pool = after.kind, after.pool
        if before[:2] != pool:
            self._drop(self.waiting, before[:2], before.waiting)
            self._drop(self.running, before[:2], before.running)
            before = TaskLengths(*pool)
        self._update(self.waiting, pool, before.waiting, after.waiting)
        self._update(self.running, pool, before.running, after.running)

    def _update(
        self, lengths: _Lengths, pool: _Pool, before: tuple[float, ...], after: tuple[float, ...]
    ) -> None:
        if before == after:
            return
        same = sum(1 for _ in takewhile(bool, map(eq, before, after)))
        self._drop(lengths, pool, before[same:])  # nothing, unless messages contradict each other
        for key in _list_keys(*pool):
            for length in after[same:]:
                insort(lengths.setdefault(key, []), length)
        self._usual.clear()

    def _drop(self, lengths: _Lengths, pool: _Pool, gone: tuple[float, ...]) -> None:
        for key in _list_keys(*pool) if gone else ():
            for length in gone:
                del lengths[key][bisect_left(lengths[key], length)]
            if not lengths[key]:
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
        copied.waiting = {key: list(some) for key, some in self.waiting.items()}
        copied.running = {key: list(some) for key, some in self.running.items()}
        return copied


def _list_keys(kind: str, pool: str) -> tuple[tuple[str, ...], ...]:
    return (kind, pool), (kind,), ()


def _find_median(lengths: Mapping[tuple[str, ...], list[float]], kind: str, pool: str) -> float:
    alike = next((lengths[key] for key in _list_keys(kind, pool) if key in lengths), None)
    return (alike[(len(alike) - 1) // 2] + alike[len(alike) // 2]) / 2 if alike else 0.0
