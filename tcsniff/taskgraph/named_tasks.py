"""The state of the tasks that a user has named, from events, answers of the API and files.

Pure, except that `NamedTasks` has state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.payloads import DECODE_ERRORS, decode_status
from tcsniff.pulse.times import parse_seconds
from tcsniff.taskgraph.definitions import Definition, Page
from tcsniff.taskgraph.key_facts import KeyFactsByTask, read_key_facts, read_status_facts
from tcsniff.taskgraph.nodes import OPEN, UNHEARD, WAITING, Node, build_node, build_unheard_node
from tcsniff.taskgraph.queue_answers import PendingCounts
from tcsniff.taskgraph.task_story import (
    PoolFacts,
    Surroundings,
    TaskFacts,
    TaskStory,
    build_story,
    build_surroundings,
    find_exit_status,
)
from tcsniff.taskgraph.tracker import RESOLVED, Change, Task, Tracker

_MAX_UNREAD = 3  # messages that are described
_MAX_RELATED = 200
_MAX_POOLS = 10_000  # whose last start is kept


class MissingTask(NamedTuple):
    """The answer that the queue does not know a task.

    Attributes:
        task_id: The ID.
        reason: The answer in words.
        is_group: Whether the ID is that of a task group.
    """

    task_id: str
    reason: str = ""
    is_group: bool = False


class Dependents(NamedTuple):
    """An answer about the tasks that depend on a task.

    Attributes:
        task_id: The task.
        pages: Those that depend on it.
        is_whole: Whether these are all.
    """

    task_id: str
    pages: tuple[Page, ...]
    is_whole: bool = True


Answer = Page | MissingTask | Dependents | PendingCounts
"""What the queue's API can say about tasks."""


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
        missing: The named tasks that the queue's API did not know when it was last asked,
            by ID.
    """

    def __init__(self, task_ids: Iterable[str]) -> None:
        """Create the state of tasks of which nothing is known."""
        self.task_ids = tuple(dict.fromkeys(task_ids))
        self.version = 0
        self.latest = 0.0
        self.missing: dict[str, MissingTask] = {}
        self._tracker = Tracker()
        self._key_facts = KeyFactsByTask()
        self._definitions: dict[str, Definition] = {}
        self._related = set(self.task_ids)
        self._unanswered: dict[str, str] = {}  # why, by task ID
        self._doubts: dict[str, list[str]] = {}  # by task ID
        self._unread: dict[str, list[str]] = {}  # by task ID; messages that are not valid
        self._routes: dict[str, tuple[str, ...]] = {}  # from messages
        self._priorities: dict[str, tuple[str, str]] = {}  # when received, and what
        self._counts: dict[str, PendingCounts] = {}
        self._starts: dict[str, float] = {}  # the last one, by pool
        self._watched: dict[str, float] = {}  # since when, by pool
        self._with_dependents: set[str] = set()
        self._ended_with: int | None = None
        self._around: tuple[int, Surroundings] | None = None  # with its version

    @property
    def nodes(self) -> Mapping[str, Node]:
        """All tasks of which something is known, by ID."""
        return self._surroundings.nodes

    @property
    def _surroundings(self) -> Surroundings:
        if self._around is None or self._around[0] != self.version:
            self._around = self.version, build_surroundings(self._build_nodes())
        return self._around[1]

    @property
    def has_ended(self) -> bool:
        """Whether all named tasks have ended for now: they may run again."""
        return not any(self._find_state(task_id) in (*OPEN, UNHEARD) for task_id in self.task_ids)

    @property
    def has_unread(self) -> bool:
        """Whether a message about a named task is not valid."""
        return bool(self._unread)

    @property
    def definitions(self) -> dict[str, Definition]:
        """The definitions that are known, by task ID."""
        return dict(self._definitions)

    @property
    def lacks_definitions(self) -> bool:
        """Whether something but the definition of a named task is known."""
        return any(
            task_id not in self._definitions and self.is_known(task_id)
            for task_id in self.task_ids
        )

    @property
    def has_waiting(self) -> bool:
        """Whether a named task waits for a worker or for other tasks."""
        return any(self._find_state(task_id) in ("pending", *WAITING) for task_id in self.task_ids)

    def list_wanted_pools(self) -> list[str]:
        """Return the worker pools of named tasks that wait for a worker or for other tasks."""
        nodes = [self.nodes.get(task_id) for task_id in self.task_ids]
        pools = [node.pool for node in nodes if node and node.state in ("pending", *WAITING)]
        return list(dict.fromkeys(filter(None, pools)))

    def list_completed(self) -> list[str]:
        """Return the IDs of other tasks that have completed."""
        return [
            task_id
            for task_id, node in self.nodes.items()
            if node.state == "completed" and task_id not in self.task_ids
        ]

    def is_known(self, task_id: str) -> bool:
        """Return whether something was received about a task, apart from its definition."""
        return self._find_state(task_id) != UNHEARD

    def list_related(self) -> list[str]:
        """Return the IDs of the named tasks, and of those around them as far as known.

        First the named tasks, then those that they depend on, then those that depend on
        them; at most 200.
        """
        found = dict.fromkeys(self.task_ids)
        queue = list(found)
        for task_id in queue:  # grows while it is walked
            definition = self._definitions.get(task_id)
            for other in definition.dependencies if definition else ():
                if other not in found:
                    found[other] = None
                    queue.append(other)
        named = set(self.task_ids)
        dependents = (
            definition.task_id
            for definition in self._definitions.values()
            if named.intersection(definition.dependencies)
        )
        return list(found | dict.fromkeys(dependents))[: max(_MAX_RELATED, len(named))]

    def list_dependencies(self) -> list[str]:
        """Return the IDs of the tasks that unscheduled named tasks wait for.

        Of a dependency that waits itself, also those that it waits for. Those that have
        completed are left out.
        """
        nodes = self.nodes
        found = dict.fromkeys(task_id for task_id in self.task_ids if _waits(nodes.get(task_id)))
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
        self._note_details(delivery)
        return change

    def label(self, task_id: str) -> str:
        """Return a task's label by its definition; empty if that is unknown."""
        definition = self._definitions.get(task_id)
        return definition.label if definition else ""

    def add_definitions(self, definitions: Iterable[Definition]) -> None:
        """Add definitions of tasks, of these and those around them."""
        self.version += 1
        for definition in definitions:
            self._definitions[definition.task_id] = definition
            self._related.add(definition.task_id)
            self._related.update(definition.dependencies)

    def add_answer(self, answer: Answer) -> list[Change]:
        """Add an answer of the queue's API, or of a file.

        Returns:
            The changes of named tasks.
        """
        self.version += 1
        match answer:
            case Page():
                return self._add_page(answer)
            case MissingTask(task_id):
                self.missing[task_id] = answer
                self._forget_doubts(task_id)
                if self.is_known(task_id):
                    self.mark_doubt("the queue's API does not know this task", [task_id])
            case PendingCounts():
                self._counts[answer.pool] = answer
            case Dependents(task_id, pages, is_whole):
                if is_whole:
                    self._with_dependents.add(task_id)
                return [change for page in pages for change in self._add_page(page)]
        return []

    def _add_page(self, page: Page) -> list[Change]:
        self.add_definitions(page.definitions)
        changes = []
        for definition, text in zip(page.definitions, page.statuses, strict=True):
            task_id = definition.task_id
            self.missing.pop(task_id, None)
            try:
                status = decode_status(text)
            except ValueError:
                self.mark_doubt("the queue's answer could not be decoded", [task_id])
                changes += self._add_unread_status(task_id, text)
                continue
            if status.task_id != task_id:
                self.mark_doubt("the queue's answer is about another task", [task_id])
                continue
            self._forget_doubts(task_id)
            change = self._tracker.update_task(status, "", definition.kind)
            if change is not None and (accepted := self._accept(change)) is not None:
                changes.append(accepted)
        return changes

    def _add_unread_status(self, task_id: str, text: bytes) -> list[Change]:
        # The state, at least, so that a task that has ended is not waited for.
        self._unanswered.pop(task_id, None)
        facts = read_status_facts(text)
        if facts is None or facts.task_id != task_id:
            return []
        change = self._key_facts.add(facts, self._tracker.tasks.get(task_id))
        return [change] if change is not None and task_id in self.task_ids else []

    def watch_pool(self, pool: str, since: float) -> None:
        """Record that all messages about starts in a worker pool are received from now on."""
        self.version += 1
        self._watched[pool] = since

    def mark_unanswered(self, reason: str, task_ids: Iterable[str] | None = None) -> None:
        """Record that the queue's API has not answered about tasks.

        Args:
            reason: What to say about it, in a few words; it replaces an earlier one.
            task_ids: The tasks; None for all named ones.
        """
        self.version += 1
        self._unanswered |= dict.fromkeys(self.task_ids if task_ids is None else task_ids, reason)

    def mark_doubt(self, reason: str, task_ids: Iterable[str] | None = None) -> None:
        """Record that states may be other than known, until the queue's API has answered.

        Args:
            reason: Why, in a few words for people.
            task_ids: The tasks; None for all named ones.
        """
        self.version += 1
        for task_id in self.task_ids if task_ids is None else task_ids:
            doubts = self._doubts.setdefault(task_id, [])
            if reason not in doubts:
                doubts.append(reason)

    def add_statuses(self, statuses: Iterable[bytes]) -> None:
        """Add statuses of tasks from a file, in JSON; those of unrelated tasks are dropped."""
        self.version += 1
        for text in statuses:
            try:
                status = decode_status(text)
            except ValueError:
                continue  # its task stays unknown
            if (change := self._tracker.update_task(status)) is not None:
                self._accept(change)

    def mark_dependents(self) -> None:
        """Record that the definitions of all tasks are known that depend on named ones."""
        self.version += 1
        self._with_dependents.update(self.task_ids)

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
        return build_story(task_id, self._surroundings, self._list_facts(task_id), now)

    @property
    def exit_status(self) -> int:
        """The exit status of the run: 0 only if every named task is known and completed."""
        if self._ended_with is not None:
            return self._ended_with
        return find_exit_status(self.tell_stories(self.latest))

    def _find_state(self, task_id: str) -> str:
        task = self._key_facts.update_task(self._tracker.tasks.get(task_id), task_id)
        return UNHEARD if task is None else task.state

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
        task_id = read_key_facts(delivery).task_id
        if task_id not in self.task_ids:
            return
        # All messages of a task have its routes. If not, the order must not decide.
        routes = None if delivery.routes is None else tuple(delivery.routes)
        known = self._routes.get(task_id)
        if routes is not None and (known is None or routes > known):
            self._routes[task_id] = routes
            self.version += 1
        try:
            priority = _decode_priority(delivery.body).status.priority
        except DECODE_ERRORS:
            return
        newest = self._priorities.get(task_id, ("", ""))
        if priority and (delivery.received or "", priority) > newest:
            self._priorities[task_id] = delivery.received or "", priority
            self.version += 1

    def _list_facts(self, task_id: str) -> TaskFacts:
        task = self._tracker.tasks.get(task_id)
        definition = self._definitions.get(task_id)
        routes = self._routes.get(task_id)
        if definition is not None and definition.routes is not None:
            routes = definition.routes
        status = task.status if task else None
        node = self.nodes.get(task_id)
        return TaskFacts(
            status.task_group_id if status else "",
            status.scheduler_id if status else "",
            self._priorities.get(task_id, ("", ""))[1]
            or (definition.priority if definition else ""),
            routes,
            self._list_doubts(task_id),
            self._find_pool_facts(node.pool) if node and node.pool else None,
            task_id in self._with_dependents,
        )

    def _forget_doubts(self, task_id: str) -> None:
        self._doubts.pop(task_id, None)
        self._unanswered.pop(task_id, None)

    def _list_doubts(self, task_id: str) -> tuple[str, ...]:
        doubts = (*filter(None, [self._unanswered.get(task_id)]), *self._doubts.get(task_id, ()))
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
