"""The loop: from a source, through the selection, to a view, until it ends.

Pure, but for the clock that it is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tcsniff.deliveries import Batch, Delivery
from tcsniff.events import Event


class Source(Protocol):
    """Where deliveries come from."""

    def batches(self) -> Iterator[Batch]:
        """Hand out what has arrived; asking for the next batch says the last one is done with."""
        ...

    def settle(self, taken: int) -> None:
        """Say that of the last batch only the first `taken` are done with."""
        ...


class Renderer(Protocol):
    """Where events go."""

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        ...

    def flush(self) -> None:
        """Let out of our hands what was taken in; called after every batch, empty ones too."""
        ...

    def close(self) -> None:
        """Finish: nothing is shown after this."""
        ...


class Outcome(Enum):
    """Why a run ended."""

    ENDED = "the source ended"
    COUNTED = "the count was reached"
    TIMED_OUT = "the time was up"

    @property
    def exit_status(self) -> int:
        """The exit status for it."""
        return 124 if self is Outcome.TIMED_OUT else 0


@dataclass(frozen=True)
class Stop:
    """When to end.

    Attributes:
        count: After how many events that were shown; None for never.
        timeout: After how many seconds; None for never.
    """

    count: int | None = None
    timeout: float | None = None


def pump(
    source: Source,
    renderer: Renderer,
    *,
    keep: Callable[[Delivery], bool] | None = None,
    stop: Stop = Stop(),
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Show the events that pass, until the source or `stop` ends it.

    Asking the source for its next batch tells it that the last one is out of
    our hands: nothing is acknowledged before it was shown and flushed. Of a
    batch in whose middle the end comes, the rest is neither shown nor
    acknowledged.

    Args:
        source: Where deliveries come from.
        renderer: Where to show them.
        keep: Which to show; None for all.
        stop: When to end.
        clock: Tells the time, in seconds.

    Returns:
        Why it ended.
    """
    left = stop.count
    end = None if stop.timeout is None else clock() + stop.timeout
    for batch in source.batches():
        taken, events = _taken(batch, keep, left)
        renderer.show(events)
        renderer.flush()
        if left is not None:
            left -= len(events)
        if left == 0 or (end is not None and clock() >= end):
            source.settle(taken)
            return Outcome.COUNTED if left == 0 else Outcome.TIMED_OUT
    return Outcome.ENDED


def _taken(
    batch: Batch, keep: Callable[[Delivery], bool] | None, left: int | None
) -> tuple[int, list[Event]]:
    # How many deliveries of the batch are done with, and the events among them.
    if left is None:
        return len(batch), [Event(one) for one in batch if keep is None or keep(one)]
    events: list[Event] = []
    for taken, delivery in enumerate(batch, 1):
        if keep is None or keep(delivery):
            events.append(Event(delivery))
            if len(events) == left:
                return taken, events
    return len(batch), events
