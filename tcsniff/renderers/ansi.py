"""From rich's renderables to the lines of a picture."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.style import Style
from rich.text import Text

from tcsniff.pulse.urls import format_link_parameters

_LINK = re.compile(r"\x1b\]8;[^;\x1b]*;([^\x1b]+)\x1b\\")


def paint_lines(rows: Iterable[RenderableType], width: int, *, colour: bool) -> list[str]:
    """Paint rows below each other.

    Args:
        rows: Each may have several lines; what is wider than `width` is cut off.
        width: Of the screen, in cells.
        colour: Whether to use colours.

    Returns:
        Lines no wider than `width`, with their escape sequences.
    """
    console = Console(
        width=width,
        color_system="standard" if colour else None,
        no_color=not colour,  # or it would heed NO_COLOR, which we have weighed already
        force_terminal=True,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    with console.capture() as captured:
        for row in rows:
            console.print(row, crop=True, no_wrap=True, overflow="ellipsis")
    # rich draws lots for the ids of links: they would differ with every picture,
    # and what leads to the same task would not belong together.
    return [
        _LINK.sub(
            lambda found: f"\x1b]8;{format_link_parameters(found[1])};{found[1]}\x1b\\", line
        )
        for line in captured.get().splitlines()
    ]


def join_words(text: str, style: str = "", url: str | None = None) -> Text:
    """Word a piece of a picture.

    Args:
        text: What is shown; must be safe for a terminal.
        style: How.
        url: Where it leads when it is clicked, of `tcsniff.pulse.urls`; None for nowhere.
    """
    made = Text(text, style=style)
    if url is not None and text:
        made.stylize(Style(link=url))  # not its base style, which fills up cells, too
    return made
