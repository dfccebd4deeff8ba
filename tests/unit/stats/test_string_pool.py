from __future__ import annotations

from builders import GROUP, OTHER_TASK, delivery, samples
from tcsniff.stats.memory import StringPool
from tcsniff.taskgraph.tracker import Tracker


def track(deliveries):
    tracker = Tracker()
    for delivered in deliveries:
        tracker.apply(delivered)
    return list(tracker.tasks.values())


def test_a_task_of_shared_strings_is_equal_except_for_its_label():
    """This holds for every field of every run that Mozilla sent."""
    pool = StringPool()
    tasks = track(samples())

    assert len(tasks) > 10
    assert [pool.share_strings(task) for task in tasks] == [
        task._replace(label="") for task in tasks
    ]


def test_equal_strings_are_stored_once():
    """The task group ID, for example."""
    pool = StringPool()
    task, other_task = track([delivery(), delivery(task_id=OTHER_TASK)])
    assert task.status.task_group_id is not other_task.status.task_group_id

    shared, other_shared = pool.share_strings(task), pool.share_strings(other_task)

    assert shared.status.task_group_id == GROUP
    assert shared.status.task_group_id is other_shared.status.task_group_id


def test_the_pool_is_bounded():
    """There are new groups every day."""
    pool = StringPool(20)

    for task in track(delivery(task_id=f"{n}", group=f"group {n}") for n in range(100)):
        pool.share_strings(task)

        assert len(pool) < 40
