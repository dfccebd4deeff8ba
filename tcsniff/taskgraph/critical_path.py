"""The critical path: the chain of tasks that took the time.

Pure. Times are in seconds since the Unix epoch, lengths in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from math import inf
from typing import NamedTuple

from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.graph import Graph, Node

_APART = 1.0  # seconds that the clocks of two machines may differ
_RETRIES = ("retry", "task-retry")  # why the queue itself creates a run for one that was lost


class PathStep(NamedTuple):
    """A task's part of the path: from its scheduling to the scheduling of the next.

    Attributes:
        node: The task.
        begun: When it was scheduled for the first time; or, by the clocks of two
            machines, the next one before it.
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
        """All of it."""
        return max(0.0, self.ended - self.begun)

    @property
    def idle(self) -> float:
        """How long it was neither: between its runs, and until the next was scheduled."""
        return max(0.0, self.length - self.waiting - self.running)


def find_critical_path(graph: Graph, now: float) -> list[PathStep]:
    """Find the chain that took the time.

    It ends in the task that is open longest, be it over a retry; a rerun begins
    anew. If none is open, it ends in the one that ended last, also if that is
    one which hung until its deadline: that took the time.

    Before each task comes the one that let it go: that of its dependencies which
    was the last to do what it asks of them. What somebody does later, such as a
    rerun, changes nothing about that. A task that never was scheduled, but
    canceled or given up at its deadline, comes behind that of the others which
    ended last: it waited for that in vain. Where there is no such dependency, it
    is the decision task, which has created all the others.

    Args:
        graph: The group.
        now: Until when what is open has taken time.

    Returns:
        From the first task to the last, each step from the end of the one
        before; nothing if none was scheduled yet.
    """
    begins = {
        task_id: begun
        for task_id, node in graph.nodes.items()
        if node.runs and (begun := node.runs[0].scheduled_at) is not None
    }
    node = _last(graph.nodes, begins)
    ended = None if node is None else max(_ended(node, now, begins), begins[node.task_id])
    steps: dict[str, PathStep] = {}
    while node is not None and ended is not None and node.task_id not in steps:
        begun = min(begins[node.task_id], ended)
        steps[node.task_id] = _step(node, begun, ended)
        node, ended = _before(node, graph, begins), begun
    return list(steps.values())[::-1]


def sum_path(steps: Iterable[PathStep]) -> float:
    """Tell how long a path took, in seconds."""
    return sum(step.length for step in steps)


def _last(nodes: Mapping[str, Node], begins: Mapping[str, float]) -> Node | None:
    scheduled = [nodes[task_id] for task_id in begins]
    open_ones = [node for node in scheduled if node.is_open]
    if open_ones:
        return min(open_ones, key=lambda node: (_opened(node, begins), node.task_id))
    return max(scheduled, key=lambda node: (_ended(node, 0.0, begins), node.task_id), default=None)


def _opened(node: Node, begins: Mapping[str, float]) -> float:
    fresh = [run.scheduled_at for run in node.runs if run.reason_created not in _RETRIES]
    opened = fresh[-1] if fresh else None
    return begins[node.task_id] if opened is None else opened


def _ended(node: Node, now: float, begins: Mapping[str, float]) -> float:
    if node.is_open:
        return now
    resolved = node.runs[-1].resolved_at
    return begins[node.task_id] if resolved is None else resolved


def _before(node: Node, graph: Graph, begins: Mapping[str, float]) -> Node | None:
    latest = begins[node.task_id] + _APART
    freed, kept = [], []
    for task_id in node.dependencies:
        if task_id == node.task_id or begins.get(task_id, inf) > latest:
            continue
        freeing = _freeing(graph.nodes[task_id], node.requires)
        if freeing is not None and freeing <= latest:
            freed.append((freeing, task_id))
        else:
            kept.append((min(latest, _ended(graph.nodes[task_id], inf, begins)), task_id))
    never_scheduled = node.runs[0].reason_created == "exception"
    if never_scheduled and kept:
        return graph.nodes[max(kept)[1]]
    if freed:
        return graph.nodes[max(freed)[1]]
    decision = graph.task_group_id
    return graph.nodes[decision] if begins.get(decision, inf) <= latest else None


def _freeing(dependency: Node, requires: str) -> float | None:
    # When it did for the first time what is asked of it, which the queue never
    # takes back.
    for run, following in zip_longest(dependency.runs, dependency.runs[1:]):
        is_end = following is None or following.reason_created not in _RETRIES
        if run.state == "completed" or (is_end and requires != REQUIRES):
            return run.resolved_at
    return None


def _step(node: Node, begun: float, ended: float) -> PathStep:
    waiting = running = 0.0
    reached = begun  # no moment counts twice, whatever the runs say
    for run in node.runs:
        scheduled, resolved = run.scheduled_at, run.resolved_at
        if scheduled is None:
            continue
        over = ended if resolved is None else resolved
        started = run.started_at
        claimed = over if started is None else started
        start = max(scheduled, reached)
        reached = max(start, min(claimed, ended))
        waiting += reached - start
        start = reached
        reached = max(start, min(over, ended))
        running += reached - start
    return PathStep(node, begun, ended, waiting, running)
