"""The verdict: how a group is doing, in one word that is never a guess."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import START, completed, graph, in_state, node, run, waiting
from tcsniff.taskgraph.nodes import ORDER, UNHEARD, Node
from tcsniff.taskgraph.verdict import _RULES, WORDS, describe_unknown, judge_group

ANY_WAY = "all-resolved"
DEADLINE = "2026-11-23T18:40:00.000Z"
DONE = node("done", runs=[completed(0, 10, 4320)], kind="test")
FAILED = node("build-linux/opt", runs=[run("failed", 0, 10, 60)])
CANCELED = node("b", runs=[run("exception", 0, 10, 70)], pool="p/q")
RUNNING = node("r", runs=[run("running", 0, 30)], kind="test", pool="p/q")
PENDING = node("p", runs=[run("pending", 0)], pool="gecko-t/t-linux-xlarge")


def said(*nodes: Node, at: float = 100, **known: Any) -> tuple[str, str]:
    return judge_group(graph(*nodes, **{"is_whole": True, **known}), START + at, utc=True)


@pytest.mark.parametrize(
    ("nodes", "known", "word", "text"),
    [
        (
            (),
            {"since": START},
            "unknown",
            "nothing known yet: waiting for this group's first event since 18:00",
        ),
        (
            (DONE, FAILED),
            {"is_whole": False, "doubts": ("no API; why",), "since": START},
            "partial",
            "known in part: 2 tasks announced since 18:00 (no API; why)",
        ),
        (
            (DONE, in_state("u", UNHEARD)),
            {"is_resolved": True},
            "partial",
            "known in part: 2 tasks announced (1 task was never heard of)",
        ),
        ((DONE,), {}, "completed", "completed in 1 h 12 m"),
        (
            (DONE, FAILED, CANCELED),
            {},
            "failed",
            "failed: 1 of 3 tasks failed, 1 exception, in 1 h 12 m",
        ),
        ((FAILED,), {}, "failed", "failed: 1 of 1 task failed, in 1 m 00 s"),
        (
            (DONE, CANCELED, in_state("x", "vanished")),
            {},
            "exception",
            "ended with exceptions: 2 of 3 (1 exception, 1 vanished), in 1 h 12 m",
        ),
        (
            (
                DONE,
                FAILED,
                waiting("a", "build-linux/opt", deadline=DEADLINE),
                waiting("c", "a", "done"),
            ),
            {},
            "stuck",
            "stuck: 2 tasks can never run; they wait for build-linux/opt, which failed "
            "(deadline 18:40)",
        ),
        (
            (CANCELED, FAILED, waiting("a", "b", "build-linux/opt")),
            {},
            "stuck",
            "stuck: 1 task can never run; it waits for build-linux/opt and 1 other, which failed",
        ),
        (
            (DONE, PENDING, node("p2", runs=[run("pending", 50)], pool="gecko-t/x")),
            {},
            "waiting",
            "waiting for machines: 2 tasks pending up to 1 m 40 s on gecko-t/t-linux-xlarge and "
            "1 other pool, none running",
        ),
        (
            (FAILED, waiting("a", "build-linux/opt", requires=ANY_WAY)),
            {},
            "waiting",
            "waiting to be scheduled: 1 task, none running",
        ),
        (
            (DONE, FAILED, RUNNING, waiting("a", "build-linux/opt")),
            {},
            "failing",
            "failing: 1 failed, 1 running; 1 task can no longer run, about 1 h 10 m left",
        ),
        ((CANCELED, RUNNING), {}, "failing", "failing: 1 exception, 1 running"),
        ((RUNNING, PENDING), {}, "running", "on its way: 0 of 2 done"),
        ((DONE, RUNNING), {}, "running", "on its way: 1 of 2 done, about 1 h 10 m left"),
    ],
)
def test_each_verdict_says_its_reason(
    nodes: tuple[Node, ...], known: dict[str, Any], word: str, text: str
) -> None:
    """The words and their order are fixed; scripts and people have learnt them."""
    assert said(*nodes, **known) == (word, text)


def test_a_retried_task_has_not_gone_wrong() -> None:
    """Neither is what waits for it without hope."""
    retried = node("t", runs=[run("exception", 0, 5, 9), run("running", 10, 11)])

    assert said(retried, waiting("a", "t"))[0] == "running"


def test_a_chain_of_tasks_can_never_run() -> None:
    """Through others, but not past one that only wants an end."""
    nodes = (
        FAILED,
        RUNNING,
        waiting("a", "build-linux/opt"),
        waiting("b2", "a"),
        waiting("c", "b2", requires=ANY_WAY),
        waiting("d", "c"),
    )

    assert "; 2 tasks can no longer run" in said(*nodes)[1]


def test_what_waits_for_another_group_is_not_stuck() -> None:
    """Nobody here knows what becomes of that task."""
    nodes = (FAILED, waiting("a", "build-linux/opt"), waiting("b2", "elsewhere"))

    assert said(*nodes)[0] == "waiting"


STATES = st.sampled_from([*ORDER, "vanished"])
GRAPHS = st.builds(
    lambda nodes, known: graph(
        *(
            in_state(str(number), state, *map(str, wanted), requires=requires)
            for number, (state, wanted, requires) in enumerate(nodes)
        ),
        **known,
    ),
    st.lists(
        st.tuples(
            STATES,
            st.lists(st.integers(0, 7), max_size=3),
            st.sampled_from(["all-completed", ANY_WAY]),
        ),
        max_size=7,
    ),
    st.fixed_dictionaries(
        {"is_whole": st.booleans(), "is_resolved": st.booleans()},
        optional={"doubts": st.just(("why",)), "since": st.just(START)},
    ),
)


@given(GRAPHS)
def test_every_state_has_exactly_one_verdict(known: Any) -> None:
    """The first rule that applies; the result is 0 if and only if it is `completed`."""
    verdict = judge_group(known, START, utc=True)

    assert WORDS.count(verdict.word) == 1
    assert verdict.text.isprintable()
    assert (verdict.word == "completed") is (known.exit_status == 0)
    states = {one.state for one in known.nodes.values()}
    if verdict.word in ("stuck", "waiting"):
        assert "running" not in states
    if verdict.word == "stuck":
        assert "pending" not in states
    if verdict.word not in ("running", "failing"):
        assert not re.search("about .* left", verdict.text)
    assert (describe_unknown(known) is None) is (
        bool(known.nodes) and known.is_certain and UNHEARD not in states
    )


def test_every_verdict_is_reached() -> None:
    """Else a rule would be dead, and the table would say less than it seems to."""
    assert [rule.word for rule in _RULES] == [
        *("unknown", "partial", "completed", "failed", "exception"),
        *("stuck", "waiting", "failing", "running"),
    ]
