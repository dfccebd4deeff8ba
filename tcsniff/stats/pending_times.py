"""The times since which the pending runs of a row have been waiting.

Pure.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from tcsniff.stats.histogram import find_bucket, get_bucket_limit


class PendingTimes:
    """Times in seconds since the Unix epoch, in ascending order, 8 bytes each."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times = array("d")

    def __len__(self) -> int:
        """Return the number of times."""
        return len(self._times)

    @property
    def oldest(self) -> float | None:
        """The first time; None if there is none."""
        return self._times[0] if self._times else None

    def add(self, time: float) -> None:
        """Add a time; most are newer than all others."""
        insort(self._times, time)

    def remove(self, time: float) -> None:
        """Remove a time that was added."""
        index = bisect_left(self._times, time)
        if index < len(self._times) and self._times[index] == time:
            del self._times[index]

    def merge(self, other: PendingTimes) -> None:
        """Add all times of another object."""
        self._times = array("d", sorted([*self._times, *other._times]))

    def count_before(self, time: float) -> int:
        """Return the number of times that are earlier."""
        return bisect_left(self._times, time)

    def count_by_bucket(self, now: float) -> Iterator[tuple[int, int]]:
        """Yield how many runs have been waiting for how long, the longest first.

        Args:
            now: Current time.

        Yields:
            A bucket of a `Histogram`, and the number of runs in it.
        """
        first, last = 0, len(self._times)
        while first < last:
            bucket = find_bucket(round(now - self._times[first], 3))
            # All that have been waiting for longer than the bucket before it allows.
            end = last if bucket == 0 else bisect_left(self._times, now - get_bucket_limit(bucket))
            end = max(end, bisect_right(self._times, self._times[first]))
            yield bucket, end - first
            first = end
