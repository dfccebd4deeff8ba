"""Labels of tasks and kinds in a picture, in the room that they are given."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

from tcsniff.renderers.scene import NO_KIND
from tcsniff.sanitize import safe

LABEL = 44
"""Cells for the label of a task, at most."""
LEAST_LABEL = 12
"""The same, where something else is worth more."""
_KIND = 18  # cells for the name of a kind


def room_for(labels: Iterable[str], width: int) -> int:
    """Tell how much room the labels of tasks are given, in cells.

    Args:
        labels: The labels.
        width: Of the screen, in cells.
    """
    longest = max((cell_len(safe(label)) for label in labels), default=0)
    return min(longest, LABEL, max(16, width * 2 // 5))


def padded(text: str, room: int) -> str:
    """Make a text safe for a terminal, and as wide as the room, in cells."""
    return set_cell_size(cut(text, room), room)


def cut(text: str, room: int) -> str:
    """Make a text safe for a terminal, and no wider than the room, in cells."""
    # In the middle: what tells chunks of a test apart stands at the end.
    if len(text) > 2 * room:
        text = text[:room] + text[-room:]  # more of it would not be seen
    text = safe(text)
    if cell_len(text) <= room:
        return text
    head = max(0, room - 1) // 2
    return f"{_start(text, head)}…{_start(text[::-1], max(0, room - 1) - head)[::-1]}"


def _start(text: str, room: int) -> str:
    # No more than the room holds; a wide character is not cut in half.
    while cell_len(text) > room:
        text = text[: max(room, 0)] if len(text) > room else text[:-1]
    return text


def width_of_kinds(kinds: Iterable[str]) -> int:
    """Tell how much room the names of kinds need, in cells."""
    return min(_KIND, max((cell_len(safe(name or NO_KIND)) for name in kinds), default=0))
