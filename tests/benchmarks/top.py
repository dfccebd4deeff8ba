"""What `tcsniff top` costs: folding, drawing, and memory, however long it runs.

Run it alone as ``make bench SECTIONS=top``. All is simulated, a
week too. Times are of the processor, and what counts are the ratios: both sides of
one take turns, in one process, in the same minute.
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
from measuring import Row, Section, run, say

from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.times import format_timestamp
from tcsniff.renderers.live_view import LiveView
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo
from tcsniff.renderers.top.live_top import TopPicture
from tcsniff.simulator.simulation import simulate
from tcsniff.stats.run_statistics import RunCounter, RunStatistics

FOLDED = 60_000  # messages that are folded again and again
PROMISED = 100_000  # of them in a second, at least
A_SECOND, SECONDS = 1_000, 30  # messages that come in one, and for how long, while it is drawn
SHARE = 0.25  # of a core, at most, for that
MOST = 60  # MiB, at most
WEEK = 7 * 86_400

TCSNIFF = f"{shlex.quote(sys.executable)} -m tcsniff"


def made(number: int) -> list[tuple[float, Delivery]]:
    """Make up messages, each with when it arrives."""
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
        say(f"top: counting by {by}")
        ours, theirs = medians(lambda by=by: fold(by, messages), lambda: load(deliveries))
        rate = FOLDED / ours
        yield Row(
            f"counting by {by}: a second, in {PROMISED:,}",
            f"{rate:,.0f} ({ours / theirs:.1f} times `orjson.loads`)",
            rate / PROMISED,
            ">= 1",
        )


class Nowhere:
    """A terminal that nobody looks at."""

    def isatty(self) -> bool:
        """It is one."""
        return True

    def write(self, data: bytes) -> int:
        """Forget."""
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def drawing() -> Iterator[Row]:
    """Measure what it costs to draw as often as it is drawn, while a thousand come a second."""
    messages = made(A_SECOND * SECONDS)
    for by, sort in (("pool", "pending"), ("worker", "wait")):
        say(f"top: drawing by {by}")
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
    """Make up a recording of a week; each line behind its seconds from the start."""
    for when, one in simulate(seed=7, start=START):
        if when - START >= WEEK:
            return
        yield when - START, records.format_record(one._replace(received=format_timestamp(when)))


def write(folder: Path) -> tuple[Path, Path, int]:
    """Record the first day of the week, and all of it; returns how many messages that is."""
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
    """Measure how much memory a day takes, and a week."""
    say("top: a simulated week")
    day, week, number = write(folder)
    for words in (
        "top --every 1h --by pool",
        "top --every 1h --by worker --sort wait",
        "graph --json",
    ):
        say(f"top: memory of {words}")
        command = f"{TCSNIFF} {words} --quiet --from"
        less, more = (
            run(f"{command} {path} || test $? -ge 10").peak / 1024 for path in (day, week)
        )
        yield Row(
            f"{words}: a week of {number:,} messages : a day", f"{more:.1f} MiB", more / less
        )
        yield Row("the most, in MiB", "", more, f"<= {MOST}")


def section() -> Section:
    """Measure all of it."""
    with tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as folder:
        rows = [*folding(), *drawing(), *memory(Path(folder))]
    return Section("top, and graph over a week", "ratio", rows)
