"""Times of tasks, with their first and their last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcsniff.taskgraph.moments import Moments

IDS = st.sampled_from("abcd")
CHANGES = st.lists(st.tuples(IDS, st.none() | st.integers(0, 3).map(float)))


@given(changes=CHANGES)
def test_the_first_and_the_last_are_those_that_a_search_finds(changes):
    """After each change, and in copies, which then change for themselves."""
    moments, copied = Moments(), Moments()
    for task_id, time in changes:
        moments.remove(task_id)
        if time is not None:
            moments.put(task_id, time)

        pairs = [(when, task_id) for task_id, when in moments.items()]
        assert moments.find_first() == min(pairs, default=None)
        assert moments.find_last() == max(pairs, default=None)
        assert copied.find_last() == max(((when, it) for it, when in copied.items()), default=None)
        copied = moments.copy()
