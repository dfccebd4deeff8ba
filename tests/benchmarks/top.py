"""What `tcsniff top` costs: folding, drawing, and memory, however long it runs.

Run it as ``PYTHONPATH=tests python tests/benchmarks/top.py``. All is simulated, a
week too. Times are of the processor, and what counts are the ratios: both sides of
one take turns, in one process, in the same minute.
"""

from __future__ import annotations

import gzip
import itertools
import resource
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from graph import busy, load, medians
from replay import START, run, say

from tcsniff import records
from tcsniff.counter import Counter
from tcsniff.deliveries import Delivery
from tcsniff.events import Event
from tcsniff.meters import NAMES, Meters
from tcsniff.renderers.output import Output
from tcsniff.renderers.top import REDRAW, TopRenderer
from tcsniff.simulator import simulate
from tcsniff.times import stamp

FOLDED = 60_000  # messages that are folded again and again
PROMISED = 100_000  # of them in a second, at least
A_SECOND, SECONDS = 1_000, 30  # messages that come in one, and for how long, while it is drawn
SHARE = 0.25  # of a core, at most, for that
FEW, MANY = 200_000, 1_000_000  # messages of a run whose memory is measured
MOST = 60  # MiB, at most
FLAT = 1.1  # times as much for many as for few, at most
WEEK = 7 * 86_400

TCSNIFF = f"{shlex.quote(sys.executable)} -m tcsniff"


def made(number: int) -> list[tuple[float, Delivery]]:
    """Make up messages, each with when it arrives."""
    return list(itertools.islice(simulate(seed=7, start=START), number))


def fold(by: str, messages: list[tuple[float, Delivery]]) -> Meters:
    """Count all of them."""
    meters = Meters(by)
    for when, one in messages:
        meters.take(one, when)
    return meters


def folding() -> bool:
    """Write how fast messages are counted, against reading their bodies."""
    messages = made(FOLDED)
    deliveries = [one for _, one in messages]
    kept = True
    for by in NAMES:
        ours, theirs = medians(lambda by=by: fold(by, messages), lambda: load(deliveries))
        rate = FOLDED / ours
        kept = kept and rate >= PROMISED
        say(
            f"counting by {by}: {rate:,.0f} a second, at least {PROMISED:,} promised; "
            f"{ours / theirs:.1f} times as long as orjson.loads"
        )
    return kept


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


def drawing() -> bool:
    """Write what it costs to draw as often as it is drawn, while a thousand come a second."""
    messages = made(A_SECOND * SECONDS)
    kept = True
    for by, sort in (("pool", "pending"), ("group", "pending"), ("worker", "wait")):
        now = [0.0]
        view = TopRenderer(
            Output(Nowhere()),  # type: ignore[arg-type] - as much of a file as is used
            Counter(by, sort, clock=lambda now=now: START + now[0]),
            source="demo",
            selection="",
            colour=True,
            ascii_only=False,
            size=lambda: (200, 60),
            clock=lambda now=now: now[0],
        )

        def watch(view: TopRenderer = view, now: list[float] = now) -> None:
            step = int(A_SECOND * REDRAW)
            for begin in range(0, len(messages), step):
                now[0] += REDRAW
                view.show([Event(one) for _, one in messages[begin : begin + step]])
                view.flush()

        share = busy(watch) / SECONDS
        kept = kept and share <= SHARE
        say(
            f"by {by}, sorted by {sort}, 200 columns and 60 lines, {A_SECOND:,} messages a "
            f"second: {100 * share:.0f} % of a core, at most {100 * SHARE:.0f} % promised"
        )
    return kept


def lines(number: int) -> Iterator[bytes]:
    """Make up a recording, all of it different."""
    for when, one in itertools.islice(simulate(seed=7, start=START), number):
        yield records.line(one._replace(received=stamp(when)))


def open_tasks(number: int) -> Iterator[bytes]:
    """Make up a recording of tasks that all wait for ever."""
    pending = next(
        one for _, one in simulate(seed=7, start=START) if "/task-pending" in one.exchange
    )
    task_id = pending.routing_key.split(".")[1].encode()
    line = records.line(pending._replace(received=stamp(START)))
    for task in range(number):
        yield line.replace(task_id, b"%022d" % task)


def write(path: Path, recorded: Iterator[bytes]) -> None:
    """Write a recording, in parts that can be read one by one."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.writelines(recorded)


def memory() -> bool:
    """Write how much memory a long run takes, and one several times as long."""
    kept = True
    with tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as folder:
        for kind, recorded in (("simulated", lines), ("tasks that never end", open_tasks)):
            few, many = Path(folder) / "few.jsonl.gz", Path(folder) / "many.jsonl.gz"
            write(few, recorded(FEW))
            write(many, recorded(MANY))
            for flags in ("--by pool", "--by group", "--by worker --sort wait", "--by kind"):
                command = f"exec {TCSNIFF} top --quiet --every 1h {flags} --from "
                less, more = (run(f"{command}{path}").peak / 1024 for path in (few, many))
                kept = kept and more <= MOST and more <= FLAT * less
                say(
                    f"memory of {flags}, {kind}: {less:.1f} MiB for {FEW:,} messages, "
                    f"{more:.1f} MiB for {MANY:,}, ratio {more / less:.2f}; at most {MOST} MiB "
                    f"and {FLAT} promised"
                )
    return kept


def week() -> None:
    """Count a simulated week, drawing every ten minutes; writes how much memory it took."""
    counter = Counter("worker", "wait")
    now = [0.0]
    view = TopRenderer(
        Output(Nowhere()),  # type: ignore[arg-type]
        counter,
        source="demo",
        selection="",
        colour=True,
        ascii_only=False,
        size=lambda: (200, 60),
        clock=lambda: now[0],
    )
    day = 1
    for number, (when, one) in enumerate(simulate(seed=7, start=START)):
        if when - START >= day * 86_400:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            say(f"day {day}: {number:,} messages, {peak:.1f} MiB with the simulator")
            day += 1
        if when - START >= WEEK:
            return
        view.show([Event(one._replace(received=stamp(when)))])
        if when - START >= now[0] + 600:
            now[0] = when - START
            view.flush()


def main() -> int:
    """Write the figures; returns 1 if a promise is not kept."""
    kept = [folding(), drawing(), memory()]
    week()
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
