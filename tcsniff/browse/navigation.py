"""Where the user is: the pages one behind the other, and the groups that they look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tcsniff.browse.event_buffer import Arrivals
from tcsniff.browse.event_rows import EventRow
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.events_page import EventsPage
from tcsniff.browse.feed import PoolCounts
from tcsniff.browse.graph_page import GraphPage
from tcsniff.browse.group_watch import GroupFacts, GroupWatch
from tcsniff.browse.keys import EVENTS, GRAPH, POOLS, TASK
from tcsniff.browse.keys_page import KeysPage
from tcsniff.browse.page import Page
from tcsniff.browse.pools_page import PoolsPage
from tcsniff.browse.task_page import GetTails, TaskPage
from tcsniff.pulse.addresses import Address

_MAX_DEPTH = 50  # steps that Esc goes back
NOWHERE = Address("")


class Look(NamedTuple):
    """How the app looks.

    Attributes:
        columns: The names of the columns of events; empty for those that fit best.
        utc: Whether to show times in UTC instead of the local time zone.
        ascii_only: Whether to replace symbols by ASCII characters.
    """

    columns: tuple[str, ...] = ()
    utc: bool = False
    ascii_only: bool = False


class Deployment:
    """What the app can ask about groups and tasks; this base class knows nothing.

    Attributes:
        root_url: Root URL of the deployment; None if unknown.
        is_replay: Whether events are not of the present, as those of a recording.
    """

    root_url: str | None = None
    is_replay = False

    def open_facts(self, group_id: str) -> GroupFacts:  # noqa: ARG002
        """Return what else is known of a group than its events."""
        return GroupFacts()

    def open_tails(self) -> GetTails | None:
        """Return what fetches the ends of logs; None if nothing can."""
        return None


class Navigator:
    """The pages that were opened, the last one of which is shown.

    Attributes:
        events: The first page.
        wanted: What the user named, until it is known what it is about.
    """

    def __init__(
        self, store: EventStore, pools: PoolCounts, deployment: Deployment, look: Look
    ) -> None:
        """Begin at the page of events.

        Args:
            store: All events.
            pools: The statistics of runs.
            deployment: What can be asked about groups and tasks.
            look: How pages look.
        """
        self.events = EventsPage(store, look.columns, utc=look.utc)
        self.wanted = NOWHERE
        self._store = store
        self._pools = pools
        self._deployment = deployment
        self._look = look
        self._pages: list[Page] = [self.events]
        self._last: dict[int, Page] = {}
        self._watches: dict[str, GroupWatch] = {}

    @property
    def page(self) -> Page:
        """The page that is shown."""
        return self._pages[-1]

    @property
    def is_replay(self) -> bool:
        """Whether events are not of the present."""
        return self._deployment.is_replay

    @property
    def failure(self) -> Exception | None:
        """What has ended the thread of a group."""
        failures = (watch.failure for watch in self._watches.values())
        return next((failure for failure in failures if failure is not None), None)

    @property
    def is_current(self) -> bool:
        """Whether the groups that are looked at show everything that has arrived."""
        return all(watch.is_current for watch in self._watches.values())

    @property
    def exit_status(self) -> int:
        """The exit status if the app is closed now: that of what is shown."""
        page = next(page for page in reversed(self._pages) if not isinstance(page, KeysPage))
        page.update()
        return page.exit_status

    def open(self, page: Page) -> None:
        """Show a page; `go_back` goes back from it."""
        self._pages.append(page)
        del self._pages[1 : max(1, len(self._pages) - _MAX_DEPTH)]
        if not isinstance(page, KeysPage):
            self._last[page.tab] = page
        self._close_watches()
        page.update()

    def go_back(self) -> bool:
        """Show the page before; return whether there is one."""
        if len(self._pages) == 1:
            return False
        self._pages.pop()
        self._close_watches()
        self.page.update()
        return True

    def go_to_events(self) -> None:
        """Show the page of events, from which there is no way back."""
        del self._pages[1:]
        self.page.update()

    def open_tab(self, tab: int) -> bool:
        """Show the page of a tab: the last one, or that of the selected row.

        Returns:
            Whether there is one.
        """
        subject = self.page.get_subject()
        if tab == EVENTS:
            self.go_to_events()
        elif tab in self._last:
            if self.page is not self._last[tab]:
                self.open(self._last[tab])
        elif tab == POOLS:
            self.open_pool("")
        elif tab == GRAPH and subject.group_id:
            self.open_group(subject.group_id)
        elif tab == TASK and subject.task_id and subject.group_id:
            self.open_task(subject.task_id, subject.group_id)
        else:
            return False
        return True

    def open_group(self, group_id: str) -> None:
        """Show a task group."""
        if not (isinstance(self.page, GraphPage) and self.page.watch.group_id == group_id):
            self.open(GraphPage(self._find_watch(group_id), self._store))

    def open_task(self, task_id: str, group_id: str) -> None:
        """Show a task of a group."""
        if isinstance(self.page, TaskPage) and self.page.task_id == task_id:
            return
        page = TaskPage(
            task_id,
            self._find_watch(group_id),
            self._store,
            self._deployment.open_tails(),
            self._deployment.root_url,
            utc=self._look.utc,
        )
        self.open(page)

    def open_pool(self, pool: str) -> None:
        """Show the worker pools, with one of them selected if it is named."""
        page = self._last.get(POOLS)
        if page is None or self.page is not page:
            self.open(page or PoolsPage(self._pools))
        if pool:
            self.page.select_key(pool)

    def feed(self, arrivals: Arrivals) -> bool:
        """Hand what has arrived to the groups that are looked at.

        Returns:
            Whether another page is shown, because what the user named has arrived.
        """
        page = self.page
        shown = page.watch if isinstance(page, GraphPage | TaskPage) else None
        for watch in self._watches.values():
            watch.is_shown = watch is shown
            watch.add(row for row in arrivals.rows if row.group_id == watch.group_id)
            for _ in range(arrivals.gaps):
                watch.add_gap()
        return self.wanted != NOWHERE and self._open_wanted(arrivals.rows)

    def stop(self) -> None:
        """Stop following groups."""
        for watch in self._watches.values():
            watch.stop()

    def _open_wanted(self, rows: Sequence[EventRow]) -> bool:
        slug_id, kind, *_ = self.wanted
        for row in rows:
            if kind != "task" and row.group_id == slug_id:
                self.open_group(slug_id)
            elif kind != "group" and row.task_id == slug_id and row.group_id:
                self.open_task(slug_id, row.group_id)
            else:
                continue
            self.wanted = NOWHERE
            return True
        return False

    def _find_watch(self, group_id: str) -> GroupWatch:
        watch = self._watches.get(group_id)
        if watch is None:
            watch = self._watches[group_id] = GroupWatch(
                group_id,
                self._deployment.open_facts(group_id),
                root_url=self._deployment.root_url,
                has_times=self._deployment.is_replay,
                utc=self._look.utc,
            )
            watch.add(self._store.iterate_group(group_id))
            watch.start()
        return watch

    def _close_watches(self) -> None:
        pages = (*self._pages, *self._last.values())
        used = {page.watch.group_id for page in pages if isinstance(page, GraphPage | TaskPage)}
        for group_id in self._watches.keys() - used:
            self._watches.pop(group_id).stop()
