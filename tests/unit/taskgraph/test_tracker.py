from __future__ import annotations

import functools
import itertools

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, OTHER_TASK, TASK, delivery, samples
from tcsniff.pulse.payloads import decode_status
from tcsniff.simulator.simulation import simulate
from tcsniff.taskgraph.tracker import Tracker

RERUN = [
    delivery("task-defined"),
    delivery("task-pending", run=0),
    delivery("task-running", run=0),
    delivery("task-exception", run=0, retried=True),
    delivery("task-pending", run=1),
]


def told(deliveries):
    """Fold, and give all that is known in the end, whatever the order of the tasks."""
    tracker = Tracker()
    for one in deliveries:
        tracker.apply(one)
    return tracker.tasks, tracker.groups


@functools.cache
def history(seed):
    """Make up what a queue tells about two small groups, in the order of the queue's doing."""
    faults = ("failure", "claim-expired", "worker-shutdown", "rerun", "cancel", "cancel-group")
    made = simulate(seed=seed, start=1_795_456_800.0, groups=2, tasks=20, faults=faults)
    return [one for _, one in made]


def test_order_of_arrival_does_not_matter():
    """The broker promises no order: every order ends in the same place."""
    for events in itertools.permutations(RERUN):
        assert told(events) == told(RERUN), events


@given(st.integers(0, 7), st.data())
def test_no_order_and_no_repeat_changes_a_simulated_history(seed, data):
    """Late, early and twice: what is known in the end is the same."""
    events = history(seed)
    again = data.draw(st.lists(st.sampled_from(events), max_size=40))
    shuffled = data.draw(st.randoms(use_true_random=False)).sample
    mixed = shuffled([*events, *again], len(events) + len(again))

    assert told(mixed) == told(events)


@given(st.randoms(use_true_random=False))
def test_no_order_changes_what_mozilla_sent(random):
    """The same for real messages, of many tasks and with flaws of their own."""
    real = samples()

    assert told(random.sample(real, len(real))) == told(real)


# What no queue says: snapshots of one task that do not follow from each other.
ODD_RUNS = st.lists(
    st.fixed_dictionaries(
        {"runId": st.integers(0, 2), "state": st.sampled_from(["pending", "running", "x", ""])},
        optional={"resolved": st.sampled_from(["", "soon"]), "reasonCreated": st.just("rerun")},
    ),
    max_size=3,
)
ODD_STATUS = st.fixed_dictionaries(
    {
        "taskId": st.sampled_from([TASK, OTHER_TASK]),
        "taskGroupId": st.sampled_from(["a", "b"]),
        "state": st.sampled_from(["unscheduled", "running", "completed", "x"]),
    },
    optional={"runs": ODD_RUNS, "schedulerId": st.sampled_from(["", "s"])},
)
ODD_MESSAGES = st.one_of(
    st.builds(
        lambda status, label: delivery(
            "task-running", payload={"status": status, "task": {"tags": {"label": label}}}
        ),
        ODD_STATUS,
        st.sampled_from(["", "a", "b"]),
    ),
    st.builds(
        lambda name, group, scheduler: delivery(name, group=group, scheduler=scheduler),
        st.sampled_from(["task-group-resolved", "task-group-sealed"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["", "-", "s"]),
    ),
    st.just(delivery("task-running", body=b"{")),
)


@given(st.lists(ODD_MESSAGES, max_size=6), st.data())
def test_no_order_changes_what_a_stranger_sent(messages, data):
    """Another group, fewer runs, another state: all the same, one of them is the newest."""
    again = data.draw(st.lists(st.sampled_from(messages), max_size=3)) if messages else []
    mixed = data.draw(st.permutations([*messages, *again]))

    assert told(mixed) == told(messages)


@pytest.mark.parametrize("seed", range(4))
def test_the_last_word_of_the_queue_on_each_task_counts(seed):
    """Without late messages, the last status that a task was told with is the newest."""
    last = {}
    for one in history(seed):
        payload = orjson.loads(one.body)
        if "status" in payload:
            last[payload["status"]["taskId"]] = orjson.dumps(payload["status"])

    tasks, _ = told(history(seed))

    assert {name: task.status for name, task in tasks.items()} == {
        name: decode_status(text) for name, text in last.items()
    }


def test_a_retried_exception_is_not_final():
    """Since v72 the message on the lost run says that the task is pending again."""
    tasks, _ = told([delivery("task-exception", run=0, retried=True)])

    assert (tasks[TASK].state, len(tasks[TASK].runs)) == ("pending", 2)


def test_a_task_is_told_by_its_last_run():
    """None before the first."""
    tasks, _ = told([delivery("task-running", run=2)])
    blank, _ = told([delivery("task-defined")])

    assert (tasks[TASK].run, blank[TASK].run) == (tasks[TASK].runs[2], None)


def test_a_definition_never_overwrites():
    """Its status is blank by construction, however late it comes."""
    tasks, _ = told([delivery("task-completed"), delivery("task-defined")])

    assert tasks[TASK].state == "completed"


@pytest.mark.parametrize("late", ["task-defined", "task-pending", "task-completed"])
def test_a_message_without_tags_takes_no_label_away(late):
    """The cancellation of a whole group comes with empty tags, artifacts with none."""
    tasks, _ = told([delivery("task-running", label="build/opt"), delivery(late, label="")])

    assert tasks[TASK].label == "build/opt"


def test_how_far_the_run_is_counts_before_all_else():
    """Of a task that names another group each time, as none does."""
    running, pending = delivery("task-running", group="a"), delivery("task-pending", group="b")

    assert told([running, pending])[0][TASK].state == "running"


def test_a_change_tells_what_was_known_before():
    """So that whoever counts counts nothing twice."""
    tracker = Tracker()
    tracker.apply(delivery("task-pending"))

    change = tracker.apply(delivery("task-running"))

    assert change is not None
    assert (change.before.state, change.after.state) == ("pending", "running")


@pytest.mark.parametrize("event", ["task-pending", "task-running", "task-defined"])
def test_a_repeat_tells_nothing_new(event):
    """Neither does a latecomer."""
    tracker = Tracker()
    tracker.apply(delivery("task-running"))

    assert tracker.apply(delivery(event)) is None


def test_a_group_is_resolved_and_sealed_for_good():
    """The message repeats, and comes in any order with that on the seal."""
    sealed = delivery("task-group-sealed", payload={"sealed": "2026-11-23T18:00:00.000Z"})
    resolved = delivery("task-group-resolved")

    _, groups = told([sealed, resolved])

    assert groups[GROUP].resolved
    assert groups[GROUP].sealed
    assert told([resolved, sealed, resolved])[1] == groups


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"status": 7}',
        b'{"status": {"taskId": "x"}}',
        b'{"status": {"taskId": 3, "taskGroupId": "g", "state": "pending"}}',
        b'{"status": {"taskId": "t", "taskGroupId": "g", "state": "x", "runs": [null]}}',
        b'{"status":' * 5000,
    ],
)
def test_what_cannot_be_read_is_counted_and_passed_over(body):
    """Anything may come; none of it ends a run or becomes a task."""
    tracker = Tracker()

    assert tracker.apply(delivery("task-running", body=body)) is None
    assert (tracker.tasks, tracker.unread) == ({}, 1)


def test_messages_about_no_task_are_none_of_its_business():
    """Hooks and workers come through the same exchanges' broker."""
    tracker = Tracker()

    assert tracker.apply(delivery("hook-created", payload={"hookId": "x"})) is None
    assert tracker.unread == 0


def test_a_word_yet_to_come_is_an_end():
    """A run in a state that is not known has neither to wait nor to run."""
    strange = delivery("task-completed")
    strange = strange._replace(body=strange.body.replace(b'"completed"', b'"vanished"'))

    tasks, _ = told([strange, delivery("task-running")])

    assert tasks[TASK].state == "vanished"


def test_a_task_can_be_forgotten():
    """Whoever folds for weeks must; what comes then is new again."""
    tracker = Tracker()
    tracker.apply(delivery("task-completed"))
    tracker.apply(delivery("task-completed", task_id=OTHER_TASK))

    tracker.forget(TASK)
    tracker.forget(TASK)

    assert list(tracker.tasks) == [OTHER_TASK]


def test_a_status_that_is_none_is_refused():
    """From the API comes what a server wrote, or something between us and it."""
    with pytest.raises(ValueError, match="taskId"):
        decode_status(b'{"taskGroupId": "g"}')
