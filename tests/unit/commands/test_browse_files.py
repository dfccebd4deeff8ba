"""What files of ``--graph`` say about the groups that `browse` opens."""

from __future__ import annotations

import pytest

from builders import GROUP, TASK, delivery
from groups import EVENTS, PLAN, UNKNOWN, made_up, saved
from tcsniff.commands.wiring.browse_files import GraphFiles, read_graph_files
from tcsniff.errors import RecordingError, UsageError
from tcsniff.pulse.addresses import find_address
from tcsniff.simulator.planning import format_task_graph
from tcsniff.taskgraph.group import GroupState


def ignore(_text):
    pass


@pytest.fixture
def answer(tmp_path) -> GraphFiles:
    return read_graph_files([saved(tmp_path / "a.json", PLAN)], ignore)


@pytest.fixture
def task_graph(tmp_path) -> GraphFiles:
    path = tmp_path / "task-graph.json"
    path.write_bytes(format_task_graph([PLAN]))
    return read_graph_files([str(path)], ignore)


def test_an_answer_of_the_queue_completes_its_group(answer):
    """Every task is known, with its dependencies."""
    group = GroupState(PLAN.task_group_id)

    assert answer.add_to(group)
    graph = group.graph()
    assert (len(graph.nodes), graph.is_whole) == (len(PLAN.tasks), True)
    assert any(node.dependencies for node in graph.nodes.values())


def test_an_answer_about_another_group_changes_nothing(answer):
    """The user may look at that one, too."""
    group = GroupState(UNKNOWN)

    assert not answer.add_to(group)
    assert not group.graph().nodes


def test_a_task_graph_is_about_the_group_that_has_its_tasks(task_graph):
    """It does not name the group, but an event does."""
    other, group = GroupState(GROUP), GroupState(PLAN.task_group_id)
    other.apply(delivery())
    before = task_graph.add_to(group)
    for event in EVENTS[:9]:
        group.apply(event)

    assert (before, task_graph.add_to(group), task_graph.add_to(other)) == (False, True, False)
    assert len(group.graph().nodes) == len(PLAN.tasks)
    assert len(other.graph().nodes) == 1


def test_a_task_graph_is_about_the_group_that_is_named(task_graph):
    """Before its first event."""
    group = GroupState(PLAN.task_group_id)

    assert task_graph.name_group(PLAN.task_group_id).add_to(group)
    assert group.graph().nodes


def test_an_answer_says_what_an_id_is(answer):
    """The group, or a task of it; nothing about others."""
    task_id = PLAN.tasks[3].task_id

    found = [answer.find_group(find_address(text)) for text in (PLAN.task_group_id, task_id, TASK)]

    assert [one and (one[0].kind, one[1]) for one in found] == [
        ("group", PLAN.task_group_id),
        ("task", PLAN.task_group_id),
        None,
    ]


def test_a_group_that_is_not_in_the_answer_is_an_error(answer):
    """As for `graph`."""
    with pytest.raises(UsageError, match=f"--graph has task group .*, not {UNKNOWN}"):
        answer.name_group(UNKNOWN)


def test_several_answers_are_each_about_their_group(tmp_path):
    """Tasks of one are not shown in the other."""
    plan, _ = made_up(9, tasks=20)
    paths = [saved(tmp_path / "a.json", PLAN), saved(tmp_path / "b.json", plan)]
    group = GroupState(plan.task_group_id)

    read_graph_files(paths, ignore).add_to(group)

    assert set(group.graph().nodes) == {task.task_id for task in plan.tasks}


def test_a_file_that_is_no_graph_is_named(tmp_path):
    """With what is expected."""
    path = tmp_path / "x.json"
    path.write_text("nonsense")

    with pytest.raises(RecordingError, match=r"x\.json is not a task graph"):
        read_graph_files([str(path)], ignore)
