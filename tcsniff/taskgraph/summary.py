"""Summaries of task groups and of changes, as JSON for programs.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tcsniff.pulse.payloads import Run
from tcsniff.pulse.urls import build_log_url
from tcsniff.taskgraph.blocking import Blocked
from tcsniff.taskgraph.critical_path import PathStep
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.tracker import Change
from tcsniff.taskgraph.verdict import judge_group

_FAILED_STATES = ("failed", "exception")  # states of runs

Json = dict[str, Any]


def summarize_change(
    change: Change, received: str | None, root_url: str | None = None
) -> Json | None:
    """Return the summary of a change, if a task changed its state or its run.

    Args:
        change: The change.
        received: When the message was received; used where the message has no
            time.
        root_url: Root URL of the deployment; None if unknown.

    Returns:
        ``time`` (when it happened), ``taskGroupId``, ``taskId``, ``label``,
        ``kind``, ``pool``, ``before`` (the state until then; null for a new
        task), ``state``, ``run`` (its number; null before the first),
        ``reason`` (why the run ended, or why there is one more), ``worker``
        (group and id), ``log`` (of a run that went wrong, its address; only if
        the root URL is known), and ``lost``: the number and the reason of the
        run before, if this one replaces it, and its ``log``. None if neither
        state nor run changed.
    """
    before, after = change
    if before is not None and (before.state, len(before.runs)) == (after.state, len(after.runs)):
        return None
    run = after.run
    values: Json = {
        "time": (run.changed if run else None) or received,
        "taskGroupId": after.status.task_group_id,
        "taskId": after.status.task_id,
        "label": after.label,
        "kind": after.kind,
        "pool": after.pool,
        "before": None if before is None else before.state,
        "state": after.state,
        "run": run.run_id if run else None,
        "reason": _get_reason(run),
        "worker": format_worker(run),
    }
    values |= _format_log(after.status.task_id, run, root_url)
    if before is not None and len(after.runs) > len(before.runs) > 0:
        lost = after.runs[-2]
        values["lost"] = {
            "run": lost.run_id,
            "reason": lost.reason_resolved,
            **_format_log(after.status.task_id, lost, root_url),
        }
    return values


def _format_log(task_id: str, run: Run | None, root_url: str | None) -> Json:
    # Without a log there is no field: null would mean that such a run never has one.
    if run is None or run.started is None or run.state not in _FAILED_STATES:
        return {}
    url = build_log_url(root_url, task_id, run.run_id)
    return {} if url is None else {"log": url}


def _get_reason(run: Run | None) -> str | None:
    if run is None:
        return None
    if run.reason_resolved is not None:
        return run.reason_resolved
    return None if run.reason_created == "scheduled" else run.reason_created


def format_worker(run: Run | None) -> str | None:
    """Return the worker of a run, group and ID; None if it has none."""
    if run is None or run.worker_id is None:
        return None
    return " ".join(filter(None, (run.worker_group, run.worker_id)))


def summarize_group(
    graph: Graph, path: Iterable[PathStep], now: float, root_url: str | None = None
) -> Json:
    """Return the summary of a group.

    Args:
        graph: The group.
        path: Its critical path.
        now: The time, in seconds since the Unix epoch.
        root_url: Root URL of the deployment; None if unknown.

    Returns:
        ``taskGroupId``, ``schedulerId``, ``resolved`` (whether all has ended),
        ``sealed``, ``tasks`` (how many), ``states`` (how many in each),
        ``seconds`` (from the first scheduling to the last end), ``exitStatus`` (the
        process's), ``verdict`` (a word of `verdict.WORDS`), ``whole`` (whether every
        task is known), ``unknown`` (what is not known, in words),
        ``wrong`` (the tasks that failed, then those that ended in exception,
        each in the order in which they ended; with ``log``, the address of the
        last run's, if the root URL is known) and ``criticalPath``.
    """
    wrong = (graph.nodes[task_id] for task_id in graph.index.list_wrong())
    return {
        "taskGroupId": graph.task_group_id,
        "schedulerId": graph.scheduler_id,
        "resolved": graph.is_over,
        "sealed": graph.is_sealed,
        "tasks": len(graph.nodes),
        "states": graph.states,
        "seconds": round(graph.measure_span(now), 3),
        "exitStatus": graph.exit_status,
        "verdict": judge_group(graph, now).word,
        "whole": graph.is_whole,
        "unknown": list(graph.unknowns),
        "wrong": [_summarize_failure(node, root_url) for node in sorted(wrong, key=_get_sort_key)],
        "criticalPath": [summarize_step(step) for step in path],
    }


def _get_sort_key(node: Node) -> tuple[bool, float, str]:
    return node.state != "failed", node.since or 0.0, node.task_id


def _summarize_failure(node: Node, root_url: str | None) -> Json:
    return {
        "taskId": node.task_id,
        "label": node.label,
        "kind": node.kind,
        "pool": node.pool,
        "state": node.state,
        "run": node.run.run_id if node.run else None,
        "reason": _get_reason(node.run),
        "worker": format_worker(node.run),
        **_format_log(node.task_id, node.run, root_url),
    }


def summarize_step(step: PathStep) -> Json:
    """Return the summary of a step of the critical path; times are in seconds."""
    return {
        "taskId": step.node.task_id,
        "label": step.node.label,
        "state": step.node.state,
        "waiting": round(step.waiting, 3),
        "running": round(step.running, 3),
        "idle": round(step.idle, 3),
        "length": round(step.length, 3),
    }


def summarize_blocked(blocked: Blocked, graph: Graph) -> Json:
    """Return a blocked task with its blockers.

    Tasks of other groups that were not asked for have neither label nor state.
    """
    by = []
    for task_id in blocked.by:
        other = graph.find_task(task_id)
        by.append(
            {
                "taskId": task_id,
                "label": other.label if other else None,
                "state": other.state if other else None,
            }
        )
    return {
        "taskId": blocked.node.task_id,
        "label": blocked.node.label,
        "kind": blocked.node.kind,
        "hopeless": blocked.is_hopeless,
        "by": by,
    }
