"""Deliveries until they are fetched, bounded by their number and their bytes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from builders import delivery
from tcsniff.sources.receive_buffer import MAX_BATCH_BYTES, MAX_BYTES, ReceiveBuffer

MEGABYTE = 1 << 20


def fill(sizes: Sequence[int]) -> ReceiveBuffer:
    """Make a buffer with deliveries of these sizes, tagged from 1."""
    buffer = ReceiveBuffer(lambda: 0.0, 20 * MEGABYTE, print)
    for tag, size in enumerate(sizes, 1):
        buffer.add([tag], [delivery(body=b"x" * size)])
    return buffer


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([], [[]]),
        ([10] * 3, [[1, 2, 3]]),
        ([10] * 12, [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12]]),
        ([15 * MEGABYTE] * 3, [[1], [2], [3]]),
        ([MEGABYTE] * 5, [[1, 2, 3], [4, 5]]),
        ([10, 15 * MEGABYTE, 10], [[1], [2], [3]]),
        ([MAX_BATCH_BYTES + 1, 10], [[1], [2]]),
    ],
)
def test_a_batch_is_bounded_by_number_and_bytes(
    sizes: list[int], batches: list[list[int]]
) -> None:
    """At most 5 deliveries or 4 MB, but always one; all of them, in order, once."""
    buffer = fill(sizes)

    popped = [buffer.pop_batch(5)[1] for _ in batches]

    assert popped == batches
    assert buffer.deliveries == []


def test_a_full_buffer_is_full_until_it_is_fetched() -> None:
    """By bytes, however few deliveries they are."""
    buffer = fill([MAX_BYTES // 2, MAX_BYTES // 2])
    states = [buffer.is_full]
    for _ in range(2):
        buffer.pop_batch(100)
        states.append(buffer.is_full)

    assert states == [True, False, False]


def test_a_buffer_that_lost_its_connection_is_empty() -> None:
    """Its deliveries are returned, and none of their tags counts any more."""
    buffer = fill([MAX_BYTES, 10])

    assert len(buffer.pop_all()) == 2
    assert (buffer.is_full, buffer.last_tag) == (False, 0)
    assert buffer.pop_batch(5) == ([], [], 0)


def test_a_skipped_delivery_is_acknowledged_with_the_batch() -> None:
    """Its tag is the last, although nothing of it is shown."""
    buffer = fill([10])
    buffer.skip(2, delivery(), 99)

    assert buffer.pop_batch(5)[1:] == ([1], 2)
