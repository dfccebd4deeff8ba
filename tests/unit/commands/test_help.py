"""``tcsniff help``: topics, commands, and that they say what the manual says."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from man import generate
from man.blocks import Example, Prose, parse_topic
from man.interface import read_interface
from paths import ROOT
from running import command, finished, needed, output_of
from tcsniff import cli
from tcsniff.cli import main
from tcsniff.commands.help_format import list_topics

TOPICS = list_topics()
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [command.name for command in read_interface(cli.tcsniff).commands]
PAGES = [text for path, text in generate.build_pages().items() if path.startswith("man/")]


@pytest.fixture(scope="module")
def manual() -> str:
    """Give all words of the manual, in one line."""
    shown = [output_of(needed("mandoc"), "-Tutf8", "-Owidth=500", given=page) for page in PAGES]
    return words_of(re.sub(r".\x08", "", "".join(shown)))


def words_of(text: str) -> str:
    return " ".join(text.replace("`", "").split())


def test_without_a_topic_all_are_listed(capsys):
    """Topics and commands, each with its line."""
    status = main(["help"])

    listed = re.findall(r"^  (\S+)", capsys.readouterr().out, re.MULTILINE)
    assert (status, listed) == (0, [*TOPICS, *COMMANDS])


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_says_what_the_manual_says(topic, manual, capsys):
    """Word for word, paragraph by paragraph."""
    status = main(["help", topic])

    told = capsys.readouterr().out
    assert status == 0
    paragraphs = re.split(r"\n\n|\n(?=  \S)", told.strip())[1:]  # without its title
    assert [one for one in paragraphs if words_of(one).lower() not in manual.lower()] == []


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


@pytest.mark.parametrize(
    "words",
    [
        ["help", "record"],
        ["exchanges"],
        ["schema"],
        ["completion", "zsh"],
        ["explain", "--all"],
        ["--columns", "help"],
        ["config"],
        ["config", "--example"],
        ["--version"],
        ["--help"],
        ["doctor", "--help"],
    ],
    ids=" ".join,
)
def test_a_list_that_cannot_be_written_ends_as_events_do(words):
    """Status 7 for a full disk, 141 for a reader that went away; no word of a bug."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(*words), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    ends = os.pipe()
    os.close(ends[0])
    gone = subprocess.run(
        command(*words), stdout=ends[1], stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(ends[1])

    assert done.returncode == 7
    assert done.stderr.startswith("tcsniff: cannot write the output: ")
    assert (gone.returncode, gone.stderr) == (141, "")


def test_more_than_one_topic_is_an_error():
    """Status 2, and a line."""
    done = finished("help", "record", "recipes")

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


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


@pytest.mark.parametrize(
    ("words", "lines"), [((), 80), (("graph",), 70), (("top",), 90), (("simulate",), 70)]
)
def test_help_is_short_and_fits_80_columns(words, lines):
    """It has the flags that people use; nothing is cut off."""
    text = finished(*words, "--help", env={"COLUMNS": "80"}).stdout

    assert len(text.splitlines()) <= lines
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "--help-all" in text


def test_help_all_has_every_flag():
    """Also those that few people use."""
    text = finished("--help-all").stdout

    assert "--tls-insecure" in text
    assert "--tls-insecure" not in finished("--help").stdout


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_has_a_short_flag(flag):
    """As the help says."""
    assert finished(flag).stdout.startswith("tcsniff ")
