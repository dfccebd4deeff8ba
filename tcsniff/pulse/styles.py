"""The symbol, word and colour of each kind of event and state.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tcsniff.errors import UsageError, suggestion
from tcsniff.pulse.events import Event
from tcsniff.sanitize import safe


class Look(NamedTuple):
    """How a kind of event looks.

    Attributes:
        symbol: One character.
        word: What happened, in a word or two.
        style: Words of `STYLES`, such as ``bold red``.
    """

    symbol: str
    word: str
    style: str


LOOKS = {
    "task-defined": Look("○", "defined", "dim"),
    "task-pending": Look("◷", "pending", "yellow"),
    "task-running": Look("▶", "running", "cyan"),
    "artifact-created": Look("+", "artifact", "dim"),
    "task-completed": Look("✔", "completed", "green"),
    "task-failed": Look("✖", "failed", "bold red"),
    "task-exception": Look("!", "exception", "bold magenta"),
    "task-priority-changed": Look("±", "priority", "blue"),
    "task-group-resolved": Look("■", "group resolved", "bold green"),
    "task-group-sealed": Look("□", "group sealed", "blue"),
    "task-group-priority-changed": Look("±", "group priority", "blue"),
}


STYLES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "reverse": "7",
    **{
        f"{prefix}{colour}": str(first + number)
        for prefix, first in (("", 30), ("bright_", 90))
        for number, colour in enumerate(
            ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
        )
    },
}
"""The words of styles, and the number of each in ECMA-48's SGR; rich knows them too."""


def look_of(event: Event, looks: Mapping[str, Look] = LOOKS) -> Look:
    """Tell how an event looks."""
    return looks.get(event.name) or Look("·", safe(event.name), "")


def recoloured(colors: Mapping[str, str]) -> Mapping[str, Look]:
    """Give the looks with other styles.

    Args:
        colors: An EVENT of the queue, or a state, to its style; an empty one
            for none.

    Raises:
        UsageError: If there is no such event, or style.
    """
    looks = dict(LOOKS)
    short = {name.removeprefix("task-"): name for name in LOOKS}
    for name, style in colors.items():
        event = short.get(name, name)
        if event not in LOOKS:
            near = suggestion(name, [*short, *LOOKS]) or f"; there are {', '.join(short)}"
            raise UsageError(f"{name}: no event or state of that name{near}")
        for word in style.split():
            if word not in STYLES:
                near = suggestion(word, STYLES) or f"; there are {', '.join(STYLES)}"
                raise UsageError(f"{name}: no style {word!r}{near}")
        looks[event] = looks[event]._replace(style=style)
    return looks
