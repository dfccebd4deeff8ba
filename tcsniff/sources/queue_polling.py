"""What the queue's API tells of a group that is followed, asked for when it is of use."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from tcsniff.errors import ApiError, TcsniffError
from tcsniff.sources.queue_api import QueueApi
from tcsniff.taskgraph.definitions import Page
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.tracker import Change

AGAIN = 300.0  # seconds between two questions: messages get lost, the queue's word counts
SOON = 15.0  # seconds, if there is something that only the queue can tell; doubled each time
AFTER_FAILURE = 60.0  # seconds


class QueuePolling:
    """Asks for a group in the background, at first and whenever there is reason to.

    What it tells is merged with what events have told; neither takes anything
    away from the other. While the API fails, events go on alone.
    """

    def __init__(
        self,
        api: QueueApi,
        following: GroupState,
        *,
        notify: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """Nothing is asked yet.

        Args:
            api: Whom to ask.
            following: The group.
            notify: Is told of a failure, once for each that is another.
            clock: Tells the time, in seconds.
        """
        self._api = api
        self._following = following
        self._notify = notify
        self._clock = clock
        self._fetch: PageFetch | None = None
        self._begun = -math.inf
        self._lacking = 0  # answers, one after the other, that left something unknown
        self._is_answered = False  # ever, wholly
        self._was_over = False  # when the fetch that is on, or was the last, began; and since
        self._is_hurried = False
        self._failure: ApiError | None = None

    @property
    def condition(self) -> str:
        """What a person should know of it just now; empty if all is well."""
        if self._failure is not None:
            return "no answer from the queue's API"
        return "" if self._is_answered else "asking the queue"

    @property
    def unknown(self) -> ApiError | None:
        """Why nothing is known, if the very first answer was a failure; None otherwise."""
        return None if self._is_answered else self._failure

    @property
    def is_asking(self) -> bool:
        """Whether an answer is on its way, or not taken yet."""
        return self._fetch is not None

    @property
    def is_up_to_date(self) -> bool:
        """Whether the queue was asked since the group is over, or cannot be asked."""
        if self._failure is not None:
            return True
        return self._was_over and self._fetch is None

    def poll(self) -> list[Change]:
        """Take what has come, and ask again if it is time; never waits.

        Returns:
            What is new of the group's tasks.
        """
        changes: list[Change] = []
        self._was_over = self._was_over and self._following.is_over
        if self._fetch is not None:
            for page in self._fetch.taken():
                changes += self._following.add_facts(page.definitions, page.statuses, page.group)
            if self._fetch.is_over:
                self._end(self._fetch)
        elif self._is_due(self._clock() - self._begun):
            self._begin()
        return changes

    def hurry(self) -> None:
        """Ask again as soon as can be: messages may have been missed."""
        self._is_hurried = True

    def stop(self) -> None:
        """Ask no more."""
        if self._fetch is not None:
            self._fetch.stop()

    def _is_due(self, passed: float) -> bool:
        if self._is_hurried:
            return True
        if self._failure is not None:
            return passed >= AFTER_FAILURE
        if passed >= AGAIN:
            return True
        if self._following.is_over and not self._was_over:
            return True
        return passed >= SOON * 2**self._lacking and self._is_lacking

    @property
    def _is_lacking(self) -> bool:
        return self._following.lacks_definitions or self._following.is_contradicted

    def _begin(self) -> None:
        self._begun = self._clock()
        self._is_hurried = False
        self._was_over = self._following.is_over
        self._fetch = PageFetch(self._api.pages(self._following.task_group_id))
        self._fetch.start()

    def _end(self, fetch: PageFetch) -> None:
        self._fetch = None
        if fetch.error is None:
            self._is_answered, self._failure = True, None
            self._following.mark_whole()
            self._lacking = self._lacking + 1 if self._is_lacking else 0
        elif isinstance(fetch.error, ApiError):
            if str(fetch.error) != str(self._failure):
                self._notify(f"{fetch.error}; going on with events alone")
            self._failure = fetch.error
        else:
            raise fetch.error


class PageFetch:
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
