from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import event, row_of
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.row_filter import MatchingRows, compile_filter
from tcsniff.errors import UsageError

ROWS = {label: row_of(event(label=label)) for label in ("build-a", "test-b", "test-c")}


def filled(labels, **limits):
    store = EventStore(**limits)
    store.add([ROWS[label] for label in labels])
    return store


def found(matching):
    return [matching[index] for index in range(len(matching))]


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("mochitest", True),
        ("MOCHI chrome-3", True),
        ("mochitest firefox", False),
        ("t-linux-large", True),
        ("us-east-1", True),
        ("failed", True),
        ("=payload.runId == `0`", True),
        ("=payload.runId == `1`", False),
        ("=event == 'task-failed'", True),
    ],
)
def test_a_filter_looks_at_what_a_row_shows(text, matches):
    """Words in any order and case; an expression after =, over the record."""
    row = row_of(event("task-failed", label="test/opt-mochitest-browser-chrome-3"))

    assert compile_filter(text)(row, row.label) is matches


def test_a_label_that_another_message_has_is_found():
    """A row is found by what it shows."""
    row = row_of(event(label=""))

    assert compile_filter("build-x")(row, "build-x")


def test_an_invalid_expression_is_an_error():
    """It says what is wrong."""
    with pytest.raises(UsageError, match="filter: "):
        compile_filter("=payload.(")


def test_rows_that_match_are_found_in_order():
    """Old ones and new ones."""
    store = filled(["test-b", "build-a", "test-c"])
    matching = MatchingRows(store, "test")

    matching.update()
    store.add([ROWS["build-a"], ROWS["test-b"]])
    matching.update()

    assert found(matching) == [0, 2, 4]
    assert matching.progress == 1
    assert (matching.find(1), matching.find(2), matching.find(5)) == (1, 1, 3)


def test_a_slow_filter_starts_with_the_newest_rows():
    """Step by step, so that a key is answered in between."""
    store = filled(["test-b"] * 120)
    matching = MatchingRows(store, "test", clock=itertools.count().__next__)

    matching.update()
    first = found(matching)
    shares = [matching.progress]
    while matching.progress < 1:
        matching.update()
        shares.append(matching.progress)

    assert first == list(range(70, 120))
    assert shares == sorted(shares)
    assert found(matching) == list(range(120))


@given(st.lists(st.lists(st.sampled_from(sorted(ROWS)), max_size=6), max_size=12))
def test_a_filter_is_right_while_rows_arrive_and_leave(batches):
    """At any time it has exactly the rows that are kept and match."""
    store = filled(["test-c", "build-a"], max_rows=7)
    matching = MatchingRows(store, "test")
    for batch in batches:
        store.add([ROWS[label] for label in batch])
        matching.update()

        kept = range(store.first, store.end)
        if matching.progress == 1:
            assert found(matching) == [n for n in kept if "test" in store[n].label]
