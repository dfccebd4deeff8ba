"""Which columns a screen shows, and how wide: in the table, and in lines on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from builders import TASK, event, time_zone
from tcsniff.renderers.columns import COLUMN_GAP, COLUMN_MEANINGS, COLUMNS, find_columns
from tcsniff.renderers.layouts import fit_columns, fit_row, list_needed
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.table import draw_table
from tcsniff.renderers.terminal_lines import TerminalLineFormatter

NAME = "test-linux1804-64-qr/opt-web-platform-tests-wdspec-headless-12"
LONG_WORKER = event(label=NAME, worker_id="3793952651182577387")
EVENTS = [
    event("task-running"),
    event("task-failed", run=1, label=NAME),
    event("task-exception", retried=True, label="build-win64/opt"),
    event("task-group-resolved"),
    LONG_WORKER,
]
STATUS = StreamStatus("demo", 5, 1.0, 0.1, None, "")
WIDTHS = st.integers(1, 260)
ROWS = st.builds(
    event,
    st.sampled_from(["task-running", "task-exception", "task-group-resolved", "push"]),
    label=st.sampled_from([NAME, "", "build", f"{NAME}-{NAME}", "日本語" * 20]),
    retried=st.booleans(),
    worker_id=st.sampled_from(["_", "i-0a1b2c3d", "3793952651182577387"]),
)
CHOSEN = st.lists(st.sampled_from(list(COLUMN_MEANINGS)), max_size=5, unique=True)


@pytest.fixture(autouse=True)
def utc():
    with time_zone("UTC"):
        yield


def titles(width, *, chosen=(), events=()):
    columns = fit_columns(width, find_columns(chosen), list_needed(find_columns(chosen), events))
    return [column.title for column in columns]


def read_row(one, width, chosen=(), events=()):
    """Return the texts of a row by title, as shown on a screen."""
    columns = fit_columns(width, find_columns(chosen), list_needed(find_columns(chosen), events))
    cells = fit_row([column.text(one) for column in columns], columns, width)
    return {column.title: cell.strip() for column, cell in zip(columns, cells, strict=True)}


def lines(*events, width):
    formatter = TerminalLineFormatter(get_width=lambda: width)
    return [formatter.format_event(one).decode().removesuffix("\n") for one in events]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (1, ["TIME", "EVENT", "TASK"]),
        (40, ["TIME", "EVENT", "TASK"]),
        (80, ["TIME", "EVENT", "TASK", "RUN", "POOL · REASON"]),
        (120, ["TIME", "EVENT", "TASK", "RUN", "POOL", "WORKER · REASON"]),
        (200, [column.title for column in COLUMNS]),
    ],
)
def test_a_wide_screen_shows_more(width, expected):
    """The time, the event and the task are always there."""
    assert titles(width) == expected


def test_more_columns_on_a_wider_screen():
    """No column is lost by widening the terminal, except for two that become three."""
    numbers = [len(titles(width)) for width in range(1, 300)]

    assert numbers == sorted(numbers)


@given(width=st.integers(40, 400), chosen=CHOSEN, events=st.lists(ROWS, max_size=3))
@example(width=40, chosen=["time", "lag", "task-id"], events=[])
@example(width=40, chosen=["task-id", "time", "received", "lag", "event"], events=[])
def test_columns_fit_the_screen(width, chosen, events):
    """All that are shown have room, at any width that a person uses."""
    columns = fit_columns(width, find_columns(chosen), list_needed(find_columns(chosen), events))

    assert sum(column.width + COLUMN_GAP for column in columns) - COLUMN_GAP <= width
    assert min(column.width for column in columns) >= 1


@given(one=ROWS, others=st.lists(ROWS, max_size=3), chosen=CHOSEN, width=WIDTHS)
@example(one=EVENTS[0], others=[], chosen=["time", "received"], width=1)
def test_a_wider_screen_never_shows_less_of_a_name(one, others, chosen, width):
    """Whatever the other columns are, and whatever the other rows need."""
    chosen = ["event", *chosen, "task"] if chosen else ()
    rows = [one, *others]

    narrow = read_row(one, width, chosen, rows)["TASK"]
    wide = read_row(one, width + 1, chosen, rows)["TASK"]

    assert cell_len(wide) >= cell_len(narrow) - 1 * ("日" in one.label)  # two cells or none


@pytest.mark.parametrize("width", [86, 90, 96, 120, 200])
def test_a_name_is_whole_as_soon_as_there_is_room(width):
    """The other columns give theirs up in its row."""
    assert read_row(LONG_WORKER, width, events=EVENTS)["TASK"] == NAME


def test_the_worker_is_shortened_first():
    """Then others; the pool is whole while a cell of the worker is left to take."""
    rows = [read_row(LONG_WORKER, width) for width in range(101, 260)]

    shortened = {"…" in row.get("POOL", "") for row in rows if row.get("WORKER", "")}
    assert any("…" in row.get("WORKER", "") for row in rows)
    assert shortened == {False}


def test_nothing_is_shortened_on_a_wide_screen():
    """Columns take the width that is there."""
    text = "".join(draw_table(EVENTS, STATUS, 200, color=False))

    assert "…" not in text
    assert "us-east-1 3793952651182577387" in text


def test_a_group_event_is_whole_in_its_line():
    """Its words take the empty cells after them."""
    row = next(line for line in draw_table(EVENTS, STATUS, 60, color=False) if "■" in line)

    assert row.split() == ["18:01:05", "■", "group", "resolved", "group", "JFjlQCTkRuWyz2yqxLnGNw"]


def test_the_state_is_shown_only_if_the_event_does_not_say_it():
    """That of a task that was retried, for example."""
    said = [event("task-running"), event("task-failed"), event("task-defined")]
    retried = event("task-exception", retried=True)

    assert "STATE" not in titles(220, events=said)
    assert "STATE" in titles(220, events=[*said, retried])
    assert [read_row(one, 220, events=[retried])["STATE"] for one in (*said, retried)] == [
        *("", "", ""),
        "pending",
    ]
    assert "STATE" in titles(80, chosen=["event", "state"], events=said)


@given(one=ROWS, width=WIDTHS)
def test_a_line_on_a_terminal_is_one_row(one, width):
    """Whatever the width is, and no blanks at its end."""
    (line,) = lines(one, width=width)

    assert cell_len(line) <= width
    assert line == line.rstrip()


def test_lines_follow_the_width_of_the_terminal():
    """After a resize, the next line has the new width."""
    widths = iter([60, 60, 200])
    formatter = TerminalLineFormatter(get_width=lambda: next(widths))

    found = [len(formatter.format_event(LONG_WORKER).decode()) for _ in range(3)]

    assert found[0] == found[1] <= 61 < found[2]


@pytest.mark.parametrize(
    ("name", "details", "width", "text"),
    [
        ("task-exception", {"retried": True}, 96, "claim-expired, retried"),
        ("task-exception", {"retried": True}, 150, "claim-expired, retried"),
        ("task-running", {}, 96, "gecko-t/t-linux-large"),
        ("task-running", {}, 150, "us-east-1 i-0a1b2c3d"),
    ],
)
def test_where_room_is_short_the_reason_comes_first(name, details, width, text):
    """Two columns share a place; the more important value is shown."""
    row = read_row(event(name, **details), width)

    assert text in row.values()


def test_where_room_is_short_a_task_without_a_label_has_its_id():
    """There is no column for the ID then."""
    assert read_row(event(label=""), 60)["TASK"] == TASK


@pytest.mark.parametrize("chosen", [["task"], ["key", "task"], ["key"], ["worker", "pool", "key"]])
def test_chosen_columns_are_left_out_from_the_right(chosen):
    """The first one is always there."""
    found = [titles(width, chosen=chosen) for width in range(1, 200)]

    assert all(found)
    assert found[-1] == [column.title for column in find_columns(chosen)]
