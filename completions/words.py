"""The words to complete, for all shells.

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
"""EVENTs and their summaries."""

EXCHANGES = (*EVENTS, *(exchange.address for exchange in CATALOG))
"""The values of ``--exchange`` that are known; others are valid, too."""

WRITTEN = "Written by `make docs` from tcsniff's own commands; changes here are lost."

PROFILE = "profiles"
SELECTION = "selections"
"""Tables of the configuration file, whose names the scripts read when they complete."""

NAME = "[A-Za-z0-9_-]+"
"""A pattern for such names: TOML's bare keys, which have no special meaning in a shell."""


class Values(NamedTuple):
    """The values of a flag or an argument that can be listed.

    Attributes:
        words: The values and their meanings; an empty meaning if the value is clear.
        is_list: Whether the flag accepts several values, separated by commas.
        table: The table of the configuration file that has more; empty for none.
    """

    words: dict[str, str]
    is_list: bool = False
    table: str = ""


_VALUES = {
    "--profile": Values(dict.fromkeys(PROFILES, ""), table=PROFILE),
    "--state": Values(dict.fromkeys(STATES, ""), is_list=True),
    "--reason": Values(dict.fromkeys(REASONS_RESOLVED, ""), is_list=True),
    "--columns": Values(COLUMN_MEANINGS, is_list=True),
    "--fault": Values(dict.fromkeys((*FAULTS, "none"), ""), is_list=True),
}


def list_values(flag: Flag) -> Values:
    """Return the values of a flag.

    Exchanges are left to the scripts, which have one list of them.
    """
    known = (_VALUES[name] for name in flag.names if name in _VALUES)
    return next(known, Values(dict.fromkeys(flag.choices, "")))


def list_arguments(command: Command, commands: Iterable[Command]) -> dict[str, str]:
    """Return the arguments of a command that are neither EVENTs nor files.

    Returns:
        Words and their meanings; an empty meaning if the word is clear.
    """
    if command.name == "help":
        topics = {name: text.partition("\n")[0] for name, text in list_topics().items()}
        return topics | {
            other.name: other.summary for other in commands if other.name not in topics
        }
    return {word: "" for argument in command.arguments for word in argument.choices}


def takes_exchange(flag: Flag) -> bool:
    """Return whether a flag's value is one of `EXCHANGES`."""
    return "--exchange" in flag.names


def group_events_by_fields() -> dict[tuple[str, ...], list[str]]:
    """Return the EVENTs by the fields that may follow ``EVENT:``."""
    events_by_fields: dict[tuple[str, ...], list[str]] = {}
    for exchange in CATALOG:
        if fields := _format_fields(exchange):
            events_by_fields.setdefault(fields, []).append(exchange.name)
    return events_by_fields


def _format_fields(exchange: Exchange) -> tuple[str, ...]:
    selectable = (f for f in exchange.fields if f.constant is None and f.name != "reserved")
    pools = (name for name in POOLS if has_field(exchange, name))
    return (*(to_kebab_case(field.name) for field in selectable), *pools)


def list_event_commands(commands: Iterable[Command]) -> list[str]:
    """Return the names of the commands whose arguments are EVENTs."""
    return [command.name for command in commands if command.takes_events]


def wrap_words(text: str, indent: int, *, continued: bool = False) -> str:
    """Wrap words into lines.

    Args:
        text: The words.
        indent: The number of spaces before each line.
        continued: Whether each line but the last ends in a backslash.
    """
    lines = textwrap.wrap(text, 96 - indent, break_long_words=False, break_on_hyphens=False)
    return textwrap.indent((" \\\n" if continued else "\n").join(lines), " " * indent)


def join_alternatives(words: Iterable[str], indent: int) -> str:
    """Join words by bars, as alternatives of ``case`` in bash and zsh."""
    joined = wrap_words("\0| ".join(words), indent, continued=True)  # no line starts with a bar
    return joined.replace("\0", " ")
