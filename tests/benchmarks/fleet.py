"""Several tcsniffs on one queue: the rate of each number of them."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from backlog import DIFFERENT, Backlog, messages
from measuring import PATIENCE, Row, Section, alternate, busy, ratio, report

from tcsniff.pulse import records
from tcsniff.pulse.times import format_timestamp

MESSAGES = 60_000  # in the queue that they share
SIZES = (1, 2, 4)
ROUNDS = 2

_TURN = 0.005  # seconds between two looks at the output


def section(backlog: Backlog) -> Section:
    """Let one, two and four of them empty a queue, in turn."""
    report(f"fleets: {ROUNDS} rounds of {len(SIZES)} with {MESSAGES:,} messages each")
    found = alternate({str(size): _work(backlog, size) for size in SIZES}, ROUNDS)
    alone = [rate for rate, _, _ in found["1"]]
    rows = []
    for name, drained in found.items():
        rate, own, broker = (statistics.median(column) for column in zip(*drained, strict=True))
        figure = f"{rate:,.0f}/s, {own * 1e6:.1f} µs, broker {broker * 1e6:.0f} µs"
        what = f"{name} tcsniff{'s' * (name != '1')}"
        rows.append(Row(what, figure, ratio([one for one, _, _ in drained], alone)))
    return Section("several on one `--queue`, rate : one", rows)


def _work(backlog: Backlog, size: int) -> Callable[[], tuple[float, float, float]]:
    stamped = [one._replace(received=format_timestamp(0)) for one in messages()]
    expected = sum(len(records.format_record(one)) for one in stamped) * MESSAGES // DIFFERENT

    def drained() -> tuple[float, float, float]:
        backlog.fill(["fleet"], MESSAGES)
        with TemporaryDirectory() as folder, _fleet(backlog, Path(folder), size) as fleet:
            # The first to start have received some before all run.
            _await(lambda: all(_sizes(folder)))
            begun = sum(_sizes(folder))
            before = backlog.busy(), sum(busy(one.pid) for one in fleet)
            start = time.perf_counter()
            _await(lambda: sum(_sizes(folder)) >= expected)
            seconds = time.perf_counter() - start
            after = backlog.busy(), sum(busy(one.pid) for one in fleet)
        number = MESSAGES * (1 - begun / expected)
        broker, own = (now - then for now, then in zip(after, before, strict=True))
        return number / seconds, own / number, broker / number

    return drained


@contextmanager
def _fleet(backlog: Backlog, folder: Path, size: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    flags = ["--broker", backlog.server.url(), "--queue", "fleet", "--all", "-o", "json"]
    fleet: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(size):
            with (folder / f"{number}.jsonl").open("wb") as output:
                one = subprocess.Popen(
                    [sys.executable, "-m", "tcsniff", *flags],
                    stdout=output,
                    stderr=subprocess.DEVNULL,
                )
            fleet.append(one)
        yield fleet
    finally:
        for one in fleet:
            one.kill()
            one.wait()


def _sizes(folder: str) -> list[int]:
    return [path.stat().st_size for path in Path(folder).iterdir()]


def _await(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            raise RuntimeError("a fleet did not get all messages")
        time.sleep(_TURN)
