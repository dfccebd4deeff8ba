"""Repeated questions to the queue's API about named tasks, while `task` waits for them."""

from __future__ import annotations

import math
from collections.abc import Callable

from tcsniff.errors import ApiError
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import (
    ASKING,
    FAILURE_INTERVAL,
    NO_ANSWER,
    POLL_INTERVAL,
    RETRY_INTERVAL,
    PageFetch,
)
from tcsniff.sources.task_answers import fetch_task_answers
from tcsniff.taskgraph.definitions import Page
from tcsniff.taskgraph.named_tasks import Answer, MissingTask, NamedTasks
from tcsniff.taskgraph.tracker import Change

AROUND_INTERVAL = 30.0  # seconds; no event says how many tasks are pending in a worker pool


class TaskPolling:
    """Asks for named tasks in the background: at first, and whenever there is a reason.

    The answers are merged with what events have shown; neither removes anything
    from the other. While the API fails, events continue alone.
    """

    def __init__(
        self,
        api: QueueApi,
        tasks: NamedTasks,
        *,
        notify: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """Create a poller; `poll` asks.

        Args:
            api: The queue's API.
            tasks: The tasks, which receive the answers.
            notify: Receives a message about each failure that differs from the one before.
            clock: Returns the time in seconds.
        """
        self._api = api
        self._tasks = tasks
        self._notify = notify
        self._clock = clock
        self._fetch: PageFetch[Answer] | None = None
        self._unanswered: set[str] = set()  # in the current or last fetch
        self._last_start = -math.inf
        self._undefined_answers = 0  # in a row, that left a task without a definition
        self._has_answer = False  # was ever answered completely
        # Whether the tasks had ended when the current or last fetch started, and ever since.
        self._had_ended = False
        self._is_hurried = False
        self._failure: ApiError | None = None
        tasks.mark_unanswered(ASKING)

    @property
    def condition(self) -> str:
        """What is unusual about the API right now; empty for nothing."""
        if self._failure is not None:
            return NO_ANSWER
        return "" if self._has_answer else ASKING

    @property
    def is_asking(self) -> bool:
        """Whether an answer is expected, or not yet merged."""
        return self._fetch is not None

    @property
    def is_up_to_date(self) -> bool:
        """Whether the queue was asked after the tasks had ended, even if it did not answer."""
        return self._had_ended and self._fetch is None

    def poll(self) -> list[Change]:
        """Merge what has arrived, and ask again if it is time; never waits.

        Returns:
            What has changed in the named tasks.
        """
        changes: list[Change] = []
        self._had_ended = self._had_ended and self._tasks.has_ended
        if self._fetch is not None:
            for answer in self._fetch.pop_pages():
                changes += self._tasks.add_answer(answer)
                self._unanswered.difference_update(_list_subjects(answer))
            self._had_ended = self._had_ended and self._tasks.has_ended  # an answer may deny it
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
        tasks = self._tasks
        if self._is_hurried or passed >= POLL_INTERVAL:
            return True
        if tasks.has_ended:
            return not self._had_ended
        if self._failure is not None:
            return passed >= FAILURE_INTERVAL
        if tasks.missing:
            return passed >= RETRY_INTERVAL
        if tasks.lacks_definitions:
            return passed >= RETRY_INTERVAL * 2.0**self._undefined_answers
        return passed >= AROUND_INTERVAL and tasks.has_waiting

    def _start_fetch(self) -> None:
        tasks = self._tasks
        self._last_start = self._clock()
        self._is_hurried = False
        self._had_ended = tasks.has_ended
        self._unanswered = set(tasks.task_ids)
        answers = fetch_task_answers(
            self._api, tasks.task_ids, tasks.definitions, tasks.list_completed()
        )
        self._fetch = PageFetch(answers)
        self._fetch.start()

    def _finish_fetch(self, fetch: PageFetch[Answer]) -> None:
        self._fetch = None
        if fetch.error is None:
            self._has_answer, self._failure = True, None
            is_undefined = self._tasks.lacks_definitions
            self._undefined_answers = self._undefined_answers + 1 if is_undefined else 0
        elif isinstance(fetch.error, ApiError):
            self._tasks.mark_unanswered(NO_ANSWER, self._unanswered)
            if str(fetch.error) != str(self._failure):
                how = "events only" if self._has_answer else "events, without dependencies"
                self._notify(f"{fetch.error}; continuing with {how}")
            self._failure = fetch.error
        else:
            raise fetch.error


def _list_subjects(answer: Answer) -> list[str]:
    # The tasks that an answer is about.
    match answer:
        case Page():
            return [definition.task_id for definition in answer.definitions]
        case MissingTask(task_id):
            return [task_id]
    return []
