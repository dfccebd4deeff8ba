"""Attempts to restore a lost connection."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tcsniff.errors import TcsniffError
from tcsniff.sources.connection import Connection
from tcsniff.sources.failures import is_temporary
from tcsniff.sources.queue_policy import QueueSpec


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
