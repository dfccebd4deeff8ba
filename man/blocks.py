"""The blocks of a text: paragraphs, examples, definitions and headings.

Pure. Texts are plain, as `tcsniff help TOPIC` prints them. Blank lines separate
blocks. A block indented by two spaces is a list of definitions, one indented by
four an example, and one in capitals a heading. Backquotes mark what is typed.
"""

from __future__ import annotations

import re
import textwrap
from typing import NamedTuple


class Prose(NamedTuple):
    """A paragraph. Line breaks in it are spaces."""

    text: str


class Example(NamedTuple):
    """Lines that are shown as they are."""

    text: str


class Terms(NamedTuple):
    """Terms and the meaning of each."""

    rows: dict[str, str]


class Heading(NamedTuple):
    """The title of the blocks that follow."""

    text: str


Block = Prose | Example | Terms | Heading


def parse_text(text: str) -> list[Block]:
    """Parse the blocks of a text."""
    return [_parse_block(block) for block in re.split(r"\n\n+", text.strip("\n"))]


def parse_topic(text: str) -> tuple[str, list[Block]]:
    """Parse a topic: its summary, which is the first line, and its blocks."""
    summary, _, rest = text.partition("\n")
    return summary, parse_text(rest)


def parse_examples(text: str) -> list[tuple[str, str]]:
    """Parse examples: a comment and the command lines below it.

    Returns:
        Pairs of comment and command.
    """
    blocks = (block.partition("\n") for block in re.split(r"\n\n+", text.strip("\n")))
    return [(comment.removeprefix("# "), command) for comment, _, command in blocks]


def list_terms(blocks: list[Block]) -> dict[str, str]:
    """Return the rows of all definition lists, in order."""
    return {
        term: meaning
        for block in blocks
        if isinstance(block, Terms)
        for term, meaning in block.rows.items()
    }


def _parse_block(block: str) -> Block:
    if block.startswith("    "):
        return Example(textwrap.dedent(block))
    if block.startswith("  "):
        return Terms(_parse_terms(block))
    return Heading(block) if block.isupper() else Prose(block)


def _parse_terms(block: str) -> dict[str, str]:
    rows: dict[str, str] = {}
    term = ""
    for line in textwrap.dedent(block).split("\n"):
        meaning = line
        if not line.startswith(" "):
            term, _, meaning = line.partition("  ")
            rows[term] = ""
        rows[term] = f"{rows[term]} {meaning.strip()}".strip()
    return rows
