"""The cost of starting: the modules that are loaded, which do not vary as times do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from startup import FAILING, HEAVY, PROGRAM, child

QUICK = [
    ["--help"],
    ["--version"],
    ["exchanges"],
    ["exchanges", "--json", "task"],
    ["explain", "--worker-type", "gaia", "task-running"],
    ["explain", "--json", "--route", "index.#"],
    ["explain", "--help"],
    ["config"],
    ["config", "--json"],
    ["simulate", "--help"],
    ["simulate", "--fault", "help"],
    ["help"],
    ["help", "record"],
    ["help", "doctor"],
    ["completion", "bash"],
]


@pytest.mark.parametrize("args", QUICK, ids=" ".join)
def test_commands_that_do_not_connect_load_nothing_heavy(args):
    """Help, completion and lists need neither kombu nor rich."""
    answer, _, loaded = child(PROGRAM, *args).rpartition("LOADED")

    assert answer
    assert "tcsniff.cli" in loaded.split()
    assert HEAVY & set(loaded.split()) == set()


MISTAKES = [
    ["--nonsense"],
    ["task-runing"],
    *([command, "--nonsense"] for command in ("graph", "task", "top", "runs", "browse")),
]
SETTINGS = {
    "pathlib",
    "msgspec",
    "tcsniff.settings.brokers",
    "tcsniff.settings.config_file",
    "tcsniff.settings.precedence",
}


@pytest.mark.parametrize("args", MISTAKES, ids=" ".join)
def test_a_mistyped_word_is_reported_before_settings_are_read(args):
    """Reading them would take a sixth of the time; messages and views, too, are not needed."""
    loaded = set(child(FAILING, *args).split())

    assert "tcsniff.cli" in loaded
    assert (HEAVY | SETTINGS) & loaded == set()


def test_events_are_printed_without_what_only_other_views_need():
    """The first event of a broker does not wait for counters, graphs and terminals."""
    loaded = set(child(PROGRAM, "--demo", "-n", "1", "-o", "json").split())

    assert "kombu" in loaded
    assert {"rich", "textual", "urllib3", "websockets", "jmespath"}.isdisjoint(loaded)
    assert {"tcsniff.stats", "tcsniff.taskgraph.tracker"}.isdisjoint(loaded)


def test_importing_the_package_loads_nothing_else():
    """Until one of its names is used."""
    program = """
import sys
before = set(sys.modules)
import tcsniff
print(*sorted(set(sys.modules) - before))
"""

    assert child(program).split() == ["tcsniff"]


def test_messages_need_no_broker_and_no_terminal():
    """Whoever only decodes does not pay for kombu, rich and click."""
    program = "import sys, tcsniff.messages; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert {"kombu", "amqp", "rich", "click"}.isdisjoint(done.stdout.split())
