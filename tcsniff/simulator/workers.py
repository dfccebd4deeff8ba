"""The simulator's worker pools: workers without a task, and runs without a worker.

Pure.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from random import Random

from tcsniff.simulator.planning import Plan
from tcsniff.simulator.schedule import Schedule
from tcsniff.simulator.tasks import SimulatedTask, SimulatedWorker

PRIORITY_WEIGHTS = ("highest", "very-high", "high", "medium", "low", "very-low", "lowest")
"""Taskcluster's, the most urgent first."""

_ENDS_WORKER = {"claim-expired", "worker-shutdown"}
_UNTIL_CLAIMED = (0.3, 25)  # in seconds, least and most
_GCP_ZONES = ("us-central1-a", "us-central1-c", "us-west1-a", "us-west1-b", "us-east1-d")
_AWS_ZONES = ("us-east-1", "us-west-2", "eu-central-1")


class _Pool:
    """One of them."""

    def __init__(self) -> None:
        self.size = 0
        self.idle: list[SimulatedWorker] = []
        self.waiting: list[tuple[int, int, SimulatedTask, int]] = []  # the most urgent first
        self.counter = itertools.count()


class WorkerPools:
    """All worker pools, by their names.

    Args:
        agenda: Where claims are put in.
        random: Where chance comes from.
        gap: How long it is until the next group begins, in seconds.
        start: What a worker does with the run of a task that it has got.
    """

    def __init__(
        self,
        agenda: Schedule,
        random: Random,
        gap: float,
        start: Callable[[SimulatedWorker, SimulatedTask, int], None],
    ) -> None:
        self._agenda = agenda
        self._random = random
        self._gap = gap
        self._start = start
        self._pools: dict[str, _Pool] = {}

    def hire(self, planned: Plan) -> None:
        """Have as many workers as can do a group's work before the next begins.

        What the worker manager is for. So no queue grows without end.
        """
        work: dict[str, float] = {}
        for task in planned.tasks:
            name = f"{task.provisioner_id}/{task.worker_type}"
            work[name] = work.get(name, 0) + task.duration
        for name, seconds in work.items():
            pool = self._pools.setdefault(name, _Pool())
            while pool.size < 2 + math.ceil(seconds / self._gap):
                pool.size += 1
                pool.idle.append(_worker(self._random, name))

    def offer(self, task: SimulatedTask) -> None:
        """Let the last run of a task wait for a worker."""
        pool = self._pools[task.status["taskQueueId"]]
        urgency = PRIORITY_WEIGHTS.index(task.status["priority"])
        run = len(task.status["runs"]) - 1
        heappush(pool.waiting, (urgency, next(pool.counter), task, run))
        self._match(pool)

    def release(self, task: SimulatedTask, reason: str) -> SimulatedWorker | None:
        """Let the worker of a task, if it has one, take the next that waits.

        Args:
            task: The task, whose run has just ended.
            reason: Why it ended. If the worker was lost, another comes for it.

        Returns:
            The worker that had the task; None if none had it.
        """
        worker, task.worker = task.worker, None
        if worker is not None:
            name = task.status["taskQueueId"]
            lost = reason in _ENDS_WORKER
            pool = self._pools[name]
            pool.idle.append(_worker(self._random, name) if lost else worker)
            self._match(pool)
        return worker

    def _match(self, pool: _Pool) -> None:
        while pool.idle and pool.waiting:
            _, _, task, run = heappop(pool.waiting)
            claim = partial(self._claim, pool, pool.idle.pop(), task, run)
            self._agenda.after(_UNTIL_CLAIMED, claim)

    def _claim(self, pool: _Pool, worker: SimulatedWorker, task: SimulatedTask, run: int) -> None:
        if task.is_at(run, "pending"):
            self._start(worker, task, run)
        else:
            pool.idle.append(worker)
            self._match(pool)


def _worker(random: Random, pool: str) -> SimulatedWorker:
    # Each cloud, and each data center, has its own way of naming.
    if pool.startswith("aws-provisioner/"):
        return SimulatedWorker(random.choice(_AWS_ZONES), f"i-{random.getrandbits(68):017x}")
    if "osx" in pool and pool.startswith("gecko-t/"):
        return SimulatedWorker("mdc1", f"macmini-m4-{random.randrange(1, 400)}")
    return SimulatedWorker(random.choice(_GCP_ZONES), str(10**18 + random.randrange(8 * 10**18)))
