"""Task graphs, and what their tasks wait for, by walking all tasks: slow, and plain.

What tcsniff keeps up to date task by task has to give the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tcsniff.taskgraph.blocking import Blocked
from tcsniff.taskgraph.definitions import REQUIRES, Definition
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.key_facts import KeyFactsByTask
from tcsniff.taskgraph.nodes import UNHEARD, WAITING, Node, build_node, build_unheard_node
from tcsniff.taskgraph.tracker import Group, Tracker


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


_MAX_BLOCKERS = 1_000


def find_blocked(
    nodes: Mapping[str, Node], outside: Mapping[str, Node] = MappingProxyType({})
) -> list[Blocked]:
    """Return the unscheduled tasks with their blockers.

    A task that waits for a waiting task has that task's blockers. In a cycle of
    waiting tasks, and after one, the blockers are the direct dependencies.

    Args:
        nodes: The tasks of a group.
        outside: Tasks of other groups of which something is known.

    Returns:
        In the order of the graph, from the dependencies to the dependents; at
        one depth, by label.
    """
    waiting = {task_id: node for task_id, node in nodes.items() if node.state in WAITING}
    depth = rank_nodes(waiting)
    bits = _TaskBits()
    wrong = 0
    everything = {**outside, **nodes}
    lost = {node.task_id for node in everything.values() if node.went_wrong}
    if outside:
        lost |= find_hopeless(everything).keys() - nodes.keys()
    for task_id in sorted(lost):
        wrong |= bits[task_id]
    known: dict[str, int] = {}
    alike: dict[tuple[object, ...], int] = {}  # the chunks of a suite, for example
    ordered = sorted(
        waiting.values(), key=lambda node: (depth[node.task_id], node.label, node.task_id)
    )
    for node in ordered:
        wanted = node.dependencies, node.requires
        if wanted not in alike:
            alike[wanted] = _find_blockers(node, everything, depth, known, bits)
        known[node.task_id] = alike[wanted]
    names = list(bits)
    by = {found: _list_blockers(found, names) for found in set(known.values())}
    return [
        Blocked(node, by[known[node.task_id]], bool(known[node.task_id] & wrong))
        for node in ordered
        if node.state == "unscheduled"
    ]


def find_hopeless(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """Return the tasks that can never run.

    Such a task requires that others complete, and one of them ended otherwise, or can
    never run itself. A task that is being retried has not ended. At their deadlines,
    these tasks end in exception; then those run that require only that they end.

    Returns:
        Tasks without a run, by ID.
    """
    dependents: dict[str, list[str]] = {}
    for node in nodes.values():
        if node.state in WAITING and node.requires == REQUIRES:
            for task_id in node.dependencies:
                dependents.setdefault(task_id, []).append(node.task_id)
    hopeless: dict[str, Node] = {}
    spreading = [node.task_id for node in nodes.values() if node.went_wrong]
    for cause in spreading:  # grows while it is walked
        for task_id in dependents.get(cause, ()):
            if task_id not in hopeless:
                hopeless[task_id] = nodes[task_id]
                spreading.append(task_id)
    return hopeless


def find_causes(nodes: Mapping[str, Node], hopeless: Mapping[str, Node]) -> list[Node]:
    """Return the tasks that went wrong and that hopeless ones wait for, directly.

    Args:
        nodes: All tasks.
        hopeless: Those that can never run.

    Returns:
        First those that most tasks wait for; then failures; then by label.
    """
    counts: dict[str, int] = {}
    for node in hopeless.values():
        for task_id in node.dependencies:
            if task_id in nodes and nodes[task_id].went_wrong:
                counts[task_id] = counts.get(task_id, 0) + 1

    def get_order(node: Node) -> tuple[int, bool, str, str]:
        return -counts[node.task_id], node.state != "failed", node.label, node.task_id

    return sorted((nodes[task_id] for task_id in counts), key=get_order)


class _TaskBits(dict[str, int]):
    # By task id, numbered as they are asked for.
    def __missing__(self, task_id: str) -> int:
        self[task_id] = bit = 1 << len(self)
        return bit


def _find_blockers(
    node: Node,
    nodes: Mapping[str, Node],
    depth: Mapping[str, int],
    known: Mapping[str, int],
    bits: _TaskBits,
) -> int:
    found = 0
    for dependency in node.dependencies:
        other = nodes.get(dependency)
        if dependency in depth:  # waits itself
            is_before = depth[dependency] < depth[node.task_id]
            found |= (is_before and known[dependency]) or bits[dependency]
        elif (
            other is None  # of another group, and its state is unknown
            or other.is_open
            or other.state == UNHEARD
            or (other.went_wrong and node.requires == REQUIRES)
        ):
            found |= bits[dependency]
    return found


def _list_blockers(found: int, names: Sequence[str]) -> tuple[str, ...]:
    named: list[str] = []
    while found and len(named) < _MAX_BLOCKERS:
        bit = found & -found  # the lowest
        named.append(names[bit.bit_length() - 1])
        found ^= bit
    return tuple(named)
