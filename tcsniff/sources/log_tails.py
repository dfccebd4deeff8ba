"""The last lines of the logs of tasks that failed, fetched in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from queue import SimpleQueue

from tcsniff.errors import ApiError
from tcsniff.signals import signal_handler

MAX_LOGS = 20  # that are fetched for a group
_SIGNAL_INTERVAL = 0.1  # seconds between two looks for a signal
_WAIT = 20.0  # seconds at the end for logs that are still being fetched

RunKey = tuple[str, int]
"""A task's ID and a run's number."""


class LogTails:
    """The ends of logs, each fetched once, one after the other.

    A log that can't be fetched has no lines: the address of the log says where it is.
    """

    def __init__(self, fetch: Callable[[str, int], list[str]]) -> None:
        """Create without logs.

        Args:
            fetch: Returns the last lines of the log of a task's run; may raise
                `ApiError`. Called in a thread.
        """
        self._fetch = fetch
        self._wanted: SimpleQueue[RunKey] = SimpleQueue()
        self._requested: set[RunKey] = set()
        self._tails: dict[RunKey, list[str]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def get(self, runs: Iterable[RunKey], *, wait: bool) -> Mapping[RunKey, list[str]]:
        """Return the ends of logs, as far as they were fetched.

        Args:
            runs: The runs whose logs are wanted, the most important ones first.
            wait: Whether to wait for all of them, at most 20 s, or until a signal.
        """
        for run in runs:
            if run not in self._requested and len(self._requested) < MAX_LOGS:
                self._requested.add(run)
                self._wanted.put(run)
        if self._requested and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
            self._thread.start()
        with self._changed:
            deadline = time.monotonic() + (_WAIT if wait else 0)
            while len(self._tails) < len(self._requested) and time.monotonic() < deadline:
                if signal_handler.received is not None:
                    break
                self._changed.wait(_SIGNAL_INTERVAL)
            return dict(self._tails)

    def _run(self) -> None:
        while True:
            task_id, run_id = self._wanted.get()
            try:
                tail = self._fetch(task_id, run_id)
            except ApiError:
                tail = []
            with self._changed:
                self._tails[task_id, run_id] = tail
                self._changed.notify_all()
