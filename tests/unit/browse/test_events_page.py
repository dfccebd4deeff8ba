from __future__ import annotations

import pytest

from builders import event, row_of, time_zone
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.events_page import EventsPage, parse_clock_time
from tcsniff.browse.json_text import format_json_lines
from tcsniff.errors import UsageError


def filled(number, name="task-running", **limits):
    store = EventStore(**limits)
    store.add([row_of(event(name, label=f"test-{i}")) for i in range(number)])
    return store


def opened(store, height=5):
    page = EventsPage(store, utc=True)
    page.update()
    page.settle(height)
    return page


def selected(page):
    return page.matching[page.index]


def shown(page, width=100):
    top = page.settle()
    page.draw_heading(width)
    return [page.draw_row(top + i, width).plain for i in range(min(5, len(page) - top))]


def test_the_list_follows_its_end_at_first():
    """Until another row is selected."""
    store = filled(20)
    page = opened(store)
    at_first = selected(page)
    store.add([row_of(event())])
    page.update()
    page.settle()

    assert at_first == 19
    assert selected(page) == 20


def test_what_is_selected_stays_in_its_place():
    """While rows arrive, and old ones leave."""
    store = filled(20, max_rows=20)
    page = opened(store)
    page.move(-4)
    before = selected(page), page.offset
    store.add([row_of(event()) for _ in range(9)])
    page.update()
    after = selected(page), page.offset

    assert before == after == (15, 0)


def test_a_selected_row_that_leaves_gives_way_to_the_oldest():
    """The page does not jump to the end."""
    store = filled(20, max_rows=20)
    page = opened(store)
    page.select(0)
    store.add([row_of(event()) for _ in range(5)])
    page.update()
    page.settle()

    assert selected(page) == 5


def test_going_to_the_last_row_follows_again():
    """And leaving it stops that."""
    page = opened(filled(20))
    page.move(-1)
    away = page.follows
    page.move(1)

    assert (away, page.follows) == (False, True)


def test_a_paused_page_counts_what_arrives():
    """It shows what it showed; `f` goes on."""
    store = filled(20)
    page = opened(store)
    page.toggle_pause()
    before = shown(page)
    store.add([row_of(event(label="new")) for _ in range(3)])
    page.update()

    assert shown(page) == before
    assert page.describe_state() == "paused +3"
    page.follow_end()
    assert "new" in shown(page)[-1]


def test_a_filter_keeps_the_selection():
    """Or the next row that matches, while the store goes on."""
    store = filled(20)
    page = opened(store)
    page.select(12)
    page.set_filter("test-1")
    page.settle()
    with_filter = selected(page)
    page.set_filter("")
    page.settle()

    assert with_filter == 12
    assert selected(page) == 12


def test_a_filter_that_is_not_valid_changes_nothing():
    """The one before stays."""
    page = opened(filled(3))
    page.set_filter("test-1")
    with pytest.raises(UsageError):
        page.set_filter("=(")

    assert page.matching.text == "test-1"


def test_the_next_failure_is_found_also_from_the_end():
    """It begins again at the start."""
    store = filled(3)
    store.add([row_of(event("task-failed")), row_of(event("task-running"))])
    page = opened(store)

    assert page.select_failure()
    assert selected(page) == 3
    assert page.select_failure()
    assert selected(page) == 3


def test_there_may_be_no_failure():
    """Then nothing moves."""
    page = opened(filled(3))
    page.select(1)

    assert not page.select_failure()
    assert selected(page) == 1


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_a_row_is_never_wider_than_the_screen(width):
    """From narrow to wide, also with wide letters and a label of 255 characters."""
    store = EventStore()
    store.add([row_of(event(label="日本" * 120)), row_of(event("task-exception"))])
    page = opened(store)

    assert all(line.cell_len <= width for line in page.draw_heading(width))
    assert all(page.draw_row(index, width).cell_len <= width for index in range(2))


def test_text_of_messages_is_not_interpreted():
    """Markup stays text, control characters are escaped, and there are no links."""
    evil = "[bold red]x[/] [link=http://e]y[/link] \x1b]8;;http://e\x1b\\ \u202e"
    store = EventStore()
    store.add([row_of(event(label=evil, worker_id="[on red]\x9b"))])
    page = opened(store)

    page.draw_heading(200)
    lines = [page.draw_row(0, 200), *page.draw_pane(200, 9, raw=False)]
    lines += page.draw_pane(200, 90, raw=True)
    text = "\n".join(line.plain for line in lines)
    assert "[bold red]x[/]" in text
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    assert all("link" not in str(span.style) for line in lines for span in line.spans)


def test_a_body_that_is_not_json_is_shown_with_its_bytes():
    """As a row, a warning and hexadecimal numbers."""
    store = EventStore()
    store.add([row_of(event(body=b"\x00\xffabc"))])
    page = opened(store)

    page.draw_heading(150)
    assert "body is not JSON" in page.draw_row(0, 150).plain
    raw = "\n".join(line.plain for line in page.draw_pane(100, 20, raw=True))
    assert "5 bytes, not JSON" in raw
    assert "00 ff 61 62 63" in raw


def test_a_message_is_shown_as_indented_json():
    """With its address, its tokens colored."""
    lines = format_json_lines(event("task-failed", routes=["a.b"]).delivery)

    texts = [line.plain for line in lines]
    assert texts[0] == "exchange exchange/taskcluster-queue/v1/task-failed"
    assert "cc route.a.b" in texts
    assert '  "runId": 0,' in texts
    assert any(span.style == "blue" for span in lines[-5].spans)


@pytest.mark.parametrize(
    ("text", "place"), [("18:00", 0), ("18:00:30", 1), ("18:02", 2), ("23:59:59", 2)]
)
def test_a_time_is_found(text, place):
    """The first event at or after it; the last one if there is none."""
    store = EventStore()
    for minute in range(3):
        received = f"2026-11-23T18:0{minute}:00.000Z"
        store.add([row_of(event("task-defined", received=received))])
    page = opened(store)

    page.select_time(parse_clock_time(text, store[0].seconds, utc=True))

    assert selected(page) == place


@pytest.mark.parametrize("text", ["", "18", "25:00", "1:2:3:4", "18:61", "a:b", "-1:00"])
def test_what_is_no_time_of_day_is_an_error(text):
    """It says how to write one."""
    with pytest.raises(ValueError, match="is not a time of day"):
        parse_clock_time(text, 0.0, utc=True)


def test_a_time_is_local_without_utc():
    """As it is shown."""
    with time_zone("Etc/GMT-2"):
        local = parse_clock_time("02:00", 0.0, utc=False)

    assert local == 0.0


def test_columns_change_and_come_back():
    """`c` shows others, one set after the other."""
    page = opened(filled(1))
    first = page.draw_heading(120)[0].plain
    others = set()
    for _ in range(5):
        page.next_columns()
        others.add(page.draw_heading(120)[0].plain)

    assert len(others) == 5
    assert first in others
