from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import (
    START,
    completed,
    graph,
    history,
    in_state,
    last_words,
    node,
    run,
    waiting,
)
from tcsniff.pulse.times import parse_seconds
from tcsniff.taskgraph.forecast import estimate_time_left
from tcsniff.taskgraph.nodes import UNHEARD

ANY_WAY = "all-resolved"
# By which the others are measured: 10 s of waiting, 100 s of running.
DONE = node("done", runs=[completed(0, 10, 110)])
FAILED = node("failed", runs=[run("failed", 0, 10, 110)])


def left(*nodes, now=200):
    return estimate_time_left(graph(*nodes), START + now)


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run("pending", 200)], 110),
        ([run("pending", 196)], 106),
        ([run("pending", 50)], 100),
        ([run("pending", 300)], 110),
        ([run("pending", "soon")], 110),
        ([run("running", 150, 200)], 100),
        ([run("running", 150, 160)], 60),
        ([run("running", 10, 20)], 10),
        ([run("running", 150, 300)], 100),
        ([run("running", 150, None)], 100),
        ([run("exception", 0, 10, 190), run("running", 190, 195, reason="retry")], 95),
        ([run("vanished", 0, 10)], 0),
        ([], 110),
    ],
)
def test_a_task_takes_as_long_as_others_did(runs, expected):
    """Less what it has taken; who is overdue is taken to need a tenth more."""
    assert left(DONE, node("a", runs=runs)) == pytest.approx(expected)


def test_who_waits_for_others_begins_after_the_last_of_them():
    """And what waits for it, after it."""
    nodes = [
        DONE,
        node("a", runs=[run("running", 150, 160)]),
        node("b", runs=[run("pending", 200)]),
        waiting("c", "a", "b", "done", "elsewhere"),
        waiting("d", "c"),
    ]

    assert left(*nodes[:4]) == 110 + 110
    assert left(*nodes) == left(*nodes[::-1]) == 110 + 110 + 110


def test_what_is_unheard_is_taken_to_be_ahead():
    """Nobody has told of it."""
    assert left(DONE, in_state("a", UNHEARD)) == 110


def test_the_nearest_kind_counts():
    """That of the pool, else that of the kind, else all."""
    nodes = [
        node("1", kind="test", pool="fast", runs=[completed(0, 1, 11)]),
        node("2", kind="test", pool="slow", runs=[completed(0, 2, 52)]),
        node("3", kind="test", pool="slow", runs=[completed(0, 4, 94)]),
        node("4", kind="build", pool="slow", runs=[completed(0, 8, 908)]),
    ]

    def of(kind, pool):
        return left(*nodes, node("a", kind=kind, pool=pool, runs=[run("pending", 200)]))

    assert of("test", "fast") == 1 + 10
    assert of("test", "slow") == 3 + 70
    assert of("test", "new") == 2 + 50
    assert of("new", "slow") == 3 + 70


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([], None),
        ([waiting("a")], None),
        ([node("a", runs=[run("running", 0, 10)])], None),
        ([node("a", runs=[run("exception", 0, 10, 110)])], None),
        ([node("a", runs=[run("exception", 0, None, 110)])], None),
        ([node("a", runs=[run("completed", 0, 10, "soon")])], None),
        ([DONE], 0),
        ([FAILED], 0),
        ([FAILED, node("a", runs=[run("pending", 200)])], 110),
    ],
)
def test_nobody_knows_before_a_run_has_ended_as_it_should(nodes, expected):
    """How long one takes that was cut short says nothing; failing takes as long as anything."""
    assert left(*nodes) == expected


def test_an_end_is_known_though_no_wait_is():
    """Then nobody is taken to wait."""
    odd = node("odd", runs=[run("completed", "soon", 10, 110)])

    assert left(odd, waiting("a")) == 100


def test_nobody_waits_or_runs_for_less_than_nothing():
    """Clocks may be apart, and strangers write what they like."""
    odd = node("odd", runs=[completed(50, 10, 110), completed(0, 10, 5, "rerun")])

    assert left(odd, waiting("a")) == 5 + 50
    assert left(node("odd", runs=[completed(50, 10, 5)]), waiting("a")) == 0


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([waiting("a", "failed")], 0),
        ([waiting("a", "failed", requires=ANY_WAY)], 110),
        ([waiting("a", "failed"), waiting("b", "a")], 0),
        # At its deadline its dependency ends, and so does it.
        ([waiting("a", "failed"), waiting("b", "a", requires=ANY_WAY)], 0),
        ([in_state("a", "vanished"), waiting("b", "a")], 0),
        ([waiting("a", "a")], 0),
        ([waiting("a", "b"), waiting("b", "a"), waiting("c", "a")], 0),
        ([waiting("c", "a"), waiting("a", "b"), waiting("b", "a")], 0),
        ([in_state("a", "completed", "b"), waiting("b", "a")], 110),
        ([waiting("a", "failed"), waiting("b")], 110),
    ],
)
def test_what_never_will_run_takes_no_time(nodes, expected):
    """Behind what went wrong, and in a circle; the others are not kept by it."""
    for order in (nodes, nodes[::-1]):
        assert left(DONE, FAILED, *order) == expected


def test_a_chain_of_thousands_is_no_deep_recursion():
    """Each behind the one before."""
    chain = [waiting(f"{number}", f"{number - 1}") for number in range(5_000)]

    assert left(DONE, *chain) == 5_000 * 110


# Against a plain search in what the messages say.


def middle(lengths):
    ordered = sorted(lengths)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


NAMES = ("scheduled", "started", "resolved")


class Search:
    """Estimates from a plan and the last words on its tasks, one task after the other."""

    def __init__(self, plan, words, now):
        self.tasks = {task.task_id: task for task in plan.tasks}
        self.words = words
        self.now = now

    def spans(self, first, last, chosen, *, cut_short):
        return [
            parse_seconds(run[last]) - parse_seconds(run[first])
            for task_id, status in self.words.items()
            if chosen(self.tasks[task_id])
            for run in status["runs"]
            if first in run and last in run and (cut_short or run["state"] != "exception")
        ]

    def usual(self, task_id, first, last, *, cut_short):
        own = self.tasks[task_id]
        pool = own.provisioner_id, own.worker_type
        for chosen in (
            lambda task: task.kind == own.kind and (task.provisioner_id, task.worker_type) == pool,
            lambda task: task.kind == own.kind,
            lambda _: True,
        ):
            if found := self.spans(first, last, chosen, cut_short=cut_short):
                return middle(found)
        return 0

    def of(self, task_id):
        status = self.words.get(task_id, {"state": "unscheduled"})
        waits = self.usual(task_id, "scheduled", "started", cut_short=True)
        runs = self.usual(task_id, "started", "resolved", cut_short=False)
        match status["state"]:
            case "running":
                return max(
                    runs - self.now + parse_seconds(status["runs"][-1]["started"]), runs / 10
                )
            case "pending":
                since = parse_seconds(status["runs"][-1]["scheduled"])
                return max(waits - self.now + since, 0) + runs
            case "unscheduled":
                return self.behind(task_id) + waits + runs
            case _:
                return 0

    def behind(self, task_id):
        """Infinite if it never runs."""
        longest = 0
        for other in self.tasks[task_id].dependencies:
            state = self.words.get(other, {"state": UNHEARD})["state"]
            if state in ("failed", "exception"):
                if self.tasks[task_id].requires != ANY_WAY:
                    return float("inf")
            elif state != "completed":
                longest = max(longest, self.of(other))
        return longest


@given(st.integers(0, 5), st.integers(0, 1), st.integers(0, 10_000))
def test_a_simulated_group_takes_as_long_as_a_plain_search_says(seed, number, cut):
    """At any moment."""
    made = history(seed, 20)
    came = made.deliveries[: cut % (len(made.deliveries) + 1)]
    plan = made.plans[number]
    words = last_words(came, plan.task_group_id)
    times = [run.get(name) for one in words.values() for run in one["runs"] for name in NAMES]
    now = max([START, *(parse_seconds(one) for one in times if one)]) + 3
    search = Search(plan, words, now)
    ended = search.spans("started", "resolved", lambda _: True, cut_short=False)
    finite = [one for one in map(search.of, search.tasks) if one != float("inf")]

    found = estimate_time_left(made.graph(number, came), now)

    assert found == (pytest.approx(max(finite)) if ended else None)


def test_the_estimate_shrinks_to_nothing():
    """In a group without faults: at the end no time is left, and half way some is."""
    made = history(1, 40, ())
    spans = []
    for cut in itertools.count(100, 100):
        shown = made.graph(0, made.deliveries[:cut])
        times = [node.since for node in shown.nodes.values() if node.since is not None]
        spans.append(estimate_time_left(shown, max(times)))
        if shown.is_over:
            break

    known = [one for one in spans if one is not None]
    assert known[-1] == 0
    assert known[0] > 0
