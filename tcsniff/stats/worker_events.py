"""Worker-manager's events, each counted once, and the time that each worker took to start.

Pure. An event is the same as another one if exchange, worker and time are; or for errors,
if the ID is. The order of messages does not matter. Memory is bounded: the last 260,000
events and 20,000 workers are remembered.
"""

from __future__ import annotations

from typing import NamedTuple

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import WORKER_EVENTS, find_exchange
from tcsniff.pulse.payloads import DECODE_ERRORS, WorkerPayload, decode_worker_event
from tcsniff.stats.histogram import find_bucket
from tcsniff.stats.memory import ForgottenTasks, hash_task
from tcsniff.stats.run_facts import parse_time

EVENTS_BY_ADDRESS = {find_exchange(name).address: name for name in WORKER_EVENTS}
"""The names of the exchanges whose messages are counted, by their names on the broker."""

MAX_EVENTS = 1 << 18
MAX_WORKERS = 20_000
_STEPS = {"worker-requested": 0, "worker-running": 1}


class WorkerChange(NamedTuple):
    """What a message adds to the counts of a pool.

    Attributes:
        pool: The worker pool.
        event: The name of the exchange.
        kind: The kind of an error; empty if it is none.
        start_before: Bucket of the time from requested to running that was counted before
            for this worker; None for none.
        start: Bucket of that time now; None if unknown.
    """

    pool: str
    event: str
    kind: str = ""
    start_before: int | None = None
    start: int | None = None


class WorkerEvents:
    """The events of all workers so far.

    Attributes:
        unread: Number of messages that could not be decoded.
        guessed: Number of events that happened longer ago than events are remembered:
            whether they had been counted is a guess.
    """

    def __init__(self, max_events: int = MAX_EVENTS, max_workers: int = MAX_WORKERS) -> None:
        """Create the object without events.

        Args:
            max_events: Number of events that are remembered; each takes 8 bytes.
            max_workers: Number of workers whose times are remembered.
        """
        self.unread = self.guessed = 0
        self._max_workers = max_workers
        self._known = ForgottenTasks(max_events)
        # When each worker was requested and running, first; in the order of their events.
        self._times: dict[int, tuple[float | None, float | None]] = {}

    def apply(self, delivery: Delivery, now: float) -> WorkerChange | None:
        """Return what a message adds; None if it repeats another one or can't be decoded.

        Args:
            delivery: A message of one of `EVENTS_BY_ADDRESS`.
            now: When it arrived, in seconds since the Unix epoch.
        """
        event = EVENTS_BY_ADDRESS[delivery.exchange]
        try:
            payload = decode_worker_event(delivery.body)
        except DECODE_ERRORS:
            self.unread += 1
            return None
        time = parse_time(payload.timestamp)
        if not self._is_new(event, payload, now if time is None else time):
            return None
        change = WorkerChange(payload.worker_pool_id, event, payload.kind)
        if time is None or event not in _STEPS:
            return change
        before, after = self._add_time(payload, _STEPS[event], time)
        return change._replace(start_before=_find_start(before), start=_find_start(after))

    def _is_new(self, event: str, payload: WorkerPayload, time: float) -> bool:
        worker = f"{payload.worker_pool_id} {payload.worker_group} {payload.worker_id}"
        error = payload.error_id if event == "worker-pool-error" else ""
        key = hash_task(f"{event} {error or worker} {payload.timestamp}")
        if self._known.get_runs(key):
            return False
        if self._known.horizon is not None and time <= self._known.horizon:
            self.guessed += 1
        self._known.add(key, 1, time)
        return True

    def _add_time(
        self, payload: WorkerPayload, step: int, time: float
    ) -> tuple[tuple[float | None, float | None], tuple[float | None, float | None]]:
        key = hash_task(f"{payload.worker_pool_id} {payload.worker_group} {payload.worker_id}")
        before = self._times.pop(key, (None, None))
        known = before[step]
        first = time if known is None else min(known, time)
        after = (before[0], first) if step else (first, before[1])
        self._times[key] = after
        if len(self._times) > self._max_workers:
            del self._times[next(iter(self._times))]
        return before, after


def _find_start(times: tuple[float | None, float | None]) -> int | None:
    requested, running = times
    if requested is None or running is None or running < requested:
        return None
    return find_bucket(round(running - requested, 3))
