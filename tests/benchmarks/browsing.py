"""What ``tcsniff browse`` costs: how soon a key is answered, and its memory.

Run it alone as ``make bench SECTIONS=browsing``. The app has read 50,000 events, half of them
of a group of 10,000 tasks, and receives 1,000 more a second of both kinds. The time of a key
ends when what it shows is written to the terminal. Memory is the peak of the whole process.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from measuring import Row, Section, report

from running import command, environment
from tcsniff.browse.pools_page import SORTS
from tcsniff.pulse.records import format_record
from tcsniff.simulator.simulation import plan_groups, simulate

EVENTS = 50_000
TASKS = 10_000  # of the large group
RATE = 1_000  # events a second
MORE = 40_000  # events that arrive while keys are pressed; then the same again
ROUNDS = 7  # of each kind of key
_PAUSE = 0.15  # seconds between two keys
MEDIAN, P99, MEGABYTES = 0.05, 0.15, 200.0
_PATIENCE = 20
_SEED = 5
_SELECTED = re.compile(rb"\x1b\[7m([^\x1b]+)\x1b")


class Key(NamedTuple):
    """A key, and how to see that it was answered.

    Attributes:
        kind: What it does.
        keys: What is typed.
        shows: Returns whether what was written since then answers it.
        is_counted: Whether its time is of interest.
    """

    kind: str
    keys: str
    shows: Callable[[bytes], bool]
    is_counted: bool = True


def section() -> Section:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        lines = list(itertools.islice(_make_lines(), EVENTS + MORE))
        path.write_bytes(b"".join(lines[:EVENTS]))
        with Hand(path) as hand:
            times = hand.measure(lines[EVENTS:])
            peak, first = hand.read_peak(), hand.first
    return Section(
        f"browse: 50,000 events and a group of {TASKS:,} tasks, {RATE:,} events a second arrive",
        [
            Row("first picture: 1 s", f"{first:.2f} s", first, "<= 1.0"),
            *(_rate(kind, found) for kind, found in times.items()),
            *_rate_all([one for found in times.values() for one in found]),
            Row("memory: 200 MB", f"{peak:.0f} MB", peak / MEGABYTES, "<= 1.0"),
        ],
        ["browse: a key is answered when what it shows is written to the terminal."],
    )


def _rate(kind: str, times: Sequence[float]) -> Row:
    median = statistics.median(times)
    figure = f"{median * 1e3:.0f} ms, at most {max(times) * 1e3:.0f}"
    return Row(f"{kind}, median: 50 ms", figure, median / MEDIAN, "<= 1.0")


def _rate_all(times: Sequence[float]) -> Iterator[Row]:
    median, high = statistics.median(times), sorted(times)[int(len(times) * 0.99)]
    yield Row("all keys, median: 50 ms", f"{median * 1e3:.0f} ms", median / MEDIAN, "<= 1.0")
    yield Row("all keys, 99 %: 150 ms", f"{high * 1e3:.0f} ms", high / P99, "<= 1.0")


def _make_lines() -> Iterator[bytes]:
    large = simulate(seed=_SEED, start=1.7e9, groups=1, tasks=TASKS)
    small = simulate(seed=_SEED + 1, start=1.7e9)
    for one, other in zip(large, small, strict=False):
        yield format_record(one[1])
        yield format_record(other[1])


def _has(text: str) -> Callable[[bytes], bool]:
    return lambda written: text.encode() in written


def _is_cleared(written: bytes) -> bool:
    _, _, last = written.rpartition(b"1 Events")
    return b"2 Graph" in last and b"filter:" not in last


class Hand:
    """Presses keys in a terminal in which ``tcsniff browse`` follows a recording."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._group = next(plan_groups(seed=_SEED, tasks=TASKS)).task_group_id
        self._master, slave = pty.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._stopped = threading.Event()
        self._selected = b""  # the text of the selected row
        started = time.monotonic()
        self._process = subprocess.Popen(
            command("browse", "--from", str(path), "--follow"),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(),
            start_new_session=True,
        )
        os.close(slave)
        self._await(_has("TIME"))
        self.first = time.monotonic() - started
        self._await(_has(f" {EVENTS:,} events"))
        report(f"browse: {EVENTS:,} events read after {time.monotonic() - started:.0f} s")

    def __enter__(self) -> Hand:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def measure(self, lines: Sequence[bytes]) -> dict[str, list[float]]:
        """Press each kind of key; return its times while these lines arrive."""
        feeder = threading.Thread(target=self._feed, args=(lines,))
        feeder.start()
        times: dict[str, list[float]] = {}
        for number in range(ROUNDS):
            for key in self._list_keys(number):
                taken = self._press(key)
                if key.is_counted:
                    times.setdefault(key.kind, []).append(taken)
        self._stopped.set()
        feeder.join()
        return times

    def _list_keys(self, number: int) -> Iterator[Key]:
        events, graph, task, pools = (
            _has(f"\x1b[1;7m {tab} ") for tab in ("1 Events", "2 Graph", "3 Task", "4 Pools")
        )
        yield Key("first row", "g", self._selects_another)
        yield Key("arrow", "j", self._selects_another)
        yield Key("arrow", "\x1b[B", self._selects_another)
        yield Key("page", "\x1b[6~", self._selects_another)
        yield Key("next failure", "e", self._selects_another)
        for place in range(1, 7):
            word = self._group[:place].lower()
            yield Key("filter", ("/" if place == 1 else "") + word[-1], _has(f"filter: {word}"))
        yield Key("prompt", "\r", lambda _: True, is_counted=False)
        yield Key("group", "r", graph)
        if number == 0:  # it takes seconds to lay the group out for the first time
            yield Key("layout", "", _has("✖"), is_counted=False)
        yield Key("page 1", "1", events)
        yield Key("clear filter", "\x1b", _is_cleared)
        yield Key("page 2", "2", graph)
        yield Key("row of graph", "j", self._selects_another)
        yield Key("next failure", "e", self._selects_another)
        yield Key("row of graph", "G", self._selects_another)
        while b" test " not in self._selected:  # the largest kind
            yield Key("row of graph", "k", self._selects_another)
        yield Key("open a kind", "\r", self._selects_another)
        yield Key("page of tasks", "\x1b[6~", self._selects_another)
        yield Key("close a kind", "h", self._selects_another)
        yield Key("next failure", "e", self._selects_another)
        yield Key("task", "t", task)
        yield Key("back", "\x1b", graph)
        yield Key("page 4", "4", pools)
        order = SORTS[(number + 1) % len(SORTS)]
        yield Key("sort", "s", _has(f"sorted by {order}"))
        yield Key("keys", "?", _has("Keys of"))
        yield Key("back", "\x1b", pools)
        yield Key("page 1", "1", events)
        yield Key("last row", "G", self._selects_another)

    def _selects_another(self, written: bytes) -> bool:
        return any(row != self._selected for row in _SELECTED.findall(written))

    def _press(self, key: Key) -> float:
        self._read_for(_PAUSE)
        begun = time.monotonic()
        os.write(self._master, key.keys.encode())
        try:
            self._await(key.shows)
        except RuntimeError as error:
            raise RuntimeError(f"{key.kind}: {error}") from error
        return time.monotonic() - begun

    def _await(self, shows: Callable[[bytes], bool]) -> None:
        written = b""
        deadline = time.monotonic() + _PATIENCE
        while not shows(written):
            if not (data := self._read(deadline - time.monotonic())):
                raise RuntimeError(f"browse has not answered; it has written {written[-2_000:]!r}")
            written += data
        self._note_selected(written)

    def _read_for(self, seconds: float) -> None:
        written = b""
        deadline = time.monotonic() + seconds
        while data := self._read(deadline - time.monotonic()):
            written += data
        self._note_selected(written)

    def _read(self, patience: float) -> bytes:
        ready, _, _ = select.select([self._master], [], [], max(0.0, patience))
        return os.read(self._master, 1 << 16) if ready else b""

    def _note_selected(self, written: bytes) -> None:
        if rows := _SELECTED.findall(written):
            self._selected = rows[-1]

    def _feed(self, lines: Sequence[bytes]) -> None:
        step = RATE // 20
        with self._path.open("ab") as file:
            for start in itertools.cycle(range(0, len(lines), step)):
                if self._stopped.wait(step / RATE):
                    return
                file.write(b"".join(lines[start : start + step]))
                file.flush()

    def read_peak(self) -> float:
        """Return the peak memory of the process so far, in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
