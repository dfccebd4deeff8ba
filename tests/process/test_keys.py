"""The keys of live views, in terminals of their own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from builders import GROUP, TASK, delivery
from groups import recorded
from running import Terminal, command

DEMO = ("--demo", "--seed", "1")
VIEWS = {
    "sniff": (DEMO, "TIME ", 0),
    "top": (("top", *DEMO), "POOL ", 0),
    "graph": (("graph", *DEMO), "task group ", 12),
    "task": (("task", *DEMO), "task ", 12),
}
SHELL = ("bash", "--norc", "-mc")


def has_keys(rows: list[str]) -> bool:
    return any("q quits  ? keys" in row for row in rows)


def find_status(rows: list[str]) -> str:
    return next(row for row in rows if row.startswith("●"))


def shell(script: str, *words: str) -> Sequence[str]:
    """Return a shell with job control whose script runs tcsniff as ``$sniff``."""
    sniff = " ".join(map(shlex.quote, command(*words)))
    return (*SHELL, script.replace("$sniff", sniff))


@pytest.fixture
def quiet(tmp_path: Path) -> str:
    """Return a recording to follow, to which nothing is added."""
    events = [delivery("task-running", task_id=TASK, group=GROUP, label="build-a")] * 3
    return recorded(tmp_path / "a.jsonl", events)


@pytest.mark.parametrize(("words", "heading", "expected"), VIEWS.values(), ids=list(VIEWS))
def test_q_quits(words: Sequence[str], heading: str, expected: int) -> None:
    """With the status of what is known so far; the picture stays, the terminal is as before."""
    with Terminal(*words, columns=100) as terminal:
        terminal.shows(has_keys)
        assert not terminal.is_as_usual
        terminal.type("q")

        assert terminal.status() == expected
        text = "\n".join(terminal.shows(lambda _: True))
        assert terminal.is_as_usual

    assert len(re.findall(f"^{heading}", text, re.MULTILINE)) == 1
    assert "q quits" not in text
    assert not terminal.screen.cursor.hidden
    assert terminal.screen.cursor.x == 0
    assert b"\x1b[?1049h" not in terminal.written


@pytest.mark.parametrize("view", VIEWS)
def test_space_pauses_and_resumes(view: str) -> None:
    """Meanwhile events are counted; then all of them are in the picture."""
    words, heading, _ = VIEWS[view]
    with Terminal(*words, columns=110, lines=20) as terminal:
        terminal.shows(lambda rows: has_keys(rows) and "  0 events" not in find_status(rows))
        terminal.type(" ")
        paused = terminal.shows(lambda rows: "paused, +" in find_status(rows))
        later = terminal.shows(lambda rows: re.search(r"paused, \+\d\d", find_status(rows)))
        terminal.type(" ")
        resumed = terminal.shows(lambda rows: has_keys(rows) and "paused" not in find_status(rows))
        terminal.type("q")
        terminal.status()

    def picture(rows: list[str]) -> list[str]:
        return [row for row in rows if not row.startswith("●")]

    assert picture(later) == picture(paused)
    assert "space resumes" in find_status(later)
    assert any(row.startswith(heading) for row in resumed)
    if view != "task":
        assert picture(resumed) != picture(paused)


def test_a_pause_drops_no_events(tmp_path: Path) -> None:
    """They are recorded, and ``-n`` counts them; the last picture shows them."""
    path = tmp_path / "recorded.jsonl"
    words = (*DEMO, "-n", "60", "--record", str(path), "--columns", "time,event,task")
    with Terminal(*words, lines=100) as terminal:
        terminal.shows(has_keys)
        terminal.type(" ")
        status = terminal.status()
        screen = terminal.shows(lambda rows: any("60 printed" in row for row in rows))

    assert status == 0
    assert path.read_bytes().count(b"\n") == 60
    assert sum(bool(re.match(r"\d\d:\d\d:\d\d ", row)) for row in screen) == 60


@pytest.mark.parametrize("view", VIEWS)
def test_a_question_mark_lists_the_keys(view: str) -> None:
    """Above the status line, within the screen; once more hides them."""
    with Terminal(*VIEWS[view][0], lines=14) as terminal:
        terminal.shows(has_keys)
        terminal.type("?")
        screen = terminal.shows(lambda rows: any(row.lstrip().startswith("space") for row in rows))
        terminal.type("?")
        terminal.shows(lambda rows: not any(row.lstrip().startswith("space") for row in rows))

    listed = [row.split()[0] for row in screen if re.match(r" +\S+  \S", row)]
    assert [word for word in listed if word in ("q", "space", "?")] == ["q", "space", "?"]
    assert find_status(screen)


def test_other_keys_do_nothing(quiet: str) -> None:
    """Enter, words and arrows are neither shown nor do they move the picture."""
    with Terminal("--from", quiet, "--follow", columns=100) as terminal:
        before = terminal.shows(lambda rows: has_keys(rows) and "3 events" in find_status(rows))
        terminal.type("xyz\r\r\r\x1b[A\x1bOq\x1bq\x1b[200~")
        terminal.type("?")  # to know that they were read
        terminal.shows(lambda rows: any("Ctrl-L" in row for row in rows))
        terminal.type("?")
        after = terminal.shows(lambda rows: not any("Ctrl-L" in row for row in rows))

    def plain(rows: list[str]) -> list[str]:
        return [row for row in rows if not row.startswith("●")]

    assert plain(after) == plain(before)


def test_ctrl_l_repairs_the_picture(quiet: str) -> None:
    """After another program has written on the terminal."""
    with Terminal("--from", quiet, "--follow", columns=100) as terminal:
        terminal.shows(lambda rows: has_keys(rows) and sum("build-a" in row for row in rows) == 3)
        row = terminal.screen.cursor.y + 1
        terminal.screen.cursor.y = row
        terminal.screen.draw("someone else wrote this")
        terminal.screen.cursor.y, terminal.screen.cursor.x = row - 1, 0
        terminal.shows(lambda rows: any("someone" in row for row in rows))
        terminal.type("\f")
        terminal.shows(lambda rows: not any("someone" in row for row in rows))
        terminal.shows(lambda rows: sum("build-a" in row for row in rows) == 3)


# However it ends, the terminal is as before.


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("\x03", 130),
        ("\x1c", -signal.SIGQUIT),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
    ],
)
def test_a_signal_restores_the_terminal(
    view: str, ending: str | signal.Signals, expected: int
) -> None:
    """Ctrl-C, Ctrl-backslash, and signals from elsewhere."""
    with Terminal(*VIEWS[view][0]) as terminal:
        terminal.shows(has_keys)
        if isinstance(ending, str):
            terminal.type(ending)
        else:
            terminal.process.send_signal(ending)

        assert terminal.status() == expected
        assert terminal.is_as_usual

    assert not terminal.screen.cursor.hidden
    assert terminal.screen.cursor.x == 0


CRASH = """
import sys
from tcsniff import cli
from tcsniff.renderers.table import TablePicture

def draw(self, width, height, status, original=TablePicture.draw):
    if status.total > 20:
        raise RuntimeError("of the test")
    return original(self, width, height, status)

TablePicture.draw = draw
sys.argv = ["tcsniff", "--demo", "--seed", "1"]
cli.run()
"""


def test_a_crash_restores_the_terminal() -> None:
    """Status 1, and what happened is below the picture."""
    with Terminal(program=(sys.executable, "-c", CRASH)) as terminal:
        terminal.shows(has_keys)

        assert terminal.status() == 1
        assert terminal.is_as_usual
        terminal.shows(lambda rows: any("RuntimeError: of the test" in row for row in rows))

    assert not terminal.screen.cursor.hidden


@pytest.mark.parametrize("view", VIEWS)
def test_ctrl_z_and_back(view: str) -> None:
    """The shell has its terminal; fg brings the keys and a picture below it back."""
    words, heading, expected = VIEWS[view]
    script = "$sniff; echo stopped $?; read line; echo $line; fg; echo ended $?; read line"
    with Terminal(program=shell(script, *words), lines=40) as terminal:
        terminal.shows(has_keys)
        terminal.type("\x1a")
        terminal.shows(lambda rows: "stopped 148" in rows)
        assert terminal.is_as_usual
        assert not terminal.screen.cursor.hidden
        terminal.type("typed in between\n")
        screen = terminal.shows(
            lambda rows: (
                "typed in between" in rows and has_keys(rows[rows.index("typed in between") :])
            )
        )
        assert any(row.startswith(heading) for row in screen)
        assert not terminal.is_as_usual
        terminal.type("q")
        terminal.shows(lambda rows: f"ended {expected}" in rows)

        assert terminal.is_as_usual


def test_kill_stop_and_back() -> None:
    """It can't be prepared for; the shell restores its terminal, and fg brings the keys back."""
    script = "$sniff; echo stopped $?; stty sane; read line; fg; echo ended $?; read line"
    with Terminal(program=shell(script, *DEMO), lines=40) as terminal:
        terminal.shows(has_keys)
        shell_id = terminal.process.pid
        children = Path(f"/proc/{shell_id}/task/{shell_id}/children").read_text(encoding="ascii")
        os.kill(int(children), signal.SIGSTOP)
        # What the shell prints is in the place of the picture.
        terminal.shows(lambda rows: any(row.startswith("stopped 147") for row in rows))
        stopped = len(terminal.written)
        terminal.type("\n")
        terminal.shows(lambda rows: b"\x1b[?25l" in terminal.written[stopped:] and has_keys(rows))
        terminal.type("q")
        terminal.shows(lambda rows: "ended 0" in rows)

        assert terminal.is_as_usual


def test_in_the_background_the_terminal_is_left_alone() -> None:
    """It is not stopped, and what is typed is the shell's; fg brings the keys."""
    script = "$sniff & read line; echo line $line; fg; echo ended $?; read line"
    with Terminal(program=shell(script, *DEMO), lines=40) as terminal:
        terminal.shows(lambda rows: any(row.startswith("●") for row in rows))
        assert terminal.is_as_usual
        terminal.type("q is for the shell\n")
        terminal.shows(lambda rows: any("line q is for the shell" in row for row in rows))
        terminal.shows(has_keys)
        terminal.type("q")
        terminal.shows(lambda rows: any("ended 0" in row for row in rows))

        assert terminal.is_as_usual


@pytest.mark.parametrize("words", [("--from", "-"), (*DEMO, "</dev/null")], ids=" ".join)
def test_without_a_keyboard_the_terminal_is_left_alone(words: Sequence[str]) -> None:
    """If standard input is the data, or not a terminal."""
    line = " ".join([*map(shlex.quote, command()), *words])
    with Terminal(program=("bash", "-c", line)) as terminal:
        if "-" in words:
            terminal.shows(lambda rows: any(row.startswith("●") for row in rows))
        else:
            terminal.shows(lambda rows: any("Ctrl-C ends" in row for row in rows))
        assert terminal.is_as_usual
        terminal.type("\x03")

        assert terminal.status() in (130, -signal.SIGINT)
