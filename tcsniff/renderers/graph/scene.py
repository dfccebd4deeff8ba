"""A task group at one moment, with everything that a picture of it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tcsniff.taskgraph.blocking import Blocked, find_blocked
from tcsniff.taskgraph.critical_path import PathStep, find_critical_path
from tcsniff.taskgraph.graph import Graph, Node, count_states, measure_span, rank_nodes
from tcsniff.taskgraph.verdict import Verdict, judge_group

NO_KIND = "(no kind)"


@dataclass(frozen=True)
class Scene:
    """A group at one moment, and what follows from it.

    Attributes:
        graph: The group.
        now: The moment, in seconds since the Unix epoch.
        root_url: Root URL of the deployment; None if unknown.
        has_links: Whether text may be a link.
        counts: The number of tasks in each state.
        length: How long the group has taken, in seconds.
        verdict: How the group is doing.
        path: The critical path.
        blocked: The tasks that wait, by ID.
        blocks: How many tasks wait for a task, by its ID.
        kinds: The tasks by kind, in the order of the graph.
    """

    graph: Graph
    now: float
    root_url: str | None
    has_links: bool
    counts: dict[str, int]
    length: float
    verdict: Verdict
    path: list[PathStep]
    blocked: dict[str, Blocked]
    blocks: dict[str, int]
    kinds: dict[str, list[Node]]

    @property
    def link_root(self) -> str | None:
        """The root URL for links; None for no links."""
        return self.root_url if self.has_links else None


def build_scene(
    graph: Graph,
    now: float,
    root_url: str | None = None,
    *,
    has_links: bool = True,
    utc: bool = False,
) -> Scene:
    """Derive a scene from a graph.

    Args:
        graph: As in `Scene`.
        now: As in `Scene`.
        root_url: As in `Scene`.
        has_links: As in `Scene`.
        utc: Whether times of day are in UTC instead of the local time zone.
    """
    waiting = find_blocked(graph.nodes)
    blocks: dict[str, int] = {}
    for blocked in waiting:
        for task_id in blocked.by:
            blocks[task_id] = blocks.get(task_id, 0) + 1
    return Scene(
        graph,
        now,
        root_url,
        has_links,
        count_states(graph.nodes.values()),
        measure_span(graph.nodes.values(), now),
        judge_group(graph, now, utc=utc),
        find_critical_path(graph, now),
        {blocked.node.task_id: blocked for blocked in waiting},
        blocks,
        _group_by_kind(graph),
    )


def _group_by_kind(graph: Graph) -> dict[str, list[Node]]:
    ranks = rank_nodes(graph.nodes)
    kinds: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        kinds.setdefault(node.kind, []).append(node)
    decision = graph.nodes.get(graph.task_group_id)

    def get_order(kind: str) -> tuple[int, bool, str]:
        # The median rank, so that a few tasks without dependencies don't move a kind.
        in_order = sorted(ranks[node.task_id] for node in kinds[kind])
        is_decision = decision is not None and kind == decision.kind
        return in_order[len(in_order) // 2], not is_decision, kind

    return {kind: kinds[kind] for kind in sorted(kinds, key=get_order)}


def list_troubled(nodes: Iterable[Node], blocks: Mapping[str, int]) -> list[Node]:
    """List the tasks that went wrong.

    Args:
        nodes: All tasks.
        blocks: How many tasks wait for each, by its ID.

    Returns:
        First those that block the most tasks, then failures, then exceptions, each
        from new to old; last those that lost a run and are being tried again.
    """

    def get_order(node: Node) -> tuple[bool, int, bool, float, str]:
        blocked, since = blocks.get(node.task_id, 0), node.since or 0.0
        return node.is_open, -blocked, node.state != "failed", -since, node.task_id

    return sorted((node for node in nodes if node.is_troubled), key=get_order)
