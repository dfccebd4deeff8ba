"""Who or what an event of another service than the queue is about.

Pure. Most of these messages have nothing in their routing keys, and all of it in the
payload. Sources: ``services/*/src/exchanges.js`` of the taskcluster repository at v106.0.0.
All text from here is as it was received, not safe for a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import PLACEHOLDER
from tcsniff.pulse.payloads import get_path

_TextOf = Callable[[Event], str]


def find_subject(event: Event) -> str:
    """Return a client, role, hook, worker, launch config, topic or repository; empty for none."""
    find = _SUBJECTS.get(event.name)
    return find(event) if find and event.service else ""


def find_pool(event: Event) -> str:
    """Return the worker pool in the payload of worker-manager's messages; empty for none."""
    return _get_text(event, "workerPoolId") if event.service == "worker-manager" else ""


def describe_details(event: Event) -> str:
    """Return what happened to the subject, as an error's kind and title; empty for nothing."""
    find = _DETAILS.get(event.name)
    return find(event) if find and event.service else ""


def _get_text(event: Event, *path: str) -> str:
    value = get_path(event.payload, *path)
    return value if isinstance(value, str) else ""


def _get_word(event: Event, field: str) -> str:
    word = event.routing.get(field, "")
    return "" if word == PLACEHOLDER else word


def _join(separator: str, texts: Sequence[str]) -> str:
    return separator.join(filter(None, texts))


def _find_hook(event: Event) -> str:
    return _join("/", [_get_text(event, "hookGroupId"), _get_text(event, "hookId")])


def _find_worker(event: Event) -> str:
    return _join(
        " ",
        [_get_text(event, name) or _get_word(event, name) for name in ("workerGroup", "workerId")],
    )


def _find_launch_config(event: Event) -> str:
    return _get_text(event, "launchConfigId") or _get_word(event, "launchConfigId")


def _find_repository(event: Event) -> str:
    # In keys, dots are written as percent signs.
    return _join(
        "/",
        [
            _get_text(event, name) or _get_word(event, name).replace("%", ".")
            for name in ("organization", "repository")
        ],
    )


def _describe_error(event: Event) -> str:
    return _join(": ", [_get_text(event, "kind"), _get_text(event, "title")])


def _describe_provider(event: Event) -> str:
    provider, previous = (_get_text(event, name) for name in ("providerId", "previousProviderId"))
    return f"{previous} → {provider}" if previous and previous != provider else provider


def _describe_push(event: Event) -> str:
    return _get_text(event, "branch") or _get_text(event, "details", "event.base.repo.branch")


_SUBJECTS: dict[str, _TextOf] = {
    **dict.fromkeys(
        ("client-created", "client-updated", "client-deleted"),
        lambda event: _get_text(event, "clientId"),
    ),
    **dict.fromkeys(
        ("role-created", "role-updated", "role-deleted"),
        lambda event: _get_text(event, "roleId"),
    ),
    **dict.fromkeys(("hook-created", "hook-updated", "hook-deleted"), _find_hook),
    **dict.fromkeys(
        ("worker-pool-created", "worker-pool-updated", "worker-pool-error"), find_pool
    ),
    **dict.fromkeys(
        ("worker-requested", "worker-running", "worker-stopped", "worker-removed"), _find_worker
    ),
    **dict.fromkeys(
        ("launch-config-created", "launch-config-updated", "launch-config-archived"),
        _find_launch_config,
    ),
    **dict.fromkeys(
        ("pull-request", "push", "release", "rerun", "task-group-creation-requested"),
        _find_repository,
    ),
    "notification": lambda event: _get_word(event, "topic"),
}

_DETAILS: dict[str, _TextOf] = {
    "worker-pool-error": _describe_error,
    "worker-pool-created": _describe_provider,
    "worker-pool-updated": _describe_provider,
    "worker-removed": lambda event: _get_text(event, "reason"),
    "pull-request": lambda event: _get_word(event, "action"),
    "push": _describe_push,
    "task-group-creation-requested": lambda event: _get_text(event, "taskGroupId"),
    "release": lambda event: _get_text(event, "version"),
}
