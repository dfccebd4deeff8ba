from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcsniff.stats.memory import ForgottenTasks, hash_task

ENDED = 1_795_456_800.0


@given(st.lists(st.tuples(st.text(max_size=5), st.integers(1, 50)), max_size=8))
def test_the_last_number_of_a_task_is_remembered(numbers):
    """At least eight tasks fit."""
    forgotten = ForgottenTasks(8)

    for task_id, runs in numbers:
        forgotten.add(hash_task(task_id), runs, ENDED)

    remembered = {task_id: forgotten.get_runs(hash_task(task_id)) for task_id, _ in numbers}
    assert remembered == dict(numbers)


def test_an_unknown_task_has_no_counted_runs():
    """The number is 0."""
    assert ForgottenTasks().get_runs(hash_task("x")) == 0


def test_a_new_task_replaces_the_oldest_of_its_group():
    """The table does not grow."""
    forgotten = ForgottenTasks(8)

    for number in range(20):
        forgotten.add(hash_task(str(number)), number + 1, ENDED)

    remembered = [forgotten.get_runs(hash_task(str(number))) for number in range(20)]
    assert remembered == [0] * 12 + list(range(13, 21))


def test_nearly_all_tasks_fit_into_a_half_full_table():
    """Groups of slots fill unevenly."""
    forgotten = ForgottenTasks(4096)

    for number in range(2048):
        forgotten.add(hash_task(f"task {number}"), 1, ENDED)

    assert sum(forgotten.get_runs(hash_task(f"task {number}")) for number in range(2048)) > 1950


def test_a_large_number_is_cut_off():
    """The queue stops at 50 runs; messages of other programs may not."""
    forgotten = ForgottenTasks()

    forgotten.add(hash_task("x"), 100_000, ENDED)

    assert forgotten.get_runs(hash_task("x")) == 255
