"""Settings, as a new process reads them."""

from __future__ import annotations

import pytest

from builders import TASK
from startup import HEAVY, PROGRAM, child

pytestmark = pytest.mark.usefixtures("no_settings")


def test_a_deployment_that_was_typed_is_asked(write_settings, run_line):
    """Though the settings say to ask none."""
    write_settings("no-api = true")

    _, err = run_line(f"graph {TASK} --root-url http://127.0.0.1:1 --no-wait", status=3)

    assert "no connection to http://127.0.0.1:1" in err


def test_our_variable_beats_pulses(write_settings, run_line, monkeypatch):
    """As ever: the profile's command for the password is run."""
    write_settings()
    monkeypatch.setenv("PULSE_URL", "amqp://u@h")
    monkeypatch.setenv("TCSNIFF_PROFILE", "mine")

    _, err = run_line("task-running", status=2)

    assert err == "tcsniff: password-command of profile mine: false ended with status 1\n"


# What is not done


@pytest.mark.parametrize(
    "args",
    [["--help"], ["--version"], ["explain", "--help"], ["completion", "bash"], ["schema"]],
    ids=" ".join,
)
def test_help_reads_no_settings(args, write_settings):
    """Not even those that are wrong: they cost nothing and break nothing."""
    write_settings("wrong")

    _, _, loaded = child(PROGRAM, *args).rpartition("LOADED")

    assert "tomllib" not in loaded.split()


def test_no_file_costs_no_parser(write_settings):
    """It is loaded for those who have settings."""
    _, _, without = child(PROGRAM, "explain", "task-running", "--config", "-").rpartition("LOADED")
    write_settings()
    _, _, loaded = child(PROGRAM, "explain", "task-running").rpartition("LOADED")

    assert {"tomllib", "tcsniff.settings.file_schema"}.isdisjoint(without.split())
    assert "tomllib" in loaded.split()
    assert HEAVY & set(loaded.split()) == set()
