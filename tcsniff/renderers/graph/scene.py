"""A task group at one moment, with everything that a picture of it shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from tcsniff.taskgraph.blocking import Blocked, find_blocked, find_hopeless
from tcsniff.taskgraph.critical_path import PathStep, find_known_path
from tcsniff.taskgraph.graph import Graph, measure_span
from tcsniff.taskgraph.nodes import Node, count_states, rank_nodes
from tcsniff.taskgraph.outline import Row, find_lost_run, list_wrong
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
        has_times: Whether to show times of day, because now is not the present.
        utc: Whether times of day are in UTC instead of the local time zone.
        counts: The number of tasks in each state.
        began: When the first task was scheduled, in seconds since the Unix epoch; None
            before.
        length: How long the group has taken, in seconds.
        verdict: How the group is doing.
        path: The critical path; empty if it can't be known, because dependencies are not.
        blocked: The tasks that wait, by ID.
        blocks: How many tasks wait for a task, by its ID.
        hopeless: IDs of tasks that can never run, also outside of the group.
        wrong: The rows of the tasks that went wrong.
        kinds: The tasks by kind, in the order of the graph.
        tails: The last lines of logs, by task ID and run; not safe for a terminal.
    """

    graph: Graph
    now: float
    root_url: str | None
    has_links: bool
    has_times: bool
    utc: bool
    counts: dict[str, int]
    began: float | None
    length: float
    verdict: Verdict
    path: list[PathStep]
    blocked: dict[str, Blocked]
    blocks: dict[str, int]
    hopeless: Set[str]
    wrong: list[Row]
    kinds: dict[str, list[Node]]
    tails: Mapping[tuple[str, int], Sequence[str]] = field(default_factory=dict)

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
    has_times: bool = False,
    utc: bool = False,
) -> Scene:
    """Derive a scene from a graph.

    Args:
        graph: As in `Scene`.
        now: As in `Scene`.
        root_url: As in `Scene`.
        has_links: As in `Scene`.
        has_times: As in `Scene`.
        utc: As in `Scene`.
    """
    waiting = find_blocked(graph.nodes, graph.outside)
    blocks: dict[str, int] = {}
    for blocked in waiting:
        for task_id in blocked.by:
            blocks[task_id] = blocks.get(task_id, 0) + 1
    return Scene(
        graph,
        now,
        root_url,
        has_links,
        has_times,
        utc,
        count_states(graph.nodes.values()),
        _find_begin(graph.nodes.values()),
        measure_span(graph.nodes.values(), now),
        judge_group(graph, now, utc=utc),
        find_known_path(graph, now),
        {blocked.node.task_id: blocked for blocked in waiting},
        blocks,
        find_hopeless(graph.known_nodes).keys(),
        list_wrong(graph.nodes.values(), blocks),
        _group_by_kind(graph),
    )


def list_logs(scene: Scene) -> list[tuple[str, int]]:
    """Return the runs that failed and have a log, in the order of the picture."""
    lost = [
        (row.node.task_id, find_lost_run(row.node)) for row in scene.wrong if len(row.nodes) == 1
    ]
    return [(task_id, run.run_id) for task_id, run in lost if run is not None and run.started]


def _find_begin(nodes: Iterable[Node]) -> float | None:
    times = (run.scheduled_at for node in nodes for run in node.runs[:1])
    return min((time for time in times if time is not None), default=None)


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
