from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcsniff.stats.counters import ForgottenTasks


@given(st.lists(st.tuples(st.text(max_size=5), st.integers(1, 50)), max_size=8))
def test_the_last_word_on_a_task_is_remembered(told):
    """As many as share a row, at least."""
    forgotten = ForgottenTasks(8)

    for name, runs in told:
        forgotten.add(name, runs)

    assert {name: forgotten.runs(name) for name, _ in told} == dict(told)


def test_what_was_never_told_is_not_remembered():
    """Of nobody, 0 runs are known."""
    assert ForgottenTasks().runs("x") == 0


def test_the_oldest_of_a_row_makes_room():
    """So that the memory stays as it is."""
    forgotten = ForgottenTasks(8)

    for number in range(20):
        forgotten.add(str(number), number + 1)

    assert [forgotten.runs(str(number)) for number in range(20)] == [0] * 12 + list(range(13, 21))


def test_most_of_as_many_as_have_room_are_remembered():
    """Rows fill unevenly: of half as many as have room, nearly all."""
    forgotten = ForgottenTasks(4096)

    for number in range(2048):
        forgotten.add(f"task {number}", 1)

    assert sum(forgotten.runs(f"task {number}") for number in range(2048)) > 1950


def test_a_number_without_measure_is_cut():
    """The queue stops at 50; a stranger may not."""
    forgotten = ForgottenTasks()

    forgotten.add("x", 100_000)

    assert forgotten.runs("x") == 255
