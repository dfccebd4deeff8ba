"""Which queue to declare: temporary, kept for a lost connection, or named and shared; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from uuid import uuid4

from tcsniff.errors import UsageError
from tcsniff.settings.brokers import MAX_NAME

_NAME = re.compile(r"(?!\.\.?(/|$))[\w.:@+=~-]+(/(?!\.\.?(/|$))[\w.:@+=~-]+)*")
_MAX_RESUMED = 50_000  # messages that a queue keeps for us during a lost connection


class QueueSpec(NamedTuple):
    """A queue to declare.

    Attributes:
        name: Its full name.
        is_kept: Whether it outlives the connection and may be shared; otherwise
            it is exclusive and is deleted with the connection.
        arguments: Arguments for the broker, such as ``x-expires``.
    """

    name: str
    is_kept: bool = False
    arguments: Mapping[str, int | str] = MappingProxyType({})


class QueuePolicy(NamedTuple):
    """What remains of a queue when its connection closes.

    Attributes:
        name: Name, below ``queue/<user>/``, of a durable queue that is kept and
            shared by all consumers that use the name; None for a temporary one.
        resume: Seconds for which a temporary queue outlives a lost connection;
            None for not at all.
        expires: Seconds without a consumer after which the broker deletes a
            named queue; None for never.
        max_length: The largest number of messages in a named queue; the broker
            drops older ones.
    """

    name: str | None = None
    resume: float | None = None
    expires: float | None = None
    max_length: int | None = None


TEMPORARY = QueuePolicy()
"""Nothing remains."""


def build_queue(user: str, policy: QueuePolicy) -> QueueSpec:
    """Return the queue for a new connection.

    A temporary one gets a new name each time: after a lost connection the broker
    may still consider the old one in use.

    Args:
        user: The owner: Pulse permits only ``queue/<user>/...``.
        policy: What remains of it.

    Raises:
        UsageError: If no queue can have that name.
    """
    if policy.name is not None:
        limits = {
            "x-expires": None if policy.expires is None else _to_milliseconds(policy.expires),
            "x-max-length": policy.max_length,
        }
        arguments = {name: value for name, value in limits.items() if value is not None}
        return QueueSpec(build_queue_name(user, policy.name), is_kept=True, arguments=arguments)
    name = f"queue/{user}/tcsniff/{uuid4().hex}"
    if policy.resume is None:
        return QueueSpec(name)
    # Durable, as RabbitMQ 4.3 requires for a queue that is not exclusive.
    arguments = {"x-expires": _to_milliseconds(policy.resume), "x-max-length": _MAX_RESUMED}
    return QueueSpec(name, is_kept=True, arguments=arguments)


def build_queue_name(user: str, name: str) -> str:
    """Return the full name of a named queue.

    Raises:
        UsageError: If no queue can have that name.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name for a queue: letters, digits and . _ - : @ + = ~, in parts "
            "separated by /, like gaia/failures"
        )
    full = f"queue/{user}/{name}"
    if (size := len(full.encode())) > MAX_NAME:
        raise UsageError(
            f"the queue's full name {full[:40]}… has {size:,} bytes; names have at most {MAX_NAME}"
        )
    return full


def _to_milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
