"""The thread that reads the source: the same pipeline as for every other view."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

from tcsniff.browse.event_buffer import EventBuffer
from tcsniff.browse.event_rows import EventRow, build_rows
from tcsniff.pipeline import EventTest, Renderer, Source, Stop, run_pipeline
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.task_memory import TaskMemory
from tcsniff.renderers.stream import StreamInfo
from tcsniff.stats.run_counter import RunCounter

_CHUNK = 50  # events that are counted at once, while the screen waits for the numbers
_BUSY = 200  # events of a batch that mean that the source has many more: a recording
_AT_ONCE = 2_000  # events that are counted before new ones are shown: 0.1 s
_MAX_WAITING = 50_000  # events that wait to be counted
_PATIENCE = 5.0  # seconds at the end until the source has noticed that it is stopped


def _keep_renderer(renderer: Renderer) -> Renderer:
    return renderer


class Intake(NamedTuple):
    """Where events come from, and which of them are wanted.

    Attributes:
        source: The source.
        info: What it is called.
        accepts: Whether a delivery is selected; None selects all.
        filters: Tests of selected events; all must be true.
        limit: How many events are wanted; None for all.
        wrap: Adds to the renderer what else is done with events, such as recording them.
    """

    source: Source
    info: StreamInfo
    accepts: Callable[[Delivery], bool] | None = None
    filters: Sequence[EventTest] = ()
    limit: int | None = None
    wrap: Callable[[Renderer], Renderer] = _keep_renderer


class PoolCounts:
    """The statistics of runs, which one thread adds to and another one reads.

    Attributes:
        waiting: How many events have arrived that were not counted yet.
    """

    def __init__(self, counter: RunCounter) -> None:
        self.counter = counter
        self.lock = threading.Lock()
        self.waiting = 0

    def add(self, events: Sequence[Event]) -> None:
        """Count a few events."""
        with self.lock:
            for event in events:
                self.counter.add(event)


class BufferRenderer(Renderer):
    """Turns events into rows and hands them to the screen's thread.

    What is slow waits until the source is quiet, or is behind by too much: counting runs,
    and finding out what filters look at. It takes three times as long as everything else.
    """

    def __init__(self, buffer: EventBuffer, pools: PoolCounts) -> None:
        self._buffer = buffer
        self._pools = pools
        self._waiting: deque[list[EventRow]] = deque()
        self._is_quiet = False

    def show(self, events: Sequence[Event]) -> None:
        """Hand on a batch of events."""
        self._is_quiet = len(events) < _BUSY
        if events:
            rows = build_rows([event.delivery for event in events])
            self._buffer.put_rows(rows)
            self._waiting.append(rows)
            self._pools.waiting += len(rows)

    def flush(self) -> None:
        """Do some of what waits, if the source is quiet or too much waits."""
        waiting = self._pools.waiting
        self._learn(max(0, waiting - _AT_ONCE) if self._is_quiet else _MAX_WAITING)

    def show_gap(self, gap: Gap) -> None:
        """Count a gap."""
        if gap.missed:
            self._buffer.put_gap()

    def finish(self) -> None:
        """Do all that waits, unless the app has closed."""
        self._learn(0)

    def _learn(self, max_waiting: int) -> None:
        while self._pools.waiting > max_waiting and not self._buffer.is_closed:
            self._learn_rows(self._waiting.popleft())

    def _learn_rows(self, rows: Sequence[EventRow]) -> None:
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            events = [row.event for row in part]
            self._pools.add(events)
            for row, event in zip(part, events, strict=True):
                row.learn(event)
            self._pools.waiting -= len(part)


class Feed:
    """Reads a source in a thread until it ends or is stopped."""

    def __init__(self, intake: Intake, buffer: EventBuffer, pools: PoolCounts) -> None:
        self._intake = intake
        self._buffer = buffer
        self._pools = pools
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading, and wait for the thread's end."""
        self._intake.source.stop()
        self._buffer.close()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        intake = self._intake
        rows = BufferRenderer(self._buffer, self._pools)
        try:
            with closing(intake.wrap(rows)) as renderer:
                run_pipeline(
                    intake.source,
                    renderer,
                    accepts=intake.accepts,
                    filters=intake.filters,
                    stop=Stop(count=intake.limit),
                    # Rows have the names of earlier messages from the store; filters don't.
                    make_event=TaskMemory().make_event if intake.filters else Event,
                )
        except Exception as error:  # noqa: BLE001 - the screen's thread raises it again
            self._buffer.end(error)
        else:
            self._buffer.end()
        self._count_rest(rows)

    def _count_rest(self, rows: BufferRenderer) -> None:
        try:
            rows.finish()
        except Exception as error:  # noqa: BLE001 - as above
            self._buffer.end(error)
