"""The manual pages, against the commands and against mandoc and groff."""

from __future__ import annotations

import ast
import itertools
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from completions.generate import build_scripts
from completions.generate import main as write_scripts
from man import generate
from man.blocks import Example, Prose, Terms, list_terms, parse_examples, parse_text, parse_topic
from man.command_page import format_command_page, format_heading
from man.interface import DEFAULT, Interface, read_interface
from man.page import format_overview_page
from man.roff import escape_text, format_bold, format_prose, format_section, guard_line
from paths import ROOT
from running import needed, output_of
from tcsniff import cli, errors
from tcsniff.cli import INTERRUPTED
from tcsniff.commands.help_format import list_topics, read_examples
from tcsniff.pipeline import Outcome
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.selection.evaluation import EXPRESSION_FIELDS
from tcsniff.selection.expressions import compile_expression as compiled

INTERFACE = read_interface(cli.tcsniff)
COMMANDS = {command.name: command for command in INTERFACE.commands}
TOPICS = list_topics()
BLOCKS = {name: parse_topic(text)[1] for name, text in TOPICS.items()}
OVERVIEW = (ROOT / "man" / "overview.txt").read_text(encoding="utf-8")
DOCUMENTS = generate.build_pages() | build_scripts()
PAGES = {path: text for path, text in DOCUMENTS.items() if path.startswith("man/")}


# The files

WRITERS = (generate.main, write_scripts)


def write_all() -> None:
    for write in WRITERS:
        write([], standalone_mode=False)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_up_to_date(path):
    """What `make docs` would write is what is there."""
    assert (ROOT / path).read_text(encoding="utf-8") == DOCUMENTS[path]


def test_what_was_written_is_not_old(tmp_path, monkeypatch, capsys):
    """Writing, then checking, finds nothing to say."""
    monkeypatch.chdir(tmp_path)
    write_all()

    status = [write(["--check"], standalone_mode=False) for write in WRITERS]

    assert (max(status), capsys.readouterr().err) == (0, "")


@pytest.mark.parametrize("path", ["completions/_tcsniff", "man/man1/tcsniff.1"])
@pytest.mark.parametrize("harm", [Path.unlink, Path.touch], ids=["missing", "changed"])
def test_the_check_names_the_one_that_is_old(path, harm, tmp_path, monkeypatch, capsys):
    """Status 1, and a line for it alone."""
    monkeypatch.chdir(tmp_path)
    write_all()
    Path(path).write_text("old", encoding="utf-8")
    harm(Path(path))

    status = [write(["--check"], standalone_mode=False) for write in WRITERS]

    assert sorted(status) == [0, 1]
    assert capsys.readouterr().err == f"{path} is out of date; `make docs` writes it\n"


def test_a_page_of_no_command_is_told_and_deleted(tmp_path, monkeypatch, capsys):
    """As when a command got another name; what is not ours stays."""
    monkeypatch.chdir(tmp_path)
    generate.main([], standalone_mode=False)
    Path("man/man1/tcsniff-gone.1").touch()
    Path("man/man1/other.1").touch()

    status = generate.main(["--check"], standalone_mode=False)
    generate.main([], standalone_mode=False)

    assert status == 1
    assert "tcsniff-gone.1 belongs to no command" in capsys.readouterr().err
    assert not Path("man/man1/tcsniff-gone.1").exists()
    assert Path("man/man1/other.1").exists()


@pytest.mark.parametrize("module", ["man.generate", "completions.generate"])
def test_documents_can_be_written_from_the_command_line(module, monkeypatch):
    """``python -m man.generate`` is what make calls."""
    monkeypatch.chdir(ROOT)
    shown = output_of(sys.executable, "-m", module, "--help")

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

    shown = read_interface(click.Group("root", commands={"one": command}))

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
    assert escape_text(text) == roff


@pytest.mark.parametrize("text", [".SH injected", "'br", " indented"])
def test_no_line_of_text_is_a_request(text):
    """A dot, an apostrophe or a blank at the start would make it one."""
    assert guard_line(escape_text(text))[0] not in ".' "


def test_backquotes_make_bold():
    """In running text; line breaks are spaces there."""
    assert format_prose("see `a-b`\n  or c-d") == r"see \fBa\-b\fR or c\-d"


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
    interface = read_interface(click.Group("root", commands={DEFAULT: made_up}))
    roff = format_overview_page(interface, OVERVIEW, TOPICS, "")

    shown = output_of(needed("mandoc"), "-Tutf8", "-Owidth=200", given=roff)

    plain = re.sub(r".\x08", "", shown)  # bold is a letter struck twice
    assert plain.count(text) == 3


@pytest.mark.parametrize("text", HAZARDS)
def test_hand_written_words_are_as_safe(text):
    """Running text, terms and examples, wherever a line of them may break."""
    blocks = [Prose(f"Some {text}"), Terms({text: text}), Example(text)]
    roff = "\n".join([*format_heading("one", 1, "two"), *format_section("THREE", blocks), ""])

    shown = output_of(needed("mandoc"), "-Tutf8", "-Owidth=200", given=roff)

    assert re.sub(r".\x08", "", shown).count(text) == 4
    assert output_of("mandoc", "-Tlint", given=roff) == ""


def test_text_that_is_broken_into_lines_starts_no_request():
    """A dot after the break is guarded as at the start."""
    lines = format_prose("word " * 15 + ".SH " * 40).split("\n")

    assert len(lines) > 2
    assert not [line for line in lines if line.startswith((".", "'"))]


@pytest.mark.parametrize("command", INTERFACE.commands, ids=lambda command: command.name)
def test_every_command_and_flag_stands_in_the_manual(command):
    """A flag on the page of its command, those of the default one in tcsniff(1)."""
    name = "tcsniff" if command.is_default else f"tcsniff-{command.name}"
    options = PAGES[f"man/man1/{name}.1"].partition('.SH "OPTIONS"')[2]
    options = options.partition('.SH "EXIT STATUS"')[0]

    missing = [
        flag.names
        for flag in command.flags
        if ", ".join(map(format_bold, flag.names)) not in options
    ]

    assert missing == []
    assert (
        f"\n{format_bold(command.name)}\n" in PAGES["man/man1/tcsniff.1"].partition("COMMANDS")[2]
    )


def test_a_command_that_nobody_wrote_of_has_a_page():
    """Made of its help, with the exit statuses that its flags can give."""
    params = [click.Option(["--broker"], help="Which."), click.Option(["--timeout"], help="When.")]
    made_up = click.Command("brand-new", params=params, help="Do something.\n\nMore of it.")
    interface = _with(made_up)

    roff = page_of_first(interface)

    assert output_of(needed("mandoc"), "-Tlint", given=roff) == ""
    assert "More of it." in roff
    assert set(re.findall(r"^\\fB(\d+)\\fR$", roff, re.MULTILINE)) >= {"3", "4", "5", "124"}
    assert {format_bold(name) in roff for name in ("PULSE_URL", "PULSE_PASSWORD")} == {True}
    assert format_bold("NO_COLOR") not in roff


def test_a_command_that_connects_to_nothing_cannot_fail_at_it():
    """Whatever flags it has."""
    command = click.Command(
        "config", params=[click.Option(["--broker"], help="Which.")], help="A."
    )
    interface = _with(command)

    assert re.findall(r"^\\fB[345]\\fR$", page_of_first(interface), re.MULTILINE) == []


def test_a_command_of_commands_has_a_page():
    """What may follow its name is told."""
    group = click.Group(
        "many", commands={"one": click.Command("one", help="Do one.")}, help="All."
    )
    interface = _with(group)

    roff = page_of_first(interface)

    assert interface.commands[0].arguments[0].choices == ("one",)
    assert "Do one." in roff


def page_of_first(interface: Interface) -> str:
    return format_command_page(interface.commands[0], interface, TOPICS, "")


def _with(command: click.Command) -> Interface:
    default = click.Command(DEFAULT, help="Show.")
    return read_interface(
        click.Group("tcsniff", commands={DEFAULT: default, command.name or "": command})
    )


def test_examples_belong_to_commands():
    """A command that is removed takes its examples along."""
    names = {path.stem for path in (ROOT / "tcsniff/commands/examples").glob("*.txt")}

    assert names <= COMMANDS.keys()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_pages_that_are_there(path):
    """At its end, the overview among them, and not itself."""
    names = {f"{Path(path).stem}({path[-1]})" for path in PAGES}
    end = PAGES[path].partition("SEE ALSO")[2].replace("\\", "")

    seen = set(re.findall(r"tcsniff[a-z-]*\(\d\)", end))

    assert seen <= names - {f"{Path(path).stem}({path[-1]})"}
    assert ("tcsniff(1)" in seen) is (path != "man/man1/tcsniff.1")


def test_every_variable_that_is_read_is_documented():
    """And none that is not; describe a new one in environment.txt."""
    read = {name for path in (ROOT / "tcsniff").rglob("*.py") for name in _variables(path)}

    assert read == set(list_terms(BLOCKS["environment"]))


def _variables(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if "environ" not in text:
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

    assert failures | outcomes | {0, 1, 129, INTERRUPTED, 143} <= set(
        map(int, list_terms(BLOCKS["exit-status"]))
    )


def examples() -> Iterator[str]:
    """Give the lines of all examples that call tcsniff, for commands that are there."""
    for name in COMMANDS:
        for _, line in parse_examples(read_examples(name)):
            if line.startswith("tcsniff "):
                yield line
    for block in BLOCKS["expressions"]:
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


def test_every_field_of_the_record_is_described():
    """And everything else that expressions see."""
    fields, added = (list_terms(BLOCKS[name]) for name in ("record", "expressions"))

    assert EXPRESSION_FIELDS.keys() <= fields.keys() | added.keys()
    assert fields.keys() <= EXPRESSION_FIELDS.keys()
    assert all(re.fullmatch(r"\(.+\) [A-Z].+\.", text) for text in fields.values())


KEY = "primary.G41B6K1FS32lXqJrVoB7Yw.0.us-east-1.i-0a1b2c3d.gecko-1.b-linux.gecko-level-1."
DELIVERY = Delivery(
    exchange="exchange/taskcluster-queue/v1/task-running",
    routing_key=f"{KEY}fN1SbArXTPSVFNUvaOlinQ._",
    body=b'{"status":{"taskId":"G41B6K1FS32lXqJrVoB7Yw"},"runId":0}',
    cc=("route.index.gecko.v2.try.latest.build",),
    received="2026-11-23T18:00:00.123Z",
)
NOT_JSON = DELIVERY._replace(
    exchange="exchange/build/normalized", routing_key="build", cc=(), body=b"done"
)
GAP = Gap(
    "2026-11-23T18:00:00.123Z",
    "2026-11-23T18:00:04.567Z",
    missed=True,
    reason="a temporary queue is lost with its connection",
)


def test_the_examples_of_records_are_what_is_written():
    """Fields and values, in order; one key is shortened there."""
    shown = [json.loads(block.text) for block in BLOCKS["record"] if isinstance(block, Example)]
    written = [
        records.format_record_with_error(
            NOT_JSON, "not JSON: unexpected character: line 1 column 1"
        ),
        records.format_gap(GAP),
        records.format_record(DELIVERY),
    ]

    start = shown[-1]["routingKey"].rstrip("…")
    assert DELIVERY.routing_key.startswith(start)
    shown[-1]["routingKey"] = DELIVERY.routing_key
    assert [json.dumps(one) for one in shown] == [json.dumps(json.loads(one)) for one in written]


def test_the_page_of_the_settings_file_shows_the_example():
    """All of it, as it is."""
    assert "\n#[profiles.mine]\n" in PAGES["man/man5/tcsniff-config.5"].replace("# [", "#[")


def test_a_text_is_parsed_into_blocks():
    """Capitals are a heading, two spaces definitions, four an example."""
    blocks = parse_text(
        "TITLE\n\nSome\ntext.\n\n  a b  One\n       two.\n  c\n       Three.\n\n    x\n"
    )

    assert [type(block).__name__ for block in blocks] == ["Heading", "Prose", "Terms", "Example"]
    assert list_terms(blocks) == {"a b": "One two.", "c": "Three."}


# Arguments


def test_the_manual_shows_the_help_of_arguments():
    """Where click has one, as since 8.5."""
    argument = click.Argument(["place"])
    argument.help = "Where to go."
    command = click.Command("go", params=[argument], help="Go.")

    interface = _with(command)
    roff = page_of_first(interface)

    assert "\nPLACE: Where to go.\n" in roff
