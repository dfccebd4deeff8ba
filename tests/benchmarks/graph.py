"""How fast events are folded, and what a look at a task graph costs beside that.

Run it alone as ``make bench SECTIONS=graph``. The groups are
simulated. Times are of the processor, and what counts are the ratios: both sides
of one take turns, in one process, in the same minute.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import orjson
from measuring import Row, Section, say

from graphs import History, by_id, graph, in_state, waiting
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.taskgraph.blocking import find_blocked
from tcsniff.taskgraph.critical_path import find_critical_path
from tcsniff.taskgraph.forecast import estimate_time_left
from tcsniff.taskgraph.graph import Graph, build_graph
from tcsniff.taskgraph.tracker import Tracker

START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
SIZES = (1_000, 10_000)  # tasks of a group
SHARES = (0.3, 1.0)  # of its messages that have come: most tasks wait, none does
ROUNDS = 5
PROMISED = 100_000  # events that are folded in a second, at least


def busy(work: Callable[[], object]) -> float:
    """Do a piece of work; returns for how many seconds it kept the processor."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e9


def medians(*works: Callable[[], object]) -> list[float]:
    """Let pieces of work take turns; returns seconds of each."""
    rounds = [[busy(work) for work in works] for _ in range(ROUNDS)]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def fold(deliveries: Sequence[Delivery]) -> Tracker:
    """Take all of them in."""
    tracker = Tracker()
    for one in deliveries:
        tracker.apply(one)
    return tracker


def load(deliveries: Sequence[Delivery]) -> None:
    """Read their bodies, and forget them."""
    for one in deliveries:
        orjson.loads(one.body)


def styles(shown: Graph, now: float) -> tuple[Callable[[], object], ...]:
    """Give all that is asked about a graph for one picture of it."""
    return (
        lambda: find_blocked(shown.nodes),
        lambda: find_critical_path(shown, now),
        lambda: estimate_time_left(shown.nodes, now),
    )


def simulated(tasks: int) -> Iterator[Row]:
    """Measure what a simulated group costs."""
    made = list(simulate(seed=7, start=START, groups=1, tasks=tasks))
    whole = History(
        tuple(plan_groups(seed=7, tasks=tasks, groups=1)), tuple(one for _, one in made)
    )
    group, definitions = whole.plans[0].task_group_id, whole.definitions(0)
    for share in SHARES:
        say(f"graph: {tasks:,} tasks, {share:.0%} of the messages")
        came = whole.deliveries[: int(len(made) * share)]
        tracker = fold(came)
        loading, folding, putting, *looking = medians(
            lambda came=came: load(came),
            lambda came=came: fold(came),
            lambda tracker=tracker: build_graph(group, tracker, definitions),
            *styles(whole.graph(0, came), made[len(came) - 1][0]),
        )
        rate = len(came) / folding
        what = f"{tasks:,} tasks, {share:.0%} of their messages"
        yield Row(
            f"folding {what}: a second, in {PROMISED:,}",
            f"{rate:,.0f} ({folding / loading:.1f} times `orjson.loads`)",
            rate / PROMISED,
            ">= 1",
        )
        one = putting + sum(looking)
        yield Row("a look at them : folding them all", f"{1000 * one:.0f} ms", one / folding)


def hostile() -> Iterator[Row]:
    """Measure what graphs cost that nobody means to make, of as many tasks as that."""
    dice = random.Random(7)
    most = SIZES[-1]
    wide = [
        waiting(str(number), *(str(dice.randrange(number)) for _ in range(100)))
        for number in range(1, most)
    ]
    chain = [waiting(str(number), str(number - 1)) for number in range(1, most)]
    circle = [waiting(str(number), str((number + 1) % most)) for number in range(most)]
    for name, nodes in (
        ("100 dependencies each", [in_state("0", "running"), *wide]),
        ("one chain", [in_state("0", "failed"), *chain]),
        ("one circle", circle),
    ):
        costs = medians(*styles(graph(*by_id(*nodes).values()), START))
        yield Row(f"a look at {most:,} tasks, {name}", f"{1000 * sum(costs):.0f} ms")


def section() -> Section:
    """Measure all of it, in processor time."""
    rows = [row for tasks in SIZES for row in simulated(tasks)]
    return Section("task graphs", "ratio", [*rows, *hostile()])
