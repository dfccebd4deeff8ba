"""The tasks of a group that have no run yet, as groups of siblings.

Pure, except that `WaitingTasks` has state. Most tasks wait for the same as many others:
the chunks of a suite for one build. What keeps one of them waiting keeps all of them, so
it is found once for all: of 14,000 waiting tasks in a simulated group, there are 300
groups of siblings.
"""

from __future__ import annotations

from copy import copy
from typing import Self

from tcsniff.taskgraph.natural_order import get_node_key
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.task_table import TaskTable

Key = tuple[str, str, str, tuple[str, ...], str, str]
"""What siblings have in common; the last is the ID of a task that waits for itself."""


class Siblings:
    """Tasks of one kind and pool, in one state, that wait for the same tasks.

    Attributes:
        kind: Their kind.
        pool: Their worker pool.
        state: A state of `WAITING`.
        dependencies: IDs of the tasks that they wait for.
        numbers: The numbers of these, in a `TaskTable`.
        requires: What they require of these, as in `Node`.
        nodes: The tasks by ID; at least one.
    """

    __slots__ = (
        "_first",
        "_keys",
        "dependencies",
        "kind",
        "nodes",
        "numbers",
        "pool",
        "requires",
        "state",
    )

    def __init__(self, node: Node, numbers: tuple[int, ...]) -> None:
        """Create a group of one task.

        Args:
            node: The task.
            numbers: The numbers of its dependencies.
        """
        self.kind = node.kind
        self.pool = node.pool
        self.state = node.state
        self.dependencies = node.dependencies
        self.numbers = numbers
        self.requires = node.requires
        self.nodes = {node.task_id: node}
        # What was found last; none after a change.
        self._first: tuple[str, str] | None = None
        self._keys: list[tuple[str, str]] = []

    def add(self, node: Node) -> None:
        """Add a task."""
        self.nodes[node.task_id] = node
        self._first, self._keys = None, []

    def remove(self, task_id: str) -> None:
        """Remove a task."""
        del self.nodes[task_id]
        self._first, self._keys = None, []

    def find_first(self) -> tuple[str, str]:
        """Return the label and the ID of the first task, by label."""
        if self._first is None:
            self._first = min((node.label, task_id) for task_id, node in self.nodes.items())
        return self._first

    def list_keys(self) -> list[tuple[str, str]]:
        """Return the keys of the tasks in natural order; the second part is the ID."""
        if not self._keys:
            self._keys = sorted(map(get_node_key, self.nodes.values()))
        return self._keys

    def copy(self) -> Siblings:
        """Return a copy; the tasks are the same."""
        copied = copy(self)
        copied.nodes = dict(self.nodes)
        return copied


class WaitingTasks:
    """The tasks that have no run yet.

    Attributes:
        by_key: All groups of siblings, by what is the same for them.
        by_number: The siblings of a task, including itself, by its number; None for a task
            that does not wait. Numbers may be higher than the list is long.
    """

    def __init__(self, table: TaskTable) -> None:
        """Create it without tasks.

        Args:
            table: The table with the tasks' numbers.
        """
        self.by_key: dict[Key, Siblings] = {}
        self.by_number: list[Siblings | None] = []
        self._table = table

    def add(self, node: Node) -> None:
        """Add a task that is not among them."""
        key = _get_key(node)
        siblings = self.by_key.get(key)
        if siblings is None:
            numbers = self._table.number_tasks(node.dependencies)
            siblings = self.by_key[key] = Siblings(node, numbers)
        else:
            siblings.add(node)
        (number,) = self._table.number_tasks((node.task_id,))
        self._set(number, siblings)

    def remove(self, node: Node) -> None:
        """Remove a task as it was added."""
        number = self._table.numbers[node.task_id]
        siblings = self.by_number[number]
        assert siblings is not None  # noqa: S101 - it was added
        self.by_number[number] = None
        siblings.remove(node.task_id)
        if not siblings.nodes:
            del self.by_key[_get_key(node)]

    def find(self, task_id: str) -> Siblings | None:
        """Return the siblings of a task, including itself; None if it does not wait."""
        number = self._table.numbers.get(task_id, len(self.by_number))
        return self.by_number[number] if number < len(self.by_number) else None

    def _set(self, number: int, siblings: Siblings) -> None:
        if (more := len(self._table.numbers) - len(self.by_number)) > 0:
            self.by_number += [None] * more
        self.by_number[number] = siblings

    def copy(self, table: TaskTable) -> Self:
        """Return a copy that does not change with this one.

        Args:
            table: A copy of the table.
        """
        copied = type(self)(table)
        copied.by_key = {key: siblings.copy() for key, siblings in self.by_key.items()}
        copied.by_number = [None] * len(self.by_number)
        for siblings in copied.by_key.values():
            for task_id in siblings.nodes:
                copied.by_number[table.numbers[task_id]] = siblings
        return copied


def _get_key(node: Node) -> Key:
    # A task that waits for itself is alone: it is not where it would be without that.
    own = node.task_id if node.task_id in node.dependencies else ""
    return node.kind, node.pool, node.state, node.dependencies, node.requires, own
