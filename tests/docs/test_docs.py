"""The manual pages, against the commands and against mandoc and groff."""

from __future__ import annotations

import ast
import itertools
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from paths import ROOT
from running import needed, output_of
from tcsniff import cli, errors
from tcsniff.cli import INTERRUPTED
from tcsniff.interface import DEFAULT, Interface, interface_of
from tcsniff.manual import documents, settings
from tcsniff.manual.blocks import Example, Prose, Terms
from tcsniff.manual.commands import NOTHING, WORDS
from tcsniff.manual.overview import EXAMPLES
from tcsniff.manual.page import command_page, heading, page
from tcsniff.manual.record import ADDED, fields
from tcsniff.manual.roff import bold, escaped, prose, section, text_line
from tcsniff.manual.statuses import statuses
from tcsniff.manual.topics import ENVIRONMENT, expressions
from tcsniff.pipeline import Outcome
from tcsniff.selection.evaluation import EXPRESSION_FIELDS
from tcsniff.selection.expressions import compile_expression as compiled

INTERFACE = interface_of(cli.tcsniff)
COMMANDS = {command.name: command for command in INTERFACE.commands}
DOCUMENTS = documents.documents()
PAGES = {path: text for path, text in DOCUMENTS.items() if path.startswith("man/")}


# The files


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_up_to_date(path):
    """What `make docs` would write is what is there."""
    assert (ROOT / path).read_text(encoding="utf-8") == DOCUMENTS[path]


def test_what_was_written_is_not_old(tmp_path, monkeypatch, capsys):
    """Writing, then checking, finds nothing to say."""
    monkeypatch.chdir(tmp_path)
    documents.main([], standalone_mode=False)

    status = documents.main(["--check"], standalone_mode=False)

    assert (status, capsys.readouterr().err) == (0, "")


@pytest.mark.parametrize("path", ["completions/_tcsniff", "man/man1/tcsniff.1"])
@pytest.mark.parametrize("harm", [Path.unlink, Path.touch], ids=["missing", "changed"])
def test_the_check_names_the_one_that_is_old(path, harm, tmp_path, monkeypatch, capsys):
    """Status 1, and a line for it alone."""
    monkeypatch.chdir(tmp_path)
    documents.main([], standalone_mode=False)
    Path(path).write_text("old", encoding="utf-8")
    harm(Path(path))

    status = documents.main(["--check"], standalone_mode=False)

    assert status == 1
    assert capsys.readouterr().err == f"{path} is old; `make docs` writes it anew\n"


def test_a_page_of_no_command_is_told_and_deleted(tmp_path, monkeypatch, capsys):
    """As when a command got another name; what is not ours stays."""
    monkeypatch.chdir(tmp_path)
    documents.main([], standalone_mode=False)
    Path("man/man1/tcsniff-gone.1").touch()
    Path("man/man1/other.1").touch()

    status = documents.main(["--check"], standalone_mode=False)
    documents.main([], standalone_mode=False)

    assert status == 1
    assert "tcsniff-gone.1 is of no command" in capsys.readouterr().err
    assert not Path("man/man1/tcsniff-gone.1").exists()
    assert Path("man/man1/other.1").exists()


def test_the_manual_can_be_written_from_the_command_line():
    """``python -m tcsniff.manual`` is what make calls."""
    shown = output_of(sys.executable, "-m", "tcsniff.manual", "--help")

    assert "--check" in shown


# The words


@pytest.mark.parametrize("command", INTERFACE.commands, ids=lambda command: command.name)
def test_the_help_of_every_flag_is_a_sentence(command):
    """It starts with a capital or says what it names, and ends in a full stop."""
    bad = [flag.names for flag in command.flags if not re.fullmatch(r"\S.*\.", flag.help)]

    assert bad == []


def test_hidden_flags_stay_hidden():
    """What the help does not show, nothing made from it shows."""
    command = click.Command("one", params=[click.Option(["--secret"], hidden=True)], help="One.")

    shown = interface_of(click.Group("root", commands={"one": command}))

    assert "--secret" not in str(shown)


# The manual pages


@pytest.mark.parametrize("path", PAGES)
def test_mandoc_has_nothing_to_say(path):
    """Not even of style."""
    assert output_of(needed("mandoc"), "-Tlint", given=PAGES[path]) == ""


@pytest.mark.parametrize("path", PAGES)
def test_groff_has_nothing_to_say(path):
    """Which is what most people's man runs."""
    said = output_of(needed("groff", "groff-base"), "-man", "-ww", "-z", given=PAGES[path])

    assert said == ""


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        ("a-b", r"a\-b"),
        (r"C:\new", r"C:\enew"),
        ("it's", r"it\(aqs"),
        ('"a"', r"\(dqa\(dq"),
        ("`a`", r"\(gaa\(ga"),
        ("^~", r"\(ha\(ti"),
        ("a…", r"a\[u2026]"),
        (".SH NAME", ".SH NAME"),
    ],
)
def test_text_stays_text(text, roff):
    """Whatever roff would read something into is escaped; at the start of lines, see below."""
    assert escaped(text) == roff


@pytest.mark.parametrize("text", [".SH injected", "'br", " indented"])
def test_no_line_of_text_is_a_request(text):
    """A dot, an apostrophe or a blank at the start would make it one."""
    assert text_line(escaped(text))[0] not in ".' "


def test_backquotes_make_bold():
    """In running text; line breaks are spaces there."""
    assert prose("see `a-b`\n  or c-d") == r"see \fBa\-b\fR or c\-d"


HAZARDS = [
    ".SH injected",
    "'br or not",
    r"C:\new and \fBbold",
    "--flag-like 'quoted' ~/x ^y $(z)",
]


@pytest.mark.parametrize("text", HAZARDS)
def test_a_rendered_page_shows_help_as_it_was_written(text):
    """Of a flag and of a command, through mandoc; spaces apart."""
    option = click.Option(["--flag"], help=text)
    made_up = click.Command(DEFAULT, params=[option], help=f"First.\n\n{text}\n\n\b\n{text}")
    roff = page(interface_of(click.Group("root", commands={DEFAULT: made_up})))

    shown = output_of(needed("mandoc"), "-Tutf8", "-Owidth=200", given=roff)

    plain = re.sub(r".\x08", "", shown)  # bold is a letter struck twice
    assert plain.count(text) == 3


@pytest.mark.parametrize("text", HAZARDS)
def test_hand_written_words_are_as_safe(text):
    """Running text, terms and examples, wherever a line of them may break."""
    blocks = [Prose(f"Some {text}"), Terms({text: text}), Example(text)]
    roff = "\n".join([*heading("one", 1, "two"), *section("THREE", blocks), ""])

    shown = output_of(needed("mandoc"), "-Tutf8", "-Owidth=200", given=roff)

    assert re.sub(r".\x08", "", shown).count(text) == 4
    assert output_of("mandoc", "-Tlint", given=roff) == ""


def test_text_that_is_broken_into_lines_starts_no_request():
    """A dot after the break is guarded as at the start."""
    lines = prose("word " * 15 + ".SH " * 40).split("\n")

    assert len(lines) > 2
    assert not [line for line in lines if line.startswith((".", "'"))]


@pytest.mark.parametrize("command", INTERFACE.commands, ids=lambda command: command.name)
def test_every_command_and_flag_stands_in_the_manual(command):
    """A flag on the page of its command, those of the default one in tcsniff(1)."""
    name = "tcsniff" if command.is_default else f"tcsniff-{command.name}"
    options = PAGES[f"man/man1/{name}.1"].partition('.SH "OPTIONS"')[2]
    options = options.partition('.SH "EXIT STATUS"')[0]

    missing = [
        flag.names for flag in command.flags if ", ".join(map(bold, flag.names)) not in options
    ]

    assert missing == []
    assert f"\n{bold(command.name)}\n" in PAGES["man/man1/tcsniff.1"].partition("COMMANDS")[2]


def test_a_command_that_nobody_wrote_of_has_a_page():
    """Made of its help, with the exit statuses that its flags can give."""
    params = [click.Option(["--broker"], help="Which."), click.Option(["--timeout"], help="When.")]
    made_up = click.Command("brand-new", params=params, help="Do something.\n\nMore of it.")
    interface = _with(made_up)

    roff = command_page(interface.commands[0], interface)

    assert output_of(needed("mandoc"), "-Tlint", given=roff) == ""
    assert "More of it." in roff
    assert set(re.findall(r"^\\fB(\d+)\\fR$", roff, re.MULTILINE)) >= {"3", "4", "5", "124"}
    assert {bold(name) in roff for name in ("PULSE_URL", "PULSE_PASSWORD")} == {True}
    assert bold("NO_COLOR") not in roff


def test_a_command_that_connects_to_nothing_cannot_fail_at_it():
    """Whatever flags it has."""
    command = click.Command(
        "config", params=[click.Option(["--broker"], help="Which.")], help="A."
    )
    interface = _with(command)

    assert (
        re.findall(
            r"^\\fB[345]\\fR$", command_page(interface.commands[0], interface), re.MULTILINE
        )
        == []
    )


def test_a_command_of_commands_has_a_page():
    """What may follow its name is told."""
    group = click.Group(
        "many", commands={"one": click.Command("one", help="Do one.")}, help="All."
    )
    interface = _with(group)

    roff = command_page(interface.commands[0], interface)

    assert interface.commands[0].arguments[0].words == ("one",)
    assert "Do one." in roff


def _with(command: click.Command) -> Interface:
    default = click.Command(DEFAULT, help="Show.")
    return interface_of(
        click.Group("tcsniff", commands={DEFAULT: default, command.name or "": command})
    )


def test_words_are_of_commands_that_are_there():
    """A command that is gone takes along what was said of it."""
    assert WORDS.keys() <= COMMANDS.keys()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_pages_that_are_there(path):
    """At its end, the overview among them, and not itself."""
    names = {f"{Path(path).stem}({path[-1]})" for path in PAGES}
    end = PAGES[path].partition("SEE ALSO")[2].replace("\\", "")

    seen = set(re.findall(r"tcsniff[a-z-]*\(\d\)", end))

    assert seen <= names - {f"{Path(path).stem}({path[-1]})"}
    assert ("tcsniff(1)" in seen) is (path != "man/man1/tcsniff.1")


def test_every_variable_that_is_read_is_documented():
    """And none that is not; say in `topics` what a new one is for."""
    read = {name for path in (ROOT / "tcsniff").rglob("*.py") for name in _variables(path)}

    assert read == set(ENVIRONMENT)


def _variables(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if "environ" not in text or path.parent.name == "manual":
        return
    for node in ast.walk(ast.parse(text)):
        arguments = node.args if isinstance(node, ast.Call) else []
        arguments = [*arguments, *_variables_of_flags(node)]
        arguments = [node.slice] if isinstance(node, ast.Subscript) else arguments
        for argument in arguments:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield from re.findall(r"^[A-Z]{2,}[A-Z_]{2,}$", argument.value)


def _variables_of_flags(node: ast.AST) -> list[ast.expr]:
    keywords = node.keywords if isinstance(node, ast.Call) else []
    return [word.value for word in keywords if word.arg == "envvar"]


def test_every_exit_status_is_documented():
    """Those of failures, of outcomes, and of signals."""
    failures = {
        kind.exit_status
        for kind in vars(errors).values()
        if isinstance(kind, type) and hasattr(kind, "exit_status")
    }
    outcomes = {outcome.exit_status for outcome in Outcome}

    assert failures | outcomes | {0, 1, 129, INTERRUPTED, 143} <= set(statuses())


def examples() -> Iterator[str]:
    """Give the lines of all examples that call tcsniff, for commands that are there."""
    told = [*EXAMPLES, *(row for name in COMMANDS for row in WORDS.get(name, NOTHING).examples)]
    yield from (line for _, line in told if line.startswith("tcsniff "))
    for block in expressions():
        if isinstance(block, Example):
            yield from block.text.strip().split("\n")


@pytest.mark.parametrize("line", list(examples()))
def test_an_example_can_be_typed(line):
    """Its flags exist, and their values can be read; its expressions have no mistake."""
    words = [word.replace("\\`", "`") for word in shlex.split(line)[1:]]
    words = list(itertools.takewhile(lambda word: word not in ("|", ">"), words))
    name = words.pop(0) if words and words[0] in COMMANDS else DEFAULT

    top = click.Context(cli.tcsniff)
    command = cli.tcsniff.get_command(top, name)
    context = command.make_context(name, words, parent=top)

    for flag in ("where", "until", "select"):
        given = context.params.get(flag) or ()
        for text in [given] if isinstance(given, str) else given:
            assert compiled(text, flag).hint is None


# The record


def test_every_field_of_the_record_is_told():
    """And all that expressions see."""
    assert fields().keys() | ADDED.keys() == EXPRESSION_FIELDS.keys()
    assert all(re.fullmatch(r"\(.+\) [A-Z].+\.", text) for text in fields().values())


def test_the_page_of_the_settings_file_is_right():
    """Its example is shown as it is."""
    lines = [*heading("tcsniff-config", 5, "the settings file")]
    for title, blocks in settings.sections("# a file\n#[profiles.mine]\n").items():
        lines += section(title, blocks)
    roff = "\n".join([*lines, ""])

    assert output_of(needed("mandoc"), "-Tlint", given=roff) == ""
    assert "\n#[profiles.mine]\n" in roff


# Arguments


def test_the_manual_shows_the_help_of_arguments():
    """Where click has one, as since 8.5."""
    argument = click.Argument(["place"])
    argument.help = "Where to go."
    command = click.Command("go", params=[argument], help="Go.")

    interface = _with(command)
    roff = command_page(interface.commands[0], interface)

    assert "\nPLACE: Where to go.\n" in roff
