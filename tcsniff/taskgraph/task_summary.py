"""Summaries of tasks, as JSON for programs.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcsniff.pulse.times import format_timestamp
from tcsniff.pulse.urls import build_log_url
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.summary import Json
from tcsniff.taskgraph.task_story import Dependency, PoolFacts, RunStory, TaskStory


def summarize_task(
    story: TaskStory,
    exit_status: int,
    root_url: str | None = None,
    log_lines: Sequence[str] | None = None,
) -> Json:
    """Return the summary of a task.

    Args:
        story: The task.
        exit_status: Of the process.
        root_url: Root URL of the deployment; None if unknown.
        log_lines: The last lines of the log of the run that made the task go wrong; None
            if they were not asked for.

    Returns:
        ``taskId``, ``taskGroupId``, ``schedulerId``, ``label``, ``kind``, ``pool``,
        ``priority``, ``routes`` (null if unknown), ``deadline``, ``state``, ``verdict``
        (a word of `task_story.WORDS`), ``text`` (the same in words), ``ended`` (whether
        the task has ended), ``runs``, ``waitsFor`` (its dependencies; null if unknown),
        ``requires``, ``causes`` (IDs of the tasks because of which it can never run),
        ``poolState`` (while it is pending: about its pool), ``neededBy`` (the tasks that
        depend on it and have no run; null if not all are known), ``log`` (the address of
        the log of the run that made it go wrong, and ``logLines``, its last lines),
        ``unknown`` (what is not known, in words) and ``exitStatus``. What is unknown is
        null or empty. Times are RFC 3339, lengths are in seconds.
    """
    node, facts = story.node, story.facts
    values: Json = {
        "taskId": node.task_id,
        "taskGroupId": facts.task_group_id,
        "schedulerId": facts.scheduler_id,
        "label": node.label,
        "kind": node.kind,
        "pool": node.pool,
        "priority": facts.priority,
        "routes": None if facts.routes is None else list(facts.routes),
        "deadline": node.deadline,
        "state": node.state,
        "verdict": story.verdict.word,
        "text": story.verdict.text,
        "ended": story.has_ended,
        "runs": [_summarize_run(run) for run in story.runs],
        "waitsFor": [_summarize_dependency(one) for one in story.waits_for]
        if node.is_defined
        else None,
        "requires": node.requires if node.is_defined else None,
        "causes": [cause.task_id for cause in story.causes],
        "poolState": _summarize_pool(facts.pool) if story.verdict.word == "pending" else None,
        "neededBy": [_summarize_dependent(one, story) for one in story.needed_by]
        if facts.has_dependents
        else None,
    }
    run = story.lost_run
    url = build_log_url(root_url, node.task_id, run.run_id) if run else None
    if url is not None:
        values["log"] = url
        if log_lines is not None:
            values["logLines"] = list(log_lines)
    return values | {"unknown": list(facts.doubts), "exitStatus": exit_status}


def _format_time(seconds: float | None) -> str | None:
    return None if seconds is None else format_timestamp(seconds)


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _summarize_run(run: RunStory) -> Json:
    return {
        "run": run.run_id,
        "state": run.state,
        "created": run.created or None,
        "reason": run.reason or None,
        "scheduled": _format_time(run.scheduled),
        "started": _format_time(run.started),
        "resolved": _format_time(run.resolved),
        "waiting": _round(run.waited),
        "running": _round(run.ran),
        "worker": run.worker or None,
        "sequel": run.sequel or None,
    }


def _summarize_dependency(dependency: Dependency) -> Json:
    node = dependency.node
    since = node.since if node else None
    return {
        "taskId": dependency.task_id,
        "label": node.label if node else None,
        "state": node.state if node else None,
        "since": _format_time(since),
        "met": dependency.is_met,
        "canComplete": dependency.can_complete,
    }


def _summarize_pool(pool: PoolFacts | None) -> Json | None:
    if pool is None:
        return None
    return {
        "pending": pool.pending,
        "running": pool.claimed,
        "lastStart": _format_time(pool.last_start),
    }


def _summarize_dependent(node: Node, story: TaskStory) -> Json:
    return {
        "taskId": node.task_id,
        "label": node.label,
        "state": node.state,
        "canRun": node.task_id not in story.hopeless,
    }
