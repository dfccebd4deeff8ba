"""Rates: events per minute, now and over the last minutes.

Pure. All times are arrival times, in seconds since the Unix epoch.
"""

from __future__ import annotations

from array import array
from itertools import compress

STEP = 10
"""Seconds that are counted together."""

MINUTES = 20
"""Number of minutes that `Rate.count_by_minute` returns."""

_STEPS_PER_MINUTE = 60 // STEP
_STEPS = (MINUTES + 1) * _STEPS_PER_MINUTE  # one minute more, as the newest is incomplete


class Rate:
    """Events counted in steps of `STEP` seconds.

    Attributes:
        steps: Ring buffer with the number of events in each step.
    """

    __slots__ = ("_last", "steps")

    def __init__(self) -> None:
        self._last = 0  # the newest step, counted from the epoch
        self.steps = array("I", bytes(array("I").itemsize * _STEPS))

    def add(self, now: float, number: int = 1) -> None:
        """Count events.

        Args:
            now: Time of the events. Events from before the newest step count in that step.
            number: Number of events.
        """
        self._advance(now)
        self.steps[self._last % _STEPS] += number

    def merge(self, other: Rate, now: float) -> None:
        """Add the events that another rate has counted until now."""
        self._advance(now)
        other.add(now, 0)
        for index in compress(range(_STEPS), other.steps):
            self.steps[index] += other.steps[index]

    def compute_per_minute(self, now: float, began: float) -> float:
        """Return the number of events per minute, over the last minute.

        Args:
            now: Current time.
            began: When counting began; the rate covers no time before it.
        """
        self._advance(now)
        first = self._last - _STEPS_PER_MINUTE
        number = sum(self.steps[step % _STEPS] for step in range(first, self._last + 1))
        return 60 * number / max(now - max(first * STEP, began), STEP)

    def count_by_minute(self, now: float) -> list[int]:
        """Return the number of events in each of the last `MINUTES`, the newest last.

        Minutes begin when the clock's do, so that numbers do not change while they move on.
        """
        self._advance(now)
        newest = self._last // _STEPS_PER_MINUTE * _STEPS_PER_MINUTE
        first = newest - (MINUTES - 1) * _STEPS_PER_MINUTE
        # Steps after the last one still hold their counts of one round of the ring ago.
        steps = [
            self.steps[step % _STEPS] if step <= self._last else 0
            for step in range(first, newest + _STEPS_PER_MINUTE)
        ]
        return [
            sum(steps[start : start + _STEPS_PER_MINUTE])
            for start in range(0, len(steps), _STEPS_PER_MINUTE)
        ]

    def _advance(self, now: float) -> None:
        step = int(now // STEP)
        if step <= self._last:
            return
        for skipped in range(max(self._last + 1, step - _STEPS + 1), step + 1):
            self.steps[skipped % _STEPS] = 0
        self._last = step
