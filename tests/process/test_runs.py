"""`tcsniff runs` as a process: from recordings, the API and a broker, also when it is killed."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import oracle
from builders import delivery
from queue_server import QueueServer, content
from rabbitmq import Publication, RabbitMQ, Taskcluster
from running import PATIENCE, Running, Terminal, command, environment, finished
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.simulation import plan_groups, simulate

BEGAN = 1_795_456_800.0  # 2026-11-23T18:00:00Z
HISTORY = [one for _, one in simulate(seed=2, start=BEGAN, groups=2, tasks=20)]
PLAN = next(plan_groups(seed=2, tasks=20))
Rows = list[dict]


def recording(path: Path, messages: Iterable[Delivery]) -> str:
    path.write_bytes(b"".join(map(records.format_record, messages)))
    return str(path)


def rows_of(text: str) -> Rows:
    return [json.loads(line) for line in text.splitlines()]


def in_order(rows: Rows) -> Rows:
    """Sort rows, and leave out what is not known."""
    rows = sorted(rows, key=lambda row: (row["taskId"], row["runId"]))
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


EXPECTED = in_order(oracle.list_rows(HISTORY))


def test_a_recording_has_a_row_for_each_run(tmp_path: Path) -> None:
    """As computed from its messages, also backwards and with half of them twice."""
    name = recording(tmp_path / "r.jsonl", [*HISTORY[::-1], *HISTORY[::2]])

    done = finished("runs", "--from", name)

    assert done.returncode == 0
    assert in_order(rows_of(done.stdout)) == EXPECTED


def test_the_queue_knows_the_same_rows() -> None:
    """``--group`` asks the API instead of listening; an address will do."""
    with QueueServer() as server:
        server.groups[PLAN.task_group_id] = content(PLAN, HISTORY)
        page = f"{server.url}/tasks/groups/{PLAN.task_group_id}"
        done = finished("runs", "--group", page, "-q")

    assert done.returncode == 0
    found, expected = (
        [{name: row[name] for name in row if name not in ("label", "project")} for row in rows]
        for rows in (in_order(rows_of(done.stdout)), EXPECTED)
    )
    assert found == [row for row in expected if row["taskGroupId"] == PLAN.task_group_id]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--group", "x"), "ID"),
        (("--group", PLAN.task_group_id, "--demo"), "leave other sources out"),
        (("--format", "xlsx"), "xlsx"),
        (("--json", "--format", "csv"), "--json"),
    ],
)
def test_wrong_usage_is_reported_in_a_line(words: tuple[str, ...], said: str) -> None:
    """Status 2, and nothing on standard output."""
    done = finished("runs", *words)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_a_terminal_shows_a_table(tmp_path: Path) -> None:
    """A row of the screen for each run."""
    name = recording(tmp_path / "r.jsonl", [delivery("task-failed")])
    with Terminal("runs", "--from", name, "--utc", columns=100) as terminal:
        assert terminal.status() == 0

    rows = [row.rstrip() for row in terminal.screen.display]
    assert any(row.startswith("18:01:05  ✖ failed") for row in rows)


def append(path: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start a `runs` whose rows are appended to a file."""
    with path.open("ab") as file:
        return subprocess.Popen(
            command("runs", *words), stdout=file, stderr=subprocess.DEVNULL, env=environment()
        )


@pytest.mark.parametrize("form", ["json", "csv"])
def test_an_unfinished_row_is_removed(tmp_path: Path, form: str) -> None:
    """A kill leaves it; its message was not acknowledged, so the row comes again."""
    name = recording(tmp_path / "r.jsonl", HISTORY)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert append(whole, "--from", name, "--format", form).wait(PATIENCE) == 0
    lines = whole.read_bytes().splitlines(keepends=True)
    torn.write_bytes(b"".join(lines[:5])[:-7])

    assert append(torn, "--from", name, "--format", form).wait(PATIENCE) == 0

    heading = 1 if form == "csv" else 0
    assert torn.read_bytes().splitlines(keepends=True) == lines[:4] + lines[heading:]


def test_text_of_other_programs_stays(tmp_path: Path) -> None:
    """Rows begin on a line of their own."""
    name = recording(tmp_path / "r.jsonl", [delivery("task-failed")])
    notes = tmp_path / "notes"
    notes.write_text("no line feed", encoding="utf-8")

    assert append(notes, "--from", name).wait(PATIENCE) == 0

    first, second = notes.read_text(encoding="utf-8").splitlines()
    assert first == "no line feed"
    assert second.startswith('{"taskId":')


@pytest.fixture
def queue(rabbitmq: RabbitMQ) -> Iterator[str]:
    yield "ledger"
    rabbitmq.ctl("delete_queue", "queue/pulse/ledger")


def test_no_run_is_lost_by_kills(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, queue: str, tmp_path: Path
) -> None:
    """Killed at random moments and started again, it has written every row at the end."""
    words = ("--broker", rabbitmq.url(), "--queue", queue, "--prefetch", "20", "-q")
    with Running("runs", *words[:-1]) as first:
        first.listening()
    path, chance = tmp_path / "runs.jsonl", random.Random(4)
    for part in range(4):
        taskcluster.publish_all(
            Publication(one.exchange, one.routing_key, one.body, list(one.cc))
            for one in HISTORY[part::4]
        )
        size = path.stat().st_size if path.exists() else 0
        process = append(path, *words)
        until = time.monotonic() + PATIENCE
        while path.stat().st_size <= size and time.monotonic() < until and process.poll() is None:
            time.sleep(chance.random() / 500)  # a random moment is what is tested
        process.kill()
        process.wait(PATIENCE)

    assert append(path, *words, "--drain").wait(PATIENCE) == 0

    found = {
        (row["taskId"], row["runId"], row["resolved"]): row
        for row in rows_of(path.read_text(encoding="utf-8"))
    }
    keys = {(row["taskId"], row["runId"], row["resolved"]) for row in EXPECTED}
    assert found.keys() == keys
