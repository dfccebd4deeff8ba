"""The pipeline: from a source, through selection and filters, to a renderer, until it stops.

Pure, apart from the clock that it is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from tcsniff.pulse.deliveries import Batch, Delivery, Gap
from tcsniff.pulse.events import Event


class Source:
    """Where deliveries come from: a broker, a recording, the simulator."""

    def batches(self) -> Iterator[Batch]:
        """Yield what has arrived; asking for the next batch acknowledges the last one."""
        raise NotImplementedError

    def ack(self, count: int) -> None:  # noqa: ARG002 - for sources that acknowledge
        """Acknowledge the first `count` deliveries of the last batch, and no others."""
        return

    def stop(self) -> None:
        """Make `batches` end soon; safe to call in a signal handler."""
        raise NotImplementedError

    def describe_condition(self) -> str:
        """Return what is unusual about the connection right now; empty for nothing."""
        return ""

    @property
    def unselected(self) -> int:
        """How many deliveries it dropped itself because their routing key is not selected."""
        return 0

    @property
    def skipped_lines(self) -> int:
        """How many lines of a recording it skipped because they hold no record."""
        return 0


class Renderer:
    """Where events go.

    Attributes:
        is_live: Whether it draws one picture on the terminal, again and again in
            its place, so that messages must be written above it with `notify`.
    """

    is_live: bool = False

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        raise NotImplementedError

    def flush(self) -> None:
        """Write what was added; called after every batch, also after empty ones."""
        raise NotImplementedError

    def show_gap(self, gap: Gap) -> None:  # noqa: ARG002 - for renderers that show gaps
        """Add a time during which messages may have been missed; ignored by default."""
        return

    def notify(self, text: str) -> None:
        """Write a line above the picture, where it stays; only for live renderers."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw the next picture below what the terminal shows then, as after Ctrl-Z."""
        return

    def close(self) -> None:
        """Finish; nothing is shown after this."""
        return


class ConnectionObserver:
    """Receives what happens to a connection; this one ignores it."""

    def notify(self, text: str) -> None:
        """Receive a message for the user."""

    def detail(self, text: str) -> None:
        """Receive the technical details of a new connection, for --verbose."""

    def add_gap(self, gap: Gap) -> None:
        """Receive a gap, when it is over."""


class Outcome(Enum):
    """Why a run ended; the value is the message for it, if it needs one."""

    SOURCE_ENDED = "the source ended"
    COUNT_REACHED = "--count was reached"
    UNTIL_MATCHED = "stopped: --until matched"
    FAIL_ON_MATCHED = "stopped: --fail-on matched"
    TIMED_OUT = "stopped by --timeout"
    IDLE_TIMED_OUT = "stopped by --idle-timeout"
    CONDITION_MET = "the condition was met"

    @property
    def exit_status(self) -> int:
        """The exit status of tcsniff."""
        if self is Outcome.FAIL_ON_MATCHED:
            return 10
        return 124 if self in (Outcome.TIMED_OUT, Outcome.IDLE_TIMED_OUT) else 0


EventTest = Callable[[Event], bool]


@dataclass(frozen=True)
class Stop:
    """When to stop; whichever comes first.

    Attributes:
        count: After this many printed events; None for never.
        timeout: After this many seconds; None for never.
        idle_timeout: After this many seconds without a printed event; None for
            never.
        until: After an event for which this is true, with success.
        fail_on: After an event for which this is true, with failure; wins over
            `until` if both are true for one event.
        is_over: Called after every batch, also after empty ones, when it has
            been shown; None for never.
    """

    count: int | None = None
    timeout: float | None = None
    idle_timeout: float | None = None
    until: EventTest | None = None
    fail_on: EventTest | None = None
    is_over: Callable[[], bool] | None = None


@dataclass
class EventCounts:
    """How many deliveries there were so far.

    Attributes:
        received: From the source.
        matched: Of these, the selected ones.
        printed: Of the matched ones, those that were shown and flushed.
        undecodable: Of the printed ones, those with a body that is not JSON.
        redelivered: Of the printed ones, those that the broker delivered before.
    """

    received: int = 0
    matched: int = 0
    printed: int = 0
    undecodable: int = 0
    redelivered: int = 0


def run_pipeline(
    source: Source,
    renderer: Renderer,
    *,
    accepts: Callable[[Delivery], bool] | None = None,
    filters: Sequence[EventTest] = (),
    stop: Stop = Stop(),
    counts: EventCounts | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Show the events that match, until the source or `stop` ends it.

    Asking the source for its next batch acknowledges the last one, so nothing
    is acknowledged before it was shown and flushed. If the end comes in the
    middle of a batch, the rest of it is neither shown nor acknowledged.

    Args:
        source: Where deliveries come from.
        renderer: Where to show them.
        accepts: Checks whether a delivery is selected; None selects all.
        filters: Must all be true for a selected event.
        stop: When to stop.
        counts: Updated after every batch.
        clock: Returns the time in seconds.

    Returns:
        Why it ended.
    """
    counts = counts or EventCounts()
    selector = _BatchSelector(accepts, filters, stop)
    is_timed = stop.timeout is not None or stop.idle_timeout is not None
    started = latest = clock() if is_timed else 0.0
    for batch in source.batches():
        events = selector.select(batch)
        counts.received += selector.taken
        counts.matched += len(events)
        renderer.show(events)
        renderer.flush()
        counts.printed += len(events)
        counts.undecodable += sum([event.decode_error is not None for event in events])
        counts.redelivered += sum([event.delivery.redelivered for event in events])
        now = clock() if is_timed else 0.0
        latest = now if events else latest
        outcome = selector.outcome or _check_stop(stop, now - started, now - latest)
        if outcome is not None:
            source.ack(selector.taken)
            return outcome
    return Outcome.SOURCE_ENDED


def _check_stop(stop: Stop, running: float, idle: float) -> Outcome | None:
    if stop.is_over is not None and stop.is_over():
        return Outcome.CONDITION_MET
    if stop.timeout is not None and running >= stop.timeout:
        return Outcome.TIMED_OUT
    if stop.idle_timeout is not None and idle >= stop.idle_timeout:
        return Outcome.IDLE_TIMED_OUT
    return None


class _BatchSelector:
    # Selects the events of a batch, up to the one that ends the run.

    def __init__(
        self, accepts: Callable[[Delivery], bool] | None, filters: Sequence[EventTest], stop: Stop
    ) -> None:
        self.taken = 0  # deliveries of the last batch
        self.outcome: Outcome | None = None
        self._accepts = accepts
        self._filters = filters
        self._stop = stop
        self._left = stop.count
        self._decodes = bool(filters or stop.until or stop.fail_on)
        self._can_end = stop.count is not None or bool(stop.until or stop.fail_on)

    def select(self, batch: Batch) -> list[Event]:
        if not self._decodes and (self._left is None or self._left > len(batch)):
            return self._select_whole_batch(batch)
        accepts, filters = self._accepts, self._filters
        events: list[Event] = []
        for number, delivery in enumerate(batch, 1):
            if accepts is not None and not accepts(delivery):
                continue
            event = Event(delivery)
            if filters and not all(test(event) for test in filters):
                continue
            events.append(event)
            if self._can_end and (outcome := self._check_event(event)) is not None:
                self.taken, self.outcome = number, outcome
                return events
        self.taken = len(batch)
        return events

    def _select_whole_batch(self, batch: Batch) -> list[Event]:
        # The same where no event can end the run, in a third of the time.
        accepts = self._accepts
        events = [Event(delivery) for delivery in batch if accepts is None or accepts(delivery)]
        self.taken = len(batch)
        if self._left is not None:
            self._left -= len(events)
        return events

    def _check_event(self, event: Event) -> Outcome | None:
        if self._stop.fail_on is not None and self._stop.fail_on(event):
            return Outcome.FAIL_ON_MATCHED
        if self._stop.until is not None and self._stop.until(event):
            return Outcome.UNTIL_MATCHED
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                return Outcome.COUNT_REACHED
        return None
