"""Pages of a task group that come in the background, while something else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from tcsniff.errors import TcsniffError
from tcsniff.taskgraph.definitions import Page


class Fetch:
    """Pages that come in the background.

    Attributes:
        error: Why they ended before their time; None if they did not.
    """

    def __init__(self, pages: Iterable[Page], wake: Callable[[], object] | None = None) -> None:
        """Nothing is fetched yet.

        Args:
            pages: What is to come, as from `QueueApi.pages`; asked for in a
                thread of its own.
            wake: Is called from there when there is something new: a page, or
                the end.
        """
        self.error: TcsniffError | None = None
        self._pages = pages
        self._wake = wake or _ignore
        self._come: SimpleQueue[Page] = SimpleQueue()
        self._stopped = threading.Event()
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin; once."""
        threading.Thread(target=self._run, name="fetch", daemon=True).start()

    def taken(self) -> list[Page]:
        """Hand over what has come since the last time; never waits."""
        pages = []
        while not self._come.empty():
            pages.append(self._come.get())
        return pages

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more, and all that came is taken."""
        return self._ended.is_set() and self._come.empty()

    def stop(self) -> None:
        """Have it end with the page that is being fetched; does not wait for that."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            for page in self._pages:
                if self._stopped.is_set():
                    break
                self._come.put(page)
                self._wake()
                if self._stopped.is_set():
                    break
        except TcsniffError as error:
            self.error = error
        finally:
            self._ended.set()
            if not self._stopped.is_set():
                self._wake()


def _ignore() -> None:
    pass
