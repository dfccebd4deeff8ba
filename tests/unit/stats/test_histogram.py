from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcsniff.stats.histogram import (
    ERROR,
    LEAST,
    MOST,
    NOTHING,
    Histogram,
    bucket_length,
    find_bucket,
)

LENGTHS = st.floats(0, MOST) | st.floats(0, 1) | st.integers(0, 100_000).map(lambda ms: ms / 1000)


def sketch_of(lengths):
    sketch = Histogram()
    for length in lengths:
        sketch.add(find_bucket(length))
    return sketch


def nearest_rank(lengths, part):
    return sorted(lengths)[max(1, math.ceil(part * len(lengths))) - 1]


@given(st.lists(LENGTHS, min_size=1, max_size=200))
def test_percentiles_are_off_by_the_stated_error_at_most(lengths):
    """Against the exact ones, by the same rule."""
    summary = sketch_of(lengths).summary()

    assert summary.number == len(lengths)
    for told, part in zip(summary[1:], (0.5, 0.95, 0.99, 1.0), strict=True):
        true = nearest_rank(lengths, part)
        assert told == pytest.approx(true, rel=ERROR * 1.000001, abs=LEAST)


@given(st.lists(LENGTHS), st.randoms(use_true_random=False))
def test_no_order_changes_a_sketch(lengths, random):
    """What it tells is a function of what is in it."""
    shuffled = random.sample(lengths, len(lengths))

    assert sketch_of(shuffled).summary() == sketch_of(lengths).summary()


@given(st.lists(LENGTHS), st.lists(LENGTHS))
def test_what_was_put_in_can_be_taken_out(stay, go):
    """As if it had never been there, the longest one too."""
    sketch = sketch_of([*stay, *go])

    for length in go:
        sketch.add(find_bucket(length), -1)

    assert sketch.summary() == sketch_of(stay).summary()


@given(st.lists(LENGTHS), st.lists(LENGTHS))
def test_sketches_can_be_put_together(some, others):
    """As if all had been put into one."""
    sketch = sketch_of(some)

    sketch.merge(sketch_of(others))

    assert sketch.summary() == sketch_of([*some, *others]).summary()


def test_an_empty_sketch_tells_nothing():
    """Rather than 0, which would be a time."""
    assert Histogram().summary() == NOTHING


@pytest.mark.parametrize(
    ("seconds", "told"), [(-5.0, 0.0), (0.0, 0.0), (0.0009, 0.0), (1e30, MOST)]
)
def test_lengths_beyond_the_ends_count_as_the_ends(seconds, told):
    """Clocks that differ give times below 0, broken ones years."""
    assert bucket_length(find_bucket(seconds)) == pytest.approx(told, rel=2 * ERROR)


def test_a_sketch_takes_the_same_room_however_much_is_in_it():
    """That is what it is for."""
    few, many = sketch_of([1.0]), sketch_of(range(10_000))

    assert len(few.buckets) == len(many.buckets) < 600
