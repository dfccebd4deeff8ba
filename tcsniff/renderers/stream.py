"""The stream of events that a view shows: its source, its rate and its delay.

Pure, apart from the clock that it is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tcsniff.pipeline import FindFile
from tcsniff.pulse.events import Event

_RATE_WINDOW = 5.0  # seconds


def _describe_nothing() -> str:
    return ""


class StreamControl(NamedTuple):
    """What keys do to a run.

    Attributes:
        quit: Ends the run soon, as if the source had ended.
        watch: Lets the run call the view's `flush` soon, whenever a file can be read.
    """

    quit: Callable[[], None]
    watch: Callable[[FindFile], None]


class StreamInfo(NamedTuple):
    """Where events come from.

    Attributes:
        source: The name of the source, such as ``firefox-ci``.
        selection: The selection, as the user wrote it.
        condition: Returns what is unusual about the connection right now; empty
            for nothing.
        root_url: Root URL of the Taskcluster deployment; None if unknown.
        control: What keys do to the run; None if no keys can be read, as standard input
            holds events.
    """

    source: str
    selection: str = ""
    condition: Callable[[], str] = _describe_nothing
    root_url: str | None = None
    control: StreamControl | None = None


class StreamStatus(NamedTuple):
    """The content of a status line.

    Attributes:
        source: The name of the source.
        total: Events so far.
        rate: Events a second.
        idle: Seconds since the last event; None before the first.
        lag: Seconds from when the last event happened to when it was received;
            None if unknown.
        selection: The selection, as the user wrote it.
        notes: What the user should know about the connection.
        is_over: Whether the stream has ended: rate, idle time and hints are left out.
        hints: Which keys there are; where there is little room, the last ones remain.
    """

    source: str
    total: int
    rate: float
    idle: float | None
    lag: float | None
    selection: str
    notes: tuple[str, ...] = ()
    is_over: bool = False
    hints: tuple[str, ...] = ("Ctrl-C ends",)


class Traffic:
    """Counts events and gaps of a stream."""

    def __init__(self, stream: StreamInfo, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._clock = clock
        self._arrivals: deque[tuple[float, int]] = deque()  # time and number of events
        self._total = self._gaps = 0
        self._started = clock()
        self._last: float | None = None
        self._lag: float | None = None

    def add(self, events: Sequence[Event]) -> None:
        """Count events that arrived now."""
        if events:
            self.count(len(events), events[-1].lag)

    def count(self, number: int, lag: float | None) -> None:
        """Count some events that arrived now, and note the last one's lag in seconds."""
        self._last = self._clock()
        self._arrivals.append((self._last, number))
        self._total += number
        self._lag = lag

    def add_gap(self) -> None:
        """Count a gap."""
        self._gaps += 1

    @property
    def total(self) -> int:
        """The number of events so far."""
        return self._total

    def measure(self, *, is_over: bool = False) -> StreamStatus:
        """Return the status now; the rate is that of the last five seconds."""
        now = self._clock()
        while self._arrivals and self._arrivals[0][0] < now - _RATE_WINDOW:
            self._arrivals.popleft()
        window = min(_RATE_WINDOW, max(now - self._started, 1.0))
        gaps = f"{self._gaps} gap{'s' * (self._gaps != 1)}" if self._gaps else ""
        return StreamStatus(
            self._stream.source,
            self._total,
            sum(number for _, number in self._arrivals) / window,
            None if self._last is None else now - self._last,
            self._lag,
            self._stream.selection,
            tuple(filter(None, (self._stream.condition(), gaps))),
            is_over,
        )
