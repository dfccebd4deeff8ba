from __future__ import annotations

import asyncio
from random import Random

import pytest

from builders import TASK, event
from tcsniff.browse.app import BrowseApp
from tcsniff.browse.event_buffer import EventBuffer
from tcsniff.browse.event_rows import build_row
from tcsniff.browse.feed import PoolCounts
from tcsniff.browse.keys import KEYS
from tcsniff.browse.navigation import Deployment, Look
from tcsniff.pulse.events import Event
from tcsniff.renderers.stream import StreamInfo
from tcsniff.simulator.simulation import simulate
from tcsniff.stats.run_counter import RunCounter

ROWS = [build_row(event(label=f"test-{number}")) for number in range(30)]
ROWS[20] = build_row(event("task-failed", label="test-20"))


def made(rows=ROWS):
    buffer = EventBuffer()
    buffer.put_rows(rows)
    return make_app(buffer)


def make_app(buffer):
    return BrowseApp(
        buffer,
        StreamInfo("here"),
        PoolCounts(RunCounter("pool", "pending")),
        Deployment(),
        Look(utc=True),
    )


def screen(app):
    strips = app.screen._compositor.render_strips()  # noqa: SLF001 - what is drawn
    return [strip.text.rstrip() for strip in strips]


def looked_at(*keys, size=(80, 24), rows=ROWS):
    """Press keys in an app, and return its screen and the app."""

    async def look():
        app = made(rows)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            for key in keys:
                await pilot.press(key)
            await pilot.pause()
            return screen(app), app

    return asyncio.run(look())


def test_events_are_listed_with_the_keys():
    """The source, the tabs, the newest rows, more about the selected one."""
    rows, _ = looked_at()

    assert rows[0].startswith("tcsniff here")
    assert rows[1].startswith(" 1 Events  2 Graph  3 Task  4 Pools")
    assert "test-29" in rows[16]
    assert any("run 0 running" in row for row in rows[17:])
    assert rows[-1].startswith("Enter open")
    assert rows[-1].endswith("q quit")


def test_a_filter_is_typed():
    """The list follows the words; Esc leaves the prompt, and then the filter."""
    with_filter, _ = looked_at("/", "2", "5", "enter")
    without, app = looked_at("/", "2", "5", "escape", "escape")

    assert "filter: 25" in with_filter[1]
    assert next(row for row in with_filter if "test-2" in row).split()[3] == "test-25"
    assert app.navigator.events.matching.text == ""
    assert "test-29" in without[16]


def test_a_mistake_in_an_expression_is_explained():
    """The prompt stays."""
    rows, app = looked_at(*"/=(", "enter")

    assert "filter:" in rows[0]
    assert rows[-2] == "/=("
    assert app.navigator.events.matching.text == ""


def test_the_next_failure_is_selected():
    """And the pane shows it."""
    rows, _ = looked_at("e")

    assert any("run 0 failed" in row for row in rows[17:])


def test_the_message_is_shown():
    """`x` gives it most of the screen."""
    rows, _ = looked_at("x")

    assert any('"status": {' in row for row in rows)


def test_a_small_screen_has_rows_only():
    """The pane goes first, and nothing is wider than the screen."""
    rows, _ = looked_at(size=(40, 12))

    assert len(rows) == 12
    assert "test-29" in rows[-2]
    assert not any("run 0" in row for row in rows)


def test_keys_are_listed():
    """Every key of the page, in words; the same key goes back."""
    rows, app = looked_at("question_mark", size=(80, 60))
    _, closed = looked_at("question_mark", "question_mark")

    text = "\n".join(rows)
    assert all(key.meaning in text for key in KEYS if app.page.tab in key.tabs)
    assert closed.page is closed.navigator.events


def test_q_ends_the_app():
    """With status 0."""
    _, app = looked_at("q")

    assert app.return_code == 0


# Each key in each page.


async def obeyed(app):
    """Wait until all keys so far were obeyed: calls come after them in the app's queue."""
    done = asyncio.Event()
    app.call_later(done.set)
    await asyncio.wait_for(done.wait(), 60)


@pytest.fixture(scope="module")
def group_rows():
    deliveries = [delivery for _, delivery in simulate(seed=14, start=1.7e9, groups=1)]
    return [build_row(Event(delivery)) for delivery in deliveries]


@pytest.mark.parametrize("tab", [1, 2, 3, 4])
def test_every_key_does_something_in_every_page(tab, group_rows, monkeypatch):
    """Nothing fails, and Esc leads back to the events."""
    monkeypatch.setattr("tcsniff.browse.app.open_in_browser", lambda _url: None)
    names = [
        name
        for key in KEYS
        for name in key.names.split(",")
        if name not in ("q", "ctrl+c", "ctrl+z")
    ]

    async def press():
        app = made(group_rows)
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            steps = [(str(tab), name, *(["escape"] if name in TYPED else [])) for name in names]
            for key in (*(key for step in steps for key in step), *["escape"] * 60):
                app.simulate_key(key)  # pilot.press takes 60 ms a key
            await obeyed(app)
            return app.page.tab

    assert asyncio.run(press()) == 1


TYPED = ("slash", "colon")


def test_random_keys_while_events_arrive(group_rows):
    """No failure; the last page still answers."""
    random = Random(7)
    names = [name for key in KEYS for name in key.names.split(",")]
    names = [name for name in names if name not in ("q", "o", "ctrl+c", "ctrl+z")]

    async def press():
        buffer = EventBuffer()
        app = make_app(buffer)
        async with app.run_test(size=(80, 24)) as pilot:
            for start in range(0, 300, 30):
                buffer.put_rows(group_rows[start : start + 30])
                for key in random.choices(names, k=20):
                    app.simulate_key(key)
                await obeyed(app)
            await pilot.press("escape", "1")
            await pilot.pause()
            return screen(app)

    rows = asyncio.run(press())
    assert rows[-1].endswith("q quit")


def test_clicks_and_the_wheel_work():
    """A row is selected, a tab and a key of the footer are pressed."""

    async def click():
        app = made()
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await pilot.click("#rows", offset=(5, 3))
            selected = app.page.index
            await pilot.click("#tabs", offset=(30, 0))
            await pilot.pause()
            tab = app.page.tab
            await pilot.click("#tabs", offset=(2, 0))
            await pilot.click("#keys", offset=(78 - len("q quit") - len("? keys"), 0))
            await pilot.pause()
            return selected, tab, app

    selected, tab, _ = asyncio.run(click())
    assert selected < 29
    assert tab == 4


def test_an_id_is_copied():
    """By the terminal's own clipboard, OSC 52, which also works over ssh."""
    rows, app = looked_at("y")

    assert "copied: " in rows[0]
    assert app.clipboard == TASK


def test_the_command_for_a_rerun_is_copied():
    """The app itself changes nothing."""
    _, app = looked_at("R")

    assert app.clipboard == f"taskcluster task rerun {TASK}"
