"""What messages are made of: tasks, runs, artifacts, and their words and limits.

Pure. Sources: the queue's schemas, ``services/queue/schemas/v1`` of the
taskcluster repository, as of v19.0.0 (October 2019) and v106.0.0 (August 2026);
each class names its own. What a schema lists as the only values may grow, so a
state, reason, storage type or priority may be any string here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

STATES = (
    "unscheduled",  # no run yet: it waits for dependencies, or for somebody to schedule it
    "pending",  # its last run waits for a worker
    "running",  # a worker has claimed its last run
    "completed",  # the worker reported success
    "failed",  # the worker ran it, and it did not succeed
    "exception",  # something else ended it; the last run's reason says what
)
RUN_STATES = STATES[1:]
REASONS_CREATED = (
    "scheduled",  # the task's first run
    "retry",  # the queue tries again after a worker was lost
    "task-retry",  # the queue tries again because the task asked for it
    "rerun",  # somebody asked for one more run
    "exception",  # made only to hold the end of a task that had no run
)
REASONS_RESOLVED = (
    "completed",  # the worker reported success
    "failed",  # the worker reported failure
    "deadline-exceeded",  # the task's deadline passed
    "canceled",  # somebody canceled the task
    "claim-expired",  # the worker did not renew its claim in time
    "worker-shutdown",  # the worker was stopped, as spot instances are
    "malformed-payload",  # the worker could not make sense of the task
    "resource-unavailable",  # something the task needs could not be had
    "internal-error",  # the worker itself broke
    "intermittent-task",  # the task asked to be tried again
    "superseded",  # another task took its place; no longer published
)
RETRIED_REASONS = ("claim-expired", "worker-shutdown", "intermittent-task")  # while retries last
PRIORITIES = ("highest", "very-high", "high", "medium", "low", "very-low", "lowest")
STORAGE_TYPES = (
    "reference",  # redirects to a URL
    "link",  # stands for another artifact of the same run
    "error",  # tells why there is no artifact
    "object",  # kept by the object service
    "blob",  # uploaded to the queue's own store; not published today
)

_SLUG_ID = "^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$"
_IDENTIFIER = "^([a-zA-Z0-9-_]*)$"
_NAME_END = "([-a-z0-9]{0,36}[a-z0-9])?"
_PATTERNS = {
    "task_id": _SLUG_ID,
    "task_group_id": _SLUG_ID,
    "provisioner_id": "^[a-zA-Z0-9-_]{1,38}$",
    "worker_type": f"^[a-z]{_NAME_END}$",
    "scheduler_id": _IDENTIFIER,
    "project_id": "^([a-zA-Z0-9._/-]*)$",
    "worker_group": _IDENTIFIER,
    "worker_id": _IDENTIFIER,
    "task_queue_id": f"^[a-zA-Z0-9-_]{{1,38}}/[a-z]{_NAME_END}$",
}


def _ids(*names: str) -> Callable[[str], re.Match[str] | None]:
    # Matches the values of some fields at once, a space between them, which no
    # pattern takes. With msgspec's own check, one search a string, the samples took
    # 2.6 times as long as orjson.loads; tests/benchmarks/decode.py has the figure of
    # now. For speed, too, nothing is captured and a name's end is looked at backwards.
    patterns = (
        _PATTERNS[name][1:-1].replace(_NAME_END, "[-a-z0-9]{0,37}(?<!-)").replace("([", "(?:[")
        for name in names
    )
    return re.compile(" ".join(patterns)).fullmatch


_STATUS_IDS = _ids(
    "task_id",
    "task_group_id",
    "provisioner_id",
    "worker_type",
    "scheduler_id",
    "project_id",
    "task_queue_id",
)
TASK_IDS = _ids("task_id")
"""Matches the id of a task, or of a group, which has the same form."""
GROUP_IDS = _ids("task_group_id", "scheduler_id")
"""Matches the two with a space between them."""
WORKER_IDS = _ids("worker_group", "worker_id")
"""Matches the two with a space between them."""
_ANY_QUEUE = "-/a"  # stands in for a task queue that is not told


class IdError(ValueError):
    """An id does not match its pattern; on its way out through msgspec.

    Attributes:
        field: Its name on the wire.
    """

    def __init__(self, record: Struct) -> None:
        """Find out which field of a record it is."""
        wire = dict(zip(record.__struct_fields__, record.__struct_encode_fields__, strict=True))
        # A field that is None becomes a word that its pattern takes; only a
        # task queue does not, and is asked last.
        name = next(
            name
            for name in _PATTERNS
            if name in wire and not _ids(name)(str(getattr(record, name)))
        )
        super().__init__(f"Expected `str` matching regex {_PATTERNS[name]!r}")
        self.field = wire[name]


def _id(name: str, *, least: int | None = None, most: int | None = None) -> Meta:
    pattern = {"pattern": _PATTERNS[name]}
    return Meta(min_length=least, max_length=most, extra_json_schema=pattern)


SlugId = Annotated[str, _id("task_id")]
"""A version 4 UUID: 22 characters of URL-safe base64 (RFC 4648, section 5), without padding."""
Identifier = Annotated[str, _id("worker_id", least=1, most=38)]
ProvisionerId = Annotated[str, _id("provisioner_id")]
WorkerType = Annotated[str, _id("worker_type")]
TaskQueueId = Annotated[str, _id("task_queue_id")]
ProjectId = Annotated[str, _id("project_id", least=1, most=500)]
RunId = Annotated[int, Meta(ge=0, le=1000)]
"""A run of a task, counted from 0; the queue allows 50 runs, the schema 1001."""
Time = Annotated[datetime, Meta(tz=True)]
"""A time of RFC 3339 with its offset, hence always aware; what is finer than µs is rounded."""
State = Annotated[str, Meta(examples=list(STATES))]
RunState = Annotated[str, Meta(examples=list(RUN_STATES))]
ReasonCreated = Annotated[str, Meta(examples=list(REASONS_CREATED))]
ReasonResolved = Annotated[str, Meta(examples=list(REASONS_RESOLVED))]
Priority = Annotated[str, Meta(examples=list(PRIORITIES))]
StorageType = Annotated[str, Meta(examples=list(STORAGE_TYPES))]
Version = Literal[1]


class MessageStruct(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """What all classes here have in common: immutable, camelCase on the wire.

    Limits are checked while decoding; the patterns of ids also when one is made
    by hand, where what is broken raises ValueError.
    """


class RunInformation(MessageStruct, frozen=True):
    """One run of a task: an attempt by a worker.

    Source: task-status.json, items of ``runs``.

    Attributes:
        run_id: Its number and its place among the task's runs, counted from 0.
        state: One of `RUN_STATES`, or a word yet to come.
        reason_created: Why there is this run: one of `REASONS_CREATED`, or a
            word yet to come.
        scheduled: When it was made, and became pending.
        reason_resolved: Why it ended: one of `REASONS_RESOLVED`, or a word yet
            to come; None before its end.
        worker_group: Where its worker belongs; 1 to 38 characters, None before
            a claim.
        worker_id: Its worker, unique within the group; 1 to 38 characters, None
            before a claim.
        taken_until: When the worker's claim ends unless renewed; None before a
            claim.
        started: When a worker claimed it; None before that.
        resolved: When it ended; None before that.
    """

    run_id: RunId
    state: RunState
    reason_created: ReasonCreated
    scheduled: Time
    reason_resolved: ReasonResolved | None = None
    worker_group: Identifier | None = None
    worker_id: Identifier | None = None
    taken_until: Time | None = None
    started: Time | None = None
    resolved: Time | None = None

    def __post_init__(self) -> None:
        if not WORKER_IDS(f"{self.worker_group} {self.worker_id}"):
            raise IdError(self)


class TaskStatus(MessageStruct, frozen=True):
    """A task as the queue knew it when it sent the message.

    Source: task-status.json.

    Attributes:
        task_id: The task.
        provisioner_id: The first half of its worker pool's name; 1 to 38
            characters.
        worker_type: The second half; 1 to 38 characters.
        scheduler_id: Who schedules the task's group, ``-`` by default; 1 to 38
            characters.
        task_group_id: The group it belongs to; its own id for the first task of
            a group, by convention the decision task.
        deadline: When the queue gives up on it, if it has not ended by then.
        expires: When the queue forgets it; its artifacts go no later.
        retries_left: How often the queue will try again by itself; 0 to 999,
            where a task cannot ask for more than 49.
        state: One of `STATES`, or a word yet to come. That of the last run;
            ``unscheduled`` without runs.
        runs: Every run so far, in the order of their numbers.
        task_queue_id: The worker pool, ``<provisioner_id>/<worker_type>``; None
            if not told, as in v19.
        project_id: The project it is accounted to, ``none`` by default; 1 to 500
            characters, None if not told, as in v19.
        priority: One of `PRIORITIES`, or a word yet to come; None if not told,
            as in v19 and after the cancellation of a whole group.
    """

    task_id: SlugId
    provisioner_id: ProvisionerId
    worker_type: WorkerType
    scheduler_id: Identifier
    task_group_id: SlugId
    deadline: Time
    expires: Time
    retries_left: Annotated[int, Meta(ge=0, le=999)]
    state: State
    runs: Annotated[tuple[RunInformation, ...], Meta(extra_json_schema={"uniqueItems": True})]
    task_queue_id: TaskQueueId | None = None
    project_id: ProjectId | None = None
    priority: Priority | None = None

    def __post_init__(self) -> None:
        queue = _ANY_QUEUE if self.task_queue_id is None else self.task_queue_id
        if not _STATUS_IDS(
            f"{self.task_id} {self.task_group_id} {self.provisioner_id} {self.worker_type} "
            f"{self.scheduler_id} {self.project_id} {queue}"
        ):
            raise IdError(self)


class TaskTags(MessageStruct, frozen=True):
    """The little of a task's definition that messages carry.

    Source: task-pulse-definition.json.

    Attributes:
        tags: Free words about the task, name to value; each value has at most
            4096 characters. By convention of taskgraph, ``label`` is the task's
            name. Empty after the cancellation of a whole group.
    """

    tags: dict[str, Annotated[str, Meta(max_length=4096)]]


class Artifact(MessageStruct, frozen=True):
    """A file, or what stands for one, that a run gave.

    Source: artifact-created-message.json, ``artifact``.

    Attributes:
        storage_type: How it is kept: one of `STORAGE_TYPES`, or a word yet to
            come.
        name: Its path within the run; at most 1024 characters.
        expires: When the queue deletes it.
        content_type: Its media type; at most 255 characters.
    """

    storage_type: StorageType
    name: Annotated[str, Meta(max_length=1024)]
    expires: Time
    content_type: Annotated[str, Meta(max_length=255)]


class TaskMetadata(MessageStruct, frozen=True):
    """What a task's definition says for people; in no message, but in the queue's API.

    Source: task-metadata.json.

    Attributes:
        name: What to call the task; at most 255 characters.
        description: What it is for; at most 32768 characters, may be Markdown.
        owner: Whom to ask about it, as a rule a mail address; at most 255
            characters.
        source: Where it comes from: a URL, since v19 of ``ssh`` and ``git@``
            too; at most 4096 characters.
    """

    name: Annotated[str, Meta(max_length=255)]
    description: Annotated[str, Meta(max_length=32768)]
    owner: Annotated[str, Meta(max_length=255)]
    source: Annotated[str, Meta(max_length=4096, pattern="^(https?://|ssh://|git@)")]
