from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import LATER, OTHER_TASK, TASK, delivery, event, samples
from tcsniff.errors import UsageError
from tcsniff.messages import REASONS_RESOLVED, STATES
from tcsniff.pulse.events import Event
from tcsniff.pulse.task_memory import TaskMemory
from tcsniff.selection.filters import (
    RepeatFilter,
    filter_reasons,
    filter_states,
    filter_tags,
    filter_times,
    list_doubts,
)

SAMPLES = samples()


@pytest.mark.parametrize(
    ("values", "one", "kept"),
    [
        (["running"], event("task-running"), True),
        (["failed"], event("task-running"), False),
        (["failed", "exception"], event("task-exception"), True),
        (["exception"], event("task-exception", retried=True), False),
        (["pending"], event("task-exception", retried=True), True),
        (["running"], event("artifact-created"), True),
        (["unscheduled"], event("task-defined"), True),
        (STATES, event("task-group-resolved"), False),
        (STATES, event(payload={"status": {"state": None}}), False),
        (STATES, event(payload={"status": {"state": ["running"]}}), False),
        (STATES, event(payload={"status": "running"}), False),
        (STATES, event(payload={"status": {"state": "frozen"}}), False),
        (STATES, event(body=b"no JSON"), False),
        (STATES, event("push"), False),
    ],
)
def test_states_are_those_of_the_task(values, one, kept):
    """Several are alternatives; a task that is retried is pending."""
    assert filter_states(values)(one) is kept


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("runing", "--state: unknown state 'runing'; did you mean 'running'?"),
        ("", f"--state: unknown state ''; known states: {', '.join(STATES)}"),
        ("green", "--state: unknown state 'green'; known states: unscheduled, "),
        ("canceled", "--state: 'canceled' is a reason, not a state; --reason canceled"),
        ("claim-expired", "--state: 'claim-expired' is a reason, not a state; --reason claim"),
        ("cancelled", "--state: 'cancelled' is a reason, not a state; --reason canceled"),
    ],
)
def test_an_unknown_state_is_refused(value, words):
    """A filter that can never match would wait silently."""
    with pytest.raises(UsageError) as refused:
        filter_states(["failed", value])

    assert str(refused.value).startswith(words)


@pytest.mark.parametrize(
    ("values", "one", "kept"),
    [
        (["claim-expired"], event("task-exception"), True),
        (["canceled"], event("task-exception"), False),
        (["canceled", "claim-expired"], event("task-exception"), True),
        (["claim-expired"], event("task-exception", retried=True), True),
        (["claim-expired"], event("task-running", run=1), False),
        (["claim-expired"], event("task-exception", run=1, reason="canceled"), False),
        (["failed"], event("task-failed"), True),
        (["quantum-flux"], event("task-exception", reason="quantum-flux"), True),
        (REASONS_RESOLVED, event("task-pending"), False),
        (REASONS_RESOLVED, event("task-defined"), False),
        (REASONS_RESOLVED, event("task-group-resolved"), False),
        (REASONS_RESOLVED, event(payload={"status": {"runs": [{"reasonResolved": []}]}}), False),
        (REASONS_RESOLVED, event(body=b"no JSON"), False),
    ],
)
def test_reasons_are_those_of_the_run_of_the_message(values, one, kept):
    """Not of the runs before or after it. New reasons are accepted."""
    assert filter_reasons(values)(one) is kept


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("cancelled", "--reason: unknown reason 'cancelled'; did you mean 'canceled'?"),
        ("", f"--reason: unknown reason ''; known reasons: {', '.join(REASONS_RESOLVED)}"),
        ("exception", "--reason: 'exception' is a state, not a reason; --state exception"),
        ("pending", "--reason: 'pending' is a state, not a reason; --state pending"),
    ],
)
def test_a_reason_that_is_nearly_a_known_one_is_refused(value, words):
    """It is far more often a typing error than a new reason."""
    with pytest.raises(UsageError) as refused:
        filter_reasons(["completed", value])

    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["kind=build"], True),
        (["kind=test"], False),
        (["kind=test", "kind=build"], True),
        (["kind=build", "os=linux"], True),
        (["kind=build", "os=macos"], False),
        (["kind=test", "kind=build", "os=macos", "os=linux"], True),
        (["kind"], True),
        (["kind", "kind=test"], True),
        (["nope"], False),
        (["kind", "nope"], False),
        (["kind="], False),
        (["empty="], True),
        (["empty"], True),
        (["nope="], False),
        (["sum=1+1=2"], True),
        (["sum=1+1"], False),
        (["odd"], True),
        (["odd="], False),
        (["Kind=build"], False),
    ],
)
def test_tags_with_one_name_are_alternatives_and_names_narrow(values, kept):
    """A name alone matches any value; a value may be empty."""
    tags = {"kind": "build", "os": "linux", "empty": "", "sum": "1+1=2", "odd": None}

    assert filter_tags(values)(event(payload={"task": {"tags": tags}})) is kept


@pytest.mark.parametrize(
    "one",
    [
        event(payload={"task": None}),
        event(payload={"task": {"tags": ["kind"]}}),
        event("artifact-created"),
        event("task-group-resolved"),
        event(body=b"no JSON"),
    ],
    ids=repr,
)
def test_an_event_without_tags_does_not_match_any_value(one):
    """Whatever is in place of the tags."""
    assert filter_tags(["kind"])(one) is False


@pytest.mark.parametrize("text", ["", "=build", "="])
def test_a_tag_needs_a_name(text):
    """Otherwise there is nothing to compare."""
    with pytest.raises(UsageError) as refused:
        filter_tags(["os=linux", text])

    assert str(refused.value) == (
        f"--tag {text!r} is not NAME=VALUE or NAME; write it like kind=build"
    )


def again(**details):
    """Return the fields that differ in a newer status: claim, priority, retries, more runs."""
    status = {"priority": "high", "retriesLeft": 1, "state": "pending", **details}
    return {"status": status, "takenUntil": LATER.replace("24", "25")}


def artifact(name="public/a", kind="link", **more):
    return {"artifact": {"storageType": kind, "name": name, **more}}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (event(), event()),
        (event(), event(redelivered=True, received=None)),
        (event(), event(payload=again())),
        (event("task-defined"), event("task-defined", payload=again(state="running"))),
        (event("task-pending"), event("task-pending", payload=again())),
        (event("task-exception"), event("task-exception", retried=True)),
        (event("task-failed"), event("task-failed", body=b"{}")),
        (event("artifact-created"), event("artifact-created", payload=again())),
        (
            event("artifact-created", payload=artifact(expires=LATER)),
            event("artifact-created", payload=artifact(expires=None)),
        ),
        (event("artifact-created", body=b"{}"), event("artifact-created", body=b"{}")),
        (event("task-group-resolved"), event("task-group-resolved", redelivered=True)),
        (event("task-priority-changed"), event("task-priority-changed")),
        (event("push", body=b"[]"), event("push", body=b"[]")),
        (
            event(exchange="exchange/build/", key="a.b"),
            event(exchange="exchange/build/", key="a.b"),
        ),
    ],
)
def test_the_same_event_is_not_new_again(first, second):
    """Even if its status has changed, or another process published it."""
    seen = RepeatFilter()

    assert [seen.is_new(first), seen.is_new(second), seen.repeats] == [True, False, 1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (event("task-pending"), event("task-running")),
        (event(), event(run=1)),
        (event(), event(task_id=OTHER_TASK)),
        (event("task-exception"), event("task-exception", run=1)),
        (event("task-defined"), event("task-defined", task_id=OTHER_TASK)),
        (
            event("artifact-created", payload=artifact("public/a")),
            event("artifact-created", payload=artifact("public/b")),
        ),
        (
            event("artifact-created", payload=artifact(kind="link")),
            event("artifact-created", payload=artifact(kind="reference")),
        ),
        (
            event("artifact-created", payload=artifact(), run=0),
            event("artifact-created", payload=artifact(), run=1),
        ),
        (
            event("artifact-created", payload=artifact(), task_id=TASK),
            event("artifact-created", payload=artifact(), task_id=OTHER_TASK),
        ),
        (
            event("artifact-created", payload=artifact(name=["a"])),
            event("artifact-created", payload=artifact(name=["b"])),
        ),
        (
            event("artifact-created", payload=artifact(kind=None)),
            event("artifact-created", payload=artifact(kind=None, expires=LATER)),
        ),
        (event("task-group-resolved"), event("task-group-sealed")),
        (event("task-group-resolved"), event("task-group-resolved", group=TASK)),
        (
            event("task-priority-changed"),
            event("task-priority-changed", payload={"newPriority": "lowest"}),
        ),
        (event("push", body=b"[]"), event("push", body=b"[1]")),
        (event("push", body=b"[]"), event("pull-request", body=b"[]")),
        (event("push", body=b"[]"), event("push", body=b"[]", words={"repository": "other"})),
        (event(key="a.b", body=b"1"), event(key="a.b", body=b"2")),
        (
            event(exchange="exchange/me/task-running", body=b"1"),
            event(exchange="exchange/me/task-running", body=b"2"),
        ),
    ],
)
def test_a_different_event_is_new(first, second):
    """Another task, run, artifact or event; for the others, another message."""
    seen = RepeatFilter()

    assert [seen.is_new(first), seen.is_new(second), seen.repeats] == [True, True, 0]


def test_the_repeats_among_the_samples_are_found():
    """Three unchanged ones, and the exception of a run whose task had continued."""
    seen = RepeatFilter()

    told = [one.name for one in map(Event, SAMPLES) if not seen.is_new(one)]

    assert sorted(told) == [
        "task-defined",
        "task-exception",
        "task-group-resolved",
        "task-pending",
    ]


def test_the_body_of_a_run_event_is_not_decoded():
    """The routing key identifies the run."""
    one = event()
    before = set(vars(one))

    RepeatFilter().is_new(one)

    assert set(vars(one)) - before <= {"routing"}


def test_the_first_seen_is_forgotten_first():
    """Memory is bounded: at most N events are remembered, in the order they were first seen."""
    seen = RepeatFilter(max_remembered=2)
    one, two, three = (event(run=run) for run in range(3))

    told = [seen.is_new(each) for each in (one, two, one, three, two, three, one, two)]

    assert told == [True, True, False, True, False, False, True, True]
    assert seen.repeats == 3


@given(st.integers(min_value=1, max_value=5), st.lists(st.integers(min_value=0, max_value=8)))
def test_a_remembered_event_is_never_new(most, runs):
    """A plain list of the last new events gives the same result."""
    seen = RepeatFilter(most)
    known = []

    for run in runs:
        expected = run not in known[-most:]
        known += [run] if expected else []
        assert seen.is_new(event(run=run)) is expected


def test_tags_of_an_earlier_message_count():
    """Messages of cancelTaskGroup have empty tags, and those about artifacts have none."""
    memory, has_tag = TaskMemory(), filter_tags(["label=a"])
    memory.make_event(delivery("task-defined", label="a"))
    bare = delivery("task-exception", payload={"task": {"tags": {}}})

    assert [has_tag(memory.make_event(one)) for one in (bare, delivery("artifact-created"))] == [
        True,
        True,
    ]
    assert has_tag(memory.make_event(bare._replace(routing_key=bare.routing_key[:20]))) is False


def test_conditions_that_probably_match_nothing_are_doubted():
    """A reason that is not known, and a tag without a value."""
    doubts = list_doubts(["failed", "quantum-flux"], ["kind=build", "build", "os="])

    assert doubts == [
        f"--reason: 'quantum-flux' is not a known reason; known reasons: "
        f"{', '.join(REASONS_RESOLVED)}",
        "--tag build matches tasks that have a tag of this name, with any value; for one value "
        "write --tag build=VALUE",
    ]


NOON = 1_795_456_800.0  # 2026-11-23T18:00:00Z


@pytest.mark.parametrize(
    ("since", "before", "one", "kept"),
    [
        (NOON, None, event("task-defined", received="2026-11-23T18:00:00.000Z"), True),
        (NOON, None, event("task-defined", received="2026-11-23T17:59:59.999Z"), False),
        (None, NOON, event("task-defined", received="2026-11-23T18:00:00.000Z"), False),
        (None, NOON, event("task-defined", received="2026-11-23T17:59:59.999Z"), True),
        (NOON - 1, NOON + 1, event("task-defined", received="2026-11-23T18:00:00Z"), True),
        # When it happened, 18:01:05, counts more than when it was received.
        (NOON + 60, None, event("task-failed", received="2026-11-23T17:00:00Z"), True),
        (NOON + 66, None, event("task-failed", received="2026-11-23T19:00:00Z"), False),
        (NOON, NOON + 1, event("task-defined", received=None), True),
    ],
)
def test_times_are_from_since_to_before(since, before, one, kept):
    """The first included, the second not; what has no known time is kept."""
    assert filter_times(since, before)(one) is kept


def test_no_time_between_is_refused():
    """A filter that can never match would wait silently."""
    with pytest.raises(UsageError, match="no time is both after --since and before --before"):
        filter_times(NOON, NOON)
