"""Attempts to restore a lost connection."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator

from tcsniff.errors import TcsniffError
from tcsniff.sources.connection import Connection
from tcsniff.sources.failures import is_temporary
from tcsniff.sources.queue_policy import QueueSpec

_FIRST_PAUSE = 0.5  # seconds before the first attempt; doubled after each
_MAX_PAUSE = 30.0  # seconds


def list_pauses() -> Iterator[float]:
    """Yield the seconds to wait before each attempt, without end.

    With jitter, so that not all clients return to a restarted broker at once.
    """
    pause = _FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.5, 1.5)
        pause = min(2 * pause, _MAX_PAUSE)


class ReconnectAttempt:
    """An attempt to reconnect, in a thread, since it may take long or never end.

    Attributes:
        connection: The new connection.
    """

    def __init__(
        self, connection: Connection, reopen: Callable[[Connection], tuple[QueueSpec, bool]]
    ) -> None:
        """Start the attempt.

        Args:
            connection: The new connection, not yet open.
            reopen: Opens it; returns its queue, and whether messages may have
                been missed.
        """
        self.connection = connection
        self._reopen = reopen
        self._result: tuple[QueueSpec, bool] | None = None
        self._error: TcsniffError | None = None
        self._thread = threading.Thread(target=self._run, name="reconnect", daemon=True)
        self._thread.start()

    def is_over(self) -> bool:
        """Return whether it has succeeded or failed."""
        return not self._thread.is_alive()

    @property
    def failure(self) -> str:
        """Why it failed; empty if it succeeded."""
        return str(self._error or "")

    def get_result(self) -> tuple[QueueSpec, bool] | None:
        """Return what `reopen` returned; None if it failed and the next attempt may succeed.

        Raises:
            Refused: If no further attempt can succeed.
            TlsError: The same.
        """
        if self._error is not None and not is_temporary(self._error):
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._reopen(self.connection)
        except TcsniffError as error:
            self._error = error
            self.connection.close()
