"""A task group at one moment, with everything that a picture of it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tcsniff.taskgraph.critical_path import PathStep, find_known_path
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.outline import (
    KindOutline,
    Row,
    find_lost_run,
    list_wrong,
    outline_kinds,
)
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
        began: When the first task was scheduled, in seconds since the Unix epoch; None
            before.
        length: How long the group has taken, in seconds.
        verdict: How the group is doing.
        path: The critical path; empty if it can't be known, because dependencies are not.
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
    began: float | None
    length: float
    verdict: Verdict
    path: list[PathStep]
    wrong: list[Row]
    kinds: dict[str, KindOutline]
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
    before: Scene | None = None,
) -> Scene:
    """Derive a scene from a graph.

    Args:
        graph: As in `Scene`.
        now: As in `Scene`.
        root_url: As in `Scene`.
        has_links: As in `Scene`.
        has_times: As in `Scene`.
        utc: As in `Scene`.
        before: An earlier scene. If its graph is the same, so are the rows: without an
            event, that saves a third of 14 ms for 20,000 tasks.
    """
    same = before if before is not None and before.graph is graph else None
    return Scene(
        graph,
        now,
        root_url,
        has_links,
        has_times,
        utc,
        graph.index.timeline.began,
        graph.measure_span(now),
        judge_group(graph, now, utc=utc),
        find_known_path(graph, now),
        list_wrong(graph) if same is None else same.wrong,
        outline_kinds(graph) if same is None else same.kinds,
    )


def list_logs(scene: Scene) -> list[tuple[str, int]]:
    """Return the runs that failed and have a log, in the order of the picture."""
    lost = [
        (row.node.task_id, find_lost_run(row.node)) for row in scene.wrong if len(row.nodes) == 1
    ]
    return [(task_id, run.run_id) for task_id, run in lost if run is not None and run.started]
