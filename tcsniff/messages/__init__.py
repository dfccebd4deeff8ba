"""Typed messages: a class for what each of the queue's exchanges publishes.

Pure. Sources: the queue's message schemas, ``services/queue/schemas/v1`` of
the taskcluster repository, as of v19.0.0 (October 2019) and v106.0.0 (August
2026); each class names its own. Messages of both, and of the time between,
decode. What a schema lists as the only values may grow, so a state, reason,
storage type or priority may be any string here, and fields that are not known
are passed over. Everything else must hold: required fields, types, limits,
patterns. An optional field that is absent, or ``null``, is None.
"""

from __future__ import annotations

import re
import textwrap
from datetime import datetime
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta, Struct

from tcsniff.messages.parts import (
    GROUP_IDS,
    PRIORITIES,
    REASONS_CREATED,
    REASONS_RESOLVED,
    RETRIED_REASONS,
    RUN_STATES,
    STATES,
    STORAGE_TYPES,
    WORKER_IDS,
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
    """What the messages of every exchange have in common."""


class TaskMessage(Message, frozen=True):
    """What all messages about one task have in common.

    Attributes:
        status: The task.
        version: Of the message's format; always 1.
    """

    status: TaskStatus
    version: Version


class ClaimedMessage(TaskMessage, frozen=True):
    """What all messages about a run that a worker has claimed have in common.

    Attributes:
        run_id: The run, counted from 0.
        worker_group: Where its worker belongs; 1 to 38 characters.
        worker_id: Its worker, unique within the group; 1 to 38 characters.
    """

    run_id: RunId
    worker_group: Identifier
    worker_id: Identifier

    def __post_init__(self) -> None:
        if not WORKER_IDS(f"{self.worker_group} {self.worker_id}"):
            raise IdError(self)


class TaskGroupMessage(Message, frozen=True):
    """What all messages about a group of tasks have in common.

    Attributes:
        task_group_id: The group.
        scheduler_id: Who schedules its tasks, ``-`` by default; 1 to 38
            characters.
    """

    task_group_id: SlugId
    scheduler_id: Identifier

    def __post_init__(self) -> None:
        if not GROUP_IDS(f"{self.task_group_id} {self.scheduler_id}"):
            raise IdError(self)


class TaskDefinedMessage(TaskMessage, frozen=True):
    """A task was created; its status here has no runs, even if it starts at once.

    Source: task-defined-message.json.

    Attributes:
        task: Its tags; None if not told.
    """

    task: TaskTags | None = None


class TaskPendingMessage(TaskMessage, frozen=True):
    """A run waits for a worker: the first, a retry or a rerun.

    Source: task-pending-message.json.

    Attributes:
        run_id: The run, counted from 0.
        task: The task's tags; None if not told.
    """

    run_id: RunId
    task: TaskTags | None = None


class TaskRunningMessage(ClaimedMessage, frozen=True):
    """A worker claimed a run; that it renews its claim is not announced.

    Source: task-running-message.json.

    Attributes:
        taken_until: When the claim ends unless renewed.
        task: The task's tags; None if not told, as in v19.
    """

    taken_until: Time
    task: TaskTags | None = None


class ArtifactCreatedMessage(ClaimedMessage, frozen=True):
    """A run gave an artifact; it may take a while until it can be fetched.

    Source: artifact-created-message.json.

    Attributes:
        artifact: What it gave.
    """

    artifact: Artifact


class TaskCompletedMessage(ClaimedMessage, frozen=True):
    """A run succeeded, and with it the task.

    Source: task-completed-message.json.

    Attributes:
        task: The task's tags; None if not told.
    """

    task: TaskTags | None = None


class TaskFailedMessage(ClaimedMessage, frozen=True):
    """A run did its work and did not succeed, nor did the task.

    Source: task-failed-message.json.

    Attributes:
        task: The task's tags; None if not told.
    """

    task: TaskTags | None = None


class TaskExceptionMessage(TaskMessage, frozen=True):
    """A run ended for another reason than its work; the run's status has the reason.

    Not the task's end where ``status.state`` is ``pending``: since v72 a run
    that the queue tries again is announced too, and the next run is then part
    of the status. Source: task-exception-message.json.

    Attributes:
        run_id: The run that ended, counted from 0; None if there was none.
        worker_group: Where its worker belongs; 1 to 38 characters, None if there
            was none, or the deadline passed.
        worker_id: Its worker, unique within the group; 1 to 38 characters, None
            likewise.
        task: The task's tags; None if not told.
    """

    run_id: RunId | None = None
    worker_group: Identifier | None = None
    worker_id: Identifier | None = None
    task: TaskTags | None = None

    def __post_init__(self) -> None:
        if not WORKER_IDS(f"{self.worker_group} {self.worker_id}"):
            raise IdError(self)


class TaskPriorityChangedMessage(TaskMessage, frozen=True):
    """Somebody changed the priority of one task; since v95.1.

    Source: task-priority-changed-message.json.

    Attributes:
        old_priority: One of `PRIORITIES`, or a word yet to come.
        new_priority: The same, from now on.
    """

    old_priority: Priority
    new_priority: Priority


class TaskGroupResolvedMessage(TaskGroupMessage, frozen=True):
    """Every task of a group has ended at least once; comes again after more of them end.

    Source: task-group-changed-message.json; in v19 task-group-resolved.json.

    Attributes:
        expires: When the queue forgets the group; None if not told, as in v19.
        sealed: Since when no task can be added; None if tasks can be.
        version: Of the message's format; 1, or None where v19 left it out.
    """

    expires: Time | None = None
    sealed: Time | None = None
    version: Version | None = None


class TaskGroupSealedMessage(TaskGroupMessage, frozen=True):
    """From now on no task can be added to a group; since v48.

    Source: task-group-changed-message.json.

    Attributes:
        expires: When the queue forgets the group.
        version: Of the message's format; always 1.
        sealed: Since when no task can be added; None if not told.
    """

    expires: Time
    version: Version
    sealed: Time | None = None


class TaskGroupPriorityChangedMessage(TaskGroupMessage, frozen=True):
    """Somebody changed the priority of a whole group; since v95.1.

    The only message of it: none follows for the single tasks. Source:
    task-group-priority-changed-message.json.

    Attributes:
        new_priority: One of `PRIORITIES`, or a word yet to come.
        tasks_affected: How many tasks have another priority now.
        version: Of the message's format; always 1.
    """

    new_priority: Priority
    tasks_affected: Annotated[int, Meta(ge=0)]
    version: Version


class UntypedMessage(Struct, frozen=True):
    """A message without a class of its own, or that does not fit it.

    Attributes:
        payload: The decoded body; None if it is no JSON.
        reason: Why it does not fit, or is no JSON; None if its exchange has no
            class to fit.
        path: Where it does not fit, such as ``$.status.runs[0].state``, ``$``
            being the body. A missing field is told of the object without it.
    """

    payload: Any
    reason: str | None = None
    path: str = "$"


class MessageError(ValueError):
    """A body does not fit the class of its exchange, or is no JSON.

    Attributes:
        reason: What is wrong.
        path: Where, as in `UntypedMessage`.
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
"""What happened, as the catalog names it, to the class of its messages."""

_DECODERS = {
    f"exchange/taskcluster-queue/v1/{name}": msgspec.json.Decoder(kind).decode
    for name, kind in CLASSES.items()
}


def read_message(exchange: str, body: bytes) -> Message | UntypedMessage:
    """Decode a message of any exchange, whatever its body holds.

    Args:
        exchange: The exchange's name on the broker.
        body: The body as it came.

    Returns:
        The typed message; an untyped one if the exchange has no class or the
        body does not fit it.
    """
    if exchange not in _DECODERS:
        return _untyped(body)
    try:
        return decode(exchange, body)
    except MessageError as error:
        return _untyped(body, error)


def _untyped(body: bytes, error: MessageError | None = None) -> UntypedMessage:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as unreadable:
        payload = None
        error = error or MessageError(str(unreadable))
    return UntypedMessage(payload, error.reason, error.path) if error else UntypedMessage(payload)


def decode(exchange: str, body: bytes) -> Message:
    """Decode a message of an exchange that has a class.

    What is passed over, being unknown, is not looked into: it may hold what
    strict JSON does not allow, such as bytes that are no UTF-8.

    Args:
        exchange: The exchange's name on the broker.
        body: The body as it came.

    Raises:
        MessageError: If the body does not fit the class, or is no JSON.
        LookupError: If the exchange has no class.
    """
    try:
        return _DECODERS[exchange](body)
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

    Decoding that gives an equal message. The JSON is that of the queue, but for
    the order of keys, for fields passed over in decoding, and for times in
    another form than the queue's today.

    Args:
        message: Whose times are aware.

    Raises:
        TypeError: If a number needs more than 64 bits, which none of
            JavaScript's does.
    """
    fields = msgspec.to_builtins(message, builtin_types=(datetime,))
    if isinstance(message, TaskRunningMessage):
        # The one time that does not go through JavaScript on its way.
        fields["takenUntil"] = _postgresql(message.taken_until)
    return orjson.dumps(fields, default=_javascript, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _javascript(time: datetime) -> str:
    # Always three digits of a second; more only to lose nothing that came otherwise.
    digits = "microseconds" if time.microsecond % 1000 else "milliseconds"
    return time.isoformat(timespec=digits).replace("+00:00", "Z")


def _postgresql(time: datetime) -> str:
    # Up to six digits of a second, without zeros at the end.
    text = time.isoformat()
    return text[:19] + text[19:-6].rstrip("0") + text[-6:]


def build_schema(kind: type[MessageStruct]) -> dict[str, Any]:
    """Word a class as JSON Schema, draft 2020-12, with its documentation.

    What may grow has its known values as ``examples``.

    Args:
        kind: The class, such as one of `CLASSES`.
    """
    worded = msgspec.json.schema(kind)
    for part in (kind, TaskStatus, RunInformation, TaskTags, Artifact):
        if part.__name__ in worded["$defs"]:
            _describe(worded["$defs"][part.__name__], part)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **worded}


def _describe(worded: dict[str, Any], kind: type[MessageStruct]) -> None:
    wire = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    for base in reversed(kind.__mro__[: kind.__mro__.index(MessageStruct)]):
        # Before Python 3.13 every line but the first is indented as in the source.
        text = textwrap.dedent("    " + (base.__doc__ or ""))
        text, _, attributes = text.partition("Attributes:\n")
        worded["description"] = " ".join(text.split())
        for name, meaning in _ATTRIBUTE.findall(attributes):
            worded["properties"][wire[name]]["description"] = " ".join(meaning.split())


_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)
