"""Following one task group: events and answers of the queue folded into its graph.

Pure, but for `Following`, which remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.times import parse_seconds
from tcsniff.taskgraph.definitions import Definition, TaskGroupInfo
from tcsniff.taskgraph.graph import OPEN, Graph, build_graph
from tcsniff.taskgraph.tracker import (
    Change,
    Group,
    Run,
    TaskState,
    Tracker,
    decode_status,
)

_MOST_OTHERS = 100  # groups whose names are remembered


class GroupState:
    """All that is known of one task group, as it grows.

    Events and answers may come in any order, and repeat: a group that was joined
    in the middle and then asked about ends in the same graph as one that was
    followed from its beginning.

    Attributes:
        task_group_id: The group; empty until a first event names one, if it is
            whichever comes first.
        version: Grows with everything new.
        latest: The newest time that was told, be it when an event was received
            or what it tells of a run; in seconds since the Unix epoch, 0 before.
        strangers: How many messages and statuses were about tasks of other groups.
        others: Those groups, in the order in which they came; a hundred at most.
    """

    def __init__(self, task_group_id: str = "") -> None:
        self.task_group_id = task_group_id
        self.version = 0
        self.latest = 0.0
        self.strangers = 0
        self.others: dict[str, None] = {}
        self._tracker = Tracker()
        self._definitions: dict[str, Definition] = {}
        self._is_whole = False
        self._unread = 0
        self._open = 0  # tasks that have not ended
        self._undefined: set[str] = set()  # ids of tasks
        self._made: tuple[int, Graph] | None = None  # for a version

    @property
    def is_over(self) -> bool:
        """Whether all has ended, for now, as `Graph.is_over` tells."""
        return not self._open and self.graph().is_over

    @property
    def unread(self) -> int:
        """How many messages and statuses could not be read."""
        return self._tracker.unread + self._unread

    @property
    def lacks_definitions(self) -> bool:
        """Whether a task is known whose dependencies are not."""
        return bool(self._undefined)

    @property
    def has_definitions(self) -> bool:
        """Whether the dependencies of any task are known."""
        return bool(self._definitions)

    @property
    def is_contradicted(self) -> bool:
        """Whether the queue has said that all tasks have ended, while one is open.

        It is run once more, or a message about it was lost or is late.
        """
        group = self._tracker.groups.get(self.task_group_id)
        return group is not None and group.resolved and self._open > 0

    def label(self, task_id: str) -> str:
        """Tell what a task is called by its definition; empty if that is not known."""
        known = self._definitions.get(task_id)
        return known.label if known else ""

    def take(self, delivery: Delivery) -> Change | None:
        """Take an event in.

        Returns:
            What it told that is new of a task of the group; else None.
        """
        received = parse_seconds(delivery.received)
        self.latest = max(self.latest, received or 0.0)
        groups = len(self._tracker.groups), self._tracker.groups.get(self.task_group_id)
        change = self._tracker.apply(delivery)
        if change is not None:
            return self._own(change)
        self._adopt(next(iter(self._tracker.groups), ""))
        if groups != (len(self._tracker.groups), self._tracker.groups.get(self.task_group_id)):
            self.version += 1
        return None

    def learn(
        self,
        definitions: Iterable[Definition],
        statuses: Iterable[bytes] = (),
        group: TaskGroupInfo | None = None,
    ) -> list[Change]:
        """Take in what the queue's API or a graph file tells.

        Args:
            definitions: Of tasks; of those that `statuses` tell to be of other
                groups nothing is kept.
            statuses: Of tasks, in JSON; what is none is counted.
            group: What is told of the group itself; None for nothing.

        Returns:
            What is new of its tasks.
        """
        self.version += 1
        for one in definitions:
            self._definitions[one.task_id] = one
            self._undefined.discard(one.task_id)
        if group is not None and group.task_group_id == self.task_group_id:
            known = Group(sealed=bool(group.sealed), scheduler_id=group.scheduler_id)
            self._tracker.hear(group.task_group_id, known)
        changes = []
        for text in statuses:
            try:
                status = decode_status(text)
            except ValueError:
                self._unread += 1
                continue
            if (change := self._see(status)) is not None:
                changes.append(change)
        return changes

    def know_all(self) -> None:
        """Take note that every task of the group has been told by now."""
        self.version += 1
        self._is_whole = True

    def graph(self) -> Graph:
        """Put together what is known by now."""
        if self._made is None or self._made[0] != self.version:
            made = build_graph(
                self.task_group_id, self._tracker, self._definitions, is_whole=self._is_whole
            )
            self._made = self.version, made
        return self._made[1]

    def _see(self, status: TaskState) -> Change | None:
        known = self._definitions.get(status.task_id)
        change = self._tracker.see(status, "", known.kind if known else "")
        return None if change is None else self._own(change)

    def _own(self, change: Change) -> Change | None:
        before, after = change
        group, task_id = after.status.task_group_id, after.status.task_id
        self._adopt(group)
        if group != self.task_group_id:
            # One that nobody asked about: forgotten, or it would take memory.
            self.strangers += 1
            if len(self.others) < _MOST_OTHERS:
                self.others[group] = None
            self._tracker.forget(task_id)
            if before is not None:  # ours, whatever this message says
                self._tracker.tasks[task_id] = before
            else:
                self._definitions.pop(task_id, None)
            return None
        self.version += 1
        if before is None and task_id not in self._definitions:
            self._undefined.add(task_id)
        self._open += after.state in OPEN
        self._open -= before is not None and before.state in OPEN
        self.latest = max(self.latest, _told(after.run))
        return change

    def _adopt(self, group: str) -> None:
        self.task_group_id = self.task_group_id or group


def _told(run: Run | None) -> float:
    # The last of its times; those before it are older.
    return (
        0.0 if run is None else parse_seconds(run.resolved or run.started or run.scheduled) or 0.0
    )


class QuietPeriod:
    """Tells when a group has been over for so long that it may be taken to stay so."""

    def __init__(self, pause: float, clock: Callable[[], float]) -> None:
        """Nothing is over yet.

        Args:
            pause: For how long nothing may begin anew, in seconds.
            clock: Tells the time, in seconds.
        """
        self._pause = pause
        self._clock = clock
        self._since: float | None = None

    def is_settled(self, *, is_over: bool) -> bool:
        """Take a look at the group; to be called now and then.

        Args:
            is_over: Whether it is over now.

        Returns:
            Whether it was over at this look and at all others, since `pause`
            seconds or more.
        """
        if not is_over:
            self._since = None
            return False
        now = self._clock()
        self._since = now if self._since is None else self._since
        return now - self._since >= self._pause
