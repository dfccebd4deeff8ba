"""The simulator's queue: task groups, their tasks and runs from creation to resolution.

Pure. Transitions and the order of messages follow ``services/queue/src`` of the
taskcluster repository at v106.0.0.
"""

from __future__ import annotations

from functools import partial
from random import Random

from tcsniff.messages import PRIORITIES
from tcsniff.simulator.outcomes import RENEWAL, SimulatedArtifact, draw_outcome
from tcsniff.simulator.planning import Plan
from tcsniff.simulator.schedule import SECOND, Schedule
from tcsniff.simulator.tasks import SimulatedGroup, SimulatedTask, SimulatedWorker
from tcsniff.simulator.workers import WorkerPools

# Probability that a user reruns a task, by the reason of its resolution.
_RERUN = {"failed": 0.5, "claim-expired": 0.5, "worker-shutdown": 0.5, "completed": 0.006}
_CANCELED = 0.012  # share of tasks
_PRIORITY_CHANGED = 0.015  # share of tasks
_RETRIED = {  # reason of a resolution that the queue retries: reason of the new run
    "claim-expired": "retry",
    "worker-shutdown": "retry",
    "intermittent-task": "task-retry",
}
_ORDINARY = {"completed", "failed"}
_MAX_RUNS = 50  # of a task, by the queue's limit

# In milliseconds.
_DEADLINE = 3600 * SECOND
_FAR_DEADLINE = 24 * _DEADLINE
_RESOLVER = 60 * SECOND  # delay of the queue's deadline resolver

# Minimum and maximum, in seconds.
_UNTIL_SCHEDULED = (0.1, 5)  # the dependency resolver runs every 5 seconds
_UNTIL_RERUN = (30, 240)
_UNTIL_CANCELED = (120, 900)
_UNTIL_GROUP_CANCELED = (90, 240)
_UNTIL_PRIORITY_CHANGED = (1, 300)
_UNTIL_GROUP_PRIORITY_CHANGED = (20, 120)


class SimulatedQueue:
    """The queue with its workers and users.

    Args:
        schedule: Schedule of actions and messages.
        random: Source of randomness.
        faults: Those of `simulation.FAULTS` that may happen.
        gap: Seconds until the next group starts.
    """

    def __init__(
        self, schedule: Schedule, random: Random, faults: frozenset[str], gap: float
    ) -> None:
        self._schedule = schedule
        self._random = random
        self._faults = faults
        self._lifetime = _DEADLINE if "deadline-exceeded" in faults else _FAR_DEADLINE
        self._started_groups = 0
        self._pools = WorkerPools(schedule, random, gap, self._start_run)

    # Task groups.

    def start_group(self, plan: Plan) -> None:
        """Define the decision task of a group, which defines the others."""
        group = SimulatedGroup(self._started_groups, plan, self._schedule.now, self._lifetime)
        self._started_groups += 1
        self._pools.add_workers(plan)
        self._define_task(group.tasks[0])

    def _define_tasks(self, group: SimulatedGroup) -> None:
        # All within the shortest run of a decision task, 20 seconds.
        others = group.tasks[1:]
        for number, task in enumerate(others):
            moment = 6 * SECOND + number * min(40, 10 * SECOND // len(others))
            self._schedule.add(moment, partial(self._define_task, task))
        self._schedule.add(group.lifetime + _RESOLVER, partial(self._resolve_overdue_tasks, group))
        if group.number % 6 == 1 and "cancel-group" in self._faults:
            self._schedule.add_between(_UNTIL_GROUP_CANCELED, partial(self._cancel_group, group))
        if group.number % 3 == 0 and "priority-change" in self._faults:
            self._schedule.add_between(
                _UNTIL_GROUP_PRIORITY_CHANGED, partial(self._change_group_priority, group)
            )

    def _cancel_group(self, group: SimulatedGroup) -> None:
        group.seal(self._schedule.now)
        self._schedule.send_delivery(group.build_message("task-group-sealed", group.fields))
        for number, task in enumerate(group.open_tasks):
            self._schedule.add(500 + 30 * number, partial(self._cancel_task, task, by_group=True))

    def _change_group_priority(self, group: SimulatedGroup) -> None:
        affected = group.open_tasks
        priority = self._random.choice(PRIORITIES[:-3])
        for task in affected:
            task.status["priority"] = priority
        fields = {
            "taskGroupId": group.plan.task_group_id,
            "schedulerId": group.plan.scheduler_id,
            "newPriority": priority,
            "tasksAffected": len(affected),
        }
        self._schedule.send_delivery(group.build_message("task-group-priority-changed", fields))

    def _resolve_overdue_tasks(self, group: SimulatedGroup) -> None:
        for task in group.tasks:
            if task.is_open:
                self._resolve_run(task, "deadline-exceeded")

    # Tasks before a worker claims them.

    def _define_task(self, task: SimulatedTask) -> None:
        task.define(self._schedule.now)
        task.group.unresolved += 1
        self._schedule.send_delivery(
            task.build_message("task-defined", {"task": {"tags": task.tags}})
        )
        if not task.unmet:
            self._schedule_task(task)
        if task.is_decision:
            return
        if self._draw_fault("cancel", _CANCELED):
            self._schedule.add_between(_UNTIL_CANCELED, partial(self._cancel_task, task))
        if self._draw_fault("priority-change", _PRIORITY_CHANGED):
            self._schedule.add_between(
                _UNTIL_PRIORITY_CHANGED, partial(self._raise_priority, task)
            )

    def _schedule_task(self, task: SimulatedTask) -> None:
        if task.status.get("state") == "unscheduled":
            task.add_run("scheduled", self._schedule.now)
            self._publish_pending_run(task)

    def _rerun_task(self, task: SimulatedTask) -> None:
        if self._schedule.now < task.group.deadline and not task.is_open:
            runs = len(task.status["runs"])
            task.status["retriesLeft"] = min(task.planned.retries, _MAX_RUNS - runs - 1)
            task.add_run("rerun", self._schedule.now)
            self._publish_pending_run(task)

    def _cancel_task(self, task: SimulatedTask, *, by_group: bool = False) -> None:
        if task.is_open:
            self._resolve_run(task, "canceled", by_group=by_group)

    def _raise_priority(self, task: SimulatedTask) -> None:
        if task.is_open:
            old = task.status["priority"]
            new = PRIORITIES[PRIORITIES.index(old) - 2]
            task.status["priority"] = new
            changed = {"oldPriority": old, "newPriority": new}
            self._schedule.send_delivery(task.build_message("task-priority-changed", changed))

    def _publish_pending_run(self, task: SimulatedTask) -> None:
        run = len(task.status["runs"]) - 1
        fields = {"runId": run, "task": {"tags": task.tags}}
        self._schedule.send_delivery(task.build_message("task-pending", fields, run=run))
        self._pools.queue_run(task)

    # Runs.

    def _start_run(self, worker: SimulatedWorker, task: SimulatedTask, run: int) -> None:
        taken_until = task.claim(worker, self._schedule.now)
        fields = {
            "runId": run,
            **worker.fields,
            "takenUntil": taken_until,
            "task": {"tags": task.tags},
        }
        self._schedule.send_delivery(
            task.build_message("task-running", fields, run=run, worker=worker)
        )
        if task.is_decision:
            self._define_tasks(task.group)
        outcome = draw_outcome(task, self._random, self._faults)
        for moment, artifact in outcome.artifacts:
            self._schedule.add(moment, partial(self._upload_artifact, worker, task, run, artifact))
        if outcome.worked > RENEWAL:
            last = self._schedule.now + outcome.worked
            self._schedule.add(RENEWAL, partial(self._renew_claim, task, run, last))
        if outcome.ends is not None:  # else the queue resolves it at its deadline
            self._schedule.add(outcome.ends, partial(self._report_end, task, run, outcome.reason))

    def _renew_claim(self, task: SimulatedTask, run: int, last: int) -> None:
        if task.is_last_run(run, "running") and self._schedule.now < last:
            task.renew(self._schedule.now)
            self._schedule.add(RENEWAL, partial(self._renew_claim, task, run, last))

    def _upload_artifact(
        self, worker: SimulatedWorker, task: SimulatedTask, run: int, artifact: SimulatedArtifact
    ) -> None:
        if task.is_last_run(run, "running"):
            artifact_fields = {
                "storageType": artifact.storage_type,
                "name": artifact.name,
                "expires": task.status["expires"],
                "contentType": artifact.content_type,
            }
            fields = {"runId": run, **worker.fields, "artifact": artifact_fields}
            self._schedule.send_delivery(
                task.build_message("artifact-created", fields, run=run, worker=worker)
            )

    def _report_end(self, task: SimulatedTask, run: int, reason: str) -> None:
        if task.is_last_run(run, "running"):
            self._resolve_run(task, reason)

    # Resolution of runs and tasks.

    def _resolve_run(self, task: SimulatedTask, reason: str, *, by_group: bool = False) -> None:
        status, now = task.status, self._schedule.now
        if not status["runs"]:
            task.add_run("exception", now)
        run = len(status["runs"]) - 1
        state = reason if reason in _ORDINARY else "exception"
        task.end_run(state, reason, now)
        worker = self._pools.release_worker(task, reason)
        retried = reason in _RETRIED and status["retriesLeft"] > 0
        if retried:
            status["retriesLeft"] -= 1
            task.add_run(_RETRIED[reason], now)
        # The queue's message about a missed deadline names no worker.
        named_worker = None if reason == "deadline-exceeded" else worker
        tags = {} if by_group else task.tags  # a bug of the queue
        fields = {
            "runId": run,
            "task": {"tags": tags},
            **(named_worker.fields if named_worker else {}),
        }
        message = task.build_message(
            f"task-{state}", fields, run=run, worker=named_worker, by_group=by_group
        )
        self._schedule.send_delivery(message)
        if retried:
            self._publish_pending_run(task)
        else:
            self._resolve_task(task, reason)

    def _resolve_task(self, task: SimulatedTask, reason: str) -> None:
        group = task.group
        group.unresolved -= not task.resolved
        task.resolved = True
        for dependent in task.dependents:
            if reason == "completed" or dependent.planned.requires == "all-resolved":
                self._remove_dependency(dependent, task.planned.task_id)
        if not group.unresolved:
            self._schedule.send_delivery(group.build_message("task-group-resolved", group.fields))
        if not task.is_decision and self._draw_fault("rerun", _RERUN.get(reason, 0)):
            self._schedule.add_between(_UNTIL_RERUN, partial(self._rerun_task, task))

    def _remove_dependency(self, dependent: SimulatedTask, dependency: str) -> None:
        if dependency in dependent.unmet:
            dependent.unmet.remove(dependency)
            if not dependent.unmet:
                self._schedule.add_between(
                    _UNTIL_SCHEDULED, partial(self._schedule_task, dependent)
                )

    def _draw_fault(self, fault: str, probability: float) -> bool:
        return fault in self._faults and self._random.random() < probability
