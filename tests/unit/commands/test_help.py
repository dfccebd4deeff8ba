"""``tcsniff help``: topics, commands, and that they say what the manual says."""

from __future__ import annotations

import itertools
import re
import shlex

import pytest

from man.blocks import Example, Prose, parse_topic
from man.interface import read_interface
from paths import ROOT
from tcsniff import cli
from tcsniff.cli import main
from tcsniff.commands.help_format import list_topics

TOPICS = list_topics()
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [command.name for command in read_interface(cli.tcsniff).commands]


def test_without_a_topic_all_are_listed(capsys):
    """Topics and commands, each with its line."""
    status = main(["help"])

    listed = re.findall(r"^  (\S+)", capsys.readouterr().out, re.MULTILINE)
    assert (status, listed) == (0, [*TOPICS, *COMMANDS])


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_fits_the_screen(topic, capsys):
    """80 columns, and nothing that a terminal would obey."""
    main(["help", topic])

    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert told.replace("\n", "").isprintable()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_told_of_as_by_its_own_flag(command, capsys):
    """``help COMMAND`` and ``COMMAND --help`` are the same."""
    main(["help", command])
    told = capsys.readouterr().out
    main([command, "--help"])

    assert told == capsys.readouterr().out


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("exit-statu", "; did you mean 'exit-status'?"),
        ("docter", "; did you mean 'doctor'?"),
        ("xyzzy", "; `tcsniff help` lists all topics"),
        ("", "; `tcsniff help` lists all topics"),
        ("\x1b[2J", "; `tcsniff help` lists all topics"),
    ],
)
def test_what_there_is_not_is_an_error(topic, hint, capsys):
    """Status 2, one line, a way on."""
    status = main(["help", topic])

    assert status == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("tcsniff: unknown topic ")
    assert told.err.endswith(f"{hint}\n")
    assert "\x1b" not in told.err


# Recipes

_BLOCKS = parse_topic(TOPICS["recipes"])[1]
RECIPES = {
    title.text: lines.text
    for title, lines in itertools.pairwise(_BLOCKS)
    if isinstance(title, Prose) and isinstance(lines, Example)
}
SECTION = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
TOLD = re.findall(r"^```sh\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_is_one_of_the_readmes(title):
    """Where they are run by `test_recipes`; lines may be broken elsewhere."""
    assert tokens(RECIPES[title]) in [tokens(recipe) for recipe in TOLD]


def tokens(lines: str) -> list[str]:
    """Take a script apart as sh does: line breaks count where they end a command."""
    lexer = shlex.shlex(lines.strip().replace("\\\n", " "), punctuation_chars="|<>&;\n")
    lexer.whitespace = " \t"
    lexer.commenters = ""
    found = [" ".join(token.split()) if token.strip("\n") else "\n" for token in lexer]
    return [
        one
        for one, before in zip(found, ["", *found], strict=False)
        if one != "\n" or before != "|"
    ]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["top", "--by", "nothing"], "see tcsniff top --help"),
        (["--color", "pink", "task-failed"], "see tcsniff --help"),
        (["completion"], "see tcsniff completion --help"),
    ],
)
def test_wrong_usage_leads_to_the_help_of_its_command(words, hint, capsys):
    """In one line, whatever click makes of it."""
    status = main(words)

    (line,) = capsys.readouterr().err.splitlines()
    assert (status, line[-len(hint) :]) == (2, hint)
    assert line.isprintable()
