"""What is told of one task in a picture: its story, its age, what it waits for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tcsniff.pulse.times import lasting, seconds
from tcsniff.pulse.urls import log_url
from tcsniff.renderers.labels import LABEL, cut
from tcsniff.renderers.scene import Scene, look_of
from tcsniff.sanitize import safe
from tcsniff.taskgraph.graph import Graph, Node
from tcsniff.taskgraph.tracker import Run

_NAMED = 2  # blockers that are named; of more, how many they are
_COMPARED = 100  # sets of blockers of a kind that are looked at


def log(node: Node, scene: Scene) -> str | None:
    """Tell the address of the log of a task's last run that went wrong; None if there is none."""
    run = wrong_run(node)
    return log_url(scene.root_url, node.task_id, run.run_id) if run and run.started else None


def story(node: Node) -> str:
    """Tell what became of a task's runs, as far as that is worth telling."""
    run = wrong_run(node)
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


def wrong_run(node: Node) -> Run | None:
    """Give a task's last run that went wrong; None if there is none."""
    lost = [run for run in node.runs if run.state in ("failed", "exception")]
    return lost[-1] if lost else None


def wait(nodes: Sequence[Node], scene: Scene) -> Text:
    """Tell what many tasks wait for: those first that are in the way of most."""
    if len(nodes) == 1:
        return waits(nodes[0], scene)
    found = (scene.blocked[node.task_id].by for node in nodes if node.task_id in scene.blocked)
    different = list({id(by): by for by in found}.values())[:_COMPARED]
    by = {one: None for by in different for one in by}
    if not by:
        return waits(nodes[0], scene)
    order = sorted(by, key=lambda one: -scene.blocks.get(one, 0))
    return Text("wait for ").append(_names(order, scene))


def age(node: Node) -> tuple[bool, float, str, str]:
    """Give what tasks of one state are sorted by: what has been in it longest comes first."""
    since = node.since
    return since is None, since or 0.0, node.label, node.task_id


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
    return Text("waits for ").append(_names(blocked.by, scene))


def _names(by: Sequence[str], scene: Scene) -> Text:
    text = Text()
    # What went wrong first: without a rerun the others do not matter.
    order = sorted(by, key=lambda one: not _is_wrong(one, scene.graph))
    for number, task_id in enumerate(order[:_NAMED]):
        other = scene.graph.nodes.get(task_id)
        text.append(", " if number else "")
        if other is None:
            text.append(f"{cut(task_id, LABEL)} of another group")
        else:
            look = look_of(other.state)
            text.append(f"{cut(other.label, LABEL)} ").append(look.symbol, style=look.style)
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
