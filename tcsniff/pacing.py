"""When simulated messages are due: at a speed, and no more than so many a second.

Pure.
"""

from __future__ import annotations

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
