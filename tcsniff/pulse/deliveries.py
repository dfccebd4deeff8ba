"""A delivery: a message as a broker, a recording or the simulator delivers it.

Pure. The only type that sources pass to the rest of tcsniff.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tcsniff.pulse.exchanges import ROUTE


class Delivery(NamedTuple):
    """A message as it was received, not decoded.

    Attributes:
        exchange: The exchange it was published to.
        routing_key: Its routing key; never one of the `cc` keys, even if only
            that one matched a binding.
        body: The bytes of the body.
        cc: The other routing keys it was published under, from AMQP's header
            ``CC``; a task's own routes are among them, each as
            ``route.<route>``. None if the source cannot know them.
        redelivered: Whether the broker has tried to deliver it before.
        received: When tcsniff received it, in UTC, as
            ``2026-11-23T18:00:00.123Z``; None if unknown.
    """

    exchange: str
    routing_key: str
    body: bytes
    cc: tuple[str, ...] | None = ()
    redelivered: bool = False
    received: str | None = None

    @property
    def routes(self) -> list[str] | None:
        """The task's own routes: the `cc` keys that start with ``route.``, without it.

        None if the source cannot know them.
        """
        if self.cc is None:
            return None
        return [key.removeprefix(ROUTE) for key in self.cc if key.startswith(ROUTE)]

    @property
    def keys(self) -> tuple[str, ...]:
        """Every known routing key that a binding could match."""
        return (self.routing_key, *(self.cc or ()))


class Gap(NamedTuple):
    """A time during which no messages could be received.

    Attributes:
        since: When messages were certainly received for the last time, in UTC,
            as ``2026-11-23T18:00:00.123Z``.
        until: When messages could be received again.
        missed: Whether messages may have been missed; False if the queue kept
            them.
        reason: The cause.
    """

    since: str
    until: str
    missed: bool
    reason: str


Batch = Sequence[Delivery]
"""Everything that arrived since the last batch; empty if nothing arrived for a moment."""
