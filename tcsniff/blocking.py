"""Who waits for whom: the nearest tasks that keep others from being scheduled.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tcsniff.definitions import REQUIRES
from tcsniff.graph import OPEN, UNHEARD, Node, ranks

WAITING = ("unscheduled", UNHEARD)
"""The states of a task that has no run yet."""
_MOST = 1_000  # blockers of one task that are kept; who waits for more waits for a layer


class Blocked(NamedTuple):
    """A task that waits.

    Attributes:
        node: The task, which is unscheduled.
        by: Ids of what it waits for: the nearest tasks up the graph that are
            pending, running or unheard, that went wrong where success is
            required, or that are not of this group. Empty if all that it waits
            for has ended, or nothing is known of that.
        is_hopeless: Whether one of them went wrong, so that without a rerun it
            waits until its deadline.
    """

    node: Node
    by: tuple[str, ...]
    is_hopeless: bool


def blocked(nodes: Mapping[str, Node]) -> list[Blocked]:
    """List the tasks that are unscheduled, and what each waits for.

    What waits for a task that waits itself is told to wait for what that one
    waits for. In a circle, each waits for those that it names.

    Returns:
        In the order of the graph: who waits for nobody that waits comes first.
    """
    depth = ranks(nodes)
    ordered = sorted(
        (node for node in nodes.values() if node.state in WAITING),
        key=lambda node: depth[node.task_id],
    )
    known: dict[str, dict[str, None]] = {}  # ordered sets
    for node in ordered:
        known[node.task_id] = dict.fromkeys(_blockers(node, nodes, known))
    return [
        Blocked(
            node,
            tuple(known[node.task_id]),
            any(one in nodes and nodes[one].state in _WRONG for one in known[node.task_id]),
        )
        for node in ordered
        if node.state == "unscheduled"
    ]


_WRONG = ("failed", "exception")


def _blockers(
    node: Node, nodes: Mapping[str, Node], known: Mapping[str, Mapping[str, None]]
) -> Iterator[str]:
    left = _MOST
    for dependency in node.dependencies:
        if left <= 0:
            return
        other = nodes.get(dependency)
        if other is None:
            yield dependency  # of another group: nobody has told us how it is
        elif other.state in WAITING:
            inherited = known.get(dependency) or {dependency: None}
            left -= len(inherited)
            yield from inherited
            continue
        elif other.state in OPEN or (other.state in _WRONG and node.requires == REQUIRES):
            yield dependency
        left -= 1
