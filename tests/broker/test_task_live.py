"""``tcsniff task`` on a broker, with the queue's API beside it: nothing falls between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from builders import OTHER_TASK, TASK, delivery
from groups import EVENTS, PLAN, UNKNOWN, published
from proxy import Proxy
from queue_server import Content, Json, Member, QueueServer, content
from rabbitmq import RabbitMQ, Taskcluster
from running import Running, Terminal

END = content(PLAN, EVENTS)
STATES = {member.status["taskId"]: member.status["state"] for member in END.members}
BUILD = next(task for task in PLAN.tasks if task.kind == "build")
POOL = "gecko-t/t-linux-large"  # of the events of `delivery`


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer(content(PLAN)) as running:
        yield running


def following(rabbitmq: RabbitMQ, server: QueueServer, *words: str, **details: Any) -> Running:
    known = ("--broker", rabbitmq.url(), "--root-url", server.url)
    return Running("task", *words, *known, **details)


def member(state: str, *dependencies: str, task_id: str = TASK) -> Member:
    status: Json = {
        "taskId": task_id,
        "taskGroupId": UNKNOWN,
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


def group(*members: Member) -> dict[str, Content]:
    return {UNKNOWN: Content({"taskGroupId": UNKNOWN}, list(members))}


def summary_of(running: Running) -> Json:
    *_, last = running.lines(1)
    summary: Json = json.loads(last)["summary"]
    return summary


def test_a_task_is_followed_to_its_end(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, server: QueueServer
) -> None:
    """Each change is a line, also those that the queue's API knew before."""
    with following(rabbitmq, server, BUILD.task_id) as running:
        running.listening().lines(1)
        server.groups[PLAN.task_group_id] = END
        published(taskcluster, EVENTS)
        status = running.status()
        *changes, last = map(json.loads, running.lines(1))

    assert changes[0]["state"] == "unscheduled"
    assert changes[-1]["state"] == last["summary"]["state"] == STATES[BUILD.task_id]
    assert {one["taskId"] for one in changes} == {BUILD.task_id}
    assert status == last["summary"]["exitStatus"]
    assert [one["taskId"] for one in last["summary"]["waitsFor"]] == list(BUILD.dependencies)


@pytest.mark.parametrize(("is_away", "status"), [(False, 0), (True, 12)])
def test_the_queue_is_asked_again_before_the_end(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, is_away: bool, status: int
) -> None:
    """If it does not answer then, the end is in doubt."""
    with QueueServer() as server:
        server.groups = group(member("running"))
        with following(rabbitmq, server, TASK) as running:
            running.listening().lines(1)
            server.groups = group(member("completed"))
            server.status = 403 if is_away else 0
            published(taskcluster, [delivery("task-completed")])

            assert running.status() == status
            assert summary_of(running)["exitStatus"] == status
            assert ("no answer from the queue's API" in running.said()) == is_away


def test_what_was_lost_on_the_way_the_queue_tells(rabbitmq: RabbitMQ, server: QueueServer) -> None:
    """The end fell into a gap: once the connection is back, the queue is asked at once."""
    server.groups = group(member("running"))
    with Proxy(rabbitmq.port) as line:
        words = ("--broker", line.url(rabbitmq.url()), "--root-url", server.url)
        with Running("task", TASK, *words) as running:
            running.listening().lines(1)
            server.groups = group(member("failed"))
            line.cut()
            status = running.status()

    assert status == summary_of(running)["exitStatus"] == 10


def test_a_rerun_after_a_message_that_is_late_is_waited_for(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, server: QueueServer
) -> None:
    """The queue knows of a newer run."""
    server.groups = group(member("running"))
    with following(rabbitmq, server, TASK) as running:
        running.listening().lines(1)
        rerun = member("running")
        rerun.status["runs"] = [{"runId": 0, "state": "failed"}, {"runId": 1, "state": "running"}]
        server.groups = group(rerun)
        published(taskcluster, [delivery("task-failed")])
        running.lines(3)  # running, failed, and running again
        server.groups = {}
        rerun.status["runs"][1]["state"] = rerun.status["state"] = "completed"
        server.groups = group(rerun)
        published(taskcluster, [delivery("task-completed", run=1)])

        assert running.status() == 0


def test_what_it_waits_for_is_received_too(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, server: QueueServer
) -> None:
    """A dependency that fails is shown at once, from a message."""
    server.groups = group(member("unscheduled", OTHER_TASK), member("running", task_id=OTHER_TASK))
    words = ("--broker", rabbitmq.url(), "--root-url", server.url)
    with Terminal("task", TASK, *words, columns=100) as terminal:
        terminal.shows(lambda rows: any(f"name-of-{OTHER_TASK} ▶ running" in row for row in rows))
        published(taskcluster, [delivery("task-failed", task_id=OTHER_TASK)])
        terminal.shows(lambda rows: "can never run: test-linux/opt-1 failed" in "\n".join(rows))


def test_starts_in_the_pool_of_a_pending_task_are_received(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, server: QueueServer
) -> None:
    """They say when the pool last started a task; the queue says how many others wait."""
    server.groups = group(member("pending"))
    server.counts[POOL] = (3, 1)
    words = ("--broker", rabbitmq.url(), "--root-url", server.url)
    with Terminal("task", TASK, *words, columns=160) as terminal:
        terminal.shows(
            lambda rows: f"2 others are pending and 1 running on {POOL}" in "\n".join(rows)
        )
        published(taskcluster, [delivery("task-running", task_id=OTHER_TASK)])
        terminal.shows(lambda rows: "whose last task started" in "\n".join(rows))


def test_a_task_that_does_not_exist_yet_is_waited_for(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, server: QueueServer
) -> None:
    """It is said once; a script can create the ID, start this, and then create the task."""
    with following(rabbitmq, server, TASK) as running:
        running.listening().mentions("waiting for its first event")
        server.groups = group(member("completed"))
        published(taskcluster, [delivery("task-defined"), delivery("task-completed")])

        assert running.status() == 0
        assert running.said().count(TASK) == 1


def test_without_the_api_events_are_enough(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """A task is known when a message about it was received."""
    words = ("--broker", rabbitmq.url(), "--no-api")
    with Running("task", TASK, OTHER_TASK, *words) as running:
        running.listening()
        published(taskcluster, [delivery("task-completed")])
        running.lines(1)
        published(taskcluster, [delivery("task-exception", task_id=OTHER_TASK)])

        assert running.status() == 11


def test_the_time_can_be_limited(rabbitmq: RabbitMQ, server: QueueServer) -> None:
    """Status 124, also in the summary."""
    with following(rabbitmq, server, BUILD.task_id, "--timeout", "1s") as running:
        status = running.status()

    assert status == summary_of(running)["exitStatus"] == 124


def test_a_live_terminal_shows_what_happens(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, server: QueueServer
) -> None:
    """The picture changes with the task, and rings at the end."""
    server.groups = group(member("unscheduled", OTHER_TASK), member("running", task_id=OTHER_TASK))
    words = ("--broker", rabbitmq.url(), "--root-url", server.url, "--notify")
    with Terminal("task", TASK, *words, columns=100) as terminal:
        terminal.shows(lambda rows: any(f"name-of-{OTHER_TASK} ▶ running" in row for row in rows))
        server.groups = group(member("completed", OTHER_TASK))
        published(taskcluster, [delivery("task-completed")])

        assert terminal.status() == 0
    assert b"\a" in terminal.written
