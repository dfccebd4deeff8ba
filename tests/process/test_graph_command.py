"""``tcsniff graph`` as a process: recordings, pipes, files, the demo and the queue's API."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from builders import GROUP, OTHER_TASK, SCHEDULED, TASK, delivery
from groups import EVENTS, PLAN, UNKNOWN, made_up, objects, recorded, saved, summed_up
from queue_server import QueueServer, content
from running import Running, finished
from tcsniff.pulse.records import format_record
from tcsniff.simulator.planning import format_task_graph


def graph(
    *words: str, env: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return finished("graph", *words, env=env, stdin=stdin)


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer(content(PLAN, EVENTS), page_size=15) as running:
        yield running


# Recordings and pipes.


def test_a_recording_gives_changes_and_a_summary(tmp_path: Path) -> None:
    """One line a change of state, in the order in which they came; what became of the group."""
    path = recorded(tmp_path / "a.jsonl", EVENTS)

    done = graph("--from", path)

    *changes, last = objects(done.stdout)
    assert {one["state"] for one in changes} > {"pending", "running", "completed"}
    assert {one["taskGroupId"] for one in changes} == {PLAN.task_group_id}
    ends = {one["taskId"]: one["state"] for one in changes}
    states: dict[str, int] = {}
    for state in ends.values():
        states[state] = states.get(state, 0) + 1
    assert last["summary"]["states"] == states
    assert (last["summary"]["tasks"], last["summary"]["resolved"]) == (len(PLAN.tasks), True)
    assert done.stderr == ""


def test_a_change_tells_what_was_before_and_what_was_lost(tmp_path: Path) -> None:
    """A claim that expired: run 0 is lost, run 1 is pending."""
    events = [delivery("task-running"), delivery("task-exception", retried=True)]
    path = recorded(tmp_path / "a.jsonl", events)

    *_, change, _ = objects(graph("--from", path).stdout)

    assert change == {
        "time": "2026-11-23T18:00:00.000Z",
        "taskGroupId": GROUP,
        "taskId": TASK,
        "label": "test-linux/opt-1",
        "kind": "",
        "pool": "gecko-t/t-linux-large",
        "before": "running",
        "state": "pending",
        "run": 1,
        "reason": "retry",
        "worker": None,
        "lost": {"run": 0, "reason": "claim-expired"},
    }


@pytest.mark.parametrize(
    ("events", "status"),
    [
        (("task-defined", "task-completed", "task-group-resolved"), 0),
        (("task-defined", "task-failed", "task-group-resolved"), 10),
        (("task-failed",), 10),
        (("task-exception",), 11),
        (("task-defined", "task-running", "task-group-resolved"), 12),
        (("task-defined", "task-completed"), 12),
        (("task-completed", "task-group-resolved"), 12),
    ],
)
def test_the_exit_status_is_what_became_of_the_group(
    tmp_path: Path, events: Sequence[str], status: int
) -> None:
    """For scripts: 0 only if all is known; a failure goes before an exception."""
    first = [delivery(event, task_id=GROUP) for event in ("task-defined", "task-completed")]
    path = recorded(tmp_path / "a.jsonl", [*first, *map(delivery, events)])

    done = graph("--from", path)

    assert done.returncode == status
    assert summed_up(done.stdout)["exitStatus"] == status


def test_a_task_that_is_tried_again_has_not_failed(tmp_path: Path) -> None:
    """Reruns and retries count: what the last run came to is the end."""
    events = [
        delivery("task-defined", task_id=GROUP),
        delivery("task-failed", task_id=GROUP, run=0),
        delivery("task-group-resolved"),
        delivery("task-completed", task_id=GROUP, run=1),
        delivery("task-defined", task_id=OTHER_TASK),
        delivery("task-exception", task_id=OTHER_TASK, retried=True),
        delivery("task-completed", task_id=OTHER_TASK, run=1),
    ]

    assert graph("--from", recorded(tmp_path / "a.jsonl", events)).returncode == 0


def test_standard_input_is_a_recording() -> None:
    """``tcsniff --all -o json | tcsniff graph ID --from -``."""
    text = b"".join(map(format_record, EVENTS)).decode()

    piped = graph("--from", "-", PLAN.task_group_id, stdin=text)

    assert summed_up(piped.stdout)["tasks"] == len(PLAN.tasks)


def test_the_first_group_of_a_recording_is_meant(tmp_path: Path) -> None:
    """And it is said which others there are."""
    _, others = made_up(9, tasks=20)
    path = recorded(tmp_path / "a.jsonl", [*EVENTS, *others])

    first = graph("--from", path)
    second = graph("--from", path, made_up(9, tasks=20)[0].task_group_id)

    assert summed_up(first.stdout)["taskGroupId"] == PLAN.task_group_id
    strange = sum(b'"status"' in one.body for one in others)
    assert f"; {strange:,} events are about others" in first.stderr
    assert made_up(9, tasks=20)[0].task_group_id in first.stderr
    assert summed_up(second.stdout)["tasks"] == len(made_up(9, tasks=20)[0].tasks)
    assert second.stderr == ""


def test_a_recording_that_breaks_off_says_so(tmp_path: Path) -> None:
    """Else its end could be taken for the group's."""
    done = graph("--from", recorded(tmp_path / "a.jsonl", EVENTS[: len(EVENTS) // 2]))

    assert "the recording ends while " in done.stderr
    assert not summed_up(done.stdout)["resolved"]


@pytest.mark.parametrize("words", [(UNKNOWN,), ()], ids=["another group", "no task at all"])
def test_a_recording_without_the_group_is_an_error(tmp_path: Path, words: Sequence[str]) -> None:
    """Nothing failed because there was nothing: that is no success."""
    events = EVENTS if words else [delivery("worker-requested")]
    path = recorded(tmp_path / "a.jsonl", events)

    done = graph("--from", path, *words)

    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith(f"tcsniff: {path}: no event about ")
    assert len(done.stderr.splitlines()) == 1


def test_broken_and_hostile_lines_end_nothing(tmp_path: Path) -> None:
    """What is no record is passed over, what is no status too."""
    path = tmp_path / "a.jsonl"
    odd = delivery("task-running", body=b'{"status": {"runs": 3}}', task_id=OTHER_TASK)
    path.write_bytes(
        b"\xff\x00 no json\n"
        + b"".join(map(format_record, [odd, delivery("task-running", body=b"[" * 5000)]))
        + format_record(delivery("task-completed", label="\x1b[31mred\x1b]0;title\x07"))
    )

    done = graph("--from", str(path), "-o", "lines", "--color", "never")

    assert done.returncode == 12
    assert "2 messages could not be decoded: task-running of run 0 of " in done.stderr
    assert "\\x1b[31mred" in done.stdout
    assert "\x1b" not in done.stdout


def test_who_joins_late_is_told_what_is_not_known(tmp_path: Path) -> None:
    """One line: how many tasks, since when, and how to know more."""
    events = [
        delivery("task-pending"),
        delivery("task-completed"),
        delivery("task-group-resolved"),
    ]

    done = graph("--from", recorded(tmp_path / "a.jsonl", events), "--no-api", "--utc")

    summary = summed_up(done.stdout)
    assert done.returncode == summary["exitStatus"] == 12
    assert (summary["verdict"], summary["whole"]) == ("partial", False)
    assert done.stderr == (
        "tcsniff: known in part: 1 task announced since 18:01 "
        "(no API; --root-url or --graph completes it)\n"
    )


@pytest.mark.parametrize("skipped", [b"no record\n", b""], ids=["a line", "a gap"])
def test_a_recording_with_a_hole_is_not_known_to_be_whole(tmp_path: Path, skipped: bytes) -> None:
    """What is missing may be the failure."""
    plan, events = made_up(3, faults=())
    gap = {"since": SCHEDULED, "until": SCHEDULED, "missed": True, "reason": "x"}
    lines = list(map(format_record, events))
    lines[20:20] = [skipped or json.dumps({"gap": gap}).encode() + b"\n"]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(lines))

    whole = graph("--from", recorded(tmp_path / "b.jsonl", events))
    done = graph("--from", str(path))

    assert (whole.returncode, whole.stderr) == (0, "")
    assert (done.returncode, summed_up(done.stdout)["exitStatus"]) == (12, 12)
    assert f"known in part: {len(plan.tasks)} tasks announced since " in done.stderr


@pytest.mark.parametrize("event", ["task-failed", "task-completed"])
def test_a_message_that_cannot_be_decoded_is_reported(tmp_path: Path, event: str) -> None:
    """With what its exchange and its key say; and it is never a success."""
    plan, events = made_up(3, faults=())
    task_id = plan.tasks[-1].task_id
    number = next(
        number
        for number, one in enumerate(events)
        if task_id in one.routing_key and one.exchange.endswith("task-completed")
    )
    odd = events[number]._replace(body=b"\xff{}")
    odd = odd._replace(exchange=odd.exchange.replace("task-completed", event))
    path = recorded(tmp_path / "a.jsonl", [*events[:number], odd, *events[number + 1 :]])

    done = graph("--from", path)

    summary = summed_up(done.stdout)
    wrong = [one["taskId"] for one in summary["wrong"]]
    expected = (10, [task_id]) if event == "task-failed" else (12, [])
    assert (done.returncode, wrong) == expected
    assert summary["exitStatus"] == done.returncode
    assert f"(1 message could not be decoded: {event} of run 0 of {task_id})" in done.stderr


def test_lines_are_for_people(tmp_path: Path) -> None:
    """One a change; in the end the title, the bar, what went wrong and the critical path."""
    events = [
        delivery("task-pending"),
        delivery("task-running"),
        delivery("task-failed"),
        delivery("task-group-resolved"),
    ]

    done = graph("--from", recorded(tmp_path / "a.jsonl", events), "-o", "lines", "--utc")

    assert done.stdout.splitlines()[:3] == [
        "18:00:00  ◷ pending      test-linux/opt-1                              "
        "run 0   gecko-t/t-linux-large",
        "18:00:03  ▶ running      test-linux/opt-1                              "
        "run 0   gecko-t/t-linux-large  us-east-1 i-0a1b2c3d",
        "18:01:05  ✖ failed       test-linux/opt-1                              "
        "run 0   gecko-t/t-linux-large  us-east-1 i-0a1b2c3d",
    ]
    assert done.stdout.splitlines()[3].startswith(f"task group {GROUP}   gecko-level-1   1 task")
    assert done.stdout.splitlines()[4].startswith("known in part: 1 task announced since 18:01 (")
    assert "✖ test-linux/opt-1  run 0 failed after 1 m 02 s" in done.stdout


@pytest.mark.parametrize("form", ["page", "array", "lines", "two files"])
def test_a_saved_answer_needs_no_network(tmp_path: Path, form: str) -> None:
    """Nor an ID: the group and all its states are in the file, in any of its forms."""
    plan, events = made_up(3)
    answer = content(plan, events)
    first, second = answer.pages(30)
    tasks = [*first["tasks"], *second["tasks"]]
    texts = {
        "page": [json.dumps(answer.page(0, 1_000))],
        "array": [json.dumps(tasks)],
        "lines": ["\n".join(map(json.dumps, tasks))],
        "two files": [json.dumps(second), json.dumps(first)],
    }[form]
    files = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        files += ["--graph", str(path)]

    done = graph(*files, "--no-wait", env={"https_proxy": "http://127.0.0.1:1"})

    summary = summed_up(done.stdout)
    assert done.stderr == ""
    assert done.returncode == summary["exitStatus"]
    assert (summary["tasks"], summary["whole"], summary["resolved"]) == (len(tasks), True, True)


@pytest.mark.parametrize(
    ("share", "words"), [(0.5, ("running", "failing")), (0, ("waiting",))], ids=["half", "none"]
)
def test_a_look_at_what_has_not_ended_is_no_success(
    tmp_path: Path, share: float, words: Sequence[str]
) -> None:
    """Status 12, of a group of which all is known."""
    plan, events = made_up(3, faults=())
    path = saved(tmp_path / "a.json", plan, events[: int(share * len(events))])

    done = graph("--graph", path, "--no-wait")

    assert (done.returncode, done.stderr) == (12, "")
    assert summed_up(done.stdout)["verdict"] in words


def test_a_graph_of_which_nothing_was_heard_is_no_success(tmp_path: Path) -> None:
    """The decision task's plan tells no state."""
    path = tmp_path / "task-graph.json"
    path.write_bytes(format_task_graph([PLAN]))

    done = graph(PLAN.task_group_id, "--graph", str(path), "--no-wait")

    assert (done.returncode, summed_up(done.stdout)["exitStatus"]) == (12, 12)
    assert len(done.stderr.splitlines()) == 1


def test_a_table_in_a_pipe_is_one_picture(tmp_path: Path) -> None:
    """Without colours and cursor movements, as for an e-mail."""
    done = graph("--from", recorded(tmp_path / "a.jsonl", EVENTS), "-o", "table")

    assert done.stdout.startswith(f"task group {PLAN.task_group_id}   ")
    assert "\x1b" not in done.stdout
    assert "critical path " in done.stdout


def test_ascii_is_used_where_nothing_else_is_known(tmp_path: Path) -> None:
    """In the locale C, as in many containers."""
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    done = graph("--from", recorded(tmp_path / "a.jsonl", EVENTS), "-o", "table", env=env)

    assert done.stdout.isascii()


def test_what_came_can_be_recorded_besides(tmp_path: Path) -> None:
    """And gives the same picture again."""
    again = str(tmp_path / "again.jsonl.gz")

    first = graph("--from", recorded(tmp_path / "a.jsonl", EVENTS), "--record", again)
    second = graph("--from", again)

    assert second.stdout == first.stdout
    assert len(gzip.decompress(Path(again).read_bytes()).splitlines()) == len(EVENTS)


def test_graph_files_tell_what_waits_for_what(tmp_path: Path) -> None:
    """And which group is meant."""
    half = EVENTS[: len(EVENTS) // 2]
    path = recorded(tmp_path / "a.jsonl", half)
    dependencies = saved(tmp_path / "graph.json", PLAN)

    blocked = graph("--from", path, "--graph", dependencies, "--blocked")
    chain = graph("--from", path, "--graph", dependencies, "--critical-path")

    labels = {task.task_id: task for task in PLAN.tasks}
    waiting = objects(blocked.stdout)
    assert waiting
    assert all(one["by"] for one in waiting if labels[one["taskId"]].dependencies)
    steps = objects(chain.stdout)
    assert steps[0]["taskId"] == PLAN.task_group_id
    for before, after in itertools.pairwise(steps):
        wanted = labels[after["taskId"]].dependencies or (PLAN.task_group_id,)
        assert before["taskId"] in wanted


def test_without_dependencies_there_is_no_critical_path(tmp_path: Path) -> None:
    """Any chain would be a guess."""
    path = recorded(tmp_path / "a.jsonl", EVENTS)

    as_json = graph("--from", path, "--critical-path")
    as_text = graph("--from", path, "--critical-path", "-o", "table")

    assert as_json.stdout == ""
    assert as_text.stdout.startswith("the critical path is unknown, because dependencies are")
    assert summed_up(graph("--from", path).stdout)["criticalPath"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "missing task group ID"),
        (("nonsense",), "'nonsense' is not a task group ID"),
        (("--demo", "--from", "x"), "use one of them"),
        (("--demo", "--no-api", "--root-url", "https://x.example"), "contradict each other"),
        (("--demo", "--blocked", "--critical-path"), "exclude each other"),
        (("--demo", "--json", "-o", "lines"), "contradict each other"),
        ((GROUP, "--no-wait", "--no-api"), "--no-wait needs a source"),
        ((GROUP, "--no-wait", "--root-url", "nonsense"), "is not a Taskcluster root URL"),
        (("--from", os.devnull, "--root-url", "https://x.example"), "the task group to ask"),
    ],
)
def test_wrong_usage_is_one_line(words: Sequence[str], said: str) -> None:
    """It names the thing and the next step."""
    done = graph(*words)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text", ["", "{", "nonsense", '{"a": {"task": 3}}'])
def test_a_graph_file_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    """Before anything connects."""
    path = tmp_path / "graph.json"
    path.write_text(text)

    done = graph("--demo", "--graph", str(path))

    assert (done.returncode, done.stdout) == (6, "")
    assert str(path) in done.stderr


def test_a_graph_file_of_another_group_is_refused(tmp_path: Path) -> None:
    """And one of several groups needs to be told which is meant."""
    other, _ = made_up(9, tasks=20)
    paths = [saved(tmp_path / "a.json", PLAN), saved(tmp_path / "b.json", other)]
    events = recorded(tmp_path / "a.jsonl", EVENTS)
    both = ("--graph", paths[0], "--graph", paths[1])

    wrong = graph(UNKNOWN, "--from", events, "--graph", paths[0])
    several = graph("--from", events, *both)
    named = graph(PLAN.task_group_id, "--from", events, *both)

    assert (wrong.returncode, several.returncode) == (2, 2)
    assert f", not {UNKNOWN}" in wrong.stderr
    assert "choose one" in several.stderr
    assert summed_up(named.stdout)["tasks"] == len(PLAN.tasks)


def test_circles_and_strangers_in_a_graph_file_end_nothing(tmp_path: Path) -> None:
    """Tasks that wait for each other, for themselves, and for tasks of other groups."""
    path = tmp_path / "graph.json"
    waits = {TASK: [OTHER_TASK], OTHER_TASK: [TASK, UNKNOWN, OTHER_TASK]}
    path.write_text(
        json.dumps(
            {
                one: {"label": one, "task": {"dependencies": others}, "task_id": one}
                for one, others in waits.items()
            }
        )
    )
    events = [delivery("task-defined"), delivery("task-defined", task_id=OTHER_TASK)]

    done = graph(
        "--from", recorded(tmp_path / "a.jsonl", events), "--graph", str(path), "--blocked"
    )

    assert done.returncode == 12
    assert {one["taskId"] for one in objects(done.stdout)} == {TASK, OTHER_TASK}


# The demo.


def test_the_demo_needs_nothing_and_can_be_repeated() -> None:
    """The same seed gives the same lines, with dependencies and an end."""
    first, second = graph("--demo", "--seed", "7"), graph("--demo", "--seed", "7")

    summary = summed_up(first.stdout)
    assert first.stdout == second.stdout
    assert first.returncode == second.returncode == summary["exitStatus"]
    assert summary["resolved"]
    assert len(summary["criticalPath"]) > 2


def test_a_timeout_ends_it_with_what_is_known() -> None:
    """Status 124, and the summary all the same."""
    done = graph("--demo", "--seed", "7", "--timeout", "200ms")

    assert done.returncode == 124
    assert "stopped by --timeout" in done.stderr
    assert not summed_up(done.stdout)["resolved"]
    assert summed_up(done.stdout)["exitStatus"] == 124


def test_ctrl_c_ends_it_with_what_is_known() -> None:
    """Status 130, and the summary all the same."""
    with Running("graph", "--demo", "--seed", "7") as running:
        running.lines(5)
        status = running.signal(signal.SIGINT)
        *_, last = running.lines(6)

    assert status == 130
    assert json.loads(last)["summary"]["exitStatus"] == 130


def test_a_reader_that_goes_away_ends_it() -> None:
    """``| head -1``: status 141, and no word."""
    with Running("graph", "--demo", "--seed", "7") as running:
        running.lines(1)
        running.stop_reading()

        assert running.status() == 141
    assert "Traceback" not in running.said()


# The queue's API alone.


def test_one_look_needs_no_broker(server: QueueServer) -> None:
    """``--no-wait`` asks the queue, shows how it is, and ends with what became of it."""
    done = graph(PLAN.task_group_id, "--no-wait", "--root-url", server.url)

    summary = summed_up(done.stdout)
    assert (summary["tasks"], summary["resolved"]) == (len(PLAN.tasks), True)
    assert done.returncode == summary["exitStatus"]
    assert len(done.stdout.splitlines()) == 1


def test_a_task_that_cannot_be_decoded_is_reported(server: QueueServer) -> None:
    """The others are shown, one line says which it is, and the result is not 0."""
    group = server.groups[PLAN.task_group_id]
    for member in group.members:
        member.status.update(state="completed", runs=[{"runId": 0, "state": "completed"}])
    group.members[2].task["tags"] = {"label": 5}

    done = graph(PLAN.task_group_id, "--no-wait", "--root-url", server.url)

    task_id = group.members[2].status["taskId"]
    assert done.returncode == summed_up(done.stdout)["exitStatus"] == 12
    assert summed_up(done.stdout)["states"] == {"completed": len(PLAN.tasks)}
    assert f"could not be decoded: the definition of task {task_id}" in done.stderr


def test_credentials_of_the_environment_sign_the_requests(server: QueueServer) -> None:
    """A deployment that is not public wants them."""
    server.tokens = {"me": "secret"}
    words = (PLAN.task_group_id, "--no-wait", "--root-url", server.url)
    env = {
        "TASKCLUSTER_ROOT_URL": server.url,
        "TASKCLUSTER_CLIENT_ID": "me",
        "TASKCLUSTER_ACCESS_TOKEN": "secret",
    }

    refused, done = graph(*words), graph(*words, env=env)

    assert (refused.returncode, summed_up(done.stdout)["tasks"]) == (4, len(PLAN.tasks))
    assert "set TASKCLUSTER_ROOT_URL" in refused.stderr


def test_failures_have_the_last_lines_of_their_logs(server: QueueServer) -> None:
    """``--logs``: below the address of the log, in the order of the picture."""
    looked = graph(PLAN.task_group_id, "--no-wait", "--root-url", server.url)
    wrong = [one for one in summed_up(looked.stdout)["wrong"] if one["state"] == "failed"]
    for one in wrong:
        path = one["log"].removeprefix(server.url).replace("live.log", "live_backing.log")
        server.artifacts[path] = f"first\nsecond\nlast of {one['taskId']}\n".encode()

    words = (PLAN.task_group_id, "--no-wait", "--root-url", server.url, "-o", "lines")
    done = graph("--logs=2", *words)
    ten = graph("--logs", *words)

    assert wrong
    lines = done.stdout.splitlines()
    for one in wrong:
        place = lines.index(f"  {one['log']}")
        assert lines[place + 1 : place + 3] == ["  │ second", f"  │ last of {one['taskId']}"]
    assert "  │ first" not in lines
    assert "  │ first" in ten.stdout.splitlines()


def test_the_environment_names_the_deployment(server: QueueServer) -> None:
    """As Taskcluster's own tools have it."""
    env = {"TASKCLUSTER_ROOT_URL": server.url}

    done = graph(PLAN.task_group_id, "--no-wait", "-o", "table", env=env)

    assert f"   {len(PLAN.tasks)} tasks   " in done.stdout


def test_a_profile_that_is_named_goes_before_the_environment(
    server: QueueServer, tmp_path: Path
) -> None:
    """Whoever names a profile means its deployment, whatever else is set."""
    settings = tmp_path / "config.toml"
    settings.write_text(
        f'[profiles.mine]\nbroker = "amqp://localhost"\nroot-url = "{server.url}"\n'
    )
    env = {"TCSNIFF_CONFIG": str(settings), "TASKCLUSTER_ROOT_URL": "http://127.0.0.1:1"}

    done = graph(PLAN.task_group_id, "--no-wait", "--profile", "mine", env=env)

    assert summed_up(done.stdout)["tasks"] == len(PLAN.tasks)


def test_the_address_of_a_groups_page_is_enough(server: QueueServer) -> None:
    """It names both the deployment and the group."""
    done = graph(f"{server.url}/tasks/groups/{PLAN.task_group_id}?x=1#y", "--no-wait")

    assert summed_up(done.stdout)["taskGroupId"] == PLAN.task_group_id


@pytest.mark.parametrize("form", ["{task}", "{url}/tasks/{task}", "{url}/tasks/{task}/runs/0"])
def test_a_task_leads_to_its_group(server: QueueServer, form: str) -> None:
    """Its ID, its page, or that of a run; one line says so."""
    task = next(one.task_id for one in PLAN.tasks if one.task_id != PLAN.task_group_id)
    word = form.format(task=task, url=server.url)

    done = graph(word, "--no-wait", "--root-url", server.url)

    assert done.returncode == 10
    assert objects(done.stdout)[-1]["summary"]["taskGroupId"] == PLAN.task_group_id
    assert done.stderr.startswith(
        f"tcsniff: {task} is a task of the task group {PLAN.task_group_id}, which is shown\n"
    )


def test_a_recorded_task_leads_to_its_group(tmp_path: Path) -> None:
    """Without the API: the events of the task name the group."""
    task = next(one.task_id for one in PLAN.tasks if one.task_id != PLAN.task_group_id)

    done = finished(task, "--from", recorded(tmp_path / "a.jsonl", EVENTS))

    assert objects(done.stdout)[-1]["summary"]["taskGroupId"] == PLAN.task_group_id
    assert f"{task} is a task of the task group {PLAN.task_group_id}, which is" in done.stderr


def test_an_id_alone_is_shown_as_what_it_is(server: QueueServer) -> None:
    """The queue's API knows it; flags may stand before it. Also in the address of a page."""
    group = PLAN.task_group_id

    asked = finished("--root-url", server.url, group, "--no-wait")
    page = finished(f"<{server.url}/tasks/groups/{group}>", "--no-wait")
    unknown = finished(UNKNOWN, "--root-url", server.url)
    refused = finished(UNKNOWN, "--no-api")

    assert f"tcsniff: {group} is a task group: tcsniff graph {group}\n" in asked.stderr
    for done in (asked, page):
        assert done.returncode == 10
        assert objects(done.stdout)[-1]["summary"]["taskGroupId"] == group
    assert (unknown.returncode, unknown.stdout) == (4, "")
    assert f"{server.url} has neither a task nor a task group {UNKNOWN}" in unknown.stderr
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"`tcsniff graph {UNKNOWN}` shows a group, `tcsniff task {UNKNOWN}` a task" in (
        refused.stderr
    )


def test_without_an_answer_the_commands_for_an_id_are_named() -> None:
    """With the reason, and the status of what failed."""
    done = finished(UNKNOWN, "--root-url", "http://127.0.0.1:1")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("tcsniff: no connection to http://127.0.0.1:1: ")
    assert f"; {UNKNOWN} is the ID of a task or a task group: `tcsniff graph" in done.stderr


@pytest.mark.parametrize(
    ("decode_error", "status", "said"),
    [
        ({"groups": {}}, 4, "has no task group"),
        ({"status": 403}, 4, "sufficient scopes"),
        ({"raw": b"{"}, 3, "not JSON"),
        ({"raw": b'{"tasks": 3}'}, 3, "invalid answer"),
        ({"repeats_token": True}, 3, "repeats the continuation token"),
    ],
    ids=["unknown or expired", "403", "cut off", "other JSON", "a token that repeats"],
)
def test_an_api_that_fails_is_an_error_of_one_look(
    server: QueueServer, decode_error: Mapping[str, Any], status: int, said: str
) -> None:
    """There is nothing else to go on with."""
    for name, value in decode_error.items():
        setattr(server, name, value)

    done = graph(PLAN.task_group_id, "--no-wait", "--root-url", server.url)

    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_recording_can_be_completed_by_the_queue(server: QueueServer, tmp_path: Path) -> None:
    """Of its answers only the dependencies are taken: the recording tells how it was."""
    path = recorded(tmp_path / "a.jsonl", EVENTS[: len(EVENTS) // 2])

    done = graph(PLAN.task_group_id, "--from", path, "--root-url", server.url)

    summary = summed_up(done.stdout)
    assert not summary["resolved"]
    assert len(summary["criticalPath"]) > 1


def test_it_can_end_after_so_many_events() -> None:
    """However the group is by then: its last words are the same each time."""
    words = ("--demo", "--seed", "14", "--count", "250")

    first, again = graph(*words), graph(*words)

    assert first.stdout == again.stdout
    assert not summed_up(first.stdout)["resolved"]
    assert first.returncode == summed_up(first.stdout)["exitStatus"]
