"""A seeded simulator of Taskcluster's queue: made-up task groups, as deliveries.

Pure. Inside, time is in whole milliseconds since the Unix epoch.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from functools import partial
from random import Random

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.planning import Plan, PlannedTask, plan_group
from tcsniff.simulator.queue import SimulatedQueue
from tcsniff.simulator.schedule import SECOND, Schedule

__all__ = ["FAULTS", "Plan", "PlannedTask", "plan_group", "plans", "simulate"]

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
    "duplicate",
    "redelivery",
    "late",
)
"""What can be made to go wrong, or otherwise than planned.

The first six end runs: ``deadline-exceeded`` makes deadlines short and some runs
hang; without it, a task behind a failed dependency still ends so, but a day
later. Then come what users do, then what the way to a listener does to messages.
"""

# In seconds.
_UNTIL_NEXT_GROUP = (240, 560)  # least and most
_GAP = sum(_UNTIL_NEXT_GROUP) / 2 / 1.1  # for which workers are hired, so that they keep up


def simulate(
    *,
    seed: int,
    start: float,
    groups: int | None = None,
    tasks: int = 60,
    faults: Collection[str] = FAULTS,
) -> Iterator[tuple[float, Delivery]]:
    """Run a queue on made-up task groups.

    A group begins every few minutes, while earlier ones still run. The second
    group and every sixth from there is canceled; in the first and every third
    from there, all priorities are changed at once.

    Args:
        seed: The same seed, with the same of all else, gives the same bytes.
        start: When the first group begins, in seconds since the Unix epoch.
        groups: How many groups to run; None for no end.
        tasks: About how many tasks each is to have.
        faults: Which of `FAULTS` may happen.

    Returns:
        When each message reaches a listener, in seconds since the Unix epoch,
        never earlier than the one before; and the message.

    Raises:
        UsageError: If there is no such fault.
    """
    for fault in faults:
        if fault not in FAULTS:
            near = suggest(fault, FAULTS) or f"; known: {', '.join(FAULTS)}"
            raise UsageError(f"no fault {fault!r}{near}")
    random = Random(f"queue {seed}")
    agenda = Schedule(round(start * SECOND), random, frozenset(faults))
    queue = SimulatedQueue(agenda, random, frozenset(faults), _GAP)
    agenda.at(0, partial(_begin, agenda, queue, plans(seed=seed, tasks=tasks, groups=groups)))
    return agenda.deliveries()


def plans(*, seed: int, tasks: int = 60, groups: int | None = None) -> Iterator[Plan]:
    """Make up the task groups that `simulate` runs, given the same arguments."""
    for number in itertools.count() if groups is None else range(groups):
        yield plan_group(Random(f"group {seed} {number}"), tasks=tasks)


def _begin(agenda: Schedule, queue: SimulatedQueue, ahead: Iterator[Plan]) -> None:
    planned = next(ahead, None)
    if planned is not None:
        queue.begin(planned)
        agenda.after(_UNTIL_NEXT_GROUP, partial(_begin, agenda, queue, ahead))
