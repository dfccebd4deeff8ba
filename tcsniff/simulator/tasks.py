"""The simulator's tasks and groups: what the queue's database knows, worded as messages.

Pure. Fields, their order and routing keys follow ``services/queue/src`` of the
taskcluster repository at v106.0.0. Times are in milliseconds since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import CATALOG, PLACEHOLDER, ROUTE
from tcsniff.simulator.planning import Plan, PlannedTask

# In milliseconds.
_MINUTE = 60 * 1000
_EXPIRES = 28 * 24 * 60 * _MINUTE
CLAIM = 20 * _MINUTE
"""How long a claim holds, in milliseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ADDRESS = {exchange.name: exchange.address for exchange in CATALOG if exchange.service == "queue"}
_OPEN = {"unscheduled", "pending", "running"}
_KEPT = ("workerGroup", "workerId", "takenUntil", "scheduled", "started")  # when a run ends

Json = dict[str, Any]
"""Fields of a message, in the order of messages."""


class SimulatedWorker(NamedTuple):
    """Who runs a task: its ``workerGroup`` and its ``workerId``."""

    group: str
    name: str

    @property
    def fields(self) -> Json:
        """How messages name it."""
        return {"workerGroup": self.group, "workerId": self.name}


class SimulatedGroup:
    """A task group, for as long as anything can happen to it.

    Attributes:
        number: Which one it is, counted from 0.
        lifetime: How long each of its tasks has until its deadline, in milliseconds.
        deadline: When its first task must have ended.
        unresolved: How many tasks are defined and never were resolved; a rerun
            does not count again.
        fields: What messages say of it.
        tasks: All of them, the decision task first.
    """

    def __init__(self, number: int, planned: Plan, now: int, lifetime: int) -> None:
        self.number = number
        self.plan = planned
        self.lifetime = lifetime
        self.deadline = now + lifetime
        self.unresolved = 0
        self.fields = {
            "taskGroupId": planned.task_group_id,
            "schedulerId": planned.scheduler_id,
            "expires": _text(now + _EXPIRES),
        }
        self.tasks = [SimulatedTask(task, self) for task in planned.tasks]
        by_id = {task.planned.task_id: task for task in self.tasks}
        for task in self.tasks:
            for dependency in task.planned.dependencies:
                by_id[dependency].dependents.append(task)

    @property
    def open_tasks(self) -> list[SimulatedTask]:
        """Its tasks that are defined and, for now, not resolved."""
        return [task for task in self.tasks if task.is_open]

    def seal(self, now: int) -> None:
        """Let no further task in."""
        self.fields["sealed"] = _text(now)

    def told(self, name: str, fields: Mapping[str, object]) -> Delivery:
        """Word a message on the group for the exchange of this name."""
        key = f"primary.{self.plan.task_group_id}.{self.plan.scheduler_id}.{PLACEHOLDER}"
        return Delivery(_ADDRESS[name], key, orjson.dumps({**fields, "version": 1}))


class SimulatedTask:
    """A task as the queue's database knows it.

    Attributes:
        status: What messages say of it; empty until the task is defined.
        unmet: Ids of the dependencies that it still waits for.
        dependents: The tasks that wait for it.
        resolved: Whether it ever was.
        worker: Who runs it now.
        tags: Names and values, as most messages carry them.
    """

    def __init__(self, planned: PlannedTask, group: SimulatedGroup) -> None:
        pool = f"{planned.provisioner_id}.{planned.worker_type}"
        scheduler, group_id = group.plan.scheduler_id, group.plan.task_group_id
        self.planned = planned
        self.group = group
        self.status: Json = {}
        self.unmet = set(planned.dependencies)
        self.dependents: list[SimulatedTask] = []
        self.resolved = False
        self.worker: SimulatedWorker | None = None
        self.tags = dict(planned.tags)
        self._cc = tuple(ROUTE + route for route in planned.routes)
        self._head = f"primary.{planned.task_id}"
        self._tail = f"{pool}.{scheduler}.{group_id}.{PLACEHOLDER}"

    @property
    def is_decision(self) -> bool:
        """Whether the others of its group come from it."""
        return self.planned.task_id == self.group.plan.task_group_id

    @property
    def is_open(self) -> bool:
        """Whether it is defined and, for now, not resolved."""
        return self.status.get("state") in _OPEN

    def is_at(self, run: int, state: str) -> bool:
        """Tell whether a run is still the last, and in a state."""
        return len(self.status["runs"]) == run + 1 and self.status["state"] == state

    def define(self, now: int) -> None:
        """Come into being, unscheduled."""
        planned = self.planned
        self.status = {
            "taskId": planned.task_id,
            "provisionerId": planned.provisioner_id,
            "workerType": planned.worker_type,
            "taskQueueId": f"{planned.provisioner_id}/{planned.worker_type}",
            "schedulerId": self.group.plan.scheduler_id,
            "projectId": "none",
            "taskGroupId": self.group.plan.task_group_id,
            "priority": planned.priority,
            "deadline": _text(now + self.group.lifetime),
            "expires": _text(now + _EXPIRES),
            "retriesLeft": planned.retries,
            "state": "unscheduled",
            "runs": [],
        }

    def add_run(self, reason: str, now: int) -> None:
        """Be pending, for this reason, with a run that no worker has yet."""
        runs = self.status["runs"]
        run = {"runId": len(runs), "state": "pending", "reasonCreated": reason}
        self.status["state"] = "pending"
        runs.append({**run, "scheduled": _text(now)})

    def claim(self, worker: SimulatedWorker, now: int) -> str:
        """Let a worker have the last run.

        Returns:
            How long it may, worded as the message on that does: by PostgreSQL.
        """
        self.worker = worker
        self.status["state"] = "running"
        run = self.status["runs"][-1]
        taken_until = _text(now + CLAIM)
        self.status["runs"][-1] = {
            "runId": run["runId"],
            "state": "running",
            "reasonCreated": run["reasonCreated"],
            **worker.fields,
            "takenUntil": taken_until,
            "scheduled": run["scheduled"],
            "started": _text(now),
        }
        return _as_postgres(taken_until)

    def renew(self, now: int) -> None:
        """Let the worker of the last run keep it for as long again."""
        self.status["runs"][-1]["takenUntil"] = _text(now + CLAIM)

    def end_run(self, state: str, reason: str, now: int) -> None:
        """Resolve the last run."""
        self.status["state"] = state
        run = self.status["runs"][-1]
        self.status["runs"][-1] = {
            "runId": run["runId"],
            "state": state,
            "reasonCreated": run["reasonCreated"],
            "reasonResolved": reason,
            **{name: run[name] for name in _KEPT if name in run},
            "resolved": _text(now),
        }

    def told(
        self,
        name: str,
        fields: Json,
        *,
        run: int | str = PLACEHOLDER,
        worker: SimulatedWorker | None = None,
        by_group: bool = False,
    ) -> Delivery:
        """Word a message on the task.

        Args:
            name: Name of the exchange.
            fields: What the message says besides the status.
            run: The run that the routing key names.
            worker: The worker that the routing key names.
            by_group: Whether a whole group is canceled; by a flaw of the
                queue, such messages do not tell the priority.
        """
        status = self.status
        if by_group:
            status = {key: value for key, value in status.items() if key != "priority"}
        group, name_of_worker = worker or (PLACEHOLDER, PLACEHOLDER)
        return Delivery(
            _ADDRESS[name],
            f"{self._head}.{run}.{group}.{name_of_worker}.{self._tail}",
            orjson.dumps({"status": status, **fields, "version": 1}),
            self._cc,
        )


def _text(moment: int) -> str:
    """Word a time as JavaScript does: three digits of a second, then Z."""
    minutes, rest = divmod(moment, _MINUTE)
    return f"{_minute(minutes)}{rest // 1000:02}.{rest % 1000:03}Z"


@lru_cache(maxsize=256)  # times that are told one after the other are seldom far apart
def _minute(minutes: int) -> str:
    return (_EPOCH + timedelta(minutes=minutes)).isoformat()[: len("2026-11-23T18:00:")]


def _as_postgres(text: str) -> str:
    """Word a time as PostgreSQL does: digits as needed, then the offset."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    fraction = fraction.rstrip("0")
    return f"{seconds}.{fraction}+00:00" if fraction else f"{seconds}+00:00"
