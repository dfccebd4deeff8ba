"""``tcsniff task`` as a process: the queue's API, recordings, files, the demo and terminals."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from builders import OTHER_TASK, TASK, delivery
from groups import EVENTS, PLAN, UNKNOWN, objects, recorded, saved
from queue_server import Content, Json, Member, QueueServer, content
from running import Running, Terminal, finished
from tcsniff.simulator.planning import PlannedTask
from tcsniff.taskgraph.tracker import RESOLVED

END = content(PLAN, EVENTS)
STATES = {member.status["taskId"]: member.status["state"] for member in END.members}
DONE = next(task for task in PLAN.tasks if STATES[task.task_id] == "completed")
FAILED = next(task for task in PLAN.tasks if STATES[task.task_id] == "failed")


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer(END) as running:
        yield running


def task(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return finished("task", *words, stdin=stdin)


def asked(server: QueueServer, *words: str) -> subprocess.CompletedProcess[str]:
    return task("--no-wait", "--root-url", server.url, *words)


def summaries(text: str) -> list[dict[str, Any]]:
    return [line["summary"] for line in objects(text) if "summary" in line]


def after(number: int) -> Content:
    """What the queue knows after some of the messages."""
    return content(PLAN, EVENTS[:number])


def when(planned: PlannedTask, state: str) -> Content:
    """What the queue knows when a task first has a state."""
    for number in range(len(EVENTS)):
        status = orjson.loads(EVENTS[number].body).get("status") or {}
        if (status.get("taskId"), status.get("state")) == (planned.task_id, state):
            return after(number + 1)
    raise AssertionError(state)


# The queue's API, once.


def test_a_task_that_completed_is_0(server: QueueServer) -> None:
    """Its name, its facts and its runs are the queue's."""
    done = asked(server, DONE.task_id)

    [summary] = summaries(done.stdout)
    status = next(one.status for one in END.members if one.status["taskId"] == DONE.task_id)
    assert (done.returncode, done.stderr) == (0, "")
    assert (summary["exitStatus"], summary["state"], summary["unknown"]) == (0, "completed", [])
    assert (summary["label"], summary["taskGroupId"]) == (DONE.label, PLAN.task_group_id)
    assert (summary["priority"], summary["routes"]) == (DONE.priority, list(DONE.routes))
    assert [run["worker"] for run in summary["runs"]] == [
        f"{run['workerGroup']} {run['workerId']}" for run in status["runs"]
    ]


def test_a_task_that_failed_is_10_and_shows_the_end_of_its_log(server: QueueServer) -> None:
    """In a pipe as fields, who needs it among them."""
    status = next(one.status for one in END.members if one.status["taskId"] == FAILED.task_id)
    run = len(status["runs"]) - 1
    name = f"/api/queue/v1/task/{FAILED.task_id}/runs/{run}/artifacts/public/logs/live_backing.log"
    server.artifacts[name] = b"one\n\x1b[31mtwo\x1b[0m\nthree\n"

    done = asked(server, FAILED.task_id, "--logs=2")

    [summary] = summaries(done.stdout)
    assert (done.returncode, summary["exitStatus"]) == (10, 10)
    assert summary["logLines"] == ["two", "three"]
    assert summary["log"].startswith(server.url)
    stuck = [one["taskId"] for one in summary["neededBy"] if not one["canRun"]]
    assert set(stuck) <= {one.task_id for one in PLAN.tasks}


def test_a_pending_task_says_how_many_others_wait(server: QueueServer) -> None:
    """In its pool, by the queue's count."""
    server.groups[PLAN.task_group_id] = when(DONE, "pending")
    pool = f"{DONE.provisioner_id}/{DONE.worker_type}"
    server.counts[pool] = (35, 0)

    done = asked(server, DONE.task_id)

    [summary] = summaries(done.stdout)
    assert (done.returncode, summary["verdict"]) == (12, "pending")
    assert f"34 others are pending and none running on {pool}" in summary["text"]
    assert (summary["poolState"]["pending"], summary["poolState"]["running"]) == (35, 0)


def test_a_task_that_waits_for_another_group_says_so(server: QueueServer) -> None:
    """The other task is asked for: its name, its state, and whether it can still complete."""
    status: Json = {"taskId": TASK, "taskGroupId": UNKNOWN, "state": "unscheduled", "runs": []}
    definition = {"dependencies": [FAILED.task_id], "metadata": {"name": "outside"}}
    group = {"taskGroupId": UNKNOWN, "schedulerId": "s", "expires": "2030-01-01T00:00:00Z"}
    server.groups[UNKNOWN] = Content(group, [Member(status, definition)])

    done = asked(server, TASK)

    [summary] = summaries(done.stdout)
    assert (done.returncode, summary["verdict"]) == (12, "stuck")
    assert summary["causes"] == [FAILED.task_id]
    assert [(one["label"], one["state"]) for one in summary["waitsFor"]] == [
        (FAILED.label, "failed")
    ]
    assert summary["text"] == f"can never run: {FAILED.label} failed"


def test_several_tasks_have_the_status_of_the_worst(server: QueueServer) -> None:
    """Each has its summary, in the user's order, with the status of the process."""
    done = asked(server, DONE.task_id, FAILED.task_id, DONE.task_id)

    found = summaries(done.stdout)
    assert [one["taskId"] for one in found] == [DONE.task_id, FAILED.task_id]
    assert (done.returncode, {one["exitStatus"] for one in found}) == (10, {10})


def test_an_unknown_task_is_4(server: QueueServer) -> None:
    """Alone, and among others that completed; not among those that failed."""
    alone, among = asked(server, UNKNOWN), asked(server, DONE.task_id, UNKNOWN)
    worse = asked(server, FAILED.task_id, UNKNOWN, "--logs=0")

    assert (alone.returncode, alone.stdout) == (4, "")
    assert f"{server.url} has no task {UNKNOWN}" in alone.stderr
    assert (among.returncode, {one["exitStatus"] for one in summaries(among.stdout)}) == (4, {4})
    assert UNKNOWN in among.stderr
    assert worse.returncode == 10


def test_a_task_group_is_told_from_a_task(server: QueueServer) -> None:
    """By its ID at the queue, and by its address at once."""
    server.groups[UNKNOWN] = Content({"taskGroupId": UNKNOWN}, [])
    by_id = asked(server, UNKNOWN)
    by_address = task(f"https://tc.example.com/tasks/groups/{UNKNOWN}")

    assert (by_id.returncode, by_address.returncode) == (2, 2)
    assert f"tcsniff graph {UNKNOWN}" in by_id.stderr
    assert f"tcsniff graph {UNKNOWN}" in by_address.stderr


@pytest.mark.parametrize(
    "address",
    ["{url}/tasks/{task}", "{url}/tasks/{task}/runs/0/logs/live/public/logs/live.log"],
)
def test_an_address_names_task_and_deployment(server: QueueServer, address: str) -> None:
    """Of a task, a run, a log or an artifact."""
    text = address.format(url=server.url, task=DONE.task_id)

    done = task("--no-wait", text)

    assert (done.returncode, summaries(done.stdout)[0]["taskId"]) == (0, DONE.task_id)


@pytest.mark.parametrize("status", [403, 500])
def test_a_queue_that_does_not_answer_never_gives_0(server: QueueServer, status: int) -> None:
    """Refused is 4, a failure is 3; nothing is printed as data."""
    server.status = status

    done = asked(server, DONE.task_id)

    assert (done.returncode, done.stdout) == (4 if status == 403 else 3, "")


def test_an_answer_that_is_not_valid_is_12(server: QueueServer) -> None:
    """It is said what is not known."""
    server.groups[PLAN.task_group_id] = Content(
        END.group,
        [
            Member({**one.status, "runs": 7}, one.task)
            if one.status["taskId"] == DONE.task_id
            else one
            for one in END.members
        ],
    )

    done = asked(server, DONE.task_id)

    assert done.returncode == 12
    assert "could not be decoded" in done.stderr


# Recordings and files.


def test_a_recording_gives_changes_and_a_summary(tmp_path: Path) -> None:
    """Of the named task alone."""
    path = recorded(tmp_path / "a.jsonl", EVENTS)

    done = task(FAILED.task_id, "--from", path)

    *changes, last = objects(done.stdout)
    assert {one["taskId"] for one in changes} == {FAILED.task_id}
    assert [one["state"] for one in changes][-1] == "failed"
    assert (done.returncode, last["summary"]["exitStatus"]) == (10, 10)
    assert (last["summary"]["waitsFor"], last["summary"]["routes"]) == (None, list(FAILED.routes))


def test_a_graph_file_gives_names_and_dependencies(tmp_path: Path) -> None:
    """Then dependencies have their states from the recording, too."""
    path = recorded(tmp_path / "a.jsonl", EVENTS)
    graph = saved(tmp_path / "graph.json", PLAN)

    [summary] = summaries(task(DONE.task_id, "--from", path, "--graph", graph).stdout)

    assert summary["label"] == DONE.label
    assert [one["taskId"] for one in summary["waitsFor"]] == list(DONE.dependencies)
    assert {one["state"] for one in summary["waitsFor"]} <= RESOLVED


def test_saved_answers_need_no_network(tmp_path: Path) -> None:
    """With --no-wait, states are from the file."""
    graph = saved(tmp_path / "graph.json", PLAN, EVENTS)

    done = task(DONE.task_id, "--graph", graph, "--no-wait")

    assert (done.returncode, summaries(done.stdout)[0]["state"]) == (0, "completed")


def test_a_recording_without_the_task_is_an_error(tmp_path: Path) -> None:
    """It says so, and names what else the ID could be."""
    path = recorded(tmp_path / "a.jsonl", EVENTS)

    done = task(UNKNOWN, "--from", path)

    assert (done.returncode, done.stdout) == (6, "")
    assert f"no event about task {UNKNOWN}; for a task group: tcsniff graph ID" in done.stderr


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([delivery("task-completed")], 0),
        ([delivery("task-running")], 12),
        ([delivery("task-exception", retried=True)], 12),
        ([delivery("task-exception")], 11),
        ([delivery("task-completed"), delivery("task-pending", run=1)], 12),
        ([delivery("task-completed"), delivery("task-exception")._replace(body=b"\xff")], 12),
        ([delivery("task-completed", task_id=OTHER_TASK), delivery("task-completed")], 0),
    ],
)
def test_the_status_is_what_became_of_the_task(
    tmp_path: Path, events: list[Any], status: int
) -> None:
    """A retry and a rerun are not an end; what can't be decoded never gives 0."""
    path = recorded(tmp_path / "a.jsonl", events)

    done = task(TASK, "--from", path)

    assert (done.returncode, summaries(done.stdout)[0]["exitStatus"]) == (status, status)


def test_a_line_that_is_not_a_record_never_gives_0(tmp_path: Path) -> None:
    """It may have been about the task."""
    path = Path(recorded(tmp_path / "a.jsonl", [delivery("task-completed")]))
    path.write_bytes(path.read_bytes() + b"no record\n")

    done = task(TASK, "--from", str(path))

    assert done.returncode == 12
    assert "lines of the recording are not records" in done.stderr


def test_lines_are_for_people(tmp_path: Path) -> None:
    """A line for each change, and then the story."""
    path = recorded(tmp_path / "a.jsonl", EVENTS)
    graph = saved(tmp_path / "graph.json", PLAN)

    done = task(FAILED.task_id, "--from", path, "--graph", graph, "-o", "lines", "--utc")

    assert f"task {FAILED.task_id}   {FAILED.label}" in done.stdout
    assert "\nrun 0   " in done.stdout
    assert "\n  tc-treeherder" in done.stdout or "\nroutes tc-treeherder" in done.stdout


# The demo, and terminals.


def test_the_demo_shows_a_task_of_its_own() -> None:
    """The same for the same seed, with its dependencies."""
    first, second = (task("--demo", "--seed", "4") for _ in range(2))

    [summary] = summaries(first.stdout)
    assert first.stdout == second.stdout
    assert (first.returncode, summary["exitStatus"]) == (0, 0)
    assert all(one["label"] for one in summary["waitsFor"])


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 40), (30, 8)])
def test_the_live_picture_fits_the_terminal(columns: int, lines: int) -> None:
    """From its name to its end, which stays on the screen."""
    words = ("task", "--demo", "--seed", "4", "--utc")
    with Terminal(*words, columns=columns, lines=lines) as terminal:
        status = terminal.status()
        rows = terminal.shows(lambda rows: any("run 0" in row for row in rows))

    assert status == 0
    assert any("✔ completed" in row for row in rows)


def test_a_page_on_a_terminal_has_all_tasks(server: QueueServer) -> None:
    """With --no-wait it is printed once, as long as it is, as wide as the screen."""
    ids = [one.task_id for one in PLAN.tasks if not one.task_id.startswith("-")]
    with Terminal("task", *ids, "--no-wait", "--root-url", server.url, "--logs=0") as terminal:
        status = terminal.status()

    assert status == 10
    assert all(one.encode() in terminal.written for one in ids)


def test_a_picture_is_saved(tmp_path: Path) -> None:
    """Whatever the output is."""
    path = tmp_path / "task.svg"

    task("--demo", "--seed", "4", "--save-svg", str(path))

    assert "build-linux64/opt" in path.read_text(encoding="utf-8")


# Wrong usage.


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "missing task ID"),
        (("x",), "'x' is not a task ID (22 characters, like fN1SbArXTPSVFNUvaOlinQ)"),
        (
            (f"https://a.example/tasks/{TASK}", f"https://b.example/tasks/{TASK}"),
            "these are addresses of different deployments",
        ),
        ((TASK, "--no-wait", "--no-api"), "--no-wait needs a source"),
        ((TASK, "--demo", "--from", "x"), "--demo and --from both name a source"),
        ((TASK, "--json", "-o", "lines"), "--json and -o lines contradict each other"),
        (
            ("--queue", "x", "--delete-queue", TASK, "--broker", "amqp://a:b@127.0.0.1:1/"),
            "--delete-queue works with `tcsniff sniff`",
        ),
    ],
)
def test_wrong_usage_is_2(words: tuple[str, ...], text: str) -> None:
    """Before anything connects."""
    done = task(*words)

    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr


def test_a_signal_ends_it_with_a_summary(tmp_path: Path) -> None:
    """The summary has the status of the process."""
    path = recorded(tmp_path / "a.jsonl", [delivery("task-running")])
    with Running("task", TASK, "--from", path, "--follow") as running:
        running.lines(1)
        running.process.terminate()
        status = running.status()
        *_, last = running.lines(2)

    assert (status, json.loads(last)["summary"]["exitStatus"]) == (143, 143)


def test_the_end_notifies(tmp_path: Path) -> None:
    """``--notify``: the bell, and the verdict in the two forms that terminals know."""
    path = recorded(tmp_path / "a.jsonl", [delivery("task-failed", label="opt-1")])
    with Terminal("task", "--from", path, TASK, "--notify") as terminal:
        terminal.status()

    assert b"\a\x1b]9;opt-1: failed" in terminal.written
    assert b"\x1b]777;notify;opt-1;failed" in terminal.written
