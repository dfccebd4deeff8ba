"""The simulator's tasks and groups: their state, and the messages about them.

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
"""Duration of a claim, in milliseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ADDRESS = {exchange.name: exchange.address for exchange in CATALOG if exchange.service == "queue"}
_OPEN = {"unscheduled", "pending", "running"}
_KEPT = ("workerGroup", "workerId", "takenUntil", "scheduled", "started")  # when a run is resolved

Json = dict[str, Any]
"""A JSON object whose keys are in the order of the real messages."""


class SimulatedWorker(NamedTuple):
    """A worker, by ``workerGroup`` and ``workerId``."""

    group: str
    name: str

    @property
    def fields(self) -> Json:
        """The fields of a message."""
        return {"workerGroup": self.group, "workerId": self.name}


class SimulatedGroup:
    """A task group.

    Attributes:
        number: Number of the group, counted from 0.
        lifetime: Milliseconds from a task's definition to its deadline.
        deadline: Deadline of the decision task.
        unresolved: Number of defined tasks that have never been resolved; reruns are
            not counted again.
        fields: Fields of the messages about the group.
        tasks: All tasks, the decision task first.
    """

    def __init__(self, number: int, plan: Plan, now: int, lifetime: int) -> None:
        self.number = number
        self.plan = plan
        self.lifetime = lifetime
        self.deadline = now + lifetime
        self.unresolved = 0
        self.fields = {
            "taskGroupId": plan.task_group_id,
            "schedulerId": plan.scheduler_id,
            "expires": _format_time(now + _EXPIRES),
        }
        self.tasks = [SimulatedTask(task, self) for task in plan.tasks]
        by_id = {task.planned.task_id: task for task in self.tasks}
        for task in self.tasks:
            for dependency in task.planned.dependencies:
                by_id[dependency].dependents.append(task)

    @property
    def open_tasks(self) -> list[SimulatedTask]:
        """The tasks that are defined and not resolved."""
        return [task for task in self.tasks if task.is_open]

    def seal(self, now: int) -> None:
        """Close the group to new tasks."""
        self.fields["sealed"] = _format_time(now)

    def build_message(self, name: str, fields: Mapping[str, object]) -> Delivery:
        """Return a message about the group, for the exchange of this name."""
        key = f"primary.{self.plan.task_group_id}.{self.plan.scheduler_id}.{PLACEHOLDER}"
        return Delivery(_ADDRESS[name], key, orjson.dumps({**fields, "version": 1}))


class SimulatedTask:
    """A task with its state in the queue.

    Attributes:
        status: Its status in messages; empty until the task is defined.
        unmet: IDs of the dependencies that it still waits for.
        dependents: The tasks that depend on it.
        resolved: Whether it has ever been resolved.
        worker: The worker of the current run, if any.
        tags: Names and values.
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
        """Whether it is the decision task of its group."""
        return self.planned.task_id == self.group.plan.task_group_id

    @property
    def is_open(self) -> bool:
        """Whether it is defined and not resolved."""
        return self.status.get("state") in _OPEN

    def is_last_run(self, run: int, state: str) -> bool:
        """Return whether a run is still the last one, and in a state."""
        return len(self.status["runs"]) == run + 1 and self.status["state"] == state

    def define(self, now: int) -> None:
        """Set the status of a new, unscheduled task."""
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
            "deadline": _format_time(now + self.group.lifetime),
            "expires": _format_time(now + _EXPIRES),
            "retriesLeft": planned.retries,
            "state": "unscheduled",
            "runs": [],
        }

    def add_run(self, reason: str, now: int) -> None:
        """Add a pending run, created for this reason."""
        runs = self.status["runs"]
        run = {"runId": len(runs), "state": "pending", "reasonCreated": reason}
        self.status["state"] = "pending"
        runs.append({**run, "scheduled": _format_time(now)})

    def claim(self, worker: SimulatedWorker, now: int) -> str:
        """Assign the last run to a worker.

        Returns:
            The end of the claim, in the form of PostgreSQL, as in ``task-running``.
        """
        self.worker = worker
        self.status["state"] = "running"
        run = self.status["runs"][-1]
        taken_until = _format_time(now + CLAIM)
        self.status["runs"][-1] = {
            "runId": run["runId"],
            "state": "running",
            "reasonCreated": run["reasonCreated"],
            **worker.fields,
            "takenUntil": taken_until,
            "scheduled": run["scheduled"],
            "started": _format_time(now),
        }
        return _format_for_postgres(taken_until)

    def renew(self, now: int) -> None:
        """Renew the claim of the last run."""
        self.status["runs"][-1]["takenUntil"] = _format_time(now + CLAIM)

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
            "resolved": _format_time(now),
        }

    def build_message(
        self,
        name: str,
        fields: Json,
        *,
        run: int | str = PLACEHOLDER,
        worker: SimulatedWorker | None = None,
        by_group: bool = False,
    ) -> Delivery:
        """Return a message about the task.

        Args:
            name: Name of the exchange.
            fields: Fields of the message after the status.
            run: Run ID in the routing key.
            worker: Worker in the routing key.
            by_group: Whether the group is canceled; by a bug of the queue, these
                messages lack the priority.
        """
        status = self.status
        if by_group:
            status = {key: value for key, value in status.items() if key != "priority"}
        worker_group, worker_id = worker or (PLACEHOLDER, PLACEHOLDER)
        return Delivery(
            _ADDRESS[name],
            f"{self._head}.{run}.{worker_group}.{worker_id}.{self._tail}",
            orjson.dumps({"status": status, **fields, "version": 1}),
            self._cc,
        )


def _format_time(time: int) -> str:
    """Return a time in the form of JavaScript: milliseconds, then ``Z``."""
    minutes, rest = divmod(time, _MINUTE)
    return f"{_format_minute(minutes)}{rest // 1000:02}.{rest % 1000:03}Z"


@lru_cache(maxsize=256)  # times of consecutive messages are close together
def _format_minute(minutes: int) -> str:
    return (_EPOCH + timedelta(minutes=minutes)).isoformat()[: len("2026-11-23T18:00:")]


def _format_for_postgres(text: str) -> str:
    """Return a time in the form of PostgreSQL: no trailing zeros, then the offset."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    fraction = fraction.rstrip("0")
    return f"{seconds}.{fraction}+00:00" if fraction else f"{seconds}+00:00"
