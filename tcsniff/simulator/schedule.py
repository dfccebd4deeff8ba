"""The simulator's schedule: actions to run and messages to deliver, by time.

Pure. Inside the simulator, time is in whole milliseconds since the Unix epoch.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from random import Random

from tcsniff.pulse.deliveries import Delivery

SECOND = 1000
"""In milliseconds."""

# Probability of each fault of a message; a message has one fault at most.
_MESSAGE_FAULTS = (("late", 0.025), ("duplicate", 0.01), ("redelivery", 0.004))
_REPEATS = {"duplicate", "redelivery"}
_LATENCY = 20  # between queue and consumer, in milliseconds
# Minimum and maximum, in seconds.
_UNTIL_REPEATED = (0.1, 20)
_LATE_BY = (1, 30)
_JITTER = (0, 0.06)  # added to the latency of every message

Action = Callable[[], None]
"""A step of the simulation."""


class Schedule:
    """Actions and deliveries in order of time.

    Attributes:
        now: Current time, in milliseconds since the Unix epoch.
    """

    def __init__(self, start: int, random: Random, faults: frozenset[str]) -> None:
        self.now = start
        self._random = random
        self._faults = faults
        self._counter = itertools.count()  # items of one time stay in the order of their addition
        self._heap: list[tuple[int, int, Action | Delivery]] = []

    def add(self, delay: int, item: Action | Delivery) -> None:
        """Add an action or a delivery, with a delay in milliseconds."""
        heappush(self._heap, (self.now + delay, next(self._counter), item))

    def add_between(self, seconds: tuple[float, float], item: Action | Delivery) -> None:
        """Add an action or a delivery, with a random delay between two numbers of seconds."""
        self.add(draw_between(self._random, seconds), item)

    def send_delivery(self, delivery: Delivery) -> None:
        """Add a message with its latency, and perhaps a fault such as a repeat."""
        latency = _LATENCY
        if "late" in self._faults:
            latency += draw_between(self._random, _JITTER)
        fault = draw_weighted(self._random, _MESSAGE_FAULTS, self._faults)
        if fault == "late":
            latency += draw_between(self._random, _LATE_BY)
        self.add(latency, delivery)
        if fault in _REPEATS:
            again = delivery._replace(redelivered=fault == "redelivery")
            self.add_between(_UNTIL_REPEATED, again)

    def run_all(self) -> Iterator[tuple[float, Delivery]]:
        """Run all actions, and yield the messages, in order of time.

        Yields:
            The arrival time of each message, in seconds since the Unix epoch; and the message.
        """
        while self._heap:
            self.now, _, item = heappop(self._heap)
            if isinstance(item, Delivery):
                yield self.now / SECOND, item
            else:
                item()


def draw_between(random: Random, seconds: tuple[float, float]) -> int:
    """Return a random time, in milliseconds, between two numbers of seconds."""
    low, high = seconds
    return int(SECOND * (low + (high - low) * random.random()))


def draw_weighted(
    random: Random, probabilities: tuple[tuple[str, float], ...], allowed: frozenset[str]
) -> str | None:
    """Return a random name by its probability; None for no name or one that is not allowed."""
    # One random number for all, so that the probabilities add up.
    number = random.random()
    for name, probability in probabilities:
        if number < probability:
            return name if name in allowed else None
        number -= probability
    return None
