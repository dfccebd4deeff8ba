"""What `top` and `runs` should say, computed in the simplest way from messages.

Independent of the program: plain JSON, dictionaries and sorting.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tcsniff.pulse.deliveries import Delivery

TAGS = ("label", "kind", "project")
RANKS = {"pending": 0, "running": 1}
OPEN = set(RANKS)


def seconds(text: str | None) -> float | None:
    """Return a time in seconds since the Unix epoch."""
    return None if text is None else datetime.fromisoformat(text).timestamp()


def between(earlier: str | None, later: str | None) -> float | None:
    """Return the seconds between two times."""
    if earlier is None or later is None:
        return None
    return round(seconds(later) - seconds(earlier), 3)


def read_tasks(messages: Iterable[Delivery]) -> dict[str, dict[str, Any]]:
    """Return the newest status of each task by its ID, with its tags under ``tags``."""
    tasks: dict[str, dict[str, Any]] = {}
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    for message in messages:
        payload = json.loads(message.body)
        if "status" not in payload:
            continue
        status = payload["status"]
        runs = status.get("runs", [])
        age = (len(runs), RANKS.get(runs[-1]["state"], 2) if runs else -1)
        known = tasks.get(status["taskId"])
        if known is None or age > known["age"]:
            tasks[status["taskId"]] = {**status, "runs": runs, "age": age}
        tags[status["taskId"]] |= payload.get("task", {}).get("tags", {})
    return {task_id: {**status, "tags": tags[task_id]} for task_id, status in tasks.items()}


def list_rows(messages: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Return the rows of `runs`, sorted by task and run."""
    rows = []
    for task_id, status in read_tasks(messages).items():
        task = {
            "taskId": task_id,
            "taskGroupId": status["taskGroupId"],
            **{name: status["tags"].get(name) for name in TAGS},
            "taskQueueId": f"{status['provisionerId']}/{status['workerType']}",
            "schedulerId": status["schedulerId"],
        }
        runs = status["runs"]
        if not runs and status["state"] in ("completed", "failed", "exception"):
            rows.append(task | {"runId": None, "state": status["state"], "retried": False})
        for number, run in enumerate(runs):
            if run["state"] in OPEN:
                continue
            names = ("workerGroup", "workerId", "state", "reasonCreated", "reasonResolved")
            times = ("scheduled", "started", "resolved")
            following = runs[number + 1 : number + 2]
            rows.append(
                task
                | {name: run.get(name) for name in (*names, *times)}
                | {
                    "runId": run["runId"],
                    "waited": between(run.get("scheduled"), run.get("started")),
                    "ran": between(run.get("started"), run.get("resolved")),
                    "retried": any(
                        after["reasonCreated"] in ("retry", "task-retry") for after in following
                    ),
                }
            )
    return sorted(rows, key=lambda row: (row["taskId"], row["runId"] is None, row["runId"]))


def name_row(by: str, status: dict[str, Any], run: dict[str, Any]) -> str:
    """Return the row of `top` in which a run counts."""
    if by == "worker":
        worker = run.get("workerId")
        return f"{run.get('workerGroup', '')}/{worker}" if worker else "(no worker)"
    if by == "reason":
        return run.get("reasonResolved") or "(not ended)"
    if by in TAGS:
        return status["tags"].get(by) or f"(no {by})"
    if by == "pool":
        return f"{status['provisionerId']}/{status['workerType']}"
    return status[{"scheduler": "schedulerId", "group": "taskGroupId"}[by]]


def name_state(run: dict[str, Any]) -> str:
    """Return the column of `top` in which a run counts."""
    if run["state"] != "exception":
        return run["state"]
    reason = run.get("reasonResolved")
    if reason in ("claim-expired", "worker-shutdown"):
        return "lost"
    return "canceled" if reason == "canceled" else "exception"


def add_listed_runs(
    tasks: dict[str, dict[str, Any]], before: dict[str, dict[str, Any]], asked: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Return the tasks that `top` counts after it has asked the queue's API.

    Args:
        tasks: What messages say, as `read_tasks` returns it.
        before: All that the queue knew when it was asked, in the same form.
        asked: The tasks whose status was asked for.
    """
    merged = dict(tasks)
    for task_id in asked:
        known = tasks[task_id]
        if before[task_id]["age"] > known["age"]:
            merged[task_id] = {**before[task_id], "tags": known["tags"]}
    for task_id, status in before.items():
        is_open = bool(status["runs"]) and status["runs"][-1]["state"] in OPEN
        if is_open and (task_id not in merged or status["age"] > merged[task_id]["age"]):
            run = dict(status["runs"][-1])
            if run["state"] == "running":
                del run["scheduled"]  # the list lacks it
            merged[task_id] = {**status, "runs": [run]}
    return merged


def count_rows(
    messages: Iterable[Delivery], by: str, now: float, slo: float
) -> dict[str, dict[str, Any]]:
    """Return the numbers of `top` that depend on messages alone, by name of the row."""
    return count_tasks(read_tasks(messages), by, now, slo)


def count_tasks(
    tasks: dict[str, dict[str, Any]], by: str, now: float, slo: float
) -> dict[str, dict[str, Any]]:
    """Return the same from what is known about tasks, as `read_tasks` returns it."""
    members: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for status in tasks.values():
        for run in status["runs"]:
            members[name_row(by, status, run)].append(run)
    return {name: _count_runs(name, runs, now, slo) for name, runs in members.items()}


def _count_runs(name: str, runs: list[dict[str, Any]], now: float, slo: float) -> dict[str, Any]:
    states = ("pending", "running", "completed", "failed", "lost", "canceled", "exception")
    pending = [now - seconds(run["scheduled"]) for run in runs if run["state"] == "pending"]
    started = [
        between(run["scheduled"], run["started"])
        for run in runs
        if "started" in run and "scheduled" in run
    ]
    took = [
        between(run["started"], run["resolved"])
        for run in runs
        if "started" in run and "resolved" in run
    ]
    begun = [seconds(run["started"]) for run in runs if "started" in run]
    decided = len(started) + sum(waited > slo for waited in pending)
    return {
        **{state: sum(name_state(run) == state for run in runs) for state in states},
        "oldest": max(pending, default=None),
        "last": now - max(begun) if begun and not name.startswith("(") else None,
        "waiting": percentiles(pending + started),
        "runningTime": percentiles(took),
        "inTime": sum(waited <= slo for waited in started) / decided if decided else None,
    }


WORKER_STEPS = ("requested", "running", "stopped", "removed")


def count_workers(messages: Iterable[Delivery]) -> dict[str, dict[str, Any]]:
    """Return what `top` says about the workers of each pool."""
    events = {
        (message.exchange.rpartition("/")[2], json.dumps(json.loads(message.body), sort_keys=True))
        for message in messages
        if "taskcluster-worker-manager" in message.exchange
    }
    members: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, body in events:
        payload = json.loads(body)
        members[payload["workerPoolId"]].append({**payload, "event": name})
    return {pool: _count_events(events) for pool, events in members.items()}


def _count_events(events: list[dict[str, Any]]) -> dict[str, Any]:
    times: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        worker = (event.get("workerGroup"), event.get("workerId"))
        times[worker][event["event"]].append(seconds(event["timestamp"]))
    starts = [
        round(min(known["worker-running"]) - min(known["worker-requested"]), 3)
        for known in times.values()
        if "worker-running" in known and "worker-requested" in known
    ]
    errors = [event["kind"] for event in events if event["event"] == "worker-pool-error"]
    return {
        **{step: sum(one["event"] == f"worker-{step}" for one in events) for step in WORKER_STEPS},
        "errors": len(errors),
        "errorKinds": {kind: errors.count(kind) for kind in errors},
        "startTime": percentiles(starts),
    }


def percentiles(durations: list[float]) -> list[float | None]:
    """Return the 50th, 95th, 99th and 100th percentile by nearest rank."""
    if not durations:
        return [None] * 4
    ranks = (max(1, math.ceil(share * len(durations))) for share in (0.5, 0.95, 0.99, 1))
    return [sorted(durations)[rank - 1] for rank in ranks]
