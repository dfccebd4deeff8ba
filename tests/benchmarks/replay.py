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

from tcsniff import records
from tcsniff.simulator import simulate

LINES = 100_000  # of the recording that is timed
MANY = 10  # times as many lines, for the memory
MADE = 20_000  # different messages; the recording repeats them
ROUNDS = 5
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
print(time.perf_counter() - start, usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


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
    return {"plain": str(plain), "many": str(many), "gz": f"{plain}.gz", "tcsniff": TCSNIFF}


def run(command: str) -> tuple[float, int, int]:
    """Run a command line.

    Returns:
        Seconds; the most memory that one of its processes had, in KiB; bytes written.
    """
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _MEASURE, command],
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr.decode()}")
        seconds, memory = done.stderr.split()[-2:]
        return float(seconds), int(memory), os.fstat(output.fileno()).st_size


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
                if own[2] != other[2] and what != "all of it against jq -c .":
                    raise RuntimeError(f"{what}: {own[2]:,} bytes, not {other[2]:,}")
                rounds.append((other[0], own[0]))
            ratio = statistics.median(other / own for other, own in rounds)
            promised = "" if least is None else f", at least {least:g} promised"
            kept = kept and (least is None or ratio >= least)
            say(
                f"{what}: {statistics.median(one for one, _ in rounds):.2f} s, "
                f"tcsniff {statistics.median(one for _, one in rounds):.2f} s, "
                f"ratio {ratio:.2f}{promised}"
            )
        kept = memory(names) and kept
    return 0 if kept else 1


def memory(names: dict[str, str]) -> bool:
    """Write how much memory a recording takes, and one ten times as long."""
    kept = True
    for flags in ("-o json", "--worker-type gaia", "--dedupe -o raw", "-o lines"):
        few = run(f"exec {TCSNIFF} --from {names['plain']} {flags}")[1]
        many = run(f"exec {TCSNIFF} --from {names['many']} {flags}")[1]
        kept = kept and many < 1.1 * few
        say(
            f"memory of {flags}: {few / 1024:.1f} MiB for {LINES:,} lines, "
            f"{many / 1024:.1f} MiB for {LINES * MANY:,}, ratio {many / few:.2f}"
        )
    return kept


if __name__ == "__main__":
    sys.exit(main())
