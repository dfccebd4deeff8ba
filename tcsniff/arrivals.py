"""When events arrive: by a clock, or as was written down.

Pure, but for `Arrivals`, which remembers, and the clock that it is given.
"""

from __future__ import annotations

from collections.abc import Callable

from tcsniff.pulse.events import Event
from tcsniff.pulse.times import seconds


class Arrivals:
    """Tells the time, which never goes back."""

    def __init__(self, clock: Callable[[], float] | None) -> None:
        """Choose a clock.

        Args:
            clock: Tells the time, in seconds since the Unix epoch; None if time is
                what events say: when they were received, once.
        """
        self._clock = clock
        self._now: float | None = None if clock is None else clock()

    @property
    def now(self) -> float | None:
        """The time, in seconds since the Unix epoch; None as long as no event tells it."""
        if self._clock is not None:
            self._move(self._clock())
        return self._now

    def of(self, event: Event) -> float:
        """Tell when an event arrives; one that does not tell, with the one before it."""
        moment = seconds(event.delivery.received) if self._clock is None else self._clock()
        if moment is not None:
            self._move(moment)
        return self._now or 0.0

    def _move(self, moment: float) -> None:
        self._now = moment if self._now is None else max(self._now, moment)
