"""The format of profiles for https://profiler.firefox.com, as far as markers need it.

Pure. The profiler's own format, "processed", which it upgrades from every
earlier version; this is version 48 (``docs-developer/CHANGELOG-formats.md``,
``src/types/profile.js`` and ``src/types/markers.js`` of firefox-devtools/profiler).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Fields = Mapping[str, tuple[str, str]]
"""What markers of a type tell: names, each with a label and one of the profiler's formats."""

VERSION = 48
_GECKO_VERSION = 28  # of profiles as Firefox writes them, at the time of that
_INTERVAL = 1  # of a marker's phases: it has a start and an end

_CATEGORIES = (  # names, and colours that the profiler knows
    ("Other", "grey"),
    ("completed", "green"),
    ("running", "blue"),
    ("pending", "yellow"),
    ("failed", "red"),
    ("exception", "magenta"),
)
_PLACES = {name: place for place, (name, _) in enumerate(_CATEGORIES)}
_COLOURS = dict(_CATEGORIES)


class Marker(NamedTuple):
    """Something that took time.

    Attributes:
        name: What it is called; the profiler shows those of a name in rows
            next to each other.
        start: In seconds since the Unix epoch.
        end: The same.
        category: One of the profile's.
        data: What is told of it; its ``type`` says how.
    """

    name: str
    start: float
    end: float
    category: str
    data: dict[str, Any]


def profile(
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
        _thread(number, name, markers, start) for number, (name, markers) in enumerate(tracks)
    ]
    return {
        "meta": _meta(title, schemas, start, len(threads)),
        "libs": [],
        "pages": [],
        "counters": [],
        "threads": threads,
    }


def marker(name: str, start: float, end: float, state: str, data: Mapping[str, Any]) -> Marker:
    """Make a marker; what data do not tell, None or empty, is left out."""
    told = {key: value for key, value in data.items() if value not in (None, "", [])}
    category = state if state in _PLACES else "Other"
    told["colour"] = _COLOURS[category]
    return Marker(name, start, max(start, end), category, told)


def _meta(title: str, schemas: Mapping[str, Fields], start: float, tracks: int) -> dict[str, Any]:
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
            {"name": name, "color": colour, "subcategories": ["Other"]}
            for name, colour in _CATEGORIES
        ],
        "markerSchema": [_schema(name, fields) for name, fields in schemas.items()],
    }


def _schema(name: str, fields: Fields) -> dict[str, Any]:
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


def _thread(number: int, name: str, markers: Iterable[Marker], start: float) -> dict[str, Any]:
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
            "startTime": [_milliseconds(one.start - start) for one in ordered],
            "endTime": [_milliseconds(one.end - start) for one in ordered],
            "phase": [_INTERVAL] * len(ordered),
            "category": [_PLACES[one.category] for one in ordered],
            "data": [one.data for one in ordered],
            "length": len(ordered),
        },
        "stringArray": list(strings),
    } | {name: {column: [] for column in columns} | more for name, columns, more in _EMPTY}


def _milliseconds(seconds: float) -> float:
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
