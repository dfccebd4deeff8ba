"""What a picture of a task graph shows: one moment of a group, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tcsniff.pulse.styles import EVENT_STYLES, Style
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.blocking import Blocked, find_blocked
from tcsniff.taskgraph.critical_path import PathStep, find_critical_path
from tcsniff.taskgraph.forecast import estimate_time_left
from tcsniff.taskgraph.graph import (
    UNHEARD,
    Graph,
    Node,
    count_states,
    measure_span,
    rank_nodes,
)

SYMBOLS = {
    "completed": EVENT_STYLES["task-completed"],
    "running": EVENT_STYLES["task-running"],
    "pending": EVENT_STYLES["task-pending"],
    "unscheduled": EVENT_STYLES["task-defined"]._replace(word="unscheduled"),
    UNHEARD: Style("?", "not heard of", "dim"),
    "failed": EVENT_STYLES["task-failed"],
    "exception": EVENT_STYLES["task-exception"],
}
"""How states look; words yet to come as `STRANGE`."""
STRANGE = Style("·", "", "")
NO_KIND = "(no kind)"


def get_state_style(state: str) -> Style:
    """Tell how a state looks; what it says is safe for a terminal."""
    return SYMBOLS.get(state) or STRANGE._replace(word=sanitize(state))


@dataclass(frozen=True)
class Scene:
    """A group at one moment, and what follows from it.

    Attributes:
        graph: The group.
        now: The moment, in seconds since the Unix epoch.
        root_url: Of the deployment, for addresses; None if that is not known.
        has_links: Whether text may lead somewhere when it is clicked.
        counts: How many tasks are in each state.
        length: How long the group has taken, in seconds.
        left: How much longer it will take, in seconds; None if that cannot be told.
        path: The critical path.
        blocked: The tasks that wait, by id.
        blocks: How many tasks wait for a task, by its id.
        kinds: The tasks by kind, in the order of the graph.
    """

    graph: Graph
    now: float
    root_url: str | None
    has_links: bool
    counts: dict[str, int]
    length: float
    left: float | None
    path: list[PathStep]
    blocked: dict[str, Blocked]
    blocks: dict[str, int]
    kinds: dict[str, list[Node]] = field(default_factory=dict)

    @property
    def linked(self) -> str | None:
        """The root URL for links; None for none."""
        return self.root_url if self.has_links else None


def scene_of(
    graph: Graph, now: float, root_url: str | None = None, *, has_links: bool = True
) -> Scene:
    """Work out what follows from a graph; the arguments are the attributes of `Scene`."""
    waiting = find_blocked(graph.nodes)
    blocks: dict[str, int] = {}
    for one in waiting:
        for task_id in one.by:
            blocks[task_id] = blocks.get(task_id, 0) + 1
    return Scene(
        graph,
        now,
        root_url,
        has_links,
        count_states(graph.nodes.values()),
        measure_span(graph.nodes.values(), now),
        None if graph.is_over else estimate_time_left(graph.nodes, now),
        find_critical_path(graph, now),
        {one.node.task_id: one for one in waiting},
        blocks,
        _kinds(graph),
    )


def _kinds(graph: Graph) -> dict[str, list[Node]]:
    depth = rank_nodes(graph.nodes)
    kinds: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        kinds.setdefault(node.kind, []).append(node)
    # Where most of a kind stands: a few that wait for nobody do not pull it forward.
    middle = {kind: sorted(depth[n.task_id] for n in nodes) for kind, nodes in kinds.items()}
    first = graph.nodes.get(graph.task_group_id)
    decision = first.kind if first else None

    def order(kind: str) -> tuple[int, bool, str]:
        return middle[kind][len(middle[kind]) // 2], kind != decision, kind

    return {kind: kinds[kind] for kind in sorted(kinds, key=order)}


def troubles(nodes: Iterable[Node], blocks: Mapping[str, int]) -> list[Node]:
    """List the tasks that went wrong.

    Args:
        nodes: All tasks.
        blocks: How many tasks wait for each, by its id.

    Returns:
        Those that lost a run and are tried again come last; before them those
        that most others wait for, then those that failed, then exceptions,
        among these the latest first.
    """

    def order(node: Node) -> tuple[bool, int, bool, float, str]:
        waiting, when = blocks.get(node.task_id, 0), node.since or 0.0
        return node.is_open, -waiting, node.state != "failed", -when, node.task_id

    return sorted((node for node in nodes if node.is_troubled), key=order)
