r"""The language of manual pages: requests and text that stays text.

Pure. Macros are those of man(7). A page is typed into shells: what looks like
a hyphen, a quote or a caret must be one when it is copied, and for that roff
wants them escaped (groff_char(7), section "Fundamental character set").
"""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterable, Iterator

from man.blocks import Block, Example, Heading, Prose, Terms

_WIDTH = 78  # bytes of a line, with room for a guard

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
    """Make text that roff shows as it is, for any place but the start of a line."""
    return _SPECIAL.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    return _ESCAPES.get(character) or f"\\[u{ord(character):04X}]"


def bold(text: str) -> str:
    """Escape text and set it in bold."""
    return rf"\fB{escaped(text)}\fR"


def italic(text: str) -> str:
    """Escape text and set it in italics, or underline it."""
    return rf"\fI{escaped(text)}\fR"


def text_line(roff: str) -> str:
    """Guard a line of text, whose escapes are done, against being read as a request.

    A dot at the start of a line would make it one, and so would an apostrophe,
    which `escaped` does not leave.
    """
    return rf"\&{roff}" if roff.startswith((".", "'", " ")) else roff


def request(name: str, *arguments: str) -> str:
    """Word a request, such as ``.SH "EXIT STATUS"``.

    Args:
        name: Of the macro, without the dot.
        arguments: Text; it is escaped here.
    """
    return " ".join([f".{name}", *(f'"{escaped(text)}"' for text in arguments)])


def prose(text: str) -> str:
    """Set running text: line breaks are spaces, what stands in backquotes is bold.

    Returns:
        Lines, as short as mandoc wants them where words allow it.
    """
    parts = re.split(r"`([^`]*)`", " ".join(text.split()))
    together = "".join(bold(part) if i % 2 else escaped(part) for i, part in enumerate(parts))
    lines = textwrap.wrap(together, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(text_line, lines))


def usage(text: str) -> str:
    """Set a synopsis: capitals stand for something, and so are italic."""
    parts = re.split(r"([A-Z][A-Z_]*)", " ".join(text.split()))
    return "".join(italic(part) if i % 2 else escaped(part) for i, part in enumerate(parts))


def example(lines: Iterable[str]) -> Iterator[str]:
    """Set lines as they are."""
    yield request("EX")
    yield from (text_line(escaped(line)) for line in lines)
    yield request("EE")


def definition(term: str, text: str) -> Iterator[str]:
    """Set a term and what it means.

    Args:
        term: Roff, escapes done.
        text: Plain text, as for `prose`.
    """
    yield request("TP")
    yield text_line(term)
    yield prose(text)


def section(title: str, blocks: Iterable[Block]) -> Iterator[str]:
    """Set a section of a page."""
    yield request("SH", title)
    yield from body(blocks)


def body(blocks: Iterable[Block]) -> Iterator[str]:
    """Set blocks, the first of them right below a title."""
    before: Block = Heading("")
    for block in blocks:
        if isinstance(block, Prose | Example) and not isinstance(before, Heading):
            yield request("PP")
        yield from _set(block)
        before = block


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
