from __future__ import annotations

import asyncio
from random import Random

import pytest

from browse_app import make_app, obeyed, open_app, press, shown
from builders import TASK, event, row_of
from tcsniff.browse.event_buffer import EventBuffer
from tcsniff.browse.event_rows import build_rows
from tcsniff.browse.keys import KEYS
from tcsniff.simulator.simulation import simulate

ROWS = [row_of(event(label=f"test-{number}")) for number in range(30)]
ROWS[20] = row_of(event("task-failed", label="test-20"))


def has(*texts):
    """Return whether a screen has all of these texts."""
    return lambda rows: all(text in "\n".join(rows) for text in texts)


HAS_KEYS = has("q quit")


def looked_at(*keys, shows=HAS_KEYS, size=(80, 24), rows=ROWS):
    """Press keys in an app; return the screen that shows what is expected, and the app."""

    async def look():
        app = make_app(rows)
        async with app.run_test(size=size):
            await shown(app, has("test-29", "q quit"))
            press(app, *keys)
            await obeyed(app)
            return await shown(app, shows), app

    return asyncio.run(look())


def test_events_are_listed_with_the_keys():
    """The source, the tabs, the newest rows, more about the selected one."""
    rows, _ = looked_at(shows=lambda rows: "run 0 running" in "\n".join(rows[17:]))

    assert rows[0].startswith("tcsniff here")
    assert rows[1].startswith(" 1 Events  2 Graph  3 Task  4 Pools")
    assert "test-29" in rows[16]
    assert rows[-1].startswith("Enter open")
    assert rows[-1].endswith("q quit")


def test_a_filter_is_typed():
    """The list follows the words; Esc leaves the prompt, and then the filter."""
    filtered, _ = looked_at("/", "2", "5", "enter", shows=has("filter: 25", " 1 of 30"))
    _, app = looked_at("/", "2", "5", "escape", "escape", shows=has("test-28"))

    assert next(row for row in filtered[3:] if "test-2" in row).split()[3] == "test-25"
    assert app.navigator.events.matching.text == ""


def test_a_filter_that_is_typed_on_the_page_of_keys_leaves_it():
    """The events are shown that it is about."""
    looked_at("?", "/", "2", "5", "enter", shows=has("filter: 25", " 1 of 30", "test-25"))


def test_a_mistake_in_an_expression_is_explained():
    """The prompt stays."""
    _, app = looked_at(
        *"/=(", "enter", shows=lambda rows: "filter:" in rows[0] and rows[-2] == "/=("
    )

    assert app.navigator.events.matching.text == ""


def test_the_next_failure_is_selected():
    """And the pane shows it."""
    looked_at("e", shows=has("run 0 failed"))


def test_the_message_is_shown():
    """`x` gives it most of the screen."""
    looked_at("x", shows=has('"status": {', '"taskGroupId": '))


def test_a_small_screen_has_rows_only():
    """The pane goes first, and nothing is wider than the screen."""
    rows, _ = looked_at(size=(40, 12), shows=lambda rows: "test-29" in rows[-2])

    assert len(rows) == 12
    assert not any("run 0" in row for row in rows)


@pytest.mark.parametrize("keys", [(), ("x",)])
def test_a_screen_that_changes_its_size_stays_whole(keys):
    """The pane fits at once, and the last line is that of the keys, without a scroll bar."""

    async def resize():
        app = make_app(ROWS)
        async with app.run_test(size=(80, 40)) as pilot:
            await shown(app, has("test-29", "q quit"))
            press(app, *keys)
            await obeyed(app)
            for size in ((40, 12), (80, 24), (20, 5), (250, 70), (9, 3), (60, 16), (80, 24)):
                await pilot.resize_terminal(*size)
                await shown(app, lambda rows, size=size: is_fitted(app, rows, *size))

    asyncio.run(resize())


def is_fitted(app, rows, width, height):
    keys = rows[-1].endswith("q quit") or width < 20
    return len(rows) == height and app.query_one("#rows").size.width == width and keys


def test_keys_are_listed():
    """Every key of the page, in words; the same key goes back."""
    meanings = [key.meaning for key in KEYS if 1 in key.tabs]
    looked_at("?", size=(80, 60), shows=has(*meanings))
    _, closed = looked_at("?", "?", shows=has("test-29"))

    assert closed.page is closed.navigator.events


def test_q_ends_the_app():
    """With status 0."""
    _, app = looked_at("q")

    assert app.return_code == 0


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
def test_the_status_at_exit_is_that_of_the_page(key):
    """Of a group in which a task failed, or nothing is known yet; for all keys that quit."""
    _, app = looked_at("r", key)

    assert app.return_code in (10, 12)


def test_nothing_fails_while_the_app_closes():
    """Textual has removed the widgets, but the last keys and timers are obeyed."""
    _, app = looked_at("q")

    app.show_page()
    app.redraw_selection()
    app.action_edit_filter()
    app.fit_pane()
    assert app.return_code == 0


# Each key in each page.

ENDS = ("close_app", "interrupt", "suspend_process")


@pytest.fixture(scope="module")
def group_rows():
    deliveries = [delivery for _, delivery in simulate(seed=14, start=1.7e9, groups=1)]
    return build_rows(deliveries)


@pytest.mark.parametrize("tab", [1, 2, 3, 4])
def test_every_key_does_something_in_every_page(tab, group_rows, monkeypatch):
    """Nothing fails, and Esc leads back to the events."""
    monkeypatch.setattr("tcsniff.browse.app.open_in_browser", lambda _url: None)
    names = [name for key in KEYS for name in key.names.split(",") if key.action not in ENDS]

    async def press_all():
        app = make_app(group_rows)
        async with app.run_test(size=(100, 30)):
            await shown(app, has("TIME"))
            for name in names:
                press(app, str(tab), name, *(["escape"] if name in TYPED else []))
            press(app, *["escape"] * 60)
            await obeyed(app)
            await shown(app, has("TIME"))
            return app.page.tab

    assert asyncio.run(press_all()) == 1


TYPED = ("slash", "colon")


def test_random_keys_while_events_arrive(group_rows):
    """No failure; the last page still answers."""
    random = Random(7)
    keys = [key for key in KEYS if key.action not in (*ENDS, "open_browser")]
    names = [name for key in keys for name in key.names.split(",")]

    async def press_some():
        buffer = EventBuffer()
        app = open_app(buffer)
        async with app.run_test(size=(80, 24)):
            for start in range(0, 300, 30):
                buffer.put_rows(group_rows[start : start + 30])
                press(app, *random.choices(names, k=20))
                await obeyed(app)
            press(app, "escape", "1")
            await shown(app, has("TIME", "q quit"))

    asyncio.run(press_some())


def test_clicks_work():
    """A row is selected, a tab and a key of the footer are pressed."""

    async def click():
        app = make_app(ROWS)
        async with app.run_test(size=(80, 24)) as pilot:
            rows = await shown(app, has("test-29"))
            await pilot.click("#rows", offset=(5, 3))
            await shown(app, lambda rows: "following" not in rows[1])
            selected = app.page.index
            await pilot.click("#tabs", offset=(30, 0))
            await shown(app, has("POOL", "sorted by"))
            await pilot.click("#tabs", offset=(2, 0))
            await shown(app, has("TIME"))
            await pilot.click("#keys", offset=(rows[-1].index("? keys"), 0))
            await shown(app, has("Keys of the page"))
            return selected

    assert asyncio.run(click()) < 29


def test_an_id_is_copied():
    """By the terminal's own clipboard, OSC 52, which also works over ssh."""
    _, app = looked_at("y", shows=lambda rows: "copied: " in rows[0])

    assert app.clipboard == TASK


def test_the_command_for_a_rerun_is_copied():
    """The app itself changes nothing."""
    _, app = looked_at("R", shows=lambda rows: "copied: " in rows[0])

    assert app.clipboard == f"taskcluster task rerun {TASK}"
