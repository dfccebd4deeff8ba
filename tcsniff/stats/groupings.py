"""What a row of ``top`` can stand for.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tcsniff.pulse.payloads import Run
from tcsniff.taskgraph.tracker import Task


def _format_worker(_task: Task, run: Run) -> str:
    return f"{run.worker_group or ''}/{run.worker_id}" if run.worker_id else "(no worker)"


GROUPINGS: Mapping[str, Callable[[Task, Run], str]] = {
    "pool": lambda task, _run: task.pool,
    "worker": _format_worker,
    "label": lambda task, _run: task.label or "(no label)",
    "kind": lambda task, _run: task.kind or "(no kind)",
    "project": lambda task, _run: task.project or "(no project)",
    "scheduler": lambda task, _run: task.status.scheduler_id,
    "group": lambda task, _run: task.status.task_group_id,
    "reason": lambda _task, run: run.reason_resolved or "(not ended)",
}
"""What a row can stand for, and the name of the row that a run belongs to."""

TAGS = ("label", "kind", "project")
"""Groupings whose names not all messages have."""
