"""A histogram of durations that gives percentiles in a fixed amount of memory.

Pure. The bounds of the buckets grow by a constant factor, as in DDSketch
(https://arxiv.org/abs/1908.10693) and HdrHistogram. The percentiles depend on the
durations alone, not on their order, and durations can be removed again.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate, compress
from typing import NamedTuple

MAX_ERROR = 0.02
"""Largest relative error of a percentile."""

MIN_SECONDS, MAX_SECONDS = 0.001, 1e7
"""Shorter durations count as 0, longer ones (115 days) as the maximum."""

_FACTOR = (1 + MAX_ERROR) / (1 - MAX_ERROR)
_LOG_FACTOR = math.log(_FACTOR)
_LAST_BUCKET = math.ceil(math.log(MAX_SECONDS / MIN_SECONDS) / _LOG_FACTOR)


class HistogramSummary(NamedTuple):
    """Percentiles of a histogram, in seconds; None if it is empty.

    Attributes:
        number: Number of durations.
        p50: The median.
        p95: The 95th percentile.
        p99: The 99th percentile.
        longest: The longest duration.
    """

    number: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    longest: float | None = None


EMPTY_SUMMARY = HistogramSummary(0)
_QUANTILES = (0.5, 0.95, 0.99, 1.0)


class Histogram:
    """Numbers of durations by bucket.

    Attributes:
        count: Number of durations.
        buckets: Number of durations in each bucket; an empty array until the first `add`.
    """

    __slots__ = ("buckets", "count")

    def __init__(self) -> None:
        self.count = 0
        self.buckets = array("I")  # allocated by the first `add`: many histograms stay empty

    def add(self, bucket: int, number: int = 1) -> None:
        """Add durations to a bucket, or remove them if the number is negative."""
        if not self.buckets:
            self.buckets = _make_buckets()
        self.buckets[bucket] += number
        self.count += number

    def merge(self, other: Histogram) -> None:
        """Add all durations of another histogram."""
        for bucket in compress(range(len(other.buckets)), other.buckets):
            self.add(bucket, other.buckets[bucket])

    def summarize(self, others: Iterable[tuple[int, int]] = ()) -> HistogramSummary:
        """Return the percentiles, by nearest rank.

        Args:
            others: Further durations that count as if they had been added: pairs of
                bucket and number.
        """
        buckets, count = self.buckets, self.count
        for bucket, number in others:
            if buckets is self.buckets:
                buckets = self.buckets[:] if self.buckets else _make_buckets()
            buckets[bucket] += number
            count += number
        if not count:
            return EMPTY_SUMMARY
        cumulative = list(accumulate(buckets))
        ranks = (max(1, math.ceil(quantile * count)) for quantile in _QUANTILES)
        percentiles = (get_bucket_seconds(bisect_left(cumulative, rank)) for rank in ranks)
        return HistogramSummary(count, *percentiles)


def _make_buckets() -> array[int]:
    return array("I", bytes(array("I").itemsize * (_LAST_BUCKET + 1)))


def find_bucket(seconds: float) -> int:
    """Return the bucket of a duration; negative durations count as 0."""
    if seconds < MIN_SECONDS:
        return 0
    return min(_LAST_BUCKET, max(1, math.ceil(math.log(seconds / MIN_SECONDS) / _LOG_FACTOR)))


def get_bucket_limit(bucket: int) -> float:
    """Return the longest duration that belongs to the bucket before this one."""
    return MIN_SECONDS * _FACTOR ** (bucket - 1)


def get_bucket_seconds(bucket: int) -> float:
    """Return the duration that is within `MAX_ERROR` of all durations in a bucket."""
    return 2 * MIN_SECONDS * _FACTOR**bucket / (_FACTOR + 1) if bucket else 0.0
