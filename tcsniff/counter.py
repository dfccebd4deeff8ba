"""What `top` counts, when, and in which order it is shown.

Pure, but for `Counter`, which remembers, and the clock that it is given.
"""

from __future__ import annotations

from collections.abc import Callable

from tcsniff.arrivals import Arrivals
from tcsniff.meters import Meters
from tcsniff.pulse.events import Event
from tcsniff.rows import Reading, Row


class Counter:
    """Counts events as they arrive.

    Attributes:
        by: What a row stands for.
        meters: All that was counted.
    """

    def __init__(
        self,
        by: str,
        sort: str,
        *,
        reverse: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Nothing is counted yet.

        Args:
            by: What a row stands for, one of `meters.NAMES`.
            sort: What rows are sorted by: ``name``, or one of `rows.MEASURES`.
            reverse: Whether the other way round.
            clock: Tells the time, in seconds since the Unix epoch; None if time is
                what events say.
        """
        self.by = by
        self.meters = Meters(by)
        self._sort = sort
        self._reverse = reverse
        self._arrivals = Arrivals(clock)

    @property
    def now(self) -> float | None:
        """The time, in seconds since the Unix epoch; None as long as no event tells it."""
        return self._arrivals.now

    def arrives(self, event: Event) -> float:
        """Tell when an event arrives, before it is taken."""
        return self._arrivals.of(event)

    def take(self, event: Event) -> None:
        """Count an event."""
        self.meters.take(event.delivery, self._arrivals.of(event))

    def rows(self, now: float | None = None) -> list[Row]:
        """Sort the rows, as they are at a time; None for now."""
        return self.meters.rows(self._sort, self._time(now), reverse=self._reverse)

    def reading(self, row: Row, now: float | None = None) -> Reading:
        """Read a row at a time; None for now."""
        time = self._time(now)
        return row.reading(time, self.meters.began or time)

    def _time(self, now: float | None) -> float:
        return (self.now or 0.0) if now is None else now
