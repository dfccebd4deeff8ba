"""What follows from a task graph, a line a task: the critical path, and who waits."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from tcsniff.pulse.times import lasting
from tcsniff.renderers.labels import LABEL
from tcsniff.renderers.scene import Scene, look_of
from tcsniff.renderers.sections import task
from tcsniff.sanitize import safe
from tcsniff.taskgraph.critical_path import Step


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
    room = min(LABEL, max(cell_len(safe(node.label)) for node in nodes))
    return [task(node, scene, room) for node in nodes]
