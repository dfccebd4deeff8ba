"""What becomes of our queue when the connection goes, and how it is tried again."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from typing import NamedTuple

from tcsniff.sources.link import Queue

FIRST_PAUSE = 0.5  # seconds before a lost connection is tried again; doubled each time
LONGEST_PAUSE = 30.0  # seconds
_RESUMED = 50_000  # messages that a queue keeps for us while we are away


class Keeping(NamedTuple):
    """What is to be kept of a queue when the connection goes.

    Attributes:
        name: Of a durable queue, below ``queue/<user>/``, that is kept and
            shared by all who name it; None for a temporary one of our own.
        resume: Seconds for which a temporary queue outlives a lost connection;
            None for not at all.
        expires: Seconds without a consumer after which the broker deletes a
            named queue; None for never.
        max_length: The most messages of a named queue; older ones are dropped.
    """

    name: str | None = None
    resume: float | None = None
    expires: float | None = None
    max_length: int | None = None


TEMPORARY = Keeping()
"""Nothing is kept."""


def queue_of(user: str, keeping: Keeping) -> Queue:
    """Make up the queue for a connection.

    Args:
        user: Whose queue it is: Pulse permits ``queue/<user>/...`` alone.
        keeping: What is to be kept.

    Returns:
        For a temporary one another name each time: after a lost connection the
        broker may still believe that the old one is in use.
    """
    if keeping.name is not None:
        limits = {
            "x-expires": None if keeping.expires is None else int(keeping.expires * 1000),
            "x-max-length": keeping.max_length,
        }
        arguments = {name: value for name, value in limits.items() if value is not None}
        return Queue(f"queue/{user}/{keeping.name}", kept=True, arguments=arguments)
    name = f"queue/{user}/tcsniff/{secrets.token_urlsafe(16)}"
    if keeping.resume is None:
        return Queue(name)
    # Durable, as RabbitMQ 4.3 wants of a queue that is not exclusive.
    expires = {"x-expires": int(keeping.resume * 1000), "x-max-length": _RESUMED}
    return Queue(name, kept=True, arguments=expires)


def pauses() -> Iterator[float]:
    """Tell how long to wait before each further try, in seconds, for ever.

    With jitter, so that a broker that comes back is not met by all at once.
    """
    pause = FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.5, 1.5)
        pause = min(2 * pause, LONGEST_PAUSE)
