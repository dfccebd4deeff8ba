"""What people expect from other programs is answered with what there is."""

from __future__ import annotations

import re

import click
import pytest

from tcsniff.cli import tcsniff as root
from tcsniff.commands.expected_words import _COMMANDS, _FLAGS, explain_flag
from tcsniff.pulse.exchanges import has_exchange

pytestmark = pytest.mark.usefixtures("no_settings")

CONTEXT = click.Context(root)
COMMANDS = {name: root.get_command(CONTEXT, name) for name in root.list_commands(CONTEXT)}
FLAGS = {
    name: {flag for parameter in command.params for flag in parameter.opts}
    for name, command in COMMANDS.items()
}
TO_COME = {"runs"}  # commands that other parts add


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("grap", "'grap' is neither a command nor an event; did you mean 'graph'?"),
        ("--demo grap", "did you mean 'graph'?"),
        ("log", "`tcsniff task ID` prints the end of the log"),
        ("logs fN1S", "`tcsniff task ID` prints the end of the log"),
        ("watch", "`tcsniff EVENT` prints events as they happen"),
        ("ls", "`tcsniff exchanges` lists the EVENTs"),
        ("list", "`tcsniff exchanges` lists the EVENTs"),
        ("status", "`tcsniff task ID` and `tcsniff graph ID` print the state"),
        ("task-runing", "unknown event 'task-runing'; did you mean 'task-running'?"),
        ("bogus", "unknown event 'bogus'; `tcsniff exchanges` lists all events"),
        ("failed --watch", "unknown flag '--watch'; events are printed as they happen"),
        ("graph --watch", "unknown flag '--watch'; graph and task wait for the end"),
        ("failed --limit 5", "unknown flag '--limit'; -n N stops after N events"),
        ("failed --jq .x", "unknown flag '--jq'; --select EXPR prints the result"),
        ("failed --template x", "unknown flag '--template'; --select EXPR prints"),
        ("failed --filter x", "unknown flag '--filter'; --where EXPR matches events"),
        ("failed --output-format json", "unknown flag '--output-format'; -o NAME chooses"),
        ("failed --format json", "unknown flag '--format'; -o NAME chooses"),
        ("graph --since 5m", "unknown flag '--since'; `tcsniff --since`"),
        (
            "failed --follow",
            "--follow needs --from; the events of a broker are followed without it",
        ),
        ("failed --cuont 5", "unknown flag '--cuont'; did you mean '--count'?"),
        ("failed --worker-tpye x", "did you mean '--worker-type'?"),
        ("graph --bogus", "unknown flag '--bogus'; see tcsniff graph --help"),
        ("exchanges --watch", "unknown flag '--watch'; see tcsniff exchanges --help"),
    ],
)
def test_an_error_says_what_to_use(line, words, run_line):
    """A command or flag that does it; nothing if nothing is close."""
    out, err = run_line(line, status=2)

    assert out == ""
    assert words in err


def test_the_hints_name_only_what_exists():
    """Commands and flags in the hints are those of the program."""
    hints = [*_COMMANDS.values(), *(hint for rows in _FLAGS.values() for _, hint in rows)]
    commands = {name for hint in hints for name in re.findall(r"`tcsniff ([a-z]+)", hint)}
    flags = {flag for hint in hints for flag in re.findall(r"--[a-z][a-z-]+", hint)}
    known = set().union(*FLAGS.values()) | {"--version"}

    assert {name for name in commands if not has_exchange(name)} <= COMMANDS.keys() | TO_COME
    assert flags - known == set()


def test_no_expected_word_hides_a_command_an_event_or_a_flag():
    """What exists is never explained away."""
    assert not {word for word in _COMMANDS if word in COMMANDS or has_exchange(word)}
    needed = {needed for rows in _FLAGS.values() for needed, _ in rows if needed}
    assert needed <= set().union(*FLAGS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_hint_names_a_flag_that_the_command_has(name):
    """A flag of another command would be the next error."""
    for flag in _FLAGS:
        for named in re.findall(
            r"(?<![\w`-])--[a-z][a-z-]+(?= EXPR| N |$)", explain_flag(flag, COMMANDS[name])
        ):
            assert named in FLAGS[name], (flag, named)
