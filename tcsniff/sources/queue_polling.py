"""Repeated questions to the queue's API about a task group, while `graph` waits for it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

from tcsniff.errors import ApiError, ApiUnknown
from tcsniff.signals import signal_handler
from tcsniff.sources.group_pages import fetch_group_pages
from tcsniff.sources.queue_api import QueueApi
from tcsniff.taskgraph.definitions import Page
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.tracker import Change

_Answer = TypeVar("_Answer")

POLL_INTERVAL = 300.0  # seconds: messages can be lost, so the queue is asked now and then
RETRY_INTERVAL = 15.0  # seconds while only the queue can know something; doubled each time
FAILURE_INTERVAL = 60.0  # seconds after a failure
ASKING = "asking the queue"
NO_ANSWER = "no answer from the queue's API"
"""What is unusual about the API."""


class QueuePolling:
    """Asks for a task group in the background: at first, and whenever there is a reason.

    The answers are merged with what events have shown; neither removes anything
    from the other. While the API fails, events continue alone.
    """

    def __init__(
        self,
        api: QueueApi,
        group: GroupState,
        *,
        notify: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """Create a poller; `poll` asks.

        Args:
            api: The queue's API.
            group: The group, which receives the answers.
            notify: Receives a message about each failure that differs from the
                one before.
            clock: Returns the time in seconds.
        """
        group.mark_unanswered(ASKING, is_final=False)
        self._api = api
        self._group = group
        self._notify = notify
        self._clock = clock
        self._fetch: PageFetch[Page] | None = None
        self._last_start = -math.inf
        self._incomplete_answers = 0  # in a row, that left something unknown
        self._has_answer = False  # was ever answered completely
        # Whether the group was over when the current or last fetch started, and ever since.
        self._was_over = False
        self._is_hurried = False
        self._is_missing = False  # whether the queue did not know the group when last asked
        self._failure: ApiError | None = None

    @property
    def condition(self) -> str:
        """What is unusual about the API right now; empty for nothing."""
        if self._is_missing:
            return "" if self._group.has_events else "the group does not exist yet"
        if self._failure is not None:
            return NO_ANSWER
        return "" if self._has_answer else ASKING

    @property
    def unknown(self) -> ApiError | None:
        """Why nothing is known, if there was never a complete answer; None otherwise."""
        return None if self._has_answer else self._failure

    @property
    def is_asking(self) -> bool:
        """Whether an answer is expected, or not yet merged."""
        return self._fetch is not None

    @property
    def is_up_to_date(self) -> bool:
        """Whether the queue was asked after the group was over, even if it did not answer.

        While it does not answer, it can't say more about a group that is not over.
        """
        if self._failure is not None and not self._group.is_over:
            return True
        return self._was_over and self._fetch is None

    def poll(self) -> list[Change]:
        """Merge what has arrived, and ask again if it is time; never waits.

        Returns:
            What has changed in the group's tasks.
        """
        changes: list[Change] = []
        self._was_over = self._was_over and self._group.is_over
        if self._fetch is not None:
            for page in self._fetch.pop_pages():
                changes += self._group.add_page(page)
            self._was_over = self._was_over and self._group.is_over  # an answer may deny it
            if self._fetch.is_over:
                self._finish_fetch(self._fetch)
        elif self._is_due(self._clock() - self._last_start):
            self._start_fetch()
        return changes

    def hurry(self) -> None:
        """Ask again as soon as possible: messages may have been missed."""
        self._is_hurried = True

    def stop(self) -> None:
        """Stop asking."""
        if self._fetch is not None:
            self._fetch.stop()

    def _is_due(self, passed: float) -> bool:
        if self._is_hurried or passed >= POLL_INTERVAL:
            return True
        if self._group.is_over and not self._was_over:
            return True
        if self._is_missing and not self._group.has_events:
            return passed >= RETRY_INTERVAL
        if self._failure is not None or self._group.waits_outside:
            # No event says what becomes of tasks of other groups.
            return passed >= FAILURE_INTERVAL
        return passed >= RETRY_INTERVAL * 2**self._incomplete_answers and self._is_incomplete

    @property
    def _is_incomplete(self) -> bool:
        return self._group.lacks_definitions or self._group.is_contradicted

    def _start_fetch(self) -> None:
        self._last_start = self._clock()
        self._is_hurried = False
        self._was_over = self._group.is_over
        pages = fetch_group_pages(
            self._api, self._group.task_group_id, self._group.list_ended_outside()
        )
        self._fetch = PageFetch(pages)
        self._fetch.start()

    def _finish_fetch(self, fetch: PageFetch[Page]) -> None:
        self._fetch = None
        if fetch.error is None:
            self._has_answer, self._failure, self._is_missing = True, None, False
            self._group.mark_whole()
            self._incomplete_answers = self._incomplete_answers + 1 if self._is_incomplete else 0
        elif isinstance(fetch.error, ApiUnknown):
            self._note_missing(fetch.error)
        elif isinstance(fetch.error, ApiError):
            self._is_missing = False
            self._group.mark_unanswered(NO_ANSWER, is_final=self._was_over)
            if str(fetch.error) != str(self._failure):
                how = "with events only" if self._has_answer else "without dependencies"
                self._notify(f"{fetch.error}; continuing {how}")
            self._failure = fetch.error
        else:
            raise fetch.error

    def _note_missing(self, error: ApiUnknown) -> None:
        if self._group.has_events and str(error) != str(self._failure):
            self._notify(f"{error}; continuing with events only")
        self._is_missing, self._failure = True, error
        self._group.mark_missing()


class PageFetch(Generic[_Answer]):
    """Pages, or other answers, that are fetched in a background thread.

    Attributes:
        error: What ended the fetch early, a bug too; None so far. Without a look at it, a
            part of the pages would be taken for all.
    """

    def __init__(self, pages: Iterable[_Answer]) -> None:
        """Create a fetch; `start` starts its thread.

        Args:
            pages: The pages, as from `QueueApi.fetch_pages`; iterated in the
                thread.
        """
        self.error: BaseException | None = None
        self._pages = pages
        self._fetched: SimpleQueue[_Answer | None] = SimpleQueue()  # None is the end
        self._stopped = threading.Event()
        self._ended = threading.Event()

    def start(self) -> None:
        """Start the thread; only once."""
        threading.Thread(target=self._run, name="fetch", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait until the thread has ended, at most this long."""
        self._ended.wait(seconds)

    def wait_for_pages(self) -> Iterator[_Answer]:
        """Yield all pages, each when it has arrived. In the main thread a signal ends the wait.

        Raises:
            ApiError: What ended the fetch early; or any other exception, a bug.
        """
        while True:
            if signal_handler.received is not None:
                signal_handler.raise_received()
            with signal_handler.immediate():
                page = self._fetched.get()
            if page is None:
                break
            yield page
        if self.error is not None:
            raise self.error

    def pop_pages(self) -> list[_Answer]:
        """Return the pages that have arrived since the last call; never waits."""
        pages = []
        while not self._fetched.empty():
            if (page := self._fetched.get()) is not None:
                pages.append(page)
        return pages

    @property
    def is_over(self) -> bool:
        """Whether no page will arrive any more, and all were returned."""
        return self._ended.is_set() and self._fetched.empty()

    def stop(self) -> None:
        """Make it end after the current page; does not wait for that."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            for page in self._pages:
                self._fetched.put(page)
                if self._stopped.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - raised again where pages are merged
            self.error = error
        finally:
            self._fetched.put(None)
            self._ended.set()
