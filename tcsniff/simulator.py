"""A seeded simulator of Taskcluster's queue: made-up task groups, as deliveries.

Pure. What the queue does when, and in which order it tells, follows
``services/queue/src`` of the taskcluster repository at v106.0.0. Inside, time
is in whole milliseconds since the Unix epoch.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from random import Random
from typing import Any

import orjson

from tcsniff.deliveries import Delivery
from tcsniff.errors import UsageError, suggestion
from tcsniff.exchanges import CATALOG, PLACEHOLDER, ROUTE
from tcsniff.taskgraphs import Plan, PlannedTask, plan

__all__ = ["FAULTS", "Plan", "PlannedTask", "plan", "plans", "simulate"]

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

# How likely a run is to end otherwise than completed.
_FATES = (
    ("failure", 0.035),
    ("claim-expired", 0.01),
    ("worker-shutdown", 0.012),
    ("intermittent-task", 0.006),
    ("malformed-payload", 0.004),
    ("deadline-exceeded", 0.002),
)
# How likely a message is to meet this on its way; never two of them.
_ACCIDENTS = (("late", 0.025), ("duplicate", 0.01), ("redelivery", 0.004))
_REPEATS = {"duplicate", "redelivery"}
# How likely a user is to run a task again, by how it ended.
_RERUN = {"failed": 0.5, "claim-expired": 0.5, "worker-shutdown": 0.5, "completed": 0.006}
_CANCELED = 0.012  # share of tasks
_REPRIORITISED = 0.015  # share of tasks
_RETRIED = {  # why the queue runs a task again by itself: why that run was created
    "claim-expired": "retry",
    "worker-shutdown": "retry",
    "intermittent-task": "task-retry",
}
# How much of its work a run has done at most when it is cut short by this.
_MOST_DONE = {**dict.fromkeys(_RETRIED, 1.0), "malformed-payload": 0.05}
_ENDS_WORKER = {"claim-expired", "worker-shutdown"}
_LEAVES_ARTIFACT = {"completed", "failure"}
_ORDINARY = {"completed", "failed"}
_OPEN = {"unscheduled", "pending", "running"}
_KEPT = ("workerGroup", "workerId", "takenUntil", "scheduled", "started")  # when a run ends
_PRIORITIES = ("highest", "very-high", "high", "medium", "low", "very-low", "lowest")
_MOST_RUNS = 50  # of a task, by the queue's limit
# By kind, what a run leaves besides its log: storage type, name and content type.
_ARTIFACTS = {
    "docker-image": ("object", "public/image.tar.zst", "application/zstd"),
    "toolchain": ("object", "public/build/toolchain.tar.zst", "application/zstd"),
    "build": ("object", "public/build/target.tar.xz", "application/x-xz"),
    "test": ("link", "public/test_info/errorsummary.log", "text/plain"),
}
_LOG = ("reference", "public/logs/live.log", "text/plain; charset=utf-8")
_LOST_LOG = ("error", "public/logs/live_backing.log", "text/plain; charset=utf-8")

_GCP_ZONES = ("us-central1-a", "us-central1-c", "us-west1-a", "us-west1-b", "us-east1-d")
_AWS_ZONES = ("us-east-1", "us-west-2", "eu-central-1")

# In milliseconds.
_SECOND = 1000
_CLAIM = 1200 * _SECOND  # how long a claim holds
_RENEWAL = 900 * _SECOND  # how often a worker renews it
_DEADLINE = 3600 * _SECOND
_FAR_DEADLINE = 24 * _DEADLINE
_EXPIRES = 28 * _FAR_DEADLINE
_RESOLVER = 60 * _SECOND  # how long the queue waits with tasks past their deadline
_LATENCY = 20  # between queue and listener

# In seconds, least and most; the simulator draws from between.
_UNTIL_NEXT_GROUP = (240, 560)
_UNTIL_CLAIMED = (0.3, 25)
_UNTIL_SCHEDULED = (0.1, 5)  # the dependency resolver looks every 5 seconds
_UNTIL_RERUN = (30, 240)
_UNTIL_CANCELED = (120, 900)
_UNTIL_GROUP_CANCELED = (90, 240)
_UNTIL_REPRIORITISED = (1, 300)
_UNTIL_GROUP_REPRIORITISED = (20, 120)
_UNTIL_NOTICED = (1, 30)  # that a claim was not renewed
_UNTIL_REPEATED = (0.1, 20)
_LATE_BY = (1, 30)
_JITTER = (0, 0.06)  # among messages that are not late
_PER_GAP = sum(_UNTIL_NEXT_GROUP) / 2 / 1.1  # a worker's work until the next group, in seconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ADDRESS = {exchange.name: exchange.address for exchange in CATALOG if exchange.service == "queue"}

_Json = dict[str, Any]
_Action = Callable[[], None]


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
            near = suggestion(fault, FAULTS) or f"; known: {', '.join(FAULTS)}"
            raise UsageError(f"no fault {fault!r}{near}")
    random = Random(f"queue {seed}")
    agenda = _Agenda(round(start * _SECOND), random, frozenset(faults))
    queue = _Queue(agenda, random, frozenset(faults))
    agenda.at(0, partial(_begin, agenda, queue, plans(seed=seed, tasks=tasks, groups=groups)))
    return agenda.deliveries()


def plans(*, seed: int, tasks: int = 60, groups: int | None = None) -> Iterator[Plan]:
    """Make up the task groups that `simulate` runs, given the same arguments."""
    for number in itertools.count() if groups is None else range(groups):
        yield plan(Random(f"group {seed} {number}"), tasks=tasks)


def _begin(agenda: _Agenda, queue: _Queue, ahead: Iterator[Plan]) -> None:
    planned = next(ahead, None)
    if planned is not None:
        queue.begin(planned)
        agenda.after(_UNTIL_NEXT_GROUP, partial(_begin, agenda, queue, ahead))


class _Agenda:
    """What is yet to happen, and the way of messages to a listener.

    Attributes:
        now: The time, in milliseconds since the Unix epoch.
    """

    def __init__(self, start: int, random: Random, faults: frozenset[str]) -> None:
        self.now = start
        self._random = random
        self._faults = faults
        self._counter = itertools.count()  # what is due at one time happens as it was put in
        self._heap: list[tuple[int, int, _Action | Delivery]] = []

    def between(self, seconds: tuple[float, float]) -> int:
        """Draw a time, in milliseconds."""
        least, most = seconds
        return int(_SECOND * (least + (most - least) * self._random.random()))

    def at(self, delay: int, what: _Action | Delivery) -> None:
        """Put in what happens, or arrives, so many milliseconds from now."""
        heappush(self._heap, (self.now + delay, next(self._counter), what))

    def after(self, seconds: tuple[float, float], what: _Action | Delivery) -> None:
        """Put in what happens, or arrives, within so many seconds."""
        self.at(self.between(seconds), what)

    def send(self, delivery: Delivery) -> None:
        """Let a message find its way to the listener."""
        latency = _LATENCY
        if "late" in self._faults:
            latency += self.between(_JITTER)
        accident = _drawn(self._random, _ACCIDENTS, self._faults)
        if accident == "late":
            latency += self.between(_LATE_BY)
        self.at(latency, delivery)
        if accident in _REPEATS:
            again = delivery._replace(redelivered=accident == "redelivery")
            self.after(_UNTIL_REPEATED, again)

    def deliveries(self) -> Iterator[tuple[float, Delivery]]:
        """Let everything happen, in order of time."""
        while self._heap:
            self.now, _, what = heappop(self._heap)
            if isinstance(what, Delivery):
                yield self.now / _SECOND, what
            else:
                what()


class _Pool:
    """A worker pool: workers without a task, and runs without a worker."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0
        self.idle: list[tuple[str, str]] = []
        self.waiting: list[tuple[int, int, _Task, int]] = []  # the most urgent first
        self.counter = itertools.count()


class _Group:
    """A task group, for as long as anything can happen to it."""

    def __init__(self, number: int, planned: Plan, now: int, lifetime: int) -> None:
        self.number = number
        self.plan = planned
        self.lifetime = lifetime
        self.deadline = now + lifetime
        self.unresolved = 0  # tasks defined and never resolved: a rerun does not count again
        self.fields = {
            "taskGroupId": planned.task_group_id,
            "schedulerId": planned.scheduler_id,
            "expires": _text(now + _EXPIRES),
        }
        self.tasks = [_Task(task, self) for task in planned.tasks]
        by_id = {task.planned.task_id: task for task in self.tasks}
        for task in self.tasks:
            for dependency in task.planned.dependencies:
                by_id[dependency].dependents.append(task)


class _Task:
    """A task as the queue's database knows it.

    Attributes:
        status: What messages say of it, in the order of messages; empty until
            the task is defined.
        unmet: Ids of the dependencies that it still waits for.
        resolved: Whether it ever was.
        worker: Who runs it now.
    """

    def __init__(self, planned: PlannedTask, group: _Group) -> None:
        pool = f"{planned.provisioner_id}.{planned.worker_type}"
        scheduler, group_id = group.plan.scheduler_id, group.plan.task_group_id
        self.planned = planned
        self.group = group
        self.status: _Json = {}
        self.unmet = set(planned.dependencies)
        self.dependents: list[_Task] = []
        self.resolved = False
        self.worker: tuple[str, str] | None = None
        self.tags = dict(planned.tags)
        self.cc = tuple(ROUTE + route for route in planned.routes)
        self.head = f"primary.{planned.task_id}"
        self.tail = f"{pool}.{scheduler}.{group_id}.{PLACEHOLDER}"

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


class _Queue:
    """The queue, its workers and its users."""

    def __init__(self, agenda: _Agenda, random: Random, faults: frozenset[str]) -> None:
        self._agenda = agenda
        self._random = random
        self._faults = faults
        self._lifetime = _DEADLINE if "deadline-exceeded" in faults else _FAR_DEADLINE
        self._begun = 0
        self._pools: dict[str, _Pool] = {}

    # The life of a group.

    def begin(self, planned: Plan) -> None:
        """Create a decision task, which does the rest."""
        group = _Group(self._begun, planned, self._agenda.now, self._lifetime)
        self._begun += 1
        self._hire(planned)
        self._define(group.tasks[0])

    def _hire(self, planned: Plan) -> None:
        # What the worker manager is for: as many workers as can do a group's
        # work before the next begins, so that no queue grows without end.
        work: dict[str, float] = {}
        for task in planned.tasks:
            name = f"{task.provisioner_id}/{task.worker_type}"
            work[name] = work.get(name, 0) + task.duration
        for name, seconds in work.items():
            pool = self._pools.setdefault(name, _Pool(name))
            while pool.size < 2 + math.ceil(seconds / _PER_GAP):
                pool.size += 1
                pool.idle.append(_worker(self._random, name))

    def _decide(self, group: _Group) -> None:
        # All before the decision task ends, which takes 20 seconds at least.
        others = group.tasks[1:]
        for number, task in enumerate(others):
            moment = 6 * _SECOND + number * min(40, 10 * _SECOND // len(others))
            self._agenda.at(moment, partial(self._define, task))
        self._agenda.at(group.lifetime + _RESOLVER, partial(self._expire, group))
        if group.number % 6 == 1 and "cancel-group" in self._faults:
            self._agenda.after(_UNTIL_GROUP_CANCELED, partial(self._cancel_group, group))
        if group.number % 3 == 0 and "priority-change" in self._faults:
            self._agenda.after(_UNTIL_GROUP_REPRIORITISED, partial(self._lift_group, group))

    def _cancel_group(self, group: _Group) -> None:
        group.fields["sealed"] = _text(self._agenda.now)
        self._announce_group("task-group-sealed", group, group.fields)
        for number, task in enumerate(task for task in group.tasks if task.is_open):
            self._agenda.at(500 + 30 * number, partial(self._cancel, task, by_group=True))

    def _lift_group(self, group: _Group) -> None:
        affected = [task for task in group.tasks if task.is_open]
        priority = self._random.choice(_PRIORITIES[:-3])
        for task in affected:
            task.status["priority"] = priority
        fields = {
            "taskGroupId": group.plan.task_group_id,
            "schedulerId": group.plan.scheduler_id,
            "newPriority": priority,
            "tasksAffected": len(affected),
        }
        self._announce_group("task-group-priority-changed", group, fields)

    def _expire(self, group: _Group) -> None:
        for task in group.tasks:
            if task.is_open:
                self._resolve(task, "deadline-exceeded")

    # The life of a task, before a worker has it.

    def _define(self, task: _Task) -> None:
        task.define(self._agenda.now)
        task.group.unresolved += 1
        self._announce("task-defined", task, PLACEHOLDER, None, {"task": {"tags": task.tags}})
        if not task.unmet:
            self._schedule(task)
        if task.is_decision:
            return
        if self._happens("cancel", _CANCELED):
            self._agenda.after(_UNTIL_CANCELED, partial(self._cancel, task))
        if self._happens("priority-change", _REPRIORITISED):
            self._agenda.after(_UNTIL_REPRIORITISED, partial(self._lift, task))

    def _schedule(self, task: _Task) -> None:
        if task.status.get("state") == "unscheduled":
            self._add_run(task, "scheduled")
            self._offer_run(task)

    def _rerun(self, task: _Task) -> None:
        if self._agenda.now < task.group.deadline and not task.is_open:
            runs = len(task.status["runs"])
            task.status["retriesLeft"] = min(task.planned.retries, _MOST_RUNS - runs - 1)
            self._add_run(task, "rerun")
            self._offer_run(task)

    def _cancel(self, task: _Task, *, by_group: bool = False) -> None:
        if task.is_open:
            self._resolve(task, "canceled", by_group=by_group)

    def _lift(self, task: _Task) -> None:
        if task.is_open:
            old = task.status["priority"]
            new = _PRIORITIES[_PRIORITIES.index(old) - 2]
            task.status["priority"] = new
            changed = {"oldPriority": old, "newPriority": new}
            self._announce("task-priority-changed", task, PLACEHOLDER, None, changed)

    def _add_run(self, task: _Task, reason: str) -> None:
        runs = task.status["runs"]
        run = {"runId": len(runs), "state": "pending", "reasonCreated": reason}
        task.status["state"] = "pending"
        runs.append({**run, "scheduled": _text(self._agenda.now)})

    def _offer_run(self, task: _Task) -> None:
        run = len(task.status["runs"]) - 1
        fields = {"runId": run, "task": {"tags": task.tags}}
        self._announce("task-pending", task, run, None, fields)
        pool = self._pools[task.status["taskQueueId"]]
        urgency = _PRIORITIES.index(task.status["priority"])
        heappush(pool.waiting, (urgency, next(pool.counter), task, run))
        self._match(pool)

    # A run.

    def _match(self, pool: _Pool) -> None:
        while pool.idle and pool.waiting:
            _, _, task, run = heappop(pool.waiting)
            claim = partial(self._claim, pool, pool.idle.pop(), task, run)
            self._agenda.after(_UNTIL_CLAIMED, claim)

    def _claim(self, pool: _Pool, worker: tuple[str, str], task: _Task, run: int) -> None:
        if not task.is_at(run, "pending"):
            pool.idle.append(worker)
            self._match(pool)
            return
        now = self._agenda.now
        task.worker = worker
        task.status["state"] = "running"
        task.status["runs"][run] = _claimed(task.status["runs"][run], worker, now)
        fields = {
            "runId": run,
            **_worker_fields(worker),
            "takenUntil": _postgres_text(now + _CLAIM),
            "task": {"tags": task.tags},
        }
        self._announce("task-running", task, run, worker, fields)
        self._work(task, run)

    def _work(self, task: _Task, run: int) -> None:
        length = task.planned.duration * _SECOND
        fate = "completed"
        if task.is_decision:
            self._decide(task.group)
        else:
            length *= 0.6 + 0.7 * self._random.random()
            fate = _drawn(self._random, _FATES, self._faults) or fate
        self._agenda.at(1500, partial(self._upload, task, run, _LOG))
        if fate in _LEAVES_ARTIFACT:
            artifact = _LOST_LOG if fate == "failure" else _ARTIFACTS.get(task.planned.kind)
            if artifact is not None:
                self._agenda.at(int(0.97 * length), partial(self._upload, task, run, artifact))
        self._plan_end(task, run, fate, length)

    def _plan_end(self, task: _Task, run: int, fate: str, length: float) -> None:
        part = _MOST_DONE[fate] * self._random.random() if fate in _MOST_DONE else 1.0
        worked = self._lifetime if fate == "deadline-exceeded" else int(part * length)
        if worked > _RENEWAL:
            self._agenda.at(_RENEWAL, partial(self._renew, task, run, self._agenda.now + worked))
        if fate == "claim-expired":  # nobody tells the queue, so it waits
            worked = worked // _RENEWAL * _RENEWAL + _CLAIM + self._agenda.between(_UNTIL_NOTICED)
        if fate != "deadline-exceeded":  # that is up to the queue: the run hangs
            reason = "failed" if fate == "failure" else fate
            self._agenda.at(worked, partial(self._report, task, run, reason))

    def _renew(self, task: _Task, run: int, last: int) -> None:
        now = self._agenda.now
        if task.is_at(run, "running") and now < last:
            task.status["runs"][run]["takenUntil"] = _text(now + _CLAIM)
            self._agenda.at(_RENEWAL, partial(self._renew, task, run, last))

    def _upload(self, task: _Task, run: int, artifact: tuple[str, str, str]) -> None:
        if task.is_at(run, "running"):
            storage, name, content = artifact
            made = {
                "storageType": storage,
                "name": name,
                "expires": task.status["expires"],
                "contentType": content,
            }
            fields = {"runId": run, **_worker_fields(task.worker), "artifact": made}
            self._announce("artifact-created", task, run, task.worker, fields)

    def _report(self, task: _Task, run: int, reason: str) -> None:
        if task.is_at(run, "running"):
            self._resolve(task, reason)

    # The end of a run, and perhaps of its task.

    def _resolve(self, task: _Task, reason: str, *, by_group: bool = False) -> None:
        status = task.status
        runs = status["runs"]
        if not runs:
            self._add_run(task, "exception")
        run = len(runs) - 1
        state = reason if reason in _ORDINARY else "exception"
        status["state"] = state
        runs[run] = _ended(runs[run], state, reason, _text(self._agenda.now))
        worker = self._release(task, reason)
        retried = reason in _RETRIED and status["retriesLeft"] > 0
        if retried:
            status["retriesLeft"] -= 1
            self._add_run(task, _RETRIED[reason])
        # The queue names no worker when it gives up on a task itself.
        named = None if reason == "deadline-exceeded" else worker
        tags = {} if by_group else task.tags  # by a flaw of the queue
        fields = {"runId": run, "task": {"tags": tags}, **_worker_fields(named)}
        self._announce(f"task-{state}", task, run, named, fields, by_group=by_group)
        if retried:
            self._offer_run(task)
        else:
            self._settle(task, reason)

    def _release(self, task: _Task, reason: str) -> tuple[str, str] | None:
        worker, task.worker = task.worker, None
        if worker is not None:
            pool = self._pools[task.status["taskQueueId"]]
            gone = reason in _ENDS_WORKER
            pool.idle.append(_worker(self._random, pool.name) if gone else worker)
            self._match(pool)
        return worker

    def _settle(self, task: _Task, reason: str) -> None:
        group = task.group
        group.unresolved -= not task.resolved
        task.resolved = True
        for dependent in task.dependents:
            if reason == "completed" or dependent.planned.requires == "all-resolved":
                self._satisfy(dependent, task.planned.task_id)
        if not group.unresolved:
            self._announce_group("task-group-resolved", group, group.fields)
        if not task.is_decision and self._happens("rerun", _RERUN.get(reason, 0)):
            self._agenda.after(_UNTIL_RERUN, partial(self._rerun, task))

    def _satisfy(self, dependent: _Task, dependency: str) -> None:
        if dependency in dependent.unmet:
            dependent.unmet.remove(dependency)
            if not dependent.unmet:
                self._agenda.after(_UNTIL_SCHEDULED, partial(self._schedule, dependent))

    # Chance, and what is told.

    def _happens(self, fault: str, chance: float) -> bool:
        return fault in self._faults and self._random.random() < chance

    def _announce(
        self,
        name: str,
        task: _Task,
        run: int | str,
        worker: tuple[str, str] | None,
        fields: _Json,
        *,
        by_group: bool = False,
    ) -> None:
        status = task.status
        if by_group:
            status = {key: value for key, value in status.items() if key != "priority"}
        group, name_of_worker = worker or (PLACEHOLDER, PLACEHOLDER)
        self._agenda.send(
            Delivery(
                _ADDRESS[name],
                f"{task.head}.{run}.{group}.{name_of_worker}.{task.tail}",
                orjson.dumps({"status": status, **fields, "version": 1}),
                task.cc,
            )
        )

    def _announce_group(self, name: str, group: _Group, fields: Mapping[str, object]) -> None:
        key = f"primary.{group.plan.task_group_id}.{group.plan.scheduler_id}.{PLACEHOLDER}"
        body = orjson.dumps({**fields, "version": 1})
        self._agenda.send(Delivery(_ADDRESS[name], key, body))


def _drawn(
    random: Random, chances: tuple[tuple[str, float], ...], allowed: frozenset[str]
) -> str | None:
    # One throw for all of them, so that the chances add up.
    thrown = random.random()
    for name, chance in chances:
        if thrown < chance:
            return name if name in allowed else None
        thrown -= chance
    return None


def _claimed(run: _Json, worker: tuple[str, str], now: int) -> _Json:
    return {
        "runId": run["runId"],
        "state": "running",
        "reasonCreated": run["reasonCreated"],
        **_worker_fields(worker),
        "takenUntil": _text(now + _CLAIM),
        "scheduled": run["scheduled"],
        "started": _text(now),
    }


def _ended(run: _Json, state: str, reason: str, now: str) -> _Json:
    kept = {name: run[name] for name in _KEPT if name in run}
    return {
        "runId": run["runId"],
        "state": state,
        "reasonCreated": run["reasonCreated"],
        "reasonResolved": reason,
        **kept,
        "resolved": now,
    }


def _worker_fields(worker: tuple[str, str] | None) -> _Json:
    return {} if worker is None else {"workerGroup": worker[0], "workerId": worker[1]}


def _worker(random: Random, pool: str) -> tuple[str, str]:
    # Each cloud, and each data center, has its own way of naming.
    if pool.startswith("aws-provisioner/"):
        return random.choice(_AWS_ZONES), f"i-{random.getrandbits(68):017x}"
    if "osx" in pool and pool.startswith("gecko-t/"):
        return "mdc1", f"macmini-m4-{random.randrange(1, 400)}"
    return random.choice(_GCP_ZONES), str(10**18 + random.randrange(8 * 10**18))


def _text(moment: int) -> str:
    """Word a time as JavaScript does: three digits of a second, then Z."""
    text = (_EPOCH + timedelta(milliseconds=moment)).isoformat(timespec="milliseconds")
    return f"{text[:-6]}Z"


def _postgres_text(moment: int) -> str:
    """Word a time as PostgreSQL does: digits as needed, then the offset."""
    seconds, _, fraction = _text(moment)[:-1].partition(".")
    fraction = fraction.rstrip("0")
    return f"{seconds}.{fraction}+00:00" if fraction else f"{seconds}+00:00"
