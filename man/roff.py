r"""Formatting of text as roff, with the macros of man(7).

Pure. Readers copy examples into shells, so hyphens, quotes and carets are
escaped, which keeps them ASCII (groff_char(7), "Fundamental character set").
"""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterable, Iterator

from man.blocks import Block, Example, Heading, Prose, Terms

_WIDTH = 78  # bytes per line, with room for a guard

_ESCAPES = {
    "\\": r"\e",
    "-": r"\-",
    "'": r"\(aq",
    "`": r"\(ga",
    '"': r"\(dq",
    "^": r"\(ha",
    "~": r"\(ti",
}
_SPECIAL = re.compile(r"[\\\-'`\"^~]|[^\x20-\x7e]")


def escape_text(text: str) -> str:
    """Escape text for any place but the start of a line."""
    return _SPECIAL.sub(lambda match: _escape_character(match[0]), text)


def _escape_character(character: str) -> str:
    return _ESCAPES.get(character) or f"\\[u{ord(character):04X}]"


def format_bold(text: str) -> str:
    """Return escaped text in bold."""
    return rf"\fB{escape_text(text)}\fR"


def format_italic(text: str) -> str:
    """Return escaped text in italics, which terminals underline."""
    return rf"\fI{escape_text(text)}\fR"


def guard_line(roff: str) -> str:
    """Guard a line of escaped text against being read as a request.

    A dot or an apostrophe at the start of a line would make it one.
    """
    return rf"\&{roff}" if roff.startswith((".", "'", " ")) else roff


def format_request(name: str, *arguments: str) -> str:
    """Return a request, such as ``.SH "EXIT STATUS"``.

    Args:
        name: The macro's name, without the dot.
        arguments: Plain text; it is escaped here.
    """
    return " ".join([f".{name}", *(f'"{escape_text(text)}"' for text in arguments)])


def format_prose(text: str) -> str:
    """Return a paragraph: line breaks become spaces, text in backquotes becomes bold.

    Returns:
        Lines within mandoc's limit, except for longer words.
    """
    parts = re.split(r"`([^`]*)`", " ".join(text.split()))
    text_in_roff = "".join(
        format_bold(part) if i % 2 else escape_text(part) for i, part in enumerate(parts)
    )
    lines = textwrap.wrap(text_in_roff, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(guard_line, lines))


def format_usage(text: str) -> str:
    """Return a synopsis, with placeholders in capitals set in italics."""
    parts = re.split(r"([A-Z][A-Z_]*)", " ".join(text.split()))
    return "".join(
        format_italic(part) if i % 2 else escape_text(part) for i, part in enumerate(parts)
    )


def format_example(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines set without filling."""
    yield format_request("EX")
    yield from (guard_line(escape_text(line)) for line in lines)
    yield format_request("EE")


def format_definition(term: str, text: str) -> Iterator[str]:
    """Yield a term and its meaning.

    Args:
        term: Escaped roff.
        text: Plain text, as for `format_prose`.
    """
    yield format_request("TP")
    yield guard_line(term)
    yield format_prose(text)


def format_section(title: str, blocks: Iterable[Block]) -> Iterator[str]:
    """Yield a section of a page."""
    yield format_request("SH", title)
    yield from format_blocks(blocks)


def format_blocks(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield blocks that follow a title."""
    previous: Block = Heading("")
    for block in blocks:
        if isinstance(block, Prose | Example) and not isinstance(previous, Heading):
            yield format_request("PP")
        yield from _format_block(block)
        previous = block


def _format_block(block: Block) -> Iterator[str]:
    match block:
        case Heading(words):
            yield format_request("SS", words)
        case Prose(words):
            yield format_prose(words)
        case Example(words):
            yield format_request("RS", "4")
            yield from format_example(words.strip("\n").split("\n"))
            yield format_request("RE")
        case Terms(rows):
            yield from itertools.chain.from_iterable(
                format_definition(format_bold(term), words) for term, words in rows.items()
            )
