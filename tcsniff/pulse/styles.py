"""The symbol, word and color of each kind of event and state.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tcsniff.errors import UsageError, suggest
from tcsniff.sanitize import sanitize

if TYPE_CHECKING:  # importing events costs 15 ms, and reading the settings needs styles only
    from tcsniff.pulse.events import Event


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
"""The styles of tasks' states; `get_state_style` also has one for other states."""

EVENT_STYLES = {
    "task-defined": STATE_STYLES["unscheduled"]._replace(word="defined"),
    "task-pending": STATE_STYLES["pending"],
    "task-running": STATE_STYLES["running"],
    "artifact-created": Style("+", "artifact", "dim"),
    "task-completed": STATE_STYLES["completed"],
    "task-failed": STATE_STYLES["failed"],
    "task-exception": STATE_STYLES["exception"],
    "task-priority-changed": Style("±", "priority", "blue"),
    "task-group-resolved": Style("■", "group resolved", "green"),
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
        f"{prefix}{color}": str(first + number)
        for prefix, first in (("", 30), ("bright_", 90))
        for number, color in enumerate(
            ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
        )
    },
}
"""The words of styles, and their numbers in ECMA-48's SGR; rich has the same words."""


def get_state_style(state: str) -> Style:
    """Return the style of a task's state, with a word that is safe for a terminal."""
    return STATE_STYLES.get(state) or Style("·", sanitize(state), "")


def get_event_style(event: Event, styles: Mapping[str, Style] = EVENT_STYLES) -> Style:
    """Return the style of an event, with a word that is safe for a terminal."""
    return styles.get(event.name) or Style("·", sanitize(event.name), "")


def apply_colors(colors: Mapping[str, str]) -> Mapping[str, Style]:
    """Return `EVENT_STYLES` with other colors.

    Args:
        colors: The words of a style, by EVENT of the queue or state; may be empty.

    Raises:
        UsageError: If an event or a word is unknown.
    """
    styles = dict(EVENT_STYLES)
    short_names = {name.removeprefix("task-"): name for name in EVENT_STYLES}
    for name, style in colors.items():
        event = short_names.get(name, name)
        if event not in EVENT_STYLES:
            known = ", ".join(short_names)
            hint = suggest(name, [*short_names, *EVENT_STYLES]) or f"; known events: {known}"
            raise UsageError(f"{name}: unknown event or state{hint}")
        for word in style.split():
            if word not in SGR_CODES:
                hint = suggest(word, SGR_CODES) or f"; known styles: {', '.join(SGR_CODES)}"
                raise UsageError(f"{name}: unknown style {word!r}{hint}")
        styles[event] = styles[event]._replace(style=style)
    return styles
