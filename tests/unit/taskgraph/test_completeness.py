"""Whether all tasks of a group are known: 0 is never a result by mistake."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, OTHER_TASK, TASK, delivery
from graphs import history
from tcsniff.pulse.deliveries import Delivery
from tcsniff.taskgraph.definitions import Definition
from tcsniff.taskgraph.group import GroupState

OTHER_GROUP = "WTRHGgi7TNaxn5lBTOzXTg"


def whole_group(*, last: str = "task-completed") -> list[Delivery]:
    """Make all messages of a group with a decision task and one more."""
    return [
        delivery("task-defined", task_id=GROUP),
        delivery("task-running", task_id=GROUP),
        delivery("task-defined"),
        delivery("task-completed", task_id=GROUP),
        delivery("task-running"),
        delivery(last),
        delivery("task-group-resolved"),
    ]


def observed(events: Sequence[Delivery]) -> GroupState:
    group = GroupState(GROUP)
    for event in events:
        group.apply(event)
    return group


def broken(event: str, body: Callable[[bytes], bytes], **details: object) -> Delivery:
    """Make a message whose body is changed."""
    made = delivery(event, **details)
    return made._replace(body=body(made.body))


def test_a_group_that_was_observed_from_its_start_is_known() -> None:
    """Without the API: its decision task was announced, and each other task."""
    graph = observed(whole_group()).graph()

    assert (graph.is_certain, graph.unknowns, graph.exit_status) == (True, (), 0)


@given(st.permutations(whole_group()), st.lists(st.sampled_from(whole_group()), max_size=5))
def test_no_order_and_no_repeat_changes_what_is_known(
    events: list[Delivery], again: list[Delivery]
) -> None:
    """Messages come in any order, and twice."""
    assert observed([*events, *again]).graph().exit_status == 0


@pytest.mark.parametrize("missing", [0, 2, 6])
def test_a_group_of_which_an_announcement_is_missing_is_in_doubt(missing: int) -> None:
    """Of its first task, of another one, or of the end: others may be missing, too."""
    events = whole_group()
    del events[missing]

    graph = observed(events).graph()

    assert (graph.is_certain, graph.exit_status) == (False, 12)
    assert graph.unknowns == ("no API; --root-url or --graph completes it",)


@given(st.integers(1, 200))
def test_who_joins_late_is_never_sure(start: int) -> None:
    """Whatever the rest of a simulated group tells."""
    made = history(1, 40, (), groups=1)
    group = GroupState(made.plans[0].task_group_id)
    for event in made.deliveries[start:]:
        group.apply(event)

    assert group.graph().exit_status == 12


def test_a_gap_leaves_it_in_doubt_until_the_queue_is_asked() -> None:
    """What was missed in it nobody else knows."""
    group = observed(whole_group())

    group.mark_gap()
    in_doubt = group.graph().exit_status
    group.mark_whole()

    assert (in_doubt, group.graph().exit_status) == (12, 0)


def test_a_group_that_did_not_exist_when_it_was_asked_for_is_known() -> None:
    """Whoever listened before its first task has missed none, whatever the group's ID is."""
    events = [
        delivery("task-defined"),
        delivery("task-completed"),
        delivery("task-group-resolved"),
    ]
    late, early = GroupState(GROUP), GroupState(GROUP)

    early.mark_missing()
    for event in events:
        late.apply(event)
        early.apply(event)
    late.mark_missing()
    known = early.graph().exit_status
    early.mark_missing()  # still: then it was the queue of another deployment

    assert (known, early.graph().exit_status, late.graph().exit_status) == (0, 12, 12)


def test_a_list_in_which_all_have_ended_says_that_the_group_is_resolved() -> None:
    """No message has to say so."""
    group = GroupState(GROUP)
    status = orjson.dumps(orjson.loads(delivery("task-completed").body)["status"])

    group.add_facts((), [status])
    group.mark_whole()

    graph = group.graph()
    assert (graph.is_whole, graph.is_resolved, graph.is_over) == (True, True, True)


@pytest.mark.parametrize(
    "body",
    [
        lambda body: b"\xff" + body,
        lambda body: body.replace(b"test-linux", b"test-\xfflinux"),
        lambda body: body[: len(body) // 2],
        lambda body: body.replace(b"test-linux", b"test-\\ud800"),
        lambda body: body.replace(b'"priority":"low"', b'"priority":"\\ud800"'),
        lambda body: body.replace(b'"priority":"low"', b'"priority":"\xff"'),
        lambda _body: b"",
        lambda _body: b"no json",
        lambda _body: b"[" * 100_000,
        lambda _body: b'{"version": 1}',
        lambda _body: b'{"status": null}',
        lambda body: body.replace(b'"runId":0', b'"runId":"0"'),
        lambda body: body.replace(b'"version":1,"runId":0', b'"version":1,"runId":"0"'),
    ],
    ids=[
        *("bad UTF-8", "bad UTF-8 in a tag", "cut off", "half a surrogate pair"),
        *("half a pair in a field that is not used", "bad UTF-8 in such a field"),
        *("empty", "no JSON", "too deep"),
        *("no status", "status null", "a run ID that is text", "the message's run ID"),
    ],
)
@pytest.mark.parametrize(
    ("event", "state", "status"),
    [
        ("task-completed", "completed", 12),
        ("task-failed", "failed", 10),
        ("task-exception", "exception", 11),
    ],
)
def test_a_body_that_cannot_be_decoded_is_counted_and_its_key_read(
    body: Callable[[bytes], bytes], event: str, state: str, status: int
) -> None:
    """Exchange and key say what became of which run; but 0 would be a promise."""
    events = whole_group()
    events[5] = broken(event, body)

    group = observed(events)

    graph = group.graph()
    assert group.unread == 1
    assert (graph.nodes[TASK].state, graph.exit_status) == (state, status)
    assert graph.unknowns == (f"1 message could not be decoded: {event} of run 0 of {TASK}",)
    assert (group.is_over, graph.is_over) == (True, True)


@given(st.permutations(range(4)))
def test_a_later_run_makes_good_what_a_key_told(order: list[int]) -> None:
    """In any order; the message is still one that nobody could read."""
    events = [
        delivery("task-running", run=0),
        broken("task-failed", lambda _body: b"{", run=0),
        delivery("task-pending", run=1),
        delivery("task-completed", run=1),
    ]

    group = observed([events[number] for number in order])

    assert group.graph().nodes[TASK].state == "completed"
    assert group.graph().exit_status == 12


def test_what_else_is_known_of_a_run_is_kept() -> None:
    """The key has neither times nor reasons."""
    group = observed(
        [delivery("task-running"), broken("task-failed", lambda _body: b"{", worker_id="w-9")]
    )

    run = group.graph().nodes[TASK].runs[0]
    assert (run.state, run.started is not None, run.worker_id) == ("failed", True, "i-0a1b2c3d")


def test_a_task_that_only_a_key_names_is_in_the_graph() -> None:
    """With its worker pool and its run."""
    group = observed([broken("task-failed", lambda _body: b"", run=2, worker_id="w-9")])

    node = group.graph().nodes[TASK]
    assert (node.pool, node.state, len(node.runs)) == ("gecko-t/t-linux-large", "failed", 3)
    assert node.runs[-1].worker_id == "w-9"


def test_a_group_message_that_cannot_be_decoded_is_read_too() -> None:
    """Its exchange says that the group is resolved."""
    events = [*whole_group()[:-1], broken("task-group-resolved", lambda _body: b"\xff")]

    graph = observed(events).graph()

    assert (graph.is_resolved, graph.is_over, graph.exit_status) == (True, True, 12)
    assert graph.unknowns == ("1 message could not be decoded: task-group-resolved",)


def test_what_cannot_be_decoded_of_other_groups_does_not_count() -> None:
    """A recording of a whole deployment has thousands of groups."""
    odd = broken("task-failed", lambda _body: b"", group=OTHER_GROUP, task_id=OTHER_TASK)

    group = observed([*whole_group(), odd])

    assert (group.unread, group.graph().exit_status) == (0, 0)


def test_only_the_first_are_named() -> None:
    """The line stays one line."""
    odd = [broken("task-running", lambda _body: b"", run=number) for number in range(5)]

    (text,) = observed([*whole_group(), *odd]).graph().unknowns

    assert text.startswith("5 messages could not be decoded: task-running of run 0 of ")
    assert text.endswith(" and 2 more")


@pytest.mark.parametrize(
    ("state", "runs", "expected"),
    [
        ("completed", [{"runId": 1 << 70, "state": "completed"}], (True, 12, 1)),
        ("failed", [{"runId": 1 << 70, "state": "failed"}], (True, 10, 1)),
        ("exception", [{"runId": 0}, {"runId": 1 << 70}], (True, 11, 2)),
        ("running", [{"runId": 1 << 70, "state": "running"}], (False, 12, 1)),
        ("unscheduled", "none", (False, 12, 0)),
    ],
)
def test_a_status_that_is_not_valid_says_its_state(
    state: str, runs: object, expected: tuple[bool, int, int]
) -> None:
    """So that a group ends, and a failure is one; it is in doubt all the same."""
    status = {"taskId": TASK, "taskGroupId": GROUP, "state": state, "runs": runs}
    group = GroupState(GROUP)
    group.add_facts([Definition(TASK, "a")], [json.dumps(status).encode()] * 2)
    group.mark_whole()

    graph = group.graph()

    found = group.is_over, graph.exit_status, len(graph.nodes[TASK].runs)
    assert found == expected
    assert graph.doubts == (f"1 message could not be decoded: the status of task {TASK}",)
