"""Links: their URLs, their form in a terminal, and the outputs that get none."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, TASK, event, time_zone
from link_samples import COLOR, EVENTS, LINK, LOG, ROOT, lines, links, table
from tcsniff.pulse.urls import (
    are_links_enabled,
    build_group_url,
    build_log_url,
    build_run_url,
    build_task_url,
    format_link,
)
from tcsniff.renderers.ansi import join_words, paint_lines
from tcsniff.renderers.columns import COLUMNS


@pytest.fixture(autouse=True)
def utc():
    with time_zone("UTC"):
        yield


def test_urls_are_those_of_taskclusters_pages():
    """Tasks, runs, groups, and logs in the queue's API."""
    assert build_task_url(ROOT, TASK) == f"{ROOT}/tasks/{TASK}"
    assert build_run_url(ROOT, TASK, 1) == f"{ROOT}/tasks/{TASK}/runs/1"
    assert build_group_url(ROOT, GROUP) == f"{ROOT}/tasks/groups/{GROUP}"
    assert build_log_url(ROOT, TASK, 1) == LOG
    assert build_task_url(f"{ROOT}/", TASK) == f"{ROOT}/tasks/{TASK}"
    assert (
        build_task_url("http://localhost:8080/tc", TASK)
        == f"http://localhost:8080/tc/tasks/{TASK}"
    )
    assert build_task_url("https://[::1]:5080", TASK) == f"https://[::1]:5080/tasks/{TASK}"


@pytest.mark.parametrize(
    "root",
    [
        None,
        "",
        "tc.example",
        "javascript:alert(1)",
        "file:///etc",
        "https://",
        "https://a b",
        "https://a\x1b\\",
        "https://a;b",
        "https://a\n",
        "https://user:password@a",
        "https://a?b",
        "https://a#b",
        "https://ä",
    ],
)
def test_an_invalid_root_url_gives_no_url(root):
    """Only http or https, a host and a path are accepted."""
    assert build_task_url(root, TASK) is None


@pytest.mark.parametrize(
    "name",
    ["", "x", TASK[:-1], f"{TASK}A", f"{TASK}\n", TASK.replace("f", "/"), "../" * 8, "é" * 22],
)
def test_an_invalid_id_gives_no_url(name):
    """Neither of a task nor of a group."""
    urls = (build_task_url(ROOT, name), build_run_url(ROOT, name, 0), build_log_url(ROOT, name, 0))

    assert (*urls, build_group_url(ROOT, name)) == (None, None, None, None)


@pytest.mark.parametrize("run", [-1, 1001, True, 0.0, "0", "0/../..", None, [], 10**30])
def test_an_invalid_run_gives_no_url(run):
    """A run is a small integer."""
    assert (build_run_url(ROOT, TASK, run), build_log_url(ROOT, TASK, run)) == (None, None)


@given(st.text(), st.text() | st.integers())
def test_no_text_can_change_a_url(name, run):
    """There is no URL, or nothing in it can end a link or change its target."""
    for url in (
        build_task_url(ROOT, name),
        build_run_url(ROOT, name, run),
        build_group_url(name, TASK),
    ):
        assert url is None or re.fullmatch(r"https?://[\w.:\[\]-]+(/[\w.~-]+)*", url, re.ASCII)


def test_a_link_has_the_form_that_terminals_know():
    """OSC 8, with an ID that joins the links of a task, and an end."""
    assert format_link("x", build_run_url(ROOT, TASK, 0)) == (
        f"\x1b]8;id={TASK};{ROOT}/tasks/{TASK}/runs/0\x1b\\x\x1b]8;;\x1b\\"
    )
    assert links(format_link("x", LOG)) == [("x", f"id={TASK}", LOG)]
    assert links(format_link("x", build_group_url(ROOT, GROUP)))[0][1] == f"id={GROUP}"
    assert format_link("x", None) == "x"
    assert format_link("", LOG) == ""


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, True),
        ({"TERM": "xterm"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "xterm", "TERM_URLS": "st"}, True),
        ({"TERM": "xterm-256color", "TERM_URLS": "no"}, False),
        ({"TERM": "xterm-256color", "COLORTERM": "xfce4-terminal"}, False),
        ({"TERM": "xterm-256color", "COLORTERM": "gnome-terminal"}, False),
    ],
)
def test_terminals_that_would_show_garbage_get_no_links(environment, wanted):
    """The rule is gcc's."""
    assert are_links_enabled(environment, live=True, colored=True) is wanted


def test_there_are_no_links_without_terminal_or_color():
    """Plain text stays plain text."""
    modern = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}

    assert not are_links_enabled(modern, live=False, colored=True)
    assert not are_links_enabled(modern, live=True, colored=False)


# In tables and lines.


@pytest.mark.parametrize("view", [table, lines])
def test_tasks_runs_and_groups_are_links(view):
    """Names and IDs link to the run or task, run numbers to the log, groups to the group."""
    shown = {}
    for line in view(EVENTS, ROOT):
        for text, id_, url in links(line):
            assert id_.removeprefix("id=") in url
            shown.setdefault((text, url.removeprefix(ROOT)))

    tasks = f"/tasks/{TASK}"
    log = f"/api/queue/v1{tasks.replace('tasks', 'task')}/runs/{{}}/artifacts/public/logs/live.log"
    group = f"/tasks/groups/{GROUP}"
    assert list(shown) == [
        ("test-linux/opt-1", f"{tasks}/runs/1"),
        (TASK, f"{tasks}/runs/1"),
        ("1", log.format(1)),
        (GROUP, group),
        ("test-linux/opt-1", f"{tasks}/runs/2"),
        (TASK, f"{tasks}/runs/2"),
        ("build/opt", tasks),
        (TASK, tasks),
        (f"group {GROUP}", group),
        (TASK, f"{tasks}/runs/0"),
        ("0", log.format(0)),
    ]


@pytest.mark.parametrize("view", [table, lines])
@pytest.mark.parametrize("color", [True, False])
def test_links_do_not_change_the_text(view, color):
    """Without them, the output is the same as without a root URL."""
    with_links = [LINK.sub("", line) for line in view(EVENTS, ROOT, color=color)]

    plain = view(EVENTS, None, color=color)
    assert [COLOR.sub("", line) for line in with_links] == [COLOR.sub("", line) for line in plain]


@pytest.mark.parametrize("width", [20, 40, 80, 150])
def test_a_terminal_shows_the_same_with_links(width):
    """They need no room on the screen, even where a name is cut."""
    screens = []
    for root in (ROOT, None):
        screen = pyte.Screen(width, 20)
        pyte.Stream(screen).feed("\r\n".join(table(EVENTS, root, width=width)))
        screens.append(screen.display)

    assert screens[0] == screens[1]


UNTRUSTED = [
    event(words={"taskId": "x\x1b]8;;http://evil.example\x1b\\"}, label="a"),
    event(words={"taskId": "../../evil"}, label="b"),
    event("task-group-resolved", group="evil"),
    event(payload={"runId": "0/../../evil"}),
    event(payload={"runId": -1}),
    event(payload={"runId": {"a": 1}}),
    event(label="\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\"),
    event(exchange="exchange/build/normalized", key="evil"),
    event(body=b"no JSON"),
]


@pytest.mark.parametrize("view", [table, lines])
def test_untrusted_text_does_not_become_a_link(view):
    """Invalid IDs, invalid runs, and labels that contain a link."""
    found = {url for line in view(UNTRUSTED, ROOT) for *_, url in links(line)}

    assert {url for url in found if "evil" in url or not url.startswith(f"{ROOT}/")} == set()
    assert found <= {
        f"{ROOT}/tasks/{TASK}",
        f"{ROOT}/tasks/{TASK}/runs/0",
        f"{ROOT}/tasks/groups/{GROUP}",
        LOG.replace("runs/1", "runs/0"),
    }


def test_without_a_root_url_there_is_no_link():
    """As for a broker whose web pages are unknown."""
    assert "\x1b]8" not in "".join([*table(EVENTS, None), *lines(EVENTS, None)])
    assert COLUMNS


def test_equal_pictures_are_equal():
    """The ID of a link is not random: it is the task."""
    first, second = (paint_lines([join_words("x", "bold", LOG)], 10, color=True) for _ in range(2))

    assert first == second
    assert links(first[0]) == [("x", f"id={TASK}", LOG)]
