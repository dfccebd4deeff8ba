"""Selecting, stopping and shaping, as a process does it with a recording."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import orjson
import pytest

from builders import OTHER_TASK, delivery
from running import PATIENCE, Terminal, command, environment
from shared_fixtures import SENT
from tcsniff.pulse import records

# When to stop


TASKS = [
    delivery("task-pending"),
    delivery("task-running"),
    delivery("task-running", task_id=OTHER_TASK),
    delivery("task-failed", task_id=OTHER_TASK),
    delivery("task-completed"),
    delivery("task-group-resolved"),
]


def test_a_count_counts_rows_of_the_table(tmp_path):
    """On a terminal, too: that many rows, and the picture stays."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"".join(map(records.format_record, [*TASKS, *TASKS])))
    words = ("--from", str(path), "task-running", "--utc", "-n", "3")
    with Terminal(*words, columns=110, lines=20) as terminal:
        assert terminal.status() == 0
        rows = [row for row in terminal.screen.display if re.match(r"\d\d:\d\d:\d\d ", row)]

    assert [row.split()[0] for row in rows] == ["18:00:03"] * 3
    assert all("running" in row for row in rows)
    assert any("3 printed" in row for row in terminal.screen.display)


@pytest.mark.parametrize("flag", ["--timeout", "--idle-timeout"])
def test_time_that_is_up_ends_a_pipe_in_which_nothing_comes(flag):
    """``something | tcsniff --from -``, where something is silent."""
    heard, told = os.pipe()
    with os.fdopen(told, "wb") as silent, os.fdopen(heard, "rb") as pipe:
        silent.write(records.format_record(TASKS[0]))
        silent.flush()
        process = subprocess.Popen(
            command("--from", "-", flag, "3s", "-q"),
            env=environment(),
            stdin=pipe,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate()

    assert (process.returncode, out.count(b"\n")) == (124, 1)


# Shaping


def jq(*words: str, given: str) -> str:
    found = shutil.which("jq")
    if found is None:
        reason = "left out, as it needs jq: `apt-get install jq`"
        if os.environ.get("TCSNIFF_TESTS_COMPLETE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(
        [found, *words], input=given, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return done.stdout


@pytest.mark.parametrize("bare", [[], ["-r"]], ids=["json", "bare"])
@pytest.mark.parametrize(
    ("expression", "filter_"),
    [
        ("routingKey", ".routingKey"),
        ("payload.status.state", ".payload.status.state"),
        ("payload.runId", ".payload.runId"),
        ("payload.task.tags", ".payload.task.tags"),
        ("routes", ".routes"),
        ("redelivered", ".redelivered"),
        ("[routingKey, payload.status.taskId]", "[.routingKey, .payload.status.taskId]"),
        ("{key: routingKey, n: length(routes)}", "{key: .routingKey, n: (.routes|length)}"),
        ("payload.status.runs[].state", "[.payload.status.runs[]?.state]"),
        ("'text'", '"text"'),
        ("payload.text", ".payload.text"),
    ],
)
def test_a_projection_is_written_as_jq_writes_it(expression, filter_, bare, tcsniff):
    """One line each, compact, text as it is; strings bare with ``-r``, nothing else."""
    text = 'é "quoted"\n\ttab \\ \u2028 \U0001f600 </script>'
    odd = delivery(body=orjson.dumps({"text": text}), payload={})
    over = [one for one in SENT if b'"status"' in one.body] + [odd]
    if "runs[]" in expression:
        over.pop()  # of nothing jq makes an empty array, JMESPath null

    done = tcsniff("--select", expression, *bare, over=over)
    everything = tcsniff("-o", "json", over=over).out

    assert done.status == 0
    assert done.out == jq("-c", *bare, filter_, given=everything)


def test_columns_of_a_table_can_be_chosen(tmp_path):
    """On a terminal."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(records.format_record(delivery("task-completed")))
    words = ("--from", str(path), "--columns", "received,lag,scheduler", "--utc")
    with Terminal(*words, columns=80, lines=10) as terminal:
        assert terminal.status() == 0
        shown = [" ".join(row.split()) for row in terminal.screen.display]

    assert "RECEIVED LAG SCHEDULER" in shown
    assert "18:01:05 0.2 s gecko-level-1" in shown


def test_times_are_local_unless_told():
    """The time zone of the machine, or UTC."""
    over = [delivery("task-completed")]
    words = ("--columns", "time,received", "-o", "lines")
    times = []
    for more in ([], ["--utc"]):
        done = subprocess.run(
            command(*words, *more, "--from", "-"),
            env=environment({"TZ": "Asia/Kolkata"}),
            input=records.format_record(over[0]),
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        times.append(done.stdout.decode().split())

    assert times == [["23:31:05", "23:31:05"], ["18:01:05", "18:01:05"]]
