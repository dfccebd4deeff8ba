"""What a live picture of a task group costs.

Run it alone as ``make bench SECTIONS=drawing``. Two things are measured, in seconds of the
processor:

- a redraw, from the group to the bytes for the terminal, of groups of three sizes on
  screens of three sizes: of a still group, of which only the clocks have changed, and of a
  live one, after 1, 10 and 100 new events, which are folded before;
- tcsniff in a terminal of its own, 80 cells by 24 lines, which is fed 1,000 events a second
  through a pipe; its start is left out. Its memory is measured after all events of a group.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import orjson
from graph import START
from measuring import Row, Section, report
from watching import Watched

from memory_terminal import MemoryTerminal
from queue_server import content
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.records import format_record
from tcsniff.renderers.graph.group_renderer import GroupRenderer
from tcsniff.renderers.graph.live_graph import GraphPicture, LiveGroupView
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo, StreamStatus
from tcsniff.simulator.planning import Plan, to_definitions
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.taskgraph.group import GroupState

SEED = 3
SIZES = {1_000: None, 5_000: 16, 20_000: 50}  # tasks, and milliseconds of a redraw, at most
SCREENS = ((80, 24), (120, 40), (200, 60))
SHARES = (0.3, 0.9)  # of the messages that were received: most tasks wait, most have ended
NEW = (1, 10, 100)  # events before a redraw of a live group
ROUNDS = 5

TASKS = 5_000
RATE = 1_000  # events a second
STEP = 0.01  # seconds between two writes into the pipe
SECONDS = 5
TARGET = 0.25  # of a processor's core, at most


class Simulated(NamedTuple):
    """A group, and its messages with their times."""

    plan: Plan
    messages: list[tuple[float, Delivery]]


@cache
def simulate_group(tasks: int) -> Simulated:
    """Simulate a group of so many tasks."""
    plan = next(plan_groups(seed=SEED, tasks=tasks))
    return Simulated(plan, list(simulate(seed=SEED, start=START, groups=1, tasks=tasks)))


class CountedPicture(GraphPicture):
    """A picture that counts how often it was drawn."""

    drawn = 0

    def draw(self, width: int, height: int, status: StreamStatus | None) -> list[str]:
        """Draw the picture."""
        self.drawn += 1
        return super().draw(width, height, status)


class Shown:
    """A group in a live view, whose clocks are held."""

    def __init__(self, simulated: Simulated, share: float) -> None:
        plan, messages = simulated
        self._group = GroupState(plan.task_group_id)
        self._group.add_facts(to_definitions(plan))
        number = int(len(messages) * share)
        for _, delivery in messages[:number]:
            self._group.apply(delivery)
        self._group.mark_whole()
        self._now, self._clock = messages[number - 1][0], 0.0
        self._new = iter(messages[number:])
        self.resize((80, 24))

    def resize(self, screen: tuple[int, int]) -> None:
        """Draw it for the first time on a screen of so many columns and lines."""
        self._picture = CountedPicture(
            self._group,
            lambda: self._now,
            "https://tc.example.org",
            has_links=True,
            color=True,
        )
        view = LiveGroupView(
            Output(MemoryTerminal()),  # type: ignore[arg-type] - it has what is needed
            self._picture,
            StreamInfo("pulse.example.org"),
            size=lambda: screen,
            clock=lambda: self._clock,
        )
        self._renderer = GroupRenderer(self._group, view, poll=list)
        self._renderer.flush()

    def redraw(self, new: int) -> float:
        """Fold new events, and return the seconds that drawing takes then."""
        events = [Event(delivery) for _, delivery in itertools.islice(self._new, new)]
        self._renderer.show(events)
        self._now += 1
        self._clock += 100  # everything is due
        drawn = self._picture.drawn
        start = time.process_time()
        self._renderer.flush()
        taken = time.process_time() - start
        if self._picture.drawn == drawn:
            raise RuntimeError("nothing was drawn")
        return taken


def redraw(tasks: int, limit: int | None) -> Iterator[Row]:
    """Measure redraws of a group, on the screens and at the moments where they take longest."""
    report(f"drawing: {tasks:,} tasks")
    still: dict[str, float] = {}
    live: dict[str, float] = {}
    for share in SHARES:
        shown = Shown(simulate_group(tasks), share)
        for screen in SCREENS:
            shown.resize(screen)
            name = "{}x{}".format(*screen)
            median = statistics.median(shown.redraw(0) for _ in range(ROUNDS))
            still[name] = max(still.get(name, 0.0), 1000 * median)
            for new in NEW:
                median = statistics.median(shown.redraw(new) for _ in range(ROUNDS))
                live[name] = max(live.get(name, 0.0), 1000 * median)
    for what, found in (("only clocks changed", still), ("1 to 100 new events", live)):
        figure = ", ".join(f"{name} {taken:.1f} ms" for name, taken in found.items())
        ratio = None if limit is None else max(found.values()) / limit
        yield Row(
            f"redraw of {tasks:,} tasks, {what}" + (f" : {limit} ms" if limit else ""),
            figure,
            ratio,
            "<= 1" if limit else "",
        )


def feed(watched: Watched, events: Sequence[Delivery], rate: int) -> None:
    """Write events into the pipe, at most so many a second."""
    pipe = watched.process.stdin
    if pipe is None:
        raise RuntimeError("started without a pipe")
    some = round(rate * STEP)
    due = time.monotonic()
    for start in range(0, len(events), some):
        pipe.write(b"".join(map(format_record, events[start : start + some])))
        pipe.flush()
        due += STEP
        time.sleep(max(0.0, due - time.monotonic()))


def measure_share(words: Sequence[str], events: Sequence[Delivery], start: int) -> Row:
    """Measure a live picture of many events a second, from an event on."""
    report(f"drawing: from event {start:,} on")
    # From a point where most tasks wait, or most run, the first event on.
    shown = events[start : start + SECONDS * RATE]
    with Watched(*words, pipe=True) as watched:
        feed(watched, shown[:1], RATE)
        watched.await_drawing()
        before = watched.busy()
        feed(watched, shown[1:], RATE)
        share = (watched.busy() - before) / (len(shown) / RATE)
    what = f"{TASKS:,} tasks, {RATE:,} events a second, from event {start:,} on : a core"
    return Row(what, "", share, f"<= {TARGET}")


def measure_memory(folder: Path) -> Row:
    """Measure the memory that a task takes, when all its events were received."""
    report(f"drawing: memory of {', '.join(f'{tasks:,}' for tasks in SIZES)} tasks")
    peaks = []
    for tasks in SIZES:
        plan, messages = simulate_group(tasks)
        events = [delivery for _, delivery in messages]
        with Watched(*_list_words(folder, plan), pipe=True) as watched:
            feed(watched, events, 1_000_000)
            watched.await_events(len(events))
            peaks.append(watched.peak())
    few, some, many = peaks
    sizes = list(SIZES)
    ratio = (many - some) / (sizes[2] - sizes[1]) / ((some - few) / (sizes[1] - sizes[0]))
    figure = ", ".join(f"{peak:.0f} MiB" for peak in peaks)
    what = "memory of a further task, from 5,000 to 20,000 : from 1,000 to 5,000"
    return Row(what, figure, ratio, "<= 1.1")


def _list_words(folder: Path, plan: Plan) -> list[str]:
    path = folder / "graph.json"
    path.write_bytes(orjson.dumps(content(plan).page(0, len(plan.tasks))))
    return ["graph", "--from", "-", "--graph", str(path), "-q"]


def section() -> Section:
    """Measure redraws, then live pictures."""
    rows = [row for tasks, limit in SIZES.items() for row in redraw(tasks, limit)]
    with tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as folder:
        plan, messages = simulate_group(TASKS)
        events = [delivery for _, delivery in messages]
        words = _list_words(Path(folder), plan)
        rows += [measure_share(words, events, start) for start in (0, len(events) // 3)]
        rows.append(measure_memory(Path(folder)))
    simulate_group.cache_clear()
    return Section("drawing a task graph", rows)
