"""The live view of a task group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from tcsniff.renderers.graph.graph_picture import draw_graph
from tcsniff.renderers.graph.group_renderer import GroupView
from tcsniff.renderers.graph.scene import Scene, build_scene, list_logs
from tcsniff.renderers.live_view import LiveView, Picture
from tcsniff.renderers.stream import StreamStatus
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.summary import Json

_MIN_HEIGHT = 6  # lines that have a title, a verdict, a bar, a kind, a path and a status

RunKey = tuple[str, int]
GetTails = Callable[[Sequence[RunKey]], Mapping[RunKey, Sequence[str]]]
"""Returns the last lines of the logs of runs, each by its task's ID and its number."""


class GraphPicture(Picture):
    """A task group as it is now."""

    def __init__(
        self,
        group: GroupState,
        clock: Callable[[], float],
        root_url: str | None,
        *,
        has_links: bool,
        color: bool,
        has_times: bool = False,
        utc: bool = False,
        get_tails: GetTails | None = None,
    ) -> None:
        """Create a picture.

        Args:
            group: The group.
            clock: Returns the group's time, in seconds since the Unix epoch.
            root_url: Root URL of the deployment; None if unknown.
            has_links: Whether text may be a link.
            color: Whether to use colors.
            has_times: Whether to show times of day.
            utc: Whether they are in UTC instead of the local time zone.
            get_tails: Returns the last lines of the logs of some runs; None for none.
        """
        self._group = group
        self._clock = clock
        self._root_url = root_url
        self._has_links = has_links
        self.color = color
        self._has_times = has_times
        self._utc = utc
        self._get_tails = get_tails
        self._scene: Scene | None = None  # that was drawn last

    def draw(self, width: int, height: int, status: StreamStatus | None) -> list[str]:
        """Draw the picture; without a status line if `status` is None."""
        scene = build_scene(
            self._group.graph(),
            self._clock(),
            self._root_url,
            has_links=self._has_links,
            has_times=self._has_times,
            utc=self._utc,
            before=self._scene,
        )
        self._scene = scene
        if self._get_tails is not None:
            scene = replace(scene, tails=self._get_tails(list_logs(scene)))
        return draw_graph(scene, status, width, max(_MIN_HEIGHT, height), color=self.color)


class LiveGroupView(LiveView, GroupView):
    """A live view of a group, or of some tasks."""

    def add_changes(self, changes: Iterable[Json]) -> None:
        """Draw the picture again soon, if there are changes."""
        if next(iter(changes), None) is not None:
            self.mark_changed()
