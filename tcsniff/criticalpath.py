"""The critical path: the chain of tasks that took the time.

Pure. From the task that ended last, or has been open longest, back to the first:
before each comes that of its dependencies which ended last before it was
scheduled. Times are in seconds since the Unix epoch, lengths in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tcsniff.graph import Graph, Node
from tcsniff.times import seconds
from tcsniff.tracker import Run

_APART = 1.0  # seconds that the clocks of two machines may differ


class Step(NamedTuple):
    """A task's part of the path: from its scheduling to the scheduling of the next.

    Attributes:
        node: The task.
        begun: When it was scheduled for the first time.
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


def critical_path(graph: Graph, now: float) -> list[Step]:
    """Find the chain that took the time.

    Args:
        graph: The group; without dependencies the chain has the last task, and
            before it the decision task.
        now: Until when what is open has taken time.

    Returns:
        From the first task to the last; nothing if none was scheduled yet.
    """
    last = _last(graph.nodes.values())
    if last is None:
        return []
    chain = [last]
    seen = {last.task_id}
    while (before := _before(chain[-1], graph)) is not None and before.task_id not in seen:
        chain.append(before)
        seen.add(before.task_id)
    chain.reverse()
    ends = [_begun(node) for node in chain[1:]]
    return [
        _step(node, now if end is None else end)
        for node, end in zip(chain, [*ends, _ended(last)], strict=True)
    ]


def _last(nodes: Iterable[Node]) -> Node | None:
    # Among open ones it is the one that was scheduled first.
    scheduled = [node for node in nodes if _begun(node) is not None]
    open_ones = [node for node in scheduled if node.is_open]
    if open_ones:
        return min(open_ones, key=lambda node: (_begun(node) or 0.0, node.task_id))
    return max(scheduled, key=lambda node: (_ended(node) or 0.0, node.task_id), default=None)


def _begun(node: Node) -> float | None:
    return seconds(node.runs[0].scheduled) if node.runs else None


def _ended(node: Node) -> float | None:
    return None if node.run is None or node.is_open else seconds(node.run.resolved)


def _before(node: Node, graph: Graph) -> Node | None:
    begun = _begun(node)
    if begun is None:
        return None
    found = [
        (when, task_id)
        for task_id in node.dependencies
        if task_id in graph.nodes
        and task_id != node.task_id
        and (when := _released(graph.nodes[task_id].runs, begun)) is not None
    ]
    if found:
        return graph.nodes[max(found)[1]]
    decision = graph.nodes.get(graph.task_group_id)
    if decision is None or decision is node or _begun(decision) is None:
        return None
    return decision  # which has created all the others


def _released(runs: Iterable[Run], begun: float) -> float | None:
    # When the dependency ended, for a task that was scheduled at `begun`: it
    # may have been run again since.
    ends = [end for run in runs if (end := seconds(run.resolved)) is not None]
    before = [end for end in ends if end <= begun + _APART]
    return max(before) if before else min(ends, default=None)


def _step(node: Node, ended: float) -> Step:
    begun = _begun(node) or 0.0
    waiting = running = 0.0
    for run in node.runs:
        scheduled = seconds(run.scheduled)
        started = seconds(run.started)
        resolved = seconds(run.resolved)
        if scheduled is None:
            continue
        until = started if started is not None else resolved
        waiting += _within(scheduled, until, begun, ended)
        if started is not None:
            running += _within(started, resolved, begun, ended)
    return Step(node, begun, ended, waiting, running)


def _within(start: float, end: float | None, first: float, last: float) -> float:
    return max(0.0, min(last, last if end is None else end) - max(first, start))


def total(steps: Iterable[Step]) -> float:
    """Tell how long a path took, in seconds."""
    return sum(step.length for step in steps)
