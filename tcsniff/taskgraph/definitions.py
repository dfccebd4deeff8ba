"""Definitions of tasks: names and dependencies, which messages don't contain.

Pure. Sources: the queue's schemas of ``listTaskGroup`` and ``task``,
``services/queue/schemas/v1`` of the taskcluster repository at v106.0.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from tcsniff.identifiers import is_slug_id
from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.payloads import TaggedTask, Tags, get_path, read_json

REQUIRES = "all-completed"
"""What a task requires of its dependencies by default: that they succeed."""


class Definition(NamedTuple):
    """A task as it was created.

    Attributes:
        task_id: The task's ID.
        label: Its name, else its tag ``label``, else its ID.
        kind: The task's kind, such as ``build``; empty if unknown.
        dependencies: IDs of the tasks that it waits for, each once. They may be of
            other groups, or the task's own ID, which keeps it unscheduled.
        requires: ``all-completed`` if all dependencies must succeed, or
            ``all-resolved`` if they must only end.
        pool: Its worker pool, ``<provisionerId>/<workerType>``; empty if unknown.
        priority: Its priority; empty if unknown.
        routes: Its routes, without ``route.``; None if unknown.
    """

    task_id: str
    label: str
    kind: str = ""
    dependencies: tuple[str, ...] = ()
    requires: str = REQUIRES
    pool: str = ""
    priority: str = ""
    routes: tuple[str, ...] | None = None


class TaskGroupInfo(NamedTuple):
    """A task group as the queue's API describes it, without its tasks.

    Attributes:
        task_group_id: The group's ID.
        scheduler_id: The group's scheduler; empty if unknown.
        sealed: When it was closed to more tasks, as an RFC 3339 time; empty if it is
            open.
        expires: When the queue deletes it; empty if unknown.
    """

    task_group_id: str
    scheduler_id: str = ""
    sealed: str = ""
    expires: str = ""


class Page(NamedTuple):
    """An answer of ``listTaskGroup``: some tasks of a group.

    Attributes:
        group: The group.
        definitions: The tasks' definitions.
        statuses: The statuses of the same tasks, in the same order, as the JSON that
            was received.
        continuation: The token for the next page; empty for the last page.
        unread: The definitions that are not valid, each in a few words for people. If
            its task has an ID, the task is among `definitions`, without a name.
    """

    group: TaskGroupInfo
    definitions: tuple[Definition, ...]
    statuses: tuple[bytes, ...]
    continuation: str = ""
    unread: tuple[str, ...] = ()


class Metadata(MessageStruct, frozen=True):
    """The part of a task's metadata that is used.

    Attributes:
        name: The task's name.
    """

    name: str | None = None


class TaskDefinition(TaggedTask, frozen=True):
    """A task as the queue's API and taskgraph's files write it.

    Attributes:
        metadata: Its metadata.
        dependencies: Task IDs. In taskgraph's files there are also objects, which
            stand for IDs that were not known yet.
        requires: What it requires of them.
        task_queue_id: Its worker pool.
        provisioner_id: The first half of the pool, in definitions from before there
            were task queues.
        worker_type: The second half.
        priority: Its priority.
        routes: Its routes, without ``route.``.
    """

    metadata: Metadata | None = None
    dependencies: tuple[str | dict[str, Any], ...] | None = None
    requires: str | None = None
    task_queue_id: str | None = None
    provisioner_id: str | None = None
    worker_type: str | None = None
    priority: str | None = None
    routes: tuple[str, ...] | None = None

    @property
    def dependency_ids(self) -> list[str]:
        """The IDs among its dependencies."""
        return [task_id for task_id in self.dependencies or () if isinstance(task_id, str)]


class _Identified(MessageStruct, frozen=True):
    task_id: str


class _Belonging(MessageStruct, frozen=True):
    task_id: str
    task_group_id: str
    scheduler_id: str = ""


class _Member(MessageStruct, frozen=True):
    status: msgspec.Raw
    task: TaskDefinition


class _RawMember(MessageStruct, frozen=True):
    status: msgspec.Raw
    task: msgspec.Raw


class _GroupAnswer(MessageStruct, frozen=True):
    task_group_id: str
    scheduler_id: str | None = None
    sealed: str | None = None
    expires: str | None = None

    @property
    def info(self) -> TaskGroupInfo:
        return TaskGroupInfo(
            self.task_group_id,
            self.scheduler_id or "",
            self.sealed or "",
            self.expires or "",
        )


class _Answer(_GroupAnswer, frozen=True, kw_only=True):
    tasks: list[_RawMember]
    continuation_token: str | None = None


class _DependentsAnswer(MessageStruct, frozen=True):
    tasks: list[_RawMember]
    continuation_token: str | None = None


def parse_page(text: bytes) -> Page:
    """Parse an answer of ``listTaskGroup``.

    Raises:
        ValueError: If the text is not such an answer, or none of its tasks has an ID. A
            task that is not valid does not make the others so: it is one of
            `Page.unread`.
    """
    try:
        answer = read_json(_decode_answer, text)
    except ValueError as error:
        answer = _read_leniently(text, error)
    return _build_page(answer.info, answer.tasks, answer.continuation_token)


def _build_page(
    group: TaskGroupInfo, members: Iterable[_RawMember], continuation: str | None
) -> Page:
    definitions, statuses, unread = [], [], []
    for number, member in enumerate(members, 1):
        status = bytes(member.status)
        if not (task_id := read_task_id(status)):
            unread.append(f"task {number} of an answer of the queue")
            continue
        try:
            definition = parse_definition(task_id, bytes(member.task))
        except ValueError:
            definition = Definition(task_id, task_id)
            unread.append(f"the definition of task {task_id}")
        definitions.append(definition)
        statuses.append(status)
    if unread and not statuses:
        raise ValueError("no task has a `taskId`")
    return Page(
        group,
        tuple(definitions),
        tuple(statuses),
        continuation or "",
        tuple(unread),
    )


def read_task_id(status: bytes) -> str:
    """Return the task ID in a task's status, which may be invalid otherwise; empty for none."""
    try:
        return read_json(_decode_task_id, status).task_id
    except ValueError:
        task_id = get_path(decode_leniently(status), "taskId")
        return task_id if isinstance(task_id, str) and is_slug_id(task_id) else ""


def parse_group_info(text: bytes) -> TaskGroupInfo:
    """Parse an answer of ``getTaskGroup``.

    Raises:
        ValueError: If the text is not such an answer.
    """
    return read_json(_decode_group, text).info


def parse_dependents(text: bytes) -> Page:
    """Parse an answer of ``listDependentTasks``.

    Returns:
        Tasks of any groups; `Page.group` is empty.

    Raises:
        ValueError: If the text is not such an answer, or none of its tasks has an ID.
    """
    answer = read_json(_decode_dependents, text)
    return _build_page(TaskGroupInfo(""), answer.tasks, answer.continuation_token)


def parse_tasks(texts: Iterable[bytes]) -> list[Page]:
    """Parse tasks as an answer of ``listTaskGroup`` has them, without the answer around them.

    Args:
        texts: Objects with ``status`` and ``task``.

    Returns:
        A page for each group. A number of tasks that fills pages exactly looks like an
        answer that has another page; nothing else shows that tasks are missing.

    Raises:
        ValueError: If a text is not such an object.
    """
    members: dict[TaskGroupInfo, list[tuple[Definition, bytes]]] = {}
    for text in texts:
        member = read_json(_decode_member, text)
        status = bytes(member.status)
        found = read_json(_decode_belonging, status)
        group = TaskGroupInfo(found.task_group_id, found.scheduler_id)
        definition = to_definition(found.task_id, member.task)
        members.setdefault(group, []).append((definition, status))
    return [
        Page(
            group,
            tuple(definition for definition, _ in pairs),
            tuple(status for _, status in pairs),
            "" if len(pairs) % _PAGE_SIZE else "unknown",
        )
        for group, pairs in members.items()
    ]


def _read_leniently(text: bytes, error: ValueError) -> _Answer:
    # Half a surrogate pair, for example, anywhere in a text makes all of it invalid for
    # msgspec. Raises the error if there is no valid task.
    if len(text) > _MAX_LENIENT:
        raise error
    value = decode_leniently(text)
    tasks = value.pop("tasks", None) if isinstance(value, dict) else None
    if not isinstance(tasks, list):
        raise error
    parts = [
        [json.dumps(get_path(task, name)).encode() for name in ("status", "task")]
        for task in tasks
    ]
    if not any(read_task_id(status) for status, _ in parts):
        raise error
    answer = read_json(_decode_answer, json.dumps({**value, "tasks": []}).encode())
    members = [_RawMember(msgspec.Raw(status), msgspec.Raw(task)) for status, task in parts]
    return msgspec.structs.replace(answer, tasks=members)


def decode_leniently(text: bytes) -> Any:
    """Return what Python's own decoder makes of a text; None if it is not JSON."""
    try:
        return json.loads(text.decode(errors="surrogateescape"), parse_int=_parse_integer)
    except (ValueError, RecursionError):
        return None


def _parse_integer(digits: str) -> float:
    # Python refuses to convert thousands of digits.
    return int(digits) if len(digits) < 100 else float("inf")


_MAX_LENIENT = 16 << 20  # bytes; Python's own decoder needs up to 25 times as much memory
_PAGE_SIZE = 1_000  # tasks on a page of listTaskGroup, at most


def parse_definition(task_id: str, text: bytes) -> Definition:
    """Parse an answer of ``task``.

    Args:
        task_id: The task's ID, which the answer does not contain.
        text: The answer, JSON.

    Raises:
        ValueError: If the text is not such an answer.
    """
    return to_definition(task_id, read_json(_decode_task, text))


def to_definition(
    task_id: str,
    task: TaskDefinition,
    *,
    label: str = "",
    kind: str = "",
    dependencies: Iterable[str] | None = None,
) -> Definition:
    """Create a `Definition`.

    Args:
        task_id: The task's ID.
        task: The task.
        label: Replaces the task's own name.
        kind: Used if the task has no tag ``kind``.
        dependencies: Replaces the task's own dependencies.
    """
    tags = task.tags or Tags()
    name = task.metadata.name if task.metadata else None
    pool = task.task_queue_id
    if not pool and task.provisioner_id and task.worker_type:
        pool = f"{task.provisioner_id}/{task.worker_type}"
    return Definition(
        task_id,
        label or name or tags.label or task_id,
        tags.kind or kind,
        tuple(dict.fromkeys(task.dependency_ids if dependencies is None else dependencies)),
        task.requires or REQUIRES,
        pool or "",
        task.priority or "",
        task.routes,
    )


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_group = msgspec.json.Decoder(_GroupAnswer).decode
_decode_dependents = msgspec.json.Decoder(_DependentsAnswer).decode
_decode_member = msgspec.json.Decoder(_Member).decode
_decode_belonging = msgspec.json.Decoder(_Belonging).decode
_decode_task_id = msgspec.json.Decoder(_Identified).decode
_decode_task = msgspec.json.Decoder(TaskDefinition).decode
