"""Lines about a task of a group: its story, and the tasks before and after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text

from tcsniff.browse.group_watch import GroupLayout
from tcsniff.pulse.styles import get_state_style
from tcsniff.renderers.graph.labels import find_room
from tcsniff.renderers.task.row_text import format_rows
from tcsniff.renderers.widths import pad_text
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.nodes import UNHEARD, Node
from tcsniff.taskgraph.task_rows import list_rows
from tcsniff.taskgraph.task_story import (
    Dependency,
    TaskFacts,
    TaskStory,
    build_story,
    describe_progress,
)

_NO_FACTS = TaskFacts()


def tell_story(task_id: str, layout: GroupLayout, facts: TaskFacts = _NO_FACTS) -> TaskStory:
    """Return the story of a task of a group.

    Args:
        task_id: The task.
        layout: The group.
        facts: What is known of the task apart from the group.
    """
    graph = layout.scene.graph
    facts = facts._replace(
        task_group_id=facts.task_group_id or graph.task_group_id,
        scheduler_id=facts.scheduler_id or graph.scheduler_id,
        has_dependents=graph.is_whole,
    )
    return build_story(task_id, layout.around, facts, layout.scene.now)


def draw_task_summary(task_id: str, layout: GroupLayout, width: int) -> list[Text]:
    """Draw the story of a task, for the pane below a list."""
    story = tell_story(task_id, layout)
    return format_rows(list_rows(story, utc=layout.scene.utc), width, None)


def draw_dependencies(dependencies: Sequence[Dependency], now: float, width: int) -> list[Text]:
    """Draw a line for each task that a task depends on."""
    room = find_room((one.label for one in dependencies), width)
    return [
        _draw_task(one.label, one.node, describe_progress(one, now), room) for one in dependencies
    ]


def draw_dependents(nodes: Sequence[Node], now: float, width: int) -> list[Text]:
    """Draw a line for each task that depends on a task."""
    others = [Dependency(node.task_id, node, is_met=False, can_complete=None) for node in nodes]
    return draw_dependencies(others, now, width)


def _draw_task(label: str, node: Node | None, progress: str, room: int) -> Text:
    style = get_state_style(node.state if node else UNHEARD)
    line = Text("  ").append(f"{style.symbol} ", style=style.style)
    line.append(pad_text(label, room), style=style.style).append(f"  {progress}")
    if node is not None and node.pool:
        line.append(f"   {sanitize(node.pool)}", style="dim")
    return line


def draw_log(lines: Iterable[str]) -> list[Text]:
    """Draw the last lines of a log."""
    return [Text("  │ ", style="dim").append(sanitize(line[:1_000]), "not dim") for line in lines]
