"""A task graph as a profile for https://profiler.firefox.com.

Pure. A track for each worker pool, with a marker for each run, and one for the
time before that in which it was pending; first of all a track for the group,
with the critical path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tcsniff.pulse.payloads import Run
from tcsniff.pulse.urls import build_group_url, build_log_url, build_run_url, build_task_url
from tcsniff.taskgraph.critical_path import find_known_path
from tcsniff.taskgraph.exports.json import dump_json
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.nodes import Node
from tcsniff.taskgraph.summary import format_worker
from tcsniff.taskgraph.tracker import RESOLVED

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


def export_profile(graph: Graph, now: float, root_url: str | None = None) -> str:
    """Return a task group as a profile.

    Args:
        graph: The group.
        now: The current time, in seconds since the Unix epoch. Open runs end then.
        root_url: The root URL of the deployment; None for markers without links.

    Returns:
        A line of JSON that is safe for a terminal.
    """
    pools: dict[str, list[Marker]] = {}
    for node in graph.nodes.values():
        for marker in _list_task_markers(node, graph.nodes, now, root_url):
            pools.setdefault(node.pool or "no worker pool", []).append(marker)
    tracks = [
        (f"task group {graph.task_group_id}", list(_list_group_markers(graph, now, root_url))),
        *sorted(pools.items(), key=lambda track: min(marker.start for marker in track[1])),
    ]
    start = min((marker.start for _, track in tracks for marker in track), default=now)
    profile = build_profile(f"Task group {graph.task_group_id}", tracks, _SCHEMAS, start)
    return dump_json(profile) + "\n"


def _list_group_markers(graph: Graph, now: float, root_url: str | None) -> Iterator[Marker]:
    nodes = graph.nodes.values()
    begins = [time for node in nodes for run in node.runs if (time := run.scheduled_at)]
    if not begins:
        return
    state = {10: "failed", 11: "exception"}.get(graph.exit_status)
    data = {
        "type": "TaskGroup",
        "taskGroupId": graph.task_group_id,
        "schedulerId": graph.scheduler_id,
        "tasks": len(graph.nodes),
        "states": [f"{number} {state}" for state, number in graph.states.items()],
        "page": build_group_url(root_url, graph.task_group_id),
    }
    start = min(begins)
    state = state or ("completed" if graph.is_over else "running")
    yield build_marker("task group", start, start + graph.measure_span(now), state, data)
    for step in find_known_path(graph, now):
        data = {
            "type": "CriticalPath",
            "task": step.node.label,
            "taskId": step.node.task_id,
            "waiting": step.waiting * 1000,
            "running": step.running * 1000,
            "idle": step.idle * 1000,
            "page": build_task_url(root_url, step.node.task_id),
        }
        yield build_marker("critical path", step.begun, step.ended, step.node.state, data)


def _list_task_markers(
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
            "page": build_run_url(root_url, node.task_id, run.run_id),
        }
        scheduled, started, ended = _get_run_times(run, now)
        waited = started if started is not None else ended
        if scheduled is not None:
            yield build_marker(
                "pending", scheduled, waited, "pending", data | {"type": "TaskPending"}
            )
        if started is None:
            if run.state == "pending":
                continue
            # It ended without a worker, such as a canceled run; only its end is shown.
            started = ended
        data |= {
            "type": "TaskRun",
            "reasonResolved": run.reason_resolved,
            "worker": format_worker(run),
            "waited": None if scheduled is None else max(0.0, started - scheduled) * 1000,
            "dependencies": [
                nodes[one].label if one in nodes else one for one in node.dependencies
            ],
            "log": build_log_url(root_url, node.task_id, run.run_id) if run.started else None,
        }
        yield build_marker(node.kind or "task", started, ended, run.state, data)


def _get_run_times(run: Run, now: float) -> tuple[float | None, float | None, float]:
    scheduled, started = run.scheduled_at, run.started_at
    ended = run.resolved_at
    if ended is None:
        known = started if started is not None else scheduled
        ended = now if known is None or run.state not in RESOLVED else known
    return scheduled, started, ended


Fields = Mapping[str, tuple[str, str]]
"""The fields of a type of markers: names, each with a label and one of the profiler's formats."""

VERSION = 48
_GECKO_VERSION = 28  # of profiles as Firefox writes them, at the time of that
_INTERVAL = 1  # of a marker's phases: it has a start and an end

_CATEGORIES = (  # names, and colors of the profiler
    ("Other", "grey"),
    ("completed", "green"),
    ("running", "blue"),
    ("pending", "yellow"),
    ("failed", "red"),
    ("exception", "magenta"),
)
_PLACES = {name: place for place, (name, _) in enumerate(_CATEGORIES)}
_COLORS = dict(_CATEGORIES)


class Marker(NamedTuple):
    """Something that took time.

    Attributes:
        name: What it is called; the profiler shows those of a name in rows
            next to each other.
        start: In seconds since the Unix epoch.
        end: The same.
        category: One of the profile's.
        data: Its fields, with ``type``.
    """

    name: str
    start: float
    end: float
    category: str
    data: dict[str, Any]


def build_profile(
    title: str,
    tracks: Iterable[tuple[str, Iterable[Marker]]],
    schemas: Mapping[str, Fields],
    start: float,
) -> dict[str, Any]:
    """Make a profile.

    Args:
        title: What it is of.
        tracks: Names, and what is on them, from top to bottom; there must be one.
        schemas: By type of marker; the first field is what a marker shows.
        start: When the first marker starts, in seconds since the Unix epoch.
    """
    threads = [
        _build_thread(number, name, markers, start)
        for number, (name, markers) in enumerate(tracks)
    ]
    return {
        "meta": _build_meta(title, schemas, start, len(threads)),
        "libs": [],
        "pages": [],
        "counters": [],
        "threads": threads,
    }


def build_marker(
    name: str, start: float, end: float, state: str, data: Mapping[str, Any]
) -> Marker:
    """Return a marker; fields that are None or empty are left out."""
    fields = {key: value for key, value in data.items() if value not in (None, "", [])}
    category = state if state in _PLACES else "Other"
    fields["colour"] = _COLORS[category]
    return Marker(name, start, max(start, end), category, fields)


def _build_meta(
    title: str, schemas: Mapping[str, Fields], start: float, tracks: int
) -> dict[str, Any]:
    return {
        "interval": 1,
        "startTime": start * 1000,
        "processType": 0,
        "product": title,
        "importedFrom": "tcsniff",
        "stackwalk": 0,
        "version": _GECKO_VERSION,
        "preprocessedProfileVersion": VERSION,
        "symbolicated": True,
        "symbolicationNotSupported": True,
        "usesOnlyOneStackType": True,
        "sourceCodeIsNotOnSearchfox": True,
        "keepProfileThreadOrder": True,
        "initialVisibleThreads": list(range(tracks)),
        "initialSelectedThreads": [0],
        "categories": [
            {"name": name, "color": color, "subcategories": ["Other"]}
            for name, color in _CATEGORIES
        ],
        "markerSchema": [_build_schema(name, fields) for name, fields in schemas.items()],
    }


def _build_schema(name: str, fields: Fields) -> dict[str, Any]:
    label = f"{{marker.data.{next(iter(fields))}}}"
    return {
        "name": name,
        "tooltipLabel": label,
        "tableLabel": label,
        "chartLabel": label,
        "display": ["marker-chart", "marker-table", "timeline-overview"],
        "data": [
            {"key": key, "label": text, "format": form, "searchable": True}
            for key, (text, form) in fields.items()
        ]
        + [{"key": "colour", "label": "Colour", "format": "string", "hidden": True}],
        "colorField": "colour",
    }


def _build_thread(
    number: int, name: str, markers: Iterable[Marker], start: float
) -> dict[str, Any]:
    ordered = sorted(markers, key=lambda one: (one.start, one.end))
    strings = {
        text: place for place, text in enumerate(dict.fromkeys(one.name for one in ordered))
    }
    return {
        "name": name,
        "processName": name,
        "processType": "default",
        "processStartupTime": 0,
        "processShutdownTime": None,
        "registerTime": 0,
        "unregisterTime": None,
        "pausedRanges": [],
        "isMainThread": True,  # each a process of its own, or it would be a track below another
        "pid": str(number),
        "tid": number,
        "showMarkersInTimeline": True,
        "markers": {
            "name": [strings[one.name] for one in ordered],
            "startTime": [_to_milliseconds(one.start - start) for one in ordered],
            "endTime": [_to_milliseconds(one.end - start) for one in ordered],
            "phase": [_INTERVAL] * len(ordered),
            "category": [_PLACES[one.category] for one in ordered],
            "data": [one.data for one in ordered],
            "length": len(ordered),
        },
        "stringArray": list(strings),
    } | {name: {column: [] for column in columns} | more for name, columns, more in _EMPTY}


def _to_milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


# Of samples, which a profile of tasks has none of: tables and their columns.
_EMPTY: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("samples", ("stack", "time"), {"weight": None, "weightType": "samples", "length": 0}),
    ("stackTable", ("frame", "category", "subcategory", "prefix"), {"length": 0}),
    (
        "frameTable",
        (
            "address",
            "inlineDepth",
            "category",
            "subcategory",
            "func",
            "nativeSymbol",
            "innerWindowID",
            "implementation",
            "line",
            "column",
        ),
        {"length": 0},
    ),
    (
        "funcTable",
        ("isJS", "relevantForJS", "name", "resource", "fileName", "lineNumber", "columnNumber"),
        {"length": 0},
    ),
    ("resourceTable", ("lib", "name", "host", "type"), {"length": 0}),
    ("nativeSymbols", ("libIndex", "address", "name", "functionSize"), {"length": 0}),
)
