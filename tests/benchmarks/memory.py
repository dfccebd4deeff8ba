"""How much memory a long run takes; it is to be flat."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from backlog import DIFFERENT, Backlog
from measuring import Row, Section, say

FEW = 10_000  # messages, after which it is to be flat
MANY = 1_000_000
_BEHIND = 20_000  # messages that may wait while more are published

# `top` and `graph` go here: a command line each, over as many messages as `simulate` gives in a
# simulated week.


def section(backlog: Backlog) -> Section:
    """Let tcsniff take a million messages, and look at it on the way."""
    say(f"memory: {MANY:,} messages")
    (queue,) = backlog.fill(["memory"], FEW)
    flags = ["--broker", backlog.server.url(), "--queue", "memory", "--all", "-o", "json"]
    child = subprocess.Popen(
        [sys.executable, "-m", "tcsniff", "--quiet", *flags, "-n", str(MANY)],
        stdout=subprocess.DEVNULL,
    )
    try:
        few = 0
        for _ in range(FEW, MANY, FEW):
            backlog.pour(FEW // DIFFERENT * DIFFERENT)
            while backlog.waiting(queue) > _BEHIND:
                pass
            few = few or _resident(child.pid)
            many = _resident(child.pid)
        if child.wait() != 0:
            raise RuntimeError("tcsniff failed")
    finally:
        child.kill()
        child.wait()
    row = Row(f"{MANY:,} messages : {FEW:,}", f"{many:.1f} MB, {few:.1f} MB", many / few, "<= 1.1")
    return Section(
        "memory", "ratio", [row, Row("the most, in MB", f"{many:.1f} MB", many, "<= 60")]
    )


def _resident(number: int) -> float:
    # The most so far, in MB.
    for line in Path(f"/proc/{number}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM in /proc")
