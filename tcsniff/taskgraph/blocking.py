"""Who waits for whom: the nearest tasks that keep others from being scheduled.

Pure. Sets of tasks are numbers here, a bit a task: of thousands of sets of
thousands of tasks each, nothing else is united as quickly, or as small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.graph import UNHEARD, Node, rank_nodes

WAITING = ("unscheduled", UNHEARD)
"""The states of a task that has no run yet."""
_MOST = 1_000  # blockers of one task that are named; who waits for more waits for a layer


class Blocked(NamedTuple):
    """A task that waits.

    Attributes:
        node: The task, which is unscheduled.
        by: Ids of what it waits for, 1,000 at most; those that went wrong come
            first. They are the nearest tasks up the graph that are pending or
            running; that went wrong where success is required; that are
            unscheduled or unheard though they wait for nobody; or that are not
            of this group. Empty if all that it waits for has ended well, or
            nothing is known of that.
        is_hopeless: Whether one of them went wrong, so that without a rerun it
            waits until a deadline.
    """

    node: Node
    by: tuple[str, ...]
    is_hopeless: bool


def find_blocked(nodes: Mapping[str, Node]) -> list[Blocked]:
    """List the tasks that are unscheduled, and what each waits for.

    What waits for a task that waits itself is told to wait for what that one
    waits for. In a circle of tasks that wait, and behind one, each waits for
    those that it names.

    Returns:
        In the order of the graph: who waits for nobody that waits comes first;
        at one depth, in the order of labels.
    """
    waiting = {task_id: node for task_id, node in nodes.items() if node.state in WAITING}
    depth = rank_nodes(waiting)
    bits = _Bits()
    wrong = 0
    for task_id in sorted(node.task_id for node in nodes.values() if node.went_wrong):
        wrong |= bits[task_id]
    known: dict[str, int] = {}
    alike: dict[tuple[object, ...], int] = {}  # the chunks of a suite, for example
    ordered = sorted(
        waiting.values(), key=lambda node: (depth[node.task_id], node.label, node.task_id)
    )
    for node in ordered:
        wanted = node.dependencies, node.requires
        if wanted not in alike:
            alike[wanted] = _blockers(node, nodes, depth, known, bits)
        known[node.task_id] = alike[wanted]
    names = list(bits)
    by = {found: _list_blockers(found, names) for found in set(known.values())}
    return [
        Blocked(node, by[known[node.task_id]], bool(known[node.task_id] & wrong))
        for node in ordered
        if node.state == "unscheduled"
    ]


class _Bits(dict[str, int]):
    # By task id, numbered as they are asked for.
    def __missing__(self, task_id: str) -> int:
        self[task_id] = bit = 1 << len(self)
        return bit


def _blockers(
    node: Node,
    nodes: Mapping[str, Node],
    depth: Mapping[str, int],
    known: Mapping[str, int],
    bits: _Bits,
) -> int:
    found = 0
    for dependency in node.dependencies:
        other = nodes.get(dependency)
        if dependency in depth:  # waits itself
            is_before = depth[dependency] < depth[node.task_id]
            found |= (is_before and known[dependency]) or bits[dependency]
        elif (
            other is None  # of another group: nobody has told us how it is
            or other.is_open
            or (other.went_wrong and node.requires == REQUIRES)
        ):
            found |= bits[dependency]
    return found


def _list_blockers(found: int, names: Sequence[str]) -> tuple[str, ...]:
    named: list[str] = []
    while found and len(named) < _MOST:
        bit = found & -found  # the lowest
        named.append(names[bit.bit_length() - 1])
        found ^= bit
    return tuple(named)
