"""Cells of a screen: text shortened to fit, and room shared between columns.

Pure. The rules of all views: a task's name gets the room first and is shortened last,
in the middle; worker IDs are shortened first; nothing is shortened while there is room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from tcsniff.renderers.columns import COLUMN_GAP
from tcsniff.sanitize import sanitize

_MIN_HEAD = 8  # cells of the start of a name that stay, when all that follows a slash stays


class Need(NamedTuple):
    """The cells that a column needs.

    Attributes:
        cells: For its longest text.
        min_cells: The fewest that make sense; a column with less room is left out.
    """

    cells: int
    min_cells: int


def share_cells(room: int, needs: Sequence[Need]) -> list[int]:
    """Share room between columns.

    Args:
        room: In cells, with a gap before each column.
        needs: From the most to the least important column.

    Returns:
        The cells of each column; 0 if it is left out. First, columns get their
        minimum, as long as there is room; then, in the same order, what they need.
    """
    shares = []
    for need in needs:
        least = min(need.cells, need.min_cells)
        share = least if least and least + COLUMN_GAP <= room else 0
        shares.append(share)
        room -= share + COLUMN_GAP if share else 0
    for place, need in enumerate(needs):
        more = min(room, need.cells - shares[place]) if shares[place] else 0
        shares[place] += more
        room -= more
    return shares


def pad_text(text: str, room: int) -> str:
    """Make text safe for a terminal, and exactly this many cells wide."""
    return set_cell_size(shorten_text(text, room), room)


def shorten_text(text: str, room: int) -> str:
    """Make text safe for a terminal, and at most this many cells wide.

    Names of tasks are alike at their start, ``test-linux1804-64-qr/opt-mochitest-plain-3``,
    and differ after the slash: in variant, suite and chunk. So text is shortened in
    the middle, a third from the start and two thirds from the end; or if that is more,
    all from the last slash on.
    """
    if len(text) > 2 * room:
        text = text[:room] + text[-room:]  # more of it would not be visible
    text = sanitize(text)
    if cell_len(text) <= room:
        return text
    left = max(0, room - 1)
    after_slash = cell_len(text[max(0, text.rfind("/")) :])
    tail = max(left - left // 3, min(after_slash, left - _MIN_HEAD))
    return f"{_cut_end(text, left - tail)}…{_cut_end(text[::-1], tail)[::-1]}"[: max(0, room)]


def _cut_end(text: str, room: int) -> str:
    # Wide characters are not cut in half.
    while cell_len(text) > room:
        text = text[: max(room, 0)] if len(text) > room else text[:-1]
    return text
