"""A seeded simulation of Taskcluster's queue: the deliveries of made-up task groups.

Pure.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from functools import partial
from random import Random

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.planning import Plan, plan_group
from tcsniff.simulator.queue import SimulatedQueue
from tcsniff.simulator.schedule import SECOND, Schedule
from tcsniff.simulator.worker_manager import WorkerManager

FAULTS = (
    "failure",
    "claim-expired",
    "worker-shutdown",
    "intermittent-task",
    "malformed-payload",
    "deadline-exceeded",
    "rerun",
    "cancel",
    "cancel-group",
    "priority-change",
    "worker-pool-error",
    "duplicate",
    "redelivery",
    "late",
)
"""Everything that can differ from the plan.

The first six end runs. ``deadline-exceeded`` makes deadlines short and some runs hang;
without it, a task with a failed dependency still ends that way, but a day later. The
next four are actions of users, then one of cloud providers, the last three are faults of
messages.
"""

# In seconds.
_UNTIL_NEXT_GROUP = (240, 560)  # minimum and maximum
_GAP = sum(_UNTIL_NEXT_GROUP) / 2 / 1.1  # a tenth shorter than the mean, so that workers keep up


def simulate(
    *,
    seed: int,
    start: float,
    groups: int | None = None,
    tasks: int = 60,
    faults: Collection[str] = FAULTS,
    workers: bool = False,
) -> Iterator[tuple[float, Delivery]]:
    """Simulate the queue with made-up task groups.

    A group starts every few minutes, while earlier ones still run. The second group
    and every sixth after it are canceled; in the first and every third after it, the
    priorities of all tasks change at once.

    Args:
        seed: The same arguments with the same seed give the same bytes.
        start: When the first group starts, in seconds since the Unix epoch.
        groups: Number of groups; None for an endless simulation.
        tasks: Approximate number of tasks of each group.
        faults: Those of `FAULTS` that may happen.
        workers: Whether to include worker-manager's messages. Those of the queue are the
            same in either case.

    Returns:
        The arrival time of each message, in seconds since the Unix epoch and in
        ascending order; and the message.

    Raises:
        UsageError: A fault is unknown.
    """
    for fault in faults:
        if fault not in FAULTS:
            hint = suggest(fault, FAULTS) or f"; known faults: {', '.join(FAULTS)}"
            raise UsageError(f"unknown fault {fault!r}{hint}")
    random = Random(f"queue {seed}")
    schedule = Schedule(round(start * SECOND), random, frozenset(faults))
    queue = SimulatedQueue(schedule, random, frozenset(faults), _GAP)
    plans = plan_groups(seed=seed, tasks=tasks, groups=groups)
    schedule.add(0, partial(_start_groups, schedule, queue, plans))
    messages = schedule.run_all()
    if workers:
        manager = WorkerManager(Random(f"workers {seed}"), start, frozenset(faults))
        return manager.add_messages(messages)
    return messages


def plan_groups(*, seed: int, tasks: int = 60, groups: int | None = None) -> Iterator[Plan]:
    """Yield the task groups that `simulate` runs with the same arguments."""
    for number in itertools.count() if groups is None else range(groups):
        yield plan_group(Random(f"group {seed} {number}"), tasks=tasks)


def _start_groups(schedule: Schedule, queue: SimulatedQueue, plans: Iterator[Plan]) -> None:
    plan = next(plans, None)
    if plan is not None:
        queue.start_group(plan)
        schedule.add_between(_UNTIL_NEXT_GROUP, partial(_start_groups, schedule, queue, plans))
