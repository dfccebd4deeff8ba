"""A task graph as a JSON document.

Pure. One object, in which every task stands on a line of its own::

    {
    "taskGroupId": …, "schedulerId": …,
    "time":          when this was true, as Taskcluster writes times
    "resolved":      whether all has ended
    "groupResolved": whether the queue ever reported the group as resolved
    "sealed":        whether no task can be added
    "whole":         whether every task of the group is known to be here
    "states":        {state: tasks in it}
    "seconds":       from the first run's scheduling to the last one's end, or `time`
    "exitStatus":    the process's: 0 if every task is known and completed, 10 if a task
                     failed, 11 if one ended in exception, 12 if not all is known or over
    "verdict":       how the group is doing: completed, failed, exception, stuck, waiting,
                     failing, running, partial, unknown
    "unknown":       [what is not known, in words]
    "tasks": [
    {"taskId": …, "label": …, "kind": …, "pool": …, "state": …,
     "defined":       whether its dependencies are known
     "dependencies":  [ids], "requires": "all-completed" or "all-resolved",
     "runs":          as in the queue's messages, null where there is nothing
     "url": …}        only if the deployment is known
    ],
    "criticalPath": [as in the summary of a group],
    "blocked":      [which task waits for which: as ``tcsniff graph --blocked --json``]
    }

``state`` is ``unheard`` for a task that has a definition, but no message so
far. Fields are only ever added.
"""

from __future__ import annotations

import json

from tcsniff.pulse.payloads import Run
from tcsniff.pulse.times import format_timestamp
from tcsniff.pulse.urls import build_task_url
from tcsniff.sanitize import sanitize_json
from tcsniff.taskgraph.critical_path import find_known_path
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.summary import Json, summarize_blocked, summarize_step
from tcsniff.taskgraph.verdict import judge_group


def export_json(graph: Graph, now: float, root_url: str | None = None) -> str:
    """Return a task group as a JSON document.

    Args:
        graph: The group.
        now: The current time, in seconds since the Unix epoch.
        root_url: The root URL of the deployment; None if unknown.

    Returns:
        Lines that are safe for a terminal.
    """
    nodes = graph.nodes.values()
    head = {
        "taskGroupId": graph.task_group_id,
        "schedulerId": graph.scheduler_id,
        "time": format_timestamp(now),
        "resolved": graph.is_over,
        "groupResolved": graph.is_resolved,
        "sealed": graph.is_sealed,
        "whole": graph.is_whole,
        "states": graph.states,
        "seconds": round(graph.measure_span(now), 3),
        "exitStatus": graph.exit_status,
        "verdict": judge_group(graph, now).word,
        "unknown": list(graph.unknowns),
    }
    lists = {
        "tasks": [_format_task(node, root_url) for node in nodes],
        "criticalPath": [summarize_step(step) for step in find_known_path(graph, now)],
        "blocked": [summarize_blocked(one, graph) for one in graph.blocking.list_blocked()],
    }
    fields = [f"{dump_json(name)}:{dump_json(value)}" for name, value in head.items()]
    fields += [
        f"{dump_json(name)}:[\n{_join_values(values)}]" if values else f"{dump_json(name)}:[]"
        for name, values in lists.items()
    ]
    return "{\n" + ",\n".join(fields) + "\n}\n"


def dump_json(value: object) -> str:
    """Write a value in one line that is safe for a terminal."""
    return sanitize_json(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _join_values(values: list[Json]) -> str:
    return ",\n".join(map(dump_json, values)) + "\n"


def _format_task(node: Node, root_url: str | None) -> Json:
    url = build_task_url(root_url, node.task_id)
    return {
        "taskId": node.task_id,
        "label": node.label,
        "kind": node.kind,
        "pool": node.pool,
        "state": node.state,
        "defined": node.is_defined,
        "dependencies": node.dependencies,
        "requires": node.requires,
        "runs": [_format_run(run) for run in node.runs],
    } | ({"url": url} if url else {})


def _format_run(run: Run) -> Json:
    names = zip(run.__struct_fields__, run.__struct_encode_fields__, strict=True)
    return {wire: getattr(run, name) for name, wire in names}
