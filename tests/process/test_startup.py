"""The cost of starting: the modules that are loaded, which do not vary as times do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from startup import HEAVY, PROGRAM, child

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
