"""How much longer a task group will take, from what its tasks have taken so far.

Pure. Lengths are in seconds.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tcsniff.blocking import WAITING
from tcsniff.definitions import REQUIRES
from tcsniff.graph import Node, ranks
from tcsniff.times import seconds

_OVERDUE = 0.1  # of the usual length, for a run that has taken longer than that


class _Usual(NamedTuple):
    # What runs have taken, by kind and pool, by kind, and altogether.
    waiting: Callable[[Node], float]
    running: Callable[[Node], float]


def time_left(nodes: Mapping[str, Node], now: float) -> float | None:
    """Estimate how long it is until every task has ended.

    Each task is taken to wait and to run as long as the median of those of its
    kind in its pool, or of its kind, or of all; tasks that wait for one that
    went wrong never run.

    Args:
        nodes: The group's tasks.
        now: In seconds since the Unix epoch.

    Returns:
        Seconds; None if no run has ended yet.
    """
    usual = _usual(nodes.values())
    if usual is None:
        return None
    depth = ranks(nodes)
    left: dict[str, float | None] = {}  # None for what never runs
    for node in sorted(nodes.values(), key=lambda node: depth[node.task_id]):
        left[node.task_id] = _left(node, nodes, left, usual, now)
    return max((length for length in left.values() if length is not None), default=0.0)


def _left(
    node: Node,
    nodes: Mapping[str, Node],
    left: Mapping[str, float | None],
    usual: _Usual,
    now: float,
) -> float | None:
    if node.state == "running":
        taken = now - (node.since if node.since is not None else now)
        length = usual.running(node)
        return max(length - taken, _OVERDUE * length)
    if node.state == "pending":
        waited = now - (node.since if node.since is not None else now)
        return max(usual.waiting(node) - waited, 0.0) + usual.running(node)
    if node.state not in WAITING:
        return 0.0
    before = [left.get(one, 0.0) for one in node.dependencies if one in nodes]
    wrong = [
        nodes[one].state in ("failed", "exception") for one in node.dependencies if one in nodes
    ]
    if node.requires == REQUIRES and (any(wrong) or None in before):
        return None
    return max((one or 0.0 for one in before), default=0.0) + _whole(node, usual)


def _whole(node: Node, usual: _Usual) -> float:
    return usual.waiting(node) + usual.running(node)


def _usual(nodes: Iterable[Node]) -> _Usual | None:
    waiting: dict[tuple[str, ...], list[float]] = {}
    running: dict[tuple[str, ...], list[float]] = {}
    for node in nodes:
        for run in node.runs:
            scheduled, started = seconds(run.scheduled), seconds(run.started)
            resolved = seconds(run.resolved)
            for key in _keys(node):
                if scheduled is not None and started is not None:
                    waiting.setdefault(key, []).append(max(0.0, started - scheduled))
                # A run that was cut short tells nothing of how long one takes.
                if started is not None and resolved is not None and run.state != "exception":
                    running.setdefault(key, []).append(max(0.0, resolved - started))
    if not running:
        return None
    waits = {key: statistics.median(lengths) for key, lengths in waiting.items()}
    runs = {key: statistics.median(lengths) for key, lengths in running.items()}
    return _Usual(_finder(waits), _finder(runs))


def _finder(medians: Mapping[tuple[str, ...], float]) -> Callable[[Node], float]:
    return lambda node: next((medians[key] for key in _keys(node) if key in medians), 0.0)


def _keys(node: Node) -> tuple[tuple[str, ...], ...]:
    return (node.kind, node.pool), (node.kind,), ()
