"""Graph files: what each kind of them tells, together and on its own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from builders import GROUP, OTHER_TASK, TASK
from queue_server import content
from tcsniff.errors import RecordingError
from tcsniff.simulator.planning import Plan, format_task_graph
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.sources.file_chunks import read_whole
from tcsniff.taskgraph.definitions import Definition, TaskGroupInfo, parse_page
from tcsniff.taskgraph.graph_files import GraphFile, parse_graph_files

CACHED = "G41B6K1FS32lQTjXgb4J2w"  # of another group


def entry(label: str, **details: Any) -> dict[str, Any]:
    """Make an entry of taskgraph's."""
    made = {"kind": "build", "label": label, "attributes": {"kind": "build"}, "dependencies": {}}
    return {**made, "task": {"metadata": {"name": label}, "tags": {}}, **details}


def member(task_id: str, **task: Any) -> dict[str, Any]:
    """Make a task of a group, as the queue tells it."""
    return {"status": {"taskId": task_id, "state": "unscheduled", "runs": []}, "task": task}


def grouped_member(task_id: str) -> dict[str, Any]:
    """Make a task of a group that names its group, as the queue's do."""
    made = member(task_id)
    return {**made, "status": {**made["status"], "taskGroupId": GROUP}}


def page(*members: dict[str, Any], **more: Any) -> bytes:
    """Make an answer of ``listTaskGroup``."""
    return orjson.dumps({"taskGroupId": GROUP, "tasks": members, **more})


def read(*texts: object) -> GraphFile:
    """Read files: bytes as they are, the rest as JSON."""
    return parse_graph_files(
        (f"file-{number}", text if isinstance(text, bytes) else orjson.dumps(text))
        for number, text in enumerate(texts)
    )


def edges(graph: GraphFile) -> dict[str, tuple[str, ...]]:
    return {one.task_id: one.dependencies for one in graph.definitions}


def planned(plan: Plan) -> list[Definition]:
    return [
        Definition(
            one.task_id,
            one.label,
            one.kind,
            one.dependencies,
            one.requires,
            f"{one.provisioner_id}/{one.worker_type}",
            one.priority,
            one.routes,
        )
        for one in plan.tasks
    ]


def test_a_graph_that_was_written_reads_back() -> None:
    """Two groups in one file, with names, kinds, pools and what they ask for."""
    groups = list(plan_groups(seed=5, tasks=90, groups=2))

    found = read(format_task_graph(groups))

    assert list(found.definitions) == [one for group in groups for one in planned(group)]


def test_answers_of_the_queue_tell_definitions_and_statuses() -> None:
    """In one file or in several, as an array of pages or one a line."""
    plan = next(plan_groups(seed=5, tasks=60))
    heard = [delivery for _, delivery in simulate(seed=5, start=0, groups=1)]
    known = content(plan, heard)
    pages = known.pages(25)
    lines = b"\n".join(map(orjson.dumps, pages)) + b"\n"

    read_in = [read(known.pages(1000)[0]), read(pages), read(lines), read(*pages)]

    for found in read_in:
        assert sorted(found.definitions) == sorted(planned(plan))
        assert [orjson.loads(one) for one in found.statuses] == [
            one.status for one in known.members
        ]
        assert found.groups == (
            TaskGroupInfo(
                plan.task_group_id, plan.scheduler_id, expires="2026-11-23T18:00:00.000Z"
            ),
        )


def test_statuses_keep_their_bytes() -> None:
    """What the queue said is handed on as it came, so that nothing is lost in numbers."""
    text = b'{"taskGroupId":"g","tasks":[{"status":{"taskId":"a", "n":1.50},"task":{}}]}'

    assert parse_page(text).statuses == (b'{"taskId":"a", "n":1.50}',)


@pytest.mark.parametrize("swapped", [False, True])
def test_labels_find_their_ids_in_the_other_file(swapped: bool) -> None:
    """In any order; what was optimised away is left out, and so is what leads through it."""
    graph = {
        "a": entry("a"),
        "gone": entry("gone", dependencies={"x": "a"}),
        "b": entry("b", dependencies={"x": "a", "y": "gone"}, soft_dependencies=["c", "gone"]),
        "c": entry("c"),
    }
    files = [graph, {"a": "id-a", "b": "id-b", "c": "id-c"}]

    found = read(*(reversed(files) if swapped else files))

    assert edges(found) == {"id-a": (), "id-b": ("id-a", "id-c"), "id-c": ()}


def test_dependencies_may_lead_anywhere() -> None:
    """To tasks that are in no file, in circles, and to oneself; each is told once."""
    graph = {
        TASK: entry(
            "a",
            task_id=TASK,
            dependencies={"x": OTHER_TASK},
            task={"dependencies": [OTHER_TASK, CACHED, {"artifact-reference": "<x/y>"}]},
        ),
        OTHER_TASK: entry("b", task_id=OTHER_TASK, dependencies={"x": TASK, "y": OTHER_TASK}),
    }

    assert edges(read(graph)) == {TASK: (OTHER_TASK, CACHED), OTHER_TASK: (TASK, OTHER_TASK)}


def test_the_queue_goes_before_taskgraph() -> None:
    """As it alone knows which tasks wait for the decision task."""
    graph = {TASK: entry("planned", task_id=TASK)}
    created = page(member(TASK, metadata={"name": "created"}, dependencies=[GROUP]))

    found = read(created, graph)

    assert found.definitions == (Definition(TASK, "created", dependencies=(GROUP,)),)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({}, Definition(TASK, TASK)),
        ({"tags": {"label": "b"}}, Definition(TASK, "b")),
        ({"tags": {"label": "b"}, "metadata": {"name": "a"}}, Definition(TASK, "a")),
        ({"tags": {"kind": "test"}}, Definition(TASK, TASK, "test")),
        ({"taskQueueId": "p/w"}, Definition(TASK, TASK, pool="p/w")),
        ({"provisionerId": "p", "workerType": "w"}, Definition(TASK, TASK, pool="p/w")),
        ({"requires": "all-resolved"}, Definition(TASK, TASK, requires="all-resolved")),
        ({"tags": None, "metadata": None, "dependencies": None}, Definition(TASK, TASK)),
    ],
)
def test_a_task_is_called_by_the_best_name_there_is(
    task: dict[str, Any], expected: Definition
) -> None:
    """What is not told is left empty."""
    assert parse_page(page(member(TASK, **task))).definitions == (expected,)


def test_an_incomplete_list_is_noted() -> None:
    """Who saved only the first of several pages is told so."""
    first, last = page(member(TASK), continuationToken="t"), page(member(OTHER_TASK))

    assert read(first).notes == (
        "file-0: the task group has another page, which is not in this file",
    )
    assert read(b"[" + first + b"," + last + b"]").notes == ()


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_pages_in_several_files_complete_each_other(order: list[int]) -> None:
    """In any order; without the last one the group is not whole."""
    pages = [
        page(member(TASK), continuationToken="a"),
        page(member(OTHER_TASK), continuationToken="b"),
        page(member(GROUP)),
    ]
    known = read(*(pages[number] for number in order))

    assert (known.notes, known.whole) == ((), {GROUP})
    assert {one.task_id for one in known.definitions} == {TASK, OTHER_TASK, GROUP}
    assert len(known.statuses) == 3
    assert read(*pages[:2]).whole == frozenset()
    assert len(read(*pages[:2]).notes) == 2


@pytest.mark.parametrize("separator", [b"array", b"\n", b"\r\n"])
def test_tasks_are_read_without_the_answer_around_them(separator: bytes) -> None:
    """As `jq .tasks` and `jq -c '.tasks[]'` save them: an array, or one object a line."""
    tasks = [orjson.dumps(grouped_member(one)) for one in (TASK, GROUP)]
    text = b"[" + b",".join(tasks) + b"]" if separator == b"array" else separator.join(tasks)

    known = read(text)

    assert [one.task_id for one in known.definitions] == [TASK, GROUP]
    assert [group.task_group_id for group in known.groups] == [GROUP]
    assert (known.whole, known.notes, len(known.statuses)) == ({GROUP}, (), 2)


def test_tasks_that_fill_a_page_may_not_be_all() -> None:
    """A list of 1,000 is what `jq .tasks` leaves of the first of several pages."""
    assert read([grouped_member(TASK)] * 1_000).whole == frozenset()
    assert read([grouped_member(TASK)] * 1_001).whole == {GROUP}


def test_a_long_chain_is_no_deep_matter() -> None:
    """Nothing here goes down a graph."""
    graph = {
        f"t{number}": entry(
            str(number), task_id=f"t{number}", dependencies={"x": f"t{number + 1}"}
        )
        for number in range(5_000)
    }

    assert len(read(graph).definitions) == 5_000


def test_an_empty_graph_is_one() -> None:
    """A push may need no task at all."""
    assert read({}).definitions == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html>", "it starts with '<!DOCTYPE html>'"),
        (b"\x00\xff\x1b[2J", "it starts with "),
        (b'{"a": {"label": "a"', "Input data was truncated"),
        (b'{"a": {"label": "a"}}', "at 'a': Object missing required field `task`"),
        (b'{"a": {"label": "a", "task": {"tags": {"kind": 1}}}}', "at 'a': Expected `str"),
        (b'["build-linux64/opt"]', "Expected `object`, got `str`"),
        (b'{"taskGroupId": "g", "tasks": [{"task": {}}]}', "missing required field `status`"),
        (b'{"taskGroupId": "g", "tasks": [{"status": {}, "task": {}}]}', "`taskId`"),
        (b'{"taskGroupId": "g", "tasks": []}\n{"tasks": 1}\n', "page 2: "),
        (
            b'{"code": "ResourceNotFound", "message": "no such"}',
            'error message of the queue: "no such"',
        ),
        (b"[" * 100_000, ""),
        (b'{"a":' * 100_000, ""),
        (b'{"a": {"label": "\xff", "task": {}}}', ""),
    ],
)
def test_what_is_no_graph_is_told(text: bytes, reason: str) -> None:
    """With the file, what is wrong with it, and what would be right."""
    with pytest.raises(RecordingError) as told:
        parse_graph_files([("some.json", text)])

    assert str(told.value).startswith("some.json is not a task graph: ")
    assert reason in str(told.value)
    assert "task-graph.json" in str(told.value)
    assert told.value.exit_status == 6


def test_a_half_of_two_files_asks_for_the_other() -> None:
    """Labels without ids are of no use, nor the other way round."""
    with pytest.raises(RecordingError, match=r"file-0 .*add label-to-taskid\.json"):
        read({"a": entry("a")})
    with pytest.raises(RecordingError, match=r"add full-task-graph\.json"):
        read({"a": "id-a"})


def test_files_may_be_compressed(tmp_path: Path) -> None:
    """As artifacts of Taskcluster are on their way; and with a byte order mark."""
    path = tmp_path / "task-graph.json.gz"
    plan = next(plan_groups(seed=5))
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + format_task_graph([plan])))

    found = parse_graph_files([(str(path), read_whole(str(path), print))])

    assert list(found.definitions) == planned(plan)


def test_a_file_that_is_too_large_is_not_taken_in(tmp_path: Path) -> None:
    """A small one that would unpack to more than fits, above all."""
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(8 << 20)))

    with pytest.raises(RecordingError, match="larger than 4 MiB"):
        read_whole(str(path), print, max_bytes=4 << 20)


def test_a_missing_file_is_told() -> None:
    """Or one that is a folder."""
    with pytest.raises(RecordingError, match="No such file"):
        read_whole("/nowhere/task-graph.json", print)
    with pytest.raises(RecordingError, match="directory"):
        read_whole("/", print)


def test_indented_json_is_as_good() -> None:
    """As people save it."""
    graph = {TASK: entry("a", task_id=TASK)}

    assert edges(read(json.dumps(graph, indent=4).encode())) == {TASK: ()}
