"""Links in terminals, pipes and pictures."""

from __future__ import annotations

import re

import pytest

from builders import GROUP, TASK, time_zone
from link_samples import EVENTS, LOG, ROOT, links
from running import Terminal, finished
from tcsniff.pulse import records


@pytest.fixture(autouse=True)
def utc():
    with time_zone("UTC"):
        yield


# In the table and the lines.


# Of runs.


def in_a_terminal(tmp_path, *words, root=ROOT, **env):
    """Give what a terminal is sent of a recording that is replayed."""
    recording = tmp_path / "x.jsonl"
    recording.write_bytes(b"".join(records.format_record(one.delivery) for one in EVENTS))
    env = {"COLORTERM": "truecolor", "TASKCLUSTER_ROOT_URL": root} | env
    words = ("--from", str(recording), *words)
    with Terminal(*words, columns=120, lines=20, env=env) as terminal:
        assert terminal.status() == 0
        return terminal.written.decode()


@pytest.mark.parametrize("view", ["table", "lines"])
def test_a_terminal_gets_links_to_the_deployment_that_is_known(view, tmp_path):
    """Of a recording, that of the environment."""
    found = {url for *_, url in links(in_a_terminal(tmp_path, "-o", view))}

    assert {f"{ROOT}/tasks/{TASK}/runs/1", f"{ROOT}/tasks/groups/{GROUP}", LOG} <= found


@pytest.mark.parametrize(
    ("words", "env"),
    [
        ((), {"NO_COLOR": "1"}),
        (("--color", "never"), {}),
        ((), {"TERM": "dumb"}),
        ((), {"TERM_URLS": "no"}),
        ((), {"TASKCLUSTER_ROOT_URL": ""}),
        ((), {"TASKCLUSTER_ROOT_URL": "javascript:alert(1)"}),
        (("--json",), {}),
    ],
)
def test_who_wants_none_gets_none(words, env, tmp_path):
    """Flags, the environment, and views for programs."""
    written = in_a_terminal(tmp_path, *words, **env)

    assert "test-linux/opt-1" in written
    assert "\x1b]8" not in written


def test_a_pipe_gets_no_links(tmp_path):
    """Also where colours are wanted."""
    recording = tmp_path / "x.jsonl"
    recording.write_bytes(b"".join(records.format_record(one.delivery) for one in EVENTS))

    done = finished(
        "--from",
        str(recording),
        "-o",
        "lines",
        "--color",
        "always",
        env={"TASKCLUSTER_ROOT_URL": ROOT},
    )

    assert "\x1b[" in done.stdout
    assert "\x1b]8" not in done.stdout


def test_the_picture_of_a_group_has_links_to_the_group_its_tasks_and_their_logs(tmp_path):
    """Names lead to pages, what became of a run to its log."""
    recording = tmp_path / "x.jsonl"
    finished("--demo", "--seed", "14", "-n", "600", "--record", str(recording))
    env = {"COLORTERM": "truecolor", "TASKCLUSTER_ROOT_URL": ROOT}
    words = ("graph", "--from", str(recording), "--no-api")
    with Terminal(*words, columns=120, lines=40, env=env) as terminal:
        assert terminal.status() == 10
        found = {(text, url) for text, _, url in links(terminal.written.decode())}

    paths = {text: url.removeprefix(ROOT) for text, url in found}
    group = next(text for text, url in found if "/groups/" in url)
    assert paths[group] == f"/tasks/groups/{group}"
    assert re.fullmatch(r"/tasks/[\w-]{22}", paths["gaia-linter-1"])
    assert {url.rpartition("/runs/0")[2] for text, url in paths.items() if "failed" in text} == {
        "/artifacts/public/logs/live.log"
    }
    assert not any(text.endswith(" ") for text in paths)
