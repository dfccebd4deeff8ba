"""Runs that the queue's API lists as pending or running in a worker pool.

Pure. Sources: the queue's schemas ``list-pending-tasks-response`` and
``list-claimed-tasks-response``, ``services/queue/schemas/v1`` of the taskcluster repository
at v106.0.0.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import orjson

from tcsniff.identifiers import MAX_RUN_ID
from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import PLACEHOLDER, ROUTE, find_exchange
from tcsniff.pulse.payloads import (
    DECODE_ERRORS,
    Run,
    TaggedTask,
    Tags,
    TaskPayload,
    TaskState,
    read_json,
)
from tcsniff.taskgraph.tracker import Task

_NAMELESS = Tags()


class ListedRun(NamedTuple):
    """A run that is pending or running.

    Attributes:
        task: The task. Of its runs only this one is known.
        routes: The task's routes, without ``route.``.
    """

    task: Task
    routes: tuple[str, ...] = ()

    def build_delivery(self) -> Delivery:
        """Return a message as the queue published it, as far as that is known."""
        status, run = self.task.status, self.task.runs[-1]
        worker = (run.worker_group or PLACEHOLDER, run.worker_id or PLACEHOLDER)
        pool = (status.provisioner_id, status.worker_type)
        words = (status.task_id, str(run.run_id), *worker, *pool)
        key = ("primary", *words, status.scheduler_id, status.task_group_id, PLACEHOLDER)
        tags = Tags(*(text or None for text in self.task[1:]))
        payload = msgspec.to_builtins(TaskPayload(status, TaggedTask(tags), run.run_id))
        payload["status"] |= {
            "schedulerId": status.scheduler_id,
            "taskQueueId": self.task.pool,
        }
        return Delivery(
            find_exchange(run.state).address,
            ".".join(key),
            orjson.dumps(payload),
            tuple(ROUTE + route for route in self.routes),
        )


class ListedPage(NamedTuple):
    """An answer of ``listPendingTasks`` or ``listClaimedTasks``.

    Attributes:
        runs: Some runs of a worker pool.
        unread: How many more could not be decoded.
        continuation: The token for the next page; None for the last page.
    """

    runs: tuple[ListedRun, ...]
    unread: int = 0
    continuation: str | None = None


class _Definition(MessageStruct, frozen=True):
    scheduler_id: str = "-"
    task_group_id: str = ""
    deadline: str | None = None
    tags: Tags | None = None
    routes: tuple[str, ...] = ()


class _Item(MessageStruct, frozen=True):
    task_id: str
    run_id: int
    task: _Definition = _Definition()
    inserted: str | None = None
    claimed: str | None = None
    worker_group: str | None = None
    worker_id: str | None = None


class _Listing(MessageStruct, frozen=True):
    tasks: tuple[msgspec.Raw, ...]
    continuation_token: str | None = None


def parse_listed_runs(pool: str, text: bytes) -> ListedPage:
    """Parse an answer of ``listPendingTasks`` or ``listClaimedTasks``.

    Args:
        pool: The worker pool that was asked for.
        text: The answer, JSON.

    Raises:
        ValueError: If the text is not such an answer.
    """
    listing = read_json(_decode_listing, text)
    runs = [run for item in listing.tasks if (run := _parse_item(pool, bytes(item))) is not None]
    return ListedPage(tuple(runs), len(listing.tasks) - len(runs), listing.continuation_token)


def _parse_item(pool: str, text: bytes) -> ListedRun | None:
    try:
        item = _decode_item(text)
    except DECODE_ERRORS:
        return None
    if not 0 <= item.run_id <= MAX_RUN_ID:
        return None
    run = Run(
        item.run_id,
        "pending" if item.claimed is None else "running",
        worker_group=item.worker_group,
        worker_id=item.worker_id,
        scheduled=item.inserted,
        started=item.claimed,
    )
    provisioner_id, _, worker_type = pool.partition("/")
    definition, tags = item.task, item.task.tags or _NAMELESS
    status = TaskState(
        item.task_id,
        definition.task_group_id,
        run.state,
        definition.scheduler_id,
        provisioner_id,
        worker_type,
        (run,),
        definition.deadline,
    )
    task = Task(status, tags.label or "", tags.kind or "", tags.project or "")
    return ListedRun(task, definition.routes)


_decode_listing = msgspec.json.Decoder(_Listing).decode
_decode_item = msgspec.json.Decoder(_Item).decode
