"""The tasks of a group, arranged as pictures ask for them, and kept so task by task.

Pure, except that a `NodeIndex` has state. A picture has a few dozen rows: walking all
tasks for it took 2 s for 20,000 of them, and replacing one that has changed takes 20 µs.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from itertools import chain
from math import inf
from typing import Self

from tcsniff.taskgraph.nodes import HARMLESS, WAITING, Node, rank_nodes, sort_states
from tcsniff.taskgraph.run_lengths import RunLengths, TaskLengths, measure_runs
from tcsniff.taskgraph.task_table import TaskTable
from tcsniff.taskgraph.timeline import Timeline
from tcsniff.taskgraph.waiting_tasks import WaitingTasks

HEARD, NAMED, DEFINED = range(3)
"""What is known of a task: its status, what keys of messages say, only its definition."""

_NO_LENGTHS = TaskLengths("", "")
Members = dict[str, float]
"""Tasks by ID, with the time since which they are in their state; `inf` if unknown."""


class NodeIndex:
    """The tasks of a group.

    Attributes:
        members: The tasks by kind, then by pool, then by state. None of the inner
            dictionaries is empty.
        waiting: The tasks that have no run yet.
        table: How far each task is.
        timeline: The times of all runs.
        lengths: What all runs have taken.
        defined: How many tasks have known dependencies.
        parts: The tasks by ID, by what is known of them: `HEARD`, `NAMED`, `DEFINED`.
        sorted_kinds: The kinds in the order of the graph; empty until that is asked for.
            Shared with copies until a dependency changes, because sorting takes 60 ms for
            20,000 tasks.
    """

    def __init__(self, nodes: Iterable[Node] = ()) -> None:
        """Create an index of some tasks."""
        self.members: dict[str, dict[str, dict[str, Members]]] = {}
        self.table = TaskTable()
        self.waiting = WaitingTasks(self.table)
        self.timeline = Timeline()
        self.lengths = RunLengths()
        self.defined = 0
        self.parts: tuple[dict[str, Node], ...] = ({}, {}, {})
        self.sorted_kinds: list[tuple[str, ...]] = []
        for node in nodes:
            self.put(node)

    @property
    def nodes(self) -> dict[str, Node]:
        """All tasks by ID: by what is known of them, then in the order in which that began."""
        heard, named, defined = self.parts
        return {**heard, **named, **defined}

    def put(self, node: Node, part: int = HEARD) -> None:
        """Add a task, or replace it.

        Args:
            node: The task.
            part: What is known of it: `HEARD`, `NAMED` or `DEFINED`.
        """
        before = self._find(node.task_id)
        if before is None or (before.kind, before.dependencies) != (node.kind, node.dependencies):
            self.sorted_kinds = []
        lengths = _NO_LENGTHS if before is None else self._take_out(before, part)
        self.parts[part][node.task_id] = node
        times = self.timeline.update(node)
        if times or before is not None:
            self.lengths.replace(lengths, measure_runs(node.kind, node.pool, node.runs, times))
        changed = times[-1].get_changed(node.runs[-1].state) if times else None
        since = inf if changed is None else changed
        states = self.members.setdefault(node.kind, {}).setdefault(node.pool, {})
        states.setdefault(node.state, {})[node.task_id] = since
        self.table.put(node, since)
        if node.state in WAITING:
            self.waiting.add(node)
        self.defined += node.is_defined

    def remove(self, task_id: str) -> None:
        """Remove a task, if it is there."""
        node = self._find(task_id)
        if node is not None:
            self.sorted_kinds = []
            lengths = self._take_out(node, None)
            self.lengths.replace(lengths, TaskLengths(node.kind, node.pool))
            self.timeline.remove(task_id)
            self.table.remove(task_id)

    def _find(self, task_id: str) -> Node | None:
        heard, named, defined = self.parts
        return heard.get(task_id) or named.get(task_id) or defined.get(task_id)

    def _take_out(self, node: Node, part: int | None) -> TaskLengths:
        # Remove a task from everything that does not replace it; return its lengths.
        for number, nodes in enumerate(self.parts):
            if number != part:
                nodes.pop(node.task_id, None)
        self._leave(node)
        times = self.timeline.runs.get(node.task_id, ())
        return measure_runs(node.kind, node.pool, node.runs, times)

    def _leave(self, node: Node) -> None:
        pools = self.members[node.kind]
        states = pools[node.pool]
        del states[node.state][node.task_id]
        if not states[node.state]:
            del states[node.state]
        if not states:
            del pools[node.pool]
        if not pools:
            del self.members[node.kind]
        if node.state in WAITING:
            self.waiting.remove(node)
        self.defined -= node.is_defined

    # What is asked for.

    def count_states(self, kind: str | None = None) -> dict[str, int]:
        """Return the number of tasks by state, as `nodes.count_states`; of a kind, or all."""
        counts: dict[str, int] = {}
        for states in self._list_pools(kind):
            for state, members in states.items():
                counts[state] = counts.get(state, 0) + len(members)
        return sort_states(counts)

    def list_members(self, state: str, kind: str | None = None) -> dict[str, float]:
        """Return the tasks in a state, of a kind or all, with the times as in `Members`."""
        found: dict[str, float] = {}
        for states in self._list_pools(kind):
            found.update(states.get(state, ()))
        return found

    def list_wrong(self) -> Members:
        """Return the tasks that went wrong, with the times as in `Members`."""
        found: Members = {}
        for states in self._list_pools(None):
            for state in states.keys() - HARMLESS:
                found.update(states[state])
        return found

    def _list_pools(self, kind: str | None) -> Iterable[Mapping[str, Members]]:
        if kind is not None:
            return self.members.get(kind, {}).values()
        return chain.from_iterable(pools.values() for pools in self.members.values())

    def sort_kinds(self, task_group_id: str) -> tuple[str, ...]:
        """Return the kinds in the order of the graph.

        Args:
            task_group_id: The group, which is also the ID of its decision task.
        """
        if not self.sorted_kinds:
            self.sorted_kinds.append(self._find_order(task_group_id))
        return self.sorted_kinds[0]

    def _find_order(self, task_group_id: str) -> tuple[str, ...]:
        nodes = self.nodes
        ranks = rank_nodes(nodes)
        decision = nodes.get(task_group_id)
        by_kind: dict[str, list[int]] = {}
        for task_id, node in nodes.items():
            by_kind.setdefault(node.kind, []).append(ranks[task_id])

        def get_order(kind: str) -> tuple[int, bool, str]:
            # The median rank, so that a few tasks without dependencies don't move a kind.
            is_decision = decision is not None and kind == decision.kind
            return statistics.median_high(by_kind[kind]), not is_decision, kind

        return tuple(sorted(by_kind, key=get_order))

    def copy(self) -> Self:
        """Return a copy that does not change with this one.

        Takes 3 ms for 20,000 tasks.
        """
        copied = type(self)()
        copied.members = {
            kind: {
                pool: {state: dict(members) for state, members in states.items()}
                for pool, states in pools.items()
            }
            for kind, pools in self.members.items()
        }
        copied.table = self.table.copy()
        copied.waiting = self.waiting.copy(copied.table)
        copied.timeline = self.timeline.copy()
        copied.lengths = self.lengths.copy()
        copied.defined = self.defined
        copied.sorted_kinds = self.sorted_kinds
        copied.parts = tuple(map(dict, self.parts))
        return copied
