"""The memory of a long run, which must not grow."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from backlog import Backlog
from measuring import Row, Section, report

FEW = 10_000  # messages, after which it must not grow
MANY = 1_000_000
_BEHIND = 20_000  # messages that may wait while more are published
_AHEAD = 1_000  # tcsniff's prefetch
_TURN = 0.02  # seconds between two readings


def section(backlog: Backlog) -> Section:
    """Let tcsniff receive a million messages, and measure its memory meanwhile."""
    report(f"memory: {MANY:,} messages")
    (queue,) = backlog.fill(["memory"], FEW)
    flags = ["--broker", backlog.server.url(), "--queue", "memory", "--all", "-o", "json"]
    child = subprocess.Popen(
        [sys.executable, "-m", "tcsniff", "--quiet", *flags, "-n", str(MANY)],
        stdout=subprocess.DEVNULL,
    )
    try:
        few = many = 0.0
        for poured in range(2 * FEW, MANY + FEW, FEW):
            backlog.pour(FEW)
            while (waiting := backlog.waiting(queue)) > _BEHIND:
                time.sleep(_TURN)
            if poured - waiting >= FEW + _AHEAD:
                many = _resident(child.pid)
                few = few or many
        if child.wait() != 0:
            raise RuntimeError("tcsniff failed")
    finally:
        child.kill()
        child.wait()
    row = Row(f"{MANY:,} messages : {FEW:,}", f"{many:.1f} MB, {few:.1f} MB", many / few, "<= 1.1")
    return Section("memory", [row, Row("maximum, in MB", f"{many:.1f} MB", many, "<= 60")])


def _resident(number: int) -> float:
    # The maximum so far, in MB.
    for line in Path(f"/proc/{number}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM in /proc")
