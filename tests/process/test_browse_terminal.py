"""``tcsniff browse`` in a terminal of its own, looked at with a terminal emulator."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from builders import OTHER_TASK, TASK, delivery
from groups import EVENTS, PLAN, UNKNOWN, recorded, saved
from running import Terminal, command, finished

DEMO = ("browse", "--demo", "--seed", "3", "--utc")


def lists_events(rows):
    return any("▶ running" in row for row in rows) and "q quit" in rows[-1]


@pytest.fixture
def recording(tmp_path):
    events = [delivery(name, label=f"build-{number}") for number, name in enumerate(NAMES * 9)]
    return recorded(tmp_path / "a.jsonl", events)


NAMES = ["task-pending", "task-running", "task-completed"]


def restored(terminal):
    """Return whether the terminal is as before: main screen, cursor, no mouse."""
    last = terminal.written[terminal.written.rindex(b"\x1b[?1049l") :]
    return b"\x1b[?25h" in last and b"\x1b[?1000l" in terminal.written


def test_a_recording_is_looked_at(recording):
    """Keys scroll, filter and quit; the terminal is as it was, and the status 0."""
    with Terminal("browse", "--from", recording, "--utc") as terminal:
        terminal.shows(lambda rows: "■ end" in rows[0] and any("build-26" in row for row in rows))
        terminal.type("g")
        terminal.shows(lambda rows: any("build-0" in row for row in rows))
        terminal.type("/build-7 \r")
        terminal.shows(lambda rows: "filter: build-7" in rows[1])
        terminal.type("q")
        status = terminal.status()

    assert status == 0
    assert restored(terminal)


def test_a_failure_is_found_and_its_group_is_the_status(tmp_path):
    """The next failure, its task, back, its group; the status is that of the group."""
    events = [delivery(name, label="build-a") for name in ("task-running", "task-failed")]
    events += [delivery("task-running", label="build-b", task_id=OTHER_TASK)] * 30
    path = recorded(tmp_path / "a.jsonl", events)
    with Terminal("browse", "--from", path, "--utc") as terminal:
        terminal.shows(lambda rows: "■ end" in rows[0])
        terminal.type("e")
        terminal.shows(lambda rows: any("run 0 failed" in row for row in rows))
        terminal.type("\r")
        terminal.shows(lambda rows: "build-a" in rows[2] and "✖ failed" in rows[2])
        terminal.type("\x1b")
        terminal.shows(
            lambda rows: rows[2].startswith("TIME") and any("run 0 failed" in row for row in rows)
        )
        terminal.type("r")
        terminal.shows(lambda rows: rows[2].startswith("task group "))
        terminal.type("q")
        status = terminal.status()

    assert status == 10
    assert restored(terminal)


def test_an_id_opens_its_task(recording):
    """When its first event is read; the status is that of the task."""
    with Terminal("browse", "--from", recording, "--utc", TASK) as terminal:
        terminal.shows(lambda rows: rows[2].startswith(f"task {TASK}"))
        terminal.type("q")
        status = terminal.status()

    assert status in (0, 12)  # not every message was read, perhaps


def test_a_graph_file_completes_a_group(tmp_path):
    """All its tasks, also those of which the recording says nothing, without the queue."""
    path = recorded(tmp_path / "a.jsonl", EVENTS[: len(EVENTS) // 3])
    graph = saved(tmp_path / "graph.json", PLAN)
    words = ("--from", path, "--graph", graph, PLAN.task_group_id)
    with Terminal("browse", *words, columns=120) as terminal:
        terminal.shows(
            lambda rows: (
                rows[2].startswith("task group ") and f"{len(PLAN.tasks)} tasks" in rows[2]
            )
        )
        rows = terminal.shows(lambda rows: rows[3] and "nothing known" not in rows[3])
        terminal.type("q")
        status = terminal.status()

    assert "known in part" not in rows[3]
    assert status in (10, 11, 12)


@pytest.mark.parametrize(
    ("group", "text", "status", "message"),
    [
        ("", "nonsense", 6, "graph.json is not a task graph"),
        ("", None, 6, "No such file"),
        (UNKNOWN, "answer", 2, f"not {UNKNOWN}"),
    ],
)
def test_a_wrong_graph_file_is_reported_before_the_app_starts(
    tmp_path, group, text, status, message
):
    """The status says what kind of mistake it is, as for `graph`."""
    path = tmp_path / "graph.json"
    if text == "answer":
        saved(path, PLAN)
    elif text is not None:
        path.write_text(text)
    recording = recorded(tmp_path / "a.jsonl", EVENTS[:9])
    address = [f"https://tc.example.org/tasks/groups/{group}"] if group else []
    words = ("browse", "--from", recording, "--graph", str(path), *address)
    with Terminal(*words, columns=200) as terminal:
        ended = terminal.status()
        rows = terminal.shows(lambda rows: any(row.startswith("tcsniff: ") for row in rows))

    assert ended == status
    assert message in "\n".join(rows)
    assert b"\x1b[?1049h" not in terminal.written


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("key", 130),
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
    ],
)
def test_every_way_of_ending_restores_the_terminal(stop, expected):
    """Ctrl-C as a key, and signals from elsewhere."""
    with Terminal(*DEMO) as terminal:
        terminal.shows(lists_events)
        if stop == "key":
            terminal.type("\x03")
        else:
            terminal.process.send_signal(stop)
        status = terminal.status()

    assert status == expected
    assert restored(terminal)


def test_without_a_terminal_there_is_a_sentence():
    """Status 2, and what to use instead."""
    done = finished("browse", "--demo")

    assert done.returncode == 2
    assert done.stdout == ""
    assert "browse needs a terminal" in done.stderr


def test_the_messages_of_a_broken_recording_come_at_the_end(tmp_path):
    """In the app while it runs; on standard error with the status when it has closed."""
    path = tmp_path / "bad.jsonl"
    path.write_text("nothing\n")
    with Terminal("browse", "--from", str(path), columns=120) as terminal:
        terminal.shows(lambda rows: "contains no record" in rows[0])
        terminal.type("q")
        status = terminal.status()
        rows = terminal.shows(lambda rows: any("contains no record" in row for row in rows))

    assert status == 6
    assert any(row.startswith("tcsniff: ") for row in rows)


def test_standard_error_may_be_a_file(recording, tmp_path):
    """The app is on standard output; messages go into the file."""
    log = tmp_path / "log"
    words = " ".join(command("browse", "--from", recording))
    with Terminal(program=["sh", "-c", f"{words} 2>{log}"]) as terminal:
        terminal.shows(lambda rows: "■ end" in rows[0])
        terminal.type("q")
        status = terminal.status()

    assert status == 0
    assert log.read_text() == ""


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (250, 70)])
def test_nothing_wraps_on_any_screen(size, recording):
    """The last line has the keys, the first one the source."""
    columns, lines = size
    with Terminal("browse", "--from", recording, columns=columns, lines=lines) as terminal:
        rows = terminal.shows(lambda rows: "■ end" in rows[0] and "q quit" in rows[-1])

    assert any("build-" in row for row in rows)


def test_a_dumb_terminal_is_reported(recording):
    """With what works there, and not as a pipe."""
    with Terminal("browse", "--from", recording, env={"TERM": "dumb"}) as terminal:
        assert terminal.status() == 2

    assert b"TERM is dumb" in terminal.written


def test_a_terminal_without_unicode_and_colors_is_enough(recording):
    """Symbols are ASCII, and nothing is colored."""
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "NO_COLOR": "1"}
    with Terminal("browse", "--from", recording, env=env) as terminal:
        rows = terminal.shows(lambda rows: "# end" in rows[0] and "q quit" in rows[-1])

    assert any("> running" in row for row in rows)
    assert not any(code in terminal.written for code in (b"\x1b[31m", b"\x1b[32m", b";31m"))
    assert "\n".join(rows).isascii()


def test_a_size_that_has_come_back_is_drawn_again(recording):
    """The terminal has cut lines meanwhile, perhaps before the app knew of it."""
    with Terminal("browse", "--from", recording) as terminal:
        terminal.shows(lambda rows: "■ end" in rows[0])
        terminal.type("/build")
        for number in range(30):
            terminal.shows(lambda rows: rows[-2] == "/build" and "q quit" in rows[-1])
            terminal.resize(1, 1)
            terminal.read_for(number % 3 / 2_000)
            terminal.resize(80, 24)


def drawn_again(terminal):
    """Return what was written since the app has used the terminal for the second time."""
    return b"".join(terminal.written.split(b"\x1b[?1049h")[2:])


def test_ctrl_z_gives_the_terminal_back(recording):
    """The shell has it with echo, and fg draws everything again."""
    words = " ".join(command("browse", "--from", recording))
    script = f"set -m; {words}; stty -a | grep -c '[^-]echo '; fg; echo status $?"
    with Terminal(program=["bash", "-c", script]) as terminal:
        terminal.shows(lambda rows: "■ end" in rows[0])
        terminal.type("\x1a")
        terminal.shows(lambda _: b"Stopped" in terminal.written)
        terminal.shows(lambda _: "■ end".encode() in drawn_again(terminal))
        terminal.type("q")
        terminal.status()

    stopped = terminal.written[terminal.written.index(b"Stopped") :]
    assert b"\r\n1\r\n" in stopped
    assert b"status 0" in stopped


def test_ctrl_z_without_a_shell_changes_nothing(recording):
    """As in a window that a terminal was opened with: nothing could continue the program."""
    with Terminal("browse", "--from", recording) as terminal:
        terminal.shows(lambda rows: "■ end" in rows[0])
        terminal.type("\x1a")
        terminal.shows(lambda _: "■ end".encode() in drawn_again(terminal))
        terminal.type("?")
        terminal.shows(lambda rows: rows[2].startswith("Keys of"))
        terminal.type("q")
        status = terminal.status()

    assert status == 0
    assert restored(terminal)


def child_of(number):
    """Return the process ID of a process's only child."""
    path = Path(f"/proc/{number}/task/{number}/children")
    return int(path.read_text())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
@pytest.mark.parametrize("stop", [[signal.SIGSTOP, signal.SIGCONT], [signal.SIGCONT]])
def test_a_program_that_was_stopped_by_others_goes_on(recording, stop):
    """It draws everything again, and the terminal is as it was at exit."""
    words = " ".join(command("browse", "--from", recording))
    with Terminal(program=["sh", "-c", f"stty -g; {words}; stty -g"]) as terminal:
        terminal.shows(lambda rows: "■ end" in rows[0])
        for number in stop:
            os.kill(child_of(terminal.process.pid), number)
        terminal.shows(lambda _: "■ end".encode() in drawn_again(terminal))
        terminal.type("q")
        terminal.status()

    first, *_, last = terminal.written.decode().split("\r\n")[:-1]
    assert last.endswith(first)
