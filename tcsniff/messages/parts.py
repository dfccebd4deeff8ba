"""The parts of messages: tasks, runs, artifacts, and their known values and limits.

Pure. Sources: the queue's schemas, ``services/queue/schemas/v1`` of the
taskcluster repository, as of v19.0.0 (October 2019) and v106.0.0 (August 2026);
each class names its own. New versions of Taskcluster may add values to the
schemas' lists, so a state, reason, storage type or priority may be any string here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tcsniff.identifiers import MAX_RUN_ID, PATTERNS
from tcsniff.messages.id_checks import STATUS_IDS, WORKER_IDS, IdPattern

STATES = (
    "unscheduled",  # no run yet: waits for dependencies, or until it is scheduled by hand
    "pending",  # its last run waits for a worker
    "running",  # a worker has claimed its last run
    "completed",  # the worker reported success
    "failed",  # the worker ran it, and it did not succeed
    "exception",  # something else ended it; the last run has the reason
)
RUN_STATES = STATES[1:]
REASONS_CREATED = (
    "scheduled",  # the task's first run
    "retry",  # the queue retries after a worker was lost
    "task-retry",  # the queue retries because the task asked for it
    "rerun",  # a user asked for another run
    "exception",  # exists only to hold the end of a task that had no run
)
REASONS_RESOLVED = (
    "completed",  # the worker reported success
    "failed",  # the worker reported failure
    "deadline-exceeded",  # the task's deadline passed
    "canceled",  # a user canceled the task
    "claim-expired",  # the worker did not renew its claim in time
    "worker-shutdown",  # the worker was stopped, as spot instances are
    "malformed-payload",  # the worker could not understand the task
    "resource-unavailable",  # something the task needs was not available
    "internal-error",  # the worker itself failed
    "intermittent-task",  # the task asked to be retried
    "superseded",  # another task replaced it; no longer published
)
RETRIED_REASONS = ("claim-expired", "worker-shutdown", "intermittent-task")  # while retries last
PRIORITIES = ("highest", "very-high", "high", "medium", "low", "very-low", "lowest")
STORAGE_TYPES = (
    "reference",  # redirects to a URL
    "link",  # points to another artifact of the same run
    "error",  # names the reason why the artifact is missing
    "object",  # kept by the object service
    "blob",  # uploaded to the queue's own store; not published today
)

_ANY_QUEUE = "-/a"  # checked in place of a task queue that is absent


def _limit_id(field: str, *, min_length: int | None = None, max_length: int | None = None) -> Meta:
    # The pattern here is for the schema only; `IdPattern` is what checks it.
    pattern = {"pattern": PATTERNS[field]}
    return Meta(min_length=min_length, max_length=max_length, extra_json_schema=pattern)


SlugId = Annotated[str, _limit_id("task_id")]
Identifier = Annotated[str, _limit_id("worker_id", min_length=1, max_length=38)]
ProvisionerId = Annotated[str, _limit_id("provisioner_id")]
WorkerType = Annotated[str, _limit_id("worker_type")]
TaskQueueId = Annotated[str, _limit_id("task_queue_id")]
ProjectId = Annotated[str, _limit_id("project_id", min_length=1, max_length=500)]
RunId = Annotated[int, Meta(ge=0, le=MAX_RUN_ID)]
"""A run of a task, counted from 0."""
Time = Annotated[datetime, Meta(tz=True)]
"""An RFC 3339 time with offset, so always aware; rounded to microseconds."""
State = Annotated[str, Meta(examples=list(STATES))]
RunState = Annotated[str, Meta(examples=list(RUN_STATES))]
ReasonCreated = Annotated[str, Meta(examples=list(REASONS_CREATED))]
ReasonResolved = Annotated[str, Meta(examples=list(REASONS_RESOLVED))]
Priority = Annotated[str, Meta(examples=list(PRIORITIES))]
StorageType = Annotated[str, Meta(examples=list(STORAGE_TYPES))]
Version = Literal[1]


class MessageStruct(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """The base of all classes here: immutable, with camelCase names in JSON.

    Limits are checked only while decoding. The patterns of IDs are also checked
    when an instance is created in Python, which raises ValueError.
    """


class IdError(ValueError):
    """An ID does not match its pattern. msgspec makes it the cause of its own error.

    Attributes:
        field: The field's name in JSON.
    """

    def __init__(self, message: Struct) -> None:
        """Find the field of a message whose value does not match."""
        names = dict(zip(message.__struct_fields__, message.__struct_encode_fields__, strict=True))
        # None becomes 'None', which every pattern but that of the task queue
        # matches; the task queue is checked last.
        field = next(
            field
            for field in PATTERNS
            if field in names and not IdPattern(field).fullmatch(str(getattr(message, field)))
        )
        super().__init__(f"Expected `str` matching regex {PATTERNS[field]!r}")
        self.field = names[field]


class RunInformation(MessageStruct, frozen=True):
    """One run of a task: an attempt by a worker.

    Source: task-status.json, items of ``runs``.

    Attributes:
        run_id: Its number, which is also its index among the task's runs.
        state: One of `RUN_STATES`, or a value added later.
        reason_created: Why this run exists: one of `REASONS_CREATED`, or a
            value added later.
        scheduled: When it was created and became pending.
        reason_resolved: Why it ended: one of `REASONS_RESOLVED`, or a value
            added later; None before it ends.
        worker_group: The group of its worker; 1 to 38 characters, None before a
            claim.
        worker_id: Its worker, unique within the group; 1 to 38 characters, None
            before a claim.
        taken_until: When the worker's claim expires unless it is renewed; None
            before a claim.
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
        if not WORKER_IDS.fullmatch(f"{self.worker_group} {self.worker_id}"):
            raise IdError(self)


class TaskStatus(MessageStruct, frozen=True):
    """The status of a task at the time when the queue sent the message.

    Source: task-status.json.

    Attributes:
        task_id: The task.
        provisioner_id: The first half of its task queue ID; 1 to 38 characters.
        worker_type: The second half; 1 to 38 characters.
        scheduler_id: The scheduler of the task's group, ``-`` by default; 1 to 38
            characters.
        task_group_id: The group it belongs to. By convention, the ID of the
            group's first task, the decision task.
        deadline: When the queue ends it with an exception, if it has not ended
            by then.
        expires: When the queue deletes it; its artifacts expire no later.
        retries_left: How often the queue will retry it automatically; 0 to 999,
            although a task can ask for at most 49.
        state: One of `STATES`, or a value added later. The state of the last
            run; ``unscheduled`` without runs.
        runs: Every run so far, in the order of their numbers.
        task_queue_id: The task queue, ``<provisioner_id>/<worker_type>``; None
            if absent, as in v19.
        project_id: The project it is accounted to, ``none`` by default; 1 to 500
            characters, None if absent, as in v19.
        priority: One of `PRIORITIES`, or a value added later; None if absent, as
            in v19 and after a whole group was canceled.
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
        if not STATUS_IDS.fullmatch(
            f"{self.task_id} {self.task_group_id} {self.provisioner_id} {self.worker_type} "
            f"{self.scheduler_id} {self.project_id} {queue}"
        ):
            raise IdError(self)


class TaskTags(MessageStruct, frozen=True):
    """The part of a task's definition that messages contain.

    Source: task-pulse-definition.json.

    Attributes:
        tags: Arbitrary names and values; each value has at most 4096
            characters. By taskgraph's convention, ``label`` is the task's name.
            Empty after a whole group was canceled.
    """

    tags: dict[str, Annotated[str, Meta(max_length=4096)]]


class Artifact(MessageStruct, frozen=True):
    """A file, or a reference to one, that a run created.

    Source: artifact-created-message.json, ``artifact``.

    Attributes:
        storage_type: How it is stored: one of `STORAGE_TYPES`, or a value added
            later.
        name: Its path within the run; at most 1024 characters.
        expires: When the queue deletes it.
        content_type: Its media type; at most 255 characters.
    """

    storage_type: StorageType
    name: Annotated[str, Meta(max_length=1024)]
    expires: Time
    content_type: Annotated[str, Meta(max_length=255)]


class TaskMetadata(MessageStruct, frozen=True):
    """The human-readable part of a task's definition; not in messages, but in the queue's API.

    Source: task-metadata.json.

    Attributes:
        name: The task's name; at most 255 characters.
        description: What the task is for; at most 32768 characters, may be
            Markdown.
        owner: Whom to ask about it, usually an email address; at most 255
            characters.
        source: Where it comes from: a URL, since v19 also with ``ssh`` and
            ``git@``; at most 4096 characters.
    """

    name: Annotated[str, Meta(max_length=255)]
    description: Annotated[str, Meta(max_length=32768)]
    owner: Annotated[str, Meta(max_length=255)]
    source: Annotated[str, Meta(max_length=4096, pattern="^(https?://|ssh://|git@)")]
