"""The page of a command: tcsniff-COMMAND(1).

Pure: commands and texts in, roff out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

from man.blocks import Block, Example, Prose, Terms, list_terms, parse_examples, parse_topic
from man.interface import Command, Flag, Interface
from man.roff import (
    format_bold,
    format_definition,
    format_example,
    format_prose,
    format_request,
    format_section,
    format_usage,
)
from tcsniff import __version__

_DATE = "2026-11-25"  # of the manual's texts; a page must not change by itself
_DEFAULT_PAGE = """This is the default command: `tcsniff task-running` and `tcsniff sniff
    task-running` are the same, unless the first word is the name of a command. tcsniff(1)
    describes its flags."""

_SEE_ALSO = {
    "config": ("tcsniff-config(5)",),
    "schema": ("tcsniff-record(5)",),
    "completion": ("bash(1)", "zsh(1)", "fish(1)"),
}
_VARIABLES = {"doctor": ("COLUMNS",), "exchanges": ("COLUMNS",)}  # that no flag implies
_VARIABLES_BY_FLAG = {
    "--broker": ("TCSNIFF_BROKER", "PULSE_URL", "PULSE_USERNAME", "PULSE_PASSWORD"),
    "--config": ("TCSNIFF_CONFIG", "XDG_CONFIG_HOME", "TCSNIFF_PROFILE", "TCSNIFF_DEBUG"),
    "--root-url": (
        "TASKCLUSTER_ROOT_URL",
        "TASKCLUSTER_CLIENT_ID",
        "TASKCLUSTER_ACCESS_TOKEN",
        "TASKCLUSTER_CERTIFICATE",
    ),
    "--color": (
        *("NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM", "TERM_URLS"),
        *("COLUMNS", "LINES"),
    ),
}
_STATUSES = {"graph": (10, 11)}  # that no flag implies
_ALL_STATUSES = (0, 1, 2, 7, 129, 130, 141, 143)
_STATUSES_BY_FLAG = {
    "--broker": (3, 4, 5),
    "--from": (6,),
    "--fail-on": (10,),
    "--timeout": (124,),
    "--idle-timeout": (124,),
}
_OFFLINE = {"config"}  # has the flags of a connection, but does not connect


def format_command_page(
    command: Command, interface: Interface, topics: Mapping[str, str], examples: str
) -> str:
    """Return the page of a command as roff.

    Args:
        command: The command.
        interface: All commands.
        topics: The texts of the topics, by name.
        examples: The text of the command's examples; may be empty.
    """
    names = {name for flag in command.flags for name in flag.names}
    extra = [_DEFAULT_PAGE] if command.is_default else []
    lines = [
        *format_heading(f"tcsniff-{command.name}", 1, lower_first(command.summary.rstrip("."))),
        format_request("SH", "SYNOPSIS"),
        f"{format_bold(f'tcsniff {command.name}')} {format_usage(command.usage)}",
        format_request("SH", "DESCRIPTION"),
        *format_paragraphs((*command.paragraphs, *extra)),
        *_format_arguments(command),
        format_request("SH", "OPTIONS"),
    ]
    if command.is_default:
        lines.append(format_prose("See tcsniff(1)."))
    else:
        lines += format_sections(command.flags)
    statuses = _list_statuses(command, names, topics["exit-status"])
    lines += format_section("EXIT STATUS", [Terms(statuses)])
    if variables := _list_variables(command, names, topics["environment"]):
        lines += format_section("ENVIRONMENT", [Terms(variables)])
    if examples:
        lines += format_section("EXAMPLES", list_examples(examples))
    others = list_pages(other.name for other in interface.commands if other is not command)
    lines += format_see_also([*others, *_SEE_ALSO.get(command.name, ())])
    return "\n".join(lines) + "\n"


def format_heading(name: str, number: int, summary: str) -> list[str]:
    """Return the first lines of a page.

    Args:
        name: The page's name.
        number: The section of the manual, 1 or 5.
        summary: What the page describes, in one line.
    """
    title = {1: "User Commands", 5: "File Formats"}[number]
    return [
        r".\" Written by `make docs`; changes here are lost.",
        f'.TH "{name.upper()}" "{number}" "{_DATE}" "tcsniff {__version__}" "{title}"',
        ".nh",  # no hyphens in names and flags; groff's macros need the register
        ".nr HY 0",  # too, as they set it again at every title
        ".ad l",
        format_request("SH", "NAME"),
        format_prose(f"{name} - {summary}"),
    ]


def format_paragraphs(paragraphs: Iterable[str]) -> Iterator[str]:
    """Yield the paragraphs of a command's help as roff."""
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield format_request("PP")
        if paragraph.startswith("\b"):
            yield from format_example(paragraph.lstrip("\b").strip("\n").split("\n"))
        else:
            yield format_prose(paragraph)


def format_sections(flags: Iterable[Flag]) -> Iterator[str]:
    """Yield flags in their sections as roff."""
    sections: dict[str, list[Flag]] = {}
    for flag in flags:
        sections.setdefault(flag.section, []).append(flag)
    for title, members in sections.items():
        yield format_request("SS", title)
        yield from format_flags(members)


def format_flags(flags: Iterable[Flag]) -> Iterator[str]:
    """Yield flags as roff."""
    for flag in flags:
        notes = f" [{flag.notes}]" if flag.notes else ""
        yield from format_definition(format_flag_names(flag), flag.help + notes)


def format_flag_names(flag: Flag) -> str:
    """Return the names of a flag and of its value as roff."""
    names = ", ".join(map(format_bold, flag.names))
    return f"{names} {format_usage(flag.metavar)}" if flag.metavar else names


def format_see_also(pages: Iterable[str]) -> list[str]:
    """Return the section of references to other pages."""
    return list(format_section("SEE ALSO", [Prose(", ".join(dict.fromkeys(pages)))]))


def list_examples(text: str) -> Iterator[Block]:
    """Yield the blocks of a text with examples."""
    for comment, command in parse_examples(text):
        yield Prose(f"{comment}:")
        yield Example(command)


def list_pages(commands: Iterable[str]) -> list[str]:
    """Return the names of all pages, given the commands."""
    files = ["tcsniff-config(5)", "tcsniff-record(5)"]
    return ["tcsniff(1)", *(f"tcsniff-{name}(1)" for name in commands), *files]


def lower_first(text: str) -> str:
    """Return a text with its first letter in lower case."""
    return f"{text[:1].lower()}{text[1:]}"


def _format_arguments(command: Command) -> Iterator[str]:
    for argument in command.arguments:
        if argument.help:
            yield format_request("PP")
            yield format_prose(f"{argument.metavar}: {argument.help}")


def _list_statuses(command: Command, flags: set[str], text: str) -> dict[str, str]:
    flags = flags - {"--broker"} if command.name in _OFFLINE else flags
    by_flag = (status for flag in flags for status in _STATUSES_BY_FLAG.get(flag, ()))
    possible = {*_ALL_STATUSES, *by_flag, *_STATUSES.get(command.name, ())}
    statuses = list_terms(parse_topic(text)[1])
    return {status: meaning for status, meaning in statuses.items() if int(status) in possible}


def _list_variables(command: Command, flags: set[str], text: str) -> dict[str, str]:
    by_flag = (_VARIABLES_BY_FLAG.get(flag, ()) for flag in flags)
    read = {*itertools.chain.from_iterable(by_flag), *_VARIABLES.get(command.name, ())}
    variables = list_terms(parse_topic(text)[1])
    return {name: meaning for name, meaning in variables.items() if name in read}
