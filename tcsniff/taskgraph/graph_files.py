"""Files with the dependencies of tasks, parsed to definitions.

Pure. It knows the artifacts of taskgraph's decision tasks,
``task-graph.json`` (by task ID) and ``full-task-graph.json`` (by label) with
``label-to-taskid.json``, and answers of the queue's ``listTaskGroup``. Source:
``src/taskgraph/decision.py`` and ``taskgraph.py`` of the taskgraph repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
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
    parse_tasks,
    to_definition,
)

EXPECTED = (
    "expected is task-graph.json, or full-task-graph.json and label-to-taskid.json, of a "
    "decision task, or an answer of the queue's listTaskGroup"
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # of UTF-8, which some editors put at the start of a file
_MAX_SHOWN = 40  # characters of a file that is not JSON


class GraphFile(NamedTuple):
    """The contents of files about a task graph.

    Attributes:
        definitions: One for each task; the queue's answer wins over taskgraph's
            plan.
        statuses: The statuses in the queue's answers, as JSON.
        groups: The task groups of these answers.
        whole: IDs of the task groups of which all pages are here.
        notes: Messages for the user about the files.
        unread: What is not valid in the queue's answers, each in a few words.
    """

    definitions: tuple[Definition, ...]
    statuses: tuple[bytes, ...] = ()
    groups: tuple[TaskGroupInfo, ...] = ()
    whole: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


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
    # The contents of all files, with their names; entries of graphs by their keys.
    pages: list[tuple[str, Page]]
    graphs: list[tuple[str, dict[str, _Entry]]]
    ids: dict[str, str]


def parse_graph_files(files: Iterable[tuple[str, bytes]]) -> GraphFile:
    """Parse files that together describe a task graph.

    Args:
        files: Names and contents, in any order.

    Raises:
        RecordingError: If a file is of another kind, or a graph by labels comes
            without the file of their IDs.
    """
    parts = _Parts([], [], {})
    for name, text in files:
        try:
            _sort_file(name, text.removeprefix(_BYTE_ORDER_MARK).strip(), parts)
        except ValueError as error:
            raise RecordingError(f"{name} is not a task graph: {error}; {EXPECTED}") from error
    if parts.ids and not parts.graphs:
        raise RecordingError(
            "label-to-taskid.json alone has no dependencies; add full-task-graph.json"
        )
    found = {
        one.task_id: one
        for name, graph in parts.graphs
        for one in _list_planned(name, graph, parts)
    }
    pages = [page for _, page in parts.pages]
    found |= {one.task_id: one for page in pages for one in page.definitions}
    whole = _find_whole_groups(pages)
    return GraphFile(
        tuple(found.values()),
        tuple(status for page in pages for status in page.statuses),
        tuple({page.group.task_group_id: page.group for page in pages}.values()),
        whole,
        tuple(_describe_missing_pages(parts.pages, whole)),
        tuple(description for page in pages for description in page.unread),
    )


def _find_whole_groups(pages: Iterable[Page]) -> frozenset[str]:
    # Every page but the last one names another. Which one it names can't be seen in a
    # page, so a missing page before the last is not noticed.
    return frozenset(page.group.task_group_id for page in pages if not page.continuation)


def _describe_missing_pages(pages: Iterable[tuple[str, Page]], whole: Set[str]) -> Iterator[str]:
    for name in dict.fromkeys(
        name for name, page in pages if page.group.task_group_id not in whole
    ):
        yield f"{name}: the task group has another page, which is not in this file"


def _sort_file(name: str, text: bytes, parts: _Parts) -> None:
    # Recognize a file by its contents, and add these to the parts.
    if text.startswith(b"["):
        _add_pages(name, [bytes(one) for one in read_json(_ARRAYS, text)], parts)
        return
    if not text.startswith(b"{"):
        start = text[:_MAX_SHOWN].decode(errors="replace")
        raise ValueError(f"it starts with {start!r}" if start else "it is empty")
    try:
        fields = read_json(_OBJECTS, text)
    except ValueError:
        lines = text.split(b"\n")
        if len(lines) == 1 or not lines[0].rstrip().endswith(b"}"):
            raise
        _add_pages(name, lines, parts)
        return
    if {"tasks", "taskGroupId"} <= fields.keys() or {"status", "task"} <= fields.keys():
        _add_pages(name, [text], parts)
    elif "code" in fields and "message" in fields:
        message = bytes(fields["message"]).decode(errors="replace")
        raise ValueError(f"it is an error message of the queue: {message}")
    elif fields and all(bytes(value)[:1] == b'"' for value in fields.values()):
        parts.ids.update(read_json(_LABELS, text))
    else:
        parts.graphs.append((name, {key: _parse_entry(key, raw) for key, raw in fields.items()}))


def _add_pages(name: str, texts: Sequence[bytes], parts: _Parts) -> None:
    # Each text is a page, or a task of one: people save `.tasks` or `.tasks[]` of a page.
    tasks: list[bytes] = []
    for place, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            if _is_task(text):
                tasks.append(text)
            else:
                parts.pages.append((name, parse_page(text)))
        except ValueError as error:
            where = f"page {place}: " if len(texts) > 1 else ""
            raise ValueError(f"{where}{error}") from error
    parts.pages.extend((name, page) for page in parse_tasks(tasks))


def _is_task(text: bytes) -> bool:
    fields = read_json(_OBJECTS, text)
    return {"status", "task"} <= fields.keys()


def _parse_entry(key: str, raw: msgspec.Raw) -> _Entry:
    try:
        return read_json(_ENTRIES, bytes(raw))
    except ValueError as error:
        raise ValueError(f"at {key!r}: {error}") from error


def _list_planned(name: str, graph: Mapping[str, _Entry], parts: _Parts) -> Iterator[Definition]:
    by_label = any(key == one.label and one.task_id is None for key, one in graph.items())
    if not by_label:
        for key, entry in graph.items():
            waits_for = [*(entry.dependencies or {}).values(), *entry.task.dependency_ids]
            yield _build_definition(entry.task_id or key, entry, waits_for)
        return
    if not parts.ids:
        raise RecordingError(
            f"{name} is a graph by labels, like full-task-graph.json; add label-to-taskid.json "
            "of the same decision task"
        )
    for key, entry in graph.items():
        # A label without an ID was optimized away.
        if (task_id := parts.ids.get(key)) is not None:
            labels = [*(entry.dependencies or {}).values(), *(entry.soft_dependencies or ())]
            yield _build_definition(
                task_id, entry, [parts.ids[one] for one in labels if one in parts.ids]
            )


def _build_definition(task_id: str, entry: _Entry, waits_for: Iterable[str]) -> Definition:
    kind = entry.kind or (entry.attributes.kind if entry.attributes else None) or ""
    return to_definition(task_id, entry.task, label=entry.label, kind=kind, dependencies=waits_for)


_ARRAYS = msgspec.json.Decoder(list[msgspec.Raw]).decode
_OBJECTS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_LABELS = msgspec.json.Decoder(dict[str, str]).decode
_ENTRIES = msgspec.json.Decoder(_Entry).decode
