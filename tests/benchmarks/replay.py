"""How fast a recording is replayed, against jq, and in how much memory.

Run it as ``python tests/benchmarks/replay.py``; it needs jq. The recording is
made for it, in a folder that is removed again. What counts are the ratios: both
sides of one take turns, on the same machine, in the same minute.
"""

from __future__ import annotations

import itertools
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tcsniff import records
from tcsniff.simulator import simulate

LINES = 200_000  # of the recording that is timed
MANY = 5  # times as many lines, for the memory
MADE = 20_000  # different messages; the recording repeats them
ROUNDS = 3
START = 1_795_456_800.0  # 2026-11-23T18:00:00Z

TCSNIFF = f"{shlex.quote(sys.executable)} -m tcsniff --quiet"
RATIOS = (
    (
        "--worker-type gaia against jq",
        """jq -c 'select((.routingKey|split("."))[6]=="gaia")' {plain}""",
        "{tcsniff} --from {plain} --worker-type gaia",
        4.0,
    ),
    (
        "task-running --worker-type gaia against jq",
        """jq -c 'select((.routingKey|split("."))[6]=="gaia"
            and .exchange=="exchange/taskcluster-queue/v1/task-running")' {plain}""",
        "{tcsniff} --from {plain} task-running --worker-type gaia",
        4.0,
    ),
    (
        "--where on the payload against jq",
        """jq -c 'select(.payload.status.state=="failed")' {plain}""",
        """{tcsniff} --from {plain} --where "payload.status.state=='failed'" """,
        1.0,
    ),
    (
        "--where on a list in the payload against jq",
        """jq -c 'select(.payload.status.runs[-1]?.reasonResolved=="claim-expired")' {plain}""",
        "{tcsniff} --from {plain} "
        """--where "payload.status.runs[-1].reasonResolved=='claim-expired'" """,
        1.0,
    ),
    (
        "all of it against jq -c .",
        "jq -c . {plain}",
        "{tcsniff} --from {plain} -o json",
        1.0,
    ),
    (
        ".gz against gzip -dc into -",
        "gzip -dc {gz} | {tcsniff} --from - --worker-type gaia",
        "{tcsniff} --from {gz} --worker-type gaia",
        None,
    ),
)

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
    """What a command line took.

    Attributes:
        seconds: From start to end.
        busy: Seconds of processor time, of all its processes.
        peak: The most memory that one of them had, in KiB.
        written: Bytes of output.
    """

    seconds: float
    busy: float
    peak: int
    written: int


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def record(folder: Path) -> dict[str, str]:
    """Make the recordings; returns what stands for them in the commands."""
    made = itertools.islice(simulate(seed=7, start=START), MADE)
    lines = [records.line(one._replace(received="2026-11-23T18:00:00.000Z")) for _, one in made]
    text = b"".join(lines)
    plain, many = folder / "r.jsonl", folder / "many.jsonl"
    with plain.open("wb") as file:
        for _ in range(LINES // MADE):
            file.write(text)
    with many.open("wb") as file:
        for _ in range(LINES // MADE * MANY):
            file.write(text)
    subprocess.run(f"gzip -kc {plain} > {plain}.gz", shell=True, check=True)  # noqa: S602 - ours
    with Path(f"{many}.gz").open("wb") as file:  # as after as many sessions
        for _ in range(MANY):
            file.write(Path(f"{plain}.gz").read_bytes())
    return {"plain": str(plain), "many": str(many), "gz": f"{plain}.gz", "tcsniff": TCSNIFF}


def run(command: str) -> Cost:
    """Run a command line, and measure it."""
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MEASURE, command],
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr.decode()}")
        seconds, busy, peak = done.stderr.split()[-3:]
        written = os.fstat(output.fileno()).st_size
        return Cost(float(seconds), float(busy), int(peak), written)


def main() -> int:
    """Write the medians of rounds that alternate; returns 1 if a promise is not kept."""
    kept = True
    with tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as folder:
        names = record(Path(folder))
        size = Path(names["plain"]).stat().st_size
        say(f"{LINES:,} lines, {size / 1e6:.0f} MB, median of {ROUNDS} rounds")
        for what, theirs, ours, least in RATIOS:
            rounds = []
            for _ in range(ROUNDS):
                other, own = run(theirs.format(**names)), run(ours.format(**names))
                if own.written != other.written and what != "all of it against jq -c .":
                    raise RuntimeError(f"{what}: {own.written:,} bytes, not {other.written:,}")
                rounds.append((other, own))
            ratio = statistics.median(other.seconds / own.seconds for other, own in rounds)
            busy = statistics.median(other.busy / own.busy for other, own in rounds)
            promised = "" if least is None else f", at least {least:g} promised"
            kept = kept and (least is None or ratio >= least)
            say(
                f"{what}: {statistics.median(one.seconds for one, _ in rounds):.2f} s, "
                f"tcsniff {statistics.median(one.seconds for _, one in rounds):.2f} s, "
                f"ratio {ratio:.2f}{promised}; of processor time {busy:.2f}"
            )
        kept = memory(names) and kept
    return 0 if kept else 1


def memory(names: dict[str, str]) -> bool:
    """Write how much memory a recording takes, and one several times as long."""
    kept = True
    for flags, suffix in (
        ("-o json", ""),
        ("--worker-type gaia", ""),
        ("--dedupe -o raw", ""),
        ("-o lines", ""),
        ("--worker-type gaia", ".gz"),
    ):
        few = run(f"exec {TCSNIFF} --from {names['plain']}{suffix} {flags}").peak
        many = run(f"exec {TCSNIFF} --from {names['many']}{suffix} {flags}").peak
        kept = kept and many < 1.1 * few
        say(
            f"memory of {flags}{suffix and f' on {suffix}'}: "
            f"{few / 1024:.1f} MiB for {LINES:,} lines, "
            f"{many / 1024:.1f} MiB for {LINES * MANY:,}, ratio {many / few:.2f}"
        )
    return kept


if __name__ == "__main__":
    sys.exit(main())
