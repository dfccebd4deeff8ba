from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphs import by_id, find_blocked, history, in_state, last_words, waiting
from tcsniff.taskgraph.blocking import Blocked
from tcsniff.taskgraph.nodes import UNHEARD, rank_nodes

ANY_WAY = "all-resolved"


def blockers(*nodes):
    """Tell who waits for whom, in the order in which they are listed."""
    return {one.node.task_id: list(one.by) for one in find_blocked(by_id(*nodes))}


def hopeless(*nodes):
    return [one.node.task_id for one in find_blocked(by_id(*nodes)) if one.is_hopeless]


@pytest.mark.parametrize(
    ("state", "requires", "keeps"),
    [
        ("completed", "all-completed", False),
        ("completed", ANY_WAY, False),
        ("pending", "all-completed", True),
        ("running", ANY_WAY, True),
        ("unscheduled", "all-completed", True),
        (UNHEARD, "all-completed", True),
        ("failed", "all-completed", True),
        ("failed", ANY_WAY, False),
        ("exception", "all-completed", True),
        ("exception", ANY_WAY, False),
        ("vanished", "all-completed", True),
        ("vanished", ANY_WAY, False),
    ],
)
def test_a_task_waits_for_what_is_open_or_did_not_do_what_it_asks(state, requires, keeps):
    """Success is asked for by default; some are content with an end."""
    found = blockers(in_state("a", state), waiting("b", "a", requires=requires))

    assert found["b"] == (["a"] if keeps else [])


@pytest.mark.parametrize("between", ["unscheduled", UNHEARD])
def test_the_nearest_that_does_not_wait_itself_is_named(between):
    """What is between says nothing new."""
    found = blockers(
        in_state("far", "completed"),
        in_state("near", "running", "far"),
        in_state("between", between, "near"),
        waiting("last", "between"),
    )

    assert found["last"] == ["near"]


def test_each_is_named_once():
    """However many ways lead to it."""
    found = blockers(
        in_state("a", "running"),
        waiting("b", "a"),
        waiting("c", "a"),
        waiting("d", "b", "c", "a"),
    )

    assert found == {"b": ["a"], "c": ["a"], "d": ["a"]}


def test_what_is_of_another_group_is_waited_for():
    """Nobody has told us how it is."""
    assert blockers(waiting("a", "elsewhere"), waiting("b", "a")) == {
        "a": ["elsewhere"],
        "b": ["elsewhere"],
    }


@pytest.mark.parametrize(
    ("outside", "by", "is_hopeless"),
    [
        ((in_state("far", "running"),), ["far"], False),
        ((in_state("far", "failed"),), ["far"], True),
        ((in_state("far", "completed"),), [], False),
        ((waiting("far", "base"), in_state("base", "failed")), ["far"], True),
        ((waiting("far", "base"), in_state("base", "running")), ["far"], False),
        ((waiting("far", "base", requires=ANY_WAY), in_state("base", "failed")), ["far"], False),
        (
            (waiting("far", "mid"), waiting("mid", "base"), in_state("base", "exception")),
            ["far"],
            True,
        ),
        ((in_state("far", "running"), in_state("other", "failed")), ["far"], False),
    ],
)
def test_a_task_outside_that_cannot_complete_makes_it_hopeless(outside, by, is_hopeless):
    """Directly, or through others outside; also for what waits behind it in the group."""
    group = by_id(waiting("a", "far"), waiting("b", "a"))

    assert [tuple(one) for one in find_blocked(group, by_id(*outside))] == [
        (group["a"], tuple(by), is_hopeless),
        (group["b"], tuple(by) or ("a",), is_hopeless),
    ]


def test_a_task_outside_that_waits_for_the_group_changes_nothing_in_it():
    """Only tasks of the group are listed, and its own failures count where they are waited for."""
    group = by_id(in_state("x", "failed"), waiting("a", "far"), waiting("b"))
    outside = by_id(waiting("far", "x"))

    found = {one.node.task_id: one.is_hopeless for one in find_blocked(group, outside)}

    assert found == {"a": True, "b": False}


def test_a_hopeless_task_outside_is_named_first():
    """As a failed one of the group is."""
    group = by_id(waiting("a", "slow", "far"))
    outside = by_id(
        in_state("slow", "running"), waiting("far", "base"), in_state("base", "failed")
    )

    (blocked,) = find_blocked(group, outside)

    assert blocked.by == ("far", "slow")


def test_who_waits_for_nobody_is_waited_for():
    """The queue will schedule it in a moment, or nobody knows what it waits for."""
    assert blockers(waiting("a"), waiting("b", "a")) == {"a": [], "b": ["a"]}


def test_only_what_is_unscheduled_is_listed():
    """Of what is unheard, nobody knows that it waits."""
    assert blockers(in_state("a", "pending"), in_state("b", UNHEARD, "a")) == {}


def test_what_went_wrong_makes_it_hopeless_for_all_behind():
    """Without a rerun; what is content with any end still waits for who is not."""
    nodes = (
        in_state("wrong", "failed"),
        in_state("fine", "running"),
        waiting("b", "fine", "wrong"),
        waiting("c", "b", requires=ANY_WAY),
        waiting("d", "fine", "wrong", requires=ANY_WAY),
    )

    assert hopeless(*nodes) == ["b", "c"]
    assert blockers(*nodes) == {"b": ["wrong", "fine"], "c": ["wrong", "fine"], "d": ["fine"]}


def test_what_went_wrong_is_named_first():
    """A person can do something about it."""
    running = [in_state(f"r{number}", "running") for number in range(3)]
    found = blockers(*running, in_state("z", "exception"), waiting("a", "r1", "r0", "z", "r2"))

    assert found["a"] == ["z", "r1", "r0", "r2"]


def test_ended_dependencies_do_not_use_up_the_names():
    """A task may have 10,000 dependencies, and the last of them be the one that counts."""
    done = [in_state(f"d{number}", "completed") for number in range(9_999)]
    found = blockers(
        *done,
        in_state("a", "running"),
        waiting("b", *(one.task_id for one in done), "a"),
    )

    assert found["b"] == ["a"]


def test_a_thousand_are_named_at_most():
    """What went wrong is among them, and counts in any case."""
    many = [in_state(f"r{number}", "running") for number in range(1_500)]
    wrong = in_state("wrong", "failed")
    names = [one.task_id for one in many]

    (shown,) = find_blocked(by_id(*many, wrong, waiting("a", *names, "wrong")))

    assert (len(shown.by), shown.by[0], shown.is_hopeless) == (1_000, "wrong", True)


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ([waiting("a", "a")], {"a": ["a"]}),
        ([waiting("a", "a"), waiting("b", "a")], {"a": ["a"], "b": ["a"]}),
        ([waiting("a", "b"), waiting("b", "a")], {"a": ["b"], "b": ["a"]}),
        (
            [waiting("a", "b"), waiting("b", "a"), waiting("behind", "a")],
            {"a": ["b"], "b": ["a"], "behind": ["a"]},
        ),
        (
            [
                waiting("a", "b", "r"),
                waiting("b", "c"),
                waiting("c", "a"),
                in_state("r", "running"),
            ],
            {"a": ["b", "r"], "b": ["c"], "c": ["a"]},
        ),
        ([in_state("a", "running", "b"), waiting("b", "a")], {"b": ["a"]}),
    ],
)
def test_in_a_circle_each_waits_for_whom_it_names(nodes, found):
    """It never ends, and a stranger wrote it; a circle with somebody at work is none."""
    for order in (nodes, nodes[::-1]):
        assert blockers(*order) == found


def test_who_waits_for_nobody_that_waits_comes_first():
    """Then by label, whatever the order in which they were heard of."""
    nodes = [
        waiting("late", "first", label="a"),
        waiting("b", "running", label="z"),
        waiting("first", label="y"),
        in_state("running", "running", "completed"),
        in_state("completed", "completed"),
    ]

    for order in (nodes, nodes[::-1]):
        assert list(blockers(*order)) == ["first", "b", "late"]


def test_a_chain_of_thousands_is_no_deep_recursion():
    """All behind it wait for its first."""
    chain = [waiting(str(number), str(number - 1)) for number in range(1, 5_000)]

    assert set(map(tuple, blockers(in_state("0", "failed"), *chain).values())) == {("0",)}


def test_many_dependencies_of_many_tasks_need_little():
    """Layers in which each task waits for a hundred of the layer before: no way is gone twice."""
    dice = random.Random(5)
    names = [[f"{layer}-{number}" for number in range(1_200)] for layer in range(4)]
    roots = [in_state(name, "running") for name in names[0]]
    layers = [
        waiting(name, *dice.sample(before, 100))
        for before, layer in itertools.pairwise(names)
        for name in layer
    ]

    found = {one.node.task_id: one for one in find_blocked(by_id(*roots, *layers))}

    assert {len(found[name].by) for name in names[1]} == {100}
    assert {len(found[name].by) for name in names[3]} == {1_000}


# Against a plain search.

STATES = ("unscheduled", "unscheduled", UNHEARD, "pending", "running", "completed", "failed")
NUMBERS = st.integers(0, 11)
ANY_NODES = st.lists(
    st.tuples(
        st.sampled_from(STATES),
        st.lists(NUMBERS, max_size=4),
        st.sampled_from(("all-completed", ANY_WAY)),
    ),
    max_size=11,
)


def search(task_id, waits, states, requires):
    """Look for what keeps a task, one after the other, without remembering anything."""
    found = set()
    for other in waits[task_id]:
        state = states.get(other)
        if state in ("unscheduled", UNHEARD):
            found |= search(other, waits, states, requires) or {other}
        elif state != "completed" and (
            state in (None, "pending", "running") or requires[task_id] == "all-completed"
        ):
            found.add(other)
    return found


def compare(shown: list[Blocked], waits, states, requires):
    assert {one.node.task_id for one in shown} == {
        one for one, state in states.items() if state == "unscheduled"
    }
    for one in shown:
        expected = search(one.node.task_id, waits, states, requires)
        assert set(one.by) == expected
        assert len(one.by) == len(expected)
        assert one.is_hopeless is any(
            states.get(other) in ("failed", "exception") for other in expected
        )


@given(ANY_NODES)
@example([("running", [], ""), ("unscheduled", [0], "all-completed")])
def test_blockers_are_those_that_a_plain_search_finds(drawn):
    """In graphs where each depends on earlier ones, or on some of another group."""
    waits, states, requires, nodes = {}, {}, {}, []
    for number, (state, dependencies, asked) in enumerate(drawn):
        name = f"t{number}"
        waits[name] = tuple(
            dict.fromkeys(f"t{one}" if one < number else f"else{one}" for one in dependencies)
        )
        states[name], requires[name] = state, asked
        nodes.append(in_state(name, state, *waits[name], requires=asked))

    compare(find_blocked(by_id(*nodes)), waits, states, requires)


@given(st.integers(0, 5), st.integers(0, 1), st.integers(0, 10_000))
def test_blockers_of_a_simulated_group_are_those_of_its_plan(seed, number, cut):
    """At any moment: searched in the plan, with the states that the messages told."""
    made = history(seed)
    plan = made.plans[number]
    came = made.deliveries[: cut % (len(made.deliveries) + 1)]
    words = last_words(came, plan.task_group_id)
    waits = {task.task_id: task.dependencies for task in plan.tasks}
    states = {one: words[one]["state"] if one in words else UNHEARD for one in waits}
    requires = {task.task_id: task.requires for task in plan.tasks}

    compare(find_blocked(made.graph(number, came).nodes), waits, states, requires)


@given(ANY_NODES, st.randoms(use_true_random=False))
def test_circles_or_not_the_order_of_nodes_does_not_matter(drawn, dice):
    """Nor can any of them stop it."""
    nodes = [
        in_state(f"t{number}", state, *dict.fromkeys(f"t{one}" for one in others), requires=asked)
        for number, (state, others, asked) in enumerate(drawn)
    ]

    found = find_blocked(by_id(*nodes))

    assert find_blocked(by_id(*dice.sample(nodes, len(nodes)))) == found
    depth = rank_nodes({one.task_id: one for one in nodes if one.state in STATES[:3]})
    assert [depth[one.node.task_id] for one in found] == sorted(
        depth[one.node.task_id] for one in found
    )
