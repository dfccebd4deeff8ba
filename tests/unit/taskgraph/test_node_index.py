"""What is kept up to date task by task is what walking all tasks gives, at any moment."""

from __future__ import annotations

import functools
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import plain_graph
import plain_rows
import plain_times
from graphs import START, graph, node, run, waiting
from queue_server import content
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.simulation import FAULTS, plan_groups, simulate
from tcsniff.taskgraph.critical_path import find_critical_path
from tcsniff.taskgraph.definitions import Page, parse_page
from tcsniff.taskgraph.forecast import estimate_time_left
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.natural_order import get_natural_key
from tcsniff.taskgraph.node_index import DEFINED, HEARD, NodeIndex
from tcsniff.taskgraph.nodes import ORDER, Node, count_states
from tcsniff.taskgraph.outline import list_wrong, outline_kinds

IDS = "abcdef"
NOW = START + 150


def derive(shown: Graph, now: float) -> dict[str, Any]:
    """Return everything that a picture shows of a graph."""
    kinds = outline_kinds(shown)
    return {
        "states": list(shown.states.items()),
        "defined": shown.has_dependencies,
        "began": shown.index.timeline.began,
        "length": shown.measure_span(now),
        "blocked": shown.blocking.list_blocked(),
        "hopeless": shown.blocking.hopeless,
        "causes": shown.blocking.list_causes(),
        "left": estimate_time_left(shown, now),
        "path": find_critical_path(shown, now),
        "wrong": list_wrong(shown),
        "kinds": list(kinds),
        "rows": [kind.list_rows() for kind in kinds.values()],
        "counts": [list(kind.counts.items()) for kind in kinds.values()],
    }


def walk(shown: Graph, now: float) -> dict[str, Any]:
    """Return the same, found by walking all tasks."""
    nodes, everything = shown.nodes, {**shown.outside, **shown.nodes}
    blocked = plain_graph.find_blocked(nodes, shown.outside)
    hopeless = plain_graph.find_hopeless(everything)
    blocks: dict[str, int] = {}
    for task_id in (task_id for one in blocked for task_id in one.by):
        blocks[task_id] = blocks.get(task_id, 0) + 1
    kinds = plain_rows.group_by_kind(shown)
    waits = {one.node.task_id: one for one in blocked}
    return {
        "states": list(count_states(nodes.values()).items()),
        "defined": any(one.is_defined for one in nodes.values()),
        "began": plain_times.find_begin(nodes.values()),
        "length": plain_times.measure_span(nodes.values(), now),
        "blocked": blocked,
        "hopeless": hopeless,
        "causes": plain_graph.find_causes(everything, hopeless),
        "left": plain_times.estimate_time_left(nodes, now),
        "path": plain_times.find_critical_path(shown, now),
        "wrong": plain_rows.list_wrong(nodes.values(), blocks),
        "kinds": list(kinds),
        "rows": [plain_rows.list_tasks(some, waits) for some in kinds.values()],
        "counts": [list(count_states(some).items()) for some in kinds.values()],
    }


@functools.cache
def history(seed: int) -> tuple[list[Delivery], list[Page]]:
    """Simulate what is told of a group, and what the queue answers half way and at the end."""
    plan = next(plan_groups(seed=seed, tasks=30))
    made = simulate(seed=seed, start=START, groups=1, tasks=30, faults=FAULTS)
    events = [one for _, one in made]
    answers = [content(plan, events[: len(events) // 2]), content(plan, events)]
    pages = [parse_page(orjson.dumps(page)) for known in answers for page in known.pages(10)]
    return events, pages


@given(st.integers(0, 7), st.data())
def test_a_group_is_at_any_moment_what_walking_its_tasks_gives(
    seed: int, data: st.DataObject
) -> None:
    """Whatever was told so far, in whichever order and however often it was looked at."""
    events, pages = history(seed)
    told: list[Delivery | Page] = [*events, *pages]
    if data.draw(st.booleans()):
        told = data.draw(st.randoms(use_true_random=False)).sample(told, len(told))
    looks = data.draw(st.sets(st.integers(1, len(told)), max_size=6))
    group, kept = GroupState(pages[0].group.task_group_id), []

    for number, one in enumerate(told, 1):
        if isinstance(one, Page):
            group.add_page(one)
        else:
            group.apply(one)
        if number in looks or number == len(told):
            shown = group.graph()
            assert derive(shown, group.latest) == walk(shown, group.latest)
            kept.append((shown, shown.freeze(), group.latest))

    # The group has moved on, and these show what they showed.
    for shown, frozen, now in kept:
        assert derive(shown, now) == derive(frozen, now) == walk(shown, now)


@given(st.integers(0, 7), st.integers(0, 10_000))
def test_the_tasks_of_a_group_are_in_the_order_in_which_they_were_heard_of(
    seed: int, cut: int
) -> None:
    """Then come those that are only defined: exports list them like this."""
    events, pages = history(seed)
    told = [*pages[:1], *events[: cut % (len(events) + 1)]]
    group = GroupState(pages[0].group.task_group_id)
    group.add_facts(pages[0].definitions)
    for one in told[1:]:
        assert isinstance(one, Delivery)
        group.apply(one)
        group.graph()

    heard = [task_id for task_id, one in group.graph().nodes.items() if one.state != "unheard"]
    again = GroupState(pages[0].group.task_group_id)
    again.add_facts(pages[0].definitions)
    for one in told[1:]:
        assert isinstance(one, Delivery)
        again.apply(one)

    assert list(group.graph().nodes) == list(again.graph().nodes)
    assert list(group.graph().nodes)[: len(heard)] == heard


SECONDS = st.sampled_from([None, 0, 1, 20, 70, 90, 200, "soon"])
RUNS = st.builds(
    run,
    st.sampled_from(["pending", "running", "completed", "failed", "exception", "vanished"]),
    SECONDS,
    SECONDS,
    SECONDS,
    reason=st.sampled_from(["scheduled", "retry", "rerun", "exception"]),
)
NODES = st.builds(
    lambda task_id, waits, requires, **details: node(
        task_id, *waits, requires=requires, **details
    ),
    st.sampled_from(IDS),
    st.lists(st.sampled_from(IDS + "xy"), max_size=4),
    st.sampled_from(["all-completed", "all-resolved"]),
    label=st.sampled_from(["t-1", "t-02", "t-2", "t-10", "s"]),
    kind=st.sampled_from(["", "test"]),
    pool=st.sampled_from(["", "p/q"]),
    state=st.sampled_from([*ORDER, "vanished"]),
    runs=st.lists(RUNS, max_size=3),
    is_defined=st.booleans(),
)
OUTSIDE = st.lists(NODES.map(lambda one: one._replace(task_id={"a": "x"}.get(one.task_id, "y"))))


@given(st.lists(st.tuples(NODES, st.booleans())), OUTSIDE)
@example([(waiting("a", "b"), False), (waiting("b", "a"), False), (waiting("c", "a"), False)], [])
@example([(waiting("a", "a"), False), (waiting("b", "a"), False)], [])
def test_tasks_of_any_kind_can_be_replaced_in_any_way(
    changes: list[tuple[Node, bool]], outside: list[Node]
) -> None:
    """Also by what the queue would never say: circles, other dependencies, fewer runs."""
    index = NodeIndex()
    for one, is_gone in changes:
        index.put(one, DEFINED if one.state == "unheard" else HEARD)
        if is_gone:
            index.remove(one.task_id)
    known = {one.task_id: one for one in outside}
    shown = Graph("a", "", index.nodes, outside=known, arranged=index)
    plain = graph(*index.nodes.values(), group="a", outside=known)

    assert derive(shown, NOW) == derive(plain, NOW) == walk(plain, NOW)


@given(st.lists(st.text(st.sampled_from("ab-/0123456789")), max_size=8))
def test_the_natural_order_is_that_of_numbers_and_words(labels: list[str]) -> None:
    """One string compares as the words and numbers do that the label consists of."""
    assert sorted(labels, key=get_natural_key) == sorted(labels, key=plain_rows.get_natural_key)


@pytest.mark.parametrize("count", [31, 32, 2_000])
def test_however_many_block_a_task_they_are_listed_in_order(count: int) -> None:
    """Sets of many tasks are made in another way than those of few."""
    names = [f"r{number}" for number in range(count)]
    many = (node(name, runs=[run("running", 0)]) for name in names)
    shown = graph(*many, waiting("w", *names))

    assert shown.blocking.list_blocked() == plain_graph.find_blocked(shown.nodes)
