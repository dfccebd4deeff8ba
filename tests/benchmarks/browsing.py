"""What ``tcsniff browse`` costs: how soon a key is answered, and its memory.

Run it alone as ``make bench SECTIONS=browsing``. The app has read 50,000 events and
receives 1,000 more a second. Each key shows another page; its time ends when that page's
heading is written to the terminal. Memory is the peak of the whole process.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import pty
import select
import statistics
import struct
import subprocess
import tempfile
import termios
import threading
import time
from pathlib import Path

from measuring import Row, Section, report

from running import command, environment
from tcsniff.pulse.records import format_record
from tcsniff.simulator.simulation import simulate

EVENTS = 50_000
RATE = 1_000  # events a second
KEYS = 60
_PAUSE = 0.15  # seconds between two keys
MEDIAN, P99, MEGABYTES = 0.05, 0.15, 200.0
_PATIENCE = 120


def section() -> Section:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        simulated = simulate(seed=5, start=1.7e9)
        lines = [format_record(delivery) for _, delivery in itertools.islice(simulated, EVENTS)]
        path.write_bytes(b"".join(lines))
        times, peak, first = _measure(path, lines)
    median, high = statistics.median(times), sorted(times)[int(len(times) * 0.99)]
    return Section(
        "browse: 50,000 events read, 1,000 a second arrive",
        [
            Row("first picture", f"{first:.2f} s", first, "<= 1.0"),
            Row("key, median: 50 ms", f"{median * 1e3:.0f} ms", median / MEDIAN, "<= 1.0"),
            Row("key, 99 %: 150 ms", f"{high * 1e3:.0f} ms", high / P99, "<= 1.0"),
            Row("memory: 200 MB", f"{peak:.0f} MB", peak / MEGABYTES, "<= 1.0"),
        ],
        ["browse: a key is answered when the page that it shows is written to the terminal."],
    )


def _measure(path: Path, lines: list[bytes]) -> tuple[list[float], float, float]:
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    started = time.monotonic()
    process = subprocess.Popen(
        command("browse", "--from", str(path), "--follow"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(),
        start_new_session=True,
    )
    os.close(slave)
    stopped = threading.Event()
    try:
        _await(master, b"TIME")
        first = time.monotonic() - started
        _await(master, f" {EVENTS:,} events".encode())
        report(f"browse: {EVENTS:,} events read after {time.monotonic() - started:.0f} s")
        feeder = threading.Thread(target=_feed, args=(path, lines, stopped))
        feeder.start()
        times = [_press(master, heading) for heading in [b"Keys of", b"TIME"] * (KEYS // 2)]
        return times, _read_peak(process.pid), first
    finally:
        stopped.set()
        process.kill()
        process.wait()
        os.close(master)


def _press(master: int, heading: bytes) -> float:
    _drain(master)
    begun = time.monotonic()
    os.write(master, b"?")
    _await(master, heading)
    taken = time.monotonic() - begun
    deadline = time.monotonic() + _PAUSE
    while (left := deadline - time.monotonic()) > 0:
        if select.select([master], [], [], left)[0]:
            os.read(master, 1 << 16)
    return taken


def _drain(master: int) -> None:
    while select.select([master], [], [], 0)[0]:
        os.read(master, 1 << 16)


def _await(master: int, wanted: bytes) -> None:
    written = b""
    deadline = time.monotonic() + _PATIENCE
    while wanted not in written:
        if not select.select([master], [], [], deadline - time.monotonic())[0]:
            raise RuntimeError(f"browse has not shown {wanted!r}")
        written = written[-4_000:] + os.read(master, 1 << 16)


def _feed(path: Path, lines: list[bytes], stopped: threading.Event) -> None:
    step = RATE // 20
    with path.open("ab") as file:
        for start in itertools.cycle(range(0, len(lines) - step, step)):
            if stopped.wait(step / RATE):
                return
            file.write(b"".join(lines[start : start + step]))
            file.flush()


def _read_peak(number: int) -> float:
    status = Path(f"/proc/{number}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
