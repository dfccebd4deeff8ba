"""The program's own model of what messages say about tasks, runs and groups.

Pure. The model is lenient: unknown fields are ignored, limits and patterns are
not checked, and states and reasons may be any word. `tcsniff.messages` has the
strict types, for users of the library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from tcsniff.identifiers import MAX_RUN_ID
from tcsniff.messages import CLASSES, TaskMessage
from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.exchanges import find_exchange
from tcsniff.pulse.times import parse_seconds

_Value = TypeVar("_Value")

DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Everything that msgspec raises for a body that does not fit a type."""


class Run(MessageStruct, frozen=True):
    """A run of a task: one attempt by a worker.

    The times are kept as text, since they are printed as received. The properties
    whose names end in ``_at`` are the same times in seconds since the Unix epoch,
    and None for text that is not a time. They are not cached: a view of 10,000 tasks
    takes 73 ms, and 72 ms with all times in a cache.

    Attributes:
        run_id: The run's number, from 0.
        state: One of `messages.RUN_STATES`, or an unknown word.
        reason_created: Why the run was created, such as ``retry``.
        reason_resolved: Why it ended, such as ``claim-expired``; None before.
        worker_group: The group of its worker; None before a claim.
        worker_id: Its worker; None before a claim.
        scheduled: When it became pending, as an RFC 3339 time; None if unknown.
        started: When a worker claimed it; None before.
        resolved: When it ended; None before.
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

    @property
    def scheduled_at(self) -> float | None:
        """`scheduled`, in seconds."""
        return parse_seconds(self.scheduled)

    @property
    def started_at(self) -> float | None:
        """`started`, in seconds."""
        return parse_seconds(self.started)

    @property
    def resolved_at(self) -> float | None:
        """`resolved`, in seconds."""
        return parse_seconds(self.resolved)

    @property
    def changed(self) -> str | None:
        """When the run entered its current state; None if unknown."""
        if self.state == "pending":
            return self.scheduled
        return self.started if self.state == "running" else self.resolved

    @property
    def changed_at(self) -> float | None:
        """`changed`, in seconds."""
        return parse_seconds(self.changed)


class TaskState(MessageStruct, frozen=True):
    """A snapshot of a task: the part of its status that the program uses.

    Attributes:
        task_id: The task.
        task_group_id: Its group.
        state: One of `messages.STATES`, or an unknown word. It is the state of the
            last run.
        scheduler_id: The group's scheduler.
        provisioner_id: The first half of its worker pool.
        worker_type: The second half of its worker pool.
        runs: All runs so far, in order.
        deadline: When the task must have ended, as an RFC 3339 time; None if
            unknown.
    """

    task_id: str
    task_group_id: str
    state: str
    scheduler_id: str = "-"
    provisioner_id: str = ""
    worker_type: str = ""
    runs: tuple[Run, ...] = ()
    deadline: str | None = None


class Tags(MessageStruct, frozen=True):
    """The tags that name a task, by taskgraph's convention.

    Attributes:
        label: The task's name.
        kind: The task's kind, such as ``build``.
        project: The repository it belongs to, such as ``autoland``.
    """

    label: str | None = None
    kind: str | None = None
    project: str | None = None


class TaggedTask(MessageStruct, frozen=True):
    """The part of a task's definition that messages repeat.

    Attributes:
        tags: Its tags.
    """

    tags: Tags | None = None


class TaskPayload(MessageStruct, frozen=True):
    """The payload of a message about a task.

    Attributes:
        status: The task's status.
        task: Its definition, where the message has it.
        run_id: The run that the message is about; None if it is about no run. Here only
            to be checked.
    """

    status: TaskState
    task: TaggedTask = TaggedTask()
    run_id: int | None = None


class GroupPayload(MessageStruct, frozen=True):
    """The payload of a message about a task group.

    Attributes:
        task_group_id: The group.
        scheduler_id: The group's scheduler.
        sealed: When the group was sealed; None if it is open or the message does not
            say.
    """

    task_group_id: str
    scheduler_id: str = "-"
    sealed: str | None = None


class WorkerPayload(MessageStruct, frozen=True):
    """The payload of a message about a worker, or an error of its pool.

    Attributes:
        worker_pool_id: The worker pool, ``<provisionerId>/<workerType>``.
        worker_group: The group of the worker; None if the error is about none.
        worker_id: The worker; None if the error is about none.
        timestamp: When it happened, as an RFC 3339 time; None if unknown.
        error_id: The error; empty if it is none.
        kind: What kind of error it is, such as ``creation-error``.
    """

    worker_pool_id: str
    worker_group: str | None = None
    worker_id: str | None = None
    timestamp: str | None = None
    error_id: str = ""
    kind: str = ""


def read_json(decode: Callable[[bytes], _Value], text: bytes) -> _Value:
    """Decode JSON with a decoder of msgspec.

    Raises:
        ValueError: If the text is not JSON or does not fit the decoder's type.
    """
    try:
        return decode(text)
    except DECODE_ERRORS as error:
        raise ValueError(str(error)) from error


def decode_status(text: bytes) -> TaskState:
    """Decode a task's status as the queue's API returns it.

    Raises:
        ValueError: If the text is not a status, or a run has an impossible number.
    """
    status = read_json(_decode_status, text)
    for run in status.runs:
        if not 0 <= run.run_id <= MAX_RUN_ID:
            raise ValueError("`runId` is not the number of a run")
    return status


def to_run(value: object, run_id: int) -> Run | None:
    """Return a run of a decoded payload; None if the value is not an object.

    Args:
        value: Decoded JSON. A field with a value of another type counts as missing.
        run_id: The run's number, for a run that does not contain a valid one.
    """
    try:
        return msgspec.convert(value, Run)
    except msgspec.ValidationError:
        if not isinstance(value, dict):
            return None
        return msgspec.convert({"state": ""} | _keep_texts(value) | {"runId": run_id}, Run)


def to_tags(value: object) -> Tags:
    """Return the tags in a decoded payload; a tag that is not text counts as missing."""
    if not isinstance(value, dict):
        return Tags()
    try:
        return msgspec.convert(value, Tags)
    except msgspec.ValidationError:
        return msgspec.convert(_keep_texts(value), Tags)


def get_path(value: object, *path: object) -> Any:
    """Return a value inside decoded JSON of any shape.

    Args:
        value: Decoded JSON.
        path: Keys of objects, from the outside in.

    Returns:
        The value; None if a key is missing or something on the path is not an object.
    """
    for key in path:
        if not isinstance(value, dict):
            return None
        try:
            value = value.get(key)
        except TypeError:  # a list or an object from a message, used as the key
            return None
    return value


def _keep_texts(value: dict[str, object]) -> dict[str, object]:
    return {name: text for name, text in value.items() if isinstance(text, str)}


_decode_status = msgspec.json.Decoder(TaskState).decode
_decode_task = msgspec.json.Decoder(TaskPayload).decode
decode_worker_event = msgspec.json.Decoder(WorkerPayload).decode
"""Decode the payload of a message of `exchanges.WORKER_EVENTS`; raises `DECODE_ERRORS`."""

_decode_group = msgspec.json.Decoder(GroupPayload).decode

DECODERS: Mapping[str, Callable[[bytes], TaskPayload | GroupPayload]] = {
    find_exchange(name).address: _decode_task if issubclass(kind, TaskMessage) else _decode_group
    for name, kind in CLASSES.items()
}
"""By exchange, the decoder of its payloads; only exchanges about tasks and groups."""

TASK_EXCHANGES = frozenset(
    find_exchange(name).address for name, kind in CLASSES.items() if issubclass(kind, TaskMessage)
)
"""The exchanges whose messages have the status of a task."""
