"""The state of the tasks that a user has named, from events, answers of the API and files.

Pure, except that `NamedTasks` has state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import find_exchange
from tcsniff.pulse.payloads import DECODE_ERRORS, decode_status
from tcsniff.pulse.times import parse_seconds
from tcsniff.taskgraph.definitions import Definition
from tcsniff.taskgraph.graph import UNHEARD, Node, build_node, build_unheard_node
from tcsniff.taskgraph.key_facts import KeyFactsByTask, read_key_facts
from tcsniff.taskgraph.task_story import (
    PoolFacts,
    TaskFacts,
    TaskStory,
    build_story,
    find_exit_status,
)
from tcsniff.taskgraph.tracker import RESOLVED, Change, Task, Tracker

_PRIORITY_CHANGED = find_exchange("task-priority-changed").address
_MAX_UNREAD = 3  # messages that are described
_MAX_POOLS = 10_000  # whose last start is kept


class PoolCounts(NamedTuple):
    """An answer of the queue's API about a worker pool.

    Attributes:
        pool: Its name.
        pending: How many tasks are pending.
        claimed: How many tasks run; None if the answer does not say.
    """

    pool: str
    pending: int
    claimed: int | None = None


class _PriorityStatus(MessageStruct, frozen=True):
    priority: str | None = None


class _PriorityPayload(MessageStruct, frozen=True):
    status: _PriorityStatus


_decode_priority = msgspec.json.Decoder(_PriorityPayload).decode


class NamedTasks:
    """What is known about some tasks, and about the tasks around them.

    Events and answers may arrive in any order, and repeatedly. Around a task are those that
    it depends on, directly or through others, and those that depend on it.

    Attributes:
        task_ids: The named tasks, each once, in the user's order.
        version: A number that grows with each change.
        latest: The newest time seen so far, in seconds since the Unix epoch: of the
            receipt of an event, or of a run. 0 before.
        missing: IDs of named tasks that the queue's API did not know when it was asked.
    """

    def __init__(self, task_ids: Iterable[str]) -> None:
        """Create the state of tasks of which nothing is known."""
        self.task_ids = tuple(dict.fromkeys(task_ids))
        self.version = 0
        self.latest = 0.0
        self.missing: set[str] = set()
        self._tracker = Tracker()
        self._key_facts = KeyFactsByTask()
        self._definitions: dict[str, Definition] = {}
        self._related = set(self.task_ids)
        self._doubts: dict[str, list[str]] = {}  # by task ID
        self._unread: dict[str, list[str]] = {}  # by task ID; messages that are not valid
        self._routes: dict[str, tuple[str, ...]] = {}  # from messages
        self._priorities: dict[str, str] = {}
        self._counts: dict[str, PoolCounts] = {}
        self._starts: dict[str, float] = {}  # the last one, by pool
        self._watched: dict[str, float] = {}  # since when, by pool
        self._with_dependents: set[str] = set()
        self._ended_with: int | None = None
        self._nodes: tuple[int, dict[str, Node]] | None = None  # with its version

    @property
    def nodes(self) -> dict[str, Node]:
        """All tasks of which something is known, by ID."""
        if self._nodes is None or self._nodes[0] != self.version:
            self._nodes = self.version, self._build_nodes()
        return self._nodes[1]

    @property
    def has_ended(self) -> bool:
        """Whether all named tasks have ended for now: they may run again."""
        return all(self._has_ended(task_id) for task_id in self.task_ids)

    @property
    def has_unread(self) -> bool:
        """Whether a message about a named task is not valid."""
        return bool(self._unread)

    @property
    def open_ids(self) -> list[str]:
        """The named tasks that have not ended, as far as known."""
        return [task_id for task_id in self.task_ids if not self._has_ended(task_id)]

    @property
    def pending_pools(self) -> list[str]:
        """The worker pools for which named tasks are pending."""
        pending = (self.nodes.get(task_id) for task_id in self.task_ids)
        pools = [node.pool for node in pending if node and node.state == "pending"]
        return list(dict.fromkeys(filter(None, pools)))

    def is_known(self, task_id: str) -> bool:
        """Return whether something was received about a task, apart from its definition."""
        node = self.nodes.get(task_id)
        return node is not None and node.state != UNHEARD

    def find_definition(self, task_id: str) -> Definition | None:
        """Return the definition of a task; None if it is unknown."""
        return self._definitions.get(task_id)

    def list_dependencies(self) -> list[str]:
        """Return the IDs of the tasks that unscheduled named tasks wait for.

        Of a dependency that waits itself, also those that it waits for. Those that have
        completed are left out.
        """
        nodes = self.nodes
        found = dict.fromkeys(
            task_id for task_id in self.task_ids if _waits(nodes.get(task_id))
        )
        queue = list(found)
        for task_id in queue:  # grows while it is walked
            node = nodes.get(task_id)
            for other in node.dependencies if node and _waits(node) else ():
                known = nodes.get(other)
                if other not in found and not (known and known.state == "completed"):
                    found[other] = None
                    queue.append(other)
        return [task_id for task_id in found if task_id not in self.task_ids]

    def apply(self, delivery: Delivery) -> Change | None:
        """Apply an event.

        Returns:
            The change of a named task; None if there is none.
        """
        self.latest = max(self.latest, parse_seconds(delivery.received) or 0.0)
        unread = self._tracker.unread
        change = self._tracker.apply(delivery)
        if change is not None:
            change = self._accept(change)
        if self._tracker.unread > unread:
            change = self._apply_unread(delivery) or change
        if change is not None or delivery.exchange == _PRIORITY_CHANGED:
            self._note_details(delivery)
        return change

    def add_definitions(self, definitions: Iterable[Definition]) -> None:
        """Add definitions of tasks, of these and those around them."""
        self.version += 1
        for definition in definitions:
            self._definitions[definition.task_id] = definition
            self._related.add(definition.task_id)
            self._related.update(definition.dependencies)

    def add_statuses(self, statuses: Iterable[bytes]) -> list[Change]:
        """Add statuses of tasks, in JSON, from the queue's API or a file.

        Returns:
            The changes of named tasks.
        """
        changes = []
        for text in statuses:
            try:
                status = decode_status(text)
            except ValueError:
                continue  # its task stays unknown
            self.version += 1
            self.missing.discard(status.task_id)
            self._doubts.pop(status.task_id, None)
            definition = self._definitions.get(status.task_id)
            change = self._tracker.update_task(status, "", definition.kind if definition else "")
            if change is not None and (accepted := self._accept(change)) is not None:
                changes.append(accepted)
        return changes

    def add_counts(self, counts: PoolCounts) -> None:
        """Add an answer about a worker pool."""
        self.version += 1
        self._counts[counts.pool] = counts

    def watch_pool(self, pool: str, since: float) -> None:
        """Record that all messages about starts in a worker pool are received from now on."""
        self.version += 1
        self._watched[pool] = since

    def mark_dependents(self, task_id: str) -> None:
        """Record that the definitions of all tasks are known that depend on a task."""
        self.version += 1
        self._with_dependents.add(task_id)

    def mark_missing(self, task_id: str) -> None:
        """Record that the queue's API does not know a named task."""
        self.version += 1
        self.missing.add(task_id)

    def mark_doubt(self, reason: str, task_ids: Iterable[str] | None = None) -> None:
        """Record that states may be out of date, until the queue's API has answered.

        Args:
            reason: Why, in a few words for people.
            task_ids: The tasks; None for all named ones.
        """
        self.version += 1
        for task_id in self.task_ids if task_ids is None else task_ids:
            doubts = self._doubts.setdefault(task_id, [])
            if reason not in doubts:
                doubts.append(reason)

    def mark_end(self, exit_status: int) -> None:
        """Record that the run ends with this status, whatever the states of the tasks are."""
        self.version += 1
        self._ended_with = exit_status

    def tell_stories(self, now: float) -> list[TaskStory]:
        """Return the stories of the named tasks, in the user's order.

        Args:
            now: The time, in seconds since the Unix epoch.
        """
        return [self.tell_story(task_id, now) for task_id in self.task_ids]

    def tell_story(self, task_id: str, now: float) -> TaskStory:
        """Return the story of a task, as `build_story`."""
        return build_story(task_id, self.nodes, self._list_facts(task_id), now)

    def find_status(self, stories: Sequence[TaskStory]) -> int:
        """Return the exit status of the run.

        Args:
            stories: Those of the named tasks.
        """
        return find_exit_status(stories) if self._ended_with is None else self._ended_with

    def _has_ended(self, task_id: str) -> bool:
        node = self.nodes.get(task_id)
        return node is not None and node.state != UNHEARD and not node.is_open

    def _build_nodes(self) -> dict[str, Node]:
        tasks = self._key_facts.update(self._tracker.tasks.values())
        by_id = {task.status.task_id: task for task in tasks}
        definitions = self._definitions
        nodes = {
            task_id: build_node(task, definitions.get(task_id)) for task_id, task in by_id.items()
        }
        return nodes | {
            task_id: build_unheard_node(definition)
            for task_id, definition in definitions.items()
            if task_id not in nodes
        }

    def _accept(self, change: Change) -> Change | None:
        task_id = change.after.status.task_id
        self._note_start(change.after)
        if task_id not in self._related:
            self._tracker.forget(task_id)  # to save memory
            return None
        self.version += 1
        if task_id not in self.task_ids:
            return None
        run = change.after.run
        times = (run.resolved_at, run.started_at, run.scheduled_at) if run else ()
        self.latest = max(self.latest, *(time or 0.0 for time in times), 0.0)
        return change

    def _note_start(self, task: Task) -> None:
        started = task.run.started_at if task.run else None
        pool = task.pool
        if started is None or (len(self._starts) >= _MAX_POOLS and pool not in self._starts):
            return
        self._starts[pool] = max(started, self._starts.get(pool, started))

    def _apply_unread(self, delivery: Delivery) -> Change | None:
        facts = read_key_facts(delivery)
        if not facts.task_id and facts.task_group_id:
            return None  # about a group
        # A key that names no task may be about any.
        named = (facts.task_id,) if facts.task_id else self.task_ids
        if not self._related.issuperset(named):
            return None
        self.version += 1
        for task_id in named:
            self._unread.setdefault(task_id, []).append(facts.describe())
        if not facts.task_id:
            return None
        change = self._key_facts.add(facts, self._tracker.tasks.get(facts.task_id))
        return change if facts.task_id in self.task_ids else None

    def _note_details(self, delivery: Delivery) -> None:
        facts = read_key_facts(delivery)
        task_id = facts.task_id
        if task_id not in self.task_ids:
            return
        self.version += 1
        # All messages of a task have its routes. If not, the order must not decide.
        routes = tuple(delivery.routes)
        if delivery.received is None or routes:
            self._routes[task_id] = max(routes, self._routes.get(task_id, ()))
        try:
            priority = _decode_priority(delivery.body).status.priority
        except DECODE_ERRORS:
            return
        is_newest = delivery.exchange == _PRIORITY_CHANGED or task_id not in self._priorities
        if priority and is_newest:
            self._priorities[task_id] = priority

    def _list_facts(self, task_id: str) -> TaskFacts:
        task = self._tracker.tasks.get(task_id)
        definition = self._definitions.get(task_id)
        routes = self._routes.get(task_id)
        if definition is not None and definition.routes is not None:
            routes = definition.routes
        status = task.status if task else None
        node = self.nodes.get(task_id)
        return TaskFacts(
            status.task_group_id if status else definition.task_group_id if definition else "",
            status.scheduler_id if status else "",
            self._priorities.get(task_id) or (definition.priority if definition else ""),
            routes,
            self._list_doubts(task_id),
            self._find_pool_facts(node.pool) if node and node.pool else None,
            task_id in self._with_dependents,
        )

    def _list_doubts(self, task_id: str) -> tuple[str, ...]:
        doubts = tuple(self._doubts.get(task_id, ()))
        unread = self._unread.get(task_id)
        if not unread:
            return doubts
        number = len(unread)
        more = f" and {number - _MAX_UNREAD:,} more" if number > _MAX_UNREAD else ""
        what = "message" if number == 1 else "messages"
        listed = ", ".join(unread[:_MAX_UNREAD])
        return (*doubts, f"{number:,} {what} could not be decoded: {listed}{more}")

    def _find_pool_facts(self, pool: str) -> PoolFacts:
        counts = self._counts.get(pool)
        return PoolFacts(
            pool,
            counts.pending if counts else None,
            counts.claimed if counts else None,
            self._starts.get(pool),
            self._watched.get(pool),
        )


def _waits(node: Node | None) -> bool:
    # Whether its dependencies matter: a task with a run does not wait for others.
    return node is not None and not node.runs and node.state not in RESOLVED


