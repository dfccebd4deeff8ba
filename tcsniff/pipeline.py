"""The loop: from a source, through the selection, to a view, until it ends.

Pure, but for the clock that it is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tcsniff.pulse.deliveries import Batch, Delivery, Gap
from tcsniff.pulse.events import Event


class Source(Protocol):
    """Where deliveries come from."""

    def batches(self) -> Iterator[Batch]:
        """Hand out what has arrived; asking for the next batch says the last one is done with."""
        ...

    def settle(self, taken: int) -> None:
        """Say that of the last batch only the first `taken` are done with."""
        ...

    def stop(self) -> None:
        """Have `batches` end soon; may be called in a signal handler."""
        ...


class Renderer(Protocol):
    """Where events go."""

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        ...

    def flush(self) -> None:
        """Let out of our hands what was taken in; called after every batch, empty ones too."""
        ...

    def gap(self, gap: Gap) -> None:
        """Take in a time in which nothing could be heard, as a line of its own."""
        ...

    def close(self) -> None:
        """Finish: nothing is shown after this."""
        ...


class ConnectionObserver:
    """Takes what happens to the connection; this one takes no notice."""

    def notify(self, text: str) -> None:
        """Take something that a person should know."""

    def gap(self, gap: Gap) -> None:
        """Take a gap, when it is over."""


class Outcome(Enum):
    """Why a run ended."""

    SOURCE_ENDED = "the source ended"
    COUNT_REACHED = "--count was reached"
    UNTIL_MATCHED = "--until matched"
    FAILED = "--fail-on matched"
    TIMED_OUT = "--timeout came first"
    IDLE_TIMED_OUT = "--idle-timeout came first"
    CONDITION_MET = "what was waited for is over"

    @property
    def exit_status(self) -> int:
        """The exit status for it."""
        if self is Outcome.FAILED:
            return 10
        return 124 if self in (Outcome.TIMED_OUT, Outcome.IDLE_TIMED_OUT) else 0


EventTest = Callable[[Event], bool]


@dataclass(frozen=True)
class Stop:
    """When to end; the first that comes true decides.

    Attributes:
        count: After how many events that were shown; None for never.
        timeout: After how many seconds; None for never.
        idle_timeout: After how many seconds without an event that was shown;
            None for never.
        until: After an event of which this is true, with success.
        fail_on: The same, with failure; goes before `until` for one event.
        over: Asked after every batch, empty ones too, when it has been shown;
            None for never.
    """

    count: int | None = None
    timeout: float | None = None
    idle_timeout: float | None = None
    until: EventTest | None = None
    fail_on: EventTest | None = None
    over: Callable[[], bool] | None = None


@dataclass
class EventCounts:
    """What has become of the deliveries so far.

    Attributes:
        came: How many the source handed over.
        passed: How many of them were selected.
        shown: How many of those were shown.
        undecodable: How many of those had a body that is no JSON.
        redelivered: How many of those the broker had delivered before.
    """

    came: int = 0
    passed: int = 0
    shown: int = 0
    undecodable: int = 0
    redelivered: int = 0


def run_pipeline(
    source: Source,
    renderer: Renderer,
    *,
    keep: Callable[[Delivery], bool] | None = None,
    filters: Sequence[EventTest] = (),
    stop: Stop = Stop(),
    tally: EventCounts | None = None,
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
        keep: Which of them are selected; None for all.
        filters: What must be true of an event besides.
        stop: When to end.
        tally: Is kept up to date.
        clock: Tells the time, in seconds.

    Returns:
        Why it ended.
    """
    tally = tally or EventCounts()
    chooser = _BatchSelector(keep, filters, stop)
    is_timed = stop.timeout is not None or stop.idle_timeout is not None
    started = latest = clock() if is_timed else 0.0
    for batch in source.batches():
        events = chooser.choose(batch)
        tally.came += chooser.taken
        tally.passed += len(events)
        renderer.show(events)
        renderer.flush()
        tally.shown += len(events)
        tally.undecodable += sum([event.decode_error is not None for event in events])
        tally.redelivered += sum([event.delivery.redelivered for event in events])
        now = clock() if is_timed else 0.0
        latest = now if events else latest
        outcome = chooser.outcome or _check_stop(stop, now - started, now - latest)
        if outcome is not None:
            source.settle(chooser.taken)
            return outcome
    return Outcome.SOURCE_ENDED


def _check_stop(stop: Stop, running: float, idle: float) -> Outcome | None:
    if stop.over is not None and stop.over():
        return Outcome.CONDITION_MET
    if stop.timeout is not None and running >= stop.timeout:
        return Outcome.TIMED_OUT
    if stop.idle_timeout is not None and idle >= stop.idle_timeout:
        return Outcome.IDLE_TIMED_OUT
    return None


class _BatchSelector:
    # Picks the events of a batch, up to the one that ends the run.

    def __init__(
        self, keep: Callable[[Delivery], bool] | None, filters: Sequence[EventTest], stop: Stop
    ) -> None:
        self.taken = 0  # of the last batch
        self.outcome: Outcome | None = None
        self._keep = keep
        self._filters = filters
        self._stop = stop
        self._left = stop.count
        self._looks_inside = bool(filters or stop.until or stop.fail_on)
        self._can_end = stop.count is not None or bool(stop.until or stop.fail_on)

    def choose(self, batch: Batch) -> list[Event]:
        if not self._looks_inside and (self._left is None or self._left > len(batch)):
            return self._all_of(batch)
        keep, filters = self._keep, self._filters
        events: list[Event] = []
        for number, delivery in enumerate(batch, 1):
            if keep is not None and not keep(delivery):
                continue
            event = Event(delivery)
            if filters and not all(test(event) for test in filters):
                continue
            events.append(event)
            if self._can_end and (outcome := self._end_at(event)) is not None:
                self.taken, self.outcome = number, outcome
                return events
        self.taken = len(batch)
        return events

    def _all_of(self, batch: Batch) -> list[Event]:
        # The same where nothing can end the run, in a third of the time.
        keep = self._keep
        events = [Event(one) for one in batch if keep is None or keep(one)]
        self.taken = len(batch)
        if self._left is not None:
            self._left -= len(events)
        return events

    def _end_at(self, event: Event) -> Outcome | None:
        if self._stop.fail_on is not None and self._stop.fail_on(event):
            return Outcome.FAILED
        if self._stop.until is not None and self._stop.until(event):
            return Outcome.UNTIL_MATCHED
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                return Outcome.COUNT_REACHED
        return None
