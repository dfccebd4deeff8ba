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
    """The symbol, word and colors of an event or a state.

    Attributes:
        symbol: One character.
        word: What happened, in a word or two.
        style: Words of `SGR_CODES`, such as ``bold red``.
        fill: In drawings, the light color of the box, as ``#rrggbb``.
        line: In drawings, the dark color of outline and text. It is readable on
            `fill` and on white.
    """

    symbol: str
    word: str
    style: str
    fill: str = "#ffffff"
    line: str = "#57606a"


STATE_STYLES = {
    "completed": Style("✔", "completed", "green", "#dff5e3", "#1a7f37"),
    "running": Style("▶", "running", "cyan", "#ddeeff", "#0550ae"),
    "pending": Style("◷", "pending", "yellow", "#fff4cc", "#7d4e00"),
    "unscheduled": Style("○", "unscheduled", "dim", "#f3f4f6"),
    "unheard": Style("?", "not heard of", "dim"),
    "failed": Style("✖", "failed", "bold red", "#ffe2e0", "#b3111d"),
    "exception": Style("!", "exception", "bold magenta", "#f7e3fb", "#8a1fa0"),
}
"""The styles of tasks' states; `get_state_style` also knows what to do with others."""

EVENT_STYLES = {
    "task-defined": STATE_STYLES["unscheduled"]._replace(word="defined"),
    "task-pending": STATE_STYLES["pending"],
    "task-running": STATE_STYLES["running"],
    "artifact-created": Style("+", "artifact", "dim"),
    "task-completed": STATE_STYLES["completed"],
    "task-failed": STATE_STYLES["failed"],
    "task-exception": STATE_STYLES["exception"],
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


def get_state_style(state: str) -> Style:
    """Return the style of a task's state, with a word that is safe for a terminal."""
    return STATE_STYLES.get(state) or Style("·", sanitize(state), "")


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
