"""Links in terminals, pipes and pictures."""

from __future__ import annotations

import re

import pytest

from builders import GROUP, TASK, event, time_zone
from running import Terminal, finished
from tcsniff.pulse import records
from tcsniff.renderers.columns import find_columns
from tcsniff.renderers.lines import ColumnFormatter, LineRenderer
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.table import draw_table

ROOT = "https://firefox-ci-tc.services.mozilla.com"
LOG = f"{ROOT}/api/queue/v1/task/{TASK}/runs/1/artifacts/public/logs/live.log"
STATUS = StreamStatus("firefox-ci", 1, 1.0, 0.2, 0.4, "")
LINK = re.compile(r"\x1b\]8;([^;\x1b]*);([^\x1b]*)\x1b\\")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def utc():
    with time_zone("UTC"):
        yield


def links(text):
    """Read the links: what is shown of each, its id and where it leads."""
    pieces = LINK.split(COLOUR.sub("", text))
    return [
        (shown, id_, url)
        for id_, url, shown in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True)
        if url
    ]


# In the table and the lines.

EVENTS = [
    event("task-running", run=1),
    event("task-pending", run=2),
    event("task-defined", label="build/opt"),
    event("task-exception", run=1, retried=True),
    event("task-group-resolved"),
    event("task-failed", label=""),
]
CHOSEN = find_columns(("task", "task-id", "run", "group", "pool"))


def table(events, root, *, color=True, width=150):
    return draw_table(events, STATUS, width, color=color, columns=CHOSEN, root_url=root)


def lines(events, root, *, color=True):
    class Paper:
        def __init__(self):
            self.written = b""

        def isatty(self):
            return True

        def write(self, data):
            self.written += data

        def flush(self):
            pass

    paper = Paper()
    formatter = ColumnFormatter(CHOSEN, color=color, root_url=root)
    renderer = LineRenderer(Output(paper), formatter.line_format)
    renderer.show(events)
    renderer.flush()
    return paper.written.decode().splitlines()


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

    assert TASK[:12] in written
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
