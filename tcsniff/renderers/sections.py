"""The parts of a picture of a task graph, as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text

from tcsniff.criticalpath import Step
from tcsniff.graph import OPEN, Graph, Node
from tcsniff.links import group_url, log_url, task_url
from tcsniff.renderers.painting import words
from tcsniff.renderers.scene import NO_KIND, SYMBOLS, Scene, look_of, troubles
from tcsniff.sanitize import safe
from tcsniff.times import lasting, seconds
from tcsniff.tracker import Run

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
_NAMED = 2  # blockers that are named; of more, how many they are
_KIND = 18  # cells for the name of a kind
_LABEL = 44  # cells for that of a task


def title(scene: Scene) -> Text:
    """Tell which group it is, how large and how old."""
    graph = scene.graph
    url = group_url(scene.root_url, graph.task_group_id)
    name = words(safe(graph.task_group_id) or "?", "bold", url)
    text = Text("task group ").append_text(name)
    number = len(graph.nodes)
    for part in (
        safe(graph.scheduler_id),
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
    if scene.left is not None and any(state in OPEN for state in scene.counts):
        tail.append(f"   about {lasting(scene.left)} left")
    room = min(_MOST_BAR, width - tail.cell_len)
    return _bar(scene.counts, room).append(tail) if room >= _LEAST_BAR else tail


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


def wrong(scene: Scene, width: int) -> list[Text]:
    """Tell of the tasks that went wrong, worst first."""
    nodes = troubles(scene.graph.nodes.values(), scene.blocks)
    room = _room((node.label for node in nodes), width)
    return [_trouble(node, scene, room) for node in nodes]


def _room(labels: Iterable[str], width: int) -> int:
    longest = max((len(safe(label)) for label in labels), default=0)
    return min(longest, _LABEL, max(16, width * 2 // 5))


def _trouble(node: Node, scene: Scene, room: int) -> Text:
    look = look_of(node.state if not node.is_open else "exception")
    text = Text()
    text.append(f"{look.symbol} ", style=look.style)
    text.append_text(_linked(node, scene, room, look.style))
    run = _wrong_run(node)
    log = log_url(scene.root_url, node.task_id, run.run_id) if run and run.started else None
    text.append("  ").append_text(words(story(node), url=log))
    if blocks := scene.blocks.get(node.task_id):
        text.append(f"   blocks {blocks:,}", style="bold")
    worker = " ".join(filter(None, (run.worker_group, run.worker_id))) if run else ""
    for part in (node.pool, worker):
        if part:
            text.append(f"   {safe(part)}", style="dim")
    return text


def _linked(node: Node, scene: Scene, room: int, style: str) -> Text:
    # The label leads to the task's page; what fills it up leads nowhere.
    padded = _padded(node.label, room)
    label = padded.rstrip()
    url = task_url(scene.root_url, node.task_id)
    return words(label, style, url).append(padded[len(label) :], style=style)


def story(node: Node) -> str:
    """Tell what became of a task's runs, as far as that is worth telling."""
    run = _wrong_run(node)
    if run is None:
        return look_of(node.state).word
    reason = safe(run.reason_resolved or run.state)
    started, resolved = seconds(run.started), seconds(run.resolved)
    after = ""
    if started is not None and resolved is not None:
        after = f" after {lasting(resolved - started)}"
    text = f"run {run.run_id} {reason}{after}"
    if node.is_open and node.run is not None:
        text += f", run {node.run.run_id} is {safe(node.run.state)}"
    return text


def _wrong_run(node: Node) -> Run | None:
    lost = [run for run in node.runs if run.state in ("failed", "exception")]
    return lost[-1] if lost else None


def kind(name: str, nodes: Sequence[Node], scene: Scene, room: int, *, alone: bool) -> Text:
    """Sum a kind up in a line.

    Args:
        name: The kind.
        nodes: Its tasks.
        scene: What they are part of.
        room: Cells for the name.
        alone: Whether no task is told of below it: then the line tells what is
            most worth knowing of them.
    """
    found = {state: sum(1 for node in nodes if node.state == state) for state in SYMBOLS}
    shown = next((state for state in _MOST_TELLING if found[state]), "completed")
    text = Text()
    text.append(f"{look_of(shown).symbol} ", style=look_of(shown).style)
    text.append(f"{_padded(name or NO_KIND, room)} ", style="bold")
    text.append(f"{len(nodes):>6,}  ")
    if sum(1 for number in found.values() if number) > 1:
        for state, number in found.items():
            if number:
                text.append(f"{look_of(state).symbol} {number:,} ", style=look_of(state).style)
        text.append(" ")
    if alone:
        text.append(_worth_knowing(nodes, scene))
    text.rstrip()
    return text


_MOST_TELLING = ("running", "pending", "failed", "exception", "unscheduled", "unheard")


def _worth_knowing(nodes: Sequence[Node], scene: Scene) -> Text:
    for state in ("running", "pending", "unscheduled"):
        among = by_age([node for node in nodes if node.state == state])
        if among:
            prefix = "longest " if state == "running" and len(among) > 1 else ""
            return Text(f"{prefix}{safe(among[0].label)} ").append(aside(among[0], scene))
    return Text()


def by_age(nodes: Sequence[Node]) -> list[Node]:
    """Sort tasks of one state: what has been in it longest comes first."""
    return sorted(nodes, key=lambda node: (node.since is None, node.since or 0.0, node.label))


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


def aside(node: Node, scene: Scene) -> Text:
    """Tell how long a task has been in its state, or what it waits for."""
    if node.state == "unscheduled":
        return waits(node, scene)
    since = node.since
    if node.is_open:
        for_long = lasting(scene.now - since) if since is not None else ""
        return Text(f"waits {for_long}" if node.state == "pending" else for_long)
    run = node.run
    started = seconds(run.started) if run else None
    if since is None or started is None:
        return Text(look_of(node.state).word)
    return Text(lasting(since - started))


def waits(node: Node, scene: Scene) -> Text:
    """Tell what keeps a task from being scheduled."""
    blocked = scene.blocked.get(node.task_id)
    if not node.is_defined:
        return Text("waits; for what is not known")
    if blocked is None or not blocked.by:
        return Text(_WAITS_FOR_NOBODY if _is_late(node, scene) else "is about to be scheduled")
    text = Text("waits for ")
    # What went wrong first: without a rerun the others do not matter.
    order = sorted(blocked.by, key=lambda one: not _is_wrong(one, scene.graph))
    for number, task_id in enumerate(order[:_NAMED]):
        other = scene.graph.nodes.get(task_id)
        text.append(", " if number else "")
        if other is None:
            text.append(f"{safe(task_id)} of another group")
        else:
            look = look_of(other.state)
            text.append(f"{safe(other.label)} ").append(look.symbol, style=look.style)
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
    return other is not None and other.state in ("failed", "exception")


def path(scene: Scene, width: int) -> Text:
    """Tell the chain that took the time; what does not fit is left out from its beginning."""
    text = Text("critical path ", style="")
    text.append(lasting(sum(step.length for step in scene.path)), style="bold")
    steps = [f"{safe(step.node.label)} {lasting(step.length)}" for step in scene.path]
    shown: list[str] = []
    room = width - text.cell_len - 4
    for step in reversed(steps):
        if shown and len(step) + 3 > room:
            shown.insert(0, "…")
            break
        shown.insert(0, step)
        room -= len(step) + 3
    return text.append("   " + " → ".join(shown))


def _padded(text: str, room: int) -> str:
    text = safe(text)
    return text.ljust(room) if len(text) <= room else f"{text[: room - 1]}…"


def width_of_kinds(kinds: Iterable[str]) -> int:
    """Tell how much room the names of kinds need, in cells."""
    return min(_KIND, max((len(safe(name or NO_KIND)) for name in kinds), default=0))


def path_rows(steps: Sequence[Step]) -> list[Text]:
    """Tell the critical path, a line a step: waiting, running, and neither."""
    if not steps:
        return [Text("no task was scheduled yet")]
    rows = [Text(f"{'WAITING':>10} {'RUNNING':>10} {'IDLE':>10}  TASK", style="bold")]
    for step in steps:
        row = Text("".join(f"{lasting(part):>10} " for part in (step.waiting, step.running)))
        row.append(f"{lasting(step.idle) if step.idle >= _WORTH else '':>10}  ")
        look = look_of(step.node.state)
        row.append(f"{look.symbol} ", style=look.style).append(safe(step.node.label))
        rows.append(row.append(f"  {safe(step.node.pool)}", style="dim"))
    whole = sum(step.length for step in steps)
    rows.append(Text(f"{lasting(whole):>10} in all", style="bold"))
    return rows


_WORTH = 0.05  # seconds, below which idleness is not worth a figure


def blocked_rows(scene: Scene) -> list[Text]:
    """Tell who waits for whom, a line a task that waits."""
    if not scene.blocked:
        return [Text("no task waits for another")]
    nodes = [one.node for one in scene.blocked.values()]
    room = min(_LABEL, max(len(safe(node.label)) for node in nodes))
    return [task(node, scene, room) for node in nodes]
