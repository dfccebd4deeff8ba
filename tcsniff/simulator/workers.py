"""The simulator's worker pools: idle workers and pending runs.

Pure.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from random import Random

from tcsniff.messages import PRIORITIES
from tcsniff.simulator.planning import Plan
from tcsniff.simulator.schedule import Schedule
from tcsniff.simulator.tasks import SimulatedTask, SimulatedWorker

_ENDS_WORKER = {"claim-expired", "worker-shutdown"}
_UNTIL_CLAIMED = (0.3, 25)  # minimum and maximum seconds
_GCP_ZONES = ("us-central1-a", "us-central1-c", "us-west1-a", "us-west1-b", "us-east1-d")
_AWS_ZONES = ("us-east-1", "us-west-2", "eu-central-1")


class _Pool:
    """A worker pool."""

    def __init__(self) -> None:
        self.size = 0
        self.idle: list[SimulatedWorker] = []
        self.pending: list[tuple[int, int, SimulatedTask, int]] = []  # by priority, then in order
        self.counter = itertools.count()


class WorkerPools:
    """All worker pools, by their names.

    Args:
        schedule: Schedule of the claims.
        random: Source of randomness.
        gap: Seconds until the next group starts.
        start: Called when a worker claims a run of a task.
    """

    def __init__(
        self,
        schedule: Schedule,
        random: Random,
        gap: float,
        start: Callable[[SimulatedWorker, SimulatedTask, int], None],
    ) -> None:
        self._schedule = schedule
        self._random = random
        self._gap = gap
        self._start = start
        self._pools: dict[str, _Pool] = {}

    def add_workers(self, plan: Plan) -> None:
        """Add workers until they can finish a group's tasks before the next group starts.

        Taskcluster's worker manager does the same, so that queues do not grow.
        """
        work: dict[str, float] = {}
        for task in plan.tasks:
            name = f"{task.provisioner_id}/{task.worker_type}"
            work[name] = work.get(name, 0) + task.duration
        for name, seconds in work.items():
            pool = self._pools.setdefault(name, _Pool())
            while pool.size < 2 + math.ceil(seconds / self._gap):
                pool.size += 1
                pool.idle.append(_create_worker(self._random, name))

    def queue_run(self, task: SimulatedTask) -> None:
        """Add the last run of a task to the pending runs of its pool."""
        pool = self._pools[task.status["taskQueueId"]]
        urgency = PRIORITIES.index(task.status["priority"])
        run = len(task.status["runs"]) - 1
        heappush(pool.pending, (urgency, next(pool.counter), task, run))
        self._assign_workers(pool)

    def release_worker(self, task: SimulatedTask, reason: str) -> SimulatedWorker | None:
        """Make the worker of a task idle, so that it claims the next run.

        Args:
            task: The task, whose run has just ended.
            reason: Why the run ended. A lost worker is replaced by a new one.

        Returns:
            The worker of the run; None if no worker had claimed it.
        """
        worker, task.worker = task.worker, None
        if worker is not None:
            name = task.status["taskQueueId"]
            lost = reason in _ENDS_WORKER
            pool = self._pools[name]
            pool.idle.append(_create_worker(self._random, name) if lost else worker)
            self._assign_workers(pool)
        return worker

    def _assign_workers(self, pool: _Pool) -> None:
        while pool.idle and pool.pending:
            _, _, task, run = heappop(pool.pending)
            claim = partial(self._claim_run, pool, pool.idle.pop(), task, run)
            self._schedule.add_between(_UNTIL_CLAIMED, claim)

    def _claim_run(
        self, pool: _Pool, worker: SimulatedWorker, task: SimulatedTask, run: int
    ) -> None:
        if task.is_last_run(run, "pending"):
            self._start(worker, task, run)
        else:
            pool.idle.append(worker)
            self._assign_workers(pool)


def _create_worker(random: Random, pool: str) -> SimulatedWorker:
    # Worker IDs have another form in each cloud and data center.
    if pool.startswith("aws-provisioner/"):
        return SimulatedWorker(random.choice(_AWS_ZONES), f"i-{random.getrandbits(68):017x}")
    if "osx" in pool and pool.startswith("gecko-t/"):
        return SimulatedWorker("mdc1", f"macmini-m4-{random.randrange(1, 400)}")
    return SimulatedWorker(random.choice(_GCP_ZONES), str(10**18 + random.randrange(8 * 10**18)))
