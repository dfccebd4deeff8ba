"""Recordings that a process writes, follows, and leaves behind when it is killed."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from builders import delivery
from recording_samples import (
    SHORT,
    TEXT,
    incompressible,
    keys,
    read,
    record,
)
from running import PATIENCE, Running, command, environment, finished
from tcsniff.cli import main
from tcsniff.errors import OutputError
from tcsniff.pipeline import run_pipeline
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery
from tcsniff.renderers.lines import LINE_FORMATS, LineRenderer
from tcsniff.renderers.output import Output
from tcsniff.renderers.recorder import Recorder


def test_standard_input_is_a_recording_too():
    """``-`` reads a pipe, compressed or not."""
    for text in (TEXT, gzip.compress(TEXT)):
        done = subprocess.run(
            command("--from", "-", "-o", "json"),
            env=environment(),
            input=text,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

        assert (done.returncode, done.stdout) == (0, TEXT)


def test_a_file_that_may_not_be_read_is_told(tmp_path):
    """Status 6, for people who are not root."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(TEXT)
    path.chmod(0)
    program = command("--from", str(path))
    if os.geteuid() == 0:
        tmp_path.chmod(0o755)
        program = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *program]
    done = subprocess.run(
        program, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == f"tcsniff: {path}: Permission denied\n"


def test_a_named_pipe_is_read_once(tmp_path):
    """All that its writer wrote, however soon that one ended."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    for _ in range(3):
        writer = subprocess.Popen(["sh", "-c", f"printf '1\\n{SHORT[0].decode()}' > {path}"])
        program = command("--from", str(path), "-o", "json", "--quiet")
        reader = subprocess.Popen(program, env=environment(), stdout=subprocess.PIPE)
        try:
            out, _ = reader.communicate(timeout=10)
        finally:
            reader.kill()
            writer.kill()
            writer.wait()
            reader.communicate()

        assert out == SHORT[0]


def test_a_process_follows_a_file(tmp_path):
    """While another one records, until it is told to end."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(SHORT[0])
    with Running("--from", str(path), "--follow", "-o", "raw") as following:
        assert following.lines(1) == ["0"]
        record(path, [delivery(body=b"1"), delivery(body=b"2")])

        assert following.lines(3) == ["0", "1", "2"]
        assert following.signal(signal.SIGINT) == 130


# What can go wrong while writing


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_a_full_disk_ends_the_recording_with_whole_lines(name, small_disk, tmp_path, capfdbinary):
    """Status 7, and what is there can be read: the beginning, without a gap."""
    lines = [records.format_record(one) for one in incompressible(200)]
    (tmp_path / "r").write_bytes(b"".join(lines))

    status = main(["--from", str(tmp_path / "r"), "--record", str(small_disk / name), "-o", "raw"])

    said = capfdbinary.readouterr().err.decode()
    found, _ = read(small_disk / name)
    assert status == 7
    assert f"tcsniff: cannot write the recording {small_disk / name}: No space left" in said
    assert [records.format_record(one) for one in found] == lines[: len(found)]
    assert 20 < len(found) < 200
    if name == "r.jsonl":
        assert (small_disk / name).read_bytes() == b"".join(lines[: len(found)])


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_what_was_not_recorded_is_not_settled(name, small_disk):
    """Asking for the next batch acknowledges the last one: nobody asks after a failure."""
    sent = incompressible(200)
    batches = [sent[place : place + 10] for place in range(0, 200, 10)]
    asked = []

    class Source:
        def batches(self) -> Iterator[list[Delivery]]:
            for place, batch in enumerate(batches):
                asked.append(place)
                yield batch

        def ack(self, taken: int) -> None:
            asked.append(-taken)

        def stop(self) -> None:
            raise AssertionError

    shown = io.BytesIO()
    recorder = Recorder(str(small_disk / name), LineRenderer(Output(shown), LINE_FORMATS["json"]))
    with pytest.raises(OutputError), closing(recorder):
        run_pipeline(Source(), recorder)

    found, _ = read(small_disk / name)
    settled = 10 * (len(asked) - 1)
    assert asked == list(range(len(asked)))
    assert 0 < settled <= len(found) < 200
    assert shown.getvalue().count(b"\n") == settled  # shown is what was recorded before


def test_output_that_cannot_be_written_ends_it(tmp_path):
    """Standard output on a full disk: status 7, named."""
    (tmp_path / "r").write_bytes(TEXT)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("--from", str(tmp_path / "r")),
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )

    assert done.returncode == 7
    assert b"tcsniff: cannot write the output: No space left on device" in done.stderr


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_a_recording_survives_being_killed(name, tmp_path):
    """``kill -9`` at any moment: all that was shown is there, in whole lines; and it goes on."""
    path = tmp_path / name
    words = ("--demo", "--seed", "1", "--all", "-o", "json", "--record", str(path))
    with Running(*words) as running:
        shown = running.lines(150)
        running.process.kill()
        running.process.wait(PATIENCE)

    found, told = read(path)
    assert [records.format_record(one).decode().rstrip("\n") for one in found][
        : len(shown)
    ] == shown
    assert [text for text in told if "is incomplete" not in text] == []
    if name == "r.jsonl":
        assert path.read_bytes().endswith(b"\n")

    record(path, [delivery(key="new.0"), delivery(key="new.1")])
    assert keys(read(path)[0]) == [*keys(found), "new.0", "new.1"]


def test_what_one_message_says_of_a_task_is_known_later(tmp_path):
    """A canceled task has the name that its definition had; the record stays as it was."""
    bare = delivery("task-exception", payload={"task": {"tags": {}}})
    path = tmp_path / "r.jsonl"
    record(path, [delivery("task-defined", label="opt-1"), bare])
    words = ("--from", str(path), "exception", "defined")

    lines = finished(*words, "-o", "lines", "--state", "exception")
    records_of = finished(*words, "-o", "json", "--tag", "label=opt-1", "--state", "exception")

    assert " opt-1 " in lines.stdout
    assert records_of.stdout == path.read_text(encoding="utf-8").splitlines(keepends=True)[1]
