from __future__ import annotations

import itertools

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import IN_ORDER, START, completed, graph, history, in_state, node, run, waiting
from tcsniff.pulse.times import parse_seconds
from tcsniff.taskgraph.critical_path import find_critical_path, sum_path

ANY_WAY = "all-resolved"
NEVER = {"reason": "exception"}  # a run that was made to hold why there was none


def path(*nodes, now=1_000, group="decision"):
    """Walk it; steps as id, begin and end, in seconds from the start."""
    return [
        (step.node.task_id, round(step.begun - START, 3), round(step.ended - START, 3))
        for step in find_critical_path(graph(*nodes, group=group), START + now)
    ]


def names(*nodes, now=1_000):
    return [name for name, _, _ in path(*nodes, now=now)]


def parts(*runs, now=1_000, last=None):
    """Take a step apart: waiting, running, idle; `last` is when another began."""
    nodes = [node("a", runs=runs)]
    if last is not None:
        nodes.append(node("z", "a", runs=[run("running", last, last)]))
    step = find_critical_path(graph(*nodes), START + now)[0]
    assert step.waiting + step.running + step.idle == pytest.approx(step.length)
    return step.waiting, step.running, step.idle


# What comes before a task.

A, B = node("a", runs=[completed(0, 10, 100)]), node("b", runs=[completed(0, 10, 200)])


def test_each_step_begins_where_the_one_before_ends():
    """So that the parts are the whole."""
    third = node("c", "b", runs=[run("running", 203, 210)])

    assert path(A, B, third) == [("b", 0, 203), ("c", 203, 1000)]


def test_the_dependency_that_ended_last_let_a_task_go():
    """The others did not matter."""
    assert names(A, B, node("c", "b", "a", runs=[completed(203, 210, 900)])) == ["b", "c"]


@pytest.mark.parametrize(
    ("reruns", "freed_by"),
    [
        # Completed, and run again later, for no reason of ours.
        ([completed(0, 10, 100), completed(300, 310, 400, "rerun")], "b"),
        # Completed, and run again before the other has ended: the queue never takes it back.
        ([completed(0, 10, 100), completed(120, 130, 201, "rerun")], "b"),
        ([completed(0, 10, 100), run("failed", 120, 130, 202, reason="rerun")], "b"),
        # Failed at first, so that only the rerun let go.
        ([run("failed", 0, 10, 100), completed(150, 160, 202, "rerun")], "x"),
        # Lost, and tried again by the queue.
        ([run("exception", 0, 10, 100), completed(100, 160, 202, "retry")], "x"),
        # Long done.
        ([completed(0, 10, 100)], "b"),
    ],
)
def test_a_rerun_changes_nothing_about_who_let_a_task_go(reruns, freed_by):
    """What counts is the first success."""
    nodes = [B, node("x", runs=reruns), node("c", "b", "x", runs=[completed(203, 210, 900)])]

    assert names(*nodes) == [freed_by, "c"]


@pytest.mark.parametrize(
    ("runs", "freed_by"),
    [
        ([run("failed", 0, 10, 202)], "x"),
        ([run("exception", 0, 10, 202)], "x"),
        ([run("vanished", 0, 10, 202)], "x"),
        # A lost run that is tried again is no end.
        ([run("exception", 0, 1, 150), run("exception", 150, 160, 202, reason="retry")], "x"),
        ([run("exception", 0, 1, 202), completed(202, 210, 600, "task-retry")], "b"),
        # A failed one that somebody ran again was one.
        ([run("failed", 0, 10, 100), completed(190, 195, 202, "rerun")], "b"),
    ],
)
def test_who_is_content_with_any_end_is_let_go_by_the_first(runs, freed_by):
    """A summary of tests, for example."""
    summary = node("s", "b", "x", requires=ANY_WAY, runs=[completed(203, 210, 900)])

    assert names(B, node("x", runs=runs), summary) == [freed_by, "s"]


def test_what_failed_let_nobody_go_who_asks_for_success():
    """It was scheduled by hand."""
    failed = node("x", runs=[run("failed", 0, 10, 202)])

    assert names(B, failed, node("c", "b", "x", runs=[completed(203, 210, 900)])) == ["b", "c"]


def test_clocks_may_be_a_second_apart():
    """Yet no step has a length below nothing, and the parts stay the whole."""
    late = node("x", runs=[completed(100.5, 100.6, 100.8)])

    steps = path(late, node("c", "x", runs=[completed(100, 110, 120)]))

    assert steps == [("x", 100, 100), ("c", 100, 120)]


def test_what_ended_later_let_nobody_go():
    """A task can be scheduled by hand before its dependencies have ended, even begun."""
    decision = node("decision", runs=[completed(0, 1, 20)])
    later = node("x", runs=[completed(300, 310, 400)])

    steps = path(decision, later, node("c", "x", runs=[completed(100, 110, 500)]))

    assert steps == [("decision", 0, 100), ("c", 100, 500)]


def test_a_task_that_never_was_scheduled_comes_behind_what_kept_it():
    """Canceled or given up at its deadline, it waited for what failed, not for what succeeded."""
    failed = node("x", runs=[run("failed", 0, 10, 150)])
    between = node("y", "x", runs=[run("exception", 900.01, None, 900.01, **NEVER)])
    last = node("z", "b", "y", runs=[run("exception", 900, None, 900.02, **NEVER)])

    steps = path(B, failed, between, last)

    assert steps == [("x", 0, 900), ("y", 900, 900), ("z", 900, 900.02)]


def test_it_may_have_waited_for_what_was_still_running():
    """Then that one took the time, as far as it goes."""
    failed = node("x", runs=[run("failed", 0, 10, 150)])
    hung = node("y", runs=[run("exception", 20, 30, 903)])
    last = node("z", "x", "y", runs=[run("exception", 900, None, 904, **NEVER)])

    assert path(failed, hung, last) == [("y", 20, 900), ("z", 900, 904)]


def test_of_two_that_kept_it_the_later_comes_before_it():
    """Until then it might have had to wait in any case."""
    early = node("y", runs=[run("failed", 0, 10, 150)])
    late = node("x", runs=[run("failed", 0, 10, 300)])
    last = node("z", "x", "y", runs=[run("exception", 900, None, 904, **NEVER)])

    assert names(early, late, last) == ["x", "z"]


def test_it_may_have_waited_for_what_was_run_again_and_is_open_still():
    """That has not ended, so it ends after all the others."""
    failed = node("x", runs=[run("failed", 0, 10, 300)])
    again = node("y", runs=[run("failed", 0, 10, 150), run("running", 950, 960, reason="rerun")])
    canceled = node("z", "x", "y", runs=[run("exception", 900, None, 900, **NEVER)])
    behind = node("last", "z", requires=ANY_WAY, runs=[run("running", 901, 902)])

    assert names(failed, again, canceled, behind) == ["y", "z", "last"]


def test_it_did_not_wait_for_what_began_after_its_end():
    """Then nothing is known but who created it."""
    decision = node("decision", runs=[completed(0, 1, 20)])
    later = node("x", runs=[run("failed", 300, 310, 400)])
    canceled = node("z", "x", runs=[run("exception", 100, None, 500, **NEVER)])

    assert names(decision, later, canceled) == ["decision", "z"]


def test_it_may_have_waited_for_nobody():
    """All had succeeded, and it was canceled in the moment before its turn."""
    last = node("z", "a", "b", runs=[run("exception", 202, None, 202, **NEVER)])

    assert names(A, B, last) == ["b", "z"]


@pytest.mark.parametrize(
    "dependencies", [(), ("elsewhere",), ("unheard",), ("unscheduled",), ("c",), ("odd",)]
)
def test_the_decision_task_comes_before_those_that_wait_for_nobody_known(dependencies):
    """It has created them; of other groups, and of tasks without a time, nothing is known."""
    decision = node("decision", runs=[completed(0, 10, 100)])
    others = [
        in_state("unheard", "unheard"),
        waiting("unscheduled"),
        node("odd", runs=[run("completed", "soon", None, 50)]),
    ]

    steps = path(decision, *others, node("c", *dependencies, runs=[run("running", 60, 70)]))

    assert steps == [("decision", 0, 60), ("c", 60, 1000)]


def test_the_decision_task_comes_before_nobody_who_was_there_earlier():
    """Nor before itself."""
    decision = node("decision", runs=[completed(500, 510, 600)])

    assert names(decision) == ["decision"]
    assert names(decision, node("c", runs=[run("running", 60, 70)])) == ["c"]


# Which task is the last.


@pytest.mark.parametrize(
    ("runs", "last"),
    [
        ({"x": [run("running", 50, 60)], "y": [run("pending", 40)]}, "y"),
        ({"x": [run("running", 50, 60)], "y": [completed(40, 45, 900)]}, "x"),
        # A retry goes on with what it was; a rerun begins anew.
        (
            {
                "x": [run("exception", 10, 20, 300), run("running", 300, 310, reason="retry")],
                "y": [run("running", 40, 50)],
            },
            "x",
        ),
        (
            {
                "x": [run("failed", 10, 20, 300), run("running", 300, 310, reason="rerun")],
                "y": [run("running", 40, 50)],
            },
            "y",
        ),
        (
            {
                "x": [run("failed", 10, 20, 30), run("pending", "soon", reason="rerun")],
                "y": [run("running", 40, 50)],
            },
            "x",
        ),
        (
            {
                "x": [run("failed", 10, 20, 30), run("pending", "soon", reason="rerun")],
                "y": [run("running", 5, 50)],
            },
            "y",
        ),
        ({"x": [completed(0, 1, 300)], "y": [completed(200, 201, 299)]}, "x"),
        # It hung until its deadline: it took the time.
        ({"x": [completed(0, 1, 300)], "y": [run("exception", 0, 1, 3660)]}, "y"),
        ({"x": [completed(0, 1, 300)], "y": [run("completed", 0, 1, "soon")]}, "x"),
        ({"x": [run("running", "soon")], "y": [completed(0, 1, 2)]}, "y"),
        # A word yet to come is an end.
        ({"x": [run("vanished", 10)], "y": [completed(0, 1, 2)]}, "x"),
        ({"y": [run("running", 40, 50)], "x": [run("running", 40, 50)]}, "x"),
    ],
)
def test_the_path_ends_in_what_is_open_longest_or_ended_last(runs, last):
    """Without dependencies it is a path of one."""
    assert names(*(node(name, runs=some) for name, some in runs.items())) == [last]


def test_of_a_group_in_which_nothing_was_scheduled_there_is_no_path():
    """Nor of an empty one."""
    assert path() == []
    assert path(waiting("a"), in_state("b", "unheard")) == []
    assert path(node("a", runs=[run("pending", "soon")])) == []


# The parts of a step.


@pytest.mark.parametrize(
    ("runs", "last", "expected"),
    [
        ([run("pending", 100)], None, (900, 0, 0)),
        ([run("running", 100, 130)], None, (30, 870, 0)),
        ([completed(100, 130, 400)], None, (30, 270, 0)),
        ([completed(100, 130, 400)], 405, (30, 270, 5)),
        # Claimed by nobody until its deadline.
        ([run("exception", 100, None, 400)], None, (300, 0, 0)),
        # Lost and tried again at once; failed and run again by somebody, later.
        (
            [run("exception", 100, 110, 200), completed(200, 230, 300, "retry")],
            302,
            (40, 160, 2),
        ),
        ([run("failed", 100, 110, 200), completed(250, 260, 300, "rerun")], 302, (20, 130, 52)),
        # Run again when the next was on its way already.
        ([completed(100, 110, 200), completed(250, 260, 300, "rerun")], 205, (10, 90, 5)),
        # Of times that are none, and such that contradict each other, whatever can be had.
        ([run("completed", 100, "x", 400)], None, (300, 0, 0)),
        ([completed(100, 90, 80)], None, (0, 0, 0)),
        ([completed(100, 300, 200)], 400, (200, 0, 100)),
        ([completed(100, 110, 300), completed(200, 210, 350, "retry")], 360, (10, 240, 10)),
        ([completed(100, 110, 300), run("failed", "x", 310, 350)], 400, (10, 190, 100)),
    ],
)
def test_a_step_is_made_of_waiting_running_and_neither(runs, last, expected):
    """Of all its runs, as far as they lie in it; no moment counts twice."""
    assert parts(*runs, last=last) == pytest.approx(expected)


def test_a_clock_that_is_behind_makes_no_negative_lengths():
    """Ours may be."""
    (step,) = find_critical_path(graph(node("a", runs=[run("running", 100, 110)])), START + 50)

    assert (step.begun, step.length, step.idle) == (START + 100, 0, 0)


# Too much, or without end.


def test_a_circle_ends_where_it_began():
    """A stranger may have made one."""
    a = node("a", "b", runs=[completed(0, 0, 0)])
    b = node("b", "a", "b", runs=[completed(0, 0, 0)])

    assert names(a, b) == ["a", "b"]


def test_a_chain_of_thousands_is_no_deep_recursion():
    """Its total is from its beginning to its end."""
    chain = [
        node(f"{number}", f"{number - 1}", runs=[completed(number, number + 0.5, number + 1)])
        for number in range(5_000)
    ]

    steps = find_critical_path(graph(*chain), START)

    assert len(steps) == 5_000
    assert sum_path(steps) == pytest.approx(5_000)


# Against a walk through the messages.


def let_go(plan, deliveries):
    """Follow the queue's messages in its order: who may come before whom, who is open since when.

    Nothing of the tracker or the graph: when a task is heard of as pending, the
    last of its dependencies that was heard to do what it asks has let it go.
    """
    tasks = {task.task_id: task for task in plan.tasks}
    met = {one: [] for one in tasks}  # in order
    before, since, ended = {}, {}, {}
    for one in deliveries:
        payload = orjson.loads(one.body)
        status = payload.get("status", {})
        task_id = status.get("taskId")
        if task_id not in tasks or not status["runs"]:
            continue
        name = one.exchange.rpartition("/")[2]
        last_run = status["runs"][-1]
        if task_id not in before:
            never = last_run["reasonCreated"] == "exception"
            unmet = {other for other in tasks[task_id].dependencies if other not in met[task_id]}
            heard = {other for other in unmet if other in before}
            decision = {plan.task_group_id} - {task_id}
            before[task_id] = (never and heard) or set(met[task_id][-1:]) or decision
        if name == "task-pending" and last_run["reasonCreated"] in ("scheduled", "rerun"):
            since[task_id] = parse_seconds(last_run["scheduled"])
        if status["state"] in ("completed", "failed", "exception"):
            ended[task_id] = parse_seconds(last_run["resolved"])
            for dependent in plan.tasks:
                if (
                    task_id in dependent.dependencies
                    and task_id not in met[dependent.task_id]
                    and (status["state"] == "completed" or dependent.requires == ANY_WAY)
                ):
                    met[dependent.task_id].append(task_id)
        else:
            ended.pop(task_id, None)
    return before, {one: when for one, when in since.items() if one not in ended}, ended


@given(st.integers(0, 9), st.integers(0, 1), st.integers(0, 10_000))
def test_the_path_of_a_simulated_group_is_the_one_that_its_messages_tell(seed, number, cut):
    """At any moment, with failures, retries, reruns, cancellations and missed deadlines."""
    made = history(seed, 40, IN_ORDER)
    came = made.deliveries[: cut % (len(made.deliveries) + 1)]
    before, since, ended = let_go(made.plans[number], came)
    now = max([START, *since.values(), *ended.values()]) + 5

    steps = find_critical_path(made.graph(number, came), now)

    assert bool(steps) is bool(before)
    for one, following in itertools.pairwise(steps):
        assert one.node.task_id in before[following.node.task_id]
        assert one.ended == following.begun
    for one in steps:
        assert one.waiting + one.running + one.idle == pytest.approx(one.length, abs=1e-5)
        assert min(one.waiting, one.running, one.idle, one.length) >= 0
    if steps:
        first, last = steps[0], steps[-1]
        assert before[first.node.task_id] <= {last.node.task_id} & {first.node.task_id}
        assert sum_path(steps) == pytest.approx(last.ended - first.begun, abs=1e-5)
        if since:
            assert since[last.node.task_id] == min(since.values())
            assert last.ended == now
        else:
            assert last.ended == ended[last.node.task_id] == max(ended.values())


TIMES = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "soon", "2026-11-23", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"]
    ),
    st.floats(-1e6, 1e6).map(lambda number: round(number, 3)),
    st.integers(0, 20),
)
RUNS = st.lists(
    st.builds(
        run,
        st.sampled_from(("pending", "running", "completed", "failed", "exception", "vanished")),
        TIMES,
        TIMES,
        TIMES,
        reason=st.sampled_from(("scheduled", "retry", "rerun", "exception", None)),
    ),
    max_size=4,
)
NUMBERS = st.integers(0, 7)


@given(
    st.lists(
        st.tuples(
            RUNS, st.lists(NUMBERS, max_size=3), st.sampled_from(("all-completed", ANY_WAY))
        ),
        max_size=7,
    ),
    st.floats(-1e6, 1e6),
)
def test_whatever_a_stranger_writes_the_parts_are_the_whole(drawn, now):
    """Times that are none, before and after each other, circles, other groups."""
    nodes = [
        node(str(number), *(str(one) for one in others), runs=runs, requires=asked)
        for number, (runs, others, asked) in enumerate(drawn)
    ]

    steps = find_critical_path(graph(*nodes, group="0"), START + now)

    for one, following in itertools.pairwise(steps):
        assert one.ended == following.begun
    for one in steps:
        assert min(one.waiting, one.running, one.idle, one.length) >= 0
        assert one.waiting + one.running + one.idle == pytest.approx(one.length, abs=1e-3)
    assert len({one.node.task_id for one in steps}) == len(steps)
    assert sum_path(steps) == pytest.approx(
        steps[-1].ended - steps[0].begun if steps else 0, abs=1e-2
    )
