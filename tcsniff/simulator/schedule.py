"""The simulator's agenda: what is yet to happen, and which messages are on their way.

Pure. Inside the simulator, time is in whole milliseconds since the Unix epoch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from random import Random

from tcsniff.pulse.deliveries import Delivery

SECOND = 1000  # in milliseconds, as all times in the simulator

# How likely a message is to meet this on its way; never two of them.
_ACCIDENTS = (("late", 0.025), ("duplicate", 0.01), ("redelivery", 0.004))
_REPEATS = {"duplicate", "redelivery"}
_LATENCY = 20  # between queue and listener, in milliseconds
# In seconds, least and most.
_UNTIL_REPEATED = (0.1, 20)
_LATE_BY = (1, 30)
_JITTER = (0, 0.06)  # among messages that are not late

Action = Callable[[], None]
"""Something that happens."""


class Schedule:
    """What is yet to happen, and the way of messages to a listener.

    Attributes:
        now: The time, in milliseconds since the Unix epoch.
    """

    def __init__(self, start: int, random: Random, faults: frozenset[str]) -> None:
        self.now = start
        self._random = random
        self._faults = faults
        self._counter = itertools.count()  # what is due at one time happens as it was put in
        self._heap: list[tuple[int, int, Action | Delivery]] = []

    def at(self, delay: int, what: Action | Delivery) -> None:
        """Put in what happens, or arrives, so many milliseconds from now."""
        heappush(self._heap, (self.now + delay, next(self._counter), what))

    def after(self, seconds: tuple[float, float], what: Action | Delivery) -> None:
        """Put in what happens, or arrives, within so many seconds, least and most."""
        self.at(draw_between(self._random, seconds), what)

    def send(self, delivery: Delivery) -> None:
        """Let a message find its way to the listener."""
        latency = _LATENCY
        if "late" in self._faults:
            latency += draw_between(self._random, _JITTER)
        accident = draw_weighted(self._random, _ACCIDENTS, self._faults)
        if accident == "late":
            latency += draw_between(self._random, _LATE_BY)
        self.at(latency, delivery)
        if accident in _REPEATS:
            again = delivery._replace(redelivered=accident == "redelivery")
            self.after(_UNTIL_REPEATED, again)

    def deliveries(self) -> Iterator[tuple[float, Delivery]]:
        """Let everything happen, in order of time.

        Yields:
            When each message arrives, in seconds since the Unix epoch; and the message.
        """
        while self._heap:
            self.now, _, what = heappop(self._heap)
            if isinstance(what, Delivery):
                yield self.now / SECOND, what
            else:
                what()


def draw_between(random: Random, seconds: tuple[float, float]) -> int:
    """Draw a time, in milliseconds, from between the least and the most seconds."""
    least, most = seconds
    return int(SECOND * (least + (most - least) * random.random()))


def draw_weighted(
    random: Random, chances: tuple[tuple[str, float], ...], allowed: frozenset[str]
) -> str | None:
    """Draw what happens: one of those that have a chance, if it is allowed; else None."""
    # One throw for all of them, so that the chances add up.
    thrown = random.random()
    for name, chance in chances:
        if thrown < chance:
            return name if name in allowed else None
        thrown -= chance
    return None


QUIET = 10.0  # seconds after which a pause is cut short, where time is not real anyway


class Pace:
    """Tells when messages are due, in the order in which they are told of."""

    def __init__(self, *, speed: float | None, rate: float | None) -> None:
        """Begin.

        Args:
            speed: Simulated seconds a second; None for all at once. If it is
                more than 1, pauses longer than `QUIET` are cut to that.
            rate: Messages a second, at most; None for any number.
        """
        self._speed = speed
        self._longest = QUIET if speed is not None and speed > 1 else float("inf")
        self._apart = 0.0 if rate is None else 1 / rate
        self._when: float | None = None
        self._planned = 0.0  # by the speed alone
        self._due = 0.0

    def due(self, when: float) -> float:
        """Tell when the next message is due.

        Args:
            when: When it is, in simulated seconds; not before the last one.

        Returns:
            In seconds since the first one.
        """
        if self._when is None:
            self._when = when
            return self._due
        if self._speed is not None:
            self._planned += min((when - self._when) / self._speed, self._longest)
        self._when = when
        self._due = max(self._planned, self._due + self._apart)
        return self._due

    def slip(self, seconds: float) -> None:
        """Have all that follows due so much later, as time was lost.

        Nothing is made up for: that would break the rate.
        """
        if self._apart:
            self._due += seconds
            self._planned = max(self._planned, self._due)
