"""The live view of `top`: its picture as text, and what a terminal makes of it."""

from __future__ import annotations

import re
import unicodedata

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from builders import delivery, event
from memory_terminal import MemoryTerminal
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.columns import to_ascii
from tcsniff.renderers.live_view import LiveView
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo, StreamStatus
from tcsniff.renderers.top.live_top import SORT_INTERVAL, TopPicture, read_board
from tcsniff.renderers.top.top_table import Board, draw_bars, draw_top
from tcsniff.stats.histogram import EMPTY_SUMMARY, HistogramSummary
from tcsniff.stats.rows import Reading
from tcsniff.stats.run_counter import RunCounter
from tcsniff.stats.worker_counts import WorkerReading
from tcsniff.stats.worker_health import HealthReading

CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Cs"}
UNTRUSTED = "[red]x[/red]\x1b[31m\x9b1m[link=http://e.org]\u202e\n\r\x00日本"
STATUS = StreamStatus("firefox-ci", 412, 38.0, 0.2, 0.4, "worker-type=gaia")
BUSY = Reading(
    "gecko-t/t-linux-large",
    pending=1204,
    running=87,
    completed=123_456,
    failed=12,
    lost=5,
    canceled=40,
    exception=3,
    finished=123_471,
    started=2,
    ended=1,
    per_minute=61.25,
    by_minute=(*range(19), 3),
    wait_times=HistogramSummary(500, 12.0, 754.0, 5400.0, 9000.0),
    run_times=HistogramSummary(400, 0.42, 59.0, 200_000.0, 300_000.0),
    oldest=11_160.0,
    last=7.0,
)
IDLE = Reading("gecko-1/decision", *(0,) * 10, 0.0, (0,) * 20, EMPTY_SUMMARY, EMPTY_SUMMARY)
BOARD = Board("pool", [BUSY, IDLE], BUSY._replace(name=""), 2)

PICTURES = {
    40: [
        "POOL             ▼◷ PEND  OLDEST   ▶ RUN",
        "gecko…inux-large   1,204   3h06m      87",
        "gecko-1/decision       0               0",
        "2 pools            1,204   3h06m      87",
        "● firefox-ci  412 events  last 0.2 s ago",
    ],
    80: [
        "POOL                   ▼◷ PEND  OLDEST   ▶ RUN  ✔ DONE  ✖ FAIL    LOST  WAIT p50",
        "gecko-t/t-linux-large    1,204   3h06m      87    123k      12       5       12s",
        "gecko-1/decision             0               0       0       0       0          ",
        "2 pools                  1,204   3h06m      87    123k      12       5       12s",
        "● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s            Ctrl-C ends",
    ],
    120: [
        "POOL                       ▼◷ PEND  OLDEST   ▶ RUN    LAST  ✔ DONE  ✖ FAIL    LOST  "
        " ! EXC    /MIN  10 MIN      WAIT p50",
        "gecko-t/t-linux-large        1,204   3h06m      87    7.0s    123k      12       5  "
        "     3    61.2  ▅▆▆▇▇▇███▃       12s",
        "gecko-1/decision                 0               0               0       0       0  "
        "     0     0.0  ▁▁▁▁▁▁▁▁▁▁          ",
        "2 pools                      1,204   3h06m      87    7.0s    123k      12       5  "
        "     3    61.2  ▅▆▆▇▇▇███▃       12s",
        "● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s                           "
        "       worker-type=gaia  Ctrl-C ends",
    ],
    200: [
        "POOL                                     ▼◷ PEND  OLDEST   ▶ RUN    LAST  ✔ DONE  ✖ "
        "FAIL    LOST    CANC   ! EXC    /MIN  20 MIN                WAIT p50     p95     p99"
        "  TOOK p50     p95     p99",
        "gecko-t/t-linux-large                      1,204   3h06m      87    7.0s    123k    "
        "  12       5      40       3    61.2  ▁▂▂▃▃▃▄▄▅▅▅▆▆▇▇▇███▃       12s  12m34s   1h30m"
        "      0.4s     59s   2d07h",
        "gecko-1/decision                               0               0               0    "
        "   0       0       0       0     0.0  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁                          "
        "                          ",
        "2 pools                                    1,204   3h06m      87    7.0s    123k    "
        "  12       5      40       3    61.2  ▁▂▂▃▃▃▄▄▅▅▅▆▆▇▇▇███▃       12s  12m34s   1h30m"
        "      0.4s     59s   2d07h",
        "● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s                           "
        "                                                                                    "
        "   worker-type=gaia  Ctrl-C ends",
    ],
}


@pytest.mark.parametrize("width", PICTURES)
def test_a_table_looks_like_this(width):
    """Heading, rows, total, status; what there is no room for is left out."""
    assert draw_top(BOARD, width, STATUS, color=False) == PICTURES[width]


@pytest.mark.parametrize(
    ("width", "shown"),
    [(40, POOL := "gecko-3/b-linux-docker"), (60, POOL), (80, POOL)],
)
def test_the_name_of_a_pool_has_the_room_first(width, shown):
    """A column that would be beside it is left out, as long as half the screen is for columns."""
    row = BUSY._replace(name=POOL)
    board = BOARD._replace(rows=[row], has_workers=True, longest=len(POOL))

    picture = draw_top(board, width, STATUS, color=False)

    assert picture[1].split()[0] == shown
    assert "▶ RUN" in picture[0]


WORKERS = WorkerReading(
    requested=12_345,
    running=87,
    stopped=40,
    removed=2,
    errors=7,
    kinds=(("creation-error", 6), ("operation-error", 1)),
    start_times=HistogramSummary(80, 95.0, 754.0, 900.0, 900.0),
)
WORKER_PICTURES = {
    80: [
        "POOL                  ▼◷ PEND  OLDEST   ▶ RUN  ✖ FAIL    LOST    WORKERS   W ERR",
        "gecko-t/t-linux-large   1,204   3h06m      87      12       5     87/12k       7",
    ],
    200: [
        "POOL                                     ▼◷ PEND  OLDEST   ▶ RUN    LAST  ✔ DONE  ✖ "
        "FAIL    LOST   ! EXC    /MIN  10 MIN      WAIT p50     p95  TOOK p50    WORKERS   W "
        "ERR  ERRORS           START p50",
        "gecko-t/t-linux-large                      1,204   3h06m      87    7.0s    123k    "
        "  12       5       3    61.2  ▅▆▆▇▇▇███▃       12s  12m34s      0.4s     87/12k     "
        "  7  creation-error,…     1m35s",
    ],
}


@pytest.mark.parametrize("width", WORKER_PICTURES)
def test_workers_have_columns_if_anything_was_announced_about_them(width):
    """How many registered of how many requested, errors, their kinds, how long they took."""
    board = BOARD._replace(rows=[BUSY._replace(workers=WORKERS), IDLE], has_workers=True)

    heading, busy, idle, *_ = draw_top(board, width, STATUS, color=False)

    assert [heading, busy] == WORKER_PICTURES[width]
    assert "/" not in idle.removeprefix(IDLE.name)
    assert "WORKERS" not in draw_top(BOARD, width, STATUS, color=False)[0]


def test_the_kind_of_an_error_is_a_workers_text():
    """It cannot steer the terminal, or move a column."""
    workers = WORKERS._replace(kinds=((UNTRUSTED, 1),))
    board = BOARD._replace(rows=[BUSY._replace(workers=workers)], has_workers=True)

    picture = draw_top(board, 300, STATUS, color=False)

    assert not {letter for line in picture for letter in line} & set("\x1b\x9b\u202e\n\r\x00")
    assert max(map(wcswidth, picture)) <= 300


def test_no_screen_is_too_small():
    """A line for each row and three more, none wider than the screen."""
    for width in [*range(1, 40), 59, 60, 61, 100, 159, 500]:
        untrusted = BUSY._replace(name=UNTRUSTED)
        board = BOARD._replace(rows=[BUSY, untrusted, BUSY._replace(name="日本語" * 30)])

        picture = draw_top(board, width, STATUS, color=False)

        assert len(picture) == 6, width
        assert max(map(wcswidth, picture)) <= width, width


@pytest.mark.parametrize("width", [80, 200])
def test_color_changes_no_letter(width):
    """Only escapes for colors come in; a number that is nothing is dim, never colored."""
    plainly = draw_top(BOARD, width, STATUS, color=False)

    colored = draw_top(BOARD, width, STATUS, color=True)

    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in colored] == plainly
    assert "\x1b[1;31m    12\x1b[0m" in colored[1]
    assert "\x1b[2m     0\x1b[0m" in colored[2]
    assert "\x1b[1;31m" not in colored[2]


def test_columns_stay_where_they_are():
    """Whatever the numbers: nothing jumps."""
    row = IDLE._replace(name="x", oldest=1.0, last=1.0)
    large = row._replace(pending=99_999, running=12_345_678, failed=999_999, per_minute=99_999.0)

    few, many = (
        draw_top(BOARD._replace(rows=[reading]), 120, STATUS, color=False)[1]
        for reading in (row, large._replace(oldest=900_000.0))
    )

    assert [place.end() for place in re.finditer(r"\S+", few)][:9] == [
        place.end() for place in re.finditer(r"\S+", many)
    ][:9]


def test_a_limit_has_its_column():
    """Its share is rounded down, so that 100 % means all; it is there on narrow screens, too."""
    shares = (1.0, 0.99999, 0.25, None)
    rows = [IDLE._replace(name="x", in_time=share) for share in shares]

    heading, *lines = draw_top(BOARD._replace(rows=rows, has_limit=True), 80, None, color=False)

    start = heading.index("   SLO")
    shown = [line[start : start + 6].strip() for line in lines]
    assert shown[: len(rows)] == ["100%", "99.9%", "25%", ""]


def test_a_worker_has_its_pool_and_its_streak():
    """And when it was heard of last; a rest without a worker has none of these."""
    sick = IDLE._replace(name="a/b", health=HealthReading("gecko-t/\x1bx", 61.0, 12))
    board = Board("worker", [sick, IDLE._replace(name="(no worker)")], BUSY, 2)

    heading, first, second, _ = draw_top(board, 120, None, color=False)

    assert "POOL" in heading
    assert re.search(r"a/b +gecko-t/\\x1bx .* 1m01s +12 ", first)
    assert re.match(r"\(no worker\) +0 ", second)


def test_an_estimate_is_marked():
    """A number that may be wrong doesn't look like one that is right."""
    lines = draw_top(BOARD._replace(is_estimate=True), 80, None, color=False)

    assert lines[-1].startswith("2 pools, estimated ")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (99_999, "99,999"),
        (100_000, "100k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (12_345_678, "12.3M"),
        (4_000_000_000, "4.0G"),
    ],
)
def test_large_numbers_are_shortened(number, shown):
    """To six cells: of what is left out nobody reads anything."""
    board = BOARD._replace(rows=[IDLE._replace(name="x", pending=number)])

    assert draw_top(board, 80, STATUS, color=False)[1].split()[1] == shown


def test_what_there_is_no_room_for_is_told():
    """How many rows there are, and how many are shown."""
    picture = draw_top(BOARD._replace(number=155), 80, STATUS, color=False)

    assert picture[-2].startswith("2 of 155 pools ")


@pytest.mark.parametrize(
    ("numbers", "chart"),
    [((), ""), ((0, 0), "▁▁"), ((0, 1), "▁█"), ((1, 1000), "▂█"), (range(8), "▁▂▃▄▅▆▇█")],
)
def test_a_chart_is_as_high_as_its_largest_number(numbers, chart):
    """What is more than nothing never looks like nothing."""
    assert draw_bars(numbers) == chart


def test_every_symbol_has_a_spelling_in_ascii():
    """For terminals that know no more."""
    picture = draw_top(BOARD, 200, STATUS, color=False)

    assert all(to_ascii(line).isascii() for line in picture)


WICKED = st.text(
    st.sampled_from("ab日é[]/") | st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Cs"]),
    max_size=30,
) | st.sampled_from([UNTRUSTED, "[red]", "[/]", "[link=http://e.org]x", ":boom:"])


@given(name=WICKED, width=st.integers(1, 250), color=st.booleans())
def test_no_untrusted_name_reaches_the_terminal_as_a_command(name, width, color):
    """A worker's id is shown, never obeyed, and never breaks a line."""
    board = BOARD._replace(rows=[BUSY._replace(name=name)])

    picture = draw_top(board, width, STATUS, color=color)

    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in picture]
    assert len(lines) == 4
    assert not {one for line in lines for one in line if unicodedata.category(one) in CONTROLS}
    assert max(map(wcswidth, lines)) <= width


# On a terminal.


class Live:
    """The live view on a terminal whose size and clocks the test holds.

    Attributes:
        now: Seconds.
        size: Columns and lines.
    """

    def __init__(self, columns, lines, *, sort="pending", condition=lambda: ""):
        self.now = 0.0
        self.size = (columns, lines)
        self.terminal = MemoryTerminal()
        counter = RunCounter("pool", sort, clock=lambda: 1_795_456_800.0 + self.now)
        self.view = LiveView(
            Output(self.terminal),
            TopPicture(counter, color=False, clock=lambda: self.now),
            StreamInfo("demo", condition=condition),
            size=lambda: self.size,
            clock=lambda: self.now,
        )

    def show(self, *events, after=TopPicture.interval):
        """Add a batch, some seconds later."""
        self.now += after
        self.view.show(events)
        self.view.flush()

    def rows(self):
        """Look at the screen."""
        columns, lines = self.size
        seen = pyte.Screen(columns, lines)
        pyte.ByteStream(seen).feed(b"".join(self.terminal.writes))
        return [line.rstrip() for line in seen.display]

    def names(self):
        """Name the rows on the screen."""
        return [row.split()[0] for row in self.rows() if row.startswith("gecko-t/")]


def pending(number, pool):
    return event("task-pending", task_id=f"{number:022}", worker_type=pool)


def test_the_screen_holds_as_many_rows_as_fit():
    """Heading, rows, total, status, and a line to spare."""
    live = Live(80, 10)
    live.show(*(pending(number, f"w{number:02}") for number in range(30)))

    rows = live.rows()

    assert rows[0].startswith("POOL")
    assert live.names() == [f"gecko-t/w{number:02}" for number in range(6)]
    assert rows[7].startswith("6 of 30 pools ")
    assert rows[8].startswith("● demo  30 events")
    assert rows[9] == ""


def test_it_draws_four_times_a_second_at_most():
    """However often something comes."""
    live = Live(80, 10)

    for number in range(1000):
        live.show(pending(number, "w"), after=0.001)

    assert len(live.terminal.writes) in (4, 5)


def test_rows_do_not_jump_while_they_are_read():
    """The order is settled anew every two seconds; the numbers are those of now."""
    live = Live(80, 10)
    live.show(pending(1, "a"), pending(2, "b"))
    live.show(pending(3, "b"))
    assert live.names() == ["gecko-t/a", "gecko-t/b"]
    assert re.search(r"gecko-t/b +2 ", "\n".join(live.rows()))

    live.show(after=SORT_INTERVAL)

    assert live.names() == ["gecko-t/b", "gecko-t/a"]


def test_a_new_row_is_there_at_once():
    """And in its place."""
    live = Live(80, 10)
    live.show(pending(1, "a"))

    live.show(pending(2, "b"), pending(3, "b"))

    assert live.names() == ["gecko-t/b", "gecko-t/a"]


def test_the_last_picture_stays():
    """All that came is in it, sorted, and the cursor is below."""
    live = Live(80, 10)
    live.show(pending(1, "a"))
    live.view.show([pending(2, "b"), pending(3, "b"), pending(4, "a"), pending(5, "b")])

    live.view.close()

    assert live.names() == ["gecko-t/b", "gecko-t/a"]
    assert "5 events" in "".join(live.rows())
    assert b"".join(live.terminal.writes).endswith(b"\r\n\x1b[?25h")


def test_what_was_missed_is_noted():
    """Gaps are counted, and what is wrong with the connection is told."""
    live = Live(120, 10, condition=lambda: "reconnecting")
    live.view.show_gap(Gap("2026-11-23T18:00:00.000Z", "2026-11-23T18:01:00.000Z", True, "x"))

    live.show(pending(1, "a"))

    assert "reconnecting  1 gap" in "".join(live.rows())


def test_what_is_said_stands_above():
    """And the picture is drawn again below."""
    live = Live(80, 12)
    live.show(pending(1, "a"))
    live.view.notify("something \x1b[31m")
    live.show()

    rows = live.rows()

    assert rows[0] == r"something \x1b[31m"
    assert rows[1].startswith("POOL")
    assert live.names() == ["gecko-t/a"]


def test_after_a_pause_the_picture_is_drawn_anew():
    """Ctrl-Z gives the terminal away."""
    live = Live(80, 12)
    live.show(pending(1, "a"))
    live.view.leave_terminal()
    live.view.redraw()

    live.show()

    assert sum(row.startswith("POOL") for row in live.rows()) == 2


def test_a_board_may_hold_all_rows():
    """For a page, which has no height."""
    counter = RunCounter("pool", "name")
    for number in range(30):
        counter.add(Event(delivery("task-pending", task_id=f"{number}", worker_type=f"{number}")))

    board = read_board(counter, counter.list_rows())

    assert len(board.rows) == board.number == 30


@pytest.mark.parametrize(
    ("sort", "reverse", "mark"),
    [
        ("pending", False, "▼◷ PEND"),
        ("pending", True, "▲◷ PEND"),
        ("running", False, "▼▶ RUN"),
        ("failed", False, "▼✖ FAIL"),
        ("lost", False, "▼LOST"),
        ("oldest", False, "▼OLDEST"),
        ("rate", False, "▼/MIN"),
        ("wait", False, "▼WAIT p50"),
        ("run", False, "▼TOOK p50"),
        ("name", False, "POOL ▲"),
        ("name", True, "POOL ▼"),
    ],
)
def test_the_sorted_column_is_marked(sort, reverse, mark):
    """By an arrow in its heading, and without moving a column."""
    heading = draw_top(BOARD._replace(sort=sort, reverse=reverse), 200, None, color=False)[0]

    assert mark in heading
    plain = re.sub("[▼▲]", " ", heading)
    assert plain == re.sub("[▼▲]", " ", draw_top(BOARD, 200, None, color=False)[0])
