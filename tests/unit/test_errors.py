"""Hints for mistyped names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcsniff.errors import suggest
from tcsniff.messages import REASONS_RESOLVED, STATES
from tcsniff.pulse.exchanges import CATALOG

EVENTS = [exchange.name for exchange in CATALOG]


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("grap", ["graph", "top"], "graph"),
        ("grpah", ["graph", "top"], "graph"),
        ("rde", ["red", "green"], "red"),
        ("GRAPH", ["graph"], "graph"),
        ("task-runing", EVENTS, "task-running"),
        ("tsak-runing", EVENTS, "task-running"),
        ("cancelled", REASONS_RESOLVED, "canceled"),
        ("claimexpired", REASONS_RESOLVED, "claim-expired"),
        ("failled", STATES, "failed"),
        ("worker-tpye", ["worker-id", "worker-type", "worker-group"], "worker-type"),
    ],
)
def test_a_slip_of_the_keyboard_is_understood(name, known, meant):
    """A letter added, left out, replaced, or exchanged with its neighbor."""
    assert suggest(name, known) == f"; did you mean {meant!r}?"


def test_the_beginning_of_names_is_understood():
    """All names that begin so, at most three of them."""
    flags = ["worker-id", "worker-type", "count", "worker-group", "worker-pool-id"]

    assert suggest("worker-t", flags) == "; did you mean 'worker-type'?"
    assert suggest("work", flags) == (
        "; did you mean 'worker-id' or 'worker-type' or 'worker-group'?"
    )


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("bogus", ["logs", "count"]),
        ("cancelled", STATES),
        ("canceled", STATES),
        ("log", ["top", "help", "doctor"]),
        ("watch", ["graph", "task", "schema"]),
        ("x", ["xy", "z"]),
        ("wo", ["worker-id"]),
        ("", ["a", "ab"]),
        ("jq", ["q", "j"]),
    ],
)
def test_a_name_that_is_not_close_is_not_suggested(name, known):
    """Two of five letters make another word."""
    assert suggest(name, known) == ""


@given(st.sampled_from(EVENTS), st.data())
def test_one_slip_in_an_event_is_always_understood(event, data):
    """A letter left out, doubled, or two exchanged, anywhere."""
    place = data.draw(st.integers(0, len(event) - 2))
    slips = [
        event[:place] + event[place + 1 :],
        event[:place] + event[place] + event[place:],
        event[:place] + event[place + 1] + event[place] + event[place + 2 :],
    ]

    for slip in slips:
        if slip not in EVENTS:
            assert "did you mean" in suggest(slip, EVENTS)
