"""`bind`: a selection of messages, written in Python.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypedDict, Unpack

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.routing import FIELDS, POOLS, to_flag
from tcsniff.selection.select import Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs

EventName = Literal[
    "task-defined",
    "task-pending",
    "task-running",
    "artifact-created",
    "task-completed",
    "task-failed",
    "task-exception",
    "task-group-resolved",
    "task-group-sealed",
    "task-priority-changed",
    "task-group-priority-changed",
    "pull-request",
    "push",
    "release",
    "rerun",
    "task-group-creation-requested",
    "hook-created",
    "hook-updated",
    "hook-deleted",
    "notification",
    "client-created",
    "client-updated",
    "client-deleted",
    "role-created",
    "role-updated",
    "role-deleted",
    "worker-pool-created",
    "worker-pool-updated",
    "worker-pool-error",
    "worker-requested",
    "worker-running",
    "worker-stopped",
    "worker-removed",
    "launch-config-created",
    "launch-config-updated",
    "launch-config-archived",
]
"""The names of all exchanges of the catalog."""

Values = str | int | Iterable[str | int] | None
"""The value of a field, or several as alternatives; None for any value."""


class Fields(TypedDict, total=False):
    """The fields of routing keys that messages can be selected by.

    Different fields narrow; several values of one field are alternatives.

    Attributes:
        task_id: The task; 22 characters.
        task_group_id: The task group; 22 characters.
        run_id: The run, counted from 0.
        worker_group: The group of the worker; at most 38 characters.
        worker_id: The worker; at most 38 characters.
        provisioner_id: The provisioner; at most 38 characters.
        worker_type: The worker type; at most 38 characters.
        scheduler_id: The scheduler; at most 38 characters.
        task_queue: The task queue: ``PROVISIONER/WORKER_TYPE``.
        organization: The GitHub organization, with ``%`` for each dot.
        repository: The GitHub repository, with ``%`` for each dot.
        action: The action on a pull request.
        topic: The topic of a notification, which may be several words.
        provider_id: The provider of the worker pool.
        launch_config_id: The launch config of the worker.
        worker_pool_id: The worker manager's name for `task_queue`.
        route: A route of the task, without ``route.``; may contain ``*`` and
            ``#``.
    """

    task_id: Values
    task_group_id: Values
    run_id: Values
    worker_group: Values
    worker_id: Values
    provisioner_id: Values
    worker_type: Values
    scheduler_id: Values
    task_queue: Values
    organization: Values
    repository: Values
    action: Values
    topic: Values
    provider_id: Values
    launch_config_id: Values
    worker_pool_id: Values
    route: Values


# The field of each keyword.
_FIELDS = {
    to_flag(name)[2:].replace("-", "_"): name for name in (*FIELDS, *POOLS) if name != "reserved"
}


def bind(
    exchange: EventName | str, pattern: str | None = None, **fields: Unpack[Fields]
) -> Selection:
    """Select messages of an exchange.

    Args:
        exchange: A name such as ``task-running``, or the full name of any
            exchange.
        pattern: The pattern to bind, where ``*`` matches one word and ``#`` any
            number of words; instead of fields. For an exchange that is not in
            the catalog, None selects all messages.
        fields: Required values of routing key fields: see `Fields`.

    Returns:
        An argument for `listen`; its `bindings` are what the broker matches.

    Raises:
        UsageError: If the exchange has no such field, or the field can never
            have such a value.
    """
    values_by_name = {name: _list_values(name, values) for name, values in fields.items()}
    routes = values_by_name.pop("route", [])
    choices = {_FIELDS[name]: values for name, values in values_by_name.items() if values}
    if pattern is None and ("/" not in exchange or choices):
        return build_selection(SelectionArgs(events=[exchange], fields=choices, routes=routes))
    if choices:
        raise UsageError(f"{exchange}: bind accepts a pattern or fields, not both")
    patterns = [] if pattern is None else [pattern]
    return build_selection(
        SelectionArgs(exchanges=[exchange], routing_keys=patterns, routes=routes)
    )


def _list_values(name: str, values: object) -> list[str]:
    if name not in Fields.__annotations__:
        known = Fields.__annotations__
        hint = suggest(name, known) or f"; known fields: {', '.join(known)}"
        raise UsageError(f"bind: unknown field {name!r}{hint}")
    if values is None:
        return []
    if isinstance(values, str | int):
        return [str(values)]
    if isinstance(values, Iterable):
        return [str(value) for value in values]
    raise UsageError(f"{name}={values!r} is not text, a number, or several of them")
