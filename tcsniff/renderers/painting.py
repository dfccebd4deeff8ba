"""From rich's renderables to the lines of a picture."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType


def painted(rows: Iterable[RenderableType], width: int, *, colour: bool) -> list[str]:
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
    return captured.get().splitlines()
