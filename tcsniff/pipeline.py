"""The pipeline: from a source, through selection and filters, to a renderer, until it stops.

Pure, except for its default clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from msgspec import Struct

from tcsniff.pulse.deliveries import Batch, Delivery, Gap
from tcsniff.pulse.events import Event

FindFile = Callable[[], int | None]
"""Returns the number of an open file; None if there is none now."""


class Source:
    """A source of deliveries: a broker, a recording, the simulator."""

    def batches(self) -> Iterator[Batch]:
        """Yield all that has arrived; asking for the next batch acknowledges the last one."""
        raise NotImplementedError

    def ack(self, count: int) -> None:  # noqa: ARG002 - for sources that acknowledge
        """Acknowledge the first `count` deliveries of the last batch, and no others."""
        return

    def stop(self) -> None:
        """Make `batches` end soon; safe to call in a signal handler."""
        raise NotImplementedError

    def watch(self, find_file: FindFile) -> None:  # noqa: ARG002 - for sources that wait
        """Let `batches` yield soon, whenever a file can be read while it waits.

        Args:
            find_file: Returns the file's number; None for no file.
        """
        return

    def describe_condition(self) -> str:
        """Return what is unusual about the connection now; empty if nothing is."""
        return ""

    @property
    def has_routes(self) -> bool:
        """Whether deliveries have the routes that their messages were published with."""
        return True

    @property
    def unselected(self) -> int:
        """The number of deliveries that the source dropped, because they are not selected."""
        return 0

    @property
    def skipped_lines(self) -> int:
        """The number of lines of a recording that were skipped, because they are not records."""
        return 0


class Renderer:
    """An output for events.

    Attributes:
        is_live: Whether it redraws one picture in place on the terminal, so that
            messages must be written above it with `notify`.
    """

    is_live: bool = False

    def show(self, events: Sequence[Event]) -> None:
        """Add a batch of events."""
        raise NotImplementedError

    def flush(self) -> None:
        """Write what was added; called after every batch, including empty ones."""
        raise NotImplementedError

    def show_gap(self, gap: Gap) -> None:  # noqa: ARG002 - for renderers that show gaps
        """Add a time during which messages may have been missed; ignored by default."""
        return

    def notify(self, text: str) -> None:
        """Write a line above the picture, where it stays; only for live renderers."""
        raise NotImplementedError

    def leave_terminal(self) -> None:
        """Restore the terminal, because the program is stopped or ends at once."""
        return

    def redraw(self) -> None:
        """Draw the next picture below the terminal's present content, as after Ctrl-Z."""
        return

    def close(self) -> None:
        """Finish; nothing is shown after this."""
        return


class ConnectionObserver:
    """An observer of a connection; this base class ignores everything."""

    def notify(self, text: str) -> None:
        """Receive a message for the user."""

    def detail(self, text: str) -> None:
        """Receive the technical details of a new connection, for --verbose."""

    def add_gap(self, gap: Gap) -> None:
        """Receive a gap, after it has ended."""


class Outcome(Enum):
    """Why a run ended; the value is a message for the user."""

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


class Stop(Struct, frozen=True):
    """When to stop; whichever comes first.

    Attributes:
        count: After this many printed events; None for no limit.
        timeout: After this many seconds; None for no limit.
        started: When `timeout` began, by the clock; None for when the pipeline starts.
        idle_timeout: After this many seconds without a printed event; None for
            no limit.
        until: After an event for which this is true, with success.
        fail_on: After an event for which this is true, with failure; checked
            before `until`.
        is_over: After a batch for which this is true; called when the batch was
            printed, including empty ones.
        find_outcome: After a batch for which this returns why the run ends; called
            like `is_over`.
    """

    count: int | None = None
    timeout: float | None = None
    idle_timeout: float | None = None
    until: EventTest | None = None
    fail_on: EventTest | None = None
    is_over: Callable[[], bool] | None = None
    find_outcome: Callable[[], Outcome | None] | None = None
    started: float | None = None

    @property
    def deadline(self) -> float | None:
        """When `timeout` ends, by the clock; None for never."""
        if self.timeout is None or self.started is None:
            return None
        return self.started + self.timeout


NO_STOP = Stop()
"""Go on until the source ends."""


class EventCounts(Struct):
    """The number of deliveries so far.

    Attributes:
        received: Deliveries from the source.
        matched: Received deliveries that are selected and match the filters.
        printed: Matched ones that were printed and flushed.
        undecodable: Printed ones whose body is not JSON.
        redelivered: Printed ones that the broker had tried to deliver before.
    """

    received: int = 0
    matched: int = 0
    printed: int = 0
    undecodable: int = 0
    redelivered: int = 0

    def add_printed(self, events: Sequence[Event]) -> None:
        """Count events that were printed and flushed."""
        self.printed += len(events)
        self.undecodable += sum([event.decode_error is not None for event in events])
        self.redelivered += sum([event.delivery.redelivered for event in events])


def run_pipeline(
    source: Source,
    renderer: Renderer,
    *,
    accepts: Callable[[Delivery], bool] | None = None,
    filters: Sequence[EventTest] = (),
    stop: Stop = NO_STOP,
    counts: EventCounts | None = None,
    make_event: Callable[[Delivery], Event] = Event,
    observe: Callable[[Sequence[Event]], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Print the events that match, until the source ends or `stop` applies.

    Asking the source for its next batch acknowledges the last one, so nothing
    is acknowledged before it was printed and flushed. If the run ends in the
    middle of a batch, the rest of the batch is neither printed nor acknowledged.

    Args:
        source: The source of deliveries.
        renderer: The output.
        accepts: Checks whether a delivery is selected; None selects all.
        filters: Checks of selected events; all must be true.
        stop: When to stop.
        counts: The counts to update after every batch; None to count nothing.
        make_event: Makes the event of a selected delivery.
        observe: Called with the printed events of every batch, also of empty ones.
        clock: Returns the time in seconds.

    Returns:
        Why it ended.
    """
    selector = _BatchSelector(accepts, filters, stop, make_event)
    is_timed = stop.timeout is not None or stop.idle_timeout is not None
    started = last_printed = clock() if is_timed else 0.0
    started = started if stop.started is None else stop.started
    for batch in source.batches():
        events = selector.select(batch)
        if counts is not None:
            counts.received += selector.taken
            counts.matched += len(events)
        renderer.show(events)
        renderer.flush()
        if counts is not None:
            counts.add_printed(events)
        if observe is not None:
            observe(events)
        now = clock() if is_timed else 0.0
        last_printed = now if events else last_printed
        outcome = selector.outcome or _check_stop(stop, now - started, now - last_printed)
        if outcome is not None:
            source.ack(selector.taken)
            return outcome
    return Outcome.SOURCE_ENDED


def _check_stop(stop: Stop, running: float, idle: float) -> Outcome | None:
    if stop.is_over is not None and stop.is_over():
        return Outcome.CONDITION_MET
    if stop.find_outcome is not None and (outcome := stop.find_outcome()) is not None:
        return outcome
    if stop.timeout is not None and running >= stop.timeout:
        return Outcome.TIMED_OUT
    if stop.idle_timeout is not None and idle >= stop.idle_timeout:
        return Outcome.IDLE_TIMED_OUT
    return None


class _BatchSelector:
    # Selects the events of a batch, up to one that ends the run.

    def __init__(
        self,
        accepts: Callable[[Delivery], bool] | None,
        filters: Sequence[EventTest],
        stop: Stop,
        make_event: Callable[[Delivery], Event],
    ) -> None:
        self.taken = 0  # deliveries of the last batch, up to the event that ends the run
        self.outcome: Outcome | None = None
        self._accepts = accepts
        self._filters = filters
        self._make_event = make_event
        self._stop = stop
        self._remaining = stop.count
        self._decodes = bool(filters or stop.until or stop.fail_on)
        self._can_end = stop.count is not None or bool(stop.until or stop.fail_on)

    def select(self, batch: Batch) -> list[Event]:
        if not self._decodes and (self._remaining is None or self._remaining > len(batch)):
            return self._select_whole_batch(batch)
        accepts, filters = self._accepts, self._filters
        events: list[Event] = []
        for number, delivery in enumerate(batch, 1):
            if accepts is not None and not accepts(delivery):
                continue
            event = self._make_event(delivery)
            if filters and not all(test(event) for test in filters):
                continue
            events.append(event)
            if self._can_end and (outcome := self._check_event(event)) is not None:
                self.taken, self.outcome = number, outcome
                return events
        self.taken = len(batch)
        return events

    def _select_whole_batch(self, batch: Batch) -> list[Event]:
        # The same, if no event can end the run: takes a third of the time.
        accepts, make_event = self._accepts, self._make_event
        events = [
            make_event(delivery) for delivery in batch if accepts is None or accepts(delivery)
        ]
        self.taken = len(batch)
        if self._remaining is not None:
            self._remaining -= len(events)
        return events

    def _check_event(self, event: Event) -> Outcome | None:
        if self._stop.fail_on is not None and self._stop.fail_on(event):
            return Outcome.FAIL_ON_MATCHED
        if self._stop.until is not None and self._stop.until(event):
            return Outcome.UNTIL_MATCHED
        if self._remaining is not None:
            self._remaining -= 1
            if self._remaining == 0:
                return Outcome.COUNT_REACHED
        return None
