from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import GROUP, OTHER_TASK, SCHEDULED, STARTED, TASK, delivery
from graphs import (
    FAULTS,
    START,
    by_id,
    completed,
    graph,
    history,
    in_state,
    last_words,
    node,
    run,
    waiting,
)
from plain_graph import build_graph
from tcsniff.pulse.times import parse_seconds
from tcsniff.taskgraph.definitions import Definition
from tcsniff.taskgraph.nodes import ORDER, UNHEARD, count_states, rank_nodes
from tcsniff.taskgraph.tracker import Tracker

LOST = run("exception", 0, 5, 20)
RETRIED = run("running", 20, 25, reason="retry")
STATES = (*ORDER, "vanished")


def told(*deliveries, definitions=(), **known):
    """Fold, and give the group."""
    tracker = Tracker()
    for one in deliveries:
        tracker.apply(one)
    return build_graph(GROUP, tracker, {one.task_id: one for one in definitions}, **known)


# What is known of a task.


@pytest.mark.parametrize(
    ("definitions", "label", "expected"),
    [
        ((), "build/opt", ("build/opt", "", False)),
        ((), "", (TASK, "", False)),
        ((Definition(TASK, "build", "b", ("x",)),), "", ("build", "b", True)),
        ((Definition(TASK, "build", "b", ("x",)),), "build/opt", ("build/opt", "b", True)),
    ],
)
def test_a_task_is_called_what_its_messages_say_then_its_definition(definitions, label, expected):
    """Its id is the last resort."""
    made = told(delivery("task-running", label=label), definitions=definitions).nodes[TASK]

    assert (made.label, made.kind, made.is_defined) == expected


def test_a_kind_names_a_task_without_a_label():
    """As the decision task's."""
    body = delivery("task-running", label="").body.replace(b'"tags":{}', b'"tags":{"kind":"x"}')

    assert told(delivery("task-running", body=body)).nodes[TASK].label == "x"


def test_a_pool_that_no_message_tells_is_the_definitions():
    """Nothing, slash, nothing is no pool."""
    body = b'{"status": {"taskId": "%b", "taskGroupId": "%b", "state": "pending"}}'
    seen = delivery("task-pending", body=body % (TASK.encode(), GROUP.encode()))

    assert told(seen).nodes[TASK].pool == ""
    assert told(seen, definitions=[Definition(TASK, "x", pool="a/b")]).nodes[TASK].pool == "a/b"


def test_a_task_that_no_event_told_of_is_unheard():
    """All else is known of it, and that it is in the group."""
    definition = Definition(OTHER_TASK, "sign", "signing", (TASK,), "all-resolved", "a/b")
    made = told(delivery("task-running"), definitions=[definition])

    assert made.unheard
    assert made.nodes[OTHER_TASK] == node(
        OTHER_TASK,
        TASK,
        label="sign",
        kind="signing",
        requires="all-resolved",
        pool="a/b",
        state=UNHEARD,
    )


def test_tasks_of_other_groups_are_left_out():
    """A tracker may know all that goes on."""
    others = delivery("task-running", task_id=OTHER_TASK, group="another")

    assert list(told(delivery("task-running"), others).nodes) == [TASK]


@pytest.mark.parametrize(
    ("event", "since"),
    [("task-pending", SCHEDULED), ("task-running", STARTED), ("task-completed", "…:05.000Z")],
)
def test_a_task_is_in_its_state_since_its_run_is(event, since):
    """Scheduled, claimed, or resolved."""
    since = since.replace("…", "2026-11-23T18:01")

    assert told(delivery(event)).nodes[TASK].since == parse_seconds(since)


def test_a_task_without_a_run_is_so_since_nobody_knows_when():
    """Neither is one with a time that is none."""
    assert waiting("a").since is None
    assert node("a", runs=[run("pending", "yesterday")]).since is None
    assert waiting("a").run is None


@pytest.mark.parametrize(
    ("runs", "open_", "wrong", "troubled"),
    [
        ([], True, False, False),
        ([run("pending")], True, False, False),
        ([LOST, RETRIED], True, False, True),
        ([run("failed"), run("pending", reason="rerun")], True, False, True),
        ([LOST, completed(20, 25, 60, "retry")], False, False, False),
        ([run("failed")], False, True, True),
        ([LOST], False, True, True),
        ([run("vanished")], False, True, True),
    ],
)
def test_trouble_is_what_went_wrong_or_is_tried_again(runs, open_, wrong, troubled):
    """Who made it in the end is in no trouble."""
    made = node("a", runs=runs)

    assert (made.is_open, made.went_wrong, made.is_troubled) == (open_, wrong, troubled)


def test_unheard_is_neither_open_nor_wrong():
    """Nobody knows."""
    made = in_state("a", UNHEARD)

    assert [made.is_open, made.went_wrong, made.is_troubled] == [False] * 3


# What is known of a group.


@pytest.mark.parametrize(
    ("states", "known", "over"),
    [
        ([], {"is_resolved": True}, False),
        (["completed"], {}, False),
        (["completed"], {"is_resolved": True}, True),
        (["completed", "running"], {"is_resolved": True}, False),
        (["completed", "pending"], {"is_resolved": True, "is_whole": True}, False),
        (["completed", "unscheduled"], {"is_whole": True}, False),
        (["failed", "exception"], {"is_whole": True}, True),
        (["completed", UNHEARD], {"is_whole": True}, False),
        (["completed", UNHEARD], {"is_resolved": True}, True),
    ],
)
def test_a_group_is_over_when_nothing_is_open_and_somebody_has_said_so(states, known, over):
    """The queue, which says it for good, though tasks are run once more; or a whole list."""
    nodes = [in_state(str(number), state) for number, state in enumerate(states)]

    assert graph(*nodes, **known).is_over is over


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([], 12),
        (["completed", "completed"], 0),
        (["completed", "running"], 12),
        (["completed", "pending"], 12),
        (["completed", "unscheduled"], 12),
        (["completed", UNHEARD], 12),
        (["completed", "exception"], 11),
        (["exception", "failed", "completed"], 10),
        (["failed", "running"], 10),
        (["vanished", "completed"], 11),
        (["vanished", "failed"], 10),
    ],
)
def test_the_exit_status_is_that_of_what_has_ended(states, status):
    """A failure outdoes an exception; an end that is not known is no success."""
    nodes = [in_state(str(number), state) for number, state in enumerate(states)]

    assert graph(*nodes, is_whole=True).exit_status == status


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ({"is_whole": True}, 0),
        ({"is_whole": False}, 12),
        ({"is_whole": False, "is_resolved": True}, 12),
        ({"is_whole": True, "is_resolved": True, "doubts": ("a message",)}, 12),
        ({"is_whole": True, "ended_with": 124}, 124),
    ],
)
def test_only_what_is_certain_is_a_success(known, status):
    """Every task completed, as far as known: that is 0 only if all is known."""
    assert graph(in_state("a", "completed"), **known).exit_status == status


def test_a_seal_and_a_scheduler_come_from_the_groups_own_messages():
    """Tasks tell the scheduler too."""
    assert told(delivery("task-running", scheduler="s")).scheduler_id == "s"
    sealed = told(
        delivery("task-running"),
        delivery("task-group-sealed", scheduler="s", payload={"sealed": STARTED}),
    )
    assert (sealed.scheduler_id, sealed.is_sealed, sealed.is_resolved) == ("s", True, False)


def test_nobody_schedules_a_group_of_which_nothing_came():
    """It may be expired, or somebody mistyped it."""
    made = told()

    assert (made.scheduler_id, made.nodes, made.is_over, made.has_dependencies) == (
        "",
        {},
        False,
        False,
    )


def test_dependencies_are_known_with_the_first_definition():
    """Events alone tell of none."""
    seen = delivery("task-running")

    assert not told(seen).has_dependencies
    assert told(seen, definitions=[Definition(TASK, "x")]).has_dependencies


def test_the_order_of_messages_does_not_choose_the_scheduler():
    """A group has one; messages that say otherwise still come in any order."""
    both = [
        delivery("task-running", scheduler="a"),
        delivery("task-running", task_id=OTHER_TASK, scheduler="b"),
    ]

    assert told(*both) == told(*reversed(both))


def test_states_are_counted_in_their_order():
    """Words yet to come stand behind."""
    made = [in_state(str(number), state) for number, state in enumerate(["x", *STATES[::-1]])]

    assert list(count_states(made).items()) == [(state, 1) for state in (*STATES, "x")]


# How long it took.


@pytest.mark.parametrize(
    ("runs", "length"),
    [
        ([], 0),
        ([completed(5, 10, 65)], 60),
        ([run("pending", 5)], 95),
        ([run("running", 5, 10)], 95),
        ([LOST, RETRIED], 100),
        ([completed(5, 10, 65), completed(60, 70, 80)], 75),
        ([run("failed", 5, 10, "soon")], 0),
        ([run("vanished", 5)], 0),
        ([run("pending", "soon"), run("pending", None)], 0),
        ([run("pending", 400)], 0),
    ],
)
def test_a_group_took_from_the_first_run_to_the_last_end(runs, length):
    """What is open has taken until now; times that are none take none."""
    one_by_one = [node(str(number), runs=[one]) for number, one in enumerate(runs)]

    assert graph(node("a", runs=runs)).measure_span(START + 100) == length
    assert graph(*one_by_one).measure_span(START + 100) == length


# Depth.

IDS = "abcdefg"
ANY_GRAPH = st.dictionaries(
    st.sampled_from(IDS), st.lists(st.sampled_from(IDS + "x"), max_size=4).map(tuple)
)


def oracle(waits):
    """Walk every chain there is; None for what a circle is in or before."""
    closure = {one: set(others) for one, others in waits.items()}
    for middle, one in itertools.product(waits, waits):
        if middle in closure[one]:
            closure[one] |= closure[middle]
    endless = {
        one for one in waits if one in closure[one] or any(b in closure[b] for b in closure[one])
    }

    def longest(one):
        return max((1 + longest(other) for other in waits[one]), default=0)

    found = {one: longest(one) for one in waits if one not in endless}
    last = max(found.values(), default=-1) + 1
    return {one: found.get(one, last) for one in waits}


@given(ANY_GRAPH)
@example({"a": ("a",)})
@example({"a": ("b",), "b": ("a",), "c": ("b",), "d": ()})
def test_a_task_stands_behind_the_longest_chain_before_it(dependencies):
    """Circles, itself and other groups included."""
    waits = {
        one: [other for other in others if other in dependencies and other != one]
        for one, others in dependencies.items()
    }

    assert rank_nodes(
        by_id(*(waiting(one, *dependencies[one]) for one in dependencies))
    ) == oracle(waits)


def test_a_long_chain_is_no_deep_recursion():
    """Nor are a hundred dependencies of each of many tasks too many."""
    chain = by_id(*(waiting(str(number), str(number - 1)) for number in range(5000)))
    layers = by_id(
        *(
            waiting(str(one), *(str(max(0, one // 100 - 1) * 100 + other) for other in range(100)))
            for one in range(100, 2000)
        )
    )

    assert rank_nodes(chain)["4999"] == 4999
    assert rank_nodes(layers)["1999"] == 18


# A simulated group, against the queue's own words.

CUT = st.integers(0, 10_000)


@given(st.integers(0, 5), st.integers(0, 1), CUT, st.data())
def test_no_order_changes_the_graph_of_any_moment(seed, number, cut, data):
    """Whatever has come so far: shuffled, and some of it twice, it tells the same."""
    made = history(seed)
    came = made.deliveries[: cut % (len(made.deliveries) + 1)]
    again = data.draw(st.lists(st.sampled_from(came), max_size=20)) if came else []
    shuffled = data.draw(st.randoms(use_true_random=False)).sample
    mixed = shuffled([*came, *again], len(came) + len(again))

    assert made.graph(number, mixed) == made.graph(number, came)


@given(st.integers(0, 5), st.integers(0, 1), CUT)
@example(0, 0, -1)
@example(0, 1, -1)
def test_a_graph_tells_what_the_queue_told(seed, number, cut):
    """States, their numbers and the exit status, counted in the messages themselves."""
    made = history(seed)
    came = made.deliveries[: cut % (len(made.deliveries) + 1)]
    words = last_words(came, made.plans[number].task_group_id)
    states = Counter(
        words[one]["state"] if one in words else UNHEARD for one in planned(made, number)
    )
    resolved = [one for one in came if b"task-group-resolved" in one.exchange.encode()]
    names_it = any(made.plans[number].task_group_id in one.routing_key for one in resolved)

    shown = made.graph(number, came)

    assert count_states(shown.nodes.values()) == dict(states)
    assert shown.exit_status == (10 if states["failed"] else 11 if states["exception"] else 12)
    assert shown.is_resolved is names_it
    assert shown.is_over is (
        names_it and not (states["running"] + states["pending"] + states["unscheduled"])
    )
    assert {one: len(shown.nodes[one].runs) for one in words} == {
        one: len(status["runs"]) for one, status in words.items()
    }


def planned(made, number):
    return [task.task_id for task in made.plans[number].tasks]


@pytest.mark.parametrize(
    ("faults", "number", "status"), [((), 0, 12), (FAULTS, 0, 10), (("cancel-group",), 1, 11)]
)
def test_every_exit_status_occurs_in_the_simulation(faults, number, status):
    """Else the comparison above would prove less than it says."""
    assert history(1, 40, faults).graph(number).exit_status == status
