"""What there is to complete, whatever the shell.

Pure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from tcsniff.config import PROFILES
from tcsniff.exchanges import CATALOG, Exchange, kebab
from tcsniff.fields import POOLS, has
from tcsniff.interface import Command, Flag

EVENTS = {exchange.name: exchange.summary for exchange in CATALOG}
"""EVENTs, and what each announces."""

EXCHANGES = (*EVENTS, *(exchange.address for exchange in CATALOG))
"""What ``--exchange`` may name, besides what we do not know."""

WRITTEN = "Written by `make docs` from tcsniff's own commands; changes here are lost."


def values(flag: Flag) -> tuple[str, ...]:
    """List what may be given to a flag, as far as it can be listed.

    Exchanges are left to the shells, which keep them in one place.
    """
    return tuple(PROFILES) if "--profile" in flag.names else flag.words


def names_exchange(flag: Flag) -> bool:
    """Tell whether a flag's value is one of `EXCHANGES`."""
    return "--exchange" in flag.names


def fields_by_events() -> dict[tuple[str, ...], list[str]]:
    """List the fields that may follow ``EVENT:``, each list with the EVENTs that have it."""
    found: dict[tuple[str, ...], list[str]] = {}
    for exchange in CATALOG:
        if fields := _fields(exchange):
            found.setdefault(fields, []).append(exchange.name)
    return found


def _fields(exchange: Exchange) -> tuple[str, ...]:
    asked_for = (f for f in exchange.fields if f.constant is None and f.name != "reserved")
    pools = (name for name in POOLS if has(exchange, name))
    return (*(kebab(field.name) for field in asked_for), *pools)


def event_commands(commands: Iterable[Command]) -> list[str]:
    """Name the commands whose arguments are EVENTs."""
    return [command.name for command in commands if command.takes_events]


def wrapped(text: str, indent: int, *, continued: bool = False) -> str:
    """Break a list of words into lines.

    Args:
        text: The words.
        indent: How many spaces to put in front of each line.
        continued: Whether each line but the last ends in a backslash.
    """
    lines = textwrap.wrap(text, 96 - indent, break_long_words=False, break_on_hyphens=False)
    return textwrap.indent((" \\\n" if continued else "\n").join(lines), " " * indent)


def alternatives(words: Iterable[str], indent: int) -> str:
    """Write words as bash and zsh want alternatives in ``case``: with bars between them."""
    bound = wrapped("\0| ".join(words), indent, continued=True)  # no line starts with a bar
    return bound.replace("\0", " ")
