"""When the queue is asked about a group, and what its answers and silences lead to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from builders import delivery
from queue_server import QueueServer, content
from tcsniff.errors import ApiError, ApiUnknown
from tcsniff.settings.web_server import WebServer
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import (
    FAILURE_INTERVAL,
    POLL_INTERVAL,
    RETRY_INTERVAL,
    QueuePolling,
)
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.tracker import Change

PATIENCE = 30  # seconds until something that must happen has not
NEW_TASK = "WTRHGgi7TNaxn5lBTOzXTg"

PLAN = next(plan_groups(seed=3, tasks=60))
GROUP = PLAN.task_group_id
HEARD = [delivery for _, delivery in simulate(seed=3, start=0, groups=1, faults=())]
HALF = len(HEARD) // 2


class Asked:
    """An inquiry whose clock the test holds, about a group that it can add to."""

    def __init__(self, server: QueueServer, group: str = GROUP) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.following = GroupState(group)
        api = QueueApi(WebServer(server.url), timeout=PATIENCE, retries=0)
        self.inquiry = QueuePolling(
            api, self.following, notify=self.said.append, clock=lambda: self.now
        )
        self._server = server

    def answered(self) -> list[Change]:
        """Ask, and look again and again until the answer was taken in."""
        changes = self.inquiry.poll()
        assert self.inquiry.is_asking
        deadline = time.monotonic() + PATIENCE
        while self.inquiry.is_asking:
            assert time.monotonic() < deadline
            time.sleep(0.001)  # leave the processor to the server
            changes += self.inquiry.poll()
        return changes

    def answered_at_once(self) -> None:
        """Ask, and look only when the whole answer has arrived."""
        self.inquiry.poll()
        for thread in threading.enumerate():
            if thread.name == "fetch":
                thread.join(PATIENCE)
        self.inquiry.poll()
        assert not self.inquiry.is_asking

    def asks(self, after: float) -> bool:
        """Let time pass, and tell whether that leads to a question."""
        self.now += after
        self.inquiry.poll()
        return self.inquiry.is_asking

    def hear(self, *events: str, **details: object) -> None:
        """Have events come about the group."""
        for event in events:
            self.following.apply(delivery(event, group=GROUP, **details))


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer(content(PLAN, HEARD[:HALF]), page_size=25) as running:
        yield running


def test_it_asks_at_once_and_tells_what_is_new(server: QueueServer) -> None:
    """All pages, their statuses as changes, and then all tasks of the group are known."""
    asked = Asked(server)

    changes = asked.answered()

    graph = asked.following.graph()
    assert len(server.requests) == 3
    assert {change.after.status.task_id for change in changes} == set(graph.nodes)
    assert (len(graph.nodes), graph.is_whole, graph.has_dependencies) == (60, True, True)
    assert (asked.inquiry.condition, asked.inquiry.unknown, asked.said) == ("", None, [])


def test_it_never_waits(server: QueueServer) -> None:
    """Events are shown while the queue takes its time."""
    server.delay = PATIENCE
    asked = Asked(server)

    begun = time.monotonic()
    polled = [asked.inquiry.poll() for _ in range(3)]

    assert polled == [[], [], []]
    assert time.monotonic() - begun < PATIENCE / 2
    assert asked.inquiry.condition == "asking the queue"


def test_it_rests_while_all_is_known(server: QueueServer) -> None:
    """The queue is asked again now and then only: messages do get lost."""
    asked = Asked(server)
    asked.answered()

    assert not asked.asks(POLL_INTERVAL - 1)
    assert asked.asks(1)


def test_it_asks_again_for_tasks_without_definitions(server: QueueServer) -> None:
    """Soon, as they come in hundreds; and more and more seldom if that is of no use."""
    asked = Asked(server)
    asked.answered()
    asked.hear("task-pending", task_id=NEW_TASK)

    assert not asked.asks(RETRY_INTERVAL - 1)
    assert asked.asks(1)
    asked_again = Asked(server)
    asked_again.hear("task-pending", task_id=NEW_TASK)
    asked_again.answered()
    assert not asked_again.asks(2 * RETRY_INTERVAL - 1)
    assert asked_again.asks(1)


def test_it_asks_again_when_all_has_ended(server: QueueServer) -> None:
    """Nothing is said to be over that the queue does not know to be over."""
    asked = Asked(server)
    asked.answered()
    for event in HEARD:
        asked.following.apply(event)
    before = asked.following.is_over, asked.inquiry.is_up_to_date
    server.groups[GROUP] = content(PLAN, HEARD)

    asked.answered()

    assert before == (True, False)
    assert asked.inquiry.is_up_to_date
    assert not asked.asks(RETRY_INTERVAL)


def test_it_asks_again_after_each_end(server: QueueServer) -> None:
    """A task is run once more after the queue was asked, and ends again."""
    asked = Asked(server)
    asked.answered()
    for event in HEARD:
        asked.following.apply(event)
    server.groups[GROUP] = content(PLAN, HEARD)
    asked.answered()
    task_id = PLAN.tasks[-1].task_id

    asked.hear("task-pending", task_id=task_id, run=1)
    during = asked.asks(1), asked.inquiry.is_up_to_date
    asked.hear("task-completed", task_id=task_id, run=1)

    assert during == (False, False)
    assert (asked.asks(1), asked.inquiry.is_up_to_date) == (True, False)


def test_an_answer_that_denies_an_end_is_not_the_last(server: QueueServer) -> None:
    """Also if it arrives at once."""
    asked = Asked(server)
    asked.answered()
    for event in HEARD:
        asked.following.apply(event)
    task_id = PLAN.tasks[-1].task_id
    server.groups[GROUP] = content(PLAN, HEARD)
    for member in server.groups[GROUP].members:
        if member.status["taskId"] == task_id:
            member.status["state"] = "running"
            member.status["runs"].append({"runId": 1, "state": "running"})

    asked.answered_at_once()

    assert not asked.following.is_over
    assert not asked.inquiry.is_up_to_date


def test_it_asks_again_when_the_queue_contradicts_what_is_known(server: QueueServer) -> None:
    """All has ended, says a message, and a task is open: then another message was lost."""
    server.groups[GROUP] = content(PLAN, HEARD)
    asked = Asked(server)
    asked.hear("task-running", task_id=PLAN.tasks[-1].task_id, run=7)
    asked.answered()

    before = asked.asks(RETRY_INTERVAL)
    asked.hear("task-group-resolved")

    assert (before, asked.asks(0)) == (False, True)


def test_it_asks_again_after_a_gap(server: QueueServer) -> None:
    """What was missed in it only the queue can tell."""
    asked = Asked(server)
    asked.answered()

    asked.inquiry.hurry()

    assert asked.asks(0)
    assert len(asked.following.graph().nodes) == 60


def test_a_failure_is_told_once_and_events_go_on(server: QueueServer) -> None:
    """And the queue is asked again a minute later, until it answers."""
    server.status = 500
    asked = Asked(server)
    asked.answered()
    asked.hear("task-pending")
    rests = asked.asks(FAILURE_INTERVAL - 1)
    asked.now += 1
    asked.answered()
    condition = asked.inquiry.condition
    server.status = 0
    asked.now += FAILURE_INTERVAL
    asked.answered()

    assert not rests
    assert len(asked.said) == 1
    assert asked.said[0].endswith("; continuing without dependencies")
    assert condition == "no answer from the queue's API"
    assert asked.inquiry.condition == ""
    assert len(asked.following.graph().nodes) == 61


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda server: setattr(server, "status", 403), "sufficient scopes"),
        (lambda server: setattr(server, "raw", b'{"tasks": ['), "not JSON"),
        (lambda server: setattr(server, "raw", b'{"tasks": 3}'), "invalid answer"),
        (lambda server: setattr(server, "repeats_token", True), "repeats the continuation token"),
    ],
    ids=["403", "cut off", "other JSON", "a token that repeats"],
)
def test_a_failure_names_what_is_wrong(
    server: QueueServer, break_it: Callable[[QueueServer], None], words: str
) -> None:
    """While it lasts, the group may end by events alone."""
    break_it(server)
    asked = Asked(server)

    asked.answered()

    assert len(asked.said) == 1
    assert words in asked.said[0]
    assert isinstance(asked.inquiry.unknown, ApiError)
    assert asked.inquiry.is_up_to_date
    assert not asked.following.graph().is_whole


def test_it_asks_again_at_the_end_even_if_it_was_not_answered_before(server: QueueServer) -> None:
    """A queue that was away for a moment must not leave the result in doubt."""
    server.status = 500
    asked = Asked(server)
    asked.answered()
    for event in HEARD:
        asked.following.apply(event)
    before = asked.inquiry.is_up_to_date
    server.status = 0
    server.groups[GROUP] = content(PLAN, HEARD)

    asked.answered()

    assert (before, asked.inquiry.is_up_to_date) == (False, True)
    assert asked.following.graph().is_certain


def test_an_end_that_the_queue_does_not_confirm_is_in_doubt(server: QueueServer) -> None:
    """It was asked once more, and the reason is known; the group is over all the same."""
    asked = Asked(server)
    asked.answered()
    for event in HEARD[HALF:]:
        asked.following.apply(event)
    server.status = 500

    asked.answered()

    graph = asked.following.graph()
    assert asked.inquiry.is_up_to_date
    assert (graph.is_over, graph.is_certain) == (True, False)
    assert graph.unknowns == ("no answer from the queue's API",)


def test_a_group_that_does_not_exist_yet_is_asked_for_again(server: QueueServer) -> None:
    """It is not a failure; and whoever listened before it began has missed nothing."""
    server.groups = {}
    asked = Asked(server)
    asked.answered()
    condition = asked.inquiry.condition
    for event in HEARD:
        asked.following.apply(event)
    server.groups[GROUP] = content(PLAN, HEARD)

    asked.answered()

    assert condition == "the group does not exist yet"
    assert (asked.said, asked.inquiry.condition) == ([], "")
    assert asked.following.graph().is_certain


def test_a_group_that_only_events_know_is_in_doubt(server: QueueServer) -> None:
    """The queue that was asked is that of another deployment."""
    server.groups = {}
    asked = Asked(server)
    asked.hear("task-completed", "task-group-resolved")

    asked.answered()

    assert len(asked.said) == 1
    assert asked.following.graph().unknowns == ("the queue's API does not know this group",)


def test_a_group_that_the_queue_does_not_know_is_told_apart(server: QueueServer) -> None:
    """It may have expired, or never have been."""
    asked = Asked(server, group=NEW_TASK)

    asked.answered()

    assert isinstance(asked.inquiry.unknown, ApiUnknown)


def test_a_failure_after_an_answer_takes_nothing_away(server: QueueServer) -> None:
    """What is known stays known."""
    asked = Asked(server)
    asked.answered()
    server.status = 500
    asked.now += POLL_INTERVAL

    asked.answered()

    assert asked.inquiry.unknown is None
    assert len(asked.following.graph().nodes) == 60


def test_it_can_be_stopped_at_any_time(server: QueueServer) -> None:
    """Before its first question, in the middle of one, and behind."""
    server.delay = PATIENCE
    asked = Asked(server)

    asked.inquiry.stop()
    asked.inquiry.poll()
    asked.inquiry.stop()

    assert asked.inquiry.poll() == []
