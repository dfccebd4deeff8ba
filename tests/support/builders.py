"""Makes values for tests, every detail that a test does not name filled in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from paths import DATA
from tcsniff.browse.event_rows import EventRow, build_rows
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import PLACEHOLDER, ROUTE, find_exchange

TASK, OTHER_TASK = "fN1SbArXTPSVFNUvaOlinQ", "G41B6K1FS32lQTjXgb4J2g"
GROUP = "JFjlQCTkRuWyz2yqxLnGNw"
SCHEDULED, STARTED = "2026-11-23T18:00:00.000Z", "2026-11-23T18:00:03.000Z"
RESOLVED, RECEIVED = "2026-11-23T18:01:05.000Z", "2026-11-23T18:01:05.250Z"
LATER = "2026-11-24T18:00:00.000Z"

STATES = {
    "task-defined": "unscheduled",
    "task-pending": "pending",
    "task-running": "running",
    "artifact-created": "running",
    "task-completed": "completed",
    "task-failed": "failed",
    "task-exception": "exception",
    "task-priority-changed": "pending",
}
CLAIMED = {"running", "completed", "failed", "exception"}
_ABOUT_NO_RUN = {"task-defined", "task-priority-changed"}

# What `delivery` fills in. `key`, `body` and `payload` beat what would be made
# of the others; `payload` is laid over it, top level by top level.
DETAILS: dict[str, Any] = {
    "task_id": TASK,
    "group": GROUP,
    "run": 0,
    "provisioner": "gecko-t",
    "worker_type": "t-linux-large",
    "worker_group": "us-east-1",
    "worker_id": "i-0a1b2c3d",
    "scheduler": "gecko-level-1",
    "label": "test-linux/opt-1",
    "reason": "claim-expired",
    "retried": False,
    "words": {},
    "routes": (),
    "cc": (),
    "redelivered": False,
    "received": RECEIVED,
    "exchange": None,
    "key": None,
    "payload": {},
    "body": None,
}


def delivery(event: str = "task-running", **details: Any) -> Delivery:
    """Make a delivery as Taskcluster would send it.

    Args:
        event: Name of an exchange of the catalog.
        details: Of `DETAILS`; `words` are values of further routing key fields.
    """
    assert details.keys() <= DETAILS.keys(), details
    known = SimpleNamespace(**(DETAILS | details))
    body = known.body
    return Delivery(
        exchange=known.exchange or find_exchange(event).address,
        routing_key=_key(event, known) if known.key is None else known.key,
        body=orjson.dumps(_payload(event, known) | known.payload) if body is None else body,
        cc=(*(ROUTE + route for route in known.routes), *known.cc),
        redelivered=known.redelivered,
        received=known.received,
    )


def worker_event(
    event: str = "worker-running",
    *,
    pool: str = "gecko-t/t-linux-large",
    worker: str = "i-0a1b2c3d",
    time: str = STARTED,
    **payload: Any,
) -> Delivery:
    """Make a delivery as worker-manager would send it.

    Args:
        event: Name of an exchange of `exchanges.WORKER_EVENTS`.
        pool: The worker pool.
        worker: The ID of the worker.
        time: When it happened.
        payload: Further fields of the payload.
    """
    provisioner, worker_type = pool.split("/")
    fields = {"workerId": worker, "workerGroup": "us-east-1", "timestamp": time, **payload}
    return delivery(
        event,
        provisioner=provisioner,
        worker_type=worker_type,
        worker_id=worker,
        payload={"workerPoolId": pool, "providerId": "google", **fields},
    )


def event(name: str = "task-running", **details: Any) -> Event:
    """Make an event, as `delivery` makes deliveries."""
    return Event(delivery(name, **details))


def row_of(event: Event) -> EventRow:
    """Make the row that `browse` has of an event."""
    return build_rows([event.delivery])[0]


@contextmanager
def time_zone(name: str) -> Iterator[None]:
    """Let local time be that of a zone, such as ``UTC``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", name)
        time.tzset()
        yield
    time.tzset()


def samples() -> list[Delivery]:
    """Read the sample messages, with the bytes of their bodies."""
    found = []
    for line in (DATA / "samples.jsonl").read_bytes().splitlines():
        record = orjson.loads(line)
        found.append(
            Delivery(
                exchange=record["exchange"],
                routing_key=record["routingKey"],
                body=line.partition(b'"payload":')[2].removesuffix(b"}"),
                cc=tuple(ROUTE + route for route in record["routes"]),
                redelivered=record["redelivered"],
            )
        )
    return found


def _key(event: str, known: SimpleNamespace) -> str:
    words = {
        "taskId": known.task_id,
        "provisionerId": known.provisioner,
        "workerType": known.worker_type,
        "schedulerId": known.scheduler,
        "taskGroupId": known.group,
        "organization": "mozilla",
        "repository": "gecko",
        "action": "opened",
        "topic": "some.topic",
        "providerId": "google",
    }
    if event not in _ABOUT_NO_RUN:
        words["runId"] = str(known.run)
    if STATES.get(event) in CLAIMED or find_exchange(event).service == "worker-manager":
        words |= {"workerGroup": known.worker_group, "workerId": known.worker_id}
    words |= known.words
    fields = find_exchange(event).fields
    return ".".join(one.constant or words.get(one.name, PLACEHOLDER) for one in fields)


def _payload(event: str, known: SimpleNamespace) -> dict[str, Any]:
    if event.startswith("task-group-"):
        return _group_payload(event, known)
    if event not in STATES:
        return {"timestamp": STARTED} if find_exchange(event).service == "worker-manager" else {}
    payload: dict[str, Any] = {"status": _status(event, known), "version": 1}
    worker = {"workerGroup": known.worker_group, "workerId": known.worker_id}
    if event not in _ABOUT_NO_RUN:
        payload["runId"] = known.run
    if STATES[event] in CLAIMED:
        payload |= worker
    if event == "task-running":
        payload["takenUntil"] = LATER
    if event == "artifact-created":
        payload["artifact"] = {
            "storageType": "reference",
            "name": "public/logs/live.log",
            "expires": LATER,
            "contentType": "text/plain",
        }
    elif event == "task-priority-changed":
        payload |= {"oldPriority": "low", "newPriority": "high"}
    else:
        payload["task"] = {"tags": {"label": known.label} if known.label else {}}
    return payload


def _group_payload(event: str, known: SimpleNamespace) -> dict[str, Any]:
    payload = {"taskGroupId": known.group, "schedulerId": known.scheduler, "version": 1}
    if event == "task-group-priority-changed":
        return payload | {"newPriority": "medium", "tasksAffected": 1}
    payload["expires"] = LATER
    return payload | ({"sealed": STARTED} if event == "task-group-sealed" else {})


def _status(event: str, known: SimpleNamespace) -> dict[str, Any]:
    runs = _runs(event, known)
    return {
        "taskId": known.task_id,
        "provisionerId": known.provisioner,
        "workerType": known.worker_type,
        "taskQueueId": f"{known.provisioner}/{known.worker_type}",
        "schedulerId": known.scheduler,
        "projectId": "none",
        "taskGroupId": known.group,
        "priority": "low",
        "deadline": LATER,
        "expires": LATER,
        "retriesLeft": 5,
        "state": runs[-1]["state"] if runs else "unscheduled",
        "runs": runs,
    }


def _runs(event: str, known: SimpleNamespace) -> list[dict[str, Any]]:
    if event == "task-defined":
        return []
    runs = [_run(number, "exception", "claim-expired", known) for number in range(known.run)]
    state = STATES[event]
    reason = {"exception": known.reason, "completed": "completed", "failed": "failed"}.get(state)
    runs.append(_run(known.run, state, reason, known))
    return [*runs, _run(known.run + 1, "pending", None, known)] if known.retried else runs


def _run(number: int, state: str, reason: str | None, known: SimpleNamespace) -> dict[str, Any]:
    run: dict[str, Any] = {
        "runId": number,
        "state": state,
        "reasonCreated": "retry" if number else "scheduled",
        "scheduled": SCHEDULED,
    }
    if state in CLAIMED:
        run |= {
            "workerGroup": known.worker_group,
            "workerId": known.worker_id,
            "takenUntil": LATER,
            "started": STARTED,
        }
    return run | ({"reasonResolved": reason, "resolved": RESOLVED} if reason else {})
