"""Settings, as a new process reads them."""

from __future__ import annotations

import os
import shlex

import pytest

from builders import TASK
from startup import HEAVY, PROGRAM, child
from tcsniff.cli import main

FILE = """
worker-type = "of-file"
profile = "mine"

[profiles.mine]
broker = "amqps://mine.example/v"
user = "somebody"
password-command = ["false"]
root-url = "https://tc.mine.example/"
flags = { worker-type = "of-profile" }

[profiles.other]
broker = "amqps://other.example"

[profiles.community.flags]
worker-type = "of-community"

[selections.saved]
events = ["task-failed", "task-exception"]
worker-type = "of-selection"
where = "lag"
reason = "claim-expired"
tag = "kind=build"

[selections.plain]
events = "task-failed"

[selections.gaia]
worker-type = "gaia"

[selections.elsewhere]
events = "task-running"
profile = "community"
"""


@pytest.fixture(autouse=True)
def _unset(monkeypatch):
    for name in [*os.environ]:
        if name.startswith(("TCSNIFF_", "PULSE_", "TASKCLUSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TCSNIFF_CONFIG", "-")


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Give a writer of the settings file."""
    path = tmp_path / "config.toml"

    def write(text=FILE):
        path.write_text(text)
        monkeypatch.setenv("TCSNIFF_CONFIG", str(path))
        return path

    return write


@pytest.fixture
def run(capsys):
    """Run a command line in this process: its status, output and messages."""

    def run(line, *, status=0):
        given = main(shlex.split(line))
        out, err = capsys.readouterr()
        assert given == status, err
        return out, err

    return run


def test_a_deployment_that_was_typed_is_asked(file, run):
    """Though the settings say to ask none."""
    file("no-api = true")

    _, err = run(f"graph {TASK} --root-url http://127.0.0.1:1 --no-wait", status=3)

    assert "no connection to http://127.0.0.1:1" in err


def test_our_variable_beats_pulses(file, run, monkeypatch):
    """As ever: the profile's command for the password is run."""
    file()
    monkeypatch.setenv("PULSE_URL", "amqp://u@h")
    monkeypatch.setenv("TCSNIFF_PROFILE", "mine")

    _, err = run("task-running", status=2)

    assert err == "tcsniff: password-command of profile mine: false ended with status 1\n"


# What is not done


@pytest.mark.parametrize(
    "args",
    [["--help"], ["--version"], ["explain", "--help"], ["completion", "bash"], ["schema"]],
    ids=" ".join,
)
def test_help_reads_no_settings(args, file):
    """Not even those that are wrong: they cost nothing and break nothing."""
    file("wrong")

    _, _, loaded = child(PROGRAM, *args).rpartition("LOADED")

    assert "tomllib" not in loaded.split()


def test_no_file_costs_no_parser(file):
    """It is loaded for those who have settings."""
    _, _, without = child(PROGRAM, "explain", "task-running", "--config", "-").rpartition("LOADED")
    file()
    _, _, loaded = child(PROGRAM, "explain", "task-running").rpartition("LOADED")

    assert {"tomllib", "tcsniff.settings.file_schema"}.isdisjoint(without.split())
    assert "tomllib" in loaded.split()
    assert HEAVY & set(loaded.split()) == set()
