"""The tracker: events folded into tasks, runs and groups.

Pure, but for `Tracker`, which remembers. Events come twice, late and in any
order; whatever their order and repeats, the fold ends in the same place. What
can be relied on is that a status is a consistent snapshot of one task, and that
in the queue's database runs are only appended, only the last one changes, and
its state only goes from pending over running to an end
(``db/versions/0028.yml`` and ``services/queue/src/api.js`` of the taskcluster
repository). So of two snapshots the one with more runs, or with a last run that
is further, is the newer; and the blank status of ``task-defined`` is older than
all others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from tcsniff.messages import CLASSES, STATES, TaskMessage
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import find_exchange

RESOLVED = frozenset(STATES[3:])
"""The states of a task that has ended."""

_RANKS = {"pending": 0, "running": 1}  # of a run's state; all others are its end


class _Wire(Struct, frozen=True, rename="camel", gc=False):
    # What is not named is passed over, and no limit is looked at: a message that
    # breaks one is still the best that we know of a task.
    pass


class Run(_Wire, frozen=True):
    """One run of a task: an attempt by a worker.

    Attributes:
        run_id: Its number, counted from 0.
        state: One of `messages.RUN_STATES`, or a word yet to come.
        reason_created: Why there is this run, such as ``retry``.
        reason_resolved: Why it ended, such as ``claim-expired``; None before.
        worker_group: Where its worker belongs; None before a claim.
        worker_id: Its worker; None before a claim.
        scheduled: When it became pending, in RFC 3339; None if not told.
        started: When a worker claimed it; None before that.
        resolved: When it ended; None before that.
    """

    run_id: int
    state: str
    reason_created: str | None = None
    reason_resolved: str | None = None
    worker_group: str | None = None
    worker_id: str | None = None
    scheduled: str | None = None
    started: str | None = None
    resolved: str | None = None


class TaskState(_Wire, frozen=True):
    """A snapshot of a task, as far as it is kept.

    Attributes:
        task_id: The task.
        task_group_id: Its group.
        state: One of `messages.STATES`, or a word yet to come: that of the last
            run.
        scheduler_id: Who schedules the group.
        provisioner_id: First half of its worker pool.
        worker_type: Second half of its worker pool.
        runs: All so far, in order.
        deadline: When it must have ended, in RFC 3339; None if not told.
    """

    task_id: str
    task_group_id: str
    state: str
    scheduler_id: str = "-"
    provisioner_id: str = ""
    worker_type: str = ""
    runs: tuple[Run, ...] = ()
    deadline: str | None = None


class _Tags(_Wire, frozen=True):
    label: str | None = None
    kind: str | None = None


class _Definition(_Wire, frozen=True):
    tags: _Tags = _Tags()


class _TaskMessage(_Wire, frozen=True):
    status: TaskState
    task: _Definition = _Definition()


class _GroupMessage(_Wire, frozen=True):
    task_group_id: str
    scheduler_id: str = "-"
    sealed: str | None = None


class Task(NamedTuple):
    """What is known of a task.

    Attributes:
        status: The newest snapshot.
        label: Its name by taskgraph's convention; empty if no message had it.
        kind: What it is for, such as ``build``; empty likewise.
    """

    status: TaskState
    label: str = ""
    kind: str = ""

    @property
    def state(self) -> str:
        """One of `messages.STATES`, or a word yet to come."""
        return self.status.state

    @property
    def runs(self) -> tuple[Run, ...]:
        """All so far, in order."""
        return self.status.runs

    @property
    def run(self) -> Run | None:
        """The last run; None before the first."""
        return self.status.runs[-1] if self.status.runs else None

    @property
    def pool(self) -> str:
        """Its worker pool: provisioner, slash, worker type; empty if not told."""
        status = self.status
        if not (status.provisioner_id or status.worker_type):
            return ""
        return f"{status.provisioner_id}/{status.worker_type}"


class Change(NamedTuple):
    """Something new about a task.

    Attributes:
        before: What was known of it; None if it is new.
        after: What is known of it now.
    """

    before: Task | None
    after: Task


class Group(NamedTuple):
    """What is known of a task group besides its tasks.

    Attributes:
        resolved: Whether the queue has said, ever, that all of its tasks have
            ended. It may say so again, and while tasks are run once more.
        sealed: Whether no task can be added.
        scheduler_id: Who schedules it; empty if not told.
    """

    resolved: bool = False
    sealed: bool = False
    scheduler_id: str = ""


class Tracker:
    """All that the events so far have told of tasks and groups.

    Attributes:
        tasks: By id, in the order in which they were first heard of.
        groups: By id; only those that had a message of their own.
        unread: How many messages about tasks and groups could not be read.
    """

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.groups: dict[str, Group] = {}
        self.unread = 0

    def apply(self, delivery: Delivery) -> Change | None:
        """Take a message in.

        Returns:
            What it told that is new of a task; None for repeats, for latecomers,
            for what cannot be read, and for messages that are about no task.
        """
        read = _READERS.get(delivery.exchange)
        if read is None:
            return None
        try:
            message = read(delivery.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.unread += 1
            return None
        if isinstance(message, _GroupMessage):
            self._learn(message, resolved=delivery.exchange == _GROUP_RESOLVED)
            return None
        tags = message.task.tags
        return self.see(message.status, tags.label or "", tags.kind or "")

    def see(self, status: TaskState, label: str = "", kind: str = "") -> Change | None:
        """Take a snapshot in, from wherever it comes.

        Args:
            status: The snapshot.
            label: The task's label; empty if unknown.
            kind: Its kind; empty if unknown.

        Returns:
            What is new, as for `apply`.
        """
        before = self.tasks.get(status.task_id)
        if before is None:
            after = Task(status, label, kind)
        else:
            # Neither ever changes; of two that differ all the same, the order of
            # arrival must not decide.
            label, kind = max(label, before.label), max(kind, before.kind)
            after = Task(pick_newer(before.status, status), label, kind)
            if after == before:
                return None
        self.tasks[status.task_id] = after
        return Change(before, after)

    def hear(self, task_group_id: str, group: Group) -> None:
        """Take in what is known of a group; none of it takes anything away."""
        known = self.groups.get(task_group_id, Group())
        self.groups[task_group_id] = Group(
            known.resolved or group.resolved,
            known.sealed or group.sealed,
            max(known.scheduler_id, group.scheduler_id),
        )

    def forget(self, task_id: str) -> None:
        """Forget a task; a message about it would make it new again."""
        self.tasks.pop(task_id, None)

    def _learn(self, message: _GroupMessage, *, resolved: bool) -> None:
        told = Group(resolved, message.sealed is not None, message.scheduler_id)
        self.hear(message.task_group_id, told)


def pick_newer(one: TaskState, other: TaskState) -> TaskState:
    """Tell which of two snapshots of a task is the newer one."""
    if one is other or one == other:
        return one
    mine, others = _age(one), _age(other)
    if mine == others:
        # Never, of the queue's own: then any rule will do that no order changes.
        return one if repr(one) > repr(other) else other
    return one if mine > others else other


def _age(status: TaskState) -> tuple[int, int]:
    runs = status.runs
    return len(runs), _RANKS.get(runs[-1].state, 2) if runs else -1


def decode_status(text: bytes) -> TaskState:
    """Read a task's status as the queue's API words it.

    Raises:
        ValueError: If it is none.
    """
    try:
        return _STATUSES(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


_STATUSES = msgspec.json.Decoder(TaskState).decode
_GROUP_RESOLVED = find_exchange("task-group-resolved").address


def _readers() -> dict[str, Callable[[bytes], Any]]:
    task = msgspec.json.Decoder(_TaskMessage).decode
    group = msgspec.json.Decoder(_GroupMessage).decode
    return {
        find_exchange(name).address: task if issubclass(kind, TaskMessage) else group
        for name, kind in CLASSES.items()
    }


_READERS = _readers()
