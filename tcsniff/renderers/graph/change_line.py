"""A change of a task as a line of text."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from tcsniff.pulse.styles import get_state_style
from tcsniff.pulse.times import parse_timestamp
from tcsniff.renderers.columns import COLUMN_GAP, format_clock_time
from tcsniff.renderers.lines import color_text
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.renderers.widths import shorten_text
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.summary import Json

_WORD = 11  # cells for what happened
_NAME = 44  # cells for the usual name
_OTHERS = 24  # cells after the usual name, on a narrow screen
_MIN_PART = 8  # cells of what is shortened; with less it is left out
_GAP = " " * COLUMN_GAP


def find_line_width(output: Output) -> int | None:
    """Return the cells for a line: those of the terminal; None if the output is none."""
    return get_terminal_size()[0] if output.is_terminal else None


def format_change(change: Json, width: int | None, *, color: bool, utc: bool) -> str:
    """Format a change of a task as a line.

    Args:
        change: In the form of `summarize_change`.
        width: Of the screen, in cells. The name gets the room first; what follows it is
            shortened, or left out from the right. None for as many as needed.
        color: Whether to use colors.
        utc: Whether to show times in UTC instead of the local time zone.
    """
    style = get_state_style(change["state"])
    time = format_clock_time(parse_timestamp(change["time"]), utc=utc)
    word = style.word if width is None else shorten_text(style.word, _WORD)
    event = f"{style.symbol} {word:<{_WORD}}"
    name = sanitize(change["label"] or change["taskId"])
    parts = _list_parts(change)
    usual = _NAME
    if width is not None:
        room = width - cell_len(f"{time}{_GAP}{event}{_GAP}")
        usual = max(0, min(_NAME, room - _OTHERS))
        name = shorten_text(name, room)
        parts = _fit_parts(parts, room - max(usual, cell_len(name)))
    name += " " * (usual - cell_len(name))
    start = f"{time}{_GAP}{color_text(event, style.style) if color else event}"
    return _GAP.join((start, name, *parts)).rstrip()


def _list_parts(change: Json) -> list[str]:
    state, lost = change["state"], change.get("lost")
    run = "" if change["run"] is None else f"run {change['run']}"
    reason = sanitize(change["reason"] or "")
    if state in ("completed", "failed") and reason == state:
        reason = ""
    if lost:
        reason = f"run {lost['run']} {sanitize(lost['reason'] or '')}"
    worker = sanitize(change["worker"] or "")
    log = change.get("log") or (lost or {}).get("log") or ""
    parts = (f"{run:<6}", reason, sanitize(change["pool"]), worker, log)
    return list(filter(None, parts))


def _fit_parts(parts: Iterable[str], room: int) -> list[str]:
    fitted = []
    for part in parts:
        room -= COLUMN_GAP
        shown = part
        if cell_len(part) > room:
            is_address = "://" in part  # useless if it is shortened
            shown = shorten_text(part, room) if room >= _MIN_PART and not is_address else ""
        if not shown:
            break
        fitted.append(shown)
        room -= cell_len(shown)
    return fitted
