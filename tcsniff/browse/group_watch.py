"""A task group that is looked at: folded, asked about and laid out in a thread of its own.

A group of 10,000 tasks takes a second to lay out; in the thread of the screen, keys would
wait for that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tcsniff.browse.event_rows import EventRow
from tcsniff.renderers.graph.scene import Scene, build_scene
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.nodes import WAITING, Node
from tcsniff.taskgraph.outline import Row
from tcsniff.taskgraph.task_story import Surroundings

_LOOK = 0.2  # seconds between two looks at what is known
_MAX_SHARE = 4  # laying out takes at most a fifth of the time
_MAX_AGE = 1.0  # seconds after which durations are out of date


class GroupFacts:
    """What else is known of a group than its events; this base class knows nothing."""

    def create_group(self, group_id: str) -> GroupState:
        """Return a group with what is known at once; called in the watch's thread."""
        return GroupState(group_id)

    def poll(self) -> None:
        """Add what has become known."""

    @property
    def condition(self) -> str:
        """What is unusual about the source of facts; empty for nothing."""
        return ""

    def read_time(self, group: GroupState) -> float:
        """Return the group's time, in seconds since the Unix epoch."""
        return group.latest

    def stop(self) -> None:
        """Stop what runs in the background."""


@dataclass(frozen=True)
class GroupLayout:
    """A group at one moment, with everything that its pages show.

    Attributes:
        scene: The group.
        kinds: The rows of the tasks of each kind.
        dependents: By task ID, the tasks that depend on it.
        around: What the stories of its tasks need to know of the others.
        condition: What is unusual about the source of facts; empty for nothing.
    """

    scene: Scene
    kinds: Mapping[str, Sequence[Row]]
    dependents: Mapping[str, Sequence[Node]]
    around: Surroundings
    condition: str = ""

    @property
    def exit_status(self) -> int:
        """The exit status of a group in this state."""
        return self.scene.graph.exit_status


class GroupWatch:
    """Follows a group.

    Attributes:
        group_id: The group.
        layout: The newest layout; None before the first one. It is replaced, never changed.
        is_shown: Whether a page shows it now; if not, it is laid out only once.
    """

    def __init__(
        self,
        group_id: str,
        facts: GroupFacts,
        *,
        root_url: str | None = None,
        has_times: bool = False,
        utc: bool = False,
    ) -> None:
        """Create a watch that has not started.

        Args:
            group_id: The group.
            facts: What else is known of it.
            root_url: Root URL of the deployment; None if unknown.
            has_times: Whether to show times of day, because now is not the present.
            utc: Whether times of day are in UTC instead of the local time zone.
        """
        self.group_id = group_id
        self.layout: GroupLayout | None = None
        self.failure: Exception | None = None
        self.is_shown = True
        self._facts = facts
        self._root_url = root_url
        self._has_times = has_times
        self._utc = utc
        self._state: GroupState | None = None
        self._waiting: list[EventRow | None] = []  # None for a gap
        self._changed = threading.Condition()
        self._has_ended = self._is_stepping = False
        self._laid_out = (-1, 0.0)
        self._thread = threading.Thread(target=self._run, name="group", daemon=True)

    def start(self) -> None:
        """Begin to follow the group."""
        self._thread.start()

    def add(self, rows: Iterable[EventRow]) -> None:
        """Add events of the group."""
        with self._changed:
            self._waiting += rows

    def add_gap(self) -> None:
        """Note that messages may have been missed."""
        with self._changed:
            self._waiting.append(None)

    def stop(self) -> None:
        """Stop following the group; the thread ends soon."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    @property
    def is_current(self) -> bool:
        """Whether the layout has everything that was added."""
        with self._changed:
            return self.layout is not None and not self._waiting and not self._is_stepping

    def step(self) -> None:
        """Take what is waiting, and lay the group out if something has changed."""
        with self._changed:
            waiting, self._waiting = self._waiting, []
            self._is_stepping = True
        state = self._state = self._state or self._facts.create_group(self.group_id)
        for row in waiting:
            if row is None:
                state.mark_gap()
            else:
                state.apply(row.delivery)
        self._facts.poll()
        now, condition = self._facts.read_time(state), self._facts.condition
        version, laid_out_at = self._laid_out
        is_old = now - laid_out_at >= _MAX_AGE and not state.is_over
        layout = self.layout
        is_old |= version != state.version or layout is None or layout.condition != condition
        if is_old and (self.is_shown or layout is None):
            self._laid_out = state.version, now
            self.layout = self._lay_out(state.graph().freeze(), now, condition)
        with self._changed:
            self._is_stepping = False

    def _lay_out(self, graph: Graph, now: float, condition: str) -> GroupLayout:
        scene = build_scene(
            graph,
            now,
            self._root_url,
            has_links=False,
            has_times=self._has_times,
            utc=self._utc,
        )
        kinds = {name: kind.list_rows() for name, kind in scene.kinds.items()}
        dependents: dict[str, list[Node]] = {}
        for node in graph.nodes.values():
            for task_id in node.dependencies:
                dependents.setdefault(task_id, []).append(node)
        waiting = {
            task_id: [node for node in nodes if node.state in WAITING]
            for task_id, nodes in dependents.items()
        }
        around = Surroundings(graph.known_nodes, graph.blocking.hopeless, waiting)
        return GroupLayout(scene, kinds, dependents, around, condition)

    def _run(self) -> None:
        try:
            self.step()  # of a large group, all that is known so far takes seconds
            while not self._has_ended:
                begun = time.monotonic()
                self.step()
                taken = time.monotonic() - begun
                with self._changed:
                    self._changed.wait_for(lambda: self._has_ended, max(_LOOK, _MAX_SHARE * taken))
        except Exception as error:  # noqa: BLE001 - the screen's thread raises it again
            self.failure = error
        finally:
            self._facts.stop()
