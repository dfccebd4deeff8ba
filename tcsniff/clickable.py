"""Where the words that are shown of an event lead when they are clicked.

Pure. The task's name and id lead to the page of the run or the task, the run's
number to its log, the task group to its page.
"""

from __future__ import annotations

from tcsniff.columns import RUN, TASK, TASK_ID, Column
from tcsniff.pulse.events import Event, at
from tcsniff.pulse.urls import group_url, log_url, run_url, task_url

_GROUP = "TASK GROUP"
_CLAIMED = frozenset(("task-running", "artifact-created", "task-completed", "task-failed"))
"""What happens to runs that have a log; of exceptions, only those that a worker had."""


def target(column: Column, event: Event, root_url: str | None) -> str | None:
    """Tell where a column leads for an event.

    Args:
        column: Which.
        event: The event.
        root_url: Of the Taskcluster deployment; None if that is not known.

    Returns:
        An address; None if it leads nowhere.
    """
    if root_url is None:
        return None
    if column.title in (TASK.title, TASK_ID.title):
        if not event.task_id:
            return _group(event, root_url) if column.title == TASK.title else None
        number = _run(event)
        page = None if number is None else run_url(root_url, event.task_id, number)
        return page or task_url(root_url, event.task_id)
    if column.title == RUN.title:
        number = _run(event)
        has_log = event.name in _CLAIMED or "started" in event.run
        return log_url(root_url, event.task_id, number) if has_log and number is not None else None
    return _group(event, root_url) if column.title == _GROUP else None


def _group(event: Event, root_url: str) -> str | None:
    return group_url(root_url, event.routing.get("taskGroupId", ""))


def _run(event: Event) -> int | None:
    number = at(event.payload, "runId")
    if number is None:
        word = event.routing.get("runId", "")
        return int(word) if word.isascii() and word.isdigit() and len(word) <= 4 else None
    return number if type(number) is int else None
