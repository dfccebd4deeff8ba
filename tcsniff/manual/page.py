"""The manual pages of section 1: tcsniff(1), and one for each command.

Pure: commands in, roff out. What is said here by hand is what the commands do
not know of themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from tcsniff import __version__
from tcsniff.interface import Command, Flag, Interface
from tcsniff.manual import overview, topics
from tcsniff.manual.blocks import Block, Example, Heading, Prose, Terms
from tcsniff.manual.commands import NOTHING, WORDS
from tcsniff.manual.recipes import recipes
from tcsniff.manual.roff import (
    body,
    bold,
    definition,
    example,
    prose,
    request,
    section,
    usage,
)
from tcsniff.manual.statuses import statuses_of
from tcsniff.pulse.exchanges import CATALOG

_DATE = "2026-11-24"  # of the words of the manual; a page must not change by itself


def page(interface: Interface) -> str:
    """Write tcsniff(1), which has the options of the default command.

    Returns:
        Roff with the macros of man(7).
    """
    names = [command.name for command in interface.commands]
    default = next(command for command in interface.commands if command.is_default)
    lines = itertools.chain(
        heading("tcsniff", 1, overview.SYNOPSIS),
        _synopsis(interface),
        section("DESCRIPTION", map(Prose, overview.DESCRIPTION)),
        section("COMMANDS", [Prose(overview.COMMANDS), Terms(_summaries(interface.commands))]),
        [request("SH", "EVENTS"), *_paragraphs((*default.paragraphs[1:], overview.EVENTS))],
        body(_events()),
        [request("SH", "OPTIONS"), *_flags_in_sections(default.flags)],
        [request("SS", "In place of a command"), *_flags(interface.flags)],
        section("EXPRESSIONS", topics.expressions()),
        section("EXIT STATUS", topics.exit_status()),
        section("ENVIRONMENT", topics.environment()),
        section("FILES", topics.files()),
        section("SECURITY", topics.security()),
        section("EXAMPLES", [*_examples(overview.EXAMPLES), *recipes()]),
        section("SEE ALSO", [*_see(_pages(names)[1:], ("jq(1)",)), *map(Prose, overview.ABROAD)]),
    )
    return "\n".join(lines) + "\n"


def command_page(command: Command, interface: Interface) -> str:
    """Write the page of a command, tcsniff-COMMAND(1).

    Args:
        command: The command, one of the interface's.
        interface: All of them.

    Returns:
        Roff with the macros of man(7).
    """
    words = WORDS.get(command.name, NOTHING)
    summary = command.summary.rstrip(".")
    lines = [
        *heading(f"tcsniff-{command.name}", 1, f"{summary[:1].lower()}{summary[1:]}"),
        request("SH", "SYNOPSIS"),
        f"{bold(f'tcsniff {command.name}')} {usage(command.usage)}",
        request("SH", "DESCRIPTION"),
        *_paragraphs((*command.paragraphs, *words.more)),
        *_arguments(command),
        request("SH", "OPTIONS"),
    ]
    if command.is_default:
        lines.append(prose("All that tcsniff(1) tells of."))
    else:
        lines += _flags_in_sections(command.flags)
    ends = statuses_of(command, words.statuses, connects=words.connects)
    lines += section("EXIT STATUS", [Terms({str(status): text for status, text in ends.items()})])
    if variables := _variables(command, words.variables):
        lines += section("ENVIRONMENT", [Terms(variables)])
    if words.examples:
        lines += section("EXAMPLES", _examples(words.examples))
    others = _pages(one.name for one in interface.commands if one is not command)
    lines += section("SEE ALSO", _see(others, words.see))
    return "\n".join(lines) + "\n"


def heading(name: str, number: int, summary: str) -> list[str]:
    """Start a page.

    Args:
        name: What it is about.
        number: Of the manual's section.
        summary: What that is, in a line.
    """
    title = {1: "User Commands", 5: "File Formats"}[number]
    return [
        r".\" Written by `make docs` from tcsniff's own commands; changes here are lost.",
        f'.TH "{name.upper()}" "{number}" "{_DATE}" "tcsniff {__version__}" "{title}"',
        ".nh",  # names and flags are not to be hyphenated; groff's macros want it in a
        ".nr HY 0",  # register, as they set it anew at every title
        ".ad l",
        request("SH", "NAME"),
        prose(f"{name} - {summary}"),
    ]


def _synopsis(interface: Interface) -> Iterator[str]:
    yield request("SH", "SYNOPSIS")
    for number, command in enumerate(interface.commands):
        if number:
            yield request("br")
        name = "tcsniff" if command.is_default else f"tcsniff {command.name}"
        yield f"{bold(name)} {usage(command.usage)}"
    for flag in interface.flags:
        yield request("br")
        yield f"{bold('tcsniff')} {_term(flag)}"


def _summaries(commands: Iterable[Command]) -> dict[str, str]:
    return {command.name: command.summary for command in commands}


def _arguments(command: Command) -> Iterator[str]:
    for argument in command.arguments:
        if argument.help:
            yield request("PP")
            yield prose(f"{argument.metavar}: {argument.help}")


def _paragraphs(paragraphs: Iterable[str]) -> Iterator[str]:
    """Set the paragraphs of a command's help."""
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield request("PP")
        if paragraph.startswith("\b"):
            yield from example(paragraph.lstrip("\b").strip("\n").split("\n"))
        else:
            yield prose(paragraph)


def _events() -> Iterator[Block]:
    for service, exchanges in itertools.groupby(CATALOG, lambda exchange: exchange.service):
        yield Heading(service)
        yield Terms(
            {one.name: f"{one.summary[:1].upper()}{one.summary[1:]}." for one in exchanges}
        )


def _flags_in_sections(flags: Iterable[Flag]) -> Iterator[str]:
    sections: dict[str, list[Flag]] = {}
    for flag in flags:
        sections.setdefault(flag.section, []).append(flag)
    for title, own in sections.items():
        yield request("SS", title)
        yield from _flags(own)


def _flags(flags: Iterable[Flag]) -> Iterator[str]:
    for flag in flags:
        notes = f" [{flag.notes}]" if flag.notes else ""
        yield from definition(_term(flag), flag.help + notes)


def _term(flag: Flag) -> str:
    names = ", ".join(map(bold, flag.names))
    return f"{names} {usage(flag.metavar)}" if flag.metavar else names


def _variables(command: Command, further: Iterable[str]) -> dict[str, str]:
    names = {name for flag in command.flags for name in flag.names}
    by_flags = (topics.VARIABLES_OF_FLAGS.get(name, ()) for name in names)
    own = {*itertools.chain.from_iterable(by_flags), *further}
    return {name: text for name, text in topics.ENVIRONMENT.items() if name in own}


def _examples(examples: Iterable[tuple[str, str]]) -> Iterator[Block]:
    for text, line in examples:
        yield Prose(text)
        yield Example(line)


def _pages(commands: Iterable[str]) -> list[str]:
    files = ["tcsniff-config(5)", "tcsniff-record(5)"]
    return ["tcsniff(1)", *(f"tcsniff-{name}(1)" for name in commands), *files]


def _see(pages: Iterable[str], further: Iterable[str]) -> Iterator[Block]:
    yield Prose(", ".join(dict.fromkeys([*pages, *further])))
