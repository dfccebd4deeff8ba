"""The lines of a picture of a task graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from tcsniff.pulse.payloads import Run
from tcsniff.pulse.styles import get_state_style
from tcsniff.pulse.times import format_duration
from tcsniff.pulse.urls import build_group_url, build_log_url, build_task_url
from tcsniff.renderers.ansi import join_words
from tcsniff.renderers.graph.scene import NO_KIND, Scene
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.critical_path import PathStep
from tcsniff.taskgraph.graph import UNHEARD, Graph, Node, count_states

MAX_LABEL = 44
"""Maximum cells for a label."""
MIN_LABEL = 12
"""Minimum cells for a label where something else is more important."""
_MAX_KIND = 18  # cells for the name of a kind


def find_room(labels: Iterable[str], width: int) -> int:
    """Return the cells for the labels of tasks on a screen of this width."""
    longest = max((cell_len(sanitize(label)) for label in labels), default=0)
    return min(longest, MAX_LABEL, max(16, width * 2 // 5))


def pad_text(text: str, room: int) -> str:
    """Make text safe for a terminal, and exactly this many cells wide."""
    return set_cell_size(cut_text(text, room), room)


def cut_text(text: str, room: int) -> str:
    """Make text safe for a terminal, and at most this many cells wide."""
    # Cut in the middle, because the chunks of a test differ at the end.
    if len(text) > 2 * room:
        text = text[:room] + text[-room:]  # more of it would not be visible
    text = sanitize(text)
    if cell_len(text) <= room:
        return text
    head = max(0, room - 1) // 2
    return f"{_cut_end(text, head)}…{_cut_end(text[::-1], max(0, room - 1) - head)[::-1]}"


def _cut_end(text: str, room: int) -> str:
    # Wide characters are not cut in half.
    while cell_len(text) > room:
        text = text[: max(room, 0)] if len(text) > room else text[:-1]
    return text


def measure_kinds(kinds: Iterable[str]) -> int:
    """Return the cells that the names of kinds need."""
    return min(_MAX_KIND, max((cell_len(sanitize(name or NO_KIND)) for name in kinds), default=0))


_MAX_NAMES = 2  # of blockers; the others are counted
_MAX_SETS = 100  # of blockers of a kind that are compared


def format_log(node: Node, scene: Scene) -> str | None:
    """Return the URL of the log of a task's last lost run; None if there is none."""
    run = find_lost_run(node)
    return build_log_url(scene.root_url, node.task_id, run.run_id) if run and run.started else None


def format_story(node: Node) -> str:
    """Format the result of a task's last lost run, or the task's state."""
    run = find_lost_run(node)
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


def find_lost_run(node: Node) -> Run | None:
    """Return a task's last run that failed or ended in exception; None if there is none."""
    lost = (run for run in reversed(node.runs) if run.state in ("failed", "exception"))
    return next(lost, None)


def format_wait(nodes: Sequence[Node], scene: Scene) -> Text:
    """Format what tasks wait for, starting with the tasks that block the most."""
    if len(nodes) == 1:
        return format_dependencies(nodes[0], scene)
    sets = (scene.blocked[node.task_id].by for node in nodes if node.task_id in scene.blocked)
    distinct = list({id(blockers): blockers for blockers in sets}.values())[:_MAX_SETS]
    task_ids = dict.fromkeys(task_id for blockers in distinct for task_id in blockers)
    if not task_ids:
        return format_dependencies(nodes[0], scene)
    order = sorted(task_ids, key=lambda task_id: -scene.blocks.get(task_id, 0))
    return Text("wait for ").append(_format_names(order, scene))


def get_age_order(node: Node) -> tuple[bool, float, str, str]:
    """Return a sort key for tasks of one state, the oldest first."""
    since = node.since
    return since is None, since or 0.0, node.label, node.task_id


def format_duration_or_wait(node: Node, scene: Scene) -> Text:
    """Format how long a task has been in its state, or what it waits for."""
    if node.state == "unscheduled":
        return format_dependencies(node, scene)
    since = node.since
    if node.is_open:
        time = format_duration(scene.now - since) if since is not None else ""
        return Text(f"waits {time}" if node.state == "pending" else time)
    run = node.run
    started = run.started_at if run else None
    if since is None or started is None:
        return Text(get_state_style(node.state).word)
    return Text(format_duration(since - started))


def format_dependencies(node: Node, scene: Scene) -> Text:
    """Format why a task is not scheduled yet."""
    blocked = scene.blocked.get(node.task_id)
    if not node.is_defined:
        return Text("waits; dependencies unknown")
    if blocked is None or not blocked.by:
        return Text(_NOT_SCHEDULED if _is_late(node, scene) else "is about to be scheduled")
    return Text("waits for ").append(_format_names(blocked.by, scene))


def _format_names(task_ids: Sequence[str], scene: Scene) -> Text:
    text = Text()
    # First those that went wrong: without a rerun the others do not matter.
    order = sorted(task_ids, key=lambda task_id: not _is_wrong(task_id, scene.graph))
    for number, task_id in enumerate(order[:_MAX_NAMES]):
        other = scene.graph.nodes.get(task_id)
        text.append(", " if number else "")
        if other is None:
            text.append(f"{cut_text(task_id, MAX_LABEL)} of another group")
        else:
            look = get_state_style(other.state)
            text.append(f"{cut_text(other.label, MAX_LABEL)} ").append(
                look.symbol, style=look.style
            )
    if len(order) > _MAX_NAMES:
        text.append(f" and {len(order) - _MAX_NAMES:,} more")
    return text


_NOT_SCHEDULED = "waits, although all its dependencies have ended"
_MAX_DELAY = 60.0  # seconds; the queue schedules tasks every 5


def _is_late(node: Node, scene: Scene) -> bool:
    others = map(scene.graph.nodes.get, node.dependencies)
    ends = [other.since for other in others if other is not None and other.since is not None]
    return not ends or scene.now - max(ends) > _MAX_DELAY


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
_MIN_BAR, _MAX_BAR = 8, 60  # cells


def format_title(scene: Scene, width: int) -> Text:
    """Format the group's ID, scheduler, size and age.

    Args:
        scene: The group.
        width: Of the screen, in cells; the scheduler is left out first.
    """
    text = _format_title(scene, "task group ", scene.graph.scheduler_id)
    if text.cell_len > width:
        text = _format_title(scene, "task group ", "")
    return text if text.cell_len <= width else _format_title(scene, "", "")


def _format_title(scene: Scene, prefix: str, scheduler: str) -> Text:
    graph = scene.graph
    url = build_group_url(scene.link_root, graph.task_group_id)
    name = join_words(sanitize(graph.task_group_id) or "?", "bold", url)
    text = Text(prefix).append_text(name)
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


def format_verdict(scene: Scene) -> Text:
    """Format how the group is doing."""
    word, text = scene.verdict
    return Text(text, style=_VERDICT_STYLES.get(word, "bold"))


_VERDICT_STYLES = {
    "completed": "bold green",
    "failed": "bold red",
    "failing": "bold red",
    "stuck": "bold red",
    "exception": "bold magenta",
    "waiting": "bold yellow",
    "partial": "bold yellow",
    "unknown": "yellow",
}


def format_progress(scene: Scene, width: int) -> Text:
    """Draw the bar of states, with their numbers."""
    tail = Text()
    for state, number in scene.counts.items():
        style = get_state_style(state)
        tail.append(f"  {style.symbol} {number:,}", style=style.style)
    room = min(_MAX_BAR, width - tail.cell_len)
    return _draw_bar(scene.counts, room).append(tail) if room >= _MIN_BAR else tail


def _draw_bar(counts: dict[str, int], width: int) -> Text:
    bar = Text()
    total = sum(counts.values())
    if not total:
        return bar.append("░" * width, style="dim")
    # At least one cell for each state.
    cells = {state: max(1, number * width // total) for state, number in counts.items()}
    largest = max(cells, key=cells.__getitem__)
    cells[largest] += width - sum(cells.values())
    for state, number in cells.items():
        bar.append(_BLOCKS.get(state, "·") * max(0, number), style=get_state_style(state).style)
    return bar


def format_wrong(nodes: Sequence[Node], scene: Scene, width: int) -> list[Text]:
    """Format tasks that went wrong, a line for each, on a screen of this width."""
    room = find_room((node.label for node in nodes), width)
    highest = max((scene.blocks.get(node.task_id, 0) for node in nodes), default=0)
    digits = len(f"{highest:,}") if highest else 0
    return [_format_troubled(node, scene, room, digits) for node in nodes]


def _format_troubled(node: Node, scene: Scene, room: int, digits: int) -> Text:
    style = get_state_style(node.state if not node.is_open else "exception")
    text = Text()
    text.append(f"{style.symbol} ", style=style.style)
    text.append_text(_link_label(node, scene, room, style.style))
    blocks = scene.blocks.get(node.task_id)
    if blocks:
        text.append(f"  blocks {blocks:>{digits},} ", style="bold")
    elif digits:
        text.append(" " * (len("  blocks  ") + digits))
    run = find_lost_run(node)
    url = format_log(node, scene) if scene.link_root else None
    text.append("  ").append_text(join_words(format_story(node), url=url))
    worker = " ".join(filter(None, (run.worker_group, run.worker_id))) if run else ""
    for part in (node.pool, worker):
        if part:
            text.append(f"   {sanitize(part)}", style="dim")
    return text


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
    nodes = scene.kinds[name]
    counts = count_states(nodes)
    main = next((state for state in _IMPORTANT if state in counts), next(iter(counts)))
    style = get_state_style(main)
    text = Text()
    text.append(f"{style.symbol} ", style=style.style)
    text.append(f"{pad_text(name or NO_KIND, room)} ", style="bold")
    text.append(f"{len(nodes):>6,}  ")
    if len(counts) > 1:
        for state, number in counts.items():
            style = get_state_style(state)
            text.append(f"{style.symbol} {number:,} ", style=style.style)
        text.append(" ")
    if alone:
        text.append(_describe_kind(nodes, scene, width - text.cell_len))
    text.rstrip()
    return text


_IMPORTANT = ("running", "pending", "failed", "exception", "unscheduled", UNHEARD)


def _describe_kind(nodes: Sequence[Node], scene: Scene, width: int) -> Text:
    for state in ("running", "pending"):
        same = [node for node in nodes if node.state == state]
        if same:
            node = min(same, key=get_age_order)
            text = Text("longest " if len(same) > 1 else "")
            tail = format_duration_or_wait(node, scene)
            # Without room for both, the duration is more important than the label.
            room = width - text.cell_len - 1 - tail.cell_len
            if room >= MIN_LABEL:
                text.append(f"{cut_text(node.label, room)} ")
            return text.append(tail)
    waiting = [node for node in nodes if node.state == "unscheduled"]
    if waiting:
        return format_wait(waiting, scene)
    return Text("not heard of yet" if any(node.state == UNHEARD for node in nodes) else "")


def format_task(node: Node, scene: Scene, room: int) -> Text:
    """Format a task as a line."""
    style = get_state_style(node.state)
    text = Text("  ").append(f"{style.symbol} ", style=style.style)
    text.append_text(_link_label(node, scene, room, style.style)).append("  ")
    text.append(format_duration_or_wait(node, scene))
    run = node.run
    worker = " ".join(filter(None, (run.worker_group, run.worker_id))) if run else ""
    for part in (node.pool, worker if node.state == "running" else ""):
        if part:
            text.append(f"   {sanitize(part)}", style="dim")
    return text


_PATH_LABELS = (MAX_LABEL, 32, 24, 18)  # cells for the name of a step: the more steps, the fewer
_ARROW = " → "


def _format_path(path: Sequence[PathStep], first: int, room: int) -> str:
    # Empty if the steps from `first` on do not fit; only a last step is cut.
    start = f"…{_ARROW}" if first else ""
    for max_label in _PATH_LABELS:
        steps = [
            f"{cut_text(step.node.label, max_label)} {format_duration(step.length)}"
            for step in path[first:]
        ]
        line = start + _ARROW.join(steps)
        if cell_len(line) <= room:
            return line
    return cut_text(line, room) if first == len(path) - 1 else ""


def format_path_line(scene: Scene, width: int) -> Text:
    """Format the critical path.

    Labels are shortened to make it fit; then steps are left out from its start.
    """
    text = Text("critical path ", style="")
    text.append(format_duration(sum(step.length for step in scene.path)), style="bold")
    room = width - text.cell_len - 7
    if room < 2 * MIN_LABEL:
        return text
    line = next(
        filter(None, (_format_path(scene.path, first, room) for first in range(len(scene.path))))
    )
    text.append(f"   {line}")
    if not scene.graph.has_dependencies:
        text.append("   (dependencies unknown)", style="dim")
    return text
