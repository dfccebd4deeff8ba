"""Task graphs: the tasks of a group with their states and dependencies.

Pure. States and runs come from events, names and dependencies from definitions; a
`Graph` joins both at one moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tcsniff.taskgraph.definitions import Definition
from tcsniff.taskgraph.key_facts import KeyFactsByTask
from tcsniff.taskgraph.nodes import OPEN, UNHEARD, Node, build_node, build_unheard_node
from tcsniff.taskgraph.tracker import Group, Tracker

ALL_COMPLETED, FAILED, EXCEPTION, INCOMPLETE = 0, 10, 11, 12
"""Exit statuses for the result of a group."""


class Graph(NamedTuple):
    """A task group at one moment.

    Attributes:
        task_group_id: The group.
        scheduler_id: Its scheduler; empty if unknown.
        nodes: Its tasks by ID, in the order in which they became known.
        is_resolved: Whether the queue has ever announced that all tasks have ended.
        is_sealed: Whether no task can be added.
        is_whole: Whether every task of the group is known to be here.
        doubts: Why its tasks, or their states, may be other than they are here; each
            a few words for people. Empty if nothing is in doubt.
        since: The start of the observation, in seconds since the Unix epoch; None if
            unknown.
        ended_with: The exit status of a run that ended for another reason than the
            group's end; None if it did not.
        outside: Tasks of other groups that its tasks wait for, as far as they were asked
            for, by ID.
    """

    task_group_id: str
    scheduler_id: str
    nodes: Mapping[str, Node]
    is_resolved: bool = False
    is_sealed: bool = False
    is_whole: bool = False
    doubts: tuple[str, ...] = ()
    since: float | None = None
    ended_with: int | None = None
    outside: Mapping[str, Node] = MappingProxyType({})

    @property
    def known_nodes(self) -> Mapping[str, Node]:
        """Its tasks, and those outside of it."""
        return {**self.outside, **self.nodes} if self.outside else self.nodes

    def find_task(self, task_id: str) -> Node | None:
        """Return a task of the group, or outside of it; None if nothing is known of it."""
        return self.nodes.get(task_id) or self.outside.get(task_id)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The `doubts`, and whether tasks of a resolved group were never heard of."""
        number = self.unheard_count if self.is_resolved else 0
        if not number:
            return self.doubts
        was = "task was" if number == 1 else "tasks were"
        return (f"{number:,} {was} never heard of", *self.doubts)

    @property
    def is_certain(self) -> bool:
        """Whether every task is known to be here, in its true state."""
        return self.is_whole and not self.unknowns

    @property
    def is_over(self) -> bool:
        """Whether all tasks have ended for now: others may be added, or some run again."""
        return (
            bool(self.nodes)
            and (self.is_resolved or (self.is_whole and not self.unheard))
            and not any(node.is_open for node in self.nodes.values())
        )

    @property
    def unheard(self) -> bool:
        """Whether the graph has a task without any event so far."""
        return self.unheard_count > 0

    @property
    def unheard_count(self) -> int:
        """The number of tasks without any event so far."""
        return sum(1 for node in self.nodes.values() if node.state == UNHEARD)

    @property
    def exit_status(self) -> int:
        """The exit status of the run: 0 only if every task is known and completed."""
        if self.ended_with is not None:
            return self.ended_with
        wrong = {node.state for node in self.nodes.values() if node.went_wrong}
        if "failed" in wrong:
            return FAILED
        if wrong:
            return EXCEPTION
        is_certain = self.is_over and self.is_certain and not self.unheard
        return ALL_COMPLETED if is_certain else INCOMPLETE

    @property
    def has_dependencies(self) -> bool:
        """Whether the dependencies of any task are known."""
        return any(node.is_defined for node in self.nodes.values())


def build_graph(
    task_group_id: str,
    tracker: Tracker,
    definitions: Mapping[str, Definition],
    *,
    key_facts: KeyFactsByTask | None = None,
    is_whole: bool = False,
    doubts: tuple[str, ...] = (),
    since: float | None = None,
    ended_with: int | None = None,
    outside: Mapping[str, Node] = MappingProxyType({}),
) -> Graph:
    """Build the graph of a group.

    Args:
        task_group_id: The group.
        tracker: The states from events; tasks of other groups are left out.
        definitions: Definitions of the group's tasks by ID.
        key_facts: Of messages about the group's tasks that can't be decoded.
        is_whole: Whether the definitions are known to be complete.
        doubts: As in `Graph`.
        since: As in `Graph`.
        ended_with: As in `Graph`.
        outside: As in `Graph`.
    """
    tasks = [task for task in tracker.tasks.values() if task.status.task_group_id == task_group_id]
    if key_facts:
        tasks = key_facts.update(tasks)
    nodes = {
        task.status.task_id: build_node(task, definitions.get(task.status.task_id))
        for task in tasks
    }
    for task_id, definition in definitions.items():
        if task_id not in nodes:
            nodes[task_id] = build_unheard_node(definition)
    group = tracker.groups.get(task_group_id, Group())
    # A group has one scheduler; if not, the order of arrival must not decide.
    scheduler = group.scheduler_id or max((task.status.scheduler_id for task in tasks), default="")
    return Graph(
        task_group_id,
        scheduler,
        nodes,
        group.resolved,
        group.sealed,
        is_whole,
        doubts,
        since,
        ended_with,
        outside,
    )


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
