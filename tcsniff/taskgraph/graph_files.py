"""Files that tell the dependencies of tasks, from bytes to definitions.

Pure. Understood are the artifacts of a decision task that taskgraph makes,
``task-graph.json`` (by task id) and ``full-task-graph.json`` (by label) with
``label-to-taskid.json``, and answers of the queue's ``listTaskGroup``. Source:
``src/taskgraph/decision.py`` and ``taskgraph.py`` of the taskgraph repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tcsniff.errors import RecordingError
from tcsniff.messages.parts import MessageStruct
from tcsniff.pulse.payloads import read_json
from tcsniff.taskgraph.definitions import (
    Definition,
    Page,
    TaskDefinition,
    TaskGroupInfo,
    parse_page,
    to_definition,
)

EXPECTED = (
    "expected is task-graph.json, or full-task-graph.json and label-to-taskid.json, of a "
    "decision task, or an answer of the queue's listTaskGroup"
)
_MARK = b"\xef\xbb\xbf"  # of UTF-8, which some editors put at the start of a file
_SHOWN = 40  # characters of a file that is no JSON


class GraphFile(NamedTuple):
    """What files tell of a task graph.

    Attributes:
        definitions: Of the tasks, each once; what the queue has said goes
            before what taskgraph has planned.
        statuses: Of those that the queue has told of: JSON, as it came.
        groups: Whose tasks those are.
        notes: What a person should know of the files.
    """

    definitions: tuple[Definition, ...]
    statuses: tuple[bytes, ...] = ()
    groups: tuple[TaskGroupInfo, ...] = ()
    notes: tuple[str, ...] = ()


class _Attributes(MessageStruct, frozen=True):
    kind: str | None = None


class _Entry(MessageStruct, frozen=True, rename=None):
    label: str
    task: TaskDefinition
    kind: str | None = None
    task_id: str | None = None
    attributes: _Attributes | None = None
    dependencies: dict[str, str] | None = None
    soft_dependencies: list[str] | None = None


class _Parts(NamedTuple):
    # What was found in all files; the entries of graphs by their keys, with the file's name.
    pages: list[Page]
    graphs: list[tuple[str, dict[str, _Entry]]]
    ids: dict[str, str]
    notes: list[str]


def parse_graph_files(files: Iterable[tuple[str, bytes]]) -> GraphFile:
    """Read files that together tell of a task graph.

    Args:
        files: Names and contents, in any order.

    Raises:
        RecordingError: If one is none of what is understood, or a graph by
            labels comes without the ids for them.
    """
    parts = _Parts([], [], {}, [])
    for name, text in files:
        try:
            _sort(name, text.removeprefix(_MARK).strip(), parts)
        except ValueError as error:
            raise RecordingError(f"{name}: no task graph: {error}; {EXPECTED}") from error
    if parts.ids and not parts.graphs:
        raise RecordingError(
            "label-to-taskid.json alone tells no dependencies; give full-task-graph.json too"
        )
    found = {
        one.task_id: one for name, graph in parts.graphs for one in _planned(name, graph, parts)
    }
    found |= {one.task_id: one for page in parts.pages for one in page.definitions}
    return GraphFile(
        tuple(found.values()),
        tuple(status for page in parts.pages for status in page.statuses),
        tuple({page.group.task_group_id: page.group for page in parts.pages}.values()),
        tuple(parts.notes),
    )


def _sort(name: str, text: bytes, parts: _Parts) -> None:
    # Tell what a file is, and put what it holds where it belongs.
    if text.startswith(b"["):
        _add_pages(name, [bytes(one) for one in read_json(_ARRAYS, text)], parts)
        return
    if not text.startswith(b"{"):
        start = text[:_SHOWN].decode(errors="replace")
        raise ValueError(f"it starts with {start!r}" if start else "it is empty")
    try:
        fields = read_json(_OBJECTS, text)
    except ValueError:
        lines = text.splitlines()
        if len(lines) == 1 or not lines[0].endswith(b"}"):
            raise
        _add_pages(name, lines, parts)
        return
    if "tasks" in fields and "taskGroupId" in fields:
        _add_pages(name, [text], parts)
    elif "code" in fields and "message" in fields:
        message = bytes(fields["message"]).decode(errors="replace")
        raise ValueError(f"it is a failure of the queue's: {message}")
    elif fields and all(bytes(value)[:1] == b'"' for value in fields.values()):
        parts.ids.update(read_json(_LABELS, text))
    else:
        parts.graphs.append((name, {key: _entry(key, raw) for key, raw in fields.items()}))


def _add_pages(name: str, texts: Sequence[bytes], parts: _Parts) -> None:
    pages = []
    for place, text in enumerate(texts, 1):
        if text.strip():
            try:
                pages.append(parse_page(text))
            except ValueError as error:
                where = f"page {place}: " if len(texts) > 1 else ""
                raise ValueError(f"{where}{error}") from error
    parts.pages.extend(pages)
    if pages and all(page.continuation for page in pages):
        parts.notes.append(f"{name}: there is a further page of the task group, not in this file")


def _entry(key: str, raw: msgspec.Raw) -> _Entry:
    try:
        return read_json(_ENTRIES, bytes(raw))
    except ValueError as error:
        raise ValueError(f"at {key!r}: {error}") from error


def _planned(name: str, graph: Mapping[str, _Entry], parts: _Parts) -> Iterator[Definition]:
    by_label = any(key == one.label and one.task_id is None for key, one in graph.items())
    if not by_label:
        for key, entry in graph.items():
            waits_for = [*(entry.dependencies or {}).values(), *entry.task.dependency_ids]
            yield _definition(entry.task_id or key, entry, waits_for)
        return
    if not parts.ids:
        raise RecordingError(
            f"{name}: a graph by labels, as full-task-graph.json; give label-to-taskid.json, "
            "of the same decision task, too"
        )
    for key, entry in graph.items():
        # Without an id it was optimised away.
        if (task_id := parts.ids.get(key)) is not None:
            labels = [*(entry.dependencies or {}).values(), *(entry.soft_dependencies or ())]
            yield _definition(
                task_id, entry, [parts.ids[one] for one in labels if one in parts.ids]
            )


def _definition(task_id: str, entry: _Entry, waits_for: Iterable[str]) -> Definition:
    kind = entry.kind or (entry.attributes.kind if entry.attributes else None) or ""
    return to_definition(task_id, entry.task, label=entry.label, kind=kind, dependencies=waits_for)


_ARRAYS = msgspec.json.Decoder(list[msgspec.Raw]).decode
_OBJECTS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_LABELS = msgspec.json.Decoder(dict[str, str]).decode
_ENTRIES = msgspec.json.Decoder(_Entry).decode
