"""What analyses ask of tasks again and again, in columns by the numbers of the tasks.

Pure, except that a `TaskTable` has state. Columns are small enough for the processor's
caches, and dictionaries by the IDs of 20,000 tasks are not: to look at 20,000
dependencies takes 2 ms, and 30 ms by their IDs.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from math import inf
from typing import Self

from tcsniff.taskgraph.nodes import WAITING, Node

ABSENT, COMPLETED, WAITS, ACTIVE, WRONG = range(5)
"""How far a task is: not in the group, completed, without a run, pending or running, or
ended in another way."""

Place = tuple[str, str, str]
"""A kind, a pool and a state."""


class TaskTable:
    """The tasks of a group, and those that they depend on.

    Attributes:
        numbers: The numbers of tasks, by ID; they never change.
        progress: How far each task is.
        since: The time since which each active task is in its state, in seconds since the
            Unix epoch; `inf` if unknown.
        place: The place of each active task; a number that `places` explains.
        places: All places.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.progress = bytearray()
        self.since = array("d")
        self.place = array("I")
        self.places: list[Place] = []
        self._place_numbers: dict[Place, int] = {}

    def number_tasks(self, task_ids: Iterable[str]) -> tuple[int, ...]:
        """Return the numbers of tasks, new ones if they have none."""
        numbers = self.numbers
        found = tuple([numbers.setdefault(task_id, len(numbers)) for task_id in task_ids])
        if more := len(numbers) - len(self.progress):
            self.progress.extend(bytes(more))
            self.since.extend([inf] * more)
            self.place.extend([0] * more)
        return found

    def put(self, node: Node, since: float) -> None:
        """Note how far a task is.

        Args:
            node: The task.
            since: The time since which it is in its state, as in `since`.
        """
        number = self.numbers.get(node.task_id)
        if number is None:
            number = self.numbers[node.task_id] = len(self.progress)
            self.progress.append(ABSENT)
            self.since.append(inf)
            self.place.append(0)
        progress = self.progress[number] = _find_progress(node)
        if progress == ACTIVE:
            self.since[number] = since
            self.place[number] = self._number_place((node.kind, node.pool, node.state))

    def remove(self, task_id: str) -> None:
        """Note that a task is not in the group."""
        self.progress[self.numbers[task_id]] = ABSENT

    def _number_place(self, place: Place) -> int:
        number = self._place_numbers.setdefault(place, len(self.places))
        if number == len(self.places):
            self.places.append(place)
        return number

    def copy(self) -> Self:
        """Return a copy that does not change with this one."""
        copied = type(self)()
        copied.numbers, copied.places = self.numbers, self.places  # nothing is removed there
        copied.progress = bytearray(self.progress)
        copied.since, copied.place = self.since[:], self.place[:]
        return copied


def _find_progress(node: Node) -> int:
    if node.state in WAITING:
        return WAITS
    if node.state == "completed":
        return COMPLETED
    return ACTIVE if node.is_open else WRONG
