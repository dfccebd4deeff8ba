"""The symbol, word and colour of each kind of event and state.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.events import Event
from tcsniff.sanitize import sanitize


class Style(NamedTuple):
    """How a kind of event looks.

    Attributes:
        symbol: One character.
        word: What happened, in a word or two.
        style: Words of `STYLES`, such as ``bold red``.
    """

    symbol: str
    word: str
    style: str


EVENT_STYLES = {
    "task-defined": Style("○", "defined", "dim"),
    "task-pending": Style("◷", "pending", "yellow"),
    "task-running": Style("▶", "running", "cyan"),
    "artifact-created": Style("+", "artifact", "dim"),
    "task-completed": Style("✔", "completed", "green"),
    "task-failed": Style("✖", "failed", "bold red"),
    "task-exception": Style("!", "exception", "bold magenta"),
    "task-priority-changed": Style("±", "priority", "blue"),
    "task-group-resolved": Style("■", "group resolved", "bold green"),
    "task-group-sealed": Style("□", "group sealed", "blue"),
    "task-group-priority-changed": Style("±", "group priority", "blue"),
}


SGR_CODES = {
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


def get_event_style(event: Event, styles: Mapping[str, Style] = EVENT_STYLES) -> Style:
    """Tell how an event looks."""
    return styles.get(event.name) or Style("·", sanitize(event.name), "")


def apply_colors(colors: Mapping[str, str]) -> Mapping[str, Style]:
    """Give the looks with other styles.

    Args:
        colors: An EVENT of the queue, or a state, to its style; an empty one
            for none.

    Raises:
        UsageError: If there is no such event, or style.
    """
    styles = dict(EVENT_STYLES)
    short = {name.removeprefix("task-"): name for name in EVENT_STYLES}
    for name, style in colors.items():
        event = short.get(name, name)
        if event not in EVENT_STYLES:
            near = suggest(name, [*short, *EVENT_STYLES]) or f"; there are {', '.join(short)}"
            raise UsageError(f"{name}: no event or state of that name{near}")
        for word in style.split():
            if word not in SGR_CODES:
                near = suggest(word, SGR_CODES) or f"; there are {', '.join(SGR_CODES)}"
                raise UsageError(f"{name}: no style {word!r}{near}")
        styles[event] = styles[event]._replace(style=style)
    return styles
