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


def escaped(text: str) -> str:
    """Escape text for any place but the start of a line."""
    return _SPECIAL.sub(lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    return _ESCAPES.get(character) or f"\\[u{ord(character):04X}]"


def bold(text: str) -> str:
    """Return escaped text in bold."""
    return rf"\fB{escaped(text)}\fR"


def italic(text: str) -> str:
    """Return escaped text in italics, which terminals underline."""
    return rf"\fI{escaped(text)}\fR"


def text_line(roff: str) -> str:
    """Guard a line of escaped text against being read as a request.

    A dot or an apostrophe at the start of a line would make it one.
    """
    return rf"\&{roff}" if roff.startswith((".", "'", " ")) else roff


def request(name: str, *arguments: str) -> str:
    """Return a request, such as ``.SH "EXIT STATUS"``.

    Args:
        name: The macro's name, without the dot.
        arguments: Plain text; it is escaped here.
    """
    return " ".join([f".{name}", *(f'"{escaped(text)}"' for text in arguments)])


def prose(text: str) -> str:
    """Return a paragraph: line breaks become spaces, text in backquotes becomes bold.

    Returns:
        Lines within mandoc's limit, except for longer words.
    """
    parts = re.split(r"`([^`]*)`", " ".join(text.split()))
    text_in_roff = "".join(bold(part) if i % 2 else escaped(part) for i, part in enumerate(parts))
    lines = textwrap.wrap(text_in_roff, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(text_line, lines))


def usage(text: str) -> str:
    """Return a synopsis, with placeholders in capitals set in italics."""
    parts = re.split(r"([A-Z][A-Z_]*)", " ".join(text.split()))
    return "".join(italic(part) if i % 2 else escaped(part) for i, part in enumerate(parts))


def example(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines set without filling."""
    yield request("EX")
    yield from (text_line(escaped(line)) for line in lines)
    yield request("EE")


def definition(term: str, text: str) -> Iterator[str]:
    """Yield a term and its meaning.

    Args:
        term: Escaped roff.
        text: Plain text, as for `prose`.
    """
    yield request("TP")
    yield text_line(term)
    yield prose(text)


def section(title: str, blocks: Iterable[Block]) -> Iterator[str]:
    """Yield a section of a page."""
    yield request("SH", title)
    yield from body(blocks)


def body(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield blocks that follow a title."""
    previous: Block = Heading("")
    for block in blocks:
        if isinstance(block, Prose | Example) and not isinstance(previous, Heading):
            yield request("PP")
        yield from _set(block)
        previous = block


def _set(block: Block) -> Iterator[str]:
    match block:
        case Heading(words):
            yield request("SS", words)
        case Prose(words):
            yield prose(words)
        case Example(words):
            yield request("RS", "4")
            yield from example(words.strip("\n").split("\n"))
            yield request("RE")
        case Terms(rows):
            yield from itertools.chain.from_iterable(
                definition(bold(term), words) for term, words in rows.items()
            )
