"""The rows of a picture of a task graph: tasks and kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from tcsniff.pulse.payloads import Run
from tcsniff.pulse.styles import get_state_style
from tcsniff.pulse.times import format_duration, format_minute
from tcsniff.pulse.urls import build_log_url, build_task_url
from tcsniff.renderers.ansi import join_words
from tcsniff.renderers.graph.labels import MAX_LABEL, MIN_LABEL, find_room
from tcsniff.renderers.graph.scene import NO_KIND, Scene
from tcsniff.renderers.widths import pad_text, shorten_text
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.nodes import UNHEARD, Node
from tcsniff.taskgraph.outline import KindOutline, Row, find_lost_run, join_labels

_WIDEST = 1_000  # cells where there is no limit
_MAX_KIND = 18  # cells for the name of a kind


def measure_kinds(kinds: Iterable[str]) -> int:
    """Return the cells that the names of kinds need."""
    return min(_MAX_KIND, max((cell_len(sanitize(name or NO_KIND)) for name in kinds), default=0))


_MAX_NAMES = 2  # of blockers; the others are counted
_MAX_SETS = 100  # of blockers of a kind that are compared


def format_log(node: Node, scene: Scene) -> str | None:
    """Return the URL of the log of a task's last lost run; None if there is none."""
    run = find_lost_run(node)
    return build_log_url(scene.root_url, node.task_id, run.run_id) if run and run.started else None


def list_log_rows(row: Row, scene: Scene, width: int) -> list[Text]:
    """Return what is known of the log of a task that went wrong: its address, and its end.

    Args:
        row: The task; several tasks have no rows.
        scene: The group.
        width: Of the screen, in cells. An address that is wider is left out.
    """
    run = find_lost_run(row.node)
    url = format_log(row.node, scene)
    if run is None or url is None or len(row.nodes) > 1:
        return []
    rows = [Text(f"  {url}", style="dim")] if len(url) + 2 <= width else []
    if rows and scene.link_root:
        rows = [Text("  ").append_text(join_words(url, "dim", url))]
    for line in scene.tails.get((row.node.task_id, run.run_id), ()):
        text = strip_stamp(line, width)
        rows.append(Text().append("  │ ", style="dim").append(sanitize(text[:_MAX_LINE])))
    return rows


def strip_stamp(line: str, width: int) -> str:
    """Return a line of a log, without its time if the screen is narrow."""
    return _STAMP.sub("", line) if width < _WIDE else line


_STAMP = re.compile(r"^\[[a-z0-9:_-]+ [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z\] ?")
_WIDE = 160  # cells of a screen, from which on lines of logs have their time
_MAX_LINE = 1_000  # characters of a line that are drawn


def format_story(node: Node, scene: Scene) -> str:
    """Format the result of a task that went wrong."""
    run = find_lost_run(node)
    if run is None:
        return get_state_style(node.state).word
    started, resolved = run.started_at, run.resolved_at
    text = _describe_lost(run)
    if started is not None and resolved is not None:
        text += f" after {format_duration(resolved - started)}"
    if scene.has_times and resolved is not None:
        text += f" at {format_minute(resolved, utc=scene.utc)}"
    return text


def format_wait(kind: KindOutline, scene: Scene, room: int) -> Text:
    """Format what the tasks of a kind wait for, starting with those that block the most.

    Args:
        kind: The kind; at least one of its tasks is unscheduled.
        scene: The group.
        room: In cells.
    """
    first = kind.waiting[0].nodes[kind.waiting[0].find_first()[1]]
    if kind.counts["unscheduled"] == 1:
        return format_dependencies(first, scene, room)
    blocking = scene.graph.blocking
    sets = dict.fromkeys(map(blocking.list_blockers, kind.waiting))
    task_ids = dict.fromkeys(chain.from_iterable(list(sets)[:_MAX_SETS]))
    if not task_ids:
        return format_dependencies(first, scene, room)
    numbers, start = blocking.numbers, Text("wait for ")
    names = _format_names(task_ids, scene, room - start.cell_len, lambda one: -numbers.get(one, 0))
    return start.append(names)


def format_duration_or_wait(node: Node, scene: Scene, room: int = _WIDEST) -> Text:
    """Format how long a task has been in its state, or what it waits for, in `room` cells."""
    if node.state == "unscheduled":
        return format_dependencies(node, scene, room)
    since = node.since
    if node.is_open:
        time = format_duration(scene.now - since) if since is not None else ""
        text = Text(f"waits {time}" if node.state == "pending" else time)
        lost = find_lost_run(node)
        return text.append(f"  after {_describe_lost(lost)}" if lost else "", style="dim")
    run = node.run
    started = run.started_at if run else None
    if since is None or started is None:
        return Text(get_state_style(node.state).word)
    return Text(format_duration(since - started))


def _describe_lost(run: Run) -> str:
    return f"run {run.run_id} {sanitize(run.reason_resolved or run.state)}"


def format_dependencies(node: Node, scene: Scene, room: int = _WIDEST) -> Text:
    """Format why a task is not scheduled yet, with names that fit into `room` cells."""
    blocking = scene.graph.blocking
    siblings = blocking.find_siblings(node.task_id)
    if not node.is_defined:
        return Text("waits; dependencies unknown")
    by = blocking.list_blockers(siblings) if siblings is not None else ()
    if not by:
        return Text(_NOT_SCHEDULED if _is_late(node, scene) else "is about to be scheduled")
    start = Text("waits for ")
    return start.append(_format_names(by, scene, room - start.cell_len))


def _format_names(
    task_ids: Collection[str],
    scene: Scene,
    room: int,
    get_order: Callable[[str], int] = lambda _: 0,
) -> Text:
    # First those that went wrong: without a rerun the others do not matter. To put thousands
    # in order would take 1 ms for each kind.
    lost, hopeless = scene.graph.blocking.lost, scene.graph.blocking.hopeless
    wrong = [task_id for task_id in task_ids if task_id in lost or task_id in hopeless]
    first = nsmallest(_MAX_NAMES, wrong, key=get_order)
    if len(first) < _MAX_NAMES:
        others = (task_id for task_id in task_ids if task_id not in first)
        first += nsmallest(_MAX_NAMES - len(first), others, key=get_order)
    text = _join_names(first, len(task_ids), scene)
    if text.cell_len > room:
        text = _join_names(first[:1], len(task_ids), scene)
    if text.cell_len > room:  # of a longer label, the middle
        task = scene.graph.find_task(first[0])
        cells = MAX_LABEL if task is None else cell_len(sanitize(task.label))
        left = min(cells, MAX_LABEL) - (text.cell_len - room)
        if left >= MIN_LABEL:
            text = _join_names(first[:1], len(task_ids), scene, left)
    return text


def _join_names(
    shown: Sequence[str], number: int, scene: Scene, max_label: int = MAX_LABEL
) -> Text:
    text = Text(", ").join(_format_dependency(task_id, scene, max_label) for task_id in shown)
    more = number - len(shown)
    return text.append(f" and {more:,} more") if more else text


def _format_dependency(task_id: str, scene: Scene, max_label: int) -> Text:
    other = scene.graph.find_task(task_id)
    is_outside = task_id not in scene.graph.nodes
    if other is None:
        return Text(f"{shorten_text(task_id, max_label)} of another group")
    style = get_state_style(other.state)
    text = Text(f"{shorten_text(other.label, max_label)} ")
    text.append(f"{style.symbol} {style.word}" if is_outside else style.symbol, style=style.style)
    if is_outside:
        text.append(" in another group")
    if is_outside and task_id in scene.graph.blocking.hopeless:
        text.append(", which can never run")
    return text


_NOT_SCHEDULED = "waits, although all its dependencies have ended"
_MAX_DELAY = 60.0  # seconds; the queue schedules tasks every 5


def _is_late(node: Node, scene: Scene) -> bool:
    others = map(scene.graph.find_task, node.dependencies)
    ends = [other.since for other in others if other is not None and other.since is not None]
    return not ends or scene.now - max(ends) > _MAX_DELAY


def format_wrong(rows: Sequence[Row], scene: Scene, width: int) -> list[Text]:
    """Format rows of tasks that went wrong, a line for each, on a screen of this width."""
    single = [row.node for row in rows if len(row.nodes) == 1]
    room = find_room((node.label for node in single), width)
    numbers = scene.graph.blocking.numbers
    highest = max((numbers.get(node.task_id, 0) for node in single), default=0)
    digits = len(f"{highest:,}") if highest else 0
    return [
        format_folded(row, scene, width)
        if len(row.nodes) > 1
        else _format_failure(row.node, scene, room, digits, width)
        for row in rows
    ]


def format_folded(row: Row, scene: Scene, width: int) -> Text:
    """Format tasks of which the same can be said, as a line: how many, what, and their names."""
    style = get_state_style(row.node.state)
    text = Text().append(f"{style.symbol} {len(row.nodes):,} × ", style=style.style)
    if row.node.is_open:
        text.append_text(format_dependencies(row.node, scene))
    else:
        ended = "" if row.ended_at is None else f" at {format_minute(row.ended_at, utc=scene.utc)}"
        text.append(f"{sanitize(row.reason)}{ended}", style=style.style)
    room = width - text.cell_len - len(": ")
    names = _list_names([node.label for node in row.nodes], room)
    return text.append(": ").append(names, style=style.style) if names else text


def _list_names(labels: Sequence[str], room: int) -> str:
    # As many as there is room for; the others are counted.
    number, more = len(labels), ""
    shown = [shorten_text(label, MAX_LABEL) for label in join_labels(labels[:_MAX_FOLDED])]
    for count in range(len(shown), 0, -1):
        more = f" and {number - count:,} more" if number > count else ""
        names = ", ".join(shown[:count]) + more
        if cell_len(names) <= room:
            return names
    return (
        shorten_text(labels[0], room - len(more)) + more if room - len(more) >= MIN_LABEL else ""
    )


_MAX_FOLDED = 100  # names that are tried


def _format_failure(node: Node, scene: Scene, room: int, digits: int, width: int) -> Text:
    style = get_state_style(node.state)
    text = Text()
    text.append(f"{style.symbol} ", style=style.style)
    text.append_text(_link_label(node, scene, room, style.style))
    blocks = scene.graph.blocking.numbers.get(node.task_id)
    if blocks:
        text.append(f"  blocks {blocks:>{digits},} ", style="bold")
    elif digits:
        text.append(" " * (len("  blocks  ") + digits))
    run = find_lost_run(node)
    url = format_log(node, scene) if scene.link_root else None
    text.append("  ").append_text(join_words(format_story(node, scene), url=url))
    return _append_place(text, node.pool, run, width)


def _append_place(text: Text, pool: str, run: Run | None, width: int) -> Text:
    # The pool, and the worker, which is shortened first.
    worker = " ".join(filter(None, (run.worker_group, run.worker_id))) if run else ""
    for part in (pool, worker):
        room = width - text.cell_len - len(_GAP)
        shown = shorten_text(part, room) if part.rstrip() and room >= _MIN_PLACE else ""
        if not shown:
            break
        text.append(f"{_GAP}{shown}", style="dim")
    return text


_GAP = "   "
_MIN_PLACE = 8  # cells of a pool or worker; with less room it is left out


def _link_label(node: Node, scene: Scene, room: int, style: str) -> Text:
    # Only the label is a link, not its padding.
    padded = pad_text(node.label, room)
    label = padded.rstrip()
    url = build_task_url(scene.link_root, node.task_id)
    return join_words(label, style, url).append(padded[len(label) :], style=style)


def format_kind(name: str, scene: Scene, room: int, width: int, *, alone: bool) -> Text:
    """Format a kind of tasks as a line.

    Args:
        name: The kind.
        scene: The group.
        room: Cells for the name.
        width: Of the screen, in cells.
        alone: Whether no task is listed below it, so that the line mentions the
            most important one.
    """
    kind = scene.kinds[name]
    counts = kind.counts
    main = next((state for state in _IMPORTANT if state in counts), next(iter(counts)))
    style = get_state_style(main)
    text = Text()
    text.append(f"{style.symbol} ", style=style.style)
    text.append(f"{pad_text(name or NO_KIND, room)} ", style="bold")
    text.append(f"{len(kind):>6,}  ")
    if len(counts) > 1:
        for state, number in counts.items():
            style = get_state_style(state)
            text.append(f"{style.symbol} {number:,} ", style=style.style)
        text.append(" ")
    if alone:
        text.append(_describe_kind(kind, scene, width - text.cell_len))
    text.rstrip()
    return text


_IMPORTANT = ("running", "pending", "failed", "exception", "unscheduled", UNHEARD)


def _describe_kind(kind: KindOutline, scene: Scene, width: int) -> Text:
    for state in ("running", "pending"):
        if number := kind.counts.get(state, 0):
            (node,) = kind.list_oldest(state, 1)
            text = Text("longest " if number > 1 else "")
            tail = format_duration_or_wait(node, scene)
            # Without room for both, the duration is more important than the label.
            room = width - text.cell_len - 1 - tail.cell_len
            if room >= MIN_LABEL:
                text.append(f"{shorten_text(node.label, room)} ")
            return text.append(tail)
    if kind.waiting:
        return format_wait(kind, scene, width)
    return Text("not heard of yet" if UNHEARD in kind.counts else "")


def format_rows(rows: Sequence[Row], scene: Scene, width: int) -> list[Text]:
    """Format rows of a kind, a line for each, on a screen of this width."""
    single = [row.node for row in rows if len(row.nodes) == 1]
    room = find_room((node.label for node in single), width)
    left = width - len("  ○ ") - room - len("  ")
    times = {node.task_id: format_duration_or_wait(node, scene, left) for node in single}
    pools = [cell_len(sanitize(node.pool)) for node in single]
    columns = _Columns(
        room,
        _measure((time.cell_len for time in times.values()), _MAX_TIME),
        _measure(pools, _MAX_POOL),
        width,
    )
    return [
        _join_task(row.node, times[row.node.task_id], columns, scene)
        if len(row.nodes) == 1
        else Text("  ").append_text(format_folded(row, scene, width - 2))
        for row in rows
    ]


_MAX_TIME, _MAX_POOL = 12, 30  # cells; longer ones do not make a column


class _Columns(NamedTuple):
    # In cells; 0 where each row needs its own.
    label: int
    time: int = 0
    pool: int = 0
    width: int = _WIDEST


def _measure(cells: Iterable[int], limit: int) -> int:
    longest = max(cells, default=0)
    return longest if longest <= limit else 0


def format_task(node: Node, scene: Scene, room: int) -> Text:
    """Format a task as a line, with `room` cells for its label."""
    return _join_task(node, format_duration_or_wait(node, scene), _Columns(room), scene)


def _join_task(node: Node, time: Text, columns: _Columns, scene: Scene) -> Text:
    style = get_state_style(node.state)
    text = Text("  ").append(f"{style.symbol} ", style=style.style)
    text.append_text(_link_label(node, scene, columns.label, style.style)).append("  ")
    text.append_text(time).append(" " * (columns.time - time.cell_len))
    pool = sanitize(node.pool)
    pool += " " * (columns.pool - cell_len(pool))
    run = node.run if node.state == "running" else None
    text = _append_place(text, pool, run, columns.width)
    text.rstrip()
    return text
