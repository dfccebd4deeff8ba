"""A task graph as a JSON document.

Pure. One object, in which every task stands on a line of its own::

    {
    "taskGroupId": …, "schedulerId": …,
    "time":         when this was true, as Taskcluster writes times
    "resolved":     whether the queue has said, ever, that all tasks have ended
    "sealed":       whether no task can be added
    "whole":        whether every task of the group is known to be here
    "over":         whether all has ended, for now
    "exitStatus":   0 if all completed, 10 if a task failed, 11 if one ended in exception
    "seconds":      from the first run's scheduling to the last one's end, or `time`
    "counts":       {state: tasks in it}
    "tasks": [
    {"taskId": …, "label": …, "kind": …, "taskQueueId": …, "state": …,
     "defined":      whether its dependencies are known
     "dependencies": [ids], "requires": "all-completed" or "all-resolved",
     "runs":         as in the queue's messages, null where there is nothing
     "url": …}       only if the deployment is known
    ],
    "criticalPath": [{"taskId": …, "label": …, "begun": …, "ended": …,
                      "seconds": …, "waiting": …, "running": …, "idle": …}],
    "blocked":      [{"taskId": …, "label": …, "by": [ids], "hopeless": …}]
    }

``state`` is ``unheard`` for a task that is defined and that no message has told
of. Fields are only ever added.
"""

from __future__ import annotations

import json
from typing import Any

from tcsniff.blocking import blocked
from tcsniff.criticalpath import Step, critical_path
from tcsniff.graph import Graph, Node, counts, span
from tcsniff.links import task_url
from tcsniff.sanitize import safe_json
from tcsniff.times import stamp
from tcsniff.tracker import Run


def export(graph: Graph, now: float, root_url: str | None = None) -> str:
    """Write a group.

    Args:
        graph: The group.
        now: When it is, in seconds since the Unix epoch.
        root_url: Of the Taskcluster deployment; None if that is not known.

    Returns:
        Lines that are safe for a terminal.
    """
    nodes = graph.nodes.values()
    head = {
        "taskGroupId": graph.task_group_id,
        "schedulerId": graph.scheduler_id,
        "time": _time(now),
        "resolved": graph.is_resolved,
        "sealed": graph.is_sealed,
        "whole": graph.is_whole,
        "over": graph.is_over,
        "exitStatus": graph.exit_status,
        "seconds": _rounded(span(nodes, now)),
        "counts": counts(nodes),
    }
    lists: dict[str, list[dict[str, Any]]] = {
        "tasks": [_task(node, root_url) for node in nodes],
        "criticalPath": [_step(step) for step in critical_path(graph, now)],
        "blocked": [
            {
                "taskId": one.node.task_id,
                "label": one.node.label,
                "by": one.by,
                "hopeless": one.is_hopeless,
            }
            for one in blocked(graph.nodes)
        ],
    }
    fields = [f"{dumped(name)}:{dumped(value)}" for name, value in head.items()]
    fields += [
        f"{dumped(name)}:[\n{_joined(values)}]" if values else f"{dumped(name)}:[]"
        for name, values in lists.items()
    ]
    return "{\n" + ",\n".join(fields) + "\n}\n"


def dumped(value: object) -> str:
    """Write a value in one line that is safe for a terminal."""
    return safe_json(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _joined(values: list[dict[str, Any]]) -> str:
    return ",\n".join(map(dumped, values)) + "\n"


def _task(node: Node, root_url: str | None) -> dict[str, Any]:
    url = task_url(root_url, node.task_id)
    return {
        "taskId": node.task_id,
        "label": node.label,
        "kind": node.kind,
        "taskQueueId": node.pool,
        "state": node.state,
        "defined": node.is_defined,
        "dependencies": node.dependencies,
        "requires": node.requires,
        "runs": [_run(run) for run in node.runs],
    } | ({"url": url} if url else {})


def _run(run: Run) -> dict[str, Any]:
    names = zip(run.__struct_fields__, run.__struct_encode_fields__, strict=True)
    return {wire: getattr(run, name) for name, wire in names}


def _step(step: Step) -> dict[str, Any]:
    return {
        "taskId": step.node.task_id,
        "label": step.node.label,
        "begun": _time(step.begun),
        "ended": _time(step.ended),
        "seconds": _rounded(step.length),
        "waiting": _rounded(step.waiting),
        "running": _rounded(step.running),
        "idle": _rounded(step.idle),
    }


def _rounded(seconds: float) -> float:
    return round(seconds, 3)


def _time(seconds: float) -> str | None:
    try:
        return stamp(seconds)
    except (OverflowError, ValueError):  # off the calendar, which a message can be
        return None
