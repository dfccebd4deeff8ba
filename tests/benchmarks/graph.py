"""The time to fold events into a task graph, and to analyse the graph.

Run it alone with ``make bench SECTIONS=graph``. The groups are simulated. Times are
processor times, measured in turns, in one process.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import orjson
from measuring import Row, Section, report

from graphs import History, by_id, graph, in_state, waiting
from plain_graph import build_graph
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.simulation import plan_groups, simulate
from tcsniff.taskgraph.critical_path import find_critical_path
from tcsniff.taskgraph.forecast import estimate_time_left
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.tracker import Tracker

START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
SIZES = (1_000, 10_000)  # tasks of a group
SHARES = (0.3, 1.0)  # of its messages that have come: most tasks wait, none does
ROUNDS = 5
TARGET = 100_000  # events folded per second, at least


def busy(work: Callable[[], object]) -> float:
    """Do a piece of work; return its seconds of processor time."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e9


def medians(*works: Callable[[], object]) -> list[float]:
    """Let pieces of work take turns; return the seconds of each."""
    rounds = [[busy(work) for work in works] for _ in range(ROUNDS)]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def fold(deliveries: Sequence[Delivery]) -> Tracker:
    """Fold all of them."""
    tracker = Tracker()
    for one in deliveries:
        tracker.apply(one)
    return tracker


def load(deliveries: Sequence[Delivery]) -> None:
    """Decode their bodies only."""
    for one in deliveries:
        orjson.loads(one.body)


def block(shown: Graph) -> None:
    """Find what all tasks wait for, as if that had not been asked yet."""
    replace(shown, arranged=shown.index).blocking.list_blocked()


def list_analyses(shown: Graph, now: float) -> tuple[Callable[[], object], ...]:
    """Return all analyses of a graph that one picture needs."""
    return (
        lambda: block(shown),
        lambda: find_critical_path(shown, now),
        lambda: estimate_time_left(shown, now),
    )


def simulated(tasks: int) -> Iterator[Row]:
    """Measure a simulated group."""
    made = list(simulate(seed=7, start=START, groups=1, tasks=tasks))
    whole = History(
        tuple(plan_groups(seed=7, tasks=tasks, groups=1)), tuple(one for _, one in made)
    )
    group, definitions = whole.plans[0].task_group_id, whole.definitions(0)
    for share in SHARES:
        report(f"graph: {tasks:,} tasks, {share:.0%} of the messages")
        came = whole.deliveries[: int(len(made) * share)]
        tracker = fold(came)
        loading, folding, putting, *looking = medians(
            lambda came=came: load(came),
            lambda came=came: fold(came),
            lambda tracker=tracker: build_graph(group, tracker, definitions),
            *list_analyses(whole.graph(0, came), made[len(came) - 1][0]),
        )
        rate = len(came) / folding
        what = f"{tasks:,} tasks, {share:.0%} of their messages"
        yield Row(
            f"folding {what}: messages per second, in {TARGET:,}",
            f"{rate:,.0f} ({folding / loading:.1f} times `orjson.loads`)",
            rate / TARGET,
            ">= 1",
        )
        one = putting + sum(looking)
        yield Row(
            "building the graph : folding the messages", f"{1000 * one:.0f} ms", one / folding
        )


def extreme() -> Iterator[Row]:
    """Measure graphs of extreme shapes."""
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
        ("one cycle", circle),
    ):
        costs = medians(*list_analyses(graph(*by_id(*nodes).values()), START))
        yield Row(f"building the graph of {most:,} tasks, {name}", f"{1000 * sum(costs):.0f} ms")


def section() -> Section:
    """Measure in processor time."""
    rows = [row for tasks in SIZES for row in simulated(tasks)]
    return Section("task graphs", [*rows, *extreme()])
