"""``tcsniff graph`` on a broker, with the queue's API beside it: nothing falls between."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from builders import GROUP, OTHER_TASK, delivery
from groups import EVENTS, PLAN, UNKNOWN, made_up, published
from proxy import Proxy
from queue_server import QueueServer, content
from rabbitmq import ADMIN, RabbitMQ, Taskcluster
from running import PATIENCE, Running, finished


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer(content(PLAN, EVENTS), page_size=15) as running:
        yield running


def following(rabbitmq: RabbitMQ, *words: str, env: Mapping[str, str] | None = None) -> Running:
    return Running("graph", PLAN.task_group_id, "--broker", rabbitmq.url(), *words, env=env)


def test_a_live_group_is_followed_to_its_end(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, server: QueueServer
) -> None:
    """Subscribed first, then asked for; it ends when the group is over and stays so."""
    server.groups = {PLAN.task_group_id: content(PLAN)}
    with following(rabbitmq, "--root-url", server.url, "--settle", "1s") as running:
        running.listening()
        running.lines(len(PLAN.tasks))  # all of them unscheduled, as the queue says
        server.groups[PLAN.task_group_id] = content(PLAN, EVENTS)
        published(taskcluster, EVENTS)
        status = running.status()
        *_, last = running.lines(1)

    summary = json.loads(last)["summary"]
    assert (summary["resolved"], summary["tasks"]) == (True, len(PLAN.tasks))
    assert status == summary["exitStatus"]
    assert len(summary["criticalPath"]) > 2


def test_simulate_is_followed_to_its_end(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """With the dependencies from the file that it writes, and no queue to ask."""
    plan, _ = made_up(11, tasks=60)
    dependencies = str(tmp_path / "graph.json")
    publish = ("--seed", "11", "--tasks", "60", "--speed", "2000", "--fault", "failure")
    url = rabbitmq.url(*ADMIN)
    finished("simulate", "--broker", url, *publish, "--graph", dependencies, "--rate", "5000")
    words = (plan.task_group_id, "--broker", url, "--graph", dependencies, "--settle", "1s")
    with Running("graph", *words) as running:
        running.listening()
        finished("simulate", "--broker", url, *publish)
        status = running.status()
        *_, last = running.lines(1)

    summary = json.loads(last)["summary"]
    assert (summary["resolved"], summary["tasks"]) == (True, len(plan.tasks))
    assert status == summary["exitStatus"]


def test_two_thousand_tasks_joined_in_the_middle(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """The end is the same as for one that saw everything."""
    plan, events = made_up(5, tasks=2000)
    words = ("graph", plan.task_group_id, "--broker", rabbitmq.url(), "--settle", "2s")
    half = len(events) // 2
    with QueueServer(content(plan), page_size=500) as server:
        api = ("--root-url", server.url)
        with Running(*words, *api) as early:
            early.listening().lines(len(plan.tasks))
            published(taskcluster, events[:half])
            server.groups[plan.task_group_id] = content(plan, events[:half])
            with Running(*words, *api) as late:
                late.listening().lines(1)
                server.groups[plan.task_group_id] = content(plan, events)
                published(taskcluster, events[half:])
                statuses = early.status(), late.status()
                ends = [json.loads(one.lines(1)[-1])["summary"] for one in (early, late)]

    assert statuses[0] == statuses[1] == ends[0]["exitStatus"]
    assert ends[0]["tasks"] == len(plan.tasks)
    assert ends[0] == ends[1]


def test_what_was_lost_on_the_way_the_queue_tells(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, server: QueueServer
) -> None:
    """The last message alone comes through: it says that all has ended, and the queue is asked."""
    server.groups = {PLAN.task_group_id: content(PLAN)}
    end = [one for one in EVENTS if one.exchange.endswith("task-group-resolved")]
    with following(rabbitmq, "--root-url", server.url, "--settle", "0s") as running:
        running.listening().lines(len(PLAN.tasks))
        server.groups[PLAN.task_group_id] = content(PLAN, EVENTS)
        published(taskcluster, end)
        running.status()
        *_, last = running.lines(1)

    assert json.loads(last)["summary"]["resolved"]


def test_what_happened_in_a_gap_the_queue_tells(rabbitmq: RabbitMQ, server: QueueServer) -> None:
    """Messages are lost with the connection: once it is back, the queue is asked at once."""
    server.groups = {PLAN.task_group_id: content(PLAN)}
    words = ("--root-url", server.url, "--settle", "0s")
    with Proxy(rabbitmq.port) as line:
        url = line.url(rabbitmq.url())
        with Running("graph", PLAN.task_group_id, "--broker", url, *words) as running:
            running.listening().lines(len(PLAN.tasks))
            server.groups[PLAN.task_group_id] = content(PLAN, EVENTS)
            line.cut()
            status = running.status()
            *changes, last = map(json.loads, running.lines(1))

    assert [one["gap"]["missed"] for one in changes if "gap" in one] == [True]
    assert last["summary"]["resolved"]
    assert status == last["summary"]["exitStatus"]


def test_tasks_that_are_added_meanwhile_count(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """It is not over before they are."""
    with Running("graph", GROUP, "--broker", rabbitmq.url(), "--settle", "0s") as running:
        running.listening()
        published(taskcluster, [delivery("task-completed")])
        running.lines(1)
        published(taskcluster, [delivery("task-failed", task_id=OTHER_TASK)])
        running.lines(2)
        published(taskcluster, [delivery("task-group-resolved")])

        assert running.status() == 10


def test_a_rerun_after_the_end_is_waited_for(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """Within ``--settle``: the group is over again when that has ended too."""
    with Running("graph", GROUP, "--broker", rabbitmq.url(), "--settle", "3s") as running:
        running.listening()
        known = {"task_id": GROUP}
        failed = [delivery(event, **known) for event in ("task-defined", "task-failed")]
        published(taskcluster, [*failed, delivery("task-group-resolved")])
        running.lines(2)
        published(taskcluster, [delivery("task-pending", **known, run=1)])
        running.lines(3)
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(4)  # longer than it takes to settle
        published(taskcluster, [delivery("task-completed", **known, run=1)])

        assert running.status() == 0


def test_an_api_that_is_down_leaves_events(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """It is said once, and the group is followed to an end that is in doubt."""
    words = ("--root-url", "http://127.0.0.1:1", "--settle", "0s", "--timeout", "50s")
    with Running("graph", GROUP, "--broker", rabbitmq.url(), *words) as running:
        running.listening()
        published(taskcluster, [delivery("task-completed"), delivery("task-group-resolved")])
        status = running.status()

    assert status == 12
    assert running.said().count("continuing without dependencies") == 1
    said = running.said().splitlines()[-1]
    assert said.startswith("tcsniff: known in part: 1 task announced since ")
    assert said.endswith(" (no answer from the queue's API)")


def test_a_group_that_does_not_exist_yet_is_waited_for(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """It is said once; a script can create the ID, start this, and then create the tasks."""
    plan, events = made_up(3, faults=())
    words = ("graph", plan.task_group_id, "--broker", rabbitmq.url(), "--settle", "0s")
    with QueueServer() as server, Running(*words, "--root-url", server.url) as running:
        running.listening().mentions("yet; waiting for its first task")
        server.groups[plan.task_group_id] = content(plan, events)
        published(taskcluster, events)
        status = running.status()
        *_, last = running.lines(1)

    assert (status, json.loads(last)["summary"]["exitStatus"]) == (0, 0)
    assert len(running.said().splitlines()) == 2


def test_a_group_that_never_exists_is_waited_for_until_the_time_is_up(
    rabbitmq: RabbitMQ, server: QueueServer
) -> None:
    """Status 124, also in the summary; nothing is known of it."""
    words = (UNKNOWN, "--broker", rabbitmq.url(), "--root-url", server.url, "--timeout", "2s")
    with Running("graph", *words) as running:
        status = running.status()
        *_, last = running.lines(1)

    summary = json.loads(last)["summary"]
    assert (status, summary["exitStatus"]) == (124, 124)
    assert (summary["tasks"], summary["verdict"]) == (0, "unknown")
    assert "no answer" not in running.said()


@pytest.mark.parametrize(
    ("is_away_at_first", "status"), [(True, 0), (False, 12)], ids=["then it answers", "then not"]
)
def test_the_queue_is_asked_again_before_the_end(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, is_away_at_first: bool, status: int
) -> None:
    """Joined late: what it says at the end decides, not what it said before."""
    plan, events = made_up(3, faults=())
    half = len(events) // 2
    words = ("graph", plan.task_group_id, "--broker", rabbitmq.url(), "--settle", "0s")
    with QueueServer(content(plan, events[:half]), page_size=15) as server:
        server.status = 403 if is_away_at_first else 0
        with Running(*words, "--root-url", server.url) as running:
            running.listening()
            if is_away_at_first:
                running.mentions("continuing without dependencies")
            else:
                running.lines(len(plan.tasks))
            server.status = 0 if is_away_at_first else 403
            server.groups[plan.task_group_id] = content(plan, events)
            published(taskcluster, events[half:])

            assert running.status() == status


def test_a_tasks_id_leads_to_its_group_live_too(rabbitmq: RabbitMQ, server: QueueServer) -> None:
    """The group is shown, and its result is the status."""
    words = ("--broker", rabbitmq.url(), "--root-url", server.url, "--settle", "0s")
    with Running("graph", PLAN.tasks[-1].task_id, *words) as running:
        status = running.status()
        *_, last = running.lines(len(PLAN.tasks) + 1)

    summary = json.loads(last)["summary"]
    assert (summary["taskGroupId"], summary["exitStatus"]) == (PLAN.task_group_id, status)
    assert status in (0, 10, 11)


def test_a_slow_queue_holds_nothing_up(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, server: QueueServer
) -> None:
    """Events are told while it takes its time, and Ctrl-C does not wait for it."""
    server.delay = PATIENCE
    with following(rabbitmq, "--root-url", server.url) as running:
        running.listening()
        published(taskcluster, EVENTS[:20])
        running.lines(5)

        assert running.signal(signal.SIGINT) == 130
