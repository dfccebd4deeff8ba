"""The keys of the app, one row each: bindings, the footer and the list of keys follow.

Pure.
"""

from __future__ import annotations

from typing import NamedTuple

EVENTS, GRAPH, TASK, POOLS = 1, 2, 3, 4
TABS = {EVENTS: "Events", GRAPH: "Graph", TASK: "Task", POOLS: "Pools"}
"""The names of the tabs, by their keys."""
_ALL = frozenset(TABS)


class Key(NamedTuple):
    """What a key does.

    Attributes:
        names: Names of keys, as textual has them.
        action: What is done, a method of the app without ``action_``.
        shown: How the key is written.
        meaning: What it does, as a sentence without a full stop.
        word: What the footer says; empty to leave it out.
        tabs: The pages on which it does something.
    """

    names: str
    action: str
    shown: str
    meaning: str
    word: str = ""
    tabs: frozenset[int] = _ALL


KEYS = (
    Key("enter", "open_row", "Enter", "open what is selected", "open"),
    Key("escape", "go_back", "Esc", "go back one step, or clear the filter", "back"),
    Key("e", "select_failure", "e", "go to the next failure", "failure"),
    Key("slash", "edit_filter", "/", "show rows with these words, or with =EXPR true", "filter"),
    Key("r", "open_group", "r", "show the task group of the row", "group"),
    Key("t", "open_task", "t", "show the task of the row", "task"),
    Key("p", "open_pool", "p", "show the worker pool of the row", "pool"),
    Key("space", "toggle_pause", "Space", "pause the list; events go on coming in", "pause"),
    Key("f", "follow_end", "f", "follow the end of the list", "follow", frozenset((EVENTS,))),
    Key("s", "sort_rows", "s", "sort by another column", "sort", frozenset((POOLS,))),
    Key("c", "change_columns", "c", "show other columns", "columns", frozenset((EVENTS,))),
    Key("x", "toggle_raw", "x", "show the whole message, or hide it", "message"),
    Key("colon", "edit_time", ":", "go to a time of day, such as :18:05", "time"),
    Key("y", "copy_id", "y", "copy the ID of the task or group", "copy ID"),
    Key("o", "open_browser", "o", "open the page of the task or group in a browser", "page"),
    Key("R", "copy_rerun", "R", "copy the command that reruns the task", ""),
    Key("J,shift+down", "scroll_pane(1)", "J", "scroll the lower part down"),
    Key("K,shift+up", "scroll_pane(-1)", "K", "scroll the lower part up"),
    Key("j,down", "move(1)", "j ↓", "select the next row"),
    Key("k,up", "move(-1)", "k ↑", "select the row before"),
    Key("pagedown,ctrl+f", "move_page(1)", "PgDn", "move down by a screen"),
    Key("pageup,ctrl+b", "move_page(-1)", "PgUp", "move up by a screen"),
    Key("g,home", "move_to(0)", "g Home", "go to the first row"),
    Key("G,end", "move_to(-1)", "G End", "go to the last row"),
    Key("right,l", "expand(True)", "l →", "show the tasks of a kind", "", frozenset((GRAPH,))),
    Key("left,h", "expand(False)", "h ←", "hide the tasks of a kind", "", frozenset((GRAPH,))),
    *(
        Key(str(tab), f"show_tab({tab})", str(tab), f"show the page {name}")
        for tab, name in TABS.items()
    ),
    Key("question_mark", "show_keys", "?", "list all keys", "keys"),
    Key("q,ctrl+q", "close_app", "q", "quit", "quit"),
    Key("ctrl+c", "interrupt", "Ctrl-C", "quit with status 130"),
    Key("ctrl+z", "suspend_process", "Ctrl-Z", "stop the program; fg continues it"),
)


def list_keys(tab: int) -> list[Key]:
    """Return the keys that do something on a page."""
    return [key for key in KEYS if tab in key.tabs]
