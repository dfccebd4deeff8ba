from __future__ import annotations

import orjson
import pytest

from builders import GROUP, LATER, SCHEDULED, STARTED, TASK, delivery
from tcsniff.pulse.events import Event
from tcsniff.taskgraph.listed_runs import parse_listed_runs

POOL = "gecko-t/t-linux-large"
DEFINITION = {
    "schedulerId": "gecko-level-1",
    "taskGroupId": GROUP,
    "deadline": LATER,
    "tags": {"label": "test-linux/opt-1", "kind": "test"},
    "routes": ["index.a"],
}
PENDING = {"taskId": TASK, "runId": 2, "inserted": SCHEDULED, "task": DEFINITION}
WORKER = {"workerGroup": "us-east-1", "workerId": "i-0a1b2c3d"}
CLAIMED = {"taskId": TASK, "runId": 2, "claimed": STARTED, **WORKER, "task": DEFINITION}


def parse(*items):
    return parse_listed_runs(POOL, orjson.dumps({"tasks": items}))


@pytest.mark.parametrize(("item", "name"), [(PENDING, "task-pending"), (CLAIMED, "task-running")])
def test_a_listed_run_is_an_event_like_a_message_about_it(item, name):
    """So that the same selections match: key, routes, run, names and pool."""
    (run,) = parse(item).runs

    event = Event(run.build_delivery())

    message = Event(delivery(name, run=2, routes=["index.a"]))
    assert event.delivery.routing_key == message.delivery.routing_key
    assert event.delivery.keys == message.delivery.keys
    status = event.payload["status"]
    assert status.items() <= {**message.payload["status"], "runs": status["runs"]}.items()
    assert (status["taskQueueId"], event.payload["runId"]) == (POOL, 2)
    (last,) = status["runs"]
    assert last.items() <= message.payload["status"]["runs"][2].items()
    assert event.payload["task"]["tags"] == {"label": "test-linux/opt-1", "kind": "test"}


@pytest.mark.parametrize(
    "item",
    [
        {},
        [],
        {**PENDING, "runId": -1},
        {**PENDING, "runId": 5000},
        {**PENDING, "runId": "0"},
        {**PENDING, "task": {"tags": {"label": 1}}},
        {**PENDING, "task": None},
    ],
)
def test_a_task_that_cannot_be_decoded_leaves_the_others(item):
    """It is counted."""
    page = parse(PENDING, item, CLAIMED)

    assert [len(page.runs), page.unread] == [2, 1]


@pytest.mark.parametrize("text", [b"", b"[]", b'{"tasks":1}', b"{}"])
def test_another_answer_is_none(text):
    """A proxy's page, perhaps."""
    with pytest.raises(ValueError, match=r"."):
        parse_listed_runs(POOL, text)


def test_a_definition_may_lack_what_is_optional():
    """Nothing that is counted needs it."""
    (run,) = parse({**PENDING, "task": {"tags": {}}}).runs

    assert (run.task.label, run.routes, run.task.pool) == ("", (), POOL)
    assert Event(run.build_delivery()).name == "task-pending"
