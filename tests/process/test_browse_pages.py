"""Each key on each page of the app of `browse`: what the screen shows after it.

Not in tests/unit, because each case starts an app, which takes 0.3 s.
"""

from __future__ import annotations

import asyncio

import pytest

from browse_app import make_app, obeyed, press, shown
from tcsniff.browse.event_rows import build_rows
from tcsniff.browse.keys import EVENTS, GRAPH, KEYS, POOLS, TABS, TASK
from tcsniff.pulse.events import Event
from tcsniff.simulator.simulation import simulate

ROWS = build_rows([delivery for _, delivery in simulate(seed=14, start=1.7e9, groups=1)])
SIZE = (110, 30)
ALL = tuple(TABS)
HEADINGS = {EVENTS: "TIME ", GRAPH: "task group ", TASK: "task ", POOLS: "POOL "}
TO_PAGE = {EVENTS: "g", GRAPH: "r", TASK: "t", POOLS: "4"}


def has(text, line=None):
    """Return whether the screen, or one of its lines, has a text."""
    return lambda _app, rows: text in ("\n".join(rows) if line is None else rows[line])


def is_at(tab):
    return lambda app, rows: app.page.tab == tab and HEADINGS[tab] in rows[2]


def selects(place):
    return lambda app, _rows: app.page.index == (place if place >= 0 else len(app.page) + place)


def moves(app, _rows):
    return app.page.index > 0


def leaves_the_end(app, _rows):
    return app.page.index < len(app.page) - 3


def scrolls_the_pane(app, _rows):
    return app.pane_top == 1


def shows_no_task(_app, rows):
    return not any("▾ " in row for row in rows)


def stays_or_opens_pools(app, _rows):
    return app.page.tab in (TASK, POOLS)  # not every line of a task is about one of a pool


def stays(app, rows):
    """Return whether the page is shown as before: the key has no effect there."""
    return HEADINGS[app.page.tab] in rows[2]


# The action, the pages, the keys, and what they do.
CASES = [
    ("open_row", (EVENTS, TASK), "enter", is_at(TASK)),
    ("open_row", (GRAPH,), "enter", stays),
    ("open_row", (POOLS,), "enter", has("filter: ", 1)),
    ("go_back", (EVENTS,), "/ z z z enter escape", has("build-")),
    ("go_back", (GRAPH, TASK, POOLS), "escape", is_at(EVENTS)),
    ("open_group", (EVENTS, GRAPH, TASK), "r", is_at(GRAPH)),
    ("open_group", (POOLS,), "r", has("no task group is selected", 0)),
    ("open_task", (EVENTS, TASK), "t", is_at(TASK)),
    ("open_task", (GRAPH,), "G h g e t", is_at(TASK)),
    ("open_task", (POOLS,), "t", has("no task is selected", 0)),
    ("open_pool", (EVENTS, POOLS), "p", is_at(POOLS)),
    ("open_pool", (GRAPH,), "g e p", is_at(POOLS)),
    ("open_pool", (TASK,), "p", stays_or_opens_pools),
    ("edit_filter", ALL, "/ f a i l", has("filter: fail", 1)),
    ("toggle_pause", (EVENTS, POOLS), "space", has("paused", 1)),
    ("toggle_pause", (GRAPH, TASK), "space", stays),
    ("follow_end", (EVENTS,), "f", has("following", 1)),
    ("select_failure", (EVENTS,), "e", has("run 0 failed", None)),
    ("select_failure", (GRAPH,), "G e", selects(0)),
    ("select_failure", (TASK,), "g e", moves),
    ("select_failure", (POOLS,), "e", has("no failure here", 0)),
    ("sort_rows", (POOLS,), "s", has("sorted by ", 0)),
    ("change_columns", (EVENTS,), "c", has("SCHEDULER", 2)),
    ("toggle_raw", (EVENTS, TASK), "x", has("exchange exchange/taskcluster-queue")),
    ("toggle_raw", (GRAPH,), "g e x", has("exchange exchange/taskcluster-queue")),
    ("toggle_raw", (POOLS,), "x", stays),
    ("edit_time", ALL, ": 2 3 : 5 9 enter", is_at(EVENTS)),
    ("copy_id", ALL, "y", has("copied: ", 0)),
    ("open_browser", (EVENTS, GRAPH, TASK, POOLS), "o", has("no page is known", 0)),
    ("copy_rerun", (EVENTS, TASK), "R", has("copied: taskcluster task rerun", 0)),
    ("copy_rerun", (GRAPH,), "g e R", has("copied: taskcluster task rerun", 0)),
    ("copy_rerun", (POOLS,), "R", has("nothing is selected", 0)),
    ("scroll_pane(1)", (EVENTS, TASK), "x J", scrolls_the_pane),
    ("scroll_pane(1)", (GRAPH,), "g e x J", scrolls_the_pane),
    ("scroll_pane(1)", (POOLS,), "J", stays),
    ("scroll_pane(-1)", (EVENTS, TASK), "x J J K", scrolls_the_pane),
    ("scroll_pane(-1)", (GRAPH,), "g e x J J K", scrolls_the_pane),
    ("scroll_pane(-1)", (POOLS,), "K", stays),
    ("move(1)", ALL, "g j down", selects(2)),
    ("move(-1)", ALL, "g j j j k up", selects(1)),
    ("move_page(1)", (EVENTS, TASK), "g pagedown", moves),
    ("move_page(1)", (GRAPH, POOLS), "g ctrl+f", moves),
    ("move_page(-1)", (EVENTS, TASK), "G pageup ctrl+b", leaves_the_end),
    ("move_page(-1)", (GRAPH, POOLS), "G pageup ctrl+b", selects(0)),
    ("move_to(0)", ALL, "G g", selects(0)),
    ("move_to(0)", ALL, "G home", selects(0)),
    ("move_to(-1)", ALL, "g G", selects(-1)),
    ("move_to(-1)", ALL, "g end", selects(-1)),
    ("expand(True)", (GRAPH,), "G l", has("▾ ")),
    ("expand(True)", (GRAPH,), "G right", has("▾ ")),
    ("expand(False)", (GRAPH,), "G l h", shows_no_task),
    ("expand(False)", (GRAPH,), "G l left", shows_no_task),
    *((f"show_tab({tab})", ALL, f"{tab}", None) for tab in ALL),
    ("show_keys", ALL, "?", has("Keys of the page", 2)),
]


@pytest.mark.parametrize(
    ("tab", "keys", "expected"),
    [
        pytest.param(tab, keys, expected, id=f"{TABS[tab]} {keys}")
        for _, tabs, keys, expected in CASES
        for tab in tabs
    ],
)
def test_a_key_does_what_the_list_of_keys_says(tab, keys, expected):
    """On this page; where it has no meaning, it does no harm."""

    async def press_keys():
        app = make_app(ROWS)
        app.navigator._pools.add([Event(row.delivery) for row in ROWS])  # noqa: SLF001
        async with app.run_test(size=SIZE):
            await shown(app, lambda rows: "TIME" in rows[2] and "q quit" in rows[-1])
            press(app, "e", TO_PAGE[tab])
            await shown(app, lambda rows: is_at(tab)(app, rows) and is_filled(app, rows))
            press(app, *keys.split())
            await obeyed(app)
            wanted = expected or is_at(app.page.tab)
            await shown(app, lambda rows: wanted(app, rows))

    asyncio.run(press_keys())


def is_filled(app, rows):
    """Return whether the page has what its thread finds out."""
    return len(app.page) > 3 and (app.page.tab != TASK or has("run 0   ")(app, rows))


def test_every_key_has_a_case_for_each_of_its_pages():
    """Except those that end or stop the app."""
    cases = {(action, tab) for action, tabs, _, _ in CASES for tab in tabs}
    ends = ("close_app", "interrupt", "suspend_process")
    keys = {(key.action, tab) for key in KEYS for tab in key.tabs if key.action not in ends}

    assert keys == cases
