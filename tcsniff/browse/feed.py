"""The thread that reads the source: the same pipeline as for every other view."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

from tcsniff.browse.event_buffer import EventBuffer
from tcsniff.browse.event_rows import build_row
from tcsniff.pipeline import EventTest, Renderer, Source, Stop, run_pipeline
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.task_memory import TaskMemory
from tcsniff.renderers.stream import StreamInfo
from tcsniff.stats.run_counter import RunCounter

_CHUNK = 200  # events that are handed on at once; a recording has thousands in a batch
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
    """The statistics of runs, which one thread adds to and another one reads."""

    def __init__(self, counter: RunCounter) -> None:
        self.counter = counter
        self.lock = threading.Lock()

    def add(self, events: Sequence[Event]) -> None:
        """Count a few events."""
        with self.lock:
            for event in events:
                self.counter.add(event)


class BufferRenderer(Renderer):
    """Turns events into rows and hands them to the screen's thread."""

    def __init__(self, buffer: EventBuffer, pools: PoolCounts) -> None:
        self._buffer = buffer
        self._pools = pools

    def show(self, events: Sequence[Event]) -> None:
        """Hand on a batch of events, in parts."""
        for start in range(0, len(events), _CHUNK):
            part = events[start : start + _CHUNK]
            self._pools.add(part)
            self._buffer.put_rows([build_row(event) for event in part])

    def flush(self) -> None:
        """Do nothing: what was shown is in the buffer."""

    def show_gap(self, gap: Gap) -> None:
        """Count a gap."""
        if gap.missed:
            self._buffer.put_gap()


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
        try:
            with closing(intake.wrap(BufferRenderer(self._buffer, self._pools))) as renderer:
                run_pipeline(
                    intake.source,
                    renderer,
                    accepts=intake.accepts,
                    filters=intake.filters,
                    stop=Stop(count=intake.limit),
                    make_event=TaskMemory().make_event,
                )
        except Exception as error:  # noqa: BLE001 - the screen's thread raises it again
            self._buffer.end(error)
        else:
            self._buffer.end()
