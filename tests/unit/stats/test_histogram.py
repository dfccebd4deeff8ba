from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcsniff.stats.histogram import (
    EMPTY_SUMMARY,
    MAX_ERROR,
    MAX_SECONDS,
    MIN_SECONDS,
    Histogram,
    find_bucket,
    get_bucket_seconds,
)

DURATIONS = (
    st.floats(0, MAX_SECONDS)
    | st.floats(0, 1)
    | st.integers(0, 100_000).map(lambda milliseconds: milliseconds / 1000)
)


def build_histogram(durations):
    histogram = Histogram()
    for duration in durations:
        histogram.add(find_bucket(duration))
    return histogram


def nearest_rank(durations, quantile):
    return sorted(durations)[max(1, math.ceil(quantile * len(durations))) - 1]


@given(st.lists(DURATIONS, min_size=1, max_size=200))
def test_percentiles_are_within_the_stated_error(durations):
    """Compared with the exact percentiles, by nearest rank."""
    summary = build_histogram(durations).summarize()

    assert summary.number == len(durations)
    for percentile, quantile in zip(summary[1:], (0.5, 0.95, 0.99, 1.0), strict=True):
        exact = nearest_rank(durations, quantile)
        assert percentile == pytest.approx(exact, rel=MAX_ERROR * 1.000001, abs=MIN_SECONDS)


@given(st.lists(DURATIONS), st.randoms(use_true_random=False))
def test_the_order_of_durations_does_not_matter(durations, random):
    """Percentiles depend on the durations alone."""
    shuffled = random.sample(durations, len(durations))

    assert build_histogram(shuffled).summarize() == build_histogram(durations).summarize()


@given(st.lists(DURATIONS), st.lists(DURATIONS))
def test_durations_can_be_removed(kept, removed):
    """Afterwards it is as if they had never been added, also for the longest one."""
    histogram = build_histogram([*kept, *removed])

    for duration in removed:
        histogram.add(find_bucket(duration), -1)

    assert histogram.summarize() == build_histogram(kept).summarize()


@given(st.lists(DURATIONS), st.lists(DURATIONS))
def test_histograms_can_be_merged(durations, other_durations):
    """The result is that of one histogram with all durations."""
    histogram = build_histogram(durations)

    histogram.merge(build_histogram(other_durations))

    assert histogram.summarize() == build_histogram([*durations, *other_durations]).summarize()


def test_an_empty_histogram_has_no_percentiles():
    """They are None; 0 would be a duration."""
    assert Histogram().summarize() == EMPTY_SUMMARY


@pytest.mark.parametrize(
    ("seconds", "counted"), [(-5.0, 0.0), (0.0, 0.0), (0.0009, 0.0), (1e30, MAX_SECONDS)]
)
def test_durations_outside_the_limits_count_as_the_limits(seconds, counted):
    """Clocks that differ give negative durations, broken clocks years."""
    assert get_bucket_seconds(find_bucket(seconds)) == pytest.approx(counted, rel=2 * MAX_ERROR)


def test_a_histogram_does_not_grow():
    """Ten thousand durations take as much memory as one."""
    small, large = build_histogram([1.0]), build_histogram(range(10_000))

    assert len(small.buckets) == len(large.buckets) < 600
