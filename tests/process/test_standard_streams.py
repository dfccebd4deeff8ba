"""Standard streams that are closed at start, or cannot be written, in every command."""

from __future__ import annotations

import subprocess

import pytest

from builders import delivery
from running import PATIENCE, command, environment
from tcsniff.pulse import records

DEMO = ("--demo", "--seed", "1", "--utc")
PRINTING = [
    (*DEMO, "-n", "5", "-o", "json"),
    (*DEMO, "-n", "5", "-o", "lines"),
    (*DEMO, "-n", "5", "--select", "event"),
    ("--from", "RECORDING", "-o", "raw"),
    ("top", "--from", "RECORDING"),
    ("top", "--from", "RECORDING", "-o", "table"),
    ("graph", *DEMO, "-o", "json", "-n", "3"),
    ("graph", *DEMO, "-o", "lines", "-n", "3"),
    ("task", *DEMO, "-o", "json"),
    ("task", *DEMO, "-o", "lines"),
    ("explain", "task-failed"),
    ("exchanges",),
    ("exchanges", "--json"),
    ("config",),
    ("config", "--example"),
    ("schema",),
    ("completion", "zsh"),
    ("help", "record"),
    ("simulate", "--fault", "help"),
    ("--columns", "help"),
    ("--version",),
    ("--help",),
    ("top", "--help"),
]
FAILING = {
    ("task-runing",): 2,
    (): 2,
    ("graph",): 2,
    ("task",): 2,
    ("--from", "/nowhere"): 6,
    ("task-failed", "--broker", "amqp://127.0.0.1:1"): 3,
    (*DEMO, "-n", "900", "--fail-on", "event == 'task-failed'", "-o", "json"): 10,
    ("graph", *DEMO, "-n", "3", "-o", "json"): 12,
    (*DEMO, "--timeout", "1ms", "-o", "json"): 124,
}


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"".join(records.format_record(delivery(key=f"k.{n}")) for n in range(5)))
    return path


def run(words, redirection, recording=None):
    """Run tcsniff with redirections of a shell."""
    words = [str(recording) if word == "RECORDING" else word for word in words]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command(*words)],
        env=environment({"COLUMNS": "100"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_standard_output_that_is_closed_is_an_error(words, recording):
    """Status 7 and a sentence; closed by ``>&-``, and opened for reading only."""
    for redirection in (">&-", "1</dev/null"):
        done = run(words, redirection, recording)

        assert done.returncode == 7
        assert "tcsniff: cannot write the output: standard output is closed\n" in done.stderr


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "<&-", "<&- 2>&-", "2</dev/null"])
def test_other_streams_change_nothing(words, redirection, recording):
    """Messages are dropped: the data and the status stay the same."""
    usual = run(words, "", recording)
    done = run(words, redirection, recording)

    assert (done.returncode, done.stdout) == (usual.returncode, usual.stdout)
    assert usual.stdout


@pytest.mark.parametrize(("words", "status"), FAILING.items(), ids=str)
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "<&-"])
def test_failures_keep_their_status(words, status, redirection):
    """Also those whose message cannot be printed."""
    assert run(words, redirection).returncode == status


def test_a_full_standard_output_and_error_have_a_status():
    """Nothing can be said, but the status says it."""
    assert run((*DEMO, "-n", "5"), ">/dev/full 2>/dev/full").returncode == 7


@pytest.mark.parametrize("redirection", ["<&- >&- 2>&-", "2>&-", "<&-"])
def test_files_do_not_take_the_place_of_closed_streams(redirection, tmp_path, recording):
    """A recording and a picture hold what they should, and no messages or events."""
    copy, picture = tmp_path / "copy.jsonl", tmp_path / "p.svg"
    words = ("--from", str(recording), "--record", str(copy), "--save-svg", str(picture))
    run(words, redirection)

    assert not copy.exists() or copy.read_bytes() in (b"", recording.read_bytes())
    assert not picture.exists() or picture.read_text().startswith("<svg")


@pytest.mark.parametrize("redirection", ["", "2>&-", "2>/dev/full"])
def test_a_recording_is_read_from_standard_input_that_is_closed(redirection):
    """It contains nothing: status 6."""
    done = run(("--from", "-"), f"<&- {redirection}")

    assert done.returncode == 6
