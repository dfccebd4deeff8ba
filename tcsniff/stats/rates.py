"""How often something happens: now, and over the last minutes.

Pure, but for `Rate`, which remembers. Times are those of arrival, in seconds
since the Unix epoch, and are handed in.
"""

from __future__ import annotations

from array import array
from itertools import compress

STEP = 10
"""Seconds that are counted together."""

MINUTES = 20
"""How far back it is remembered."""

_A_MINUTE = 60 // STEP
_KEPT = (MINUTES + 1) * _A_MINUTE  # one minute more, which has only begun


class Rate:
    """Counts what happens, step by step.

    Attributes:
        steps: How often it has happened in each step, as a ring.
    """

    __slots__ = ("_last", "steps")

    def __init__(self) -> None:
        self._last = 0  # the newest step, counted from the epoch
        self.steps = array("I", bytes(array("I").itemsize * _KEPT))

    def add(self, now: float, number: int = 1) -> None:
        """Count.

        Args:
            now: When it happened; never earlier than the last time.
            number: How often.
        """
        self._forward(now)
        self.steps[self._last % _KEPT] += number

    def merge(self, other: Rate, now: float) -> None:
        """Count all that another one has counted until now."""
        self._forward(now)
        other.add(now, 0)
        for place in compress(range(_KEPT), other.steps):
            self.steps[place] += other.steps[place]

    def per_minute(self, now: float, began: float) -> float:
        """Tell how often it happened a minute, over the last minute.

        Args:
            now: The time.
            began: Since when it is counted.
        """
        self._forward(now)
        last = self._last
        since = max((last - _A_MINUTE) * STEP, began)
        number = sum(self.steps[step % _KEPT] for step in range(last - _A_MINUTE, last + 1))
        return 60 * number / max(now - since, STEP)

    def by_minute(self, now: float) -> list[int]:
        """Tell how often it happened in each of the last `MINUTES`, the last one whole or not.

        Minutes are those of the clock, so that they stay as they are while they
        move on.
        """
        self._forward(now)
        first = (self._last // _A_MINUTE - MINUTES + 1) * _A_MINUTE
        return [
            sum(
                self.steps[step % _KEPT]
                for step in range(start, start + _A_MINUTE)
                if step <= self._last
            )
            for start in range(first, first + MINUTES * _A_MINUTE, _A_MINUTE)
        ]

    def _forward(self, now: float) -> None:
        step = int(now // STEP)
        if step <= self._last:
            return
        for skipped in range(max(self._last + 1, step - _KEPT + 1), step + 1):
            self.steps[skipped % _KEPT] = 0
        self._last = step
