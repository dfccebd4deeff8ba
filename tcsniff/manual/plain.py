"""A manual as plain text for any terminal.

Pure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from tcsniff.manual.blocks import Block, Example, Heading, Prose, Terms

WIDTH = 80  # columns
_TERM = 16  # columns for a term; what is longer stands above its text


def text(blocks: Iterable[Block]) -> str:
    """Write blocks, with an empty line between any two."""
    return "\n\n".join("\n".join(_lines(block)) for block in blocks)


def listing(sections: Mapping[str, dict[str, str]]) -> str:
    """Write names and what they are, under titles."""
    return text(
        block for title, rows in sections.items() for block in (Heading(title), Terms(rows))
    )


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(words):
            yield words
        case Prose(words):
            yield from _wrapped(words, "")
        case Example(words):
            yield from textwrap.indent(words.strip("\n"), "    ").split("\n")
        case Terms(rows):
            for term, words in rows.items():
                yield from _term(term, words)


def _term(term: str, words: str) -> Iterator[str]:
    first, *rest = _wrapped(words, " " * _TERM)
    if len(term) + 4 <= _TERM:
        yield f"  {term}".ljust(_TERM) + first[_TERM:]
    else:
        yield f"  {term}"
        yield first
    yield from rest


def _wrapped(words: str, indent: str) -> list[str]:
    return textwrap.wrap(
        " ".join(words.split()),
        WIDTH - 1,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
