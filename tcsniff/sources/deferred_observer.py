"""What threads report, handed on by the thread that draws."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from tcsniff.pipeline import ConnectionObserver
from tcsniff.pulse.deliveries import Gap


class DeferredObserver(ConnectionObserver):
    """Keeps what it receives, from any thread, until `hand_on` is called.

    A live picture is drawn by one thread, and messages are written above it.
    """

    def __init__(self, observer: ConnectionObserver) -> None:
        """Create an observer.

        Args:
            observer: Receives everything from `hand_on`.
        """
        self._observer = observer
        self._calls: deque[Callable[[], None]] = deque()

    def notify(self, text: str) -> None:
        """Keep a message."""
        self._calls.append(partial(self._observer.notify, text))

    def detail(self, text: str) -> None:
        """Keep the details of a connection."""
        self._calls.append(partial(self._observer.detail, text))

    def add_gap(self, gap: Gap) -> None:
        """Keep a gap."""
        self._calls.append(partial(self._observer.add_gap, gap))

    def hand_on(self) -> None:
        """Hand everything on, in order."""
        while self._calls:
            self._calls.popleft()()
