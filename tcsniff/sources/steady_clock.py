"""The time of day for intervals: it goes on when the system's clock is set back."""

from __future__ import annotations

import time
from collections.abc import Callable


class SteadyClock:
    """Returns seconds since the Unix epoch that never decrease.

    While the system's clock is behind, time passes by the monotonic clock. If it is
    ahead, as after suspending the machine, it is followed: the monotonic clock stands
    still meanwhile.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock.

        Args:
            clock: Returns seconds since the Unix epoch.
            monotonic: Returns seconds that never decrease.
        """
        self._clock = clock
        self._monotonic = monotonic
        self._last = clock(), monotonic()

    def __call__(self) -> float:
        """Return the time."""
        seconds, reading = self._last
        now = self._monotonic()
        self._last = max(self._clock(), seconds + now - reading), now
        return self._last[0]
