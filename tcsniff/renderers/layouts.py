"""Which columns a screen shows, and how wide: one rule for the table and for lines.

Pure. The time and the event have their cells always. Then the task's name gets what it
needs, so that a wider screen never shows less of it; the other columns share the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from rich.cells import cell_len, set_cell_size

from tcsniff.pulse.events import Event
from tcsniff.renderers.columns import (
    COLUMN_GAP,
    EVENT,
    POOL,
    REASON,
    RUN,
    STATE,
    TASK,
    TASK_ID,
    TIME,
    WORKER,
    Column,
    get_reason_or_pool,
    get_reason_or_worker,
    get_task_or_id,
    get_unexpected_state,
)
from tcsniff.renderers.widths import Need, share_cells, shorten_text

_NAME = Column(TASK.title, get_task_or_id, 48, 8)
_LABEL = _NAME._replace(text=TASK.text)
_STATE = Column(STATE.title, get_unexpected_state, 11, 11)
# For narrow screens: two values in one column, the more important first.
_POOL_OR_REASON = Column("POOL · REASON", get_reason_or_pool, 24, 14)
_WORKER_OR_REASON = Column("WORKER · REASON", get_reason_or_worker, 24, 15)
_EVENT = EVENT._replace(width=11)  # longer words take the next column's cells in their row

_LAYOUTS = (
    (TIME, _EVENT, _STATE, _LABEL, TASK_ID, RUN, POOL, WORKER, REASON),
    (TIME, _EVENT, _LABEL, TASK_ID, RUN, POOL, _WORKER_OR_REASON),
    (TIME, _EVENT, _NAME, RUN, POOL, _WORKER_OR_REASON),
    (TIME, _EVENT, _NAME, RUN, _POOL_OR_REASON),
    (TIME, _EVENT, _NAME, RUN),
    (TIME, _EVENT, _NAME),
)
"""From the widest to the narrowest."""

_FIXED = frozenset((TIME.title, EVENT.title))
_IMPORTANCE = {RUN.title: 0, REASON.title: 1, STATE.title: 3, WORKER.title: 4}  # others: 2
_USUAL_NAME = 32  # cells; columns that fit beside such a name are shown
_SHORT_NAME = 20  # the same, if the user has named the columns
# Cells that the column of names gets before the others get all they need. Longer names
# take the cells of others in their own row.
_LONG_NAME = 44
_MAX_OTHER = 40  # cells that the column of names gets for rows that are not about a task

Widths = Mapping[str, int]
"""Cells by title of a column."""


def measure_columns(columns: Sequence[Column], events: Sequence[Event]) -> dict[str, int]:
    """Return the cells of the longest text of each column, and of its title."""
    widths = {column.title: len(column.title) for column in columns}
    for event in events:
        for column in columns:
            limit = _MAX_OTHER if column.title == TASK.title and not event.task_id else 1000
            wanted = min(limit, cell_len(column.text(event)))
            widths[column.title] = max(wanted, widths[column.title])
    return widths


def list_needed(chosen: Sequence[Column], events: Sequence[Event]) -> dict[str, int]:
    """Return the cells that events need, for `fit_columns`.

    Args:
        chosen: The columns that the user named; empty for any.
        events: The events to show; without any, the usual widths are used.

    Returns:
        By title. 0 for a column that would say nothing new.
    """
    if not events:
        return {}
    columns = chosen or tuple(
        {column.title: column for row in _LAYOUTS for column in row}.values()
    )
    needed = measure_columns(columns, events)
    if not chosen and not any(_STATE.text(event) for event in events):
        needed[STATE.title] = 0
    return needed


def fit_columns(
    width: int, chosen: Sequence[Column] = (), needed: Widths = MappingProxyType({})
) -> list[Column]:
    """Return the columns for a screen, with their widths.

    Args:
        width: Of the screen, in cells.
        chosen: The columns that the user named; empty for those that fit best.
            Columns that do not fit are left out, from the right.
        needed: The cells that each column needs; the usual ones for those that are missing.
    """
    if chosen:
        columns = [_set_need(column, needed) for column in chosen]
        return _fit_layout(columns, width, _SHORT_NAME, {TASK.title})
    fitted: list[Column] = []
    for layout in _LAYOUTS:
        columns = [_set_need(column, needed) for column in layout]
        columns = [column for column in columns if column.width]
        fitted = _fit_layout(columns, width, _USUAL_NAME, {TASK.title, *_FIXED})
        if len(fitted) == len(columns):
            break
    return fitted


def _set_need(column: Column, needed: Widths) -> Column:
    if column.title in _FIXED:
        return column._replace(width=column.min_width)
    return column._replace(width=needed.get(column.title, column.width))


def _fit_layout(
    columns: Sequence[Column], width: int, least_name: int, always: Collection[str]
) -> list[Column]:
    kept = _keep_fitting(columns, width, least_name, always)
    room = width + COLUMN_GAP
    widths = [column.width if column.title in _FIXED else 0 for column in kept]
    room -= sum(share + COLUMN_GAP for share in widths if share)
    others = [place for place, share in enumerate(widths) if not share]
    names = [place for place in others if kept[place].title == TASK.title]
    for place in names or others[:1]:
        others.remove(place)
        least = sum(_get_least(kept[other]) + COLUMN_GAP for other in others)
        widths[place] = min(kept[place].width, _LONG_NAME, room - least - COLUMN_GAP)
        widths[place] = max(_get_least(kept[place]), widths[place])
        room -= widths[place] + COLUMN_GAP
    others.sort(key=lambda place: _get_importance(kept[place]))
    needs = [Need(kept[place].width, kept[place].min_width) for place in others]
    for place, share in zip(others, share_cells(room, needs), strict=True):
        widths[place] = share
        room -= share + COLUMN_GAP
    for place in names:  # what no column needs
        more = max(0, min(room, kept[place].width - widths[place]))
        widths[place] += more
        room -= more
    return [column._replace(width=share) for column, share in zip(kept, widths, strict=True)]


def _keep_fitting(
    columns: Sequence[Column], width: int, least_name: int, always: Collection[str]
) -> list[Column]:
    # From the left, at their minimum; the first, and those with these titles, stay.
    kept: list[Column] = []
    room = width + COLUMN_GAP
    for column in columns:
        if column.title in always:
            room -= COLUMN_GAP + min(column.width, least_name)
    for column in columns:
        if column.title not in always:
            room -= COLUMN_GAP + _get_least(column)
            if room < 0 and kept:
                continue  # neither this column nor those on its right
        kept.append(column)
    return kept


def _get_least(column: Column) -> int:
    return min(column.width, column.min_width)


def _get_importance(column: Column) -> int:
    return _IMPORTANCE.get(column.title, 2)


def fit_row(texts: Sequence[str], columns: Sequence[Column], width: int) -> list[str]:
    """Shorten and pad the texts of a row.

    A text that is longer than its column takes the free cells after it. Then a longer
    name of a task takes cells of the other columns: of the worker first.

    Args:
        texts: For each column; safe for a terminal.
        columns: With their widths.
        width: Of the screen, in cells.

    Returns:
        For each column its cells, with the gap to the next one.
    """
    shares = _share_row([cell_len(text) for text in texts], columns, width)
    spare = width - sum(share + COLUMN_GAP for share in shares if share) + COLUMN_GAP
    cells = [""] * len(texts)
    offset = at = 0  # where a column is in all rows, and where the row is
    last = -1  # the last cell that is not empty
    for place, (column, share) in enumerate(zip(columns, shares, strict=True)):
        if share:
            start = offset + (column.width - share if column.title == RUN.title else 0)
            padding = max(0, min(start - at, spare))
            spare -= padding
            cells[last] += " " * (padding if last >= 0 else 0)
            cells[place] = " " * (padding if last < 0 else 0)
            shown = _shorten_cell(texts[place], column, share)
            cells[place] += shown + " " * (share - cell_len(shown) + COLUMN_GAP)
            at += padding + share + COLUMN_GAP
            last = place
        offset += column.width + COLUMN_GAP
    return cells


def _shorten_cell(text: str, column: Column, room: int) -> str:
    # Names of all kinds differ at their ends, sentences are read from the start.
    # A worker has one space, and no comma.
    is_sentence = "/" not in text and (", " in text or text.count(" ") > 1)
    if column.title.endswith(REASON.title) and is_sentence and cell_len(text) > room:
        return set_cell_size(text, max(0, room - 1)) + "…"
    return shorten_text(text, room)


def _share_row(lengths: Sequence[int], columns: Sequence[Column], width: int) -> list[int]:
    # The time and the event, then the name, then the others.
    shares = [0] * len(columns)
    room = width + COLUMN_GAP
    fixed = [place for place, column in enumerate(columns) if column.title in _FIXED]
    names = [place for place, column in enumerate(columns) if column.title == TASK.title]
    for place in (*fixed, *names):
        wanted = max(lengths[place], columns[place].width if place in fixed else 0)
        shares[place] = max(0, min(wanted, room - COLUMN_GAP))
        room -= shares[place] + COLUMN_GAP if shares[place] else 0
    others = [place for place in range(len(columns)) if place not in (*fixed, *names)]
    others.sort(key=lambda place: _get_importance(columns[place]))
    needs = [
        Need(
            min(lengths[place], _measure_free(place, lengths, columns, width)),
            columns[place].min_width,
        )
        for place in others
    ]
    for place, share in zip(others, share_cells(room, needs), strict=True):
        shares[place] = share
    return shares


def _measure_free(
    place: int, lengths: Sequence[int], columns: Sequence[Column], width: int
) -> int:
    # The cells of a column, and of empty ones after it.
    for end in range(place + 1, len(columns)):
        if lengths[end]:
            return _find_offset(columns, end) - COLUMN_GAP - _find_offset(columns, place)
    return width - _find_offset(columns, place)


def _find_offset(columns: Sequence[Column], place: int) -> int:
    return sum(column.width + COLUMN_GAP for column in columns[:place])
