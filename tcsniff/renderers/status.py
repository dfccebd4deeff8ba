"""The line below a live picture: what it is connected to, and whether anything comes."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from tcsniff.sanitize import safe


class Status(NamedTuple):
    """What the line tells.

    Attributes:
        source: What it is connected to.
        total: Events so far.
        rate: Events a second.
        idle: Seconds since the last one; None before the first.
        lag: Seconds from when the last one happened to when it reached us;
            None if it does not tell.
        selection: What was asked for.
        notes: What a person should know of the connection.
    """

    source: str
    total: int
    rate: float
    idle: float | None
    lag: float | None
    selection: str
    notes: tuple[str, ...] = ()


def status_line(status: Status, width: int) -> Text:
    """Lay the line out.

    Args:
        status: What it tells.
        width: Of the screen, in cells; what was asked for is left out first.
    """
    left = Text()
    left.append("● ", style="green" if status.idle is not None else "yellow")
    left.append(safe(status.source), style="bold")
    events = "event" if status.total == 1 else "events"
    left.append(f"  {status.total:,} {events}  {status.rate:.0f}/s")
    if status.idle is not None:
        left.append(f"  last {_ago(status.idle)} ago")
    if status.lag is not None:
        left.append(f"  lag {_ago(max(0.0, status.lag))}")
    for note in status.notes:
        left.append(f"  {safe(note)}", style="bold yellow")
    right = "  ".join(filter(None, (safe(status.selection), "Ctrl-C ends")))
    room = width - left.cell_len - 2
    if cell_len(right) > room:
        right = "Ctrl-C ends" if room >= len("Ctrl-C ends") else ""
    gap = " " * (room - cell_len(right) + 2)
    return left.append(gap).append(right, style="dim") if right else left


def _ago(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
