"""What a live picture of a task group costs, at 1,000 events a second on 5,000 tasks.

Run it alone as ``make bench SECTIONS=drawing``. tcsniff draws in
a terminal of its own, 80 cells by 24 lines, and is fed through a pipe, so many
events a second; what counts is its seconds of the processor for a second of the
clock, those of its start left out.
"""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import struct
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
from graph import START
from measuring import Row, Section, report

from queue_server import content
from running import command, environment
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.records import format_record
from tcsniff.renderers.graph.graph_picture import draw_graph
from tcsniff.renderers.graph.scene import build_scene
from tcsniff.simulator.planning import to_definitions
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.taskgraph.group import GroupState

TASKS = 5_000
RATE = 1_000  # events a second
STEP = 0.01  # seconds between two writes into the pipe
SECONDS = 12
TARGET = 0.25  # of a processor's core, at most


def used(words: Sequence[str], events: Sequence[Delivery]) -> tuple[float, float]:
    """Have events drawn at the rate; returns seconds of the processor, and of the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        command(*words), stdin=subprocess.PIPE, stdout=slave, stderr=slave, env=environment()
    )
    os.close(slave)
    reader = threading.Thread(target=drained, args=(master,), daemon=True)
    reader.start()
    feed(process, events)
    process.wait()
    reader.join()
    os.close(master)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return busy, time.monotonic() - started


def feed(process: subprocess.Popen[bytes], events: Sequence[Delivery]) -> None:
    """Write events into the pipe, at the rate, and close it."""
    if process.stdin is None:
        raise RuntimeError("started without a pipe")
    some = round(RATE * STEP)
    due = time.monotonic()
    for start in range(0, len(events), some):
        process.stdin.write(b"".join(map(format_record, events[start : start + some])))
        process.stdin.flush()
        due += STEP
        time.sleep(max(0.0, due - time.monotonic()))
    process.stdin.close()


def drained(master: int) -> None:
    """Read what a terminal would show, until it is closed."""
    try:
        while os.read(master, 1 << 16):
            pass
    except OSError:
        return


def looked(following: GroupState) -> float:
    """Draw a picture; returns the same."""
    start = time.process_time()
    scene = build_scene(following.graph(), following.latest)
    draw_graph(scene, None, 80, 23, color=True)
    return time.process_time() - start


def measured(folder: Path) -> Iterator[Row]:
    """Measure what the live picture of a group costs."""
    plan = next(plan_groups(seed=3, tasks=TASKS))
    events = [one for _, one in simulate(seed=3, start=START, groups=1, tasks=TASKS)]
    path = folder / "graph.json"
    path.write_bytes(orjson.dumps(content(plan).page(0, 2 * TASKS)))
    words = ("graph", "--from", "-", "--graph", str(path), "-q")
    for start in (0, len(events) // 3):
        report(f"drawing: from event {start:,} on")
        # From a point where most tasks wait, or most run, the first event on.
        known, shown = events[: start + 1], events[start : start + SECONDS * RATE]
        half = GroupState(plan.task_group_id)
        half.add_facts(to_definitions(plan))
        for one in known:
            half.apply(one)
        picture = looked(half)
        base, _ = used(words, events[:1])
        busy, _ = used(words, shown)
        share = (busy - base) / (len(shown) / RATE)
        yield Row(
            f"{TASKS:,} tasks, {RATE:,} events a second, from event {start:,} on : a core",
            f"{1000 * picture:.0f} ms a picture",
            share,
            f"<= {TARGET}",
        )


def section() -> Section:
    """Measure it, in a terminal of 80 columns and 24 lines."""
    with tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as folder:
        return Section("drawing a task graph", list(measured(Path(folder))))
