"""The picture of `top`: a heading, rows, their total and the status line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from tcsniff.pulse.styles import STATE_STYLES
from tcsniff.pulse.times import format_duration
from tcsniff.renderers.ansi import paint_lines
from tcsniff.renderers.columns import COLUMN_GAP
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.terminal import format_status
from tcsniff.sanitize import sanitize
from tcsniff.stats.histogram import EMPTY_SUMMARY, HistogramSummary
from tcsniff.stats.rows import Reading

_MAX_NAME = 40  # cells
_MIN_NAMES = ((200, 38), (120, 26), (60, 20), (0, 12))  # by width of the screen
_POOL = 22  # cells
_KINDS = 16  # cells
_BARS = "▁▂▃▄▅▆▇█"
_CHARTS = (10, 20)  # minutes in the short and the long chart


class Board(NamedTuple):
    """The content of the picture.

    Attributes:
        by: What a row stands for, such as ``pool``.
        rows: The rows to show.
        total: The counts of all runs.
        number: The number of all rows, shown or not.
        sort: What the rows are sorted by, a value of ``--sort``.
        reverse: Whether their order is reversed.
        has_limit: Whether there is a limit of the waiting time, ``--slo``.
        is_estimate: Whether the counts may be wrong.
        has_workers: Whether anything was announced about workers.
        longest: The cells of the longest name of all rows; 0 if unknown.
    """

    by: str
    rows: Sequence[Reading]
    total: Reading
    number: int
    sort: str = "pending"
    reverse: bool = False
    has_limit: bool = False
    is_estimate: bool = False
    has_workers: bool = False
    longest: int = 0


class Gauge(NamedTuple):
    """A column next to the name.

    Attributes:
        title: Its heading.
        width: In cells.
        text: Formats a row's value.
        style: The style of values other than 0.
        is_left: Whether it is left-aligned.
    """

    title: str
    width: int
    text: Callable[[Reading], str]
    style: str = ""
    is_left: bool = False


def _format_number(number: float) -> str:
    if number < 100_000:
        return f"{number:,.0f}"
    if number < 999_500:
        return f"{number / 1e3:.0f}k"
    return f"{number / 1e6:.1f}M" if number < 999.95e6 else f"{number / 1e9:.1f}G"


def _format_rate(number: float) -> str:
    return f"{number:.1f}" if number < 99.95 else _format_number(number)


def _format_time(seconds: float | None) -> str:
    # Without spaces, because there are many next to each other.
    return "" if seconds is None else format_duration(seconds).replace(" ", "")


def _make_time_gauges(
    title: str, get_summary: Callable[[Reading], HistogramSummary]
) -> tuple[Gauge, Gauge, Gauge]:
    return (
        Gauge(f"{title} p50", 8, lambda row: _format_time(get_summary(row).p50)),
        Gauge("p95", 6, lambda row: _format_time(get_summary(row).p95)),
        Gauge("p99", 6, lambda row: _format_time(get_summary(row).p99)),
    )


def _make_state_gauge(word: str, state: str, get_count: Callable[[Reading], int]) -> Gauge:
    style = STATE_STYLES[state]
    title = f"{style.symbol} {word}"
    return Gauge(title, 6, lambda row: _format_number(get_count(row)), style.style)


def _make_chart(minutes: int) -> Gauge:
    return Gauge(
        f"{minutes} MIN",
        minutes,
        lambda row: draw_bars(row.by_minute[-minutes:]),
        "cyan",
        is_left=True,
    )


def _format_share(share: float | None) -> str:
    # Rounded down, so that 100% means all.
    return "" if share is None else f"{int(share * 1000) / 10:g}%"


def _make_count_gauge(word: str, get_count: Callable[[Reading], int]) -> Gauge:
    style = STATE_STYLES["exception"].style
    return Gauge(word, 6, lambda row: _format_number(get_count(row)), style)


def _format_workers(row: Reading) -> str:
    # How many have registered, of how many that were requested.
    workers = row.workers
    if workers is None or not any(workers[:2]):
        return ""
    return f"{_format_short(workers.running)}/{_format_short(workers.requested)}"


def _format_short(number: int) -> str:
    # Four cells.
    if number < 10_000:
        return str(number)
    return f"{number / 1e3:.0f}k" if number < 999_500 else _format_number(number)


def _format_kinds(row: Reading) -> str:
    kinds = row.workers.kinds if row.workers else ()
    text = ", ".join(sanitize(kind) for kind, _ in kinds)
    return text if cell_len(text) <= _KINDS else f"{set_cell_size(text, _KINDS - 1)}…"


PENDING = _make_state_gauge("PEND", "pending", lambda row: row.pending)
OLDEST = Gauge("OLDEST", 6, lambda row: _format_time(row.oldest))
RUNNING = _make_state_gauge("RUN", "running", lambda row: row.running)
LAST = Gauge("LAST", 6, lambda row: _format_time(row.last))
COMPLETED = _make_state_gauge("DONE", "completed", lambda row: row.completed)
FAILED = _make_state_gauge("FAIL", "failed", lambda row: row.failed)
LOST = _make_count_gauge("LOST", lambda row: row.lost)
CANCELED = Gauge("CANC", 6, lambda row: _format_number(row.canceled))
EXCEPTION = _make_state_gauge("EXC", "exception", lambda row: row.exception)
RATE = Gauge("/MIN", 6, lambda row: _format_rate(row.per_minute))
SHORT_CHART, CHART = map(_make_chart, _CHARTS)
WAITING = _make_time_gauges("WAIT", lambda row: row.wait_times)
TAKING = _make_time_gauges("TOOK", lambda row: row.run_times)
IN_TIME = Gauge("SLO", 6, lambda row: _format_share(row.in_time))
STREAK = _make_count_gauge("STREAK", lambda row: row.health.streak if row.health else 0)
HEARD = Gauge("HEARD", 6, lambda row: _format_time(row.health.heard if row.health else None))
WORKERS = Gauge("WORKERS", 9, _format_workers)
WORKER_ERRORS = _make_count_gauge("W ERR", lambda row: row.workers.errors if row.workers else 0)
START_TIMES = _make_time_gauges(
    "START", lambda row: row.workers.start_times if row.workers else EMPTY_SUMMARY
)[:2]
STOPPED = Gauge("W STOP", 6, lambda row: _format_number(row.workers.stopped if row.workers else 0))
ERROR_KINDS = Gauge("ERRORS", _KINDS, _format_kinds, is_left=True)
POOL = Gauge(
    "POOL",
    _POOL,
    lambda row: _fit_name(sanitize(row.health.pool if row.health else ""), _POOL),
    is_left=True,
)

_SORTS = {
    "pending": PENDING,
    "running": RUNNING,
    "failed": FAILED,
    "lost": LOST,
    "rate": RATE,
    "wait": WAITING[0],
    "oldest": OLDEST,
    "run": TAKING[0],
    "streak": STREAK,
}
"""The columns that rows can be sorted by, by value of ``--sort``; ``finished`` has none."""

WORKER_GAUGES = (STREAK, HEARD, POOL)
"""The columns that are shown only if a row is a worker."""

_ORDER = (
    *(POOL, PENDING, OLDEST, RUNNING, LAST, HEARD, STREAK),
    *(COMPLETED, FAILED, LOST, CANCELED, EXCEPTION, RATE, SHORT_CHART),
    *(IN_TIME, *WAITING, *TAKING),
    *(WORKERS, WORKER_ERRORS, ERROR_KINDS, STOPPED, *START_TIMES),
)
# On narrow screens, the last are left out first.
_PRIORITY = (
    *(PENDING, RUNNING, OLDEST, FAILED, LOST, WORKERS, WORKER_ERRORS, COMPLETED),
    *(WAITING[0], LAST, START_TIMES[0], RATE, EXCEPTION, SHORT_CHART),
    *(WAITING[1], TAKING[0], ERROR_KINDS, CANCELED, TAKING[1], WAITING[2], TAKING[2]),
    *(START_TIMES[1], STOPPED),
)
_POOL_GAUGES = (WORKERS, WORKER_ERRORS, *START_TIMES, ERROR_KINDS, STOPPED)
"""The columns that are shown only if something was announced about workers."""


def fit_gauges(
    width: int, first: Sequence[Gauge] = (), *, has_workers: bool = False, longest: int = 0
) -> tuple[int, list[Gauge]]:
    """Choose the columns for a screen.

    Args:
        width: Of the screen, in cells.
        first: Columns that are asked for, the most important first.
        has_workers: Whether to show what was announced about workers.
        longest: The cells of the longest name, which has the room first, up to half of it.

    Returns:
        The width of the name, and the columns next to it.
    """
    least = next(name for screen, name in _MIN_NAMES if width >= screen)
    left = width - max(least, min(longest, _MAX_NAME, width // 2))
    known = [gauge for gauge in _PRIORITY if has_workers or gauge not in _POOL_GAUGES]
    priority = (*known[:2], *first, *known[2:])
    chosen: set[int] = set()
    for place, gauge in enumerate(priority):
        if gauge.width + COLUMN_GAP > left:
            break
        left -= gauge.width + COLUMN_GAP
        chosen.add(place)
    gauges = [gauge for gauge in _ORDER if gauge in priority and priority.index(gauge) in chosen]
    if len(gauges) == len(priority) and left >= CHART.width - SHORT_CHART.width:
        gauges[gauges.index(SHORT_CHART)] = CHART
    used = sum(gauge.width + COLUMN_GAP for gauge in gauges)
    return max(1, min(_MAX_NAME, width - used)), gauges


def draw_top(board: Board, width: int, status: StreamStatus | None, *, color: bool) -> list[str]:
    """Draw the table.

    Args:
        board: The content.
        width: Of the screen, in cells.
        status: For the status line; None for no status line.
        color: Whether to use colors.

    Returns:
        Lines of at most `width` cells: the heading, the rows, the total, the status.
    """
    lines = format_board(board, width)
    if status is not None:
        lines.append(format_status(status, width))
    return paint_lines(lines, width, color=color)


def format_board(board: Board, width: int) -> list[Text]:
    """Format the heading, the rows, and their total, on a screen of this width."""
    first = _list_first_gauges(board)
    room, gauges = fit_gauges(width, first, has_workers=board.has_workers, longest=board.longest)
    total = board.total._replace(name=_describe_rows(board))
    return [
        _format_heading(board, room, gauges),
        *(_format_row(row, room, gauges) for row in board.rows),
        _format_row(total, room, gauges, base="bold"),
    ]


def draw_bars(numbers: Sequence[int]) -> str:
    """Draw numbers as a bar chart of one line, as high as the largest number."""
    top = max(numbers, default=0)
    last = len(_BARS) - 1
    return "".join(_BARS[-(-number * last // top)] if number else _BARS[0] for number in numbers)


def _list_first_gauges(board: Board) -> list[Gauge]:
    return [
        *((IN_TIME,) if board.has_limit else ()),
        *(WORKER_GAUGES if board.by == "worker" else ()),
    ]


def _describe_rows(board: Board) -> str:
    words = f"{board.number:,} {board.by}{'s' * (board.number != 1)}"
    shown = len(board.rows)
    counted = words if shown == board.number else f"{shown:,} of {words}"
    return f"{counted}, estimated" if board.is_estimate else counted


def _format_heading(board: Board, room: int, gauges: Sequence[Gauge]) -> Text:
    # The mark is in the gap before the title, so that no column moves.
    is_up = board.reverse != (board.sort == "name")
    mark = "▲" if is_up else "▼"
    line = Text(style="bold")
    is_sorted = board.sort == "name"
    name = f"{board.by.upper()} {mark}" if is_sorted else board.by.upper()
    line.append(_fit_name(name, room), style=_SORTED if is_sorted else "")
    for gauge in gauges:
        is_sorted = gauge is _SORTS.get(board.sort)
        title = mark + gauge.title if is_sorted else gauge.title
        wide = gauge._replace(width=gauge.width + COLUMN_GAP)
        cell = f"{'':{COLUMN_GAP}}{title}".ljust(wide.width) if gauge.is_left else title
        line.append(_align(cell, wide), style=_SORTED if is_sorted else "")
    return line


_SORTED = "yellow not bold"


def _format_row(row: Reading, room: int, gauges: Sequence[Gauge], *, base: str = "") -> Text:
    line = Text(style=base)
    line.append(_fit_name(sanitize(row.name), room))
    for gauge in gauges:
        text = gauge.text(row)
        is_zero = text in ("0", "0.0") or not set(text) - {_BARS[0]}
        line.append(" " * COLUMN_GAP)
        line.append(_align(text, gauge), style="dim" if is_zero else gauge.style)
    return line


def _align(text: str, gauge: Gauge) -> str:
    return text.ljust(gauge.width) if gauge.is_left else text.rjust(gauge.width)


def _fit_name(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    # Names of pools and workers start alike and differ at their ends.
    head = (width - 1) // 3
    tail = set_cell_size(text[::-1], width - 1 - head)[::-1]
    return f"{set_cell_size(text, head)}…{tail}"
