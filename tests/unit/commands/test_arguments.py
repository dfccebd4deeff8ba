"""The words of a command line, and the command among them."""

from __future__ import annotations

import click
import pytest

from builders import GROUP, TASK
from tcsniff.cli import tcsniff as root
from tcsniff.commands.arguments import (
    list_argument_places,
    list_flags_with_value,
    move_ids_behind_flags,
)

DASHED = "-N1SbArXTPSVFNUvaOlinQ"
DOUBLE_DASHED = "--1SbArXTPSVFNUvaOlinQ"
CONTEXT = click.Context(root)
COMMANDS = {name: root.get_command(CONTEXT, name) for name in root.list_commands(CONTEXT)}
FLAGS = {name: list_flags_with_value(command) for name, command in COMMANDS.items()}


@pytest.mark.parametrize(
    ("line", "command", "words"),
    [
        ("graph --demo", "graph", "--demo"),
        ("--demo graph", "graph", "--demo"),
        (f"--demo --timeout 5m graph {GROUP} -q", "graph", f"--demo --timeout 5m {GROUP} -q"),
        ("--profile x --from graph top -o json", "top", "--profile x --from graph -o json"),
        ("--profile=graph top", "top", "--profile=graph"),
        ("-vn 5 top", "top", "-vn 5"),
        ("-v top", "top", "-v"),
        ("-on top", "top", "-on"),
        ("-o top graph", "graph", "-o top"),
        ("-n5 graph", "graph", "-n5"),
        ("--logs graph", "graph", "--logs"),
        ("--logs=5 graph", "graph", "--logs=5"),
        ("--where graph failed", "sniff", "--where graph failed"),
        ("--where graph top", "top", "--where graph"),
        ("--columns help", "sniff", "--columns help"),
        ("--state running failed top", "sniff", "--state running failed top"),
        ("--record top --demo", "sniff", "--record top --demo"),
        ("--demo -- graph", "sniff", "--demo -- graph"),
        ("--worker-type gaia explain failed", "explain", "--worker-type gaia failed"),
        ("--json exchanges task", "exchanges", "--json task"),
        ("--help graph", "graph", "--help"),
        ("-h top", "top", "-h"),
        ("--demo sniff failed", "sniff", "--demo failed"),
        ("failed graph", "sniff", "failed graph"),
        ("--bogus graph", "graph", "--bogus"),
        (f"{TASK} --demo", "identify", f"{TASK} --demo"),
        (f"--demo {DASHED}", "identify", f"--demo {DASHED}"),
        (f"{DASHED}", "identify", DASHED),
        (f"--task-id {DASHED} failed", "sniff", f"--task-id {DASHED} failed"),
        (f"--profile x https://h/tasks/{TASK}", "identify", f"--profile x https://h/tasks/{TASK}"),
        ("--demo", "sniff", "--demo"),
        ("@saved --demo", "sniff", "@saved --demo"),
        ("failed:worker-type=gaia", "sniff", "failed:worker-type=gaia"),
        ("https://h/pulse-messages?x", "sniff", "https://h/pulse-messages?x"),
    ],
)
def test_the_command_is_the_first_word_that_is_no_flag_and_no_value(line, command, words):
    """Flags and their values may stand before it, in any form."""
    assert root.put_command_first(CONTEXT, line.split()) == [command, *words.split()]


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ("a --count 5 b", [0, 3]),
        ("-n 5 -n5 --count=5 a", [4]),
        ("-vq a", [1]),
        ("-vn 5 a", [2]),
        ("-n", []),
        ("- -- -n x --", [0, 2, 3, 4]),
        (f"-v {DASHED} --task-id {DASHED} {DOUBLE_DASHED}", [1, 4]),
        ("--unknown a", [1]),
        ("", []),
    ],
)
def test_arguments_are_told_from_flags_and_values(words, places):
    """As click does, except for IDs that start with a hyphen."""
    assert list_argument_places(words.split(), FLAGS["sniff"]) == places


def test_ids_that_start_with_a_hyphen_go_behind_the_flags():
    """So that click takes none for flags; values of flags and other words stay."""
    words = ["-v", DASHED, "--task-id", DASHED, "failed", DOUBLE_DASHED]

    assert move_ids_behind_flags(words, FLAGS["sniff"]) == [
        *("-v", "--task-id", DASHED, "failed"),
        *("--", DASHED, DOUBLE_DASHED),
    ]
    assert move_ids_behind_flags(["-v", "a"], FLAGS["sniff"]) == ["-v", "a"]
    assert move_ids_behind_flags([DASHED, "--", "-x"], FLAGS["sniff"]) == ["--", "-x", DASHED]


def test_no_flag_has_the_form_of_an_id():
    """Neither a long flag nor a number or word behind a short one."""
    flags = {flag for table in FLAGS.values() for flag in table}

    assert {flag for flag in flags if list_argument_places([flag], {}) == [0]} == set()


@pytest.mark.parametrize("start", ["-n", "-N", "--", "-o", "-q", "-V", "-5", "--d"])
@pytest.mark.parametrize("name", ["sniff", "graph", "top", "explain"])
def test_every_id_is_an_argument(name, start):
    """Also one that begins like a flag of the command."""
    slug_id = start + DASHED[len(start) :]
    words = move_ids_behind_flags([slug_id, "--config", "-"], FLAGS[name])

    values, *_ = COMMANDS[name].make_parser(click.Context(COMMANDS[name])).parse_args(words)

    assert slug_id in (values.get("task_group_id"), *(values.get("events") or ()))
