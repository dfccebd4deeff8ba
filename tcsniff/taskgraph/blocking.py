"""Blocked tasks, and the nearest tasks that keep them from being scheduled.

Pure. Sets of tasks are integers here, with one bit per task: for thousands of
sets of thousands of tasks this is the fastest and smallest union.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from functools import cached_property, reduce
from itertools import compress
from operator import or_
from typing import NamedTuple

from tcsniff.taskgraph.definitions import REQUIRES
from tcsniff.taskgraph.nodes import UNHEARD, WAITING, Node, rank
from tcsniff.taskgraph.task_table import ABSENT, ACTIVE, COMPLETED, WAITS, WRONG, TaskTable
from tcsniff.taskgraph.waiting_tasks import Siblings, WaitingTasks

_MAX_BLOCKERS = 1_000  # blockers listed for one task; more than that is a whole layer


def _mark(*steps: int) -> bytes:
    # A table for `bytes.translate`, which marks these steps for `compress`: of 20,000
    # dependencies, a loop finds the few that matter in 0.8 ms, and this in 0.2 ms.
    return bytes(step in steps for step in range(256))


_IS_ACTIVE = _mark(ACTIVE)
_IS_WAITING = _mark(WAITS)
_IS_ABSENT = _mark(ABSENT)
_MAY_BE_LOST = _mark(WRONG, ABSENT)
_MAY_BE_HOPELESS = _mark(WRONG, ABSENT, WAITS)
_HAS_NOT_COMPLETED = bytes(step != COMPLETED for step in range(256))


class Blocked(NamedTuple):
    """A task that waits for others.

    Attributes:
        node: The task, which is unscheduled.
        by: IDs of its blockers, at most 1,000, failed ones first. Blockers are
            the nearest tasks up the graph that are pending or running, that
            went wrong where completion is required, that are unscheduled or
            unheard without waiting for a task, or that belong to another group.
            Empty if all dependencies have ended well, or none is known.
        is_hopeless: Whether a blocker went wrong, so that without a rerun the
            task waits until its deadline, or for the deadline of another.
    """

    node: Node
    by: tuple[str, ...]
    is_hopeless: bool


class Blocking:
    """What the tasks of a group wait for, at one moment; found when it is asked for.

    A task that waits for a waiting task has that task's blockers. In a cycle of
    waiting tasks, and after one, the blockers are the direct dependencies.

    Attributes:
        wrong: IDs of the tasks that went wrong.
    """

    def __init__(
        self,
        nodes: Mapping[str, Node],
        table: TaskTable,
        waiting: WaitingTasks,
        wrong: Set[str],
        outside: Mapping[str, Node],
    ) -> None:
        """Create it; the arguments must not change any more.

        Args:
            nodes: The tasks of a group, by ID.
            table: How far each of them is.
            waiting: Those that have no run yet.
            wrong: IDs of those that went wrong.
            outside: Tasks of other groups of which something is known, by ID.
        """
        self._nodes = nodes
        self._waiting = waiting
        self._table = table
        self.wrong = wrong
        self._outside = {
            task_id: node for task_id, node in outside.items() if task_id not in nodes
        }
        self._places: dict[str, int] = {}  # of bits
        self._lists: dict[int, tuple[str, ...]] = {}

    @cached_property
    def groups(self) -> list[Siblings]:
        """The tasks that wait, from the dependencies to the dependents; at one depth, by label."""
        depths = self._depths
        return sorted(depths, key=lambda siblings: (depths[siblings], siblings.find_first()))

    @cached_property
    def _progress(self) -> dict[Siblings, bytes]:
        # How far the dependencies of tasks are, in their order.
        progress = self._table.progress
        return {
            siblings: bytes([progress[number] for number in siblings.numbers])
            for siblings in self._waiting.by_key.values()
        }

    @cached_property
    def before(self) -> dict[Siblings, set[Siblings]]:
        """The waiting tasks that waiting tasks wait for; themselves, if they wait for these."""
        by_number = self._waiting.by_number
        return {
            siblings: {
                others
                for number in compress(siblings.numbers, steps.translate(_IS_WAITING))
                if (others := by_number[number]) is not None
            }
            if WAITS in steps
            else set()
            for siblings, steps in self._progress.items()
        }

    @cached_property
    def _depths(self) -> dict[Siblings, int]:
        return rank({siblings: others - {siblings} for siblings, others in self.before.items()})

    # Blockers.

    def list_blocked(self) -> list[Blocked]:
        """Return the unscheduled tasks with their blockers.

        Returns:
            In the order of the graph, from the dependencies to the dependents; at
            one depth, by label.
        """
        nodes = [
            (self._depths[siblings], node.label, node.task_id, siblings)
            for siblings in self.groups
            for node in siblings.nodes.values()
            if siblings.state == "unscheduled"
        ]
        return [
            Blocked(
                siblings.nodes[task_id],
                self.list_blockers(siblings),
                bool(self._blockers[siblings] & self._lost_bits),
            )
            for _, _, task_id, siblings in sorted(nodes, key=lambda entry: entry[:3])
        ]

    def find_siblings(self, task_id: str) -> Siblings | None:
        """Return the tasks that wait for the same as a task; None if it does not wait."""
        return self._waiting.find(task_id)

    def list_blockers(self, siblings: Siblings) -> tuple[str, ...]:
        """Return the IDs of what blocks tasks, as in `Blocked.by`."""
        blockers = self._blockers[siblings]
        if blockers not in self._lists:
            self._lists[blockers] = _list_places(blockers, self._names)
        return self._lists[blockers]

    @cached_property
    def _names(self) -> list[str]:
        assert self._blockers is not None  # noqa: S101 - then all bits are known
        return list(self._places)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """How many unscheduled tasks wait for a task, by its ID."""
        by_blockers: dict[tuple[str, ...], int] = {}
        for siblings in self.groups:
            if siblings.state == "unscheduled":
                blockers = self.list_blockers(siblings)
                by_blockers[blockers] = by_blockers.get(blockers, 0) + len(siblings.nodes)
        numbers: dict[str, int] = {}
        for blockers, number in by_blockers.items():
            for task_id in blockers:
                numbers[task_id] = numbers.get(task_id, 0) + number
        return numbers

    @cached_property
    def lost(self) -> set[str]:
        """IDs of the tasks that went wrong, and of those outside that can never run."""
        lost = {task_id for task_id, node in self._outside.items() if node.went_wrong}
        lost |= self.hopeless.keys() & self._outside.keys()
        return lost.union(self.wrong)

    def waits_for_wrong(self, siblings: Siblings) -> bool:
        """Whether tasks require that others complete, and one of these ended otherwise."""
        return siblings.requires == REQUIRES and WRONG in self._progress[siblings]

    def list_active(self, siblings: Siblings) -> Iterable[int]:
        """Return the numbers of the tasks that tasks wait for and that are pending or running."""
        return compress(siblings.numbers, self._progress[siblings].translate(_IS_ACTIVE))

    @cached_property
    def _lost_bits(self) -> int:
        # They get the first bits, so they are listed first.
        awaited: set[str] = set()
        for siblings, steps in self._progress.items() if self.lost else ():
            marks = steps.translate(_MAY_BE_LOST)
            awaited |= self.lost.intersection(compress(siblings.dependencies, marks))
        return self._join_bits(sorted(awaited))

    @cached_property
    def _blockers(self) -> dict[Siblings, int]:
        assert self._lost_bits >= 0  # noqa: S101 - they come first
        blockers: dict[Siblings, int] = {}
        for siblings in self.groups:
            blockers[siblings] = self._join_bits(self._list_nearest(siblings, blockers))
            for others in self.before[siblings]:
                if self._depths[others] < self._depths[siblings]:
                    blockers[siblings] |= blockers[others]
        return blockers

    def _list_nearest(self, siblings: Siblings, known: Mapping[Siblings, int]) -> list[str]:
        # The direct dependencies that are blockers themselves.
        depth, requires = self._depths[siblings], siblings.requires
        first = {
            others
            for others in self.before[siblings]
            if self._depths[others] >= depth or not known[others]
        }
        steps = self._progress[siblings]
        pairs = zip(siblings.dependencies, steps, strict=True)
        return [
            task_id
            for task_id, step in compress(pairs, steps.translate(_HAS_NOT_COMPLETED))
            if step == ACTIVE
            or (step == WRONG and requires == REQUIRES)
            or (step == ABSENT and self._blocks(task_id, requires))
            or (step == WAITS and first and self._waiting.find(task_id) in first)
        ]

    def _join_bits(self, task_ids: Collection[str]) -> int:
        # Bit after bit takes 50 ms for 10,000, since each makes a number of 10,000 bits.
        places = [self._places.setdefault(task_id, len(self._places)) for task_id in task_ids]
        if len(places) < _FEW:
            return reduce(or_, (1 << place for place in places), 0)
        digits = bytearray(b"0") * (max(places) + 1)
        for place in places:
            digits[place] = _ONE
        digits.reverse()
        return int(digits, 2)

    def _blocks(self, task_id: str, requires: str) -> bool:
        node = self._outside.get(task_id)
        if node is None:  # its state is unknown
            return True
        return node.is_open or node.state == UNHEARD or (node.went_wrong and requires == REQUIRES)

    # Tasks that can never run.

    @cached_property
    def hopeless(self) -> dict[str, Node]:
        """The tasks that can never run, by ID, also those outside; as `find_hopeless`."""
        wrong = [*self.wrong]
        wrong += [task_id for task_id, node in self._outside.items() if node.went_wrong]
        if not wrong:
            return {}
        awaited = [
            (siblings, compress(siblings.dependencies, steps.translate(_MAY_BE_HOPELESS)))
            for siblings, steps in self._progress.items()
        ]
        return _spread([*awaited, *_list_awaited(self._outside)], wrong)

    def list_causes(self) -> list[Node]:
        """Return the tasks that went wrong and that hopeless ones wait for, directly.

        Returns:
            First those that most tasks wait for; then failures; then by label.
        """
        counts: dict[str, int] = {}
        nodes = {**self._outside, **self._nodes}
        for node in self.hopeless.values():
            for task_id in node.dependencies:
                if task_id in nodes and nodes[task_id].went_wrong:
                    counts[task_id] = counts.get(task_id, 0) + 1

        def get_order(node: Node) -> tuple[int, bool, str, str]:
            return -counts[node.task_id], node.state != "failed", node.label, node.task_id

        return sorted((nodes[task_id] for task_id in counts), key=get_order)

    @property
    def waits_outside(self) -> bool:
        """Whether a task that can still run waits for one of another group."""
        return any(
            task_id not in self._outside or self._outside[task_id].is_open
            for siblings, steps in self._progress.items()
            if ABSENT in steps and next(iter(siblings.nodes)) not in self.hopeless
            for task_id in compress(siblings.dependencies, steps.translate(_IS_ABSENT))
        )


def find_hopeless(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """Return the tasks that can never run.

    Such a task requires that others complete, and one of them ended otherwise, or can
    never run itself. A task that is being retried has not ended. At their deadlines,
    these tasks end in exception; then those run that require only that they end.

    Returns:
        Tasks without a run, by ID.
    """
    wrong = [task_id for task_id, node in nodes.items() if node.went_wrong]
    if not wrong:
        return {}
    return _spread(_list_awaited(nodes), wrong)


_Awaited = tuple[Siblings, Iterable[str]]  # tasks, and the IDs of those that they wait for


def _list_awaited(nodes: Mapping[str, Node]) -> list[_Awaited]:
    waiting = WaitingTasks(TaskTable())
    for node in nodes.values():
        if node.state in WAITING:
            waiting.add(node)
    return [(siblings, siblings.dependencies) for siblings in waiting.by_key.values()]


def _spread(awaited: Iterable[_Awaited], wrong: list[str]) -> dict[str, Node]:
    dependents: dict[str, list[Siblings]] = {}
    for siblings, dependencies in awaited:
        if siblings.requires == REQUIRES:
            for task_id in dependencies:
                dependents.setdefault(task_id, []).append(siblings)
    hopeless: dict[str, Node] = {}
    reached: set[Siblings] = set()
    for cause in wrong:  # grows while it is walked
        for siblings in dependents.get(cause, ()):
            if siblings not in reached:
                reached.add(siblings)
                hopeless.update(siblings.nodes)
                wrong += siblings.nodes
    return hopeless


_FEW = 32
_ONE = ord("1")


def _list_places(bits: int, names: Sequence[str]) -> tuple[str, ...]:
    # The names of some bits, from the lowest to the highest.
    found: list[str] = []
    digits = f"{bits:b}"[::-1]
    place = digits.find("1")
    while place >= 0 and len(found) < _MAX_BLOCKERS:
        found.append(names[place])
        place = digits.find("1", place + 1)
    return tuple(found)
