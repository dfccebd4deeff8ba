"""The overview page, tcsniff(1).

Pure: commands and texts in, roff out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from man.blocks import Block, Heading, Prose, Terms, parse_text, parse_topic
from man.command_page import (
    format_flag_names,
    format_flags,
    format_heading,
    format_paragraphs,
    format_sections,
    format_see_also,
    list_examples,
    list_pages,
)
from man.interface import Interface
from man.roff import format_blocks, format_bold, format_request, format_section, format_usage
from tcsniff.pulse.exchanges import CATALOG

_SYNOPSIS = "print Taskcluster's task events as they happen"
_COMMANDS = "Each command has its own page, such as tcsniff-explain(1)."


def format_overview_page(
    interface: Interface, overview: str, topics: Mapping[str, str], examples: str
) -> str:
    """Return tcsniff(1) as roff, with the flags of the default command.

    Args:
        interface: All commands.
        overview: The text of the sections DESCRIPTION, EVENTS and LINKS.
        topics: The texts of the topics, by name.
        examples: The text of the default command's examples.
    """
    texts = split_sections(parse_text(overview))
    blocks = {name: parse_topic(text)[1] for name, text in topics.items()}
    default = next(command for command in interface.commands if command.is_default)
    summaries = {command.name: command.summary for command in interface.commands}
    lines = itertools.chain(
        format_heading("tcsniff", 1, _SYNOPSIS),
        _format_synopsis(interface),
        format_section("DESCRIPTION", texts["DESCRIPTION"]),
        format_section("COMMANDS", [Prose(_COMMANDS), Terms(summaries)]),
        [format_request("SH", "EVENTS"), *format_paragraphs(default.paragraphs[1:])],
        [format_request("PP")] if default.paragraphs[1:] else [],
        format_blocks([*texts["EVENTS"], *_list_events()]),
        [format_request("SH", "OPTIONS"), *format_sections(default.flags)],
        [format_request("SS", "Instead of a command"), *format_flags(interface.flags)],
        format_section("KEYS", blocks["keys"]),
        format_section("EXPRESSIONS", blocks["expressions"]),
        format_section("EXIT STATUS", blocks["exit-status"]),
        format_section("ENVIRONMENT", blocks["environment"]),
        format_section("FILES", blocks["files"]),
        format_section("SECURITY", blocks["security"]),
        format_section("EXAMPLES", [*list_examples(examples), *blocks["recipes"]]),
        format_see_also([*list_pages(summaries)[1:], "jq(1)"]),
        [format_request("PP"), *format_blocks(texts["LINKS"])],
    )
    return "\n".join(lines) + "\n"


def format_file_page(name: str, text: str, see_also: tuple[str, ...]) -> str:
    """Return a page about a file format as roff.

    Args:
        name: The page's name.
        text: The text of the topic.
        see_also: The names of other pages.
    """
    summary, blocks = parse_topic(text)
    lines = format_heading(name, 5, summary)
    for title, members in split_sections([Heading("DESCRIPTION"), *blocks]).items():
        lines += format_section(title, members)
    lines += format_see_also(["tcsniff(1)", *see_also])
    return "\n".join(lines) + "\n"


def split_sections(blocks: list[Block]) -> dict[str, list[Block]]:
    """Return the blocks below each heading, by its text."""
    sections: dict[str, list[Block]] = {}
    title = ""
    for block in blocks:
        if isinstance(block, Heading):
            title = block.text
        else:
            sections.setdefault(title, []).append(block)
    return sections


def _format_synopsis(interface: Interface) -> Iterator[str]:
    yield format_request("SH", "SYNOPSIS")
    for number, command in enumerate(interface.commands):
        if number:
            yield format_request("br")
        name = "tcsniff" if command.is_default else f"tcsniff {command.name}"
        yield f"{format_bold(name)} {format_usage(command.usage)}"
    for flag in interface.flags:
        yield format_request("br")
        yield f"{format_bold('tcsniff')} {format_flag_names(flag)}"


def _list_events() -> Iterator[Block]:
    for service, exchanges in itertools.groupby(CATALOG, lambda exchange: exchange.service):
        yield Heading(service)
        yield Terms(
            {
                exchange.name: f"{exchange.summary[:1].upper()}{exchange.summary[1:]}."
                for exchange in exchanges
            }
        )
