"""Where the keys of a TOML file stand: its parser does not tell.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEADER = re.compile(r"\s*\[\s*([^\[\]#]+?)\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_.-]+|"[^"]*"|'[^']*')+)\s*=""")


def lines_of(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Find the lines where keys and tables stand, to tell people where to look.

    A line of a string that goes over several may pass for a key.

    Args:
        text: Valid TOML.

    Yields:
        The path of a key or table, and its line, counted from 1.
    """
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.fullmatch(line.rstrip("\r")):
            table = _path(header[1])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_path(key[1])), number


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[^.\s]+""", dotted))
