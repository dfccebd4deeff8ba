"""What a live picture of a task group costs, at 1,000 events a second on 5,000 tasks.

Run it as ``PYTHONPATH=tests python tests/benchmarks/drawing.py``. tcsniff draws in
a terminal of its own, 80 cells by 24 lines, and is fed through a pipe, so many
events a second; what counts is its seconds of the processor for a second of the
clock, those of its start left out. Beside it stands what folding alone would take.
"""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import orjson
from queue_server import content
from replay import START, say
from running import command, environment

from tcsniff.deliveries import Delivery
from tcsniff.following import Following
from tcsniff.graphfiles import definitions_of
from tcsniff.records import line
from tcsniff.renderers.scene import scene_of
from tcsniff.renderers.tree import picture_of
from tcsniff.simulator import plans, simulate

TASKS = 5_000
RATE = 1_000  # events a second
STEP = 0.01  # seconds between two writes into the pipe
SECONDS = 20
PROMISED = 0.25  # of a processor's core, at most
FOLDED = 100_000  # events a second, at least


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
        process.stdin.write(b"".join(map(line, events[start : start + some])))
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


def folded(events: Sequence[Delivery], following: Following) -> float:
    """Take events in; returns for how many seconds that kept the processor."""
    start = time.process_time()
    for one in events:
        following.take(one)
    return time.process_time() - start


def looked(following: Following) -> float:
    """Draw a picture; returns the same."""
    start = time.process_time()
    scene = scene_of(following.graph(), following.latest)
    picture_of(scene, None, 80, 23, colour=True)
    return time.process_time() - start


def measure(folder: Path) -> bool:
    """Measure, and say what was found; returns whether all is as promised."""
    plan = next(plans(seed=3, tasks=TASKS))
    events = [one for _, one in simulate(seed=3, start=START, groups=1, tasks=TASKS)]
    path = folder / "graph.json"
    path.write_bytes(orjson.dumps(content(plan).page(0, 2 * TASKS)))
    words = ("graph", "--from", "-", "--graph", str(path), "-q")
    following = Following(plan.task_group_id)
    following.learn(definitions_of(plan))
    rate = len(events) / folded(events, following)
    say(f"folding {rate:,.0f} events a second; promised are {FOLDED:,}")
    for start in (0, len(events) // 3):
        # From a point where most tasks wait, or most run, the first event on.
        known, shown = events[: start + 1], events[start : start + SECONDS * RATE]
        half = Following(plan.task_group_id)
        half.learn(definitions_of(plan))
        folded(known, half)
        say(f"from event {start:,} on: one picture takes {looked(half) * 1000:.0f} ms at first")
        base, _ = used(words, events[:1])
        busy, wall = used(words, shown)
        share = (busy - base) / (len(shown) / RATE)
        say(
            f"  {len(shown):,} events in {wall:.1f} s: {busy - base:.2f} s of the processor "
            f"(and {base:.2f} s to start), {share:.3f} of a core; promised is {PROMISED}"
        )
        if share > PROMISED:
            return False
    return rate >= FOLDED


def main() -> int:
    """Returns 1 if something is slower than promised."""
    with tempfile.TemporaryDirectory() as folder:
        return 0 if measure(Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
