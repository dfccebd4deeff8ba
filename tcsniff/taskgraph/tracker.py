"""Tasks and groups as known from events, in any order and with repeats.

The queue guarantees this much: a status is a consistent snapshot of one task; runs
are only appended, only the last run changes, and its state only moves from pending
over running to an end (``db/versions/0028.yml`` and ``services/queue/src/api.js`` of
the taskcluster repository). So the newer of two snapshots is the one with more runs,
or whose last run is further on; the status in ``task-defined``, without runs, is the
oldest.

Pure, except that a `Tracker` has state.
"""

from __future__ import annotations

from typing import NamedTuple

from tcsniff.messages import STATES
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import find_exchange
from tcsniff.pulse.payloads import DECODE_ERRORS, DECODERS, GroupPayload, Run, TaskState
from tcsniff.pulse.records import find_decode_error

RESOLVED = frozenset(STATES[3:])
"""The states of a task that has ended."""

_GROUP_RESOLVED = find_exchange("task-group-resolved").address
_RUN_RANKS = {"pending": 0, "running": 1}  # by the run's state; all others are 2


class Task(NamedTuple):
    """What is known about a task.

    Attributes:
        status: The newest snapshot.
        label: The task's name, by taskgraph's convention; empty if unknown.
        kind: The task's kind, such as ``build``; empty if unknown.
        project: Its repository, such as ``autoland``; empty if unknown.
    """

    status: TaskState
    label: str = ""
    kind: str = ""
    project: str = ""

    @property
    def state(self) -> str:
        """One of `messages.STATES`, or an unknown word."""
        return self.status.state

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs so far, in order."""
        return self.status.runs

    @property
    def run(self) -> Run | None:
        """The last run; None before the first."""
        return self.status.runs[-1] if self.status.runs else None

    @property
    def pool(self) -> str:
        """The worker pool, ``<provisionerId>/<workerType>``; empty if unknown."""
        status = self.status
        if not (status.provisioner_id or status.worker_type):
            return ""
        return f"{status.provisioner_id}/{status.worker_type}"


class Change(NamedTuple):
    """A change of a task.

    Attributes:
        before: The task before; None if it is new.
        after: The task now.
    """

    before: Task | None
    after: Task


class Group(NamedTuple):
    """What is known about a task group, apart from its tasks.

    Attributes:
        resolved: Whether the queue has ever reported that all its tasks have ended.
            It may report so again, and while tasks are rerun.
        sealed: Whether no task can be added.
        scheduler_id: The group's scheduler; empty if unknown.
    """

    resolved: bool = False
    sealed: bool = False
    scheduler_id: str = ""


class Tracker:
    """The tasks and groups of all messages so far.

    Attributes:
        tasks: By ID, in order of their first message.
        groups: By ID; only groups with a message of their own.
        unread: How many messages about tasks and groups are not valid. What can be
            decoded of them is applied.
    """

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.groups: dict[str, Group] = {}
        self.unread = 0

    def apply(self, delivery: Delivery) -> Change | None:
        """Apply a message.

        Returns:
            The change of a task. None for messages that change nothing, such as
            repeats and late ones, that can't be decoded, or that are not about a task.
        """
        decode = DECODERS.get(delivery.exchange)
        if decode is None:
            return None
        try:
            payload = decode(delivery.body)
        except DECODE_ERRORS:
            self.unread += 1
            return None
        if not _is_json(delivery.body):
            self.unread += 1
        if isinstance(payload, GroupPayload):
            is_resolved = delivery.exchange == _GROUP_RESOLVED
            group = Group(is_resolved, payload.sealed is not None, payload.scheduler_id)
            self.update_group(payload.task_group_id, group)
            return None
        tags = payload.task.tags
        if tags is None:
            return self.update_task(payload.status)
        names = (tag or "" for tag in (tags.label, tags.kind, tags.project))
        return self.update_task(payload.status, *names)

    def update_task(
        self, status: TaskState, label: str = "", kind: str = "", project: str = ""
    ) -> Change | None:
        """Apply a snapshot from a message, the API or a file.

        Args:
            status: The snapshot.
            label: The task's label; empty if unknown.
            kind: The task's kind; empty if unknown.
            project: The task's repository; empty if unknown.

        Returns:
            The change of the task; None if there is none.
        """
        before = self.tasks.get(status.task_id)
        if before is None:
            after = Task(status, label, kind, project)
        else:
            # Names never change. If they differ nevertheless, the result must not depend
            # on the order of arrival.
            names = map(max, (label, kind, project), before[1:])
            after = Task(pick_newer(before.status, status), *names)
            if after == before:
                return None
        self.tasks[status.task_id] = after
        return Change(before, after)

    def update_group(self, task_group_id: str, group: Group) -> None:
        """Add what is known about a group; nothing known is lost."""
        known = self.groups.get(task_group_id, Group())
        self.groups[task_group_id] = Group(
            known.resolved or group.resolved,
            known.sealed or group.sealed,
            max(known.scheduler_id, group.scheduler_id),
        )

    def forget(self, task_id: str) -> None:
        """Forget a task; the next message about it makes it new again."""
        self.tasks.pop(task_id, None)


def pick_newer(first: TaskState, second: TaskState) -> TaskState:
    """Return the newer of two snapshots of a task."""
    if first is second or first == second:
        return first
    first_age, second_age = measure_age(first), measure_age(second)
    if first_age == second_age:
        # The queue sends no such pair. Any rule that ignores the order will do.
        return first if repr(first) > repr(second) else second
    return first if first_age > second_age else second


def measure_age(status: TaskState) -> tuple[int, int]:
    """Return the age of a snapshot: the number of runs, and how far the last one has come."""
    runs = status.runs
    return len(runs), rank_run(runs[-1].state) if runs else -1


def rank_run(state: str) -> int:
    """Return how far a run in this state has come: 0 if pending, 1 if running, else 2."""
    return _RUN_RANKS.get(state, 2)


def _is_json(body: bytes) -> bool:
    # The decoder does not check that strings are UTF-8 that it skips.
    return body.isascii() or find_decode_error(body) is None
