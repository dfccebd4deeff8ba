"""The parts of a picture of a task graph, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from tcsniff.pulse.times import lasting
from tcsniff.pulse.urls import group_url, task_url
from tcsniff.renderers.labels import LABEL, LEAST_LABEL, cut, padded, room_for
from tcsniff.renderers.painting import words
from tcsniff.renderers.scene import NO_KIND, Scene, look_of
from tcsniff.renderers.telling import (
    age,
    aside,
    log,
    story,
    wait,
    wrong_run,
)
from tcsniff.sanitize import safe
from tcsniff.taskgraph.critical_path import Step
from tcsniff.taskgraph.graph import OPEN, UNHEARD, Node, counts

_BLOCKS = {
    "completed": "█",
    "running": "▓",
    "pending": "▒",
    "unscheduled": "░",
    "failed": "✖",
    "exception": "!",
}
_LEAST_BAR = 8  # cells
_MOST_BAR = 60


def title(scene: Scene, width: int) -> Text:
    """Tell which group it is, how large and how old.

    Args:
        scene: The group.
        width: Of the screen, in cells; what can be spared is left out where it
            has no room.
    """
    text = _title(scene, "task group ", scene.graph.scheduler_id)
    if text.cell_len > width:
        text = _title(scene, "task group ", "")
    return text if text.cell_len <= width else _title(scene, "", "")


def _title(scene: Scene, what: str, scheduler: str) -> Text:
    graph = scene.graph
    url = group_url(scene.linked, graph.task_group_id)
    name = words(safe(graph.task_group_id) or "?", "bold", url)
    text = Text(what).append_text(name)
    number = len(graph.nodes)
    for part in (
        safe(scheduler),
        f"{number:,} task{'s' * (number != 1)}",
        lasting(scene.length) if scene.length else "",
        "resolved" if graph.is_over else "",
        "sealed" if graph.is_sealed else "",
    ):
        if part:
            text.append(f"   {part}", style="bold green" if part == "resolved" else "")
    return text


def progress(scene: Scene, width: int) -> Text:
    """Draw the bar of states, with their numbers and the time left."""
    tail = Text()
    for state, number in scene.counts.items():
        look = look_of(state)
        tail.append(f"  {look.symbol} {number:,}", style=look.style)
    tail.append(_left(scene, "about "))
    if tail.cell_len > width:
        tail.right_crop(_left(scene, "about ").cell_len)
        tail.append(_left(scene, "~"))
    room = min(_MOST_BAR, width - tail.cell_len)
    return _bar(scene.counts, room).append(tail) if room >= _LEAST_BAR else tail


def _left(scene: Scene, about: str) -> Text:
    if scene.left is None or not any(state in OPEN for state in scene.counts):
        return Text()
    hopeless = sum(1 for one in scene.blocked.values() if one.is_hopeless)
    if not scene.left and hopeless:
        return Text(f"   {hopeless:,} wait for a rerun", style="bold")
    return Text(f"   {about}{lasting(scene.left)} left")


def _bar(counts: dict[str, int], width: int) -> Text:
    bar = Text()
    total = sum(counts.values())
    if not total:
        return bar.append("░" * width, style="dim")
    # Of every state that there is at least one cell is seen.
    cells = {state: max(1, number * width // total) for state, number in counts.items()}
    largest = max(cells, key=cells.__getitem__)
    cells[largest] += width - sum(cells.values())
    for state, number in cells.items():
        bar.append(_BLOCKS.get(state, "·") * max(0, number), style=look_of(state).style)
    return bar


def wrong(nodes: Sequence[Node], scene: Scene, width: int) -> list[Text]:
    """Tell of tasks that went wrong, a line each.

    Args:
        nodes: The tasks.
        scene: What they are part of.
        width: Of the screen, in cells.
    """
    room = room_for((node.label for node in nodes), width)
    most = max((scene.blocks.get(node.task_id, 0) for node in nodes), default=0)
    return [_trouble(node, scene, room, len(f"{most:,}") if most else 0) for node in nodes]


def _trouble(node: Node, scene: Scene, room: int, digits: int) -> Text:
    look = look_of(node.state if not node.is_open else "exception")
    text = Text()
    text.append(f"{look.symbol} ", style=look.style)
    text.append_text(_linked(node, scene, room, look.style))
    blocks = scene.blocks.get(node.task_id)
    if blocks:
        text.append(f"  blocks {blocks:>{digits},} ", style="bold")
    elif digits:
        text.append(" " * (len("  blocks  ") + digits))
    run = wrong_run(node)
    url = log(node, scene) if scene.linked else None
    text.append("  ").append_text(words(story(node), url=url))
    worker = " ".join(filter(None, (run.worker_group, run.worker_id))) if run else ""
    for part in (node.pool, worker):
        if part:
            text.append(f"   {safe(part)}", style="dim")
    return text


def _linked(node: Node, scene: Scene, room: int, style: str) -> Text:
    # The label leads to the task's page; what fills it up leads nowhere.
    shown = padded(node.label, room)
    label = shown.rstrip()
    url = task_url(scene.linked, node.task_id)
    return words(label, style, url).append(shown[len(label) :], style=style)


def kind(name: str, scene: Scene, room: int, width: int, *, alone: bool) -> Text:
    """Sum a kind up in a line.

    Args:
        name: The kind.
        scene: What it is part of.
        room: Cells for the name.
        width: Of the screen, in cells.
        alone: Whether no task is told of below it: then the line tells what is
            most worth knowing of them.
    """
    nodes = scene.kinds[name]
    found = counts(nodes)
    shown = next((state for state in _MOST_TELLING if state in found), next(iter(found)))
    text = Text()
    text.append(f"{look_of(shown).symbol} ", style=look_of(shown).style)
    text.append(f"{padded(name or NO_KIND, room)} ", style="bold")
    text.append(f"{len(nodes):>6,}  ")
    if len(found) > 1:
        for state, number in found.items():
            text.append(f"{look_of(state).symbol} {number:,} ", style=look_of(state).style)
        text.append(" ")
    if alone:
        text.append(_worth_knowing(nodes, scene, width - text.cell_len))
    text.rstrip()
    return text


_MOST_TELLING = ("running", "pending", "failed", "exception", "unscheduled", UNHEARD)


def _worth_knowing(nodes: Sequence[Node], scene: Scene, width: int) -> Text:
    for state in ("running", "pending"):
        among = [node for node in nodes if node.state == state]
        if among:
            node = min(among, key=age)
            text = Text("longest " if len(among) > 1 else "")
            tail = aside(node, scene)
            # How long is worth more than what, where there is no room for both.
            room = width - text.cell_len - 1 - tail.cell_len
            if room >= LEAST_LABEL:
                text.append(f"{cut(node.label, room)} ")
            return text.append(tail)
    among = [node for node in nodes if node.state == "unscheduled"]
    if among:
        return wait(among, scene)
    return Text("not heard of yet" if any(node.state == UNHEARD for node in nodes) else "")


def task(node: Node, scene: Scene, room: int) -> Text:
    """Tell of a task in a line."""
    look = look_of(node.state)
    text = Text("  ").append(f"{look.symbol} ", style=look.style)
    text.append_text(_linked(node, scene, room, look.style)).append("  ")
    text.append(aside(node, scene))
    run = node.run
    worker = " ".join(filter(None, (run.worker_group, run.worker_id))) if run else ""
    for part in (node.pool, worker if node.state == "running" else ""):
        if part:
            text.append(f"   {safe(part)}", style="dim")
    return text


_PATH_LABELS = (LABEL, 32, 24, 18)  # cells for the name of a step: the more steps, the fewer
_ARROW = " → "


def _told(path: Sequence[Step], first: int, room: int) -> str:
    # Empty if there is no room for all from the first that is to be told of; the
    # last one alone is cut.
    start = f"…{_ARROW}" if first else ""
    for most in _PATH_LABELS:
        steps = [f"{cut(one.node.label, most)} {lasting(one.length)}" for one in path[first:]]
        told = start + _ARROW.join(steps)
        if cell_len(told) <= room:
            return told
    return cut(told, room) if first == len(path) - 1 else ""


def path(scene: Scene, width: int) -> Text:
    """Tell the chain that took the time.

    Names are shortened so that all of it fits; what still does not is left out
    from its beginning.
    """
    text = Text("critical path ", style="")
    text.append(lasting(sum(step.length for step in scene.path)), style="bold")
    room = width - text.cell_len - 7
    if room < 2 * LEAST_LABEL:
        return text
    told = next(filter(None, (_told(scene.path, first, room) for first in range(len(scene.path)))))
    text.append(f"   {told}")
    if not scene.graph.has_dependencies:
        text.append("   (dependencies unknown)", style="dim")
    return text
