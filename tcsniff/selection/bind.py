"""`bind`: what to ask a broker for, in Python's words.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypedDict, Unpack

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.routing import FIELDS, POOLS, to_flag
from tcsniff.selection.select import Selection, SelectionArgs, build_selection

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
"""Every exchange of the catalog, by what happened."""

Values = str | int | Iterable[str | int] | None
"""What a field may hold: a value, or several as alternatives; None for anything."""


class Fields(TypedDict, total=False):
    """What the routing keys of an exchange can be asked for.

    Different fields narrow; several values of one are alternatives.

    Attributes:
        task_id: Of this task: 22 characters.
        task_group_id: Of this task group: 22 characters.
        run_id: Of this run, counted from 0.
        worker_group: Of workers in this group; at most 38 characters.
        worker_id: Of this worker; at most 38 characters.
        provisioner_id: Of this provisioner; at most 38 characters.
        worker_type: Of this worker type; at most 38 characters.
        scheduler_id: Of this scheduler; at most 38 characters.
        task_queue: Of this task queue: ``PROVISIONER/WORKER_TYPE``.
        organization: Of this GitHub organization, with ``%`` for each dot.
        repository: Of this GitHub repository, with ``%`` for each dot.
        action: Of this action on a pull request.
        topic: Of notifications with this topic, which may be several words.
        provider_id: Of worker pools with this provider.
        launch_config_id: Of workers with this launch config.
        worker_pool_id: The same as `task_queue`, as the worker manager says.
        route: Of tasks with this route, without ``route.``; may hold ``*`` and
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


# Keyword to the field's own name.
_FIELDS = {
    to_flag(name)[2:].replace("-", "_"): name for name in (*FIELDS, *POOLS) if name != "reserved"
}


def bind(
    exchange: EventName | str, pattern: str | None = None, **fields: Unpack[Fields]
) -> Selection:
    """Say which messages of an exchange to ask for.

    Args:
        exchange: What happened, such as ``task-running``; or the full name of
            any exchange.
        pattern: What to bind, where ``*`` stands for one word and ``#`` for any
            number; instead of fields. For an exchange that is not in the
            catalog, None means all.
        fields: What the routing key must hold: see `Fields`.

    Returns:
        What `listen` takes; its `bindings` are what the broker is asked for.

    Raises:
        UsageError: If the exchange has no such field, or a value cannot stand
            in it.
    """
    given = {name: _alternatives(name, values) for name, values in fields.items()}
    routes = given.pop("route", [])
    asked = {_FIELDS[name]: values for name, values in given.items() if values}
    if pattern is None and ("/" not in exchange or asked):
        return build_selection(SelectionArgs(events=[exchange], fields=asked, routes=routes))
    if asked:
        raise UsageError(f"{exchange}: bind takes a pattern or fields, not both")
    patterns = [] if pattern is None else [pattern]
    return build_selection(
        SelectionArgs(exchanges=[exchange], routing_keys=patterns, routes=routes)
    )


def _alternatives(name: str, values: object) -> list[str]:
    if name not in Fields.__annotations__:
        known = Fields.__annotations__
        near = suggest(name, known) or f"; there are {', '.join(known)}"
        raise UsageError(f"bind knows no field {name!r}{near}")
    if values is None:
        return []
    if isinstance(values, str | int):
        return [str(values)]
    if isinstance(values, Iterable):
        return [str(value) for value in values]
    raise UsageError(f"{name}={values!r}: a field holds text, a number, or several of them")
