"""The critical path: the chain of tasks that took the time.

Pure. Times are in seconds since the Unix epoch, lengths in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from math import inf
from typing import NamedTuple

from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.timeline import RETRY_REASONS, RunTimes, Timeline

_CLOCK_SKEW = 1.0  # seconds that the clocks of two machines may differ
_OVERDUE = "deadline-exceeded"


class PathStep(NamedTuple):
    """A task's part of the path: from its scheduling to the scheduling of the next.

    Attributes:
        node: The task.
        begun: When it was scheduled for the first time; or when the next one was,
            if that is earlier by the clocks of two machines.
        ended: When the next one was scheduled; of the last, when it ended, or now.
        waiting: How long it was pending in between, in all its runs.
        running: How long it was running in between, in all its runs.
    """

    node: Node
    begun: float
    ended: float
    waiting: float
    running: float

    @property
    def length(self) -> float:
        """The whole time."""
        return max(0.0, self.ended - self.begun)

    @property
    def is_overdue(self) -> bool:
        """Whether the task was never scheduled, and ended at its deadline."""
        first = self.node.runs[0]
        return first.reason_created == "exception" and first.reason_resolved == _OVERDUE

    @property
    def idle(self) -> float:
        """The time between its runs, and from its end to the scheduling of the next task."""
        return max(0.0, self.length - self.waiting - self.running)


def find_critical_path(graph: Graph, now: float) -> list[PathStep]:
    """Find the chain that took the time.

    It ends with the task that has been open for the longest time, including its
    retries; a rerun starts anew. If no task is open, it ends with the task that
    ended last, even if that one hung until its deadline.

    Before each task comes the dependency that released it: the last one that
    fulfilled what the task requires. Later events, such as a rerun, don't change
    that. Before a task that was canceled or reached its deadline without being
    scheduled comes the dependency that ended last. Where there is no such
    dependency, it is the decision task, which created all the others.

    Args:
        graph: The group.
        now: The end of tasks that are open, in seconds since the Unix epoch.

    Returns:
        From the first task to the last; each step begins where the one before
        ends. Empty if no task was scheduled yet.
    """
    timeline = graph.index.timeline
    begins = timeline.begun
    last = timeline.find_longest()
    node = None if last is None else graph.nodes[last]
    ended = None if node is None else max(timeline.get_ended(node, now), begins[node.task_id])
    steps: dict[str, PathStep] = {}
    while node is not None and ended is not None and node.task_id not in steps:
        begun = min(begins[node.task_id], ended)
        steps[node.task_id] = _build_step(node, timeline.runs[node.task_id], begun, ended)
        node, ended = _find_previous(node, graph, timeline), begun
    return list(steps.values())[::-1]


def find_known_path(graph: Graph, now: float) -> list[PathStep]:
    """Find the critical path, if the dependencies of the tasks on it are known.

    Args:
        graph: The group.
        now: The end of tasks that are open, in seconds since the Unix epoch.

    Returns:
        As `find_critical_path`; empty if the path would be a guess.
    """
    path = find_critical_path(graph, now)
    # The decision task waits for no other of the group.
    decision = graph.task_group_id
    is_known = all(step.node.is_defined for step in path if step.node.task_id != decision)
    return path if is_known and graph.has_dependencies else []


def sum_path(steps: Iterable[PathStep]) -> float:
    """Return how long a path took, in seconds."""
    return sum(step.length for step in steps)


def _find_previous(node: Node, graph: Graph, timeline: Timeline) -> Node | None:
    begins = timeline.begun
    latest = begins[node.task_id] + _CLOCK_SKEW
    freed, kept = [], []
    for task_id in node.dependencies:
        if task_id == node.task_id or begins.get(task_id, inf) > latest:
            continue
        dependency = graph.nodes[task_id]
        freeing = _get_release_time(dependency, timeline.runs[task_id], node.requires)
        if freeing is not None and freeing <= latest:
            freed.append((freeing, task_id))
        else:
            kept.append((min(latest, timeline.get_ended(dependency, inf)), task_id))
    never_scheduled = node.runs[0].reason_created == "exception"
    if never_scheduled and kept:
        return graph.nodes[max(kept)[1]]
    if freed:
        return graph.nodes[max(freed)[1]]
    decision = graph.task_group_id
    return graph.nodes[decision] if begins.get(decision, inf) <= latest else None


def _get_release_time(dependency: Node, times: Sequence[RunTimes], requires: str) -> float | None:
    # When it did for the first time what is asked of it, which the queue never
    # takes back.
    runs = zip_longest(dependency.runs, dependency.runs[1:])
    for (run, following), (_, _, resolved) in zip(runs, times, strict=True):
        is_end = following is None or following.reason_created not in RETRY_REASONS
        if run.state == "completed" or (is_end and requires != REQUIRES):
            return resolved
    return None


def _build_step(node: Node, times: Iterable[RunTimes], begun: float, ended: float) -> PathStep:
    waiting = running = 0.0
    reached = begun  # no moment counts twice, whatever the runs say
    for scheduled, started, resolved in times:
        if scheduled is None:
            continue
        over = ended if resolved is None else resolved
        claimed = over if started is None else started
        start = max(scheduled, reached)
        reached = max(start, min(claimed, ended))
        waiting += reached - start
        start = reached
        reached = max(start, min(over, ended))
        running += reached - start
    return PathStep(node, begun, ended, waiting, running)
