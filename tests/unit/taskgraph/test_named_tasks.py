"""Named tasks: events, answers and files, in any order, end in one story."""

from __future__ import annotations

from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, OTHER_TASK, TASK, delivery
from graphs import IN_ORDER, history
from queue_server import content
from tcsniff.pulse.deliveries import Delivery
from tcsniff.taskgraph.definitions import Definition, Page, TaskGroupInfo, parse_page
from tcsniff.taskgraph.named_tasks import Dependents, MissingTask, NamedTasks
from tcsniff.taskgraph.queue_answers import PendingCounts
from tcsniff.taskgraph.task_story import TaskStory
from tcsniff.taskgraph.task_summary import summarize_task

END = 1_795_500_000.0  # after all that happens
HISTORY = history(7, 40, IN_ORDER, 1)
PLAN = HISTORY.plans[0]
NAMED = [task.task_id for task in PLAN.tasks if task.kind in ("build", "test")][:6]
NO_GROUP = TaskGroupInfo("")


def fold(told: list[Delivery | Page], names: list[str] = NAMED) -> NamedTasks:
    tasks = NamedTasks(names)
    for one in told:
        if isinstance(one, Page):
            tasks.add_answer(one)
        else:
            tasks.apply(one)
    return tasks


def shown(tasks: NamedTasks) -> list[dict[str, Any]]:
    return [summarize_task(story, 0) for story in tasks.tell_stories(END)]


def story_of(tasks: NamedTasks, task_id: str = TASK) -> TaskStory:
    return tasks.tell_story(task_id, END)


def broken(event: str, **details: Any) -> Delivery:
    return delivery(event, **details)._replace(body=b"\xff{")


def answered(
    task_id: str = TASK, event: str = "task-completed", *dependencies: str, **details: Any
) -> Page:
    status = orjson.loads(delivery(event, task_id=task_id, **details).body)["status"]
    definition = Definition(task_id, "the-name", dependencies=dependencies, pool="p/q")
    return Page(NO_GROUP, (definition,), (orjson.dumps(status),))


PAGES = [
    parse_page(orjson.dumps(page))
    for known in (content(PLAN, HISTORY.deliveries[:90]), content(PLAN, HISTORY.deliveries))
    for page in known.pages(15)
]


@given(st.integers(0, 1_000_000))
def test_the_order_of_events_and_answers_makes_no_difference(seed: int) -> None:
    """Joined at any time, with repeats, all stories end the same."""
    told: list[Delivery | Page] = [*HISTORY.deliveries, *PAGES, *HISTORY.deliveries[:50]]
    expected = shown(fold([*PAGES[:1], *HISTORY.deliveries, *PAGES]))
    Random(seed).shuffle(told)

    # Definitions first: what is around a task is known only from them.
    assert shown(fold([*PAGES, *told])) == expected


def test_only_changes_of_named_tasks_are_changes() -> None:
    """Other tasks are dropped, unless something depends on them."""
    tasks = NamedTasks([TASK])
    tasks.add_definitions([Definition(TASK, "a", dependencies=(OTHER_TASK,))])

    assert tasks.apply(delivery("task-running")) is not None
    assert tasks.apply(delivery("task-running")) is None
    assert tasks.apply(delivery("task-running", task_id=OTHER_TASK)) is None
    assert tasks.apply(delivery("task-running", task_id=NAMED[0])) is None
    assert tasks.apply(delivery("task-group-resolved")) is None
    assert tasks.nodes.keys() == {TASK, OTHER_TASK}


def test_routes_and_priority_are_in_messages() -> None:
    """Without the API they are known from them; a definition wins."""
    tasks = NamedTasks([TASK])
    tasks.apply(delivery("task-running")._replace(cc=("route.index.a", "other")))
    facts = story_of(tasks).facts

    assert facts.routes == ("index.a",)
    assert facts.priority
    assert facts.task_group_id == GROUP

    tasks.add_definitions([Definition(TASK, "a", routes=("b",))])
    assert story_of(tasks).facts.routes == ("b",)


@pytest.mark.parametrize("event", ["task-pending", "task-completed", "task-exception"])
def test_a_message_that_cannot_be_decoded_never_gives_0(event: str) -> None:
    """Before and after the task has completed, also if the queue says so."""
    before, after = NamedTasks([TASK]), NamedTasks([TASK])
    before.apply(broken(event))
    before.add_answer(answered())
    after.add_answer(answered())
    after.apply(broken(event))

    for tasks in (before, after):
        assert tasks.has_unread
        assert story_of(tasks).node.state == "completed"
        assert tasks.exit_status == 12
        assert story_of(tasks).facts.doubts == (
            f"1 message could not be decoded: {event} of run 0 of {TASK}",
        )


def test_the_key_of_a_message_that_cannot_be_decoded_counts() -> None:
    """It says what became of the run."""
    tasks = NamedTasks([TASK])
    tasks.apply(delivery("task-running"))

    change = tasks.apply(broken("task-failed"))

    assert change is not None
    assert change.after.state == "failed"
    assert tasks.has_ended
    assert tasks.exit_status == 10


def test_a_message_that_cannot_be_decoded_about_another_task_is_nothing() -> None:
    """One about a group neither; one without a key may be about any task."""
    tasks = NamedTasks([TASK])
    tasks.add_answer(answered())

    tasks.apply(broken("task-failed", task_id=OTHER_TASK))
    tasks.apply(broken("task-group-resolved"))
    assert tasks.exit_status == 0

    tasks.apply(broken("task-failed")._replace(routing_key="x"))
    assert tasks.exit_status == 12


def test_all_tasks_must_be_known_and_completed() -> None:
    """A task that was never heard of is 12; one that failed is 10."""
    tasks = NamedTasks([TASK, OTHER_TASK, TASK])
    tasks.add_answer(answered())

    assert tasks.task_ids == (TASK, OTHER_TASK)
    assert (tasks.has_ended, tasks.exit_status) == (False, 12)
    tasks.apply(delivery("task-failed", task_id=OTHER_TASK))
    assert (tasks.has_ended, tasks.exit_status) == (True, 10)


def test_a_doubt_lasts_until_the_queue_has_answered() -> None:
    """A failure to answer is a doubt about the tasks that it was asked for."""
    tasks = NamedTasks([TASK])
    tasks.apply(delivery("task-completed"))
    tasks.mark_unanswered("asking")
    tasks.mark_unanswered("no answer", [TASK])
    tasks.mark_doubt("broken")
    tasks.mark_doubt("broken")

    assert story_of(tasks).facts.doubts == ("no answer", "broken")
    assert tasks.exit_status == 12
    tasks.add_answer(answered())
    assert tasks.exit_status == 0


def test_a_task_that_the_queue_does_not_know_is_in_doubt() -> None:
    """If there are events about it; else nothing is known of it."""
    tasks = NamedTasks([TASK])
    tasks.add_answer(MissingTask(TASK))
    assert story_of(tasks).facts.doubts == ()
    assert story_of(tasks).verdict.word == "unknown"

    tasks.apply(delivery("task-completed"))
    tasks.add_answer(MissingTask(TASK))
    assert tasks.exit_status == 12
    assert story_of(tasks).facts.doubts == ("the queue's API does not know this task",)

    tasks.add_answer(answered())
    assert not tasks.missing


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"taskId": 1}'])
def test_an_answer_that_cannot_be_decoded_is_a_doubt(text: bytes) -> None:
    """What events say stays."""
    tasks = NamedTasks([TASK])
    tasks.apply(delivery("task-completed"))
    tasks.add_answer(answered()._replace(statuses=(text,)))

    assert story_of(tasks).facts.doubts == ("the queue's answer could not be decoded",)
    assert tasks.exit_status == 12


@pytest.mark.parametrize(("state", "status"), [("completed", 12), ("failed", 10)])
def test_an_answer_that_is_valid_in_part_gives_the_state(state: str, status: int) -> None:
    """So that a task that has ended is not waited for; it is in doubt all the same."""
    tasks = NamedTasks([TASK])
    text = {"taskId": TASK, "taskGroupId": GROUP, "state": state, "runs": [{"runId": "x"}]}

    [change] = tasks.add_answer(answered()._replace(statuses=(orjson.dumps(text),)))

    assert (change.after.state, tasks.has_ended) == (state, True)
    assert tasks.exit_status == status


def test_an_answer_about_another_task_is_a_doubt() -> None:
    """It is not taken for the task's state."""
    tasks = NamedTasks([TASK])
    wrong = answered(OTHER_TASK)
    tasks.add_answer(answered()._replace(statuses=wrong.statuses))

    assert not tasks.is_known(TASK)
    assert tasks.exit_status == 12


def test_what_a_task_waits_for_is_found_through_others() -> None:
    """Not what has completed, and not behind what has a run."""
    a, b, c, d = NAMED[:4]
    tasks = NamedTasks([TASK])
    tasks.add_answer(answered(TASK, "task-defined", a, b))
    tasks.add_answer(answered(a, "task-completed"))
    tasks.add_answer(answered(b, "task-defined", c))
    tasks.add_answer(answered(c, "task-running", d))

    assert tasks.list_dependencies() == [b, c]
    assert tasks.list_related() == [TASK, a, b, c, d]
    tasks.apply(delivery("task-pending"))
    assert tasks.list_dependencies() == []


def test_a_pending_task_knows_its_pool() -> None:
    """The counts are the queue's, and the last start is the newest that was seen."""
    tasks = NamedTasks([TASK])
    tasks.add_answer(answered(TASK, "task-pending"))
    pool = story_of(tasks).node.pool
    tasks.add_answer(PendingCounts(pool, 7, 0))
    assert tasks.list_wanted_pools() == [pool]

    tasks.apply(delivery("task-running", task_id=OTHER_TASK))
    facts = story_of(tasks).facts.pool

    assert facts is not None
    assert (facts.pending, facts.claimed) == (7, 0)
    assert facts.last_start is not None
    assert OTHER_TASK not in tasks.nodes


def test_who_needs_a_task_is_known_when_the_queue_has_listed_all() -> None:
    """Those that have a run are not listed."""
    tasks = NamedTasks([TASK])
    tasks.add_answer(answered(TASK, "task-failed"))
    pages = (
        answered(NAMED[0], "task-defined", TASK),
        answered(NAMED[1], "task-running", TASK),
    )
    tasks.add_answer(Dependents(TASK, pages, is_whole=False))
    assert not story_of(tasks).facts.has_dependents

    tasks.add_answer(Dependents(TASK, pages))
    story = story_of(tasks)

    assert story.facts.has_dependents
    assert [node.task_id for node in story.needed_by] == [NAMED[0]]
    assert set(story.hopeless) == {NAMED[0]}


def test_files_add_states() -> None:
    """Those of tasks that have nothing to do with the named ones are dropped."""
    tasks = NamedTasks([TASK])
    other = answered(OTHER_TASK)

    tasks.add_statuses([*answered().statuses, *other.statuses, b"{"])

    assert tasks.nodes.keys() == {TASK}
    assert tasks.exit_status == 0


def test_a_run_that_ends_for_another_reason_has_its_status() -> None:
    """Such as a signal, whatever the tasks are."""
    tasks = NamedTasks([TASK])
    tasks.add_answer(answered())

    tasks.mark_end(124)

    assert tasks.exit_status == 124
