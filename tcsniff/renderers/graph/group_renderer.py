"""From events to the graph of a group, and from there to a view of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.group import GroupState
from tcsniff.taskgraph.summary import Json, summarize_change
from tcsniff.taskgraph.tracker import Change


class GroupView(Protocol):
    """What becomes of a group that is followed."""

    def came(self, number: int, lag: float | None) -> None:
        """Take note that so many events have come, the last one so many seconds late."""
        ...

    def changed(self, changes: Iterable[Json]) -> None:
        """Take changes in, as `summary.change_of` words them."""
        ...

    def show_gap(self, gap: Gap) -> None:
        """Take in a time in which nothing could be heard."""
        ...

    def flush(self, graph: Callable[[], Graph], now: float) -> None:
        """Let out of our hands what was taken in."""
        ...

    def finish(self, graph: Graph, now: float) -> None:
        """Show how it is in the end; nothing is shown after this."""
        ...

    def leave(self) -> None:
        """End without a last word: there is no such group."""
        ...


class GroupRenderer(Renderer):
    """Folds events into a group, and has a view show it."""

    def __init__(
        self,
        following: GroupState,
        view: GroupView,
        *,
        clock: Callable[[], float],
        inquire: Callable[[], Iterable[Change]],
        root_url: str | None = None,
    ) -> None:
        """Nothing is shown yet.

        Args:
            following: The group.
            view: What shows it.
            clock: Tells the group's time, in seconds since the Unix epoch.
            inquire: Gives what the queue has told in the meantime.
            root_url: Of the deployment, for addresses of logs; None if that is not
                known.
        """
        self._following = following
        self._view = view
        self._clock = clock
        self._inquire = inquire
        self._root_url = root_url
        self._is_finished = False

    def show(self, events: Sequence[Event]) -> None:
        """Take a batch in."""
        changes: list[Json] = []
        for event in events:
            change = self._following.apply(event.delivery)
            if change is not None:
                changes += self._worded([change], event.delivery.received)
        self._view.changed(changes)
        if events:
            self._view.came(len(events), events[-1].lag)

    def show_gap(self, gap: Gap) -> None:
        """Take a gap in."""
        self._view.show_gap(gap)

    def flush(self) -> None:
        """Take in what the queue has told, and have all of it shown."""
        self._view.changed(list(self._worded(self._inquire(), None)))
        self._view.flush(self._following.graph, self._clock())

    def leave(self) -> None:
        """End without a last word: there is no such group."""
        if not self._is_finished:
            self._is_finished = True
            self._view.leave()

    def close(self) -> None:
        """Show how it is in the end, once."""
        if not self._is_finished:
            self._is_finished = True
            self._view.finish(self._following.graph(), self._clock())

    def _worded(self, changes: Iterable[Change], received: str | None) -> Iterator[Json]:
        for change in changes:
            worded = summarize_change(change, received, self._root_url)
            if worded is not None:
                worded["label"] = worded["label"] or self._following.label(worded["taskId"])
                yield worded
