"""A sketch of durations: percentiles in a fixed amount of memory.

Pure, but for `Sketch`, which remembers. Durations are counted in buckets whose
borders grow by a constant factor, as in DDSketch (https://arxiv.org/abs/1908.10693)
and HdrHistogram. What it tells depends on what was put in, never on the order;
and what was put in can be taken out again.
"""

from __future__ import annotations

import math
from array import array
from itertools import accumulate, compress
from typing import NamedTuple

ERROR = 0.02
"""How far a percentile is off at most, as a part of the true one."""

LEAST, MOST = 0.001, 1e7
"""In seconds: what is shorter counts as 0, what is longer (115 days) as this long."""

_FACTOR = (1 + ERROR) / (1 - ERROR)
_STEP = math.log(_FACTOR)
_LAST = math.ceil(math.log(MOST / LEAST) / _STEP)


class HistogramSummary(NamedTuple):
    """What a sketch tells.

    Attributes:
        number: How many durations there are.
        p50: Half of them are this long at most, in seconds; None if there are none.
        p95: The same of 95 in 100.
        p99: The same of 99 in 100.
        most: The longest.
    """

    number: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    most: float | None = None


NOTHING = HistogramSummary(0)
_PARTS = (0.5, 0.95, 0.99, 1.0)


class Histogram:
    """How many durations there are of about each length.

    Attributes:
        count: How many there are.
        buckets: How many there are in each bucket; empty if there never were any.
    """

    __slots__ = ("buckets", "count")

    def __init__(self) -> None:
        self.count = 0
        self.buckets = array("I")  # filled when needed: many stay empty

    def add(self, bucket: int, number: int = 1) -> None:
        """Put durations in, or take out what was put in.

        Args:
            bucket: Where they belong, by `bucket_of`.
            number: How many; negative to take them out.
        """
        if not self.buckets:
            self.buckets.frombytes(bytes(self.buckets.itemsize * (_LAST + 1)))
        self.buckets[bucket] += number
        self.count += number

    def merge(self, other: Histogram) -> None:
        """Put in all that another one holds."""
        for bucket in compress(range(len(other.buckets)), other.buckets):
            self.add(bucket, other.buckets[bucket])

    def summary(self) -> HistogramSummary:
        """Tell the percentiles, each by the nearest rank, with `ERROR`."""
        if not self.count:
            return NOTHING
        ranks = [max(1, math.ceil(part * self.count)) for part in _PARTS]
        found: list[float] = []
        for bucket, reached in enumerate(accumulate(self.buckets)):
            while reached >= ranks[len(found)]:
                found.append(bucket_length(bucket))
                if len(found) == len(ranks):
                    return HistogramSummary(self.count, *found)
        raise AssertionError(self.count)  # pragma: no cover - the buckets add up to the count


def find_bucket(seconds: float) -> int:
    """Tell in which bucket a duration is counted; one below 0 counts as 0."""
    if seconds < LEAST:
        return 0
    return min(_LAST, max(1, math.ceil(math.log(seconds / LEAST) / _STEP)))


def bucket_length(bucket: int) -> float:
    """Tell the length, in seconds, from which none in the bucket is further than `ERROR`."""
    return 2 * LEAST * _FACTOR**bucket / (_FACTOR + 1) if bucket else 0.0
