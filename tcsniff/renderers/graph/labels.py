"""Labels of tasks: cut in the middle, so that chunks stay readable."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

from tcsniff.sanitize import sanitize

MAX_LABEL = 44
"""Maximum cells for a label."""
MIN_LABEL = 12
"""Minimum cells for a label where something else is more important."""


def find_room(labels: Iterable[str], width: int) -> int:
    """Return the cells for the labels of tasks on a screen of this width."""
    longest = max((cell_len(sanitize(label)) for label in labels), default=0)
    return min(longest, MAX_LABEL, max(16, width * 2 // 5))


def pad_text(text: str, room: int) -> str:
    """Make text safe for a terminal, and exactly this many cells wide."""
    return set_cell_size(cut_text(text, room), room)


def cut_text(text: str, room: int) -> str:
    """Make text safe for a terminal, and at most this many cells wide."""
    # Cut in the middle, because the chunks of a test differ at the end.
    if len(text) > 2 * room:
        text = text[:room] + text[-room:]  # more of it would not be visible
    text = sanitize(text)
    if cell_len(text) <= room:
        return text
    head = max(0, room - 1) // 2
    return f"{_cut_end(text, head)}…{_cut_end(text[::-1], max(0, room - 1) - head)[::-1]}"


def _cut_end(text: str, room: int) -> str:
    # Wide characters are not cut in half.
    while cell_len(text) > room:
        text = text[: max(room, 0)] if len(text) > room else text[:-1]
    return text
