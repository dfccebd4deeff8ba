"""The costs of `tcsniff top`: counting, drawing, and the memory of a long run.

Run it alone with ``make bench SECTIONS=top``. All messages are simulated. Times are
processor times, measured in turns, in one process.
"""

from __future__ import annotations

import gzip
import itertools
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from graph import START, busy, load, medians
from measuring import Row, Section, report, run

from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.times import format_timestamp
from tcsniff.renderers.live_view import LiveView
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo
from tcsniff.renderers.top.live_top import TopPicture
from tcsniff.simulator.simulation import simulate
from tcsniff.stats.run_counter import RunCounter
from tcsniff.stats.run_statistics import RunStatistics

FOLDED = 60_000  # messages, folded repeatedly
TARGET = 100_000  # of them per second, at least
A_SECOND, SECONDS = 1_000, 30  # messages per second, and for how long, while drawing
SHARE = 0.25  # of a core, at most, for that
MAX_MIB = 60
WEEK = 7 * 86_400

TCSNIFF = f"{shlex.quote(sys.executable)} -m tcsniff"


def made(number: int) -> list[tuple[float, Delivery]]:
    """Simulate messages, each with its time of arrival."""
    return list(itertools.islice(simulate(seed=7, start=START), number))


def fold(by: str, messages: list[tuple[float, Delivery]]) -> RunStatistics:
    """Count all of them."""
    meters = RunStatistics(by)
    for when, one in messages:
        meters.add(one, when)
    return meters


def folding() -> Iterator[Row]:
    """Measure how fast messages are counted."""
    messages = made(FOLDED)
    deliveries = [one for _, one in messages]
    for by in ("pool", "worker"):
        report(f"top: counting by {by}")
        ours, theirs = medians(lambda by=by: fold(by, messages), lambda: load(deliveries))
        rate = FOLDED / ours
        yield Row(
            f"counting by {by}: messages per second, in {TARGET:,}",
            f"{rate:,.0f} ({ours / theirs:.1f} times `orjson.loads`)",
            rate / TARGET,
            ">= 1",
        )


class Nowhere:
    """A terminal that discards what it shows."""

    def isatty(self) -> bool:
        """Return True."""
        return True

    def write(self, data: bytes) -> int:
        """Discard."""
        return len(data)

    def flush(self) -> None:
        """Do nothing."""


def drawing() -> Iterator[Row]:
    """Measure drawing at its usual rate, with a thousand messages per second."""
    messages = made(A_SECOND * SECONDS)
    for by, sort in (("pool", "pending"), ("worker", "wait")):
        report(f"top: drawing by {by}")
        now = [0.0]
        counter = RunCounter(by, sort, clock=lambda now=now: START + now[0])
        view = LiveView(
            Output(Nowhere()),
            TopPicture(counter, color=True, clock=lambda now=now: now[0]),
            StreamInfo("demo"),
            size=lambda: (200, 60),
            clock=lambda now=now: now[0],
        )

        def watch(view: LiveView = view, now: list[float] = now) -> None:
            step = int(A_SECOND * TopPicture.interval)
            for begin in range(0, len(messages), step):
                now[0] += TopPicture.interval
                view.show([Event(one) for _, one in messages[begin : begin + step]])
                view.flush()

        yield Row(
            f"drawing by {by}, 200x60, {A_SECOND:,} messages a second : a core",
            "",
            busy(watch) / SECONDS,
            f"<= {SHARE}",
        )


def lines() -> Iterator[tuple[float, bytes]]:
    """Simulate a recording of a week; yield the seconds since its start, and a line."""
    for when, one in simulate(seed=7, start=START):
        if when - START >= WEEK:
            return
        yield when - START, records.format_record(one._replace(received=format_timestamp(when)))


def write(folder: Path) -> tuple[Path, Path, int]:
    """Write the first day and the whole week; return the paths and the number of messages."""
    day, week = folder / "day.jsonl.gz", folder / "week.jsonl.gz"
    number = 0
    with gzip.open(day, "wb", compresslevel=1) as first, gzip.open(week, "wb", 1) as all_of_it:
        for passed, line in lines():
            number += 1
            all_of_it.write(line)
            if passed < WEEK / 7:
                first.write(line)
    return day, week, number


def memory(folder: Path) -> Iterator[Row]:
    """Measure the memory of a day and of a week."""
    report("top: a simulated week")
    day, week, number = write(folder)
    for words in ("top --every 1h --by pool", "top --every 1h --by worker --sort wait"):
        report(f"top: memory of {words}")
        command = f"{TCSNIFF} {words} --quiet --from"
        less, more = (
            run(f"{command} {path} || test $? -ge 10").peak / 1024 for path in (day, week)
        )
        yield Row(
            f"{words}: a week of {number:,} messages : a day", f"{more:.1f} MiB", more / less
        )
        yield Row("maximum, in MiB", "", more, f"<= {MAX_MIB}")


def section() -> Section:
    """Measure counting, drawing and memory."""
    with tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as folder:
        rows = [*folding(), *drawing(), *memory(Path(folder))]
    return Section("top, and graph over a week", rows)
