"""The live table: its picture as text, and what a terminal makes of it."""

from __future__ import annotations

import re
import unicodedata

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from builders import OTHER_TASK, event, samples, time_zone
from memory_terminal import MemoryTerminal
from resizing_screen import ResizingScreen
from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import CATALOG
from tcsniff.renderers.live_view import LiveView
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo, StreamStatus
from tcsniff.renderers.table import TablePicture, draw_table, share_labels

CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Cs"}
UNTRUSTED = "[red]x[/red]\x1b[31m\x9b1m[link=http://e.org]\u202e\n\r\x00"
# What the table itself may tell a terminal: colors, cursor, clearing, and nothing else.
OURS = re.compile(
    r"\x1b\[(?:[0-9;]*m|\?25[lh]|\?2026[hl]|\?7[hl]|K|2K|J|\d*A)|\r\n?"  # no line feed alone
)
STATUS = StreamStatus("firefox-ci", 412, 38.0, 0.2, 0.4, "worker-type=gaia")
EVENTS = [
    event("task-running"),
    event("task-failed", run=1),
    event("task-exception", retried=True, label="build-win64/opt"),
    event("task-group-resolved"),
]


@pytest.fixture(autouse=True)
def utc():
    with time_zone("UTC"):
        yield


class Live:
    """A table on a terminal whose size and clock the test holds.

    Attributes:
        now: Seconds.
        size: Columns and lines.
    """

    def __init__(
        self, columns, lines, *, source="demo", selection="", color=False, ascii_only=False
    ):
        self.now = 0.0
        self.size = (columns, lines)
        self.terminal = MemoryTerminal()
        self.table = LiveView(
            Output(self.terminal),
            TablePicture(color=color),
            StreamInfo(source, selection),
            ascii_only=ascii_only,
            size=lambda: self.size,
            clock=lambda: self.now,
        )

    def show(self, *events, after=TablePicture.interval):
        """Add a batch, some seconds later."""
        self.now += after
        self.table.show(events)
        self.table.flush()

    @property
    def written(self):
        """All that the terminal was sent."""
        return b"".join(self.terminal.writes)

    def written_until(self, number):
        """What it was sent with the first writes."""
        return b"".join(self.terminal.writes[:number])

    def written_since(self, number):
        """What it was sent with the writes after those."""
        return b"".join(self.terminal.writes[number:])


def screen(columns, lines, data):
    """Look at a screen that was sent data."""
    seen = pyte.Screen(columns, lines)
    pyte.ByteStream(seen).feed(data)
    return seen


def rows(seen):
    return [line.rstrip() for line in seen.display]


def filled(seen):
    return [row for row in rows(seen) if row]


def labels(lines):
    return [re.search(r"label-\w+", line)[0] for line in lines]


# The picture.


PICTURES = {
    40: [
        "TIME      EVENT        TASK",
        "18:00:03  ▶ running    test-linux/opt-1",
        "18:01:05  ✖ failed     test-linux/opt-1",
        "18:01:05  ! exception  build-win64/opt",
        "18:01:05  ■ group resolved  gro…yqxLnGNw",
        "● firefox-ci  412 events  last 0.2 s ago",
    ],
    80: [
        "TIME      EVENT        TASK                          RUN  POOL · REASON",
        "18:00:03  ▶ running    test-linux/opt-1                0  gecko-t/t-linux-large",
        "18:01:05  ✖ failed     test-linux/opt-1                1  gecko-t/t-linux-large",
        "18:01:05  ! exception  build-win64/opt                 0  claim-expired, retried",
        "18:01:05  ■ group resolved  group JFjlQCTkRuWyz2yqxLnGNw",
        "● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s            Ctrl-C ends",
    ],
    120: [
        "TIME      EVENT        TASK                          TASK ID                 RUN"
        "  POOL                   WORKER · REASON",
        "18:00:03  ▶ running    test-linux/opt-1              fN1SbArXTPSVFNUvaOlinQ    0"
        "  gecko-t/t-linux-large  us-e…i-0a1b2c3d",
        "18:01:05  ✖ failed     test-linux/opt-1              fN1SbArXTPSVFNUvaOlinQ    1"
        "  gecko-t/t-linux-large  us-e…i-0a1b2c3d",
        "18:01:05  ! exception  build-win64/opt               fN1SbArXTPSVFNUvaOlinQ    0"
        "  gecko-t/t-linux-large  claim-expired,…",
        "18:01:05  ■ group resolved  group JFjlQCTkRuWyz2yqxLnGNw",
        "● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s                       "
        "           worker-type=gaia  Ctrl-C ends",
    ],
    200: [
        "TIME      EVENT        STATE    TASK                          TASK ID           "
        "      RUN  POOL                   WORKER                REASON",
        "18:00:03  ▶ running             test-linux/opt-1              fN1SbArXTPSVFNUvaO"
        "linQ    0  gecko-t/t-linux-large  us-east-1 i-0a1b2c3d",
        "18:01:05  ✖ failed              test-linux/opt-1              fN1SbArXTPSVFNUvaO"
        "linQ    1  gecko-t/t-linux-large  us-east-1 i-0a1b2c3d",
        "18:01:05  ! exception  pending  build-win64/opt               fN1SbArXTPSVFNUvaO"
        "linQ    0  gecko-t/t-linux-large  us-east-1 i-0a1b2c3d  claim-expired, retried",
        "18:01:05  ■ group resolved      group JFjlQCTkRuWyz2yqxLnGNw",
        "● firefox-ci  412 events  38/s  last 0.2 s ago  lag 0.4 s                       "
        "                                                                                "
        "           worker-type=gaia  Ctrl-C ends",
    ],
}


@pytest.mark.parametrize("width", PICTURES)
def test_a_table_looks_like_this(width):
    """Heading, events from old to new, status; all as wide as the screen at most."""
    assert draw_table(EVENTS, STATUS, width, color=False) == PICTURES[width]


def test_no_screen_is_too_small():
    """A line for each event and two more, none wider than the screen."""
    for width in [*range(1, 31), 36, 65, 66, 103, 104, 183, 184, 500]:
        wide = [*EVENTS, event(label="日本語" * 30), event(label=UNTRUSTED)]

        picture = draw_table(wide, STATUS, width, color=False)

        assert len(picture) == len(wide) + 2, width
        assert max(map(wcswidth, picture)) <= width, width


@pytest.mark.parametrize("width", [1, 7, 40, 80, 200])
def test_color_changes_no_letter(width):
    """Only escapes for colors come in."""
    plain = draw_table(EVENTS, STATUS, width, color=False)

    colored = draw_table(EVENTS, STATUS, width, color=True)

    assert any("\x1b[" in line for line in colored)
    assert width == 1 or colored[0].startswith("\x1b[1m")
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in colored] == plain


@pytest.mark.parametrize("variable", ["NO_COLOR", "TTY_COMPATIBLE", "TERM"])
def test_our_own_word_on_color_is_the_last(monkeypatch, variable):
    """A flag beats the environment, which rich would ask again."""
    monkeypatch.setenv(variable, {"TERM": "dumb", "TTY_COMPATIBLE": "0"}.get(variable, "1"))

    assert "\x1b[36m▶ running" in draw_table(EVENTS, STATUS, 80, color=True)[1]


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "CLICOLOR_FORCE"])
def test_no_color_is_forced_upon_us(monkeypatch, variable):
    """Without colors there are none, whatever the environment says."""
    monkeypatch.setenv(variable, "1")

    assert "\x1b" not in "".join(draw_table(EVENTS, STATUS, 80, color=False))


def test_a_worker_is_no_reason():
    """Where a column has the one or the other, only a reason has the color of the failure."""
    failed, exception = (event(name) for name in ("task-failed", "task-exception"))
    lines = draw_table([failed, exception], STATUS, 110, color=True)

    assert "WORKER · REASON" in lines[0]
    assert "\x1b[1;31m✖ failed" in lines[1]
    assert lines[1].count("\x1b[1;31m") == 1
    assert lines[2].count("\x1b[1;35m") == 2


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (STATUS._replace(total=1), "● firefox-ci  1 event  38/s  last 0.2 s ago"),
        (STATUS._replace(total=1_234_567), "1,234,567 events"),
        (
            STATUS._replace(total=0, rate=0.0, idle=None, lag=None),
            "● firefox-ci  0 events  0/s   ",
        ),
        (STATUS._replace(idle=9.94), "last 9.9 s ago"),
        (STATUS._replace(idle=119.0), "last 119 s ago"),
        (STATUS._replace(idle=120.0), "last 2 min ago"),
        (STATUS._replace(idle=7200.0), "last 2 h ago"),
        (STATUS._replace(idle=172_800.0), "last 2 d ago"),
        (STATUS._replace(lag=-5.0), "lag 0.0 s"),
        (STATUS._replace(lag=None), "last 0.2 s ago     "),
        (STATUS._replace(selection=""), "  Ctrl-C ends"),
        (STATUS._replace(selection="x" * 500), "  Ctrl-C ends"),
    ],
)
def test_the_status_tells_how_it_goes(status, text):
    """In units that a person reads at a glance; what is not known is left out."""
    last = draw_table([], status, 120, color=False)[-1]

    assert text in last
    assert last.endswith("Ctrl-C ends")


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31m", "\u202e", "\r", "\x9b1m"])
@pytest.mark.parametrize("place", ["source", "selection"])
def test_no_flag_breaks_the_status(place, text):
    """The selection repeats what was typed or pasted, and stays one line that nothing obeys."""
    picture = draw_table(EVENTS, STATUS._replace(**{place: text}), 120, color=False)

    assert len(picture) == len(EVENTS) + 2
    assert not controls(picture)


def controls(picture):
    return {one for line in picture for one in line if unicodedata.category(one) in CONTROLS}


WICKED = st.text(
    st.sampled_from("ab日é[]/\\") | st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Cs"]),
    max_size=20,
) | st.sampled_from([UNTRUSTED, "[red]", "[/]", "[link=http://e.org]x", ":boom:"])


@given(
    name=st.sampled_from([exchange.name for exchange in CATALOG]),
    label=WICKED,
    worker=WICKED.map(lambda text: text.replace(".", "")),
    key=st.none() | WICKED,
    width=st.integers(1, 250),
    color=st.booleans(),
)
def test_no_untrusted_text_reaches_the_terminal_as_a_command(
    name, label, worker, key, width, color
):
    """Labels, worker ids and routing keys are shown, never obeyed, and never break a line."""
    tags = {"task": {"tags": {"label": label.encode(errors="replace").decode()}}}
    untrusted = event(name, payload=tags, words={"workerId": worker}, key=key)

    picture = draw_table([untrusted], STATUS, width, color=color)

    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in picture]
    assert len(plain) == 3
    assert not controls(plain)
    assert max(map(wcswidth, plain)) <= width


def test_markup_is_text():
    """What rich would take for a color or a link stands there as it came."""
    line = draw_table([event(label="[red]x[/red][link=http://e.org]y")], STATUS, 200, color=True)

    assert "[red]x[/red][link=http://e.org]y" in line[1]
    assert "\x1b]8" not in line[1]


def test_labels_are_shared_among_the_messages_of_a_task():
    """Some carry none; another message of the same task knows."""
    bare, other = event("artifact-created"), event("artifact-created", task_id=OTHER_TASK)

    share_labels([bare, other, event("task-running", label="known")])

    assert (bare.label, other.label) == ("known", "")


def test_labels_are_not_shared_where_there_is_no_task():
    """Messages that are about no task have nothing in common."""
    group = event("task-group-resolved")
    stranger = event(exchange="exchange/build/normalized", key="a.b", label="theirs")

    share_labels([stranger, group])

    assert group.label == ""


# On a terminal.


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_screen_shows_heading_newest_events_and_status(columns):
    """As many events as fit, the newest at the bottom."""
    live = Live(columns, 10)
    for number in range(30):
        live.show(event(label=f"label-{number}"))

    seen = filled(screen(columns, 10, live.written))

    assert seen[0].startswith("TIME      EVENT")
    assert labels(seen[1:-1]) == [f"label-{n}" for n in range(23, 30)]
    assert seen[-1].startswith("● demo  30 events")
    assert sum("TIME" in line for line in seen) == 1


@pytest.mark.parametrize("before", [0, 5, 9])
def test_what_was_on_the_screen_scrolls_up_and_is_not_overwritten(before):
    """The picture begins where the cursor is."""
    live = Live(80, 10)
    live.show(*EVENTS)
    live.show(*EVENTS)
    shell = b"".join(b"$ command %d\r\n" % number for number in range(before))

    seen = filled(screen(80, 10, shell + live.written))

    assert seen.count(rows(screen(80, 10, live.written))[0]) == 1
    assert seen[-1].startswith("● demo  8 events")
    kept = [line for line in seen if line.startswith("$ ")]
    assert kept == [f"$ command {n}" for n in range(before - len(kept), before)]


class Resized:
    """A live table on a screen whose size changes like that of a terminal."""

    def __init__(self, columns, lines, resize):
        self.live = Live(columns, lines)
        self.screen = ResizingScreen(columns, lines)
        self._resize = resize
        self._fed = 0

    def show(self, *events, after=TablePicture.interval):
        """Add a batch, some seconds later, and let the screen show what was written."""
        self.live.show(*events, after=after)
        pyte.ByteStream(self.screen).feed(self.live.written_since(self._fed))
        self._fed = len(self.live.terminal.writes)

    def resize(self, columns, lines):
        """Change the size, some time after the last drawing."""
        self._resize(self.screen, columns, lines)
        self.live.size = columns, lines


RESIZES = [ResizingScreen.wrap, ResizingScreen.cut]


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize(
    ("before", "after"),
    [((80, 10), (40, 30)), ((80, 30), (40, 10)), ((40, 10), (120, 10)), ((80, 10), (80, 6))],
)
def test_after_a_change_of_size_nothing_is_there_twice(before, after, resize):
    """The picture is laid out anew for the new size, wherever the old one has got to."""
    table = Resized(*before, resize)
    table.show(*[event(label=f"label-{number}") for number in range(5)])

    table.resize(*after)
    table.show(event(label="label-new"))
    table.show(after=1.1)

    shown = filled(table.screen)
    assert sum("TIME" in line for line in shown) == 1
    assert sum("●" in line for line in shown) == 1
    fits = after[1] - 3
    assert labels(shown[1:-1]) == [*(f"label-{n}" for n in range(5)), "label-new"][-fits:]


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("step", [-7, -1, 1, 9])
def test_dragging_a_window_leaves_no_copies_above(step, resize):
    """At most the first step, of which the program knows too late, moves rows into the history."""
    table = Resized(120, 24, resize)
    table.show(*[event(label=f"label-{number}") for number in range(40)])

    for number in range(1, 13):
        table.resize(120 + step * number, 24)
        table.show(event(label=f"label-new{number}"), after=0.2)
        assert sum("TIME" in line for line in filled(table.screen)) == 1
    table.show(after=1.1)

    assert sum("TIME" in line for line in table.screen.history) <= (step < 0)
    assert sum("●" in line for line in table.screen.history) == 0
    assert filled(table.screen)[0].startswith("TIME")
    assert sum("●" in line for line in filled(table.screen)) == 1


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("before", [0, 8])
def test_a_lower_window_leaves_no_copies_above(before, resize):
    """The rows that no longer fit are gone; what was above the picture is still above it."""
    table = Resized(80, 24, resize)
    shell = [f"$ command {number}" for number in range(before)]
    pyte.Stream(table.screen).feed("".join(f"{line}\r\n" for line in shell))
    table.show(*[event(label=f"label-{number}") for number in range(40)])

    for lines in range(23, 8, -1):
        table.resize(80, lines)
        table.show(event(label=f"label-new{lines}"))

    lines = [line for line in [*table.screen.history, *rows(table.screen)] if line]
    assert lines[:before] == shell
    assert lines[before].startswith("TIME")
    assert len(lines) == before + 8


def test_a_message_that_is_wider_than_the_screen_leaves_no_copy():
    """It takes as many rows as it needs, and the picture is below."""
    table = Resized(80, 24, ResizingScreen.wrap)
    table.show(event(label="label-a"))

    table.live.table.notify("x" * 200)
    table.show(event(label="label-b"))

    shown = filled(table.screen)
    assert [len(line) for line in shown[:3]] == [80, 80, 40]
    assert [line.split()[0] for line in shown[3:]] == ["TIME", "18:00:03", "18:00:03", "●"]
    assert table.screen.history == []


def test_nothing_is_left_of_what_was_on_the_screen_before():
    """Neither beside the picture nor below it."""
    live = Live(300, 10)

    live.show(event())

    seen = filled(screen(300, 10, b"#" * 3000 + b"\x1b[H" + live.written))
    assert len(seen) == 3
    assert "#" not in "".join(seen)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (5, 3), (80, 1), (80, 2), (80, 3), (1, 50)])
def test_no_picture_is_higher_than_its_screen(size):
    """So that it can be drawn over, whatever the size."""
    live = Live(*size)
    for number in range(5):
        live.show(event(label=f"label-{number}"))

    for drawn in live.terminal.writes:
        assert drawn.count(b"\r\n") < max(1, size[1] - 1)


def test_it_draws_at_most_ten_times_a_second():
    """However many batches come; the first is drawn at once."""
    live = Live(80, 24)

    for _ in range(1001):
        live.show(event(), after=0.001)

    assert 10 <= len(live.terminal.writes) <= 11


def test_the_first_event_is_drawn_at_once():
    """There is no wait of a tenth of a second to see that it works."""
    live = Live(80, 24)

    live.show(event(), after=0)

    assert len(live.terminal.writes) == 1


def test_nothing_is_drawn_before_the_first_batch():
    """An error in connecting finds no empty table on the screen, and the cursor where it was."""
    live = Live(80, 24)

    live.table.close()

    assert live.terminal.writes == []


def test_quiet_times_are_drawn_too():
    """How long ago the last event was goes on counting."""
    live = Live(80, 24)
    live.show(event())

    live.show(after=30)

    assert "last 30 s ago" in filled(screen(80, 24, live.written))[-1]


def test_the_rate_is_that_of_the_last_seconds():
    """Old bursts are forgotten."""
    live = Live(80, 24)

    live.show(*[event()] * 100, after=5)
    assert "20/s" in filled(screen(80, 24, live.written))[-1]
    live.show(after=6)

    assert "0/s" in filled(screen(80, 24, live.written))[-1].split()


@pytest.mark.parametrize("columns", [55, 80])  # with a status line that is shorter, and not
def test_the_last_picture_stays_and_the_cursor_comes_back(columns):
    """What came after the last drawing is shown, and the shell's prompt is below."""
    live = Live(columns, 10)
    live.show(event(label="label-first"))
    live.show(event(label="label-last"), after=0.01)

    live.table.close()

    seen = screen(columns, 10, live.written + b"$ ")
    assert labels(filled(seen)[1:3]) == ["label-first", "label-last"]
    assert filled(seen)[-2].startswith("● demo  2 events")
    assert filled(seen)[-1] == "$"
    assert not seen.cursor.hidden


def test_the_cursor_is_hidden_while_it_draws():
    """It would flicker over the table."""
    live = Live(80, 10)

    live.show(event())

    assert screen(80, 10, live.written).cursor.hidden


def test_a_terminal_that_is_gone_is_given_its_cursor_back_as_far_as_it_goes():
    """An error while drawing for the last time does not keep the cursor."""
    live = Live(80, 10)
    live.show(event())
    live.size = None  # makes the drawing fail

    with pytest.raises(TypeError):
        live.table.close()

    assert not screen(80, 10, live.written).cursor.hidden


@pytest.mark.parametrize("color", [False, True])
def test_a_terminal_is_told_nothing_but_our_own_commands(color):
    """Samples and untrusted texts leave nothing behind that is not ours."""
    live = Live(200, 60, color=color)
    live.show(*map(Event, samples()))
    live.show(event(label=UNTRUSTED, worker_id=UNTRUSTED), event(key=UNTRUSTED))
    live.table.close()

    rest = OURS.sub("", live.written.decode())

    assert not controls([rest])
    assert (b"\x1b[36m" in live.written) is color


def test_a_terminal_without_unicode_is_sent_ascii():
    """All of our own symbols, dots and arrows have another spelling."""
    live = Live(200, 60, ascii_only=True)

    live.show(*(event(exchange.name) for exchange in CATALOG))
    live.show(event(label="long" * 50))

    assert live.written.isascii()


def test_only_the_newest_events_are_kept():
    """A flood costs no memory, and the total still counts it."""
    live = Live(80, 600)

    live.show(*(event(label=f"label-{number}") for number in range(1000)))

    seen = filled(screen(80, 600, live.written))
    assert len(seen) == 502
    assert "label-999" in seen[-2]
    assert seen[-1].startswith("● demo  1,000 events")


def test_a_task_keeps_its_label_on_the_screen():
    """Also in the lines of messages that do not carry it."""
    live = Live(80, 10)

    live.show(event("task-running", label="label-known"), event("artifact-created"))

    seen = filled(screen(80, 10, live.written))
    assert labels(seen[1:3]) == ["label-known", "label-known"]
