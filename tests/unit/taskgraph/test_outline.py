"""The rows of a picture: what stands together, and in which order."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import graph, history, node, run, waiting
from tcsniff.pulse.payloads import Run
from tcsniff.taskgraph.natural_order import get_natural_key
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.outline import count_tasks, join_labels, list_wrong, outline_kinds


def ended(task_id: str, state: str, at: float, reason: str) -> Node:
    made = run(state, 0, 1, at)
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    return node(task_id, runs=[Run(**{**fields, "reason_resolved": reason})])


def names(rows: object) -> list[list[str]]:
    return [[one.task_id for one in row.nodes] for row in rows]  # type: ignore[attr-defined]


def test_chunk_2_comes_before_chunk_10() -> None:
    """As people count."""
    labels = ["t-10", "t-2", "t-1", "s", "t", "t-2-b", "t-02"]

    assert sorted(labels, key=get_natural_key) == ["s", "t", "t-1", "t-02", "t-2", "t-2-b", "t-10"]


@given(st.lists(st.text()))
def test_every_label_has_an_order(labels: list[str]) -> None:
    """Digits of other scripts, and numbers of any length, too."""
    assert sorted(labels, key=get_natural_key)[:0] == []
    assert get_natural_key("9" * 5_000) > get_natural_key("1")


@pytest.mark.parametrize(
    ("labels", "joined"),
    [
        (["a-1", "a-2", "a-10"], ["a-1", "-2", "-10"]),
        (["a-1", "b-2", "b-3"], ["a-1", "b-2", "-3"]),
        (["a", "a-1", "a-x", "a-2"], ["a", "a-1", "a-x", "a-2"]),
        ([], []),
    ],
)
def test_what_chunks_have_in_common_is_said_once(labels: list[str], joined: list[str]) -> None:
    """Only directly after the first of them."""
    assert join_labels(labels) == joined


def test_what_ended_for_one_reason_in_one_minute_is_one_row() -> None:
    """Failures are not: each has a log. Neither is what others wait for."""
    nodes = [
        ended("c-10", "exception", 725, "canceled"),
        ended("c-2", "exception", 721, "canceled"),
        ended("later", "exception", 800, "canceled"),
        ended("other", "exception", 721, "deadline-exceeded"),
        ended("blocks", "exception", 721, "canceled"),
        ended("f-1", "failed", 721, "failed"),
        ended("f-2", "failed", 721, "failed"),
        node("retried", runs=[run("exception", 0, 1, 721), run("pending", 722)]),
        ended("fine", "completed", 721, "completed"),
    ]

    rows = list_wrong(graph(*nodes, waiting("w", "blocks")))

    assert names(rows) == [["blocks"], ["f-1"], ["f-2"], ["later"], ["c-2", "c-10"], ["other"]]
    assert (rows[4].reason, rows[4].ended_at) == ("canceled", nodes[1].since)


def test_what_waits_for_the_same_is_one_row() -> None:
    """And stands behind what runs and is pending, the oldest of these first."""
    nodes = [
        waiting("w-10", "r-1"),
        waiting("w-2", "r-1"),
        waiting("w-3", "p"),
        waiting("x", is_defined=False),
        waiting("y", is_defined=False),
        node("p", runs=[run("pending", 5)]),
        node("r-1", runs=[run("running", 5, 90)]),
        node("r-2", runs=[run("running", 5, 60)]),
        ended("done", "completed", 50, "completed"),
    ]

    rows = outline_kinds(graph(*nodes))[""].list_rows()

    assert names(rows) == [
        *(["r-2"], ["r-1"], ["p"], ["w-2", "w-10"], ["w-3"], ["x"], ["y"], ["done"])
    ]


def test_only_rows_that_are_asked_for_are_put_together() -> None:
    """The first ones are the same, also among tasks that began at one moment."""
    nodes = [
        *(node(f"r-{number}", runs=[run("running", 0, number // 4)]) for number in range(12)),
        waiting("w", "r-1"),
        ended("done", "completed", 50, "completed"),
    ]
    (kind,) = outline_kinds(graph(*nodes)).values()

    assert [kind.list_rows(limit) for limit in range(15)] == [
        kind.list_rows()[:limit] for limit in range(15)
    ]
    assert kind.list_rows(14, only_open=True) == kind.list_rows()[:13]
    assert (len(kind), kind.open_count, kind.min_rows) == (14, 13, 13)


@given(st.integers(0, 5), st.integers(0, 400), st.randoms(use_true_random=False))
def test_every_task_is_in_one_row_in_whichever_order_it_was_heard_of(
    seed: int, cut: int, shuffle: random.Random
) -> None:
    """Nothing is left out, and nothing is said twice."""
    made = history(seed)
    shown = made.graph(0, made.deliveries[:cut])
    nodes = list(shown.nodes.values())
    mixed = graph(*shuffle.sample(nodes, len(nodes)), group=shown.task_group_id)

    rows = {name: kind.list_rows() for name, kind in outline_kinds(shown).items()}
    again = {name: kind.list_rows() for name, kind in outline_kinds(mixed).items()}

    assert rows == again
    assert list(rows) == list(again)
    assert sorted(itertools.chain(*itertools.chain(*map(names, rows.values())))) == sorted(
        shown.nodes
    )
    assert count_tasks(itertools.chain(*rows.values())) == len(nodes)
    assert count_tasks(list_wrong(shown)) == sum(one.went_wrong for one in nodes)
