"""What the queue's API knows about the worker pools of `top`: what waited and ran before.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from tcsniff.commands.wiring.run import Notify
from tcsniff.errors import ApiError
from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.payloads import TaskState
from tcsniff.renderers.wrapper import RendererWrapper
from tcsniff.sources.pool_answers import (
    PoolAnswer,
    PoolEnd,
    PoolPage,
    PoolRefusal,
    fetch_pool_answers,
    fetch_statuses,
)
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import ASKING, FAILURE_INTERVAL, NO_ANSWER, PageFetch
from tcsniff.stats.memory import hash_task
from tcsniff.stats.run_counter import RunCounter

MAX_STATUSES = 500  # that are asked for after one answer
_MISSED = {"pending": "waited", "claimed": "ran"}  # what is unknown without the list


class PoolWatch:
    """Asks for the pending and running tasks of worker pools, and counts them.

    At first, and whenever messages may have been missed. Messages come first: what they
    say replaces what was asked for. A task of which messages say something older than the
    lists is asked for by itself.
    """

    def __init__(
        self,
        api: QueueApi,
        pools: Sequence[str],
        counter: RunCounter,
        *,
        is_wanted: Callable[[Event], bool],
        notify: Notify,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create a watch; `poll` asks.

        Args:
            api: The queue's API.
            pools: The worker pools.
            counter: Counts the runs.
            is_wanted: Whether an event is selected; a run counts if one about it is.
            notify: Receives a message about each failure that differs from the last one.
            clock: Returns the time in seconds.
        """
        self._api = api
        self._pools = pools
        self._counter = counter
        self._is_wanted = is_wanted
        self._notify = notify
        self._clock = clock
        self._fetch: PageFetch[PoolAnswer] | PageFetch[TaskState] | None = None
        self._is_due = True
        self._retry = math.inf  # when to ask again after a failure
        self._failure = ""
        self._listed: dict[str, set[int]] = {}  # by pool, the tasks in its last lists
        self._seen: set[int] = set()  # the tasks in the lists of the present pool so far
        self._doubtful: dict[str, None] = {}  # tasks whose status is needed
        self._refusals: list[PoolRefusal] = []
        self._unread = 0
        counter.api = "asking"

    @property
    def is_asking(self) -> bool:
        """Whether an answer is expected, or not yet counted."""
        return self._fetch is not None

    @property
    def condition(self) -> str:
        """What is unusual about the API right now; empty for nothing."""
        return {"asking": ASKING, "failed": NO_ANSWER}.get(self._counter.api, "")

    def poll(self) -> None:
        """Count what has arrived, and ask if it is time; never waits."""
        if self._fetch is None:
            if self._is_due or self._clock() >= self._retry:
                self._start()
            return
        for answer in self._fetch.pop_pages():
            self._merge(answer)
        if self._fetch.is_over:
            self._finish(self._fetch.error)

    def hurry(self) -> None:
        """Ask again as soon as possible: messages may have been missed."""
        self._is_due = self._counter.api != "refused"

    def close(self) -> None:
        """Count what has arrived, and stop asking."""
        self.poll()
        if self._fetch is not None:
            self._fetch.stop()
        if self._counter.api == "asking":
            self._notify(
                f"{self._api.root_url} has not answered so far: what waited and ran before is "
                "not counted"
            )

    def _start(self) -> None:
        self._is_due, self._retry = False, math.inf
        self._seen, self._refusals, self._unread = set(), [], 0
        self._fetch = PageFetch(fetch_pool_answers(self._api, self._pools))
        self._fetch.start()

    def _merge(self, answer: PoolAnswer | TaskState) -> None:
        match answer:
            case TaskState():
                self._counter.add_status(answer)
            case PoolPage():
                self._merge_page(answer)
            case PoolRefusal():
                self._refusals.append(answer)
            case PoolEnd():
                self._end_pool(answer)

    def _merge_page(self, answer: PoolPage) -> None:
        self._unread += answer.page.unread
        for run in answer.page.runs:
            task_id = run.task.status.task_id
            self._seen.add(hash_task(task_id))
            is_wanted = self._is_wanted(Event(run.build_delivery()))
            if is_wanted and not self._counter.add_listed(run.task):
                self._doubtful[task_id] = None

    def _end_pool(self, answer: PoolEnd) -> None:
        seen, self._seen = self._seen, set()
        if "pending" not in answer.states:
            return
        statistics = self._counter.statistics
        statistics.drop_listed(self._listed.get(answer.pool, set()) - seen)
        self._listed[answer.pool] = seen
        states = {"pending", "running"} if "claimed" in answer.states else {"pending"}
        for task_id, state in statistics.list_open_tasks(answer.pool):
            if state in states and hash_task(task_id) not in seen:
                self._doubtful[task_id] = None

    def _finish(self, error: BaseException | None) -> None:
        self._fetch = None
        if isinstance(error, ApiError):
            self._counter.api = "failed"
            self._retry = self._clock() + FAILURE_INTERVAL
            if str(error) != self._failure:
                self._failure = str(error)
                self._notify(f"{error}; what waited and ran before is not counted")
        elif error is not None:
            raise error
        elif self._doubtful:
            self._ask_statuses()
        else:
            self._end_asking()

    def _ask_statuses(self) -> None:
        task_ids = list(self._doubtful)
        self._doubtful = {}
        if len(task_ids) > MAX_STATUSES:
            self._notify(
                f"{len(task_ids) - MAX_STATUSES:,} tasks have changed without a message; they "
                "count as they were"
            )
        self._fetch = PageFetch(fetch_statuses(self._api, task_ids[:MAX_STATUSES]))
        self._fetch.start()

    def _end_asking(self) -> None:
        if self._unread:
            self._notify(f"{self._unread:,} pending or running tasks could not be decoded")
        states = {refusal.state for refusal in self._refusals}
        self._counter.api = "refused" if "pending" in states else "answered"
        if self._refusals:
            error = self._refusals[0].error
            missed = " and ".join(word for state, word in _MISSED.items() if state in states)
            note = f"{error}; what {missed} there before is not counted"
            if note != self._failure:
                self._failure = note
                self._notify(note)
        self._refusals = []


class PoolWatchRenderer(RendererWrapper):
    """Lets a watch count between two batches of events."""

    def __init__(self, renderer: Renderer, watch: PoolWatch) -> None:
        super().__init__(renderer)
        self._watch = watch

    def flush(self) -> None:
        """Count what was asked for, and write what was added."""
        self._watch.poll()
        super().flush()

    def show_gap(self, gap: Gap) -> None:
        """Ask again after a gap."""
        if gap.missed:
            self._watch.hurry()
        super().show_gap(gap)

    def close(self) -> None:
        """Stop asking, and close the other renderer."""
        self._watch.close()
        super().close()
