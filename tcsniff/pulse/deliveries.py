"""A delivery: what a broker, a recording or the simulator hands over.

Pure. The one thing that crosses from the sources into the rest of tcsniff.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tcsniff.pulse.exchanges import ROUTE


class Delivery(NamedTuple):
    """A message as it came: bytes and addresses, nothing decoded.

    Attributes:
        exchange: The exchange it was published to.
        routing_key: Its routing key; never one of the `cc` keys, even if only
            that one matched a binding.
        body: The bytes of the body.
        cc: The further routing keys that it was published under, from AMQP's
            header ``CC``; a task's own routes are there, each as
            ``route.<route>``.
        redelivered: Whether the broker has tried to deliver it before.
        received: When it reached us, in UTC, as ``2026-11-23T18:00:00.123Z``;
            None if nobody wrote that down.
    """

    exchange: str
    routing_key: str
    body: bytes
    cc: tuple[str, ...] = ()
    redelivered: bool = False
    received: str | None = None

    @property
    def routes(self) -> list[str]:
        """The task's own routes: the `cc` keys under ``route.``, without that word."""
        return [key.removeprefix(ROUTE) for key in self.cc if key.startswith(ROUTE)]

    @property
    def keys(self) -> tuple[str, ...]:
        """Every routing key that a binding could match."""
        return (self.routing_key, *self.cc)


class Gap(NamedTuple):
    """A time in which nothing could be heard.

    Attributes:
        since: When all had surely been heard for the last time, in UTC, as
            ``2026-11-23T18:00:00.123Z``.
        until: From when on all was heard again.
        missed: Whether messages can have been missed; False if the queue kept
            them.
        reason: Why.
    """

    since: str
    until: str
    missed: bool
    reason: str


Batch = Sequence[Delivery]
"""Everything that has arrived since the last batch; empty if it was quiet for a moment."""
