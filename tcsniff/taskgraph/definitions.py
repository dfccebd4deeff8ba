"""Definitions: what tasks were created as, which no message tells: names and dependencies.

Pure. Sources: the queue's schemas of ``listTaskGroup`` and ``task``,
``services/queue/schemas/v1`` of the taskcluster repository at v106.0.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import msgspec

from tcsniff.messages.parts import MessageStruct

REQUIRES = "all-completed"
"""What a task asks of its dependencies by default: that they succeed."""

_Read = TypeVar("_Read")


class Definition(NamedTuple):
    """A task as it was created.

    Attributes:
        task_id: Its id.
        label: What to call it: its name, else its tag ``label``, else its id.
        kind: What it is for, such as ``build``; empty if nothing tells.
        dependencies: Ids of the tasks that it waits for, each once. They may be
            of other groups, or its own, which keeps it unscheduled.
        requires: ``all-completed`` if only success of its dependencies will do,
            or ``all-resolved``.
        pool: Its worker pool, ``<provisionerId>/<workerType>``; empty if
            nothing tells.
    """

    task_id: str
    label: str
    kind: str = ""
    dependencies: tuple[str, ...] = ()
    requires: str = REQUIRES
    pool: str = ""


class TaskGroupInfo(NamedTuple):
    """A task group, without its tasks.

    Attributes:
        task_group_id: Its id.
        scheduler_id: Who schedules its tasks; empty if nothing tells.
        sealed: When it was closed to further tasks, as the queue writes times;
            empty if it is open.
        expires: When the queue forgets it; empty if nothing tells.
    """

    task_group_id: str
    scheduler_id: str = ""
    sealed: str = ""
    expires: str = ""


class Page(NamedTuple):
    """An answer of ``listTaskGroup``: some tasks of a group.

    Attributes:
        group: The group.
        definitions: Of the tasks.
        statuses: Of the same tasks, in the same order: JSON, as it came.
        continuation: What to ask for the next page with; empty if this is the
            last.
    """

    group: TaskGroupInfo
    definitions: tuple[Definition, ...]
    statuses: tuple[bytes, ...]
    continuation: str = ""


class Metadata(MessageStruct, frozen=True):
    """Of a task, for people.

    Attributes:
        name: What to call it.
    """

    name: str | None = None


class Tags(MessageStruct, frozen=True):
    """Those of a task's tags that tell what it is.

    Attributes:
        kind: What it is for.
        label: What to call it.
    """

    kind: str | None = None
    label: str | None = None


class TaskDefinition(MessageStruct, frozen=True):
    """A task as the queue's API and taskgraph's files word it.

    Attributes:
        metadata: For people.
        tags: What it is.
        dependencies: What it waits for: ids; in taskgraph's files also objects
            that stand for ids that were not known yet.
        requires: What it asks of them.
        task_queue_id: Its worker pool.
        provisioner_id: The first half of that, from before there were task queues.
        worker_type: The second half.
    """

    metadata: Metadata | None = None
    tags: Tags | None = None
    dependencies: tuple[str | dict[str, Any], ...] | None = None
    requires: str | None = None
    task_queue_id: str | None = None
    provisioner_id: str | None = None
    worker_type: str | None = None

    @property
    def waits_for(self) -> list[str]:
        """The ids among its dependencies."""
        return [one for one in self.dependencies or () if isinstance(one, str)]


class _Identified(MessageStruct, frozen=True):
    task_id: str


class _Member(MessageStruct, frozen=True):
    status: msgspec.Raw
    task: TaskDefinition


class _Answer(MessageStruct, frozen=True):
    task_group_id: str
    tasks: list[_Member]
    scheduler_id: str | None = None
    sealed: str | None = None
    expires: str | None = None
    continuation_token: str | None = None


def parse_page(text: bytes) -> Page:
    """Read an answer of ``listTaskGroup``.

    Args:
        text: JSON.

    Raises:
        ValueError: If it is none.
    """
    answer = read_json(_ANSWERS, text)
    statuses = tuple(bytes(member.status) for member in answer.tasks)
    definitions = tuple(
        to_definition(read_json(_IDENTIFIED, status).task_id, member.task)
        for status, member in zip(statuses, answer.tasks, strict=True)
    )
    group = TaskGroupInfo(
        answer.task_group_id,
        answer.scheduler_id or "",
        answer.sealed or "",
        answer.expires or "",
    )
    return Page(group, definitions, statuses, answer.continuation_token or "")


def parse_definition(task_id: str, text: bytes) -> Definition:
    """Read an answer of ``task``.

    Args:
        task_id: The task that was asked for; the answer does not tell.
        text: JSON.

    Raises:
        ValueError: If it is none.
    """
    return to_definition(task_id, read_json(_TASKS, text))


def to_definition(
    task_id: str,
    task: TaskDefinition,
    *,
    label: str = "",
    kind: str = "",
    dependencies: Iterable[str] | None = None,
) -> Definition:
    """Take what is wanted of a task.

    Args:
        task_id: Its id.
        task: The task.
        label: What to call it, if that is known better.
        kind: What it is for, if its tags do not tell.
        dependencies: What it waits for, if that is known better.
    """
    tags = task.tags or _NO_TAGS
    name = task.metadata.name if task.metadata else None
    pool = task.task_queue_id
    if not pool and task.provisioner_id and task.worker_type:
        pool = f"{task.provisioner_id}/{task.worker_type}"
    waits_for = task.waits_for if dependencies is None else dependencies
    return Definition(
        task_id,
        label or name or tags.label or task_id,
        tags.kind or kind,
        tuple(dict.fromkeys(waits_for)),
        task.requires or REQUIRES,
        pool or "",
    )


def read_json(decode: Callable[[bytes], _Read], text: bytes) -> _Read:
    """Decode JSON.

    Args:
        decode: A decoder of msgspec.
        text: What to decode.

    Raises:
        ValueError: If that fails, for whatever reason.
    """
    try:
        return decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


_NO_TAGS = Tags()
_ANSWERS = msgspec.json.Decoder(_Answer).decode
_IDENTIFIED = msgspec.json.Decoder(_Identified).decode
_TASKS = msgspec.json.Decoder(TaskDefinition).decode
