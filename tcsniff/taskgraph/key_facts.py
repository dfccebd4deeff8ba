"""What exchange and routing key say about a message whose body can't be decoded.

Also what a status that is not valid says, as if it were a key.

Pure, except that `KeyFactsByTask` has state. The key of a message about a task names the
task, its group and the run; the exchange says what became of the run. Times and reasons are
only in the body.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tcsniff.messages import STATES
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import parse_routing_key
from tcsniff.pulse.exchanges import BY_ADDRESS, PLACEHOLDER
from tcsniff.pulse.payloads import Run, TaskState, get_path
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.definitions import decode_leniently
from tcsniff.taskgraph.tracker import RESOLVED, Change, Task, measure_age, rank_run

_STATES = {
    "task-pending": "pending",
    "task-running": "running",
    "artifact-created": "running",
    "task-completed": "completed",
    "task-failed": "failed",
    # A retry may follow: then a message about the next run is newer.
    "task-exception": "exception",
}
_UNKNOWN = ""  # the state of a run before the one that the message is about
_MAX_RUN = 999  # as in routing keys, which have three digits


class KeyFacts(NamedTuple):
    """What the key of a message says.

    Attributes:
        event: The exchange's last word, such as ``task-failed``.
        task_group_id: The group; empty if the key does not have the catalog's form.
        task_id: The task; empty for a message about a group.
        run_id: The run; None for a message about no run.
        state: The run's state; ``unscheduled`` for a message about no run.
        words: All words of the key, by field name.
    """

    event: str
    task_group_id: str
    task_id: str
    run_id: int | None
    state: str
    words: dict[str, str]

    def describe(self) -> str:
        """Return a few words about the message; safe for a terminal."""
        event = sanitize(self.event)
        if not self.task_id:
            return event
        run = "" if self.run_id is None else f" of run {self.run_id}"
        return f"{event}{run} of {sanitize(self.task_id)}"

    @property
    def age(self) -> tuple[int, int]:
        """The age, as `measure_age` returns it for a status."""
        return (0, -1) if self.run_id is None else (self.run_id + 1, rank_run(self.state))


class KeyFactsByTask:
    """The newest facts from keys about each task.

    They are kept apart from what bodies say, so that the result is the same for every
    order of messages.
    """

    def __init__(self) -> None:
        self._facts: dict[str, KeyFacts] = {}  # by task ID

    def __bool__(self) -> bool:
        return bool(self._facts)

    def add(self, facts: KeyFacts, task: Task | None) -> Change | None:
        """Add facts about a task.

        Args:
            facts: The facts.
            task: What bodies say about the task; None for nothing.

        Returns:
            The change of the task; None if there is none.
        """
        task_id = facts.task_id
        before = self.update_task(task, task_id)
        known = self._facts.get(task_id)
        # Of two that are equally new, the order of arrival must not decide.
        self._facts[task_id] = facts if known is None else max(known, facts, key=_get_order)
        after = self.update_task(task, task_id)
        return None if after is None or after == before else Change(before, after)

    def update(self, tasks: Iterable[Task]) -> list[Task]:
        """Return tasks with what keys say about them, and those that only keys name."""
        by_id = {task.status.task_id: task for task in tasks}
        task_ids = dict.fromkeys((*by_id, *self._facts))
        updated = (self.update_task(by_id.get(task_id), task_id) for task_id in task_ids)
        return [task for task in updated if task is not None]

    def update_task(self, task: Task | None, task_id: str) -> Task | None:
        """Return a task with what keys say about it; None if nothing is known of it.

        Args:
            task: What bodies say about the task; None for nothing.
            task_id: The task.
        """
        facts = self._facts.get(task_id)
        if facts is None:
            return task
        if task is None:
            return Task(apply_key_facts(None, facts))
        return task._replace(status=apply_key_facts(task.status, facts))


def _get_order(facts: KeyFacts) -> tuple[tuple[int, int], str, str]:
    return facts.age, facts.state, repr(facts.words)


def read_key_facts(delivery: Delivery) -> KeyFacts:
    """Return what exchange and routing key say."""
    exchange = BY_ADDRESS.get(delivery.exchange)
    words = parse_routing_key(exchange, delivery.routing_key) if exchange else {}
    event = delivery.exchange.rpartition("/")[2]
    run_id = None
    state = _STATES.get(event, "unscheduled")
    if event in _STATES:
        text = words.get("runId", PLACEHOLDER)
        # The run is left out of the key where there was none before the end.
        run_id = int(text) if text.isascii() and text.isdecimal() else 0
        run_id = min(run_id, _MAX_RUN)
    return KeyFacts(
        event, words.get("taskGroupId", ""), words.get("taskId", ""), run_id, state, words
    )


def read_status_facts(status: bytes) -> KeyFacts | None:
    """Return the little that a status says which is not valid, such as one with a huge run.

    Args:
        status: A task's status, JSON.

    Returns:
        The state and the number of runs, as a key would say them; None if the status has
        no IDs or no known state.
    """
    value = decode_leniently(status)
    words = dict(_list_texts(value))
    state, task_id, group = (words.get(name, "") for name in ("state", "taskId", "taskGroupId"))
    if not task_id or not group or state not in STATES:
        return None
    runs = get_path(value, "runs")
    number = max(len(runs), 1) - 1 if isinstance(runs, list) else 0
    run_id = None if state == "unscheduled" else min(number, _MAX_RUN)
    return KeyFacts("a status", group, task_id, run_id, state, words)


def _list_texts(value: object) -> list[tuple[str, str]]:
    fields = value.items() if isinstance(value, dict) else ()
    return [(name, text) for name, text in fields if isinstance(text, str) and text.isprintable()]


def apply_key_facts(status: TaskState | None, facts: KeyFacts) -> TaskState:
    """Return a task's status with what a key says, if that is newer.

    Args:
        status: The status as known from others; None if there is none.
        facts: Of a message about the task.
    """
    if status is not None and measure_age(status) >= facts.age:
        return status
    words = facts.words
    if status is None:
        status = TaskState(
            facts.task_id,
            facts.task_group_id,
            "unscheduled",
            words.get("schedulerId", ""),
            words.get("provisionerId", ""),
            words.get("workerType", ""),
        )
    if facts.run_id is None:
        return status
    runs = list(status.runs[: facts.run_id + 1])
    runs += [Run(number, _UNKNOWN) for number in range(len(runs), facts.run_id + 1)]
    last = runs[-1]
    runs[-1] = msgspec.structs.replace(
        last,
        state=facts.state,
        worker_group=last.worker_group or _get_word(words, "workerGroup"),
        worker_id=last.worker_id or _get_word(words, "workerId"),
        reason_resolved=last.reason_resolved
        or (facts.state if facts.state in RESOLVED - {"exception"} else None),
    )
    return msgspec.structs.replace(status, state=facts.state, runs=tuple(runs))


def _get_word(words: dict[str, str], name: str) -> str | None:
    word = words.get(name, PLACEHOLDER)
    return None if word == PLACEHOLDER else word
