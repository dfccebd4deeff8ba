"""Keys pressed at random in ``tcsniff browse`` while events arrive and the broker is killed.

TCSNIFF_KEY_SECONDS says for how long, TCSNIFF_KEY_SEED which keys. What is checked is what
everybody relies on: the app lives, its screen is whole, and what is selected stays selected.
"""

from __future__ import annotations

import base64
import itertools
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest
from amqp.exceptions import AMQPError
from kombu.connection import Connection

from groups import published
from rabbitmq import ADMIN, RabbitMQ, Taskcluster, release
from running import PATIENCE, Terminal, command
from tcsniff.simulator.planning import format_task_graph
from tcsniff.simulator.simulation import plan_groups, simulate

SECONDS = float(os.environ.get("TCSNIFF_KEY_SECONDS", "20"))
SEED = int(os.environ.get("TCSNIFF_KEY_SEED", "1"))
RATE, BATCH = 500, 25  # events a second, and in a message to the broker
KEYS_AT_ONCE = 25  # before the screen is checked
STAYS = 0.5  # seconds in which events arrive and no key is pressed
MAX_ROWS = 50_000
QUIET = 0.3  # seconds after which Esc is a key of its own
pytestmark = pytest.mark.timeout(SECONDS + 300)

# All but q and Ctrl-C, which end the app. Ctrl-Z does nothing here, without a shell.
CHARACTERS = ("\r", "\x1b", *"rtp/f escxyoRJKjkgGlh1234?:", " ")
SEQUENCES = [f"\x1b[{code}" for code in ("A", "B", "C", "D", "H", "F", "5~", "6~", "1;2A", "1;2B")]
UNKNOWN = (
    *("\x00", "\x01", "\x02", "\x06", "\x08", "\t", "\x7f", "\x1c", "é", "日", "😀", "Q", "%"),
    *(f"\x1b[{number}~" for number in (2, 3, 11, 15, 24, 99)),
    *("\x1bOP", "\x1a", "\x1ba", "\x1b\x1b", "\x1b[Z", "\x1b[I", "\x1b[O", "\x1b[1;5C"),
    *("\x1b[?2026;2$y", "\x1b[200~failed\nx\x1b[31m\x1b[201~", "\x1b[200~\x1b[201~", "\xff"),
)
FILTERS = ("failed", "gecko-t test", "=event == 'task-failed'", "=payload.(", "~~~", "18:00")
SIZES = ((80, 24), (120, 40), (40, 12), (250, 70), (100, 16), (60, 15))
TINY = ((1, 1), (9, 3), (20, 5))


class Publisher:
    """Publishes simulated events without an end, also while the broker is killed."""

    def __init__(self, server: RabbitMQ, seed: int) -> None:
        self.number = 0
        self._server = server
        self._events = (one for _, one in simulate(seed=seed, start=time.time()))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Publisher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            connection = Connection(self._server.url(*ADMIN), connect_timeout=2)
            with suppress(OSError, AMQPError):
                connection.connect()
                self._publish(Taskcluster(connection))
            release(connection)

    def _publish(self, taskcluster: Taskcluster) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due = max(due, time.monotonic() - 1) + BATCH / RATE
            published(taskcluster, list(itertools.islice(self._events, BATCH)))
            self.number += BATCH


@contextmanager
def killed_twice(server: RabbitMQ) -> Iterator[None]:
    """Kill a broker after a third and two thirds of the time, and start it again."""
    ended = threading.Event()

    def run() -> None:
        for _ in range(2):
            if ended.wait(SECONDS / 3):
                return
            server.kill()
            server.start()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    ended.set()
    thread.join(PATIENCE)


class Hand:
    """Presses keys in a terminal, and checks what the screen shows."""

    def __init__(self, terminal: Terminal, random: Random, publisher: Publisher) -> None:
        self.terminal = terminal
        self.random = random
        self.publisher = publisher
        self.checks = self.compared = self.words = 0
        self.pressed: list[str] = []

    def press_some(self) -> None:
        """Press keys, some in one write and some one after the other."""
        for _ in range(KEYS_AT_ONCE):
            keys = self.choose_keys()
            self.pressed.append(keys)
            self.terminal.type(keys)
            self.terminal.read_for(self.random.choice((0, 0, 0.01, 0.05)))
        if self.random.random() < 0.3:
            size = self.random.choice(SIZES if self.random.random() < 0.8 else TINY)
            self.terminal.resize(*size)
            self.pressed.append(f"{size}")

    def choose_keys(self) -> str:
        """Return what a key, the mouse or a paste writes; or words for a prompt."""
        kind = self.random.random()
        if kind < 0.5:
            return self.random.choice(CHARACTERS) * self.random.choice((1, 1, 1, 3))
        if kind < 0.75:
            return self.random.choice(SEQUENCES) * self.random.choice((1, 1, 5, 40))
        if kind < 0.85:
            return self.random.choice(UNKNOWN)
        if kind < 0.9:
            return f"/{self.random.choice(FILTERS)}{self.random.choice(chr(13) + chr(27))}"
        return self.choose_click()

    def choose_click(self) -> str:
        """Return a click, a drag or a turn of the wheel; not on the last line, where `q` is."""
        screen = self.terminal.screen
        x = self.random.randint(1, max(1, screen.columns))
        y = self.random.randint(1, max(1, screen.lines - 1))
        button = self.random.choice((0, 0, 0, 1, 2, 32, 35, 64, 65))
        times = self.random.choice((1, 2))
        return f"\x1b[<{button};{x};{y}M\x1b[<{button};{x};{y}m" * times

    def check(self) -> None:
        """Check that the screen is whole, and that what is selected stays so."""
        self.checks += 1
        if self.terminal.screen.lines >= 12:
            self.terminal.shows(is_whole)
        self.terminal.resize(120, 40)  # where there is room for what the page says of itself
        before, state = self.read_selection()
        until, number = time.monotonic() + STAYS, self.publisher.number
        while time.monotonic() < until or self.publisher.number == number:
            self.terminal.read_for(0.05)
            if time.monotonic() > until + 1:
                break  # the broker is away
        after, later = self.read_selection()
        moves = {"following", "searching"} & {*state.split(), *later.split()}
        if not (moves or self.selects_oldest()):
            self.compared += 1
            assert before == after, (state, later, "".join(self.pressed[-40:]))

    def read_selection(self) -> tuple[bytes, str]:
        """Return the ID that `y` copies, and the line of tabs."""
        if is_about_keys(self.await_obeyed()):
            self.terminal.type("?")
            self.terminal.shows(lambda rows: is_whole(rows) and not is_about_keys(rows))
        self.terminal.written = b""
        self.terminal.type("y?")  # the page of keys is shown when both were obeyed
        self.terminal.shows(is_about_keys)
        copied = re.findall(rb"\x1b\]52;c;([^\x07]*)\x07", self.terminal.written)
        self.terminal.type("?")
        rows = self.terminal.shows(lambda rows: is_whole(rows) and not is_about_keys(rows))
        return base64.b64decode(copied[-1]) if copied else b"", rows[1]

    def selects_oldest(self) -> bool:
        """Return whether the first event is selected, which may just have been dropped."""
        rows, first = self.terminal.shows(is_whole), self.terminal.screen.buffer[3]
        total = re.search(r"([\d,]+) events", rows[0])
        is_full = total is not None and int(total[1].replace(",", "")) >= MAX_ROWS
        return is_full and rows[2].startswith("TIME") and first[0].reverse

    def await_obeyed(self) -> list[str]:
        """Wait until all keys were obeyed: a word was typed into a prompt, which is closed."""
        self.words += 1
        word = "".join("abdimnuvwz"[int(digit)] for digit in f"{self.words:04}")  # no keys
        self.terminal.wait_until_read()
        self.terminal.read_for(QUIET)  # so that a lone Esc is one
        self.terminal.type(f":{word}")
        prompt = self.terminal.shows(lambda rows: is_whole(rows) and word in rows[-2])[-2]
        self.terminal.type("\x1b")
        rows = self.terminal.shows(lambda rows: is_whole(rows) and word not in rows[-2])
        if prompt.startswith("/"):  # one for a filter was open
            self.terminal.type("\x1b")
            self.terminal.read_for(QUIET)
            rows = self.terminal.shows(lambda rows: is_whole(rows) and "filter:" not in rows[1])
        return rows


def is_about_keys(rows: list[str]) -> bool:
    """Return whether the page of keys is shown."""
    return rows[2].startswith("Keys of")


def is_whole(rows: list[str]) -> bool:
    """Return whether the screen has its first line, its tabs and its keys."""
    return (
        bool(rows[0].strip())
        and bool(re.match(r" 1 .* 2 .* 3 .* 4", rows[1]))
        and rows[-1].endswith("q quit")
    )


def test_random_keys_while_events_arrive_and_the_broker_is_killed(
    rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    """No crash, no lost selection; the terminal is as it was when `q` has ended the app."""
    graph = tmp_path / "task-graph.json"
    graph.write_bytes(format_task_graph(list(plan_groups(seed=SEED, groups=3))))
    words = ("browse", "--broker", rabbitmq.url(), "--graph", str(graph))
    script = 'stty -g; "$@"; echo "status $?"; stty -g'
    program = ["sh", "-c", script, "sh", *command(*words)]
    with (
        Publisher(rabbitmq, SEED) as publisher,
        Terminal(program=program, env={"BROWSER": "true"}) as terminal,
    ):
        terminal.shows(lambda rows: is_whole(rows) and "TIME" in rows[2])
        modes = terminal.written.split(b"\r\n")[0]
        hand = Hand(terminal, Random(SEED), publisher)
        with killed_twice(rabbitmq):
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                hand.press_some()
                hand.check()
        hand.check()
        terminal.written = b""
        terminal.type("q")
        terminal.status()
    sys.stderr.write(f"{hand.checks} checks, {hand.compared} compared\n")

    end = terminal.written[terminal.written.rindex(b"\x1b[?1049l") :]
    assert re.search(rb"status (0|10|11|12)\r\n", end)
    assert end.endswith(modes + b"\r\n")
    assert b"\x1b[?25h" in end
    for mode in (b"1000", b"1003", b"1006", b"1004", b"2004"):
        assert b"\x1b[?" + mode + b"l" in terminal.written
    assert hand.compared > 0
