from __future__ import annotations

from builders import GROUP, OTHER_TASK, delivery, samples
from tcsniff.stats.counters import StringPool
from tcsniff.taskgraph.tracker import Tracker


def tasks_of(deliveries):
    tracker = Tracker()
    for one in deliveries:
        tracker.apply(one)
    return list(tracker.tasks.values())


def test_a_slim_task_is_equal_but_for_its_label():
    """Of what Mozilla sent, every field of every run."""
    shared = StringPool()
    tasks = tasks_of(samples())

    assert len(tasks) > 10
    assert [shared.slim(task) for task in tasks] == [task._replace(label="") for task in tasks]


def test_what_tasks_have_in_common_is_there_once():
    """The group's id, for one."""
    shared = StringPool()
    one, other = tasks_of([delivery(), delivery(task_id=OTHER_TASK)])
    assert one.status.task_group_id is not other.status.task_group_id

    slim, slimmer = shared.slim(one), shared.slim(other)

    assert slim.status.task_group_id == GROUP
    assert slim.status.task_group_id is slimmer.status.task_group_id


def test_not_everything_is_remembered_for_ever():
    """There are new groups every day."""
    shared = StringPool(20)

    for task in tasks_of(delivery(task_id=f"{n}", group=f"group {n}") for n in range(100)):
        shared.slim(task)

        assert len(shared) < 40
