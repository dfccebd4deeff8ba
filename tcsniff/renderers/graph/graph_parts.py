"""The parts of a picture of a task graph, as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from tcsniff.pulse.payloads import Run
from tcsniff.pulse.times import format_duration
from tcsniff.pulse.urls import build_group_url, build_log_url, build_task_url
from tcsniff.renderers.ansi import join_words
from tcsniff.renderers.graph.scene import NO_KIND, Scene, get_state_style
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.critical_path import PathStep
from tcsniff.taskgraph.graph import OPEN, UNHEARD, Graph, Node, count_states

LABEL = 44
"""Cells for the label of a task, at most."""
LEAST_LABEL = 12
"""The same, where something else is worth more."""
_KIND = 18  # cells for the name of a kind


def find_room(labels: Iterable[str], width: int) -> int:
    """Tell how much room the labels of tasks are given, in cells.

    Args:
        labels: The labels.
        width: Of the screen, in cells.
    """
    longest = max((cell_len(sanitize(label)) for label in labels), default=0)
    return min(longest, LABEL, max(16, width * 2 // 5))


def pad_text(text: str, room: int) -> str:
    """Make a text safe for a terminal, and as wide as the room, in cells."""
    return set_cell_size(cut_text(text, room), room)


def cut_text(text: str, room: int) -> str:
    """Make a text safe for a terminal, and no wider than the room, in cells."""
    # In the middle: what tells chunks of a test apart stands at the end.
    if len(text) > 2 * room:
        text = text[:room] + text[-room:]  # more of it would not be seen
    text = sanitize(text)
    if cell_len(text) <= room:
        return text
    head = max(0, room - 1) // 2
    return f"{_start(text, head)}…{_start(text[::-1], max(0, room - 1) - head)[::-1]}"


def _start(text: str, room: int) -> str:
    # No more than the room holds; a wide character is not cut in half.
    while cell_len(text) > room:
        text = text[: max(room, 0)] if len(text) > room else text[:-1]
    return text


def measure_kinds(kinds: Iterable[str]) -> int:
    """Tell how much room the names of kinds need, in cells."""
    return min(_KIND, max((cell_len(sanitize(name or NO_KIND)) for name in kinds), default=0))


_NAMED = 2  # blockers that are named; of more, how many they are
_COMPARED = 100  # sets of blockers of a kind that are looked at


def format_log(node: Node, scene: Scene) -> str | None:
    """Tell the address of the log of a task's last run that went wrong; None if there is none."""
    run = format_wrong_run(node)
    return build_log_url(scene.root_url, node.task_id, run.run_id) if run and run.started else None


def format_story(node: Node) -> str:
    """Tell what became of a task's runs, as far as that is worth telling."""
    run = format_wrong_run(node)
    if run is None:
        return get_state_style(node.state).word
    reason = sanitize(run.reason_resolved or run.state)
    started, resolved = run.started_at, run.resolved_at
    after = ""
    if started is not None and resolved is not None:
        after = f" after {format_duration(resolved - started)}"
    text = f"run {run.run_id} {reason}{after}"
    if node.is_open and node.run is not None:
        text += f", run {node.run.run_id} is {sanitize(node.run.state)}"
    return text


def format_wrong_run(node: Node) -> Run | None:
    """Give a task's last run that went wrong; None if there is none."""
    lost = [run for run in node.runs if run.state in ("failed", "exception")]
    return lost[-1] if lost else None


def format_wait(nodes: Sequence[Node], scene: Scene) -> Text:
    """Tell what many tasks wait for: those first that are in the way of most."""
    if len(nodes) == 1:
        return format_dependencies(nodes[0], scene)
    found = (scene.blocked[node.task_id].by for node in nodes if node.task_id in scene.blocked)
    different = list({id(by): by for by in found}.values())[:_COMPARED]
    by = {one: None for by in different for one in by}
    if not by:
        return format_dependencies(nodes[0], scene)
    order = sorted(by, key=lambda one: -scene.blocks.get(one, 0))
    return Text("wait for ").append(_names(order, scene))


def format_age(node: Node) -> tuple[bool, float, str, str]:
    """Give what tasks of one state are sorted by: what has been in it longest comes first."""
    since = node.since
    return since is None, since or 0.0, node.label, node.task_id


def format_aside(node: Node, scene: Scene) -> Text:
    """Tell how long a task has been in its state, or what it waits for."""
    if node.state == "unscheduled":
        return format_dependencies(node, scene)
    since = node.since
    if node.is_open:
        for_long = format_duration(scene.now - since) if since is not None else ""
        return Text(f"waits {for_long}" if node.state == "pending" else for_long)
    run = node.run
    started = run.started_at if run else None
    if since is None or started is None:
        return Text(get_state_style(node.state).word)
    return Text(format_duration(since - started))


def format_dependencies(node: Node, scene: Scene) -> Text:
    """Tell what keeps a task from being scheduled."""
    blocked = scene.blocked.get(node.task_id)
    if not node.is_defined:
        return Text("waits; for what is not known")
    if blocked is None or not blocked.by:
        return Text(_WAITS_FOR_NOBODY if _is_late(node, scene) else "is about to be scheduled")
    return Text("waits for ").append(_names(blocked.by, scene))


def _names(by: Sequence[str], scene: Scene) -> Text:
    text = Text()
    # What went wrong first: without a rerun the others do not matter.
    order = sorted(by, key=lambda one: not _is_wrong(one, scene.graph))
    for number, task_id in enumerate(order[:_NAMED]):
        other = scene.graph.nodes.get(task_id)
        text.append(", " if number else "")
        if other is None:
            text.append(f"{cut_text(task_id, LABEL)} of another group")
        else:
            look = get_state_style(other.state)
            text.append(f"{cut_text(other.label, LABEL)} ").append(look.symbol, style=look.style)
    if len(order) > _NAMED:
        text.append(f" and {len(order) - _NAMED:,} more")
    return text


_WAITS_FOR_NOBODY = "waits, though all that it waits for has ended"
_SOON = 60.0  # seconds; the queue's resolver looks every 5


def _is_late(node: Node, scene: Scene) -> bool:
    others = (scene.graph.nodes.get(one) for one in node.dependencies)
    ends = [one.since for one in others if one is not None and one.since is not None]
    return not ends or scene.now - max(ends) > _SOON


def _is_wrong(task_id: str, graph: Graph) -> bool:
    other = graph.nodes.get(task_id)
    return other is not None and other.went_wrong


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


def format_title(scene: Scene, width: int) -> Text:
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
    url = build_group_url(scene.linked, graph.task_group_id)
    name = join_words(sanitize(graph.task_group_id) or "?", "bold", url)
    text = Text(what).append_text(name)
    number = len(graph.nodes)
    for part in (
        sanitize(scheduler),
        f"{number:,} task{'s' * (number != 1)}",
        format_duration(scene.length) if scene.length else "",
        "resolved" if graph.is_over else "",
        "sealed" if graph.is_sealed else "",
    ):
        if part:
            text.append(f"   {part}", style="bold green" if part == "resolved" else "")
    return text


def format_progress(scene: Scene, width: int) -> Text:
    """Draw the bar of states, with their numbers and the time left."""
    tail = Text()
    for state, number in scene.counts.items():
        look = get_state_style(state)
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
    return Text(f"   {about}{format_duration(scene.left)} left")


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
        bar.append(_BLOCKS.get(state, "·") * max(0, number), style=get_state_style(state).style)
    return bar


def format_wrong(nodes: Sequence[Node], scene: Scene, width: int) -> list[Text]:
    """Tell of tasks that went wrong, a line each.

    Args:
        nodes: The tasks.
        scene: What they are part of.
        width: Of the screen, in cells.
    """
    room = find_room((node.label for node in nodes), width)
    most = max((scene.blocks.get(node.task_id, 0) for node in nodes), default=0)
    return [_trouble(node, scene, room, len(f"{most:,}") if most else 0) for node in nodes]


def _trouble(node: Node, scene: Scene, room: int, digits: int) -> Text:
    look = get_state_style(node.state if not node.is_open else "exception")
    text = Text()
    text.append(f"{look.symbol} ", style=look.style)
    text.append_text(_linked(node, scene, room, look.style))
    blocks = scene.blocks.get(node.task_id)
    if blocks:
        text.append(f"  blocks {blocks:>{digits},} ", style="bold")
    elif digits:
        text.append(" " * (len("  blocks  ") + digits))
    run = format_wrong_run(node)
    url = format_log(node, scene) if scene.linked else None
    text.append("  ").append_text(join_words(format_story(node), url=url))
    worker = " ".join(filter(None, (run.worker_group, run.worker_id))) if run else ""
    for part in (node.pool, worker):
        if part:
            text.append(f"   {sanitize(part)}", style="dim")
    return text


def _linked(node: Node, scene: Scene, room: int, style: str) -> Text:
    # The label leads to the task's page; what fills it up leads nowhere.
    shown = pad_text(node.label, room)
    label = shown.rstrip()
    url = build_task_url(scene.linked, node.task_id)
    return join_words(label, style, url).append(shown[len(label) :], style=style)


def format_kind(name: str, scene: Scene, room: int, width: int, *, alone: bool) -> Text:
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
    found = count_states(nodes)
    shown = next((state for state in _MOST_TELLING if state in found), next(iter(found)))
    text = Text()
    text.append(f"{get_state_style(shown).symbol} ", style=get_state_style(shown).style)
    text.append(f"{pad_text(name or NO_KIND, room)} ", style="bold")
    text.append(f"{len(nodes):>6,}  ")
    if len(found) > 1:
        for state, number in found.items():
            text.append(
                f"{get_state_style(state).symbol} {number:,} ", style=get_state_style(state).style
            )
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
            node = min(among, key=format_age)
            text = Text("longest " if len(among) > 1 else "")
            tail = format_aside(node, scene)
            # How long is worth more than what, where there is no room for both.
            room = width - text.cell_len - 1 - tail.cell_len
            if room >= LEAST_LABEL:
                text.append(f"{cut_text(node.label, room)} ")
            return text.append(tail)
    among = [node for node in nodes if node.state == "unscheduled"]
    if among:
        return format_wait(among, scene)
    return Text("not heard of yet" if any(node.state == UNHEARD for node in nodes) else "")


def format_task(node: Node, scene: Scene, room: int) -> Text:
    """Tell of a task in a line."""
    look = get_state_style(node.state)
    text = Text("  ").append(f"{look.symbol} ", style=look.style)
    text.append_text(_linked(node, scene, room, look.style)).append("  ")
    text.append(format_aside(node, scene))
    run = node.run
    worker = " ".join(filter(None, (run.worker_group, run.worker_id))) if run else ""
    for part in (node.pool, worker if node.state == "running" else ""):
        if part:
            text.append(f"   {sanitize(part)}", style="dim")
    return text


_PATH_LABELS = (LABEL, 32, 24, 18)  # cells for the name of a step: the more steps, the fewer
_ARROW = " → "


def _told(path: Sequence[PathStep], first: int, room: int) -> str:
    # Empty if there is no room for all from the first that is to be told of; the
    # last one alone is cut.
    start = f"…{_ARROW}" if first else ""
    for most in _PATH_LABELS:
        steps = [
            f"{cut_text(one.node.label, most)} {format_duration(one.length)}"
            for one in path[first:]
        ]
        told = start + _ARROW.join(steps)
        if cell_len(told) <= room:
            return told
    return cut_text(told, room) if first == len(path) - 1 else ""


def format_path_line(scene: Scene, width: int) -> Text:
    """Tell the chain that took the time.

    Names are shortened so that all of it fits; what still does not is left out
    from its beginning.
    """
    text = Text("critical path ", style="")
    text.append(format_duration(sum(step.length for step in scene.path)), style="bold")
    room = width - text.cell_len - 7
    if room < 2 * LEAST_LABEL:
        return text
    told = next(filter(None, (_told(scene.path, first, room) for first in range(len(scene.path)))))
    text.append(f"   {told}")
    if not scene.graph.has_dependencies:
        text.append("   (dependencies unknown)", style="dim")
    return text
