"""The lines around the rows: source and rate, tabs, and the most important keys.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tcsniff.browse.keys import TABS, Key
from tcsniff.pulse.times import format_duration
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.widths import shorten_text
from tcsniff.sanitize import sanitize

_GAP = "  "


def format_status_line(
    status: StreamStatus, width: int, *, is_replay: bool, failure: str, note: str
) -> Text:
    """Format the first line: the source and selection, and how events arrive.

    Args:
        status: The stream.
        width: In cells; the selection is left out first.
        is_replay: Whether events are not of the present.
        failure: Why the source ended, if it failed.
        note: A message for the user; takes the place of the selection.
    """
    right = Text()
    if failure:
        right.append(f"✖ {sanitize(failure)}", style="bold red")
    elif status.is_over:
        right.append("■ end", style="bold").append(f"{_GAP}{status.total:,} events")
    else:
        word = "reading" if is_replay else "live"
        right.append("● ", style="yellow" if status.notes else "green")
        right.append(f"{word} {status.rate:.0f}/s{_GAP}{status.total:,} events")
        if status.lag is not None and not is_replay:
            right.append(f"{_GAP}lag {format_duration(max(0.0, status.lag))}")
    for text in () if failure else status.notes:
        right.append(f"{_GAP}{sanitize(text)}", style="bold yellow")
    left = Text("tcsniff ", style="bold").append(sanitize(status.source), style="not bold")
    room = width - left.cell_len - len(_GAP)
    if room < right.cell_len:
        right.truncate(max(0, width), overflow="ellipsis")
        return right if failure or room < 0 else _join_ends(left, right, width)
    middle = sanitize(note) or sanitize(status.selection)
    room -= right.cell_len + len(_GAP)
    if middle and room > len(_GAP):
        style = "yellow" if note else "dim"
        left.append(_GAP).append(shorten_text(middle, room - len(_GAP)), style=style)
    return _join_ends(left, right, width)


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
    line = Text()
    places = []
    for number, name in TABS.items():
        start = line.cell_len
        line.append(f" {number} {name} ", style="bold reverse" if number == tab else "")
        places.append(range(start, line.cell_len))
    right = Text(shorten_text(state, max(0, width - line.cell_len - 2)), style="bold yellow")
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
