"""Events folded into a task group, or into some tasks, which a view shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.events import Event
from tcsniff.taskgraph.summary import Json, summarize_change
from tcsniff.taskgraph.tracker import Change

_Received = tuple[Change, str | None]  # with the time of its message


class TaskStates(Protocol):
    """The states of tasks: of a group, or of some tasks."""

    def apply(self, delivery: Delivery) -> Change | None:
        """Apply an event, and return the change of a task; None if there is none."""

    def label(self, task_id: str) -> str:
        """Return a task's label by its definition; empty if that is unknown."""


class GroupView(Renderer):
    """Shows a task group, or some tasks; this one shows nothing.

    `close` shows their final state.
    """

    def show(self, events: Sequence[Event]) -> None:
        """Add events, after they were folded into the group."""

    def add_changes(self, changes: Iterable[Json]) -> None:
        """Add changes, in the form of `summarize_change`; made when they are iterated."""

    def flush(self) -> None:
        """Write what was added."""

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""

    def abandon(self) -> None:
        """End without showing the final state, for example of an unknown group."""


class GroupRenderer(Renderer):
    """Folds events into the states of tasks, and shows them in a view."""

    def __init__(
        self,
        group: TaskStates,
        view: GroupView,
        *,
        poll: Callable[[], Iterable[Change]],
        root_url: str | None = None,
    ) -> None:
        """Create a renderer.

        Args:
            group: The group, or the tasks.
            view: Shows them.
            poll: Returns the changes that the queue's API has reported since the
                last call.
            root_url: Root URL of the deployment, for URLs of logs; None if unknown.
        """
        self.is_live = view.is_live
        self._group = group
        self._view = view
        self._poll = poll
        self._root_url = root_url
        self._is_finished = False

    def show(self, events: Sequence[Event]) -> None:
        """Fold a batch of events into the group."""
        changes: list[_Received] = []
        for event in events:
            change = self._group.apply(event.delivery)
            if change is not None:
                changes.append((change, event.delivery.received))
        self._view.add_changes(self._summarize(changes))
        self._view.show(events)

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""
        self._view.show_gap(gap)

    def flush(self) -> None:
        """Add the answers of the queue's API, and show everything."""
        changes = [(change, None) for change in self._poll()]
        self._view.add_changes(self._summarize(changes))
        self._view.flush()

    def notify(self, text: str) -> None:
        """Write a line above the picture."""
        self._view.notify(text)

    def leave_terminal(self) -> None:
        """Restore the terminal."""
        self._view.leave_terminal()

    def redraw(self) -> None:
        """Draw the next picture below the terminal's content."""
        self._view.redraw()

    def abandon(self) -> None:
        """End without showing the final state."""
        if not self._is_finished:
            self._is_finished = True
            self._view.abandon()

    def close(self) -> None:
        """Show the final state, once."""
        if not self._is_finished:
            self._is_finished = True
            self._view.close()

    def _summarize(self, changes: Iterable[_Received]) -> Iterator[Json]:
        # A picture asks for the first only: a summary takes 6 µs.
        for change, received in changes:
            summary = summarize_change(change, received, self._root_url)
            if summary is not None:
                summary["label"] = summary["label"] or self._group.label(summary["taskId"])
                yield summary
