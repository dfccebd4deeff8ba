"""The pace of a simulation: when to publish each message.

Pure.
"""

from __future__ import annotations

MAX_PAUSE = 10.0
"""Longest pause, in seconds, at a speed above 1."""


class Pace:
    """A clock for messages, by speed and by rate."""

    def __init__(self, *, speed: float | None, rate: float | None) -> None:
        """Create a pace.

        Args:
            speed: Simulated seconds per second; None to ignore simulated times. Above 1,
                pauses are at most `MAX_PAUSE` long.
            rate: Maximum number of messages per second; None for no maximum.
        """
        self._speed = speed
        self._max_pause = MAX_PAUSE if speed is not None and speed > 1 else float("inf")
        self._min_interval = 0.0 if rate is None else 1 / rate
        self._last_time: float | None = None
        self._due_by_speed = 0.0
        self._due = 0.0

    def due(self, when: float) -> float:
        """Return when the next message is due, in seconds since the first one.

        Args:
            when: Simulated time of the message in seconds, in ascending order.
        """
        if self._last_time is None:
            self._last_time = when
            return self._due
        if self._speed is not None:
            self._due_by_speed += min((when - self._last_time) / self._speed, self._max_pause)
        self._last_time = when
        self._due = max(self._due_by_speed, self._due + self._min_interval)
        return self._due

    def slip(self, seconds: float) -> None:
        """Delay all following messages, because publishing was held up.

        Without a maximum rate, they catch up instead.
        """
        if self._min_interval:
            self._due += seconds
            self._due_by_speed = max(self._due_by_speed, self._due)
