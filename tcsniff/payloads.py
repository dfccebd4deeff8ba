"""From a bare payload of the queue back to the message that it came in.

Pure. Every routing key follows from its payload; the exchange mostly does, from
what the payload holds (``services/queue/src/exchanges.js``).
"""

from __future__ import annotations

from typing import Any

import orjson

from tcsniff.deliveries import Delivery
from tcsniff.exchanges import PLACEHOLDER, find

_BY_STATE = {
    "pending": "task-pending",
    "completed": "task-completed",
    "failed": "task-failed",
    "exception": "task-exception",
}


def delivery_of(text: bytes) -> Delivery:
    """Tell which message a payload was the body of.

    Its routes are in no payload: the delivery has none. A group's message with
    no more than its ids may have been about its resolution or its sealing; it
    is taken for the former.

    Args:
        text: JSON.

    Raises:
        ValueError: If it is no payload of the queue's.
    """
    payload = orjson.loads(text)
    if not isinstance(payload, dict):
        raise ValueError("not an object")  # noqa: TRY004 - of the text, not of the argument
    status = payload.get("status")
    if isinstance(status, dict) and isinstance(status.get("taskId"), str):
        return _delivery(_task_event(payload, status), payload | status, payload, text)
    if isinstance(payload.get("taskGroupId"), str):
        name = "task-group-resolved"
        if "newPriority" in payload:
            name = "task-group-priority-changed"
        return _delivery(name, payload, payload, text)
    raise ValueError("neither a record nor a payload of the queue's")


def _task_event(payload: dict[str, Any], status: dict[str, Any]) -> str:
    if "artifact" in payload:
        return "artifact-created"
    if "newPriority" in payload:
        return "task-priority-changed"
    if "takenUntil" in payload:
        return "task-running"
    number, runs = payload.get("runId"), status.get("runs")
    if isinstance(number, int) and isinstance(runs, list) and 0 <= number < len(runs):
        state = runs[number].get("state") if isinstance(runs[number], dict) else None
    else:
        # In v19 a definition told the state that the task had by then.
        state = "exception" if status.get("state") == "exception" else None
    return _BY_STATE.get(str(state), "task-defined")


def _delivery(name: str, values: dict[str, Any], payload: dict[str, Any], text: bytes) -> Delivery:
    exchange = find(name)
    # What is about a run or a worker stands beside the status, never in it.
    values = values | {field: payload.get(field) for field in ("runId", "workerGroup", "workerId")}
    words = [
        field.constant or str(_or_placeholder(values.get(field.name))) for field in exchange.fields
    ]
    return Delivery(exchange.address, ".".join(words), text.strip())


def _or_placeholder(value: object) -> object:
    return PLACEHOLDER if value is None else value
