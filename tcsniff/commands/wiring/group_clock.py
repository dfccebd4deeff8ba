"""The time of tasks: of the clock, or of the events of a recording or the demo."""

from __future__ import annotations

import time

from tcsniff.commands.options.source_options import SourceArgs
from tcsniff.commands.wiring.open_source import choose_pace
from tcsniff.sources.steady_clock import SteadyClock


class GroupClock:
    """The clock of a run of `graph` or `task`."""

    def __init__(self, origin: SourceArgs) -> None:
        """Create a clock.

        Args:
            origin: The source of events.
        """
        self._origin = origin
        self._pace = choose_pace(origin)
        self._latest = 0.0, 0.0  # the newest time in events, and when it was received
        self._has_ended = False
        self._clock = SteadyClock()

    def stop(self) -> None:
        """Stop at the newest time in events, because the run has ended."""
        self._has_ended = True

    def read(self, latest: float) -> float:
        """Return the time, in seconds since the Unix epoch.

        Args:
            latest: The newest time in events so far; 0 before.
        """
        if self._origin.is_live:
            # Simulated events may be ahead of the clock.
            return max(self._clock(), latest)
        # In a recording and the demo, the events set the time, and between them it
        # passes at their pace. What is written at the end, and everything in a demo
        # with a seed, is the same each time.
        if latest and (self._has_ended or self._origin.seed is not None):
            return latest
        if latest != self._latest[0]:
            self._latest = latest, time.monotonic()
        passed = time.monotonic() - self._latest[1]
        return latest + passed * self._pace if latest else self._clock()
