"""Typed messages: a class for the messages of each of the queue's exchanges.

Pure. Sources: the queue's message schemas, ``services/queue/schemas/v1`` of
the taskcluster repository, as of v19.0.0 (October 2019) and v106.0.0 (August
2026); each class names its own. Messages of these and all versions between
them can be decoded. New versions of Taskcluster may add values and fields, so
a state, reason, storage type or priority may be any string here, and unknown
fields are ignored. Everything else is checked: required fields, types, limits,
patterns. An optional field that is absent or ``null`` is None.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta, Struct

from tcsniff.messages.id_checks import GROUP_IDS, WORKER_IDS
from tcsniff.messages.parts import (
    PRIORITIES,
    REASONS_CREATED,
    REASONS_RESOLVED,
    RETRIED_REASONS,
    RUN_STATES,
    STATES,
    STORAGE_TYPES,
    Artifact,
    Identifier,
    IdError,
    MessageStruct,
    Priority,
    RunId,
    RunInformation,
    SlugId,
    TaskMetadata,
    TaskStatus,
    TaskTags,
    Time,
    Version,
)

__all__ = [
    "CLASSES",
    "PRIORITIES",
    "REASONS_CREATED",
    "REASONS_RESOLVED",
    "RETRIED_REASONS",
    "RUN_STATES",
    "STATES",
    "STORAGE_TYPES",
    "Artifact",
    "ArtifactCreatedMessage",
    "ClaimedMessage",
    "Message",
    "MessageError",
    "MessageStruct",
    "RunInformation",
    "TaskCompletedMessage",
    "TaskDefinedMessage",
    "TaskExceptionMessage",
    "TaskFailedMessage",
    "TaskGroupMessage",
    "TaskGroupPriorityChangedMessage",
    "TaskGroupResolvedMessage",
    "TaskGroupSealedMessage",
    "TaskMessage",
    "TaskMetadata",
    "TaskPendingMessage",
    "TaskPriorityChangedMessage",
    "TaskRunningMessage",
    "TaskStatus",
    "TaskTags",
    "UntypedMessage",
    "decode",
    "encode",
    "read_message",
]


class Message(MessageStruct, frozen=True):
    """The base of the messages of every exchange."""


class TaskMessage(Message, frozen=True):
    """The base of all messages about one task.

    Attributes:
        status: The task's status.
        version: The version of the message's format; always 1.
    """

    status: TaskStatus
    version: Version


class ClaimedMessage(TaskMessage, frozen=True):
    """The base of all messages about a run that a worker has claimed.

    Attributes:
        run_id: The run, counted from 0.
        worker_group: The group of its worker; 1 to 38 characters.
        worker_id: Its worker, unique within the group; 1 to 38 characters.
    """

    run_id: RunId
    worker_group: Identifier
    worker_id: Identifier

    def __post_init__(self) -> None:
        if not WORKER_IDS.fullmatch(f"{self.worker_group} {self.worker_id}"):
            raise IdError(self)


class TaskGroupMessage(Message, frozen=True):
    """The base of all messages about a task group.

    Attributes:
        task_group_id: The group.
        scheduler_id: The scheduler of its tasks, ``-`` by default; 1 to 38
            characters.
    """

    task_group_id: SlugId
    scheduler_id: Identifier

    def __post_init__(self) -> None:
        if not GROUP_IDS.fullmatch(f"{self.task_group_id} {self.scheduler_id}"):
            raise IdError(self)


class TaskDefinedMessage(TaskMessage, frozen=True):
    """A task was created; its status has no runs here, even if it starts at once.

    Source: task-defined-message.json.

    Attributes:
        task: The task's tags; None if absent.
    """

    task: TaskTags | None = None


class TaskPendingMessage(TaskMessage, frozen=True):
    """A run waits for a worker: the first, a retry or a rerun.

    Source: task-pending-message.json.

    Attributes:
        run_id: The run, counted from 0.
        task: The task's tags; None if absent.
    """

    run_id: RunId
    task: TaskTags | None = None


class TaskRunningMessage(ClaimedMessage, frozen=True):
    """A worker claimed a run; renewals of the claim are not announced.

    Source: task-running-message.json.

    Attributes:
        taken_until: When the claim expires unless it is renewed.
        task: The task's tags; None if absent, as in v19.
    """

    taken_until: Time
    task: TaskTags | None = None


class ArtifactCreatedMessage(ClaimedMessage, frozen=True):
    """A run created an artifact; it may take a while until it can be fetched.

    Source: artifact-created-message.json.

    Attributes:
        artifact: The artifact.
    """

    artifact: Artifact


class TaskCompletedMessage(ClaimedMessage, frozen=True):
    """A run succeeded, and its task with it.

    Source: task-completed-message.json.

    Attributes:
        task: The task's tags; None if absent.
    """

    task: TaskTags | None = None


class TaskFailedMessage(ClaimedMessage, frozen=True):
    """A run failed, and its task with it.

    Source: task-failed-message.json.

    Attributes:
        task: The task's tags; None if absent.
    """

    task: TaskTags | None = None


class TaskExceptionMessage(TaskMessage, frozen=True):
    """A run ended for another reason than its own result; the run's status has the reason.

    The task has not ended if ``status.state`` is ``pending``: since v72 a run
    that the queue retries is also announced, and the next run is then already
    part of the status. Source: task-exception-message.json.

    Attributes:
        run_id: The run that ended, counted from 0; None if there was none.
        worker_group: The group of its worker; 1 to 38 characters, None if there
            was no worker, or the deadline passed.
        worker_id: Its worker, unique within the group; 1 to 38 characters, None
            in the same cases.
        task: The task's tags; None if absent.
    """

    run_id: RunId | None = None
    worker_group: Identifier | None = None
    worker_id: Identifier | None = None
    task: TaskTags | None = None

    def __post_init__(self) -> None:
        if not WORKER_IDS.fullmatch(f"{self.worker_group} {self.worker_id}"):
            raise IdError(self)


class TaskPriorityChangedMessage(TaskMessage, frozen=True):
    """The priority of one task was changed; since v95.1.

    Source: task-priority-changed-message.json.

    Attributes:
        old_priority: One of `PRIORITIES`, or a value added later.
        new_priority: The same.
    """

    old_priority: Priority
    new_priority: Priority


class TaskGroupResolvedMessage(TaskGroupMessage, frozen=True):
    """Every task of a group has ended at least once; sent again each time more of them end.

    Source: task-group-changed-message.json; in v19 task-group-resolved.json.

    Attributes:
        expires: When the queue deletes the group; None if absent, as in v19.
        sealed: Since when no task can be added; None if tasks can be added.
        version: The version of the message's format; 1, or None in v19.
    """

    expires: Time | None = None
    sealed: Time | None = None
    version: Version | None = None


class TaskGroupSealedMessage(TaskGroupMessage, frozen=True):
    """No task can be added to a group any more; since v48.

    Source: task-group-changed-message.json.

    Attributes:
        expires: When the queue deletes the group.
        version: The version of the message's format; always 1.
        sealed: Since when no task can be added; None if absent.
    """

    expires: Time
    version: Version
    sealed: Time | None = None


class TaskGroupPriorityChangedMessage(TaskGroupMessage, frozen=True):
    """The priority of a whole group was changed; since v95.1.

    No messages about the single tasks follow. Source:
    task-group-priority-changed-message.json.

    Attributes:
        new_priority: One of `PRIORITIES`, or a value added later.
        tasks_affected: The number of tasks whose priority was changed.
        version: The version of the message's format; always 1.
    """

    new_priority: Priority
    tasks_affected: Annotated[int, Meta(ge=0)]
    version: Version


class UntypedMessage(Struct, frozen=True):
    """A message whose exchange has no class, or that its class does not accept.

    Attributes:
        payload: The decoded body; None if it is not JSON.
        reason: Why the class does not accept it, or it is not JSON; None if the
            exchange has no class.
        path: The place of the error, such as ``$.status.runs[0].state``; ``$``
            is the body. For a missing field, the object that lacks it.
    """

    payload: Any
    reason: str | None = None
    path: str = "$"


class MessageError(ValueError):
    """A body is not accepted by the class of its exchange, or is not JSON.

    Attributes:
        reason: What is wrong.
        path: The place of the error, as in `UntypedMessage`.
    """

    def __init__(self, reason: str, path: str = "$") -> None:
        super().__init__(f"{reason} at {path}")
        self.reason = reason
        self.path = path


CLASSES: dict[str, type[Message]] = {
    "task-defined": TaskDefinedMessage,
    "task-pending": TaskPendingMessage,
    "task-running": TaskRunningMessage,
    "artifact-created": ArtifactCreatedMessage,
    "task-completed": TaskCompletedMessage,
    "task-failed": TaskFailedMessage,
    "task-exception": TaskExceptionMessage,
    "task-group-resolved": TaskGroupResolvedMessage,
    "task-group-sealed": TaskGroupSealedMessage,
    "task-priority-changed": TaskPriorityChangedMessage,
    "task-group-priority-changed": TaskGroupPriorityChangedMessage,
}
"""The class of each exchange's messages, by the exchange's name in the catalog."""

_BY_ADDRESS = {
    f"exchange/taskcluster-queue/v1/{name}": message_class
    for name, message_class in CLASSES.items()
}


@cache
def _make_decoder(exchange: str) -> Callable[[bytes], Message]:
    # At the first message: all decoders take 2 ms of the start.
    return msgspec.json.Decoder(_BY_ADDRESS[exchange]).decode


def read_message(exchange: str, body: bytes) -> Message | UntypedMessage:
    """Decode a message of any exchange, with any body.

    Args:
        exchange: The exchange's name on the broker.
        body: The body as it was received.

    Returns:
        The typed message; an untyped one if the exchange has no class or the
        class does not accept the body.
    """
    if exchange not in _BY_ADDRESS:
        return _decode_untyped(body)
    try:
        return decode(exchange, body)
    except MessageError as error:
        return _decode_untyped(body, error)


def _decode_untyped(body: bytes, error: MessageError | None = None) -> UntypedMessage:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as json_error:
        payload = None
        error = error or MessageError(str(json_error))
    return UntypedMessage(payload, error.reason, error.path) if error else UntypedMessage(payload)


def decode(exchange: str, body: bytes) -> Message:
    """Decode a message of an exchange that has a class.

    The values of unknown fields are skipped without a check: they may contain
    what strict JSON does not allow, such as bytes that are not UTF-8.

    Args:
        exchange: The exchange's name on the broker.
        body: The body as it was received.

    Raises:
        MessageError: If the class does not accept the body, or it is not JSON.
        LookupError: If the exchange has no class.
    """
    try:
        return _make_decoder(exchange)(body)
    except msgspec.DecodeError as error:
        reason, _, path = str(error).partition(" - at `")
        path = path.removesuffix("`") or "$"
        if isinstance(error.__cause__, IdError):
            path = f"{path}.{error.__cause__.field}"
        raise MessageError(reason, path) from error
    except UnicodeDecodeError as error:
        raise MessageError(str(error)) from error
    except RecursionError as error:
        raise MessageError("JSON is nested too deep") from error


def encode(message: Message) -> bytes:
    """Encode a message as the queue does.

    Decoding the result returns an equal message. The JSON differs from the
    queue's only in the order of keys, in fields that decoding ignored, and in
    times that did not have the form that the queue uses today.

    Args:
        message: A message whose times are all aware.

    Raises:
        TypeError: If a number needs more than 64 bits, which JavaScript cannot
            send.
    """
    fields = msgspec.to_builtins(message, builtin_types=(datetime,))
    if isinstance(message, TaskRunningMessage):
        # The only time that the queue copies from PostgreSQL without parsing it.
        fields["takenUntil"] = _format_postgresql_time(message.taken_until)
    return orjson.dumps(
        fields, default=_format_javascript_time, option=orjson.OPT_PASSTHROUGH_DATETIME
    )


def _format_javascript_time(time: datetime) -> str:
    # Always three digits of a second; six only where three would lose some.
    digits = "microseconds" if time.microsecond % 1000 else "milliseconds"
    return time.isoformat(timespec=digits).replace("+00:00", "Z")


def _format_postgresql_time(time: datetime) -> str:
    # Up to six digits of a second, without trailing zeros.
    text = time.isoformat()
    return text[:19] + text[19:-6].rstrip("0") + text[-6:]


def build_schema(kind: type[MessageStruct]) -> dict[str, Any]:
    """Return the JSON Schema of a class, draft 2020-12, with its documentation.

    Known values of fields that accept any string are listed as ``examples``.

    Args:
        kind: A class, such as one of `CLASSES`.
    """
    schema = msgspec.json.schema(kind)
    for part in (kind, TaskStatus, RunInformation, TaskTags, Artifact):
        if part.__name__ in schema["$defs"]:
            _add_descriptions(schema["$defs"][part.__name__], part)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _add_descriptions(schema: dict[str, Any], kind: type[MessageStruct]) -> None:
    json_names = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    for base in reversed(kind.__mro__[: kind.__mro__.index(MessageStruct)]):
        text = inspect.cleandoc(base.__doc__ or "")
        text, _, attributes = text.partition("Attributes:\n")
        schema["description"] = " ".join(text.split())
        for name, meaning in re.findall(_ATTRIBUTE, attributes, re.MULTILINE):
            schema["properties"][json_names[name]]["description"] = " ".join(meaning.split())


_ATTRIBUTE = r"^    (\w+): (.+(?:\n {8}.+)*)"
