"""Task graphs: the tasks of a group with their states and dependencies.

Pure. States and runs come from events, names and dependencies from definitions; a
`Graph` joins both at one moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tcsniff.messages import STATES
from tcsniff.pulse.payloads import Run
from tcsniff.taskgraph.definitions import REQUIRES, Definition
from tcsniff.taskgraph.key_facts import KeyFactsByTask
from tcsniff.taskgraph.tracker import Group, Task, Tracker

UNHEARD = "unheard"
"""The state of a task that has a definition, but no event so far."""
OPEN = frozenset(STATES[:3])
"""The states of a task that has not ended: unscheduled, pending, running."""
ORDER = ("completed", "running", "pending", "unscheduled", UNHEARD, "failed", "exception")
"""States in the order of display."""

ALL_COMPLETED, FAILED, EXCEPTION, INCOMPLETE = 0, 10, 11, 12
"""Exit statuses for the result of a group."""

_HARMLESS = OPEN | {"completed", UNHEARD}


class Node(NamedTuple):
    """A task of a graph.

    Attributes:
        task_id: The task's ID.
        label: Its name; its ID if the name is unknown.
        kind: Its kind, such as ``build``; empty if unknown.
        pool: Its worker pool; empty if unknown.
        dependencies: IDs of the tasks that it waits for; some may not be nodes.
        requires: ``all-completed`` if these must complete, else ``all-resolved``.
        state: One of `ORDER`, or an unknown word.
        runs: All runs so far, in order.
        is_defined: Whether its dependencies are known.
        deadline: When it must have ended, as an RFC 3339 time; None if unknown.
    """

    task_id: str
    label: str
    kind: str
    pool: str
    dependencies: tuple[str, ...]
    requires: str
    state: str
    runs: tuple[Run, ...]
    is_defined: bool = True
    deadline: str | None = None

    @property
    def run(self) -> Run | None:
        """The last run; None before the first."""
        return self.runs[-1] if self.runs else None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended, as far as known."""
        return self.state in OPEN

    @property
    def went_wrong(self) -> bool:
        """Whether it ended in another state than completed; unknown states count as such."""
        return self.state not in _HARMLESS

    @property
    def is_troubled(self) -> bool:
        """Whether it went wrong, or is being retried after a run that did."""
        return self.went_wrong or (
            self.is_open and any(run.state in ("failed", "exception") for run in self.runs[:-1])
        )

    @property
    def since(self) -> float | None:
        """When its last run entered its state, in seconds since the Unix epoch."""
        return self.run.changed_at if self.run else None


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


def build_node(task: Task, definition: Definition | None) -> Node:
    """Build the node of a task that was heard of."""
    status = task.status
    if definition is None:
        return Node(
            status.task_id,
            task.label or task.kind or status.task_id,
            task.kind,
            task.pool,
            (),
            REQUIRES,
            status.state,
            status.runs,
            is_defined=False,
            deadline=status.deadline,
        )
    return Node(
        status.task_id,
        task.label or definition.label,
        task.kind or definition.kind,
        task.pool or definition.pool,
        definition.dependencies,
        definition.requires,
        status.state,
        status.runs,
        deadline=status.deadline,
    )


def build_unheard_node(definition: Definition) -> Node:
    """Build the node of a task of which only the definition is known."""
    return Node(
        definition.task_id,
        definition.label,
        definition.kind,
        definition.pool,
        definition.dependencies,
        definition.requires,
        UNHEARD,
        (),
    )


def count_states(nodes: Iterable[Node]) -> dict[str, int]:
    """Return the number of tasks by state: first those of `ORDER`, then unknown ones; never 0."""
    found: dict[str, int] = {}
    for node in nodes:
        found[node.state] = found.get(node.state, 0) + 1
    known = {state: found.pop(state) for state in ORDER if state in found}
    return known | dict(sorted(found.items()))


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


def rank_nodes(nodes: Mapping[str, Node]) -> dict[str, int]:
    """Return the depth of each task in the graph.

    Returns:
        By task ID, the number of tasks on the longest chain before it. Tasks in
        a cycle, and after one, are in no chain: they come last, all at one depth.
    """
    dependents: dict[str, list[str]] = {}
    left = dict.fromkeys(nodes, 0)
    for task_id, node in nodes.items():
        for one in node.dependencies:
            if one in nodes and one != task_id:
                dependents.setdefault(one, []).append(task_id)
                left[task_id] += 1
    depth = {task_id: 0 for task_id, number in left.items() if not number}
    ready = list(depth)
    for task_id in ready:  # grows while it is walked, layer by layer
        for dependent in dependents.get(task_id, ()):
            left[dependent] -= 1
            if not left[dependent]:
                depth[dependent] = depth[task_id] + 1
                ready.append(dependent)
    last = 1 + depth[ready[-1]] if ready else 0
    return {task_id: depth.get(task_id, last) for task_id in nodes}
