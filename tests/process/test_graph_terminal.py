"""``tcsniff graph`` in a terminal of its own, looked at with a terminal emulator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from builders import GROUP, delivery
from groups import EVENTS, PLAN, made_up, published, recorded, saved
from queue_server import QueueServer, content
from rabbitmq import RabbitMQ, Taskcluster
from running import Terminal


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer(content(PLAN, EVENTS), page_size=15) as running:
        yield running


def picture_of_five_thousand(screen: list[str]) -> bool:
    return any("5,000 tasks" in row for row in screen) and any("? keys" in row for row in screen)


def test_five_thousand_tasks_on_a_screen_of_24_lines(tmp_path: Path) -> None:
    """One picture, in its place, at any size; the last one stays, and the cursor comes back."""
    plan, events = made_up(3, tasks=5000)
    path = recorded(tmp_path / "a.jsonl", events[: len(events) // 2])
    words = ("graph", "--from", path, "--graph", saved(tmp_path / "g.json", plan), "--follow")
    with Terminal(*words, columns=80, lines=24) as terminal:
        terminal.shows(lambda rows: picture_of_five_thousand(rows) and "▶ test" in "\n".join(rows))
        for columns, lines in ((60, 12), (150, 40), (80, 24)):
            terminal.resize(columns, lines)
            screen = terminal.shows(
                lambda rows, lines=lines: (
                    picture_of_five_thousand(rows)
                    and len([row for row in rows if row]) > lines // 2
                )
            )
            text = "\n".join(screen)
            assert text.count("task group ") <= 1
            assert text.count("5,000 tasks") == 1
            assert text.count("critical path") == 1
        # Drawn anew, to the last column.
        terminal.shows(
            lambda rows: any(re.fullmatch(r"●.{63} q quits  \? keys", row) for row in rows)
        )
        terminal.type("\x03")
        status = terminal.status()
        screen = terminal.shows(lambda rows: any("5,000 tasks" in row for row in rows))

    assert status == 130
    assert not terminal.screen.cursor.hidden
    assert terminal.screen.cursor.x == 0
    assert "\n".join(screen).count("5,000 tasks") == 1


NOT_WHOLE = (
    "known in part: 1 task announced since 18:01 (no API; --root-url or --graph completes it)"
)


@pytest.mark.parametrize(
    ("events", "text"),
    [
        (["task-defined", "task-completed", "task-group-resolved"], "completed in 1 m 05 s"),
        (["task-completed"], NOT_WHOLE),
        (["task-failed"], NOT_WHOLE),
    ],
)
def test_the_end_rings(tmp_path: Path, events: Sequence[str], text: str) -> None:
    """``--notify``: the bell, and the verdict in the two forms that terminals know."""
    path = recorded(tmp_path / "a.jsonl", [delivery(one, task_id=GROUP) for one in events])
    with Terminal("graph", "--from", path, "--utc", "--notify") as terminal:
        terminal.status()
    with Terminal("graph", "--from", path) as quiet:
        quiet.status()

    group = f"task group {GROUP}"
    fields = f"{group};{text.replace(';', ',')}"
    notification = f"\a\x1b]9;{group}: {text}\x1b\\\x1b]777;notify;{fields}\x1b\\"
    assert notification.encode() in terminal.written
    assert b"\a" not in quiet.written


def test_no_untrusted_text_is_in_a_notification(tmp_path: Path) -> None:
    """The group's id may come from a recording, which may hold anything."""
    path = recorded(tmp_path / "a.jsonl", [delivery("task-completed", group="x\x1b\\\x1b]0;evil")])
    with Terminal("graph", "--from", path, "--notify") as terminal:
        terminal.status()

    assert b"\x1b]0;" not in terminal.written
    assert b"\x1b]9;task group x\\x1b" in terminal.written


def test_a_note_stays_above_the_picture(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """That the queue cannot be asked, for example; the picture goes on below it."""
    words = ("graph", GROUP, "--broker", rabbitmq.url(), "--root-url", "http://127.0.0.1:1")
    with Terminal(*words, "--settle", "1s", columns=100) as terminal:
        terminal.shows(lambda rows: any("continuing without dependencies" in row for row in rows))
        published(taskcluster, [delivery("task-running")])
        screen = terminal.shows(lambda rows: any("t-linux-large" in row for row in rows))
        published(taskcluster, [delivery("task-failed"), delivery("task-group-resolved")])
        status = terminal.status()

    text = "\n".join(screen)
    assert text.index("continuing without dependencies") < text.index(f"task group {GROUP}")
    assert "no answer from the queue's API" in text
    assert status == 10


def test_one_look_on_a_terminal_is_a_picture_of_its_size(server: QueueServer) -> None:
    """And the prompt comes below it."""
    words = ("graph", PLAN.task_group_id, "--no-wait", "--root-url", server.url)
    with Terminal(*words, columns=100, lines=12) as terminal:
        terminal.status()
        screen = terminal.shows(lambda rows: any("critical path" in row for row in rows))

    assert screen[0].startswith("task group ")
    assert len([row for row in screen if row]) <= 11
    assert terminal.screen.cursor.x == 0
