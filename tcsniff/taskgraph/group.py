"""The state of one task group, from events, answers of the queue's API and files.

Pure, except that `GroupState` and `QuietPeriod` have state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import find_exchange
from tcsniff.pulse.payloads import Run, TaskState, decode_status
from tcsniff.pulse.times import parse_seconds
from tcsniff.taskgraph.completeness import Completeness
from tcsniff.taskgraph.definitions import Definition, Page, TaskGroupInfo, read_task_id
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.key_facts import (
    KeyFacts,
    KeyFactsByTask,
    read_key_facts,
    read_status_facts,
)
from tcsniff.taskgraph.node_index import DEFINED, HEARD, NAMED, NodeIndex
from tcsniff.taskgraph.nodes import OPEN, Node, build_node, build_unheard_node
from tcsniff.taskgraph.tracker import Change, Group, Task, Tracker

_MAX_OTHER_GROUPS = 100  # whose IDs are kept
_TASK_DEFINED = find_exchange("task-defined").address
_GROUP_FACTS = {
    "task-group-resolved": Group(resolved=True),
    "task-group-sealed": Group(sealed=True),
}


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
        completeness: Whether every task is known.
        has_events: Whether a message about the group was received.
    """

    def __init__(self, task_group_id: str = "", *, since: float | None = None) -> None:
        """Create the state of a group of which nothing is known.

        Args:
            task_group_id: The group; empty for that of the first event.
            since: When the observation begins, in seconds since the Unix epoch; None
                for the time of the first event.
        """
        self.task_group_id = task_group_id
        self.version = 0
        self.latest = 0.0
        self.other_events = 0
        self.other_groups: dict[str, None] = {}
        self._tracker = Tracker()
        self.completeness = Completeness()
        self.has_events = False
        self._definitions: dict[str, Definition] = {}
        self._key_facts = KeyFactsByTask()  # of messages that are not valid
        self._outside: dict[str, Node] = {}
        self._since = since
        self._first_event: float | None = None
        self._ended_with: int | None = None
        self._open_tasks = 0
        self._undefined: set[str] = set()  # IDs of tasks
        self._index = NodeIndex()
        self._changed: dict[str, None] = {}  # IDs of tasks that the index has as they were
        self._graph: tuple[int, Graph] | None = None  # with its version

    @property
    def is_over(self) -> bool:
        """Whether all tasks have ended, as `Graph.is_over`."""
        return (not self._open_tasks or bool(self._key_facts)) and self.graph().is_over

    @property
    def unread(self) -> int:
        """How many messages and statuses about the group are not valid."""
        return self.completeness.unread_count

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
        if group is None or not group.resolved or not self._open_tasks:
            return False
        return self.graph().has_open

    def label(self, task_id: str) -> str:
        """Return a task's label by its definition; empty if that is unknown."""
        definition = self._definitions.get(task_id)
        return definition.label if definition else ""

    def apply(self, delivery: Delivery) -> Change | None:
        """Apply an event.

        Returns:
            The change of a task of the group; None if there is none.
        """
        received = parse_seconds(delivery.received)
        self.latest = max(self.latest, received or 0.0)
        groups = self._tracker.groups
        before = len(groups), groups.get(self.task_group_id), self._tracker.unread
        change = self._tracker.apply(delivery)
        if change is not None:
            change = self._accept(change)
        elif self._tracker.unread == before[2]:
            self._adopt_group(next(iter(groups), ""))
        if self._tracker.unread > before[2]:
            change = self._apply_unread(delivery) or change
        if before[:2] != (len(groups), groups.get(self.task_group_id)):
            self.version += 1
        self._note_event(delivery)
        if self.has_events and (change or self._first_event is None):
            self._note_time(received or (_find_last_time(change.after.run) if change else 0.0))
        return change

    def _note_time(self, seconds: float) -> None:
        if seconds:
            first = self._first_event
            self._first_event = seconds if first is None else min(first, seconds)

    def _note_event(self, delivery: Delivery) -> None:
        # The first event, and announcements of tasks, which may be older than what is
        # known of them.
        if self.has_events and delivery.exchange != _TASK_DEFINED:
            return
        facts = read_key_facts(delivery)
        if not facts.task_group_id or facts.task_group_id != self.task_group_id:
            return
        self.has_events = True
        if delivery.exchange == _TASK_DEFINED:
            self.version += 1
            self.completeness.announce(facts.task_id)

    def _apply_unread(self, delivery: Delivery) -> Change | None:
        facts = read_key_facts(delivery)
        task_id, group = facts.task_id, facts.task_group_id
        self._adopt_group(group)
        if group and group != self.task_group_id:
            self.other_events += 1
            return None
        self.version += 1
        self.completeness.add_unread(facts.describe())
        if facts.event in _GROUP_FACTS:
            self._tracker.update_group(self.task_group_id, _GROUP_FACTS[facts.event])
        return self._add_key_facts(facts) if task_id else None

    def _add_key_facts(self, facts: KeyFacts) -> Change | None:
        self.completeness.hear(facts.task_id)
        if facts.task_id not in self._definitions:
            self._undefined.add(facts.task_id)
        self._changed[facts.task_id] = None
        return self._key_facts.add(facts, self._tracker.tasks.get(facts.task_id))

    def add_facts(
        self,
        definitions: Iterable[Definition],
        statuses: Iterable[bytes] = (),
        group: TaskGroupInfo | None = None,
        unread: Iterable[str] = (),
    ) -> list[Change]:
        """Add facts from the queue's API or a graph file.

        Args:
            definitions: Definitions of tasks. Those of tasks of other groups, by
                `statuses`, are dropped.
            statuses: Statuses of tasks, in JSON. Invalid ones are counted.
            group: The group itself; None if it is not among the facts.
            unread: What is not valid among the facts, each in a few words.

        Returns:
            The changes of the group's tasks.
        """
        self.version += 1
        for description in unread:
            self.completeness.add_unread_answer(description)
        for definition in definitions:
            self._definitions[definition.task_id] = definition
            self._undefined.discard(definition.task_id)
            self._changed[definition.task_id] = None
        if group is not None and group.task_group_id == self.task_group_id:
            known = Group(sealed=bool(group.sealed), scheduler_id=group.scheduler_id)
            self._tracker.update_group(group.task_group_id, known)
        changes = []
        for text in statuses:
            try:
                change = self._apply_status(decode_status(text))
            except ValueError:
                change = self._apply_unread_status(text)
            if change is not None:
                changes.append(change)
        return changes

    def add_page(self, page: Page) -> list[Change]:
        """Add an answer of the queue's API, about this group or about tasks outside of it.

        Returns:
            The changes of the group's tasks.
        """
        if page.group.task_group_id == self.task_group_id:
            return self.add_facts(page.definitions, page.statuses, page.group, page.unread)
        self.version += 1
        for definition, status in zip(page.definitions, page.statuses, strict=True):
            node = build_node(Task(decode_status(status)), definition)
            self._outside[node.task_id] = node
        return []

    def list_ended_outside(self) -> list[str]:
        """Return the IDs of tasks of other groups that have completed."""
        return [node.task_id for node in self._outside.values() if node.state == "completed"]

    @property
    def waits_outside(self) -> bool:
        """Whether a task outside of the group has not ended, as far as known."""
        return any(node.is_open for node in self._outside.values())

    def mark_whole(self) -> None:
        """Record that the queue or a file has listed every task of the group."""
        self.version += 1
        self.completeness.add_list()
        graph = self.graph()
        if graph.nodes and not graph.unheard and not graph.has_open:
            # That all have ended is what the queue announces as resolved.
            self._tracker.update_group(self.task_group_id, Group(resolved=True))
            self.version += 1

    def mark_missing(self) -> None:
        """Record that the queue does not know the group, at a time when messages are received.

        If no message has been received, the group does not exist yet, and all that follow
        are all there are.
        """
        self.version += 1
        if self.has_events:
            self.completeness.deny_start()
            self.completeness.drop_list("the queue's API does not know this group")
        else:
            self.completeness.start()

    def mark_unanswered(self, reason: str, *, is_final: bool) -> None:
        """Record that the queue did not answer.

        Args:
            reason: What to say about it, in a few words.
            is_final: Whether the group was over, so that earlier answers are out of date.
        """
        self.version += 1
        if is_final or not self.completeness.is_listed:
            self.completeness.drop_list(reason)

    def mark_end(self, exit_status: int) -> None:
        """Record that the run ends with this status, whatever the state of the group is."""
        self.version += 1
        self._ended_with = exit_status

    def mark_gap(self) -> None:
        """Record that messages may have been missed."""
        self.version += 1
        self.completeness.add_gap()

    def graph(self) -> Graph:
        """Return the group's graph as known so far."""
        if self._graph is None or self._graph[0] != self.version:
            group = self._tracker.groups.get(self.task_group_id, Group())
            is_whole = self.completeness.is_whole(self.task_group_id, is_resolved=group.resolved)
            doubts = self.completeness.list_doubts()
            if self._graph is not None:
                self._graph[1].release()
            self._update_index()
            graph = Graph(
                self.task_group_id,
                group.scheduler_id or self._find_scheduler(),
                self._index.nodes,
                group.resolved,
                group.sealed,
                is_whole,
                doubts if is_whole else (self.completeness.reason, *doubts),
                self._first_event if self._since is None else self._since,
                self._ended_with,
                dict(self._outside),
                self._index,
            )
            self._graph = self.version, graph
        return self._graph[1]

    def _update_index(self) -> None:
        for task_id in self._changed:
            task = self._tracker.tasks.get(task_id)
            part = NAMED if task is None else HEARD
            task = self._key_facts.update_task(task, task_id)
            definition = self._definitions.get(task_id)
            if task is not None:
                self._index.put(build_node(task, definition), part)
            elif definition is not None:
                self._index.put(build_unheard_node(definition), DEFINED)
            else:
                self._index.remove(task_id)
        self._changed.clear()

    def _find_scheduler(self) -> str:
        # A group has one scheduler; if not, the order of arrival must not decide.
        tasks: Iterable[Task] = self._tracker.tasks.values()
        if self._key_facts:
            tasks = self._key_facts.update(tasks)
        return max((task.status.scheduler_id for task in tasks), default="")

    def _apply_status(self, status: TaskState) -> Change | None:
        definition = self._definitions.get(status.task_id)
        change = self._tracker.update_task(status, "", definition.kind if definition else "")
        return None if change is None else self._accept(change)

    def _apply_unread_status(self, text: bytes) -> Change | None:
        if not (task_id := read_task_id(text)):
            self.completeness.add_unread("a task's status")
            return None
        self.completeness.add_unread_answer(f"the status of task {task_id}")
        facts = read_status_facts(text)
        if facts is None or facts.task_group_id != self.task_group_id:
            return None
        return self._add_key_facts(facts)

    def _accept(self, change: Change) -> Change | None:
        before, after = change
        group, task_id = after.status.task_group_id, after.status.task_id
        self._adopt_group(group)
        if group != self.task_group_id:
            self._drop_other(group, change)
            return None
        self.version += 1
        if before is None:
            self._changed.pop(task_id, None)  # in the index, it follows those heard of before
        self._changed[task_id] = None
        self.completeness.hear(task_id)
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
        elif self._definitions.pop(task_id, None) is not None:
            self._changed[task_id] = None

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
