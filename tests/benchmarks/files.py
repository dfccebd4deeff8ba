"""The time to replay a recording, compared with jq, and the memory for it.

The recording is made for the measurement, in a temporary folder.
"""

from __future__ import annotations

import itertools
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import orjson
from measuring import Cost, Row, Section, alternate, ratio, report, run

from tcsniff.pulse import records
from tcsniff.simulator.simulation import plan_groups, simulate

LINES = 100_000  # of the recording that is timed
MANY = 3  # times as many lines, for the memory
MADE = 20_000  # different messages; the recording repeats them
EVENTS = 18_000  # of the recording in which many task IDs are looked up
VALUES = 5_000
ROUNDS = 3
START = 1_795_456_800.0  # 2026-11-23T18:00:00Z

_TCSNIFF = f"{shlex.quote(sys.executable)} -m tcsniff --quiet"
# What is compared, the other command, ours, and the target of the speeds' ratio.
_PAIRS = (
    (
        "--worker-type : jq",
        """jq -c 'select((.routingKey|split("."))[6]=="gaia")' {plain}""",
        "{tcsniff} --from {plain} --worker-type gaia",
        ">= 5",
    ),
    (
        "EVENT and --worker-type : jq",
        """jq -c 'select((.routingKey|split("."))[6]=="gaia"
            and .exchange=="exchange/taskcluster-queue/v1/task-running")' {plain}""",
        "{tcsniff} --from {plain} task-running --worker-type gaia",
        ">= 5",
    ),
    (
        "--where on the state : jq",
        """jq -c 'select(.payload.status.state=="failed")' {plain}""",
        """{tcsniff} --from {plain} --where "payload.status.state=='failed'" """,
        ">= 2.5",
    ),
    (
        "--where on the last run : jq",
        """jq -c 'select(.payload.status.runs[-1]?.reasonResolved=="claim-expired")' {plain}""",
        "{tcsniff} --from {plain} "
        """--where "payload.status.runs[-1].reasonResolved=='claim-expired'" """,
        ">= 2.5",
    ),
    (
        "-o json : jq -c .",
        "jq -c . {plain}",
        "{tcsniff} --from {plain} -o json",
        "",
    ),
    (
        ".gz : gzip -dc into -",
        "gzip -dc {gz} | {tcsniff} --from - --worker-type gaia",
        "{tcsniff} --from {gz} --worker-type gaia",
        ">= 1",
    ),
    (
        ".gz --worker-type : gzip -dc into jq",
        """gzip -dc {gz} | jq -c 'select((.routingKey|split("."))[6]=="gaia")'""",
        "{tcsniff} --from {gz} --worker-type gaia",
        ">= 5",
    ),
)
# jq writes numbers differently, so the outputs differ.
_REWRITTEN = "-o json : jq -c ."
_MEMORY = (
    ("-o json", "plain"),
    ("--worker-type gaia", "plain"),
    ("--dedupe -o raw", "plain"),
    ("-o lines", "plain"),
    ("--worker-type gaia", "gz"),
)


def section() -> Section:
    """Let both sides of each pair take turns."""
    report(f"files: {ROUNDS} rounds of {len(_PAIRS)} pairs with {LINES:,} lines")
    with tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as folder:
        names = _recorded(Path(folder))
        rows = [
            _timed(what, theirs.format(**names), ours.format(**names), target)
            for what, theirs, ours, target in _PAIRS
            if shutil.which("jq") or "jq" not in theirs
        ]
        if not shutil.which("jq"):
            report("jq is not installed and is left out: apt-get install jq")
        rows.append(_measure_values(Path(folder)))
        rows += [_peaks(flags, kind, names) for flags, kind in _MEMORY]
    return Section(f"replaying {LINES:,} lines, speeds", rows)


def _recorded(folder: Path) -> dict[str, str]:
    # Returns the names in the commands.
    made = itertools.islice(simulate(seed=7, start=START), MADE)
    lines = [
        records.format_record(one._replace(received="2026-11-23T18:00:00.000Z")) for _, one in made
    ]
    text = b"".join(lines)
    plain, many = folder / "r.jsonl", folder / "many.jsonl"
    plain.write_bytes(text * (LINES // MADE))
    many.write_bytes(text * (LINES // MADE * MANY))
    subprocess.run(["gzip", "-k", plain], check=True)
    # As several sessions write it: each appends a member.
    Path(f"{many}.gz").write_bytes(Path(f"{plain}.gz").read_bytes() * MANY)
    return {
        "plain": str(plain),
        "gz": f"{plain}.gz",
        "many plain": str(many),
        "many gz": f"{many}.gz",
        "tcsniff": _TCSNIFF,
    }


def _measure_values(folder: Path) -> Row:
    plain = folder / "r.jsonl"
    some = folder / "some.jsonl"
    with plain.open("rb") as lines:
        chosen = list(itertools.islice(lines, EVENTS))
    some.write_bytes(b"".join(chosen))
    statuses = (orjson.loads(line)["payload"].get("status") for line in chosen)
    heard = [status["taskId"] for status in statuses if status]
    planned = [task.task_id for task in next(plan_groups(seed=8, tasks=VALUES)).tasks]
    task_ids = list(dict.fromkeys([*heard, *planned]))[:VALUES]
    replay = f"{_TCSNIFF} --from {some} -o raw --task-id"
    sides = {"many": ",".join(task_ids), "one": task_ids[0]}
    found = alternate(
        {name: partial(run, f"exec {replay} {ids}") for name, ids in sides.items()}, ROUNDS
    )
    many, one = ([cost.busy for cost in found[name]] for name in ("many", "one"))
    return Row(
        f"{VALUES:,} task IDs in {EVENTS:,} events : one, processor time",
        f"{statistics.median(many):.2f} s, {statistics.median(one):.2f} s",
        ratio(many, one),
        "<= 5",
    )


def _timed(what: str, theirs: str, ours: str, target: str) -> Row:
    found = alternate({"theirs": partial(run, theirs), "ours": partial(run, ours)}, ROUNDS)
    written = {name: {cost.written for cost in costs} for name, costs in found.items()}
    if written["ours"] != written["theirs"] and what != _REWRITTEN:
        raise RuntimeError(f"{what}: {written}")
    other, own = _seconds(found["theirs"]), _seconds(found["ours"])
    figure = f"{statistics.median(own):.2f} s, {statistics.median(other):.2f} s"
    return Row(what, figure, ratio(other, own), target)


def _seconds(costs: list[Cost]) -> list[float]:
    return [cost.seconds for cost in costs]


def _peaks(flags: str, kind: str, names: dict[str, str]) -> Row:
    few, many = (
        run(f"exec {_TCSNIFF} --from {names[name]} {flags}").peak / 1024
        for name in (kind, f"many {kind}")
    )
    what = f"memory of {flags}{' on .gz' * (kind == 'gz')}, {MANY} times the lines"
    return Row(what, f"{many:.1f} MB, {few:.1f} MB", many / few, "<= 1.1")
