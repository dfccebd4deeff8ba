"""What there is to complete, whatever the shell.

Pure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import NamedTuple

from man.interface import Command, Flag
from tcsniff.commands.help_format import list_topics
from tcsniff.messages.parts import REASONS_RESOLVED, STATES
from tcsniff.pulse.exchanges import CATALOG, Exchange, to_kebab_case
from tcsniff.pulse.routing import POOLS, has_field
from tcsniff.renderers.columns import COLUMN_MEANINGS
from tcsniff.settings.brokers import PROFILES
from tcsniff.simulator.simulation import FAULTS

EVENTS = {exchange.name: exchange.summary for exchange in CATALOG}
"""EVENTs, and what each announces."""

EXCHANGES = (*EVENTS, *(exchange.address for exchange in CATALOG))
"""The known values of ``--exchange``."""

WRITTEN = "Written by `make docs` from tcsniff's own commands; changes here are lost."


PROFILE = "profiles"
SELECTION = "selections"
"""Tables of the configuration file, whose names the shells read there themselves."""

NAME = "[A-Za-z0-9_-]+"
"""What such a name looks like: the bare keys of TOML, which no shell reads anything into."""


class Values(NamedTuple):
    """What may be given to a flag or as an argument, as far as it can be listed.

    Attributes:
        words: Each, and what it means; empty if it says so itself.
        listed: Whether several may be given, with commas between.
        table: The table of the configuration file that holds more; empty for none.
    """

    words: dict[str, str]
    listed: bool = False
    table: str = ""


_VALUES = {
    "--profile": Values(dict.fromkeys(PROFILES, ""), table=PROFILE),
    "--state": Values(dict.fromkeys(STATES, ""), listed=True),
    "--reason": Values(dict.fromkeys(REASONS_RESOLVED, ""), listed=True),
    "--columns": Values(COLUMN_MEANINGS, listed=True),
    "--fault": Values(dict.fromkeys((*FAULTS, "none"), ""), listed=True),
}


def values(flag: Flag) -> Values:
    """List what may be given to a flag.

    Exchanges are left to the shells, which keep them in one place.
    """
    known = (_VALUES[name] for name in flag.names if name in _VALUES)
    return next(known, Values(dict.fromkeys(flag.choices, "")))


def arguments(command: Command, commands: Iterable[Command]) -> dict[str, str]:
    """Return the arguments of a command that are not flags, EVENTs or files.

    Returns:
        By word, its meaning; empty if the word says it.
    """
    if command.name == "help":
        topics = {name: text.partition("\n")[0] for name, text in list_topics().items()}
        return topics | {one.name: one.summary for one in commands if one.name not in topics}
    return {word: "" for argument in command.arguments for word in argument.choices}


def names_exchange(flag: Flag) -> bool:
    """Return whether a flag's value is one of `EXCHANGES`."""
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
    pools = (name for name in POOLS if has_field(exchange, name))
    return (*(to_kebab_case(field.name) for field in asked_for), *pools)


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
