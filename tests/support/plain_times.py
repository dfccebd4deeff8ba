"""Length, forecast and critical path of a group, by walking all its tasks; see `plain_graph`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from itertools import zip_longest
from math import inf
from typing import NamedTuple

from plain_graph import rank_nodes
from tcsniff.taskgraph.critical_path import PathStep
from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import OPEN, WAITING, Node


def measure_span(nodes: Iterable[Node], now: float) -> float:
    """Return how long a group took, from the first run's scheduling to the last run's end.

    Args:
        nodes: Its tasks.
        now: The end of runs that have not ended, in seconds since the Unix epoch.

    Returns:
        Seconds; 0 if nothing was scheduled yet.
    """
    first = last = None
    for node in nodes:
        for run in node.runs:
            begun = run.scheduled_at
            if begun is None:
                continue
            ended = run.resolved_at
            ended = ended if ended is not None else now if run.state in OPEN else begun
            first = begun if first is None else min(first, begun)
            last = ended if last is None else max(last, ended)
    return 0.0 if first is None or last is None else max(0.0, last - first)


def find_begin(nodes: Iterable[Node]) -> float | None:
    times = (run.scheduled_at for node in nodes for run in node.runs[:1])
    return min((time for time in times if time is not None), default=None)


_OVERDUE = 0.1


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


_CLOCK_SKEW = 1.0
_RETRY_REASONS = ("retry", "task-retry")


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
    begins = {
        task_id: begun
        for task_id, node in graph.nodes.items()
        if node.runs and (begun := node.runs[0].scheduled_at) is not None
    }
    node = _find_last(graph.nodes, begins)
    ended = None if node is None else max(_get_ended(node, now, begins), begins[node.task_id])
    steps: dict[str, PathStep] = {}
    while node is not None and ended is not None and node.task_id not in steps:
        begun = min(begins[node.task_id], ended)
        steps[node.task_id] = _build_step(node, begun, ended)
        node, ended = _find_previous(node, graph, begins), begun
    return list(steps.values())[::-1]


def _find_last(nodes: Mapping[str, Node], begins: Mapping[str, float]) -> Node | None:
    scheduled = [nodes[task_id] for task_id in begins]
    open_ones = [node for node in scheduled if node.is_open]
    if open_ones:
        return min(open_ones, key=lambda node: (_get_opened(node, begins), node.task_id))
    return max(
        scheduled, key=lambda node: (_get_ended(node, 0.0, begins), node.task_id), default=None
    )


def _get_opened(node: Node, begins: Mapping[str, float]) -> float:
    fresh = [run.scheduled_at for run in node.runs if run.reason_created not in _RETRY_REASONS]
    opened = fresh[-1] if fresh else None
    return begins[node.task_id] if opened is None else opened


def _get_ended(node: Node, now: float, begins: Mapping[str, float]) -> float:
    if node.is_open:
        return now
    resolved = node.runs[-1].resolved_at
    return begins[node.task_id] if resolved is None else resolved


def _find_previous(node: Node, graph: Graph, begins: Mapping[str, float]) -> Node | None:
    latest = begins[node.task_id] + _CLOCK_SKEW
    freed, kept = [], []
    for task_id in node.dependencies:
        if task_id == node.task_id or begins.get(task_id, inf) > latest:
            continue
        freeing = _get_release_time(graph.nodes[task_id], node.requires)
        if freeing is not None and freeing <= latest:
            freed.append((freeing, task_id))
        else:
            kept.append((min(latest, _get_ended(graph.nodes[task_id], inf, begins)), task_id))
    never_scheduled = node.runs[0].reason_created == "exception"
    if never_scheduled and kept:
        return graph.nodes[max(kept)[1]]
    if freed:
        return graph.nodes[max(freed)[1]]
    decision = graph.task_group_id
    return graph.nodes[decision] if begins.get(decision, inf) <= latest else None


def _get_release_time(dependency: Node, requires: str) -> float | None:
    # When it did for the first time what is asked of it, which the queue never
    # takes back.
    for run, following in zip_longest(dependency.runs, dependency.runs[1:]):
        is_end = following is None or following.reason_created not in _RETRY_REASONS
        if run.state == "completed" or (is_end and requires != REQUIRES):
            return run.resolved_at
    return None


def _build_step(node: Node, begun: float, ended: float) -> PathStep:
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
