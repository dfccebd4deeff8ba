"""When the runs of a group's tasks were.

Pure, except that a `Timeline` has state. Times are in seconds since the Unix epoch.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from tcsniff.pulse.payloads import Run
from tcsniff.taskgraph.moments import Moment, Moments
from tcsniff.taskgraph.nodes import OPEN, Node

RETRY_REASONS = ("retry", "task-retry")
"""Why the queue itself creates a run for one that was lost."""


class RunTimes(NamedTuple):
    """The times of a run; None if unknown, or before.

    Attributes:
        scheduled: When it became pending.
        started: When a worker claimed it.
        resolved: When it ended.
    """

    scheduled: float | None
    started: float | None
    resolved: float | None

    def get_changed(self, state: str) -> float | None:
        """Return when the run entered its state, as `Run.changed_at`."""
        if state == "pending":
            return self.scheduled
        return self.started if state == "running" else self.resolved


class Timeline:
    """The times of all tasks that were scheduled, parsed once.

    What a picture needs of them is the first or the last of one kind, which takes 40 ms to
    find in the runs of 20,000 tasks.

    Attributes:
        runs: The times of each task's runs, by its ID; only tasks with runs.
        begun: When the first run of a task was scheduled, by its ID; only known times.
        opened: When a task became open that has not ended, by its ID, without regard to
            retries: a rerun opens it anew. Only tasks in `begun`.
        ended: When a task ended that is not open, by its ID; when its first run was
            scheduled, if its end is unknown. Only tasks in `begun`.
        first: When any run of a task was scheduled for the first time, by its ID.
        last: When any run of a task ended for the last time, by its ID; when it was
            scheduled, if its end is unknown.
        unended: IDs of the tasks with a run that was scheduled and has not ended.
    """

    def __init__(self) -> None:
        self.runs: dict[str, tuple[RunTimes, ...]] = {}
        self.begun = Moments()
        self.opened = Moments()
        self.ended = Moments()
        self.first = Moments()
        self.last = Moments()
        self.unended: set[str] = set()

    def update(self, node: Node) -> tuple[RunTimes, ...]:
        """Replace the times of a task, and return them."""
        self.remove(node.task_id)
        if not node.runs:
            return ()
        times = tuple(
            [RunTimes(run.scheduled_at, run.started_at, run.resolved_at) for run in node.runs]
        )
        self.runs[node.task_id] = times
        begun = times[0].scheduled
        if begun is not None:
            self.begun.put(node.task_id, begun)
            if node.is_open:
                self.opened.put(node.task_id, _find_opened(node.runs, times, begun))
            else:
                resolved = times[-1].resolved
                self.ended.put(node.task_id, begun if resolved is None else resolved)
        self._update_span(node, times)
        return times

    def _update_span(self, node: Node, times: tuple[RunTimes, ...]) -> None:
        task_id = node.task_id
        first = last = None
        for run, (begun, _, ended) in zip(node.runs, times, strict=True):
            if begun is None:
                continue
            if first is None or begun < first:
                first = begun
            if ended is None and run.state in OPEN:
                self.unended.add(task_id)
                continue
            end = begun if ended is None else ended
            if last is None or end > last:
                last = end
        if first is not None:
            self.first.put(task_id, first)
        if last is not None:
            self.last.put(task_id, last)

    def remove(self, task_id: str) -> None:
        """Remove a task, if it is there."""
        if self.runs.pop(task_id, None) is None:
            return
        for moments in (self.begun, self.opened, self.ended, self.first, self.last):
            moments.remove(task_id)
        self.unended.discard(task_id)

    @property
    def began(self) -> float | None:
        """When the first task was scheduled; None before."""
        first = self.begun.find_first()
        return None if first is None else first[0]

    def measure(self, now: float) -> float:
        """Return how long it took from the first run's scheduling to the last run's end.

        Args:
            now: The end of runs that have not ended.

        Returns:
            Seconds; 0 if nothing was scheduled yet.
        """
        first, last = self.first.find_first(), self.last.find_last()
        if first is None:
            return 0.0
        ends = [now] if self.unended else []
        if last is not None:
            ends.append(last[0])
        return max(0.0, max(ends) - first[0])

    def find_longest(self) -> str | None:
        """Return the ID of the task of `begun` that has been open for the longest time.

        If none is open, of the one that ended last; of equal ones the first or the last by
        ID. None if no task was scheduled yet.
        """
        moment: Moment | None = self.opened.find_first() or self.ended.find_last()
        return None if moment is None else moment[1]

    def get_ended(self, node: Node, now: float) -> float:
        """Return when a task of `begun` ended; `now` if it has not."""
        return now if node.is_open else self.ended[node.task_id]

    def get_changed(self, node: Node) -> float | None:
        """Return when the last run of a task entered its state, as `Node.since`."""
        times = self.runs.get(node.task_id)
        return times[-1].get_changed(node.runs[-1].state) if times else None

    def copy(self) -> Self:
        """Return a copy that does not change with this one."""
        copied = type(self)()
        copied.runs = dict(self.runs)
        copied.begun = self.begun.copy()
        copied.opened = self.opened.copy()
        copied.ended = self.ended.copy()
        copied.first = self.first.copy()
        copied.last = self.last.copy()
        copied.unended = set(self.unended)
        return copied


def _find_opened(runs: tuple[Run, ...], times: tuple[RunTimes, ...], begun: float) -> float:
    for run, (scheduled, _, _) in zip(reversed(runs), reversed(times), strict=True):
        if run.reason_created not in RETRY_REASONS:
            return begun if scheduled is None else scheduled
    return begun
