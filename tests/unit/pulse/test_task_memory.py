"""What one message tells about a task is known for its later messages."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from builders import OTHER_TASK, TASK, delivery
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.task_memory import TaskMemory

TAGS = {"label": "build-linux64/opt", "kind": "build"}


def tagged(event: str = "task-defined", **details: Any) -> Delivery:
    return delivery(event, payload={"task": {"tags": TAGS}}, **details)


def untagged(event: str = "task-exception", **details: Any) -> Delivery:
    return delivery(event, payload={"task": {"tags": {}}}, **details)


@pytest.mark.parametrize(
    "later", [untagged(), delivery("artifact-created"), delivery("task-priority-changed")]
)
def test_a_message_without_tags_has_those_of_an_earlier_one(later: Delivery) -> None:
    """As those of cancelTaskGroup, and those about artifacts; the message stays as it was."""
    memory = TaskMemory()
    memory.make_event(tagged())

    event = memory.make_event(later)

    assert (event.label, event.tags) == ("build-linux64/opt", TAGS)
    assert event.delivery == later
    assert event.payload == orjson.loads(later.body)


def test_a_message_before_has_none() -> None:
    """What is shown does not depend on how many messages arrive at once."""
    memory = TaskMemory()

    early = memory.make_event(untagged())
    memory.make_event(tagged())

    assert (early.label, early.tags) == ("", {})


def test_tasks_are_told_apart() -> None:
    """A task's tags are its own."""
    memory = TaskMemory()
    memory.make_event(tagged())

    assert memory.make_event(untagged(task_id=OTHER_TASK)).tags == {}


@pytest.mark.parametrize("space", ["", " ", "\n\t"])
def test_json_may_have_spaces(space: str) -> None:
    """Other programs have written it."""
    memory = TaskMemory()
    body = f'{{"task":{space}{{"tags"{space}:{space}{{{space}"label":"a"}}}}}}'
    memory.make_event(delivery("task-defined", body=body.encode()))
    memory.make_event(delivery("task-defined", body=body.replace('"label":"a"', "").encode()))

    assert memory.make_event(untagged()).label == "a"


@pytest.mark.parametrize(
    "body",
    [
        b'{"tags":{"label"',
        b"\xff",
        b'{"task":[],"x":{"tags":{"a":1}}}',
        b'{"task":{"tags":{"label":5}}}',
        b'{"status":' + b"[" * 2_000 + b']"tags":{"',
    ],
)
def test_nonsense_is_no_name(body: bytes) -> None:
    """And no failure."""
    memory = TaskMemory()
    memory.make_event(delivery("task-defined", body=body))

    assert memory.make_event(untagged()).label == ""


def test_messages_about_groups_have_no_task() -> None:
    """Nor those of other exchanges, whatever their keys look like."""
    memory = TaskMemory()
    memory.make_event(tagged())
    other = untagged()._replace(exchange="exchange/elsewhere/v1/task-exception")

    assert memory.make_event(delivery("task-group-resolved")).tags == {}
    assert memory.make_event(other).tags == {}
    assert memory.make_event(untagged()._replace(routing_key="primary")).tags == {}


def test_the_task_not_heard_of_for_the_longest_time_is_forgotten() -> None:
    """Memory is bounded."""
    memory = TaskMemory(max_tasks=2)
    first, second, third = TASK, OTHER_TASK, "JFjlQCTkRuWyz2yqxLnGNw"
    memory.make_event(tagged(task_id=first))
    memory.make_event(tagged(task_id=second))
    memory.make_event(untagged(task_id=first))
    memory.make_event(tagged(task_id=third))

    known = [bool(memory.make_event(untagged(task_id=one)).tags) for one in (first, second, third)]

    assert (known, len(memory)) == ([True, False, True], 2)


def test_memory_is_bounded_in_bytes() -> None:
    """Whatever the size of the messages; a repeated one counts once."""
    size = len(tagged().body)
    memory = TaskMemory(max_bytes=2 * size)
    for _ in range(5):
        memory.make_event(tagged(task_id=TASK))
    memory.make_event(tagged(task_id=OTHER_TASK))
    assert len(memory) == 2

    memory.make_event(tagged(task_id="JFjlQCTkRuWyz2yqxLnGNw"))
    assert len(memory) == 2


def test_a_very_large_message_is_not_kept() -> None:
    """It is shown with its own tags, and the earlier ones stay known."""
    memory = TaskMemory()
    memory.make_event(tagged())
    large = delivery(
        "task-running", payload={"task": {"tags": {"label": "b"}}, "x": "x" * (64 << 10)}
    )

    assert memory.make_event(large).label == "b"
    assert memory.make_event(untagged()).label == "build-linux64/opt"
