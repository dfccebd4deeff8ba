"""The picture of `top`: a heading, rows, their total, and the status line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from tcsniff.pulse.styles import EVENT_STYLES
from tcsniff.pulse.times import format_duration
from tcsniff.renderers.ansi import paint_lines
from tcsniff.renderers.columns import COLUMN_GAP
from tcsniff.renderers.terminal import StreamStatus, format_status
from tcsniff.sanitize import sanitize
from tcsniff.stats.histogram import HistogramSummary
from tcsniff.stats.rows import Reading

_NAME = (12, 20, 40)  # cells for a name: the least, enough, and the most
_SPARKS = "▁▂▃▄▅▆▇█"
_CHARTS = (10, 20)  # minutes that a chart shows, where there is little room and much


class Board(NamedTuple):
    """What is shown.

    Attributes:
        by: What a row stands for, such as ``pool``.
        rows: The rows for which there is room.
        total: All runs.
        number: How many rows there are.
    """

    by: str
    rows: Sequence[Reading]
    total: Reading
    number: int


class Gauge(NamedTuple):
    """A column besides the name.

    Attributes:
        title: Its heading.
        width: In cells.
        text: What to show.
        style: How what is more than nothing looks.
        left: Whether it stands at the left of its column.
    """

    title: str
    width: int
    text: Callable[[Reading], str]
    style: str = ""
    left: bool = False


def _number(number: float) -> str:
    if number < 100_000:
        return f"{number:,.0f}"
    # What is cut off is less than anybody reads from so large a number.
    if number < 999_500:
        return f"{number / 1e3:.0f}k"
    return f"{number / 1e6:.1f}M" if number < 999.95e6 else f"{number / 1e9:.1f}G"


def _rate(number: float) -> str:
    return f"{number:.1f}" if number < 99.95 else _number(number)


def _time(seconds: float | None) -> str:
    # Without spaces, as there are many beside each other.
    return "" if seconds is None else format_duration(seconds).replace(" ", "")


def _times(title: str, of: Callable[[Reading], HistogramSummary]) -> tuple[Gauge, Gauge, Gauge]:
    return (
        Gauge(f"{title} p50", 8, lambda row: _time(of(row).p50)),
        Gauge("p95", 6, lambda row: _time(of(row).p95)),
        Gauge("p99", 6, lambda row: _time(of(row).p99)),
    )


def _state(word: str, event: str, number: Callable[[Reading], int]) -> Gauge:
    look = EVENT_STYLES[event]
    title = f"{look.symbol} {word}"
    return Gauge(title, 6, lambda row: _number(number(row)), look.style)


def _chart(minutes: int) -> Gauge:
    return Gauge(
        f"{minutes} MIN", minutes, lambda row: spark(row.by_minute[-minutes:]), "cyan", left=True
    )


PENDING = _state("PEND", "task-pending", lambda row: row.pending)
RUNNING = _state("RUN", "task-running", lambda row: row.running)
COMPLETED = _state("DONE", "task-completed", lambda row: row.completed)
FAILED = _state("FAIL", "task-failed", lambda row: row.failed)
EXCEPTION = _state("EXC", "task-exception", lambda row: row.exception)
RATE = Gauge("/MIN", 6, lambda row: _rate(row.per_minute))
SHORT_CHART, CHART = map(_chart, _CHARTS)
WAITING = _times("WAIT", lambda row: row.wait_times)
TAKING = _times("TOOK", lambda row: row.run_times)

_ORDER = (PENDING, RUNNING, COMPLETED, FAILED, EXCEPTION, RATE, SHORT_CHART, *WAITING, *TAKING)
# What is left out last comes first.
_PRIORITY = (
    *(PENDING, RUNNING, FAILED, COMPLETED, EXCEPTION, WAITING[0], RATE, SHORT_CHART),
    *(WAITING[1], TAKING[0], TAKING[1], WAITING[2], TAKING[2]),
)


def layout(width: int) -> tuple[int, list[Gauge]]:
    """Choose columns for a screen.

    Args:
        width: Of the screen, in cells.

    Returns:
        How wide the name is, and the columns beside it.
    """
    least, enough, most = _NAME
    left = width - (enough if width >= 60 else least)
    chosen: set[str | int] = set()
    for place, gauge in enumerate(_PRIORITY):
        if gauge.width + COLUMN_GAP > left:
            break
        left -= gauge.width + COLUMN_GAP
        chosen.add(place)
    gauges = [gauge for gauge in _ORDER if _PRIORITY.index(gauge) in chosen]
    more = CHART.width - SHORT_CHART.width
    if len(gauges) == len(_ORDER) and left >= more:
        gauges[gauges.index(SHORT_CHART)] = CHART
    used = sum(gauge.width + COLUMN_GAP for gauge in gauges)
    return max(1, min(most, width - used)), gauges


def draw_top(board: Board, width: int, status: StreamStatus | None, *, colour: bool) -> list[str]:
    """Lay the table out.

    Args:
        board: What to show.
        width: Of the screen, in cells.
        status: For the line below; None for none.
        colour: Whether to use colours.

    Returns:
        Lines no wider than `width`: the heading, the rows, the total, the status.
    """
    room, gauges = layout(width)
    lines = [
        _heading(board.by, room, gauges),
        *(_line(row, room, gauges) for row in board.rows),
        _line(board.total._replace(name=_count(board)), room, gauges, base="bold"),
    ]
    if status is not None:
        lines.append(format_status(status, width))
    return paint_lines(lines, width, colour=colour)


def spark(numbers: Sequence[int]) -> str:
    """Draw numbers as a chart of one line, as high as the largest; nothing is the lowest."""
    top = max(numbers, default=0)
    last = len(_SPARKS) - 1
    return "".join(
        _SPARKS[-(-number * last // top)] if number else _SPARKS[0] for number in numbers
    )


def _count(board: Board) -> str:
    words = f"{board.number:,} {board.by}{'s' * (board.number != 1)}"
    shown = len(board.rows)
    return words if shown == board.number else f"{shown:,} of {words}"


def _heading(by: str, room: int, gauges: Sequence[Gauge]) -> Text:
    cells = [_cell(by.upper(), room)]
    cells += [_aligned(gauge.title, gauge) for gauge in gauges]
    return Text((" " * COLUMN_GAP).join(cells), style="bold")


def _line(row: Reading, room: int, gauges: Sequence[Gauge], *, base: str = "") -> Text:
    line = Text(style=base)
    line.append(_cell(sanitize(row.name), room))
    for gauge in gauges:
        text = gauge.text(row)
        is_nothing = text in ("0", "0.0") or not set(text) - {_SPARKS[0]}
        line.append(" " * COLUMN_GAP)
        line.append(_aligned(text, gauge), style="dim" if is_nothing else gauge.style)
    return line


def _aligned(text: str, gauge: Gauge) -> str:
    return text.ljust(gauge.width) if gauge.left else text.rjust(gauge.width)


def _cell(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    # Names of pools and workers begin alike, and differ at their ends.
    head = (width - 1) // 3
    tail = set_cell_size(text[::-1], width - 1 - head)[::-1]
    return f"{set_cell_size(text, head)}…{tail}"
