"""The lines around the rows: source and rate, tabs, and the most important keys.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from tcsniff.browse.keys import TABS, Key
from tcsniff.pulse.times import format_duration
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.widths import shorten_text
from tcsniff.sanitize import sanitize

_GAP = "  "
_MIN_STATE, _MIN_MIDDLE = 8, 16  # cells


def format_status_line(
    status: StreamStatus, width: int, *, is_replay: bool, failure: str, note: str
) -> Text:
    """Format the first line: the source and selection, and how events arrive.

    Args:
        status: The stream.
        width: In cells; the selection is left out first.
        is_replay: Whether events are not of the present.
        failure: Why the source ended, if it failed.
        note: A message for the user; takes the place of the selection, and of how events
            arrive if there is no room for both.
    """
    left = Text("tcsniff ", style="bold").append(sanitize(status.source), style="not bold")
    room = width - left.cell_len - len(_GAP)
    right = _format_arrivals(status, room, is_replay=is_replay, failure=failure)
    if room < right.cell_len:
        right.truncate(max(0, width), overflow="ellipsis")
        return right if failure or room < 0 else _join_ends(left, right, width)
    middle = sanitize(note) or sanitize(status.selection)
    if note and cell_len(middle) + len(_GAP) + right.cell_len > room:
        right = Text()  # for some seconds
    room -= right.cell_len + len(_GAP) if right else 0
    if middle and room >= min(cell_len(middle), _MIN_MIDDLE):
        left.append(_GAP).append(shorten_text(middle, room), style="yellow" if note else "dim")
    return _join_ends(left, right, width)


def _format_arrivals(status: StreamStatus, room: int, *, is_replay: bool, failure: str) -> Text:
    # As many parts as there is room for, the last ones before the notes are left out first.
    if failure:
        return Text(f"✖ {sanitize(failure)}", style="bold red")
    total = f"{status.total:,} events"
    if status.is_over:
        line, parts = Text().append("■ end", style="bold"), [f"{_GAP}{total}"]
    else:
        line = Text().append("● ", style="yellow" if status.notes else "green")
        line.append("reading" if is_replay else "live")
        parts = [f" {status.rate:.0f}/s", f"{_GAP}{total}"]
        if status.lag is not None and not is_replay:
            parts.append(f"{_GAP}lag {format_duration(max(0.0, status.lag))}")
    notes = Text("".join(f"{_GAP}{sanitize(note)}" for note in status.notes), style="yellow")
    room -= line.cell_len + notes.cell_len
    for part in parts:
        room -= len(part)
        if room < 0:
            break
        line.append(part)
    return line.append_text(notes)


def _join_ends(left: Text, right: Text, width: int) -> Text:
    room = max(1, width - left.cell_len - right.cell_len)
    return Text().append_text(left).append(" " * room).append_text(right)


def format_tab_line(tab: int, state: str, width: int) -> tuple[Text, list[range]]:
    """Format the tabs and the state of the page.

    Args:
        tab: The tab of the page that is shown.
        state: What the page says of itself.
        width: In cells.

    Returns:
        The line, and the columns of each tab, in order.
    """
    names = dict(TABS)
    room = width - sum(map(len, names.values())) - len("  1 ") * len(names)
    if state and room < len(state):  # the numbers are enough to press
        names = {number: name if number == tab else "" for number, name in names.items()}
    line = Text()
    places = []
    for number, name in names.items():
        start = line.cell_len
        style = "bold reverse" if number == tab else ""
        line.append(f" {number} {name} " if name else f" {number} ", style=style)
        places.append(range(start, line.cell_len))
    room = width - line.cell_len - len(_GAP)
    right = Text(shorten_text(state, room) if room >= _MIN_STATE else "", style="yellow")
    return _join_ends(line, right, width), places


def format_key_line(keys: Sequence[Key], width: int) -> tuple[Text, list[tuple[range, str]]]:
    """Format the keys that have a word, as many as there is room for.

    Args:
        keys: The keys; the last two are always shown if there is room at all.
        width: In cells.

    Returns:
        The line, and the columns of each key with its action.
    """
    named = [key for key in keys if key.word]
    ends = [key for key in named if key.word in ("keys", "quit")]
    others = [key for key in named if key not in ends]
    room = width - sum(_measure(key) for key in ends)
    chosen = []
    for key in others:
        room -= _measure(key)
        if room < 0:
            break
        chosen.append(key)
    line, places = Text(), []
    for key in (*chosen, *ends):
        start = line.cell_len
        line.append(key.shown, style="bold").append(f" {key.word}", style="dim").append(_GAP)
        places.append((range(start, line.cell_len), key.action))
    return line, places


def _measure(key: Key) -> int:
    return len(key.shown) + 1 + len(key.word) + len(_GAP)
