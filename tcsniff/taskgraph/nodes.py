"""The tasks of a graph: state and runs from events, names and dependencies from definitions.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from tcsniff.messages import STATES
from tcsniff.pulse.payloads import Run
from tcsniff.taskgraph.definitions import REQUIRES, Definition
from tcsniff.taskgraph.tracker import Task

_Item = TypeVar("_Item", bound=Hashable)

UNHEARD = "unheard"
"""The state of a task that has a definition, but no event so far."""
OPEN = frozenset(STATES[:3])
"""The states of a task that has not ended: unscheduled, pending, running."""
ORDER = ("completed", "running", "pending", "unscheduled", UNHEARD, "failed", "exception")
"""States in the order of display."""
WAITING = ("unscheduled", UNHEARD)
"""The states of a task that has no run yet."""

HARMLESS = OPEN | {"completed", UNHEARD}
"""The states of a task that did not go wrong so far."""


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
        return self.state not in HARMLESS

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
    counts: dict[str, int] = {}
    for node in nodes:
        counts[node.state] = counts.get(node.state, 0) + 1
    return sort_states(counts)


def sort_states(counts: dict[str, int]) -> dict[str, int]:
    """Return numbers of tasks by state in the order of `count_states`."""
    unknown = sorted(counts.keys() - set(ORDER))
    return {state: counts[state] for state in (*ORDER, *unknown) if state in counts}


def rank_nodes(nodes: Mapping[str, Node]) -> dict[str, int]:
    """Return the depth of each task in the graph.

    Returns:
        By task ID, the number of tasks on the longest chain before it. Tasks in
        a cycle, and after one, are in no chain: they come last, all at one depth.
    """
    return rank(
        {
            task_id: [other for other in node.dependencies if other in nodes and other != task_id]
            for task_id, node in nodes.items()
        }
    )


def rank(before: Mapping[_Item, Collection[_Item]]) -> dict[_Item, int]:
    """Return how many items are on the longest chain before each item.

    Args:
        before: The items that are directly before each; all of them are keys.

    Returns:
        By item; items in a cycle, and after one, come last, all at one depth.
    """
    after: dict[_Item, list[_Item]] = {}
    left = {}
    for item, others in before.items():
        left[item] = len(others)
        for other in others:
            after.setdefault(other, []).append(item)
    depth = {item: 0 for item, number in left.items() if not number}
    ready = list(depth)
    for item in ready:  # grows while it is walked, layer by layer
        for following in after.get(item, ()):
            left[following] -= 1
            if not left[following]:
                depth[following] = depth[item] + 1
                ready.append(following)
    last = 1 + depth[ready[-1]] if ready else 0
    return {item: depth.get(item, last) for item in before}
