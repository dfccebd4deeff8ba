"""A task graph as a profile for https://profiler.firefox.com.

Pure. A track for each worker pool, with a marker for each run, and one for the
time before that in which it was pending; first of all a track for the group,
with the critical path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tcsniff.criticalpath import critical_path
from tcsniff.exports.json import dumped
from tcsniff.exports.markers import Marker, marker, profile
from tcsniff.graph import Graph, Node, counts, span
from tcsniff.pulse.times import seconds
from tcsniff.pulse.urls import group_url, log_url, run_url, task_url
from tcsniff.summary import worker_of
from tcsniff.tracker import RESOLVED, Run

_TASK = {
    "task": ("Task", "string"),
    "taskId": ("Task id", "string"),
    "kind": ("Kind", "string"),
    "run": ("Run", "integer"),
    "state": ("State", "string"),
    "reasonCreated": ("Reason created", "string"),
}
_SCHEMAS = {
    "TaskRun": _TASK
    | {
        "reasonResolved": ("Reason resolved", "string"),
        "worker": ("Worker", "string"),
        "waited": ("Pending before", "duration"),
        "dependencies": ("Dependencies", "list"),
        "page": ("Page", "url"),
        "log": ("Log", "url"),
    },
    "TaskPending": _TASK | {"page": ("Page", "url")},
    "CriticalPath": {
        "task": ("Task", "string"),
        "taskId": ("Task id", "string"),
        "waiting": ("Pending", "duration"),
        "running": ("Running", "duration"),
        "idle": ("Neither", "duration"),
        "page": ("Page", "url"),
    },
    "TaskGroup": {
        "taskGroupId": ("Task group id", "string"),
        "schedulerId": ("Scheduler", "string"),
        "tasks": ("Tasks", "integer"),
        "states": ("States", "list"),
        "page": ("Page", "url"),
    },
}


def export(graph: Graph, now: float, root_url: str | None = None) -> str:
    """Write a group.

    Args:
        graph: The group.
        now: When what is open ends, for now; in seconds since the Unix epoch.
        root_url: Of the Taskcluster deployment; None for markers without links.

    Returns:
        A line of JSON that is safe for a terminal.
    """
    pools: dict[str, list[Marker]] = {}
    for node in graph.nodes.values():
        for one in _of_task(node, graph.nodes, now, root_url):
            pools.setdefault(node.pool or "no worker pool", []).append(one)
    tracks = [
        (f"task group {graph.task_group_id}", list(_of_group(graph, now, root_url))),
        *sorted(pools.items(), key=lambda track: min(one.start for one in track[1])),
    ]
    start = min((one.start for _, markers in tracks for one in markers), default=now)
    made = profile(f"Task group {graph.task_group_id}", tracks, _SCHEMAS, start)
    return dumped(made) + "\n"


def _of_group(graph: Graph, now: float, root_url: str | None) -> Iterator[Marker]:
    nodes = graph.nodes.values()
    begun = [one for node in nodes for run in node.runs if (one := seconds(run.scheduled))]
    if not begun:
        return
    state = {10: "failed", 11: "exception"}.get(graph.exit_status)
    data = {
        "type": "TaskGroup",
        "taskGroupId": graph.task_group_id,
        "schedulerId": graph.scheduler_id,
        "tasks": len(graph.nodes),
        "states": [f"{number} {state}" for state, number in counts(nodes).items()],
        "page": group_url(root_url, graph.task_group_id),
    }
    start = min(begun)
    state = state or ("completed" if graph.is_over else "running")
    yield marker("task group", start, start + span(nodes, now), state, data)
    for step in critical_path(graph, now):
        data = {
            "type": "CriticalPath",
            "task": step.node.label,
            "taskId": step.node.task_id,
            "waiting": step.waiting * 1000,
            "running": step.running * 1000,
            "idle": step.idle * 1000,
            "page": task_url(root_url, step.node.task_id),
        }
        yield marker("critical path", step.begun, step.ended, step.node.state, data)


def _of_task(
    node: Node, nodes: Mapping[str, Node], now: float, root_url: str | None
) -> Iterator[Marker]:
    for run in node.runs:
        data = {
            "task": node.label,
            "taskId": node.task_id,
            "kind": node.kind,
            "run": run.run_id,
            "state": run.state,
            "reasonCreated": run.reason_created,
            "page": run_url(root_url, node.task_id, run.run_id),
        }
        scheduled, started, ended = _times(run, now)
        waited = started if started is not None else ended
        if scheduled is not None:
            yield marker("pending", scheduled, waited, "pending", data | {"type": "TaskPending"})
        if started is None:
            if run.state == "pending":
                continue
            # Ended without a worker, such as canceled: there is its end to show.
            started = ended
        data |= {
            "type": "TaskRun",
            "reasonResolved": run.reason_resolved,
            "worker": worker_of(run),
            "waited": None if scheduled is None else max(0.0, started - scheduled) * 1000,
            "dependencies": [
                nodes[one].label if one in nodes else one for one in node.dependencies
            ],
            "log": log_url(root_url, node.task_id, run.run_id) if run.started else None,
        }
        yield marker(node.kind or "task", started, ended, run.state, data)


def _times(run: Run, now: float) -> tuple[float | None, float | None, float]:
    scheduled, started = seconds(run.scheduled), seconds(run.started)
    ended = seconds(run.resolved)
    if ended is None:
        known = started if started is not None else scheduled
        ended = now if known is None or run.state not in RESOLVED else known
    return scheduled, started, ended
