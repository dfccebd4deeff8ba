"""How much longer a task group will take, from what its tasks have taken so far.

Pure. Lengths are in seconds.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.nodes import WAITING, Node, rank_nodes

_OVERDUE = 0.1  # of the usual length, for a run that has taken longer than that


class _UsualDurations(NamedTuple):
    # What runs have taken, by kind and pool, by kind, and altogether.
    waiting: Callable[[Node], float]
    running: Callable[[Node], float]


def estimate_time_left(nodes: Mapping[str, Node], now: float) -> float | None:
    """Estimate the time until all tasks have ended that can still run.

    The estimate for a task is the median of waiting and running times of its kind
    in its pool, of its kind, or of all tasks. A task that waits for one that went
    wrong or cannot run, or in a cycle, cannot run. Tasks of other groups don't
    count.

    Args:
        nodes: The group's tasks.
        now: The time, in seconds since the Unix epoch.

    Returns:
        Seconds; None if no run has ended yet as runs should, be it as failed.
    """
    usual = _measure_usual(nodes.values())
    if usual is None:
        return None
    waiting: dict[str, Node] = {}
    left: dict[str, float | None] = {}  # None for what never runs
    for task_id, node in nodes.items():
        if node.state in WAITING:
            waiting[task_id] = node
        else:
            left[task_id] = _estimate_rest(node, usual, now)
    depth = rank_nodes(waiting)
    for task_id in sorted(waiting, key=depth.__getitem__):
        left[task_id] = _estimate_waiting_task(waiting[task_id], nodes, left, usual)
    return max((length for length in left.values() if length is not None), default=0.0)


def _estimate_rest(node: Node, usual: _UsualDurations, now: float) -> float:
    if not node.is_open:
        return 0.0
    taken = 0.0 if node.since is None else max(0.0, now - node.since)
    if node.state == "pending":
        return max(usual.waiting(node) - taken, 0.0) + usual.running(node)
    length = usual.running(node)
    return max(length - taken, _OVERDUE * length)


def _estimate_waiting_task(
    node: Node, nodes: Mapping[str, Node], left: Mapping[str, float | None], usual: _UsualDurations
) -> float | None:
    longest = 0.0
    for task_id in node.dependencies:
        if task_id not in nodes:
            continue
        length = left.get(task_id)  # not known yet: a circle
        if length is None or (nodes[task_id].went_wrong and node.requires == REQUIRES):
            return None
        longest = max(longest, length)
    return longest + _estimate_whole(node, usual)


def _estimate_whole(node: Node, usual: _UsualDurations) -> float:
    return usual.waiting(node) + usual.running(node)


def _measure_usual(nodes: Iterable[Node]) -> _UsualDurations | None:
    waiting: dict[tuple[str, str], list[float]] = {}
    running: dict[tuple[str, str], list[float]] = {}
    for node in nodes:
        pool = node.kind, node.pool
        for run in node.runs:
            started = run.started_at
            if started is None:
                continue
            scheduled, resolved = run.scheduled_at, run.resolved_at
            if scheduled is not None:
                waiting.setdefault(pool, []).append(max(0.0, started - scheduled))
            # A run that was cut short does not show how long one takes.
            if resolved is not None and run.state != "exception":
                running.setdefault(pool, []).append(max(0.0, resolved - started))
    return (
        _UsualDurations(_make_median_lookup(waiting), _make_median_lookup(running))
        if running
        else None
    )


def _make_median_lookup(lengths: Mapping[tuple[str, str], list[float]]) -> Callable[[Node], float]:
    found: dict[tuple[str, ...], list[float]] = {}
    for (kind, pool), some in lengths.items():
        for key in _list_keys(kind, pool):
            found.setdefault(key, []).extend(some)
    medians = {key: statistics.median(some) for key, some in found.items()}
    return lambda node: next(
        (medians[key] for key in _list_keys(node.kind, node.pool) if key in medians), 0.0
    )


def _list_keys(kind: str, pool: str) -> tuple[tuple[str, ...], ...]:
    return (kind, pool), (kind,), ()
