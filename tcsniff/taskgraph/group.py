"""The state of one task group, from events, answers of the queue's API and files.

Pure, except that `GroupState` and `QuietPeriod` have state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.payloads import Run, TaskState, decode_status
from tcsniff.pulse.times import parse_seconds
from tcsniff.taskgraph.definitions import Definition, TaskGroupInfo
from tcsniff.taskgraph.graph import OPEN, Graph, build_graph
from tcsniff.taskgraph.tracker import Change, Group, Tracker

_MAX_OTHER_GROUPS = 100  # whose IDs are kept


class GroupState:
    """What is known about one task group so far.

    Events and answers may arrive in any order, and repeatedly. A group that was
    joined late and then asked about has the same graph as one that was observed from
    its start.

    Attributes:
        task_group_id: The group. If it was not given, it is empty until the first
            event names a group.
        version: A number that grows with each change.
        latest: The newest time seen so far, in seconds since the Unix epoch: of the
            receipt of an event, or of a run. 0 before.
        other_events: How many messages and statuses were about tasks of other groups.
        other_groups: Those groups in order of arrival, at most 100.
    """

    def __init__(self, task_group_id: str = "") -> None:
        self.task_group_id = task_group_id
        self.version = 0
        self.latest = 0.0
        self.other_events = 0
        self.other_groups: dict[str, None] = {}
        self._tracker = Tracker()
        self._definitions: dict[str, Definition] = {}
        self._is_whole = False
        self._unread_statuses = 0
        self._open_tasks = 0
        self._undefined: set[str] = set()  # IDs of tasks
        self._graph: tuple[int, Graph] | None = None  # with its version

    @property
    def is_over(self) -> bool:
        """Whether all tasks have ended, as `Graph.is_over`."""
        return not self._open_tasks and self.graph().is_over

    @property
    def unread(self) -> int:
        """How many messages and statuses could not be decoded."""
        return self._tracker.unread + self._unread_statuses

    @property
    def lacks_definitions(self) -> bool:
        """Whether there is a task whose dependencies are unknown."""
        return bool(self._undefined)

    @property
    def has_definitions(self) -> bool:
        """Whether the dependencies of any task are known."""
        return bool(self._definitions)

    @property
    def is_contradicted(self) -> bool:
        """Whether the queue has reported the group as resolved while a task is open.

        The task was rerun, or a message about it was lost or is late.
        """
        group = self._tracker.groups.get(self.task_group_id)
        return group is not None and group.resolved and self._open_tasks > 0

    def label(self, task_id: str) -> str:
        """Return a task's label by its definition; empty if that is unknown."""
        definition = self._definitions.get(task_id)
        return definition.label if definition else ""

    def apply(self, delivery: Delivery) -> Change | None:
        """Apply an event.

        Returns:
            The change of a task of the group; None if there is none.
        """
        self.latest = max(self.latest, parse_seconds(delivery.received) or 0.0)
        groups = self._tracker.groups
        before = len(groups), groups.get(self.task_group_id)
        change = self._tracker.apply(delivery)
        if change is not None:
            return self._accept(change)
        self._adopt_group(next(iter(groups), ""))
        if before != (len(groups), groups.get(self.task_group_id)):
            self.version += 1
        return None

    def add_facts(
        self,
        definitions: Iterable[Definition],
        statuses: Iterable[bytes] = (),
        group: TaskGroupInfo | None = None,
    ) -> list[Change]:
        """Add facts from the queue's API or a graph file.

        Args:
            definitions: Definitions of tasks. Those of tasks of other groups, by
                `statuses`, are dropped.
            statuses: Statuses of tasks, in JSON. Invalid ones are counted.
            group: The group itself; None if it is not among the facts.

        Returns:
            The changes of the group's tasks.
        """
        self.version += 1
        for definition in definitions:
            self._definitions[definition.task_id] = definition
            self._undefined.discard(definition.task_id)
        if group is not None and group.task_group_id == self.task_group_id:
            known = Group(sealed=bool(group.sealed), scheduler_id=group.scheduler_id)
            self._tracker.update_group(group.task_group_id, known)
        changes = []
        for text in statuses:
            try:
                status = decode_status(text)
            except ValueError:
                self._unread_statuses += 1
                continue
            if (change := self._apply_status(status)) is not None:
                changes.append(change)
        return changes

    def mark_whole(self) -> None:
        """Record that every task of the group is known."""
        self.version += 1
        self._is_whole = True

    def graph(self) -> Graph:
        """Return the group's graph as known so far."""
        if self._graph is None or self._graph[0] != self.version:
            graph = build_graph(
                self.task_group_id, self._tracker, self._definitions, is_whole=self._is_whole
            )
            self._graph = self.version, graph
        return self._graph[1]

    def _apply_status(self, status: TaskState) -> Change | None:
        definition = self._definitions.get(status.task_id)
        change = self._tracker.update_task(status, "", definition.kind if definition else "")
        return None if change is None else self._accept(change)

    def _accept(self, change: Change) -> Change | None:
        before, after = change
        group, task_id = after.status.task_group_id, after.status.task_id
        self._adopt_group(group)
        if group != self.task_group_id:
            self._drop_other(group, change)
            return None
        self.version += 1
        if before is None and task_id not in self._definitions:
            self._undefined.add(task_id)
        self._open_tasks += after.state in OPEN
        self._open_tasks -= before is not None and before.state in OPEN
        self.latest = max(self.latest, _find_last_time(after.run))
        return change

    def _drop_other(self, group: str, change: Change) -> None:
        # Tasks of other groups are not kept, to save memory.
        self.other_events += 1
        if len(self.other_groups) < _MAX_OTHER_GROUPS:
            self.other_groups[group] = None
        task_id = change.after.status.task_id
        self._tracker.forget(task_id)
        if change.before is not None:  # a task of this group, whatever the message says
            self._tracker.tasks[task_id] = change.before
        else:
            self._definitions.pop(task_id, None)

    def _adopt_group(self, group: str) -> None:
        self.task_group_id = self.task_group_id or group


def _find_last_time(run: Run | None) -> float:
    if run is None:
        return 0.0
    return run.resolved_at or run.started_at or run.scheduled_at or 0.0


class QuietPeriod:
    """A check that a group has been over for a minimum time, without a break."""

    def __init__(self, pause: float, clock: Callable[[], float]) -> None:
        """Start a check.

        Args:
            pause: The minimum time, in seconds.
            clock: Returns the current time, in seconds.
        """
        self._pause = pause
        self._clock = clock
        self._since: float | None = None

    def is_settled(self, *, is_over: bool) -> bool:
        """Check the group; to be called repeatedly.

        Args:
            is_over: Whether the group is over now.

        Returns:
            Whether it has been over at each check of the last `pause` seconds.
        """
        if not is_over:
            self._since = None
            return False
        now = self._clock()
        self._since = now if self._since is None else self._since
        return now - self._since >= self._pause
