"""Task graphs: the tasks of a group with their states and dependencies.

Pure. States and runs come from events, names and dependencies from definitions; a
`Graph` joins both at one moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from tcsniff.taskgraph.blocking import Blocking
from tcsniff.taskgraph.node_index import NodeIndex
from tcsniff.taskgraph.nodes import HARMLESS, OPEN, UNHEARD, Node

ALL_COMPLETED, FAILED, EXCEPTION, INCOMPLETE = 0, 10, 11, 12
"""Exit statuses for the result of a group."""


@dataclass(frozen=True)
class Graph:
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
        arranged: The same tasks as `nodes`, arranged; None to arrange them when that is
            asked for.
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
    outside: Mapping[str, Node] = field(default_factory=dict)
    arranged: NodeIndex | None = field(default=None, compare=False, repr=False)

    @cached_property
    def index(self) -> NodeIndex:
        """Its tasks, arranged."""
        return NodeIndex(self.nodes.values()) if self.arranged is None else self.arranged

    def release(self) -> None:
        """Stop using `arranged`, which is about to change."""
        self.__dict__.update(arranged=None)
        for name in ("index", "blocking"):
            self.__dict__.pop(name, None)

    def freeze(self) -> Graph:
        """Return the same with tasks that are arranged for it alone; takes 3 ms for 10,000."""
        return replace(self, arranged=self.index.copy())

    @cached_property
    def states(self) -> dict[str, int]:
        """The number of its tasks by state, as `count_states`."""
        return self.index.count_states()

    @cached_property
    def blocking(self) -> Blocking:
        """What its tasks wait for."""
        index = self.index
        return Blocking(
            self.nodes, index.table, index.waiting, index.list_wrong().keys(), self.outside
        )

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
            and not self.has_open
        )

    @property
    def has_open(self) -> bool:
        """Whether a task has not ended, as far as known."""
        return not OPEN.isdisjoint(self.states)

    @property
    def unheard(self) -> bool:
        """Whether the graph has a task without any event so far."""
        return self.unheard_count > 0

    @property
    def unheard_count(self) -> int:
        """The number of tasks without any event so far."""
        return self.states.get(UNHEARD, 0)

    @property
    def exit_status(self) -> int:
        """The exit status of the run: 0 only if every task is known and completed."""
        if self.ended_with is not None:
            return self.ended_with
        wrong = self.states.keys() - HARMLESS
        if "failed" in wrong:
            return FAILED
        if wrong:
            return EXCEPTION
        is_certain = self.is_over and self.is_certain and not self.unheard
        return ALL_COMPLETED if is_certain else INCOMPLETE

    def measure_span(self, now: float) -> float:
        """Return how long it took, from the first run's scheduling to the last run's end.

        Args:
            now: The end of runs that have not ended, in seconds since the Unix epoch.

        Returns:
            Seconds; 0 if nothing was scheduled yet.
        """
        return self.index.timeline.measure(now)

    @property
    def has_dependencies(self) -> bool:
        """Whether the dependencies of any task are known."""
        return self.index.defined > 0
