"""What the thread of the source hands to the thread of the screen, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

from tcsniff.browse.event_rows import EventRow

_MAX_ROWS = 5_000  # that wait; then the source is not read until some were taken
_MAX_NOTES = 100  # messages for the user that are kept


class Arrivals(NamedTuple):
    """What has arrived since the last look.

    Attributes:
        rows: Events.
        notes: Messages for the user.
        gaps: How many times messages may have been missed.
    """

    rows: Sequence[EventRow]
    notes: Sequence[str]
    gaps: int


class EventBuffer:
    """A bounded queue from one thread to another.

    Attributes:
        failure: Why the source ended; None if it has not, or ended by itself.
        has_ended: Whether nothing more will arrive.
        is_closed: Whether no more rows are wanted.
        notes: All messages for the user, the newest 100.
    """

    def __init__(self, max_rows: int = _MAX_ROWS) -> None:
        self.failure: Exception | None = None
        self.has_ended = False
        self.notes: list[str] = []
        self._max_rows = max_rows
        self._rows: list[EventRow] = []
        self._new_notes: list[str] = []
        self._gaps = 0
        self.is_closed = False
        self._changed = threading.Condition()

    def put_rows(self, rows: Sequence[EventRow]) -> None:
        """Add events; waits while too many were not taken, unless the buffer is closed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._rows) < self._max_rows or self.is_closed)
            self._rows += rows

    def put_note(self, text: str) -> None:
        """Add a message for the user."""
        with self._changed:
            self._new_notes = [*self._new_notes, text][-_MAX_NOTES:]
            self.notes = [*self.notes, text][-_MAX_NOTES:]

    def put_gap(self) -> None:
        """Count a time during which messages may have been missed."""
        with self._changed:
            self._gaps += 1

    def end(self, failure: Exception | None = None) -> None:
        """Note that nothing more will arrive, and why if it is a failure."""
        with self._changed:
            self.failure, self.has_ended = failure, True

    def close(self) -> None:
        """Let the other thread go on, whose rows are not wanted any more."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def take(self, limit: int) -> Arrivals:
        """Return what has arrived; of the events the first `limit`."""
        with self._changed:
            rows, self._rows = self._rows[:limit], self._rows[limit:]
            arrivals = Arrivals(rows, self._new_notes, self._gaps)
            self._new_notes, self._gaps = [], 0
            self._changed.notify_all()
        return arrivals
