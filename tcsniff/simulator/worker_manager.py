"""The simulator's worker-manager: announces the workers that claim the queue's tasks.

Pure. Fields, their order and routing keys follow ``services/worker-manager/src`` of the
taskcluster repository at v106.0.0. The queue's messages are read some minutes ahead: a
worker must have been requested before it claims its first task.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple

import orjson

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import PLACEHOLDER, WORKER_EVENTS, find_exchange
from tcsniff.pulse.times import format_timestamp, parse_seconds
from tcsniff.simulator.planning import draw_slug_id
from tcsniff.simulator.tasks import Json, SimulatedWorker

FAULT = "worker-pool-error"
"""The fault that makes requests of workers fail."""

Timed = Iterator[tuple[float, Delivery]]
"""Messages with their times of arrival, in seconds since the Unix epoch and in order."""

_ADDRESS = {name: find_exchange(name).address for name in WORKER_EVENTS}
_RUNNING, _EXCEPTION = (find_exchange(name).address for name in ("running", "exception"))
_HARDWARE = ("osx", "bitbar")  # in the names of pools that no cloud provides
_REMOVED = {"claim-expired": "terminateAfter time exceeded", "worker-shutdown": None}
_FAILED = 0.05  # share of requests that fail
_REPEATED = 0.01  # share of messages that are published twice
_MAX_KNOWN = 10_000  # workers

# In seconds; minimum and maximum.
_LATENCY = 0.02
_AHEAD = 400.0  # more than all that comes before a worker's first task
_UNTIL_RUNNING = (45, 150)
_UNTIL_FIRST_TASK = (0.5, 10)
_UNTIL_FAILED = (10, 40)
_UNTIL_NEXT_REQUEST = (60, 90)
_UNTIL_STOPPED = (5, 60)
_UNTIL_REPEATED = (0.1, 20)


class _Pool(NamedTuple):
    name: str
    provider_id: str
    launch_config_id: str

    def build_key(self, worker: SimulatedWorker | None) -> str:
        provisioner_id, worker_type = self.name.split("/")
        group, name = worker or (PLACEHOLDER, PLACEHOLDER)
        words = (self.provider_id, provisioner_id, worker_type, group, name, self.launch_config_id)
        return f"primary.{'.'.join(words)}.{PLACEHOLDER}"


class WorkerManager:
    """Adds messages about workers to those of the queue."""

    def __init__(self, random: Random, start: float, faults: frozenset[str]) -> None:
        """Create a manager without workers.

        Args:
            random: Its own source of randomness.
            start: When the simulation starts, in seconds since the Unix epoch. Workers that
                would have been requested before are not announced.
            faults: Those of `simulation.FAULTS` that may happen.
        """
        self._random = random
        self._start = start
        self._faults = faults
        self._pools: dict[str, _Pool] = {}
        self._known: dict[SimulatedWorker, bool] = {}  # whether it still runs
        self._counter = itertools.count()  # of messages of one time, the first stays first
        self._heap: list[tuple[float, int, Delivery]] = []

    def add_messages(self, messages: Timed) -> Timed:
        """Yield the messages of the queue, and in addition those about its workers."""
        for when, delivery in messages:
            while self._heap and self._heap[0][0] < when - _AHEAD:
                yield self._pop()
            self._push(when, delivery)
            if delivery.exchange in (_RUNNING, _EXCEPTION):
                self._read(delivery)
        while self._heap:
            yield self._pop()

    def _read(self, delivery: Delivery) -> None:
        payload = orjson.loads(delivery.body)
        pool = payload["status"]["taskQueueId"]
        if "workerId" not in payload or any(word in pool for word in _HARDWARE):
            return
        worker = SimulatedWorker(payload["workerGroup"], payload["workerId"])
        run = payload["status"]["runs"][payload["runId"]]
        if worker not in self._known:
            self._remember(worker)
            self._start_worker(pool, worker, parse_seconds(run["started"]) or 0.0)
        reason = run.get("reasonResolved")
        if delivery.exchange == _EXCEPTION and reason in _REMOVED and self._known[worker]:
            self._known[worker] = False
            self._stop_worker(pool, worker, parse_seconds(run["resolved"]) or 0.0, reason)

    def _remember(self, worker: SimulatedWorker) -> None:
        self._known[worker] = True
        if len(self._known) > _MAX_KNOWN:
            del self._known[next(iter(self._known))]

    def _start_worker(self, pool: str, worker: SimulatedWorker, started: float) -> None:
        running = started - self._draw(_UNTIL_FIRST_TASK)
        requested = running - self._draw(_UNTIL_RUNNING)
        if requested < self._start:
            return
        self._announce(requested, "worker-requested", pool, worker)
        self._announce(running, "worker-running", pool, worker)
        if FAULT in self._faults and self._random.random() < _FAILED:
            self._fail_request(pool, requested - self._draw(_UNTIL_NEXT_REQUEST))

    def _fail_request(self, pool: str, failed: float) -> None:
        # Another worker was requested before, in vain.
        if self._random.random() < 0.5:
            self._announce_error(failed, pool, None, "creation-error", "Instance Creation Error")
            return
        group = self._random.choice(("us-central1-a", "us-west1-b"))
        worker = SimulatedWorker(group, str(10**18 + self._random.randrange(8 * 10**18)))
        requested = failed - self._draw(_UNTIL_FAILED)
        if requested >= self._start:
            self._announce(requested, "worker-requested", pool, worker)
            self._announce_error(failed, pool, worker, "operation-error", "Operation Error")
            self._announce(failed + 1, "worker-stopped", pool, worker)

    def _stop_worker(
        self, pool: str, worker: SimulatedWorker, resolved: float, reason: str
    ) -> None:
        if (removed := _REMOVED[reason]) is not None:
            self._announce(resolved + 1, "worker-removed", pool, worker, {"reason": removed})
        self._announce(resolved + self._draw(_UNTIL_STOPPED), "worker-stopped", pool, worker)

    def _announce(
        self,
        time: float,
        name: str,
        pool_name: str,
        worker: SimulatedWorker,
        more: Json | None = None,
    ) -> None:
        pool = self._get_pool(pool_name)
        fields = {
            "workerPoolId": pool.name,
            "providerId": pool.provider_id,
            "workerId": worker.name,
            "workerGroup": worker.group,
            "capacity": 1,
            "timestamp": format_timestamp(time),
            "launchConfigId": pool.launch_config_id,
        }
        self._send(time, name, pool.build_key(worker), fields | (more or {}))

    def _announce_error(
        self, time: float, pool_name: str, worker: SimulatedWorker | None, kind: str, title: str
    ) -> None:
        if time < self._start:
            return
        pool = self._get_pool(pool_name)
        named = {"workerId": worker.name, "workerGroup": worker.group} if worker else {}
        fields = {
            "workerPoolId": pool.name,
            "providerId": pool.provider_id,
            "errorId": draw_slug_id(self._random),
            "kind": kind,
            "title": title,
            "timestamp": format_timestamp(time),
            **named,
            "launchConfigId": pool.launch_config_id,
        }
        self._send(time, "worker-pool-error", pool.build_key(worker), fields)

    def _send(self, time: float, name: str, key: str, fields: Json) -> None:
        delivery = Delivery(_ADDRESS[name], key, orjson.dumps(fields))
        self._push(time + _LATENCY, delivery)
        if "duplicate" in self._faults and self._random.random() < _REPEATED:
            self._push(time + self._draw(_UNTIL_REPEATED), delivery)

    def _push(self, time: float, delivery: Delivery) -> None:
        heappush(self._heap, (time, next(self._counter), delivery))

    def _pop(self) -> tuple[float, Delivery]:
        time, _, delivery = heappop(self._heap)
        return time, delivery

    def _get_pool(self, name: str) -> _Pool:
        pool = self._pools.get(name)
        if pool is None:
            level = 3 if name.startswith("gecko-3/") else 1
            provider_id = "aws" if name.startswith("aws-") else f"fxci-level{level}-gcp"
            launch_config_id = f"lc-{self._random.getrandbits(64):016x}"
            pool = self._pools[name] = _Pool(name, provider_id, launch_config_id)
        return pool

    def _draw(self, seconds: tuple[float, float]) -> float:
        low, high = seconds
        return low + (high - low) * self._random.random()
