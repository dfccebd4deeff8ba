"""Selections as subscriptions: at most so many bindings, and exactly the selected messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.routing import Binding, match_topic
from tcsniff.selection.bind import bind
from tcsniff.selection.select import Clause, Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.selection.subscriptions import MAX_BINDINGS, merge_bindings, plan_subscriptions

WORDS = st.sampled_from(["primary", "a", "b", "c"])
PATTERNS = st.lists(st.one_of(WORDS, st.sampled_from(["*", "#"])), min_size=1, max_size=4)
KEYS = st.lists(WORDS, min_size=1, max_size=4).map(".".join)
BINDINGS = st.lists(
    st.builds(Binding, st.sampled_from(["x", "y"]), PATTERNS.map(".".join)),
    min_size=1,
    max_size=12,
    unique=True,
)
SLUG = "fN1SbArXTPSVFNUvaOl{:02d}Q"


def message(exchange, key):
    return Delivery(exchange, key, b"{}", None)


@given(BINDINGS, KEYS, st.integers(2, 8))
def test_merged_bindings_match_at_least_the_same_keys(bindings, key, limit):
    """No message is lost by merging, and there are no more bindings than allowed."""
    merged = merge_bindings(bindings, limit)

    assert len(merged) <= limit
    for exchange, pattern in bindings:
        if match_topic(pattern, key):
            assert any(
                wider.exchange == exchange and match_topic(wider.pattern, key) for wider in merged
            )


@given(BINDINGS, st.sampled_from(["x", "y"]), KEYS, st.integers(2, 8))
def test_subscriptions_select_the_same_messages(bindings, exchange, key, limit):
    """A message without routes is accepted by a subscription if, and only if, it is selected."""
    selection = Selection(tuple(Clause(name, (pattern,)) for name, pattern in bindings))
    expected = selection.accepts()(message(exchange, key))

    accepted = [
        sub
        for sub in plan_subscriptions(selection, limit)
        if any(b.exchange == exchange and match_topic(b.pattern, key) for b in sub.bindings)
        and (sub.accepts is None or sub.accepts(message(exchange, key)))
    ]

    assert bool(accepted) == expected
    assert all(len(sub.bindings) <= limit for sub in plan_subscriptions(selection, limit))


def test_few_bindings_are_bound_as_they_are():
    """Then nothing is left to check on arrival."""
    selection = build_selection(SelectionArgs(["task-failed"], {"workerType": ["a", "b"]}))

    assert plan_subscriptions(selection) == [(tuple(selection.bindings), (), None)]


def test_the_narrowest_merge_is_chosen():
    """150 tasks of one group are bound by their group, not by everything."""
    tasks = [SLUG.format(number % 90 + 10)[:-1] + "AQgw"[number % 4] for number in range(150)]
    selection = build_selection(
        SelectionArgs(["task-failed"], {"taskId": tasks, "taskGroupId": [SLUG.format(0)]})
    )

    (subscription,) = plan_subscriptions(selection)

    assert len(selection.bindings) > MAX_BINDINGS
    (binding,) = subscription.bindings
    assert SLUG.format(0) in binding.pattern


def test_pairs_are_merged_by_one_word_after_the_other():
    """Patterns that differ in two words do not become `#` at once."""
    pairs = [Binding("x", f"primary.{number}.w{number}.z") for number in range(9)]

    assert merge_bindings(pairs, 3) == [Binding("x", "primary.*.*.z")]


def test_routes_are_bound_and_the_key_is_checked():
    """A web server never tells the routes, so only the key can be checked."""
    selection = build_selection(
        SelectionArgs(["task-failed"], {"taskGroupId": [SLUG.format(0)]}, routes=["index.a.#"])
    )

    (subscription,) = plan_subscriptions(selection)

    key = f"primary.x.0.g.w.p.t.s.{SLUG.format(0)}._"
    address = "exchange/taskcluster-queue/v1/task-failed"
    assert subscription.bindings == (Binding(address, "route.index.a.#"),)
    assert subscription.accepts(message(address, key))
    assert not subscription.accepts(message(address, key.replace(SLUG.format(0), "other")))


def test_different_routes_have_subscriptions_of_their_own():
    """A message of one route is not checked by the fields that belong to the other."""
    first, second = bind("task-failed", route="a"), bind("task-failed", route="b", task_id=None)

    plans = plan_subscriptions(Selection((*first.clauses, *second.clauses)))

    assert [[b.pattern for b in plan.bindings] for plan in plans] == [["route.a"], ["route.b"]]


@pytest.mark.parametrize("number", [101, 250])
def test_many_routes_are_not_merged(number):
    """They could not be checked on arrival, so they get further subscriptions."""
    routes = [f"r{n}" for n in range(number)]

    plans = plan_subscriptions(build_selection(SelectionArgs(["task-failed"], routes=routes)))

    assert [b.pattern for plan in plans for b in plan.bindings] == [f"route.{r}" for r in routes]
    assert all(len(plan.bindings) <= MAX_BINDINGS for plan in plans)
