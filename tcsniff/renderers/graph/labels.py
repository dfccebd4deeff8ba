"""Room for the labels of tasks in a picture of a task graph."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from tcsniff.renderers.columns import COLUMN_GAP
from tcsniff.sanitize import sanitize

MAX_LABEL = 72
"""Maximum cells for a label in a list of labels."""
MIN_LABEL = 12
"""Minimum cells for a label where something else is more important."""
_INDENT = 4  # cells before a label: of the row, and the symbol
_STORY = 22  # cells after a label, for what happened to the task; a third of a narrow screen


def find_room(labels: Iterable[str], width: int) -> int:
    """Return the cells for the labels of tasks, each in a row of its own.

    Pools and workers get what is left: they are shortened first.

    Args:
        labels: The labels.
        width: Of the screen, in cells.
    """
    longest = max((cell_len(sanitize(label)) for label in labels), default=0)
    return min(longest, max(MIN_LABEL, width - _INDENT - COLUMN_GAP - min(_STORY, width // 3)))
