"""A picture of a task graph that fits a screen, however many tasks there are."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tcsniff.graph import Node
from tcsniff.renderers import sections
from tcsniff.renderers.painting import painted
from tcsniff.renderers.scene import Scene
from tcsniff.renderers.status import Status, status_line

_CHROME = 4  # lines besides: title, bar, path and status
_OPEN_FIRST = ("running", "pending", "unscheduled", "unheard", "failed", "exception", "completed")
_AIRY = 3  # lines to spare from which on the parts are set apart


def picture_of(
    scene: Scene, status: Status | None, width: int, height: int, *, colour: bool
) -> list[str]:
    """Lay a picture out.

    First come the tasks that went wrong, then a line for each kind; where there
    is room, the tasks of a kind below it, those that are open first.

    Args:
        scene: What to show.
        status: For the line below; None for none.
        width: Of the screen, in cells.
        height: The most lines.
        colour: Whether to use colours.

    Returns:
        Lines no wider than `width`, and no more than `height` of them.
    """
    rows = [sections.title(scene), sections.progress(scene, width)]
    wrong = sections.wrong(scene, width)
    room = max(0, height - _CHROME)
    told = _cut(wrong, _share(len(wrong), len(scene.kinds), room), "went wrong")
    kinds = _kinds(scene, width, room - len(told))
    foot = [sections.path(scene, width)] if scene.path else []
    if status is not None:
        foot.append(status_line(status, width))
    spare = height - len(rows) - len(told) - len(kinds) - len(foot)
    for part in (told, kinds, foot):
        if part:
            rows += [Text(), *part] if spare >= _AIRY or (part is foot and spare) else part
            spare -= 1
    return painted(rows, width, colour=colour)[:height]


def _share(wrong: int, kinds: int, room: int) -> int:
    # At least a third for what went wrong, and more where the kinds need less.
    return min(wrong, max(room // 3, room - kinds - 2))


def _cut(rows: list[Text], room: int, what: str) -> list[Text]:
    if len(rows) <= room:
        return rows
    if room < 1:
        return []
    more = len(rows) - room + 1
    return [*rows[: room - 1], Text(f"… and {more:,} more that {what}", style="dim")]


def _kinds(scene: Scene, width: int, room: int) -> list[Text]:
    names = list(scene.kinds)
    wide = sections.width_of_kinds(names)
    if len(names) > room:
        # What is over and done with can be left out first.
        names = _most_telling(scene, max(0, room - 1))
    details = _details(scene, names, width, room - len(names))
    rows = []
    for name in names:
        below = details.get(name, ())
        nodes = scene.kinds[name]
        rows += [sections.kind(name, nodes, scene, wide, alone=not below), *below]
    left_out = [nodes for name, nodes in scene.kinds.items() if name not in names]
    if left_out and room > 0:
        tasks = sum(len(nodes) for nodes in left_out)
        rows.append(Text(f"… and {len(left_out):,} more kinds with {tasks:,} tasks", style="dim"))
    return rows


def _most_telling(scene: Scene, room: int) -> list[str]:
    def worth(name: str) -> tuple[bool, int]:
        nodes = scene.kinds[name]
        return not any(node.is_open for node in nodes), -len(nodes)

    chosen = set(sorted(scene.kinds, key=worth)[:room])
    return [name for name in scene.kinds if name in chosen]


def _details(scene: Scene, names: Sequence[str], width: int, room: int) -> dict[str, list[Text]]:
    # All tasks, if they fit; else the open ones, each kind in turn, so that a
    # large one does not take all the room.
    room -= _AIRY
    ordered = {name: _by_state(scene.kinds[name]) for name in names}
    if sum(map(len, ordered.values())) > room:
        ordered = {name: [one for one in ordered[name] if one.is_open] for name in names}
    shown = dict.fromkeys(names, 0)
    while room > 0 and (left := [name for name in names if shown[name] < len(ordered[name])]):
        for name in left[:room]:
            shown[name] += 1
        room -= len(left[:room])
    return {
        name: _tasks(ordered[name], scene, number, width)
        for name, number in shown.items()
        if number
    }


def _tasks(ordered: Sequence[Node], scene: Scene, number: int, width: int) -> list[Text]:
    is_cut = len(ordered) > number > 1
    shown = ordered[: number - 1 if is_cut else number]
    longest = max(len(node.label) for node in shown)
    rows = [sections.task(node, scene, min(longest, 44, width * 2 // 5)) for node in shown]
    if is_cut:
        rows.append(Text(f"  … and {len(ordered) - len(shown):,} more", style="dim"))
    return rows


def _by_state(nodes: Sequence[Node]) -> list[Node]:
    ordered: list[Node] = []
    for state in _OPEN_FIRST:
        ordered += sections.by_age([node for node in nodes if node.state == state])
    return ordered
