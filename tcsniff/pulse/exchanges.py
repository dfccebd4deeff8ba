"""The exchanges Taskcluster publishes to, and the fields of their routing keys.

Pure data. Sources, of the taskcluster repository at v106.0.0 (August 2026):
``generated/references.json``, every entry of kind ``exchanges``, for the names
and fields; ``services/*/src/exchanges.js`` for the sizes. Every exchange has
API version v1.
"""

from __future__ import annotations

from typing import NamedTuple

from tcsniff.errors import UsageError, suggest
from tcsniff.identifiers import ID_CHARACTER, PROVISIONER_ID, SLUG_ID, WORKER_TYPE

PLACEHOLDER = "_"  # published for a field without a value
ROUTE = "route."  # the prefix of a task's own routes among the routing keys

_IDENTIFIER = ID_CHARACTER + "+"
_GITHUB_NAME = "[a-zA-Z0-9-_%]+"
_RUN_ID = "[0-9]{1,3}"


class Field(NamedTuple):
    """One field of a routing key: one word, or any number of words.

    Attributes:
        name: Taskcluster's spelling, such as ``workerType``.
        size: The maximum length of a value, in characters.
        pattern: A regular expression that the whole value must match; None if
            any word is valid.
        required: Whether every message has a value; messages without one have
            `PLACEHOLDER` instead.
        constant: The value in every message; None if values differ.
        many: Whether a value may have several words, or none.
    """

    name: str
    size: int
    pattern: str | None = None
    required: bool = True
    constant: str | None = None
    many: bool = False

    @property
    def wildcard(self) -> str:
        """The word of a pattern that matches any value of the field."""
        return self.constant or ("#" if self.many else "*")


class Exchange(NamedTuple):
    """A topic exchange of one service.

    Attributes:
        service: The publishing service, such as ``queue``.
        name: The last part of the exchange's name, such as ``task-running``.
            Unique across services.
        entry: The name in Taskcluster's reference, such as ``taskRunning``.
        fields: The routing key's fields in order.
        summary: What a message announces, in one line.
        routes: Whether messages are also published under ``route.`` keys.
    """

    service: str
    name: str
    entry: str
    fields: tuple[Field, ...]
    summary: str
    routes: bool = False

    @property
    def address(self) -> str:
        """The exchange's name on the broker."""
        return f"exchange/taskcluster-{self.service}/v1/{self.name}"


_PRIMARY = Field("routingKeyKind", 7, "primary", constant="primary")
_RESERVED = Field("reserved", 1, required=False, many=True)
_TASK_ID = Field("taskId", 22, SLUG_ID)
_TASK_GROUP_ID = Field("taskGroupId", 22, SLUG_ID)
_SCHEDULER_ID = Field("schedulerId", 38, _IDENTIFIER)
_RUN = Field("runId", 3, _RUN_ID)
_WORKER_GROUP = Field("workerGroup", 38, _IDENTIFIER)
_WORKER_ID = Field("workerId", 38, _IDENTIFIER)
_PROVISIONER = Field("provisionerId", 38, PROVISIONER_ID)
_TYPE = Field("workerType", 38, WORKER_TYPE)
_PROVIDER = Field("providerId", 38, _IDENTIFIER)
_LAUNCH_CONFIG = Field("launchConfigId", 38, _IDENTIFIER)


def _make_optional(field: Field) -> Field:
    return field._replace(required=False)


def _list_task_fields(*run_and_worker: Field) -> tuple[Field, ...]:
    rest = (_PROVISIONER, _TYPE, _SCHEDULER_ID, _TASK_GROUP_ID, _RESERVED)
    return (_PRIMARY, _TASK_ID, *run_and_worker, *rest)


def _list_worker_fields(
    provider: Field, pool: tuple[Field, Field], *worker: Field
) -> tuple[Field, ...]:
    return (_PRIMARY, provider, *pool, *worker, _make_optional(_LAUNCH_CONFIG), _RESERVED)


_NO_RUN = (_make_optional(_RUN), _make_optional(_WORKER_GROUP), _make_optional(_WORKER_ID))
_ANY_TASK = _list_task_fields(*_NO_RUN)
_PENDING_TASK = _list_task_fields(_RUN, *_NO_RUN[1:])
_CLAIMED_TASK = _list_task_fields(_RUN, _WORKER_GROUP, _WORKER_ID)
_TASK_GROUP = (_PRIMARY, _TASK_GROUP_ID, _SCHEDULER_ID, _RESERVED)
_REPOSITORY = (
    _PRIMARY,
    Field("organization", 100, _GITHUB_NAME),
    Field("repository", 100, _GITHUB_NAME),
)
_HOOK = (Field("reserved", 10, required=False, many=True),)
_AUTH = (_RESERVED,)
_ANY_WORKER = _list_worker_fields(
    _make_optional(_PROVIDER),
    (_make_optional(_PROVISIONER), _make_optional(_TYPE)),
    *_NO_RUN[1:],
)
_KNOWN_WORKER = _list_worker_fields(_PROVIDER, (_PROVISIONER, _TYPE), _WORKER_GROUP, _WORKER_ID)

CATALOG = (
    Exchange(
        "queue",
        "task-defined",
        "taskDefined",
        _ANY_TASK,
        "a task was created; its status is always unscheduled here, without runs",
        routes=True,
    ),
    Exchange(
        "queue",
        "task-pending",
        "taskPending",
        _PENDING_TASK,
        "a run can be claimed: the first, a retry or a rerun",
        routes=True,
    ),
    Exchange(
        "queue",
        "task-running",
        "taskRunning",
        _CLAIMED_TASK,
        "a worker claimed a run; renewed claims are not announced",
        routes=True,
    ),
    Exchange(
        "queue",
        "artifact-created",
        "artifactCreated",
        _CLAIMED_TASK,
        "a run has a new artifact; never for storage type s3",
        routes=True,
    ),
    Exchange(
        "queue",
        "task-completed",
        "taskCompleted",
        _CLAIMED_TASK,
        "a run succeeded, and its task with it",
        routes=True,
    ),
    Exchange(
        "queue",
        "task-failed",
        "taskFailed",
        _ANY_TASK,
        "a run's own code failed, and its task with it",
        routes=True,
    ),
    Exchange(
        "queue",
        "task-exception",
        "taskException",
        _ANY_TASK,
        "a run ended for another reason; final unless the status says pending",
        routes=True,
    ),
    Exchange(
        "queue",
        "task-group-resolved",
        "taskGroupResolved",
        _TASK_GROUP,
        "every task of a group has been resolved once; repeats, and reruns may still run",
    ),
    Exchange(
        "queue",
        "task-group-sealed",
        "taskGroupSealed",
        _TASK_GROUP,
        "no more tasks can be added to a group (since v48.0.0)",
    ),
    Exchange(
        "queue",
        "task-priority-changed",
        "taskPriorityChanged",
        _ANY_TASK,
        "the priority of an unresolved task was changed (since v95.1.0)",
        routes=True,
    ),
    Exchange(
        "queue",
        "task-group-priority-changed",
        "taskGroupPriorityChanged",
        _TASK_GROUP,
        "the priority of all unresolved tasks of a group was changed (since v95.1.0)",
    ),
    Exchange(
        "github",
        "pull-request",
        "pullRequest",
        (*_REPOSITORY, Field("action", 22)),
        "something happened to a pull request; the action says what",
    ),
    Exchange(
        "github",
        "push",
        "push",
        _REPOSITORY,
        "commits or a tag were pushed",
    ),
    Exchange(
        "github",
        "release",
        "release",
        _REPOSITORY,
        "a release was published or changed",
    ),
    Exchange(
        "github",
        "rerun",
        "rerun",
        _REPOSITORY,
        "a rerun of a check was requested (since v44.16.0)",
    ),
    Exchange(
        "github",
        "task-group-creation-requested",
        "taskGroupCreationRequested",
        _REPOSITORY,
        "the tasks for a GitHub event are about to be created",
        routes=True,
    ),
    Exchange("hooks", "hook-created", "hookCreated", _HOOK, "a hook was created"),
    Exchange("hooks", "hook-updated", "hookUpdated", _HOOK, "a hook's definition was changed"),
    Exchange("hooks", "hook-deleted", "hookDeleted", _HOOK, "a hook was deleted"),
    Exchange(
        "notify",
        "notification",
        "notify",
        (_PRIMARY, Field("topic", 100, many=True)),
        "a notification requested with the notify API or a task's notify.pulse route",
        routes=True,
    ),
    Exchange("auth", "client-created", "clientCreated", _AUTH, "a client was created"),
    Exchange("auth", "client-updated", "clientUpdated", _AUTH, "a client was changed"),
    Exchange("auth", "client-deleted", "clientDeleted", _AUTH, "a client was deleted"),
    Exchange("auth", "role-created", "roleCreated", _AUTH, "a role was created"),
    Exchange("auth", "role-updated", "roleUpdated", _AUTH, "a role was changed"),
    Exchange("auth", "role-deleted", "roleDeleted", _AUTH, "a role was deleted"),
    Exchange(
        "worker-manager",
        "worker-pool-created",
        "workerPoolCreated",
        _ANY_WORKER,
        "a worker pool was created; published without field values",
    ),
    Exchange(
        "worker-manager",
        "worker-pool-updated",
        "workerPoolUpdated",
        _ANY_WORKER,
        "a worker pool's definition was changed; published without field values",
    ),
    Exchange(
        "worker-manager",
        "worker-pool-error",
        "workerPoolError",
        _ANY_WORKER,
        "provisioning, or a worker, reported an error (since v67.0.0)",
    ),
    Exchange(
        "worker-manager",
        "worker-requested",
        "workerRequested",
        _KNOWN_WORKER,
        "a worker was requested from the cloud provider (since v67.0.0)",
    ),
    Exchange(
        "worker-manager",
        "worker-running",
        "workerRunning",
        _KNOWN_WORKER,
        "a worker registered and can claim tasks (since v67.0.0)",
    ),
    Exchange(
        "worker-manager",
        "worker-stopped",
        "workerStopped",
        _KNOWN_WORKER,
        "a worker stopped (since v67.0.0)",
    ),
    Exchange(
        "worker-manager",
        "worker-removed",
        "workerRemoved",
        _KNOWN_WORKER,
        "a worker was asked to stop or was terminated, with the reason (since v67.0.0)",
    ),
    Exchange(
        "worker-manager",
        "launch-config-created",
        "launchConfigCreated",
        _ANY_WORKER,
        "a launch config was added to a worker pool (since v82.0.0)",
    ),
    Exchange(
        "worker-manager",
        "launch-config-updated",
        "launchConfigUpdated",
        _ANY_WORKER,
        "a launch config was changed (since v82.0.0)",
    ),
    Exchange(
        "worker-manager",
        "launch-config-archived",
        "launchConfigArchived",
        _ANY_WORKER,
        "a launch config was archived (since v82.0.0)",
    ),
)

KEYS_WITHOUT_VALUES = frozenset({"worker-pool-created", "worker-pool-updated"})
"""Exchanges whose keys have `PLACEHOLDER` for every field, although the reference has values.

Seen with the real services of v106.0.0.
"""

WORKER_EVENTS = (
    "worker-requested",
    "worker-running",
    "worker-stopped",
    "worker-removed",
    "worker-pool-error",
)
"""Exchanges that announce what becomes of the workers of a pool."""

BY_ADDRESS = {exchange.address: exchange for exchange in CATALOG}

_BY_NAME = {
    spelling: exchange
    for exchange in CATALOG
    for spelling in (
        exchange.name,
        exchange.entry,
        f"{exchange.service}/{exchange.name}",
        f"{exchange.service}/{exchange.entry}",
        exchange.address,
    )
}

SHORT_NAMES = {
    name.removeprefix("task-"): name
    for name in (
        "task-defined",
        "task-pending",
        "task-running",
        "task-completed",
        "task-failed",
        "task-exception",
    )
}
"""Short names of the exchanges that announce a task's state, without ``task-``."""

_BY_NAME |= {short: _BY_NAME[name] for short, name in SHORT_NAMES.items()}


def has_exchange(name: str) -> bool:
    """Return whether `find_exchange` finds an exchange."""
    return name in _BY_NAME


def find_exchange(name: str) -> Exchange:
    """Return the exchange with a name.

    Args:
        name: A name such as ``task-running`` or, for the states of tasks, ``running``;
            the name in Taskcluster's reference, such as ``taskRunning``; either
            after its service, such as ``queue/task-running``; or the name on the
            broker.

    Raises:
        UsageError: If no exchange has that name.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        names = [*(exchange.name for exchange in CATALOG), *SHORT_NAMES]
        hint = suggest(to_kebab_case(name.rpartition("/")[2]), names)
        raise UsageError(
            f"unknown event {name!r}{hint or '; `tcsniff exchanges` lists all events'}"
        ) from None


def to_kebab_case(name: str) -> str:
    """Convert a camelCase name to the spelling of flags and EVENT names."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
