"""Makes task graphs for tests, tersely: by hand, or of what the simulator tells."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from plain_graph import build_graph
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.payloads import Run
from tcsniff.pulse.times import format_timestamp
from tcsniff.simulator.planning import Plan
from tcsniff.simulator.simulation import FAULTS, plan_groups, simulate
from tcsniff.taskgraph.blocking import Blocked
from tcsniff.taskgraph.definitions import REQUIRES, Definition
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.tracker import Tracker

START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
IN_ORDER = tuple(fault for fault in FAULTS if fault not in {"late", "duplicate", "redelivery"})
"""Faults of tasks, not of messages: these arrive once, in the order of the queue's doing."""

_STEPS = {"unscheduled": -1, "pending": 0, "running": 1}


def run(
    state: str,
    scheduled: float | str | None = 0,
    started: float | str | None = None,
    resolved: float | str | None = None,
    *,
    reason: str = "scheduled",
) -> Run:
    """Make a run; times are seconds from `START`, text as it is, or None."""
    times = {"scheduled": scheduled, "started": started, "resolved": resolved}
    worded = {
        name: one if one is None or isinstance(one, str) else format_timestamp(START + one)
        for name, one in times.items()
    }
    return Run(0, state, reason_created=reason, **worded)


def completed(scheduled: float, started: float, resolved: float, reason: str = "scheduled") -> Run:
    """Make a run that went well."""
    return run("completed", scheduled, started, resolved, reason=reason)


def node(task_id: str, *dependencies: str, **details: Any) -> Node:
    """Make a node; it is what its last run is, unscheduled without one."""
    runs = tuple(details.pop("runs", ()))
    known = {
        "label": task_id,
        "kind": "",
        "pool": "",
        "requires": REQUIRES,
        "state": runs[-1].state if runs else "unscheduled",
    }
    return Node(task_id, dependencies=dependencies, runs=runs, **(known | details))


def waiting(task_id: str, *dependencies: str, **details: Any) -> Node:
    """Make a node that has no run yet."""
    return node(task_id, *dependencies, **details)


def in_state(task_id: str, state: str, *dependencies: str, **details: Any) -> Node:
    """Make a node of which the state is all that matters."""
    return node(task_id, *dependencies, state=state, **details)


def by_id(*nodes: Node) -> dict[str, Node]:
    return {one.task_id: one for one in nodes}


def graph(*nodes: Node, group: str = "decision", **known: Any) -> Graph:
    return Graph(group, "", by_id(*nodes), **known)


def find_blocked(
    nodes: Mapping[str, Node], outside: Mapping[str, Node] = MappingProxyType({})
) -> list[Blocked]:
    """Return the blocked tasks of a group."""
    return graph(*nodes.values(), outside=outside).blocking.list_blocked()


def define_tasks(plan: Plan) -> dict[str, Definition]:
    """Return the definitions of a plan's tasks, by task ID."""
    return {
        task.task_id: Definition(
            task.task_id,
            task.label,
            task.kind,
            task.dependencies,
            task.requires,
            f"{task.provisioner_id}/{task.worker_type}",
            task.priority,
            task.routes,
        )
        for task in plan.tasks
    }


class History(NamedTuple):
    """What a queue tells about simulated groups, and what they were meant to be."""

    plans: tuple[Plan, ...]
    deliveries: tuple[Delivery, ...]

    def definitions(self, number: int) -> dict[str, Definition]:
        return define_tasks(self.plans[number])

    def graph(self, number: int, deliveries: Iterable[Delivery] | None = None) -> Graph:
        """Fold what came, and put one of the groups together."""
        tracker = Tracker()
        for one in self.deliveries if deliveries is None else deliveries:
            tracker.apply(one)
        return build_graph(self.plans[number].task_group_id, tracker, self.definitions(number))


@functools.cache
def history(
    seed: int, tasks: int = 40, faults: tuple[str, ...] = FAULTS, groups: int = 2
) -> History:
    """Simulate groups, of which the second is canceled, if that is among the faults."""
    simulated = simulate(seed=seed, start=START, groups=groups, tasks=tasks, faults=faults)
    plans = plan_groups(seed=seed, tasks=tasks, groups=groups)
    return History(tuple(plans), tuple(delivery for _, delivery in simulated))


def last_words(deliveries: Iterable[Delivery], group: str) -> dict[str, dict[str, Any]]:
    """Read the newest status of each task of a group; plain JSON, nothing of the tracker's."""
    best: dict[str, dict[str, Any]] = {}
    for one in deliveries:
        status = orjson.loads(one.body).get("status")
        if status is None or status["taskGroupId"] != group:
            continue
        known = best.get(status["taskId"])
        if known is None or _age(status) > _age(known):
            best[status["taskId"]] = status
    return best


def _age(status: dict[str, Any]) -> tuple[int, int]:
    return len(status["runs"]), _STEPS.get(status["state"], 2)
