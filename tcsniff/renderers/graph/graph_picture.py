"""A picture of a task graph that fits a screen, however many tasks there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from tcsniff.renderers.ansi import paint_lines
from tcsniff.renderers.graph import graph_parts
from tcsniff.renderers.graph.heading import format_progress, format_title, format_verdict
from tcsniff.renderers.graph.path_line import format_path_line
from tcsniff.renderers.graph.scene import Scene
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.terminal import format_status
from tcsniff.taskgraph.outline import KindOutline, Row, count_tasks

_OTHER_LINES = 5  # title, verdict, bar, path and status
_BLANK_LINES = 3  # that separate the parts, if there is room


def draw_graph(
    scene: Scene, status: StreamStatus | None, width: int, height: int, *, color: bool
) -> list[str]:
    """Draw a group.

    First the tasks that went wrong, then a line for each kind. If there is room,
    the tasks of a kind are below it, open ones first.

    Args:
        scene: The group.
        status: For the status line; None for no status line.
        width: Of the screen, in cells.
        height: The maximum number of lines.
        color: Whether to use colors.

    Returns:
        At most `height` lines of at most `width` cells.
    """
    rows = [
        format_title(scene, width),
        format_verdict(scene, width),
        format_progress(scene, width),
    ]
    room = max(0, height - _OTHER_LINES)
    wrong = _list_wrong(scene, width, room)
    kinds = _list_kinds(scene, width, room - len(wrong))
    foot = [format_path_line(scene, width)] if scene.began is not None else []
    if status is not None:
        foot.append(format_status(status, width))
    parts = [part for part in (wrong, kinds, foot) if part]
    spare = height - len(rows) - sum(map(len, parts))
    for part in parts:
        is_apart = spare >= len(parts) or (part is foot and spare > 0)
        rows += [Text(), *part] if is_apart else part
    return paint_lines(rows, width, color=color)[:height]


def _share_room(wrong: int, kinds: int, room: int) -> int:
    # At least a third for the tasks that went wrong, and more if kinds need less.
    return min(wrong, max(min(room, 1), room // 3, room - kinds - 2))


def _list_wrong(scene: Scene, width: int, room: int) -> list[Text]:
    wrong = scene.wrong
    lines, room = room, _share_room(len(wrong), len(scene.kinds), room)
    if len(wrong) <= room:
        rows = graph_parts.format_wrong(wrong, scene, width)
        spare = lines - len(rows) - len(scene.kinds)
        if not scene.tails:
            spare //= 2  # tasks are more important than addresses alone
        return [*_add_logs(wrong, rows, scene, width, spare)]
    if room < 1:
        return []
    more = count_tasks(wrong[room - 1 :])
    rows = graph_parts.format_wrong(wrong[: room - 1], scene, width)
    return [*rows, Text(f"… and {more:,} more that went wrong", style="dim")]


def _add_logs(
    wrong: Sequence[Row], rows: Sequence[Text], scene: Scene, width: int, spare: int
) -> Iterator[Text]:
    for row, text in zip(wrong, rows, strict=True):
        yield text
        below = graph_parts.list_log_rows(row, scene, width) if spare > 0 else []
        if len(below) > spare > 1:
            below = [below[0], *below[1 - spare :]]  # the address, and the end of the end
        yield from below[:spare]
        spare -= len(below)


def _list_kinds(scene: Scene, width: int, room: int) -> list[Text]:
    names = list(scene.kinds)
    wide = graph_parts.measure_kinds(names)
    if len(names) > room:
        # Kinds without open tasks are left out first.
        names = _choose_kinds(scene, max(0, room - 1))
    details = _list_tasks(scene, names, width, room - len(names))
    rows = []
    for name in names:
        below = details.get(name, ())
        rows += [graph_parts.format_kind(name, scene, wide, width, alone=not below), *below]
    left_out = [kind for name, kind in scene.kinds.items() if name not in names]
    if left_out and room > 0:
        tasks = sum(map(len, left_out))
        what = f"… and {len(left_out):,} more kinds" if names else f"{len(left_out):,} kinds"
        rows.append(Text(f"{what} with {tasks:,} tasks", style="dim"))
    return rows


def _choose_kinds(scene: Scene, room: int) -> list[str]:
    def get_order(name: str) -> tuple[bool, int]:
        kind = scene.kinds[name]
        return not kind.open_count, -len(kind)

    chosen = set(sorted(scene.kinds, key=get_order)[:room])
    return [name for name in scene.kinds if name in chosen]


def _list_tasks(
    scene: Scene, names: Sequence[str], width: int, room: int
) -> dict[str, list[Text]]:
    # All tasks, if they fit; otherwise the open ones, from each kind in turn, so
    # that a large kind does not use all the room.
    room -= _BLANK_LINES
    if room <= 0:
        return {}
    kinds = [scene.kinds[name] for name in names]
    # Only rows that have room are put together, and one more, to see that there are more.
    # Of 10,000 tasks, all rows would take 100 ms.
    only_open = sum(kind.min_rows for kind in kinds) > room
    rows = {} if only_open else {kind.name: kind.list_rows(room + 1) for kind in kinds}
    if only_open or sum(map(len, rows.values())) > room:
        only_open = True
        rows = {kind.name: kind.list_rows(room + 1, only_open=True) for kind in kinds}
    shown = share_rows({name: len(rows[name]) for name in _order_kinds(kinds)}, room)
    return {
        name: _format_tasks(rows[name], scene.kinds[name], scene, number, width, only_open)
        for name, number in shown.items()
        if number
    }


def _order_kinds(kinds: Sequence[KindOutline]) -> list[str]:
    # Of a kind that runs there is more to see than of one that waits.
    ordered = sorted(kinds, key=lambda kind: not kind.counts.keys() & {"running", "pending"})
    return [kind.name for kind in ordered]


def share_rows(numbers: Mapping[str, int], room: int) -> dict[str, int]:
    """Share lines between kinds of tasks, from each kind in turn.

    The line for tasks that are left out counts, too. Alone, it would say less than the
    kind's own line, so a kind of several rows gets two or none.

    Args:
        numbers: Of rows, by kind; the first kinds are served first.
        room: In lines.
    """
    shown = dict.fromkeys(numbers, 0)
    for name, number in numbers.items():
        least = min(number, 2)
        if least <= room:
            shown[name] = least
            room -= least
    while room > 0 and (left := [name for name in numbers if 0 < shown[name] < numbers[name]]):
        for name in left[:room]:
            shown[name] += 1
        room -= len(left[:room])
    return shown


def _format_tasks(
    rows: Sequence[Row], kind: KindOutline, scene: Scene, number: int, width: int, only_open: bool
) -> list[Text]:
    # A last line for all that is left out takes the place of a task.
    is_cut = len(rows) > number
    shown = rows[: number - 1 if is_cut else number]
    more = (kind.open_count if only_open else len(kind)) - count_tasks(shown)
    what = " that have not ended" if only_open else ""
    texts = graph_parts.format_rows(shown, scene, width)
    if more:
        texts.append(Text(f"  … and {more:,} more{what}", style="dim"))
    return texts
