"""A run of `browse`: from flags to the app and its exit status.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import os
import random
import sys
from functools import partial

from tcsniff.browse.app import BrowseApp
from tcsniff.browse.event_buffer import EventBuffer
from tcsniff.browse.feed import Feed, Intake, PoolCounts
from tcsniff.browse.navigation import Look
from tcsniff.browse.terminal_driver import TerminalDriver
from tcsniff.commands.options.browse_options import BrowseArgs
from tcsniff.commands.options.filter_options import FilterArgs
from tcsniff.commands.options.source_options import SourceArgs
from tcsniff.commands.wiring.browse_facts import OriginDeployment
from tcsniff.commands.wiring.browse_files import read_graph_files
from tcsniff.commands.wiring.event_run import ContentFilters
from tcsniff.commands.wiring.make_renderer import add_recorder, is_ascii_only
from tcsniff.commands.wiring.open_source import OpenSource, find_api_server, open_source
from tcsniff.commands.wiring.run import Notify, Run
from tcsniff.errors import ApiUnknown, UsageError
from tcsniff.pulse.addresses import Address
from tcsniff.pulse.deliveries import Gap
from tcsniff.renderers.columns import describe_gap, find_columns
from tcsniff.renderers.stream import StreamInfo
from tcsniff.renderers.svg import WIDTH, check_picture_path, save_picture_file
from tcsniff.selection.select import EVERYTHING, Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.signals import signal_handler
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.steady_clock import SteadyClock
from tcsniff.stats.run_counter import RunCounter

_EVENTS = (
    *("task-defined", "task-pending", "task-running", "task-completed", "task-failed"),
    *("task-exception", "task-group-resolved", "task-group-sealed"),
)
"""What is listened to without a selection: not artifacts, which are a third of all events."""
_HEIGHT = 30  # lines of a picture without a terminal
_SWITCH_INTERVAL = 0.001  # seconds; with Python's 5 ms, a busy source makes keys slow


class BrowseRun(Run):
    """A run of the app; everything is checked before it connects."""

    def __init__(
        self,
        wanted: SelectionArgs,
        address: Address | None,
        content: FilterArgs,
        origin: SourceArgs,
        look: BrowseArgs,
        notify: Notify,
    ) -> None:
        """Check the flags.

        Args:
            wanted: The selection by routing key.
            address: The task or group to show at first; None for the events.
            content: The selection by content.
            origin: The source of events.
            look: How the app looks.
            notify: Prints a message, before the app starts and after it has ended.

        Raises:
            UsageError: If a flag has an invalid value.
            RecordingError: If a graph file cannot be read.
        """
        super().__init__(notify, verbose=look.verbose)
        find_columns(look.columns)  # to check the names
        if look.save_svg is not None:
            check_picture_path(look.save_svg)
        self._origin = origin
        self._look = look
        self._address = address
        self._seed: int | None = None
        if origin.demo:
            self._seed = random.randrange(1_000_000) if origin.seed is None else origin.seed
        self._files = read_graph_files(look.files, notify) if look.files else None
        if address is not None and (group_id := self._find_group(address)):
            if self._files is not None:
                self._files = self._files.name_group(group_id)
            if origin.is_live:
                wanted = wanted._replace(fields={"taskGroupId": [group_id]})
        self._wanted = wanted
        self._selection = _choose_selection(wanted, origin)
        for note in self._selection.notes:
            notify(note)
        self._filters = ContentFilters(content, notify)
        self._buffer = EventBuffer()
        self._is_shown = False

    def notify(self, text: str) -> None:
        """Print a message, or show it in the app."""
        if self._is_shown:
            self._buffer.put_note(text)
        else:
            self._print(text)

    def add_gap(self, gap: Gap) -> None:
        """Show a message about a gap."""
        self.notify(describe_gap(gap))

    def run(self, *, is_shown: bool) -> int:
        """Show the app until the user quits.

        Args:
            is_shown: Whether there is a terminal; otherwise the app runs without one, for
                its picture, until the source has ended.

        Returns:
            The exit status.
        """
        with open_source(
            self._origin, self._selection, self.notify, self, seed=self._seed
        ) as opened:
            counter = RunCounter("pool", "pending", clock=_make_clock(self._origin))
            pools = PoolCounts(counter)
            info = StreamInfo(
                opened.name,
                str(self._wanted),
                opened.source.describe_condition,
                opened.root_url,
            )
            app = self._make_app(info, pools)
            self._open_address(app)
            feed = Feed(self._make_intake(opened, info), self._buffer, pools)
            try:
                self._show(app, feed, is_shown=is_shown)
            finally:
                self._is_shown = False
                feed.stop()
        for note in self._buffer.notes:
            self._print(note)
        if signal_handler.received is not None:
            return signal_handler.exit_status
        if self._buffer.failure is not None:
            raise self._buffer.failure
        if self._look.save_svg is not None and app.picture:
            save_picture_file(self._look.save_svg, app.picture, app.size.width, "tcsniff browse")
        return app.return_code or 0

    def _find_group(self, address: Address) -> str:
        # The group of what the user has named; empty if only its events say it.
        found = None if self._files is None else self._files.find_group(address)
        if found is None and self._origin.is_live:
            found = _ask_for_group(address, self._origin, no_api=self._look.no_api)
        if found is None:
            return address.slug_id if address.kind == "group" else ""
        self._address, group_id = found
        return group_id

    def _open_address(self, app: BrowseApp) -> None:
        address = self._address
        if address is None:
            return
        if not self._origin.is_live:
            app.navigator.wanted = address  # until its first event
        elif address.kind == "task":
            app.navigator.open_task(address.slug_id, self._wanted.fields["taskGroupId"][0])
        else:
            app.navigator.open_group(address.slug_id)

    def _make_intake(self, opened: OpenSource, info: StreamInfo) -> Intake:
        intake = Intake(
            opened.source, info, opened.accepts, self._filters.tests, self._look.max_count
        )
        if self._look.record is None:
            return intake
        return intake._replace(wrap=partial(add_recorder, self._look.record, has_gaps=True))

    def _make_app(self, info: StreamInfo, pools: PoolCounts) -> BrowseApp:
        if self._look.color == "never":
            os.environ["NO_COLOR"] = "1"  # as textual reads it
        elif self._look.color == "always":
            os.environ.pop("NO_COLOR", None)
        look = Look(tuple(self._look.columns), self._look.utc, is_ascii_only())
        deployment = OriginDeployment(
            self._origin,
            find_api_server(self._origin) if info.root_url is not None else None,
            self.notify,
            files=self._files,
            seed=self._seed,
            no_api=self._look.no_api,
        )
        return BrowseApp(self._buffer, info, pools, deployment, look, driver_class=TerminalDriver)

    def _show(self, app: BrowseApp, feed: Feed, *, is_shown: bool) -> None:
        self._is_shown = True
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_INTERVAL)
        try:
            with signal_handler.deferred(app.end_soon):
                feed.start()
                app.ends_with_source = not is_shown
                app.run(headless=not is_shown, size=None if is_shown else (WIDTH, _HEIGHT))
        finally:
            sys.setswitchinterval(interval)


def _ask_for_group(address: Address, origin: SourceArgs, *, no_api: bool) -> tuple[Address, str]:
    # What an ID is about, and its group, whose events are listened to.
    if address.kind == "group":
        return address, address.slug_id
    server = find_api_server(origin)
    if no_api or server is None:
        raise UsageError(
            f"{address.slug_id}: only the queue knows the group of a task; name a task group by "
            "the address of its page, or the deployment by --root-url"
        )
    api = QueueApi(server)
    try:
        group_id = api.fetch_group_id(address.slug_id)
    except ApiUnknown:
        if address.kind == "task":
            raise
        return address._replace(kind="group"), address.slug_id
    is_group = group_id == address.slug_id and address.kind == "unknown"
    return address._replace(kind="group" if is_group else "task"), group_id


def _choose_selection(wanted: SelectionArgs, origin: SourceArgs) -> Selection:
    if any(wanted):
        return build_selection(wanted)
    if origin.recordings:
        return EVERYTHING
    return build_selection(SelectionArgs(events=_EVENTS))


def _make_clock(origin: SourceArgs) -> SteadyClock | None:
    # Recordings and the demo use the events' time instead of the clock.
    return SteadyClock() if origin.is_live else None
