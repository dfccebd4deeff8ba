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
    """The style of a kind of event.

    Attributes:
        symbol: One character.
        word: A word or two for what happened.
        style: Words of `SGR_CODES`, such as ``bold red``.
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
        f"{prefix}{color}": str(first + number)
        for prefix, first in (("", 30), ("bright_", 90))
        for number, color in enumerate(
            ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
        )
    },
}
"""The words of styles, which rich knows too, and their numbers in ECMA-48's SGR."""


def get_event_style(event: Event, styles: Mapping[str, Style] = EVENT_STYLES) -> Style:
    """Return the style of an event."""
    return styles.get(event.name) or Style("·", sanitize(event.name), "")


def apply_colors(colors: Mapping[str, str]) -> Mapping[str, Style]:
    """Return the styles with some colors replaced.

    Args:
        colors: The new style of each queue EVENT or state; empty for no color.

    Raises:
        UsageError: If there is no such event or style.
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
