"""The simulator's queue: the life of task groups, of their tasks and runs.

Pure. What the queue does when, and in which order it tells, follows
``services/queue/src`` of the taskcluster repository at v106.0.0.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import NamedTuple

from tcsniff.simulator.planning import Plan
from tcsniff.simulator.schedule import SECOND, Schedule, draw_between, draw_weighted
from tcsniff.simulator.tasks import CLAIM, SimulatedGroup, SimulatedTask, SimulatedWorker
from tcsniff.simulator.workers import PRIORITY_WEIGHTS, WorkerPools

# How likely a user is to run a task again, by how it ended.
_RERUN = {"failed": 0.5, "claim-expired": 0.5, "worker-shutdown": 0.5, "completed": 0.006}
_CANCELED = 0.012  # share of tasks
_REPRIORITISED = 0.015  # share of tasks
_RETRIED = {  # why the queue runs a task again by itself: why that run was created
    "claim-expired": "retry",
    "worker-shutdown": "retry",
    "intermittent-task": "task-retry",
}
_ORDINARY = {"completed", "failed"}
_MOST_RUNS = 50  # of a task, by the queue's limit

# In milliseconds.
_DEADLINE = 3600 * SECOND
_FAR_DEADLINE = 24 * _DEADLINE
_RESOLVER = 60 * SECOND  # how long the queue waits with tasks past their deadline

# In seconds, least and most; the simulator draws from between.
_UNTIL_SCHEDULED = (0.1, 5)  # the dependency resolver looks every 5 seconds
_UNTIL_RERUN = (30, 240)
_UNTIL_CANCELED = (120, 900)
_UNTIL_GROUP_CANCELED = (90, 240)
_UNTIL_REPRIORITISED = (1, 300)
_UNTIL_GROUP_REPRIORITISED = (20, 120)


class SimulatedQueue:
    """The queue, its workers and its users.

    Args:
        agenda: What is yet to happen.
        random: Where chance comes from.
        faults: What may go wrong, or otherwise than planned.
        gap: How long it is until the next group begins, in seconds.
    """

    def __init__(
        self, agenda: Schedule, random: Random, faults: frozenset[str], gap: float
    ) -> None:
        self._agenda = agenda
        self._random = random
        self._faults = faults
        self._lifetime = _DEADLINE if "deadline-exceeded" in faults else _FAR_DEADLINE
        self._begun = 0
        self._pools = WorkerPools(agenda, random, gap, self._start)

    # The life of a group.

    def begin(self, planned: Plan) -> None:
        """Create a decision task, which does the rest."""
        group = SimulatedGroup(self._begun, planned, self._agenda.now, self._lifetime)
        self._begun += 1
        self._pools.hire(planned)
        self._define(group.tasks[0])

    def _decide(self, group: SimulatedGroup) -> None:
        # All before the decision task ends, which takes 20 seconds at least.
        others = group.tasks[1:]
        for number, task in enumerate(others):
            moment = 6 * SECOND + number * min(40, 10 * SECOND // len(others))
            self._agenda.at(moment, partial(self._define, task))
        self._agenda.at(group.lifetime + _RESOLVER, partial(self._expire, group))
        if group.number % 6 == 1 and "cancel-group" in self._faults:
            self._agenda.after(_UNTIL_GROUP_CANCELED, partial(self._cancel_group, group))
        if group.number % 3 == 0 and "priority-change" in self._faults:
            self._agenda.after(_UNTIL_GROUP_REPRIORITISED, partial(self._lift_group, group))

    def _cancel_group(self, group: SimulatedGroup) -> None:
        group.seal(self._agenda.now)
        self._agenda.send(group.told("task-group-sealed", group.fields))
        for number, task in enumerate(group.open_tasks):
            self._agenda.at(500 + 30 * number, partial(self._cancel, task, by_group=True))

    def _lift_group(self, group: SimulatedGroup) -> None:
        affected = group.open_tasks
        priority = self._random.choice(PRIORITY_WEIGHTS[:-3])
        for task in affected:
            task.status["priority"] = priority
        fields = {
            "taskGroupId": group.plan.task_group_id,
            "schedulerId": group.plan.scheduler_id,
            "newPriority": priority,
            "tasksAffected": len(affected),
        }
        self._agenda.send(group.told("task-group-priority-changed", fields))

    def _expire(self, group: SimulatedGroup) -> None:
        for task in group.tasks:
            if task.is_open:
                self._resolve(task, "deadline-exceeded")

    # The life of a task, before a worker has it.

    def _define(self, task: SimulatedTask) -> None:
        task.define(self._agenda.now)
        task.group.unresolved += 1
        self._agenda.send(task.told("task-defined", {"task": {"tags": task.tags}}))
        if not task.unmet:
            self._schedule(task)
        if task.is_decision:
            return
        if self._happens("cancel", _CANCELED):
            self._agenda.after(_UNTIL_CANCELED, partial(self._cancel, task))
        if self._happens("priority-change", _REPRIORITISED):
            self._agenda.after(_UNTIL_REPRIORITISED, partial(self._lift, task))

    def _schedule(self, task: SimulatedTask) -> None:
        if task.status.get("state") == "unscheduled":
            task.add_run("scheduled", self._agenda.now)
            self._offer_run(task)

    def _rerun(self, task: SimulatedTask) -> None:
        if self._agenda.now < task.group.deadline and not task.is_open:
            runs = len(task.status["runs"])
            task.status["retriesLeft"] = min(task.planned.retries, _MOST_RUNS - runs - 1)
            task.add_run("rerun", self._agenda.now)
            self._offer_run(task)

    def _cancel(self, task: SimulatedTask, *, by_group: bool = False) -> None:
        if task.is_open:
            self._resolve(task, "canceled", by_group=by_group)

    def _lift(self, task: SimulatedTask) -> None:
        if task.is_open:
            old = task.status["priority"]
            new = PRIORITY_WEIGHTS[PRIORITY_WEIGHTS.index(old) - 2]
            task.status["priority"] = new
            changed = {"oldPriority": old, "newPriority": new}
            self._agenda.send(task.told("task-priority-changed", changed))

    def _offer_run(self, task: SimulatedTask) -> None:
        run = len(task.status["runs"]) - 1
        fields = {"runId": run, "task": {"tags": task.tags}}
        self._agenda.send(task.told("task-pending", fields, run=run))
        self._pools.offer(task)

    # A run.

    def _start(self, worker: SimulatedWorker, task: SimulatedTask, run: int) -> None:
        taken_until = task.claim(worker, self._agenda.now)
        fields = {
            "runId": run,
            **worker.fields,
            "takenUntil": taken_until,
            "task": {"tags": task.tags},
        }
        self._agenda.send(task.told("task-running", fields, run=run, worker=worker))
        if task.is_decision:
            self._decide(task.group)
        fate = fate_of(task, self._random, self._faults)
        for moment, artifact in fate.artifacts:
            self._agenda.at(moment, partial(self._upload, worker, task, run, artifact))
        if fate.worked > RENEWAL:
            last = self._agenda.now + fate.worked
            self._agenda.at(RENEWAL, partial(self._renew, task, run, last))
        if fate.ends is not None:  # else its deadline is up to the queue
            self._agenda.at(fate.ends, partial(self._report, task, run, fate.reason))

    def _renew(self, task: SimulatedTask, run: int, last: int) -> None:
        if task.is_at(run, "running") and self._agenda.now < last:
            task.renew(self._agenda.now)
            self._agenda.at(RENEWAL, partial(self._renew, task, run, last))

    def _upload(
        self, worker: SimulatedWorker, task: SimulatedTask, run: int, artifact: SimulatedArtifact
    ) -> None:
        if task.is_at(run, "running"):
            made = {
                "storageType": artifact.storage_type,
                "name": artifact.name,
                "expires": task.status["expires"],
                "contentType": artifact.content_type,
            }
            fields = {"runId": run, **worker.fields, "artifact": made}
            self._agenda.send(task.told("artifact-created", fields, run=run, worker=worker))

    def _report(self, task: SimulatedTask, run: int, reason: str) -> None:
        if task.is_at(run, "running"):
            self._resolve(task, reason)

    # The end of a run, and perhaps of its task.

    def _resolve(self, task: SimulatedTask, reason: str, *, by_group: bool = False) -> None:
        status, now = task.status, self._agenda.now
        if not status["runs"]:
            task.add_run("exception", now)
        run = len(status["runs"]) - 1
        state = reason if reason in _ORDINARY else "exception"
        task.end_run(state, reason, now)
        worker = self._pools.release(task, reason)
        retried = reason in _RETRIED and status["retriesLeft"] > 0
        if retried:
            status["retriesLeft"] -= 1
            task.add_run(_RETRIED[reason], now)
        # The queue names no worker when it gives up on a task itself.
        named = None if reason == "deadline-exceeded" else worker
        tags = {} if by_group else task.tags  # by a flaw of the queue
        fields = {"runId": run, "task": {"tags": tags}, **(named.fields if named else {})}
        told = task.told(f"task-{state}", fields, run=run, worker=named, by_group=by_group)
        self._agenda.send(told)
        if retried:
            self._offer_run(task)
        else:
            self._settle(task, reason)

    def _settle(self, task: SimulatedTask, reason: str) -> None:
        group = task.group
        group.unresolved -= not task.resolved
        task.resolved = True
        for dependent in task.dependents:
            if reason == "completed" or dependent.planned.requires == "all-resolved":
                self._satisfy(dependent, task.planned.task_id)
        if not group.unresolved:
            self._agenda.send(group.told("task-group-resolved", group.fields))
        if not task.is_decision and self._happens("rerun", _RERUN.get(reason, 0)):
            self._agenda.after(_UNTIL_RERUN, partial(self._rerun, task))

    def _satisfy(self, dependent: SimulatedTask, dependency: str) -> None:
        if dependency in dependent.unmet:
            dependent.unmet.remove(dependency)
            if not dependent.unmet:
                self._agenda.after(_UNTIL_SCHEDULED, partial(self._schedule, dependent))

    def _happens(self, fault: str, chance: float) -> bool:
        return fault in self._faults and self._random.random() < chance


RENEWAL = 900 * SECOND
"""How often a worker renews its claim, in milliseconds."""

# How likely a run is to end otherwise than completed.
_FATES = (
    ("failure", 0.035),
    ("claim-expired", 0.01),
    ("worker-shutdown", 0.012),
    ("intermittent-task", 0.006),
    ("malformed-payload", 0.004),
    ("deadline-exceeded", 0.002),
)
# How much of its work a run has done at most when it is cut short by this.
_MOST_DONE = {
    "claim-expired": 1.0,
    "worker-shutdown": 1.0,
    "intermittent-task": 1.0,
    "malformed-payload": 0.05,
}
_UNTIL_NOTICED = (1, 30)  # that a claim was not renewed; in seconds, least and most


class SimulatedArtifact(NamedTuple):
    """A file that a run leaves."""

    storage_type: str
    name: str
    content_type: str


_UNTIL_LOG = 1500  # in milliseconds
_LOG = SimulatedArtifact("reference", "public/logs/live.log", "text/plain; charset=utf-8")
_LOST_LOG = SimulatedArtifact("error", "public/logs/live_backing.log", "text/plain; charset=utf-8")
# By kind, what a run leaves besides its log.
_ARTIFACTS = {
    "docker-image": SimulatedArtifact("object", "public/image.tar.zst", "application/zstd"),
    "toolchain": SimulatedArtifact("object", "public/build/toolchain.tar.zst", "application/zstd"),
    "build": SimulatedArtifact("object", "public/build/target.tar.xz", "application/x-xz"),
    "test": SimulatedArtifact("link", "public/test_info/errorsummary.log", "text/plain"),
}


class Fate(NamedTuple):
    """What becomes of a run. Times are in milliseconds from its start.

    Attributes:
        reason: Why it ends, as the queue words it.
        artifacts: What it uploads, and when.
        worked: For how long its worker works on it, and hence renews its claim.
        ends: When the queue hears of its end; None if it hangs.
    """

    reason: str
    artifacts: tuple[tuple[int, SimulatedArtifact], ...]
    worked: int
    ends: int | None


def fate_of(task: SimulatedTask, random: Random, faults: frozenset[str]) -> Fate:
    """Draw what becomes of a task's run; a decision task's completes.

    Args:
        task: The task that is run.
        random: Where chance comes from.
        faults: What may go wrong.
    """
    length, name = task.planned.duration * SECOND, "completed"
    if not task.is_decision:
        length *= 0.6 + 0.7 * random.random()
        name = draw_weighted(random, _FATES, faults) or name
    artifacts = _artifacts(task.planned.kind, name, length)
    if name == "deadline-exceeded":
        return Fate(name, artifacts, task.group.lifetime, None)
    part = _MOST_DONE[name] * random.random() if name in _MOST_DONE else 1.0
    worked = ends = int(part * length)
    if name == "claim-expired":  # nobody tells the queue, so it waits
        ends = worked // RENEWAL * RENEWAL + CLAIM + draw_between(random, _UNTIL_NOTICED)
    return Fate("failed" if name == "failure" else name, artifacts, worked, ends)


def _artifacts(kind: str, fate: str, length: float) -> tuple[tuple[int, SimulatedArtifact], ...]:
    log, late = (_UNTIL_LOG, _LOG), int(0.97 * length)
    if fate == "failure":
        return log, (late, _LOST_LOG)
    if fate == "completed" and kind in _ARTIFACTS:
        return log, (late, _ARTIFACTS[kind])
    return (log,)
