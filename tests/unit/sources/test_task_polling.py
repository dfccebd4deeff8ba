"""When the queue is asked about named tasks, and what its answers and silences lead to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from builders import OTHER_TASK, TASK, delivery
from queue_server import Content, Json, Member, QueueServer
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import FAILURE_INTERVAL, POLL_INTERVAL, RETRY_INTERVAL
from tcsniff.sources.task_answers import fetch_task_answers
from tcsniff.sources.task_polling import AROUND_INTERVAL, TaskPolling
from tcsniff.taskgraph.named_tasks import Dependents, MissingTask, NamedTasks
from tcsniff.taskgraph.queue_answers import PendingCounts
from tcsniff.taskgraph.tracker import Change

PATIENCE = 60  # seconds until something that must happen has not
GROUP = "WTRHGgi7TNaxn5lBTOzXTg"
THIRD = "AAAAAAAAQ-GAAAAAAAAAAA"
POOL = "gecko-t/t-linux-large"


def member(state: str, *dependencies: str, task_id: str = TASK) -> Member:
    status: Json = {
        "taskId": task_id,
        "taskGroupId": GROUP,
        "state": state,
        "provisionerId": "gecko-t",
        "workerType": "t-linux-large",
        "runs": [] if state == "unscheduled" else [{"runId": 0, "state": state}],
    }
    definition = {
        "dependencies": list(dependencies),
        "metadata": {"name": f"name-of-{task_id}"},
        "taskQueueId": POOL,
    }
    return Member(status, definition)


def known(*members: Member) -> dict[str, Content]:
    return {GROUP: Content({"taskGroupId": GROUP}, list(members))}


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer() as running:
        running.groups = known(member("running"))
        yield running


class Asked:
    """A poller whose clock the test holds, about tasks that it can add to."""

    def __init__(self, server: QueueServer, *task_ids: str) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.tasks = NamedTasks(task_ids or (TASK,))
        api = QueueApi(WebServer(server.url), timeout=PATIENCE, retries=0)
        self.polling = TaskPolling(
            api, self.tasks, notify=self.said.append, clock=lambda: self.now
        )

    def answered(self) -> list[Change]:
        """Ask, and look again and again until the answer was merged."""
        changes = self.polling.poll()
        assert self.polling.is_asking
        deadline = time.monotonic() + PATIENCE
        while self.polling.is_asking:
            assert time.monotonic() < deadline
            time.sleep(0.001)  # leave the processor to the server
            changes += self.polling.poll()
        return changes

    def answered_at_once(self) -> None:
        """Ask, and look only when the whole answer has arrived."""
        self.polling.poll()
        for thread in threading.enumerate():
            if thread.name == "fetch":
                thread.join(PATIENCE)
        self.polling.poll()
        assert not self.polling.is_asking

    def asks(self, after: float) -> bool:
        """Let time pass, and return whether that leads to a question."""
        self.now += after
        self.polling.poll()
        return self.polling.is_asking

    def word(self) -> str:
        return self.tasks.tell_story(TASK, 0).verdict.word


def answers(server: QueueServer, *task_ids: str, **details: Any) -> list[Any]:
    api = QueueApi(WebServer(server.url), timeout=PATIENCE, retries=0)
    return list(
        fetch_task_answers(api, task_ids, **{"definitions": {}, "completed": ()} | details)
    )


# What is asked for.


def test_first_comes_what_is_about_the_tasks_themselves(server: QueueServer) -> None:
    """Then what they wait for, how many others are pending, and who depends on them."""
    server.groups = known(
        member("unscheduled", OTHER_TASK),
        member("unscheduled", GROUP, task_id=OTHER_TASK),
        member("failed", task_id=GROUP),
        member("pending", TASK, task_id=THIRD),
    )
    server.counts[POOL] = (7, 2)

    found = answers(server, TASK, THIRD)

    pages = [one.definitions[0].task_id for one in found if hasattr(one, "definitions")]
    assert pages == [TASK, THIRD, OTHER_TASK, GROUP]
    assert found[4] == PendingCounts(POOL, 7, 2)
    assert [one.task_id for one in found if isinstance(one, Dependents)] == [TASK, THIRD]
    [page] = found[5].pages
    assert [one.task_id for one in page.definitions] == [THIRD]


def test_what_is_known_is_not_asked_for_again(server: QueueServer) -> None:
    """Definitions never change, and what has completed needs no other look."""
    server.groups = known(
        member("unscheduled", OTHER_TASK), member("completed", task_id=OTHER_TASK)
    )
    [page, *_] = answers(server, TASK)
    server.requests.clear()

    answers(server, TASK, definitions={TASK: page.definitions[0]}, completed=[OTHER_TASK])

    paths = [path.removeprefix("/api/queue/v1/task/") for path in server.requests]
    assert paths == [f"{TASK}/status", f"{TASK}/dependents"]


@pytest.mark.parametrize("is_group", [True, False])
def test_an_id_of_a_task_group_is_noticed(server: QueueServer, is_group: bool) -> None:
    """An unknown task is an answer, too."""
    task_id = GROUP if is_group else OTHER_TASK

    [answer] = answers(server, task_id)

    assert isinstance(answer, MissingTask)
    assert (answer.task_id, answer.is_group) == (task_id, is_group)
    assert f"{server.url} has no task {task_id}" in answer.reason


def test_dependents_come_page_by_page(server: QueueServer) -> None:
    """All of them are known at the end."""
    others = [
        member("unscheduled", TASK, task_id=f"AAAAAAAAQ-GAAAAAAAA{n:02d}A") for n in range(7)
    ]
    server.groups = known(member("running"), *others)
    server.page_size = 3
    asked = Asked(server)

    asked.answered()

    story = asked.tasks.tell_story(TASK, 0)
    assert len(story.needed_by) == 7
    assert story.facts.has_dependents


# When it is asked for.


def test_it_asks_at_once_and_then_now_and_then(server: QueueServer) -> None:
    """Messages can be lost."""
    asked = Asked(server)
    assert asked.polling.condition == "asking the queue"

    [change] = asked.answered()

    assert (change.after.state, asked.word()) == ("running", "running")
    assert asked.polling.condition == ""
    assert not asked.asks(after=POLL_INTERVAL - 1)
    assert asked.asks(after=1)


@pytest.mark.parametrize("state", ["pending", "unscheduled"])
def test_it_asks_more_often_for_a_task_that_waits(server: QueueServer, state: str) -> None:
    """No message says how many others wait."""
    server.groups = known(member(state))
    asked = Asked(server)
    asked.answered()

    assert not asked.asks(after=AROUND_INTERVAL - 1)
    assert asked.asks(after=1)


def test_it_asks_again_when_all_have_ended(server: QueueServer) -> None:
    """Only then it is up to date; a newer run means waiting again."""
    asked = Asked(server)
    asked.answered()
    asked.tasks.apply(delivery("task-failed"))
    assert not asked.polling.is_up_to_date
    rerun = member("running")
    rerun.status["runs"] = [{"runId": 0, "state": "failed"}, {"runId": 1, "state": "running"}]
    server.groups = known(rerun)

    asked.answered()
    assert not asked.polling.is_up_to_date
    assert not asked.tasks.has_ended

    rerun.status["runs"][1]["state"] = rerun.status["state"] = "completed"
    asked.tasks.apply(delivery("task-completed", run=1))
    asked.answered()
    assert asked.polling.is_up_to_date
    assert asked.tasks.exit_status == 0


def test_an_answer_that_denies_an_end_is_not_the_last(server: QueueServer) -> None:
    """Also if it arrives at once."""
    asked = Asked(server)
    asked.answered()
    asked.tasks.apply(delivery("task-failed"))
    rerun = member("running")
    rerun.status["runs"] = [{"runId": 0, "state": "failed"}, {"runId": 1, "state": "running"}]
    server.groups = known(rerun)

    asked.answered_at_once()

    assert not asked.tasks.has_ended
    assert not asked.polling.is_up_to_date


def test_it_asks_at_once_after_a_gap(server: QueueServer) -> None:
    """Messages may have been missed."""
    asked = Asked(server)
    asked.answered()
    assert not asked.asks(after=0)

    asked.polling.hurry()

    assert asked.asks(after=0)


def test_a_task_that_does_not_exist_yet_is_asked_for_again(server: QueueServer) -> None:
    """Events about it make that unnecessary, but its definition is still of use."""
    server.groups = {}
    asked = Asked(server)
    asked.answered()
    assert asked.tasks.missing.keys() == {TASK}
    assert not asked.asks(after=RETRY_INTERVAL - 1)
    server.groups = known(member("completed"))
    asked.now += 1

    asked.answered()

    assert not asked.tasks.missing
    assert asked.tasks.label(TASK) == f"name-of-{TASK}"


def test_a_failure_is_reported_once_and_leaves_a_doubt(server: QueueServer) -> None:
    """About the tasks that were not answered for; the next answer removes it."""
    server.status = 403
    asked = Asked(server)
    asked.answered()
    asked.tasks.apply(delivery("task-completed"))
    assert asked.tasks.exit_status == 12
    assert asked.polling.condition == "no answer from the queue's API"

    asked.answered()  # because the task has ended
    assert len(asked.said) == 1
    assert asked.said[0].endswith("; continuing with events, without dependencies")
    assert asked.polling.is_up_to_date
    assert asked.tasks.exit_status == 12

    server.status = 0
    server.groups = known(member("completed"))
    asked.polling.hurry()
    asked.answered()
    assert asked.tasks.exit_status == 0


def test_a_failure_is_followed_by_another_question(server: QueueServer) -> None:
    """After a minute."""
    server.status = 403
    asked = Asked(server)
    asked.answered()

    assert not asked.asks(after=FAILURE_INTERVAL - 1)
    assert asked.asks(after=1)


def test_what_was_answered_before_a_failure_is_no_doubt(server: QueueServer) -> None:
    """Only the other tasks are in doubt."""
    asked = Asked(server, TASK, OTHER_TASK)
    server.groups = known(member("completed"))
    bad = member("running", task_id=OTHER_TASK)
    server.groups = known(member("completed"), bad._replace(task={"dependencies": 7}))

    asked.answered()

    assert asked.tasks.tell_story(TASK, 0).exit_status == 0
    assert asked.tasks.tell_story(OTHER_TASK, 0).facts.doubts == (
        "no answer from the queue's API",
    )
