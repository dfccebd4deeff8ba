"""The costs of command lines, measured in alternating rounds, and the table of them.

Only ratios count: all sides take turns, on the same machine, in the same
minutes. Processor time varies less than elapsed time if other programs run.
"""

from __future__ import annotations

import os
import pty
import statistics
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL
from typing import NamedTuple, Self, TypeVar

Result = TypeVar("Result")

PATIENCE = 120  # seconds until a command line has failed

# A process's peak memory starts at that of the one it was forked from, hence a small one between.
_MEASURE = """
import os, sys, time
start = time.perf_counter()
pid = os.posix_spawn("/bin/sh", ["sh", "-c", sys.argv[1]], os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - start
print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Cost(NamedTuple):
    """The costs of a command line.

    Attributes:
        seconds: From start to end.
        busy: Seconds of processor time of all its processes.
        peak: The maximum resident memory of any of them, in KiB.
        written: Bytes of output.
    """

    seconds: float
    busy: float
    peak: int
    written: int


class Ratio(float):
    """The median of the ratios of several rounds.

    Attributes:
        lowest: The lowest of them.
        highest: The highest.
    """

    lowest: float
    highest: float

    def __new__(cls, ratios: Sequence[float]) -> Self:
        """Create it from the ratios of all rounds; at least one."""
        median = super().__new__(cls, statistics.median(ratios))
        median.lowest, median.highest = min(ratios), max(ratios)
        return median


class Row(NamedTuple):
    """A row of the table.

    Attributes:
        what: The two things that were measured, with a colon between them.
        figure: The measured values with their units.
        ratio: The first divided by the second; None if nothing is compared.
        target: The bound of the ratio, such as ``>= 2.6``; empty for none.
    """

    what: str
    figure: str
    ratio: float | None = None
    target: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the ratio is within its bound."""
        if not self.target or self.ratio is None:
            return True
        sign, bound = self.target.split()
        return self.ratio >= float(bound) if sign == ">=" else self.ratio <= float(bound)

    def __str__(self) -> str:
        digits = 2 if (self.ratio or 0) >= 0.1 else 3
        ratio = "" if self.ratio is None else f"{self.ratio:.{digits}f}"
        if isinstance(self.ratio, Ratio) and self.ratio.lowest < self.ratio.highest:
            ratio += f" ({self.ratio.lowest:.{digits}f} to {self.ratio.highest:.{digits}f})"
        target = self.target if self.is_met else f"{self.target} **missed**"
        return f"| {self.what} | {self.figure} | {ratio} | {target} |"


class Section(NamedTuple):
    """A part of the table.

    Attributes:
        title: What was measured.
        rows: Its rows.
        notes: How it was measured, one paragraph each.
    """

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        return "\n".join([f"| **{self.title}** | | | |", *map(str, self.rows)])


def report(text: str) -> None:
    """Write a line about the progress to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def busy(number: int) -> float:
    """Return a process's seconds of processor time so far; 0 without /proc."""
    try:
        text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0.0
    user, system = text.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def await_listening(child: subprocess.Popen[bytes]) -> None:
    """Wait until a child says on standard error that it is listening.

    Raises:
        RuntimeError: If it ends instead.
    """
    said = line = b""
    while child.stderr is not None and b"listening" not in line:
        line = child.stderr.readline()
        said += line
        if not line:
            raise RuntimeError(f"it ended: {said.decode()}")


def run(command: str) -> Cost:
    """Run a command line, and measure it.

    Raises:
        RuntimeError: If it fails.
    """
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MEASURE, command],
            stdout=output,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr.decode()}")
        seconds, busy, peak = done.stderr.split()[-3:]
        written = os.fstat(output.fileno()).st_size
        return Cost(float(seconds), float(busy), int(peak), written)


def run_in_terminal(command: str) -> Cost:
    """Run a command line in a terminal of 120x40 that is read as fast as possible.

    Raises:
        RuntimeError: If it fails.
    """
    terminal, standard_files = pty.openpty()
    termios.tcsetwinsize(terminal, (40, 120))
    start = time.perf_counter()
    process = subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=standard_files, stdout=standard_files, stderr=DEVNULL
    )
    os.close(standard_files)
    written = 0
    with os.fdopen(terminal, "rb", buffering=0) as file, suppress(OSError):  # EIO: the end
        while chunk := file.read(1 << 16):
            written += len(chunk)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command}: status {process.returncode}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, written)


def alternate(works: Mapping[str, Callable[[], Result]], rounds: int) -> dict[str, list[Result]]:
    """Do each piece of work in turn, `rounds` times; return the results by its name."""
    found: dict[str, list[Result]] = {name: [] for name in works}
    for number in range(rounds):
        # In reverse order every second time, so that a machine that slows down is fair to all.
        names = list(works) if number % 2 == 0 else list(works)[::-1]
        for name in names:
            found[name].append(works[name]())
    return found


def ratio(those: Sequence[float], these: Sequence[float]) -> Ratio:
    """Return one side's figure divided by the other's, in each round."""
    return Ratio([one / other for one, other in zip(those, these, strict=True)])
