"""The table in real terminals, looked at with a terminal emulator."""

from __future__ import annotations

import re
import signal

import pytest

from rabbitmq import FOREIGN_EXCHANGE, RabbitMQ, Taskcluster
from running import Terminal

DEMO = ("--demo", "--seed", "1")
ROW = re.compile(r"\d\d:\d\d:\d\d ")


def rows_of(screen: list[str]) -> list[str]:
    return [row for row in screen if ROW.match(row)]


def filled(rows: int) -> object:
    return lambda screen: len(rows_of(screen)) >= rows


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_table_fills_the_screen_and_no_more(columns: int) -> None:
    """A heading, as many events as fit, the status line last; nothing folds."""
    with Terminal(*DEMO, columns=columns, lines=12) as terminal:
        screen = terminal.shows(filled(9))

    assert [row.split()[0] for row in screen if row.startswith("TIME")] == ["TIME"]
    assert len(rows_of(screen)) == 9
    assert [row for row in screen if row][-1].startswith("● demo")


def test_the_newest_event_is_at_the_bottom(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """Older ones move up and off the screen."""
    words = ("--exchange", FOREIGN_EXCHANGE, "--broker", rabbitmq.url())
    with Terminal(*words, columns=80, lines=8) as terminal:
        terminal.shows(lambda screen: any("0 events" in row for row in screen))
        for number in range(20):
            taskcluster.publish(FOREIGN_EXCHANGE, f"key-{number}", b"{}")

        screen = terminal.shows(lambda screen: any("20 events" in row for row in screen))

    assert re.findall(r"key-(\d+)", "\n".join(screen)) == ["15", "16", "17", "18", "19"]


def test_the_table_follows_the_window() -> None:
    """Narrower, wider, lower: one heading, one status line, rows of the new size."""
    with Terminal(*DEMO, columns=120, lines=20) as terminal:
        terminal.shows(filled(17))
        for columns, lines in ((60, 10), (150, 30), (40, 6)):
            terminal.resize(columns, lines)
            screen = terminal.shows(
                lambda screen, lines=lines: (
                    len(rows_of(screen)) == lines - 3 and screen[0].startswith("TIME  ")
                )
            )

            text = "\n".join(screen)
            assert text.count("TIME  ") == 1
            assert text.count("● demo") == 1


def test_ctrl_c_leaves_the_picture_and_a_cursor() -> None:
    """Status 130; the last table stays, and the shell's prompt comes below it."""
    with Terminal(*DEMO, lines=12) as terminal:
        terminal.shows(filled(9))
        terminal.type("\x03")

        assert terminal.status() == 130
        screen = terminal.shows(filled(7))  # what is said in the end comes below

    assert not terminal.screen.cursor.hidden
    assert terminal.screen.cursor.x == 0
    assert "● demo" in "".join(screen[: terminal.screen.cursor.y])
    assert b"\x1b[?25h" in terminal.written


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_ended_leaves_a_cursor_too(number: signal.Signals) -> None:
    """Whoever ends it, the terminal is in order."""
    with Terminal(*DEMO, lines=12) as terminal:
        terminal.shows(filled(3))
        terminal.process.send_signal(number)

        assert terminal.status() == 128 + number

    assert not terminal.screen.cursor.hidden


def test_it_draws_at_most_ten_times_a_second() -> None:
    """However many events come, the terminal is not flooded."""
    with Terminal(*DEMO, "-n", "100") as terminal:
        assert terminal.status() == 0

    seconds = 100 / float(re.findall(rb"(\d+)/s", terminal.written)[-1])
    frames = terminal.written.count(b"\x1b[?2026h")
    assert 5 < frames <= 10 * seconds + 15


def test_untrusted_text_cannot_steer_the_terminal(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """A label with escape sequences, bidi and markup is shown as what it is."""
    label = "\x1b]0;owned\x07\x9b2J\u202e[red]x\nTIME"
    key = "primary.JFjlQCTkRuWyz2yqxLnGNw.0.g.w.p.gaia.s.JFjlQCTkRuWyz2yqxLnGNw._"
    body = b'{"task":{"tags":{"label":"' + label.encode("unicode_escape") + b'"}}}'
    body = body.replace(rb"\x", rb"\u00")
    words = ("task-running", "--broker", rabbitmq.url())
    for view in ("table", "lines"):
        with Terminal(*words, "-o", view, "-n", "1", columns=200) as terminal:
            terminal.shows(lambda screen: any("listening" in row for row in screen))
            taskcluster.publish("exchange/taskcluster-queue/v1/task-running", key, body)
            assert terminal.status() == 0

            shown = "\n".join(terminal.screen.display)
            assert r"\x1b]0;owned\x07\x9b2J\u202e[red]x\x0aTIME" in shown
            assert b"\x1b]0" not in terminal.written
            assert "\u202e".encode() not in terminal.written


def test_without_color_nothing_is_colored() -> None:
    """NO_COLOR is heeded, and --color beats it."""
    for words, env, colored in (
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        ((), {}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
    ):
        with Terminal(*DEMO, "-n", "30", *words, env=env) as terminal:
            assert terminal.status() == 0

        assert bool(re.search(rb"\x1b\[[0-9;]*3[0-9]", terminal.written)) is colored


def test_a_dumb_terminal_gets_lines() -> None:
    """Where a cursor cannot be moved there is no table, and no color; each event is a row."""
    with Terminal(*DEMO, "-n", "3", columns=60, env={"TERM": "dumb"}) as terminal:
        assert terminal.status() == 0

    rows = [row for row in terminal.written.decode().split("\r\n") if ":" in row[:3]]
    assert len(rows) == 3
    assert max(map(len, rows)) <= 60
    assert b"\x1b" not in terminal.written


@pytest.mark.parametrize("columns", [40, 90, 200])
def test_lines_on_a_terminal_are_a_row_each(columns: int) -> None:
    """At any width; the rows of the screen are the lines that were written."""
    with Terminal(*DEMO, "-o", "lines", "-n", "8", columns=columns, lines=20) as terminal:
        assert terminal.status() == 0
        screen = terminal.shows(lambda screen: any("received" in row for row in screen))

    assert sum(bool(re.match(r"\d\d:\d\d:\d\d  ", row)) for row in screen) == 8


VIEWS = {
    "table": (*DEMO, "-n", "80"),
    "lines": (*DEMO, "-n", "80", "-o", "lines"),
    "graph": ("graph", *DEMO, "-n", "80"),
    "task": ("task", *DEMO, "--timeout", "4s"),
    "top": ("top", *DEMO, "-n", "80"),
}
"""Arguments of each view, with an end."""


@pytest.mark.parametrize(
    ("view", "env"),
    [
        *((view, {"LC_ALL": "C"}) for view in VIEWS),
        ("table", {"LC_ALL": "", "LANG": "POSIX"}),
        ("top", {"TERM": "linux"}),
    ],
)
def test_a_terminal_without_symbols_gets_ascii(view: str, env: dict[str, str]) -> None:
    """In the locale C, although Python reads it as UTF-8, and on the Linux console."""
    with Terminal(*VIEWS[view], columns=100, env=env) as terminal:
        terminal.status()

    assert len(terminal.written.splitlines()) > 3
    assert terminal.written.isascii()


@pytest.mark.parametrize("view", ["graph", "task", "top"])
def test_a_dumb_terminal_gets_no_json(view: str) -> None:
    """A person looks at it, so it is text, and nothing moves."""
    with Terminal(*VIEWS[view], env={"TERM": "dumb"}) as terminal:
        terminal.status()

    assert len(terminal.written.splitlines()) > 3
    assert b"{" not in terminal.written
    assert b"\x1b" not in terminal.written
