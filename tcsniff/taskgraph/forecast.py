"""How much longer a task group will take, from what its tasks have taken so far.

Pure. Lengths are in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.node_index import NodeIndex
from tcsniff.taskgraph.run_lengths import UsualLengths
from tcsniff.taskgraph.task_table import Place
from tcsniff.taskgraph.waiting_tasks import Siblings

_ACTIVE = ("pending", "running")
_OVERDUE = 0.1  # of the usual length, for a run that has taken longer than that


def estimate_time_left(graph: Graph, now: float) -> float | None:
    """Estimate the time until all tasks have ended that can still run.

    The estimate for a task is the median of waiting and running times of its kind
    in its pool, of its kind, or of all tasks. A task that waits for one that went
    wrong or cannot run, or in a cycle, cannot run. Tasks of other groups don't
    count.

    Args:
        graph: The group.
        now: The time, in seconds since the Unix epoch.

    Returns:
        Seconds; None if no run has ended yet as runs should, be it as failed.
    """
    lengths = graph.index.lengths
    if not lengths.is_known:
        return None
    left: dict[Siblings, float | None] = {}  # None for what never runs
    for siblings in graph.blocking.groups:
        start = _estimate_start(siblings, graph, left, now)
        if start is None:
            left[siblings] = None
        else:
            left[siblings] = start + sum(lengths.find_usual(siblings.kind, siblings.pool))
    known = [length for length in left.values() if length is not None]
    return max([_estimate_all_active(graph.index, now), *known])


def _estimate_start(
    siblings: Siblings, graph: Graph, left: Mapping[Siblings, float | None], now: float
) -> float | None:
    # When tasks will be scheduled: when the last of those that they wait for has ended.
    if graph.blocking.waits_for_wrong(siblings):
        return None
    start = 0.0
    for others in graph.blocking.before[siblings]:
        length = left.get(others)  # not known yet: a circle
        if length is None:
            return None
        start = max(start, length)
    return max(start, _estimate_active(graph.index, graph.blocking.list_active(siblings), now))


def _estimate_active(index: NodeIndex, numbers: Iterable[int], now: float) -> float:
    # Of the tasks of one kind in one pool and state, the newest takes the longest.
    table = index.table
    places, since = table.place, table.since
    newest: dict[int, float] = {}
    for number in numbers:
        place = places[number]
        if place not in newest or since[number] > newest[place]:
            newest[place] = since[number]
    ends = ((table.places[number], began) for number, began in newest.items())
    return _estimate_newest(index, ends, now)


def _estimate_all_active(index: NodeIndex, now: float) -> float:
    ends = (
        ((kind, pool, state), max(members.values()))
        for kind, pools in index.members.items()
        for pool, states in pools.items()
        for state, members in states.items()
        if state in _ACTIVE
    )
    return _estimate_newest(index, ends, now)


def _estimate_newest(index: NodeIndex, newest: Iterable[tuple[Place, float]], now: float) -> float:
    longest = 0.0
    for (kind, pool, state), began in newest:
        usual = index.lengths.find_usual(kind, pool)
        longest = max(longest, _estimate_rest(state, usual, now - began))
    return longest


def _estimate_rest(state: str, usual: UsualLengths, taken: float) -> float:
    taken = max(0.0, taken)
    if state == "pending":
        return max(usual.waiting - taken, 0.0) + usual.running
    return max(usual.running - taken, _OVERDUE * usual.running)
