"""The explanation of silence: what is in place, if nothing is received or nothing matches.

Pure: the clock is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tcsniff.pipeline import EventCounts
from tcsniff.pulse.routing import Binding

PATIENCE = 10.0  # seconds without an event, before it is explained


class Silence:
    """The time since the start, until the first event is printed.

    Attributes:
        text: The explanation; empty before it is due and after the first event.
    """

    def __init__(
        self, bindings: Sequence[Binding], filters: str, clock: Callable[[], float]
    ) -> None:
        """Start the time.

        Args:
            bindings: The bindings of the selection.
            filters: The flags that select by content; empty for none.
            clock: Returns the time in seconds.
        """
        self.text = ""
        self._bindings = bindings
        self._filters = filters
        self._clock = clock
        self._started = clock()
        self._is_over = False

    def check(self, counts: EventCounts) -> str:
        """Return the explanation when it is due, once; empty otherwise.

        Args:
            counts: The counts so far.
        """
        if self._is_over:
            return ""
        if counts.printed:
            self._is_over, self.text = True, ""
            return ""
        if self.text or self._clock() - self._started < PATIENCE:
            return ""
        self.text = self._explain(counts.received)
        return self.text

    def _explain(self, received: int) -> str:
        if received:
            events = f"{received:,} event{'s' * (received != 1)}"
            why = f" ({self._filters})" if self._filters else ""
            return f"nothing matches yet: {events} received, none of them selected{why}"
        number = len(self._bindings)
        exchanges = len({binding.exchange for binding in self._bindings})
        return (
            f"nothing received yet; {number:,} binding{'s' * (number != 1)} on {exchanges} "
            f"exchange{'s' * (exchanges != 1)} {'are' if number != 1 else 'is'} in place"
        )
