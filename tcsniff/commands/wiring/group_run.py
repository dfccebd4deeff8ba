"""A run of `graph`: from flags to the end of a task group.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from tcsniff.commands.options.group_options import (
    MISSING_ID,
    GraphInputArgs,
    GraphOutputArgs,
    GraphStopArgs,
)
from tcsniff.commands.options.source_options import SourceArgs, is_deployment_named
from tcsniff.commands.wiring.group_clock import GroupClock
from tcsniff.commands.wiring.group_facts import (
    TaskOfGroup,
    explain_unknown_group,
    find_recorded_group,
    load_demo_graph,
    load_graph_files,
    load_queue_graph,
)
from tcsniff.commands.wiring.make_renderer import add_recorder
from tcsniff.commands.wiring.open_source import OpenSource, find_api_server, open_source
from tcsniff.commands.wiring.run import Notify, Run, describe_outcome
from tcsniff.commands.wiring.silence import Silence
from tcsniff.errors import ApiUnknown, RecordingError, TcsniffError, UsageError
from tcsniff.pipeline import EventCounts, Outcome, Stop, run_pipeline
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.pulse.versions import VersionCheck
from tcsniff.renderers.graph.group_renderer import GroupRenderer, GroupView
from tcsniff.renderers.notification import notify_terminal
from tcsniff.renderers.stream import StreamInfo
from tcsniff.selection.select import EVERYTHING, Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.settings.brokers import NO_BROKER
from tcsniff.settings.web_server import WebServer
from tcsniff.signals import signal_handler
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import QueuePolling
from tcsniff.taskgraph.group import GroupState, QuietPeriod
from tcsniff.taskgraph.summary import summarize_group
from tcsniff.taskgraph.tracker import Change
from tcsniff.taskgraph.verdict import describe_unknown, judge_group

_MAX_NAMES = 3  # of other groups in a recording


def _import_views() -> None:
    # Rich takes 60 ms, and the first page of the API no less.
    importlib.import_module("tcsniff.commands.wiring.make_group_view")


class GroupRun(Run):
    """A run that shows a task group; everything is checked before it connects."""

    def __init__(
        self,
        task_group_id: str,
        origin: SourceArgs,
        facts: GraphInputArgs,
        output: GraphOutputArgs,
        stop: GraphStopArgs,
        notify: Notify,
    ) -> None:
        """Check the flags, and read the files that they name.

        Args:
            task_group_id: The group; empty for that of the first event.
            origin: The source of events.
            facts: The source of dependencies.
            output: How to show the group.
            stop: When to stop.
            notify: Prints a message.

        Raises:
            UsageError: If a flag has an invalid value.
            RecordingError: If a graph file cannot be read.
        """
        super().__init__(notify, verbose=output.verbose)
        self._origin = origin
        self._facts = facts
        self._output = output
        self._stop = stop
        self._api: QueueApi | None = None
        self._polling: QueuePolling | None = None
        # Messages are received from now on. Recordings start with their first message.
        since = time.time() if origin.is_live and stop.wait else None
        self._started = time.monotonic()
        self._group = GroupState(task_group_id, since=since)
        self._is_named = bool(task_group_id)
        self._is_named_deployment = is_deployment_named(origin)
        self._is_missing = False  # whether the queue did not know the group at first
        self._seed: int | None = None
        self._counts = EventCounts()
        self._versions = VersionCheck()
        self._silence: Silence | None = None
        self._quiet_period = QuietPeriod(stop.settle, time.monotonic)
        self._clock = GroupClock(origin)
        if origin.demo:
            self._group, self._seed = load_demo_graph(task_group_id, origin.seed, notify)
        if facts.files:
            self._group = load_graph_files(facts.files, self._group, notify)
            if origin.is_live and not self._group.task_group_id:
                raise UsageError(MISSING_ID)

    def run(self) -> int:
        """Show the group until the end.

        Returns:
            The exit status of the group, or of the reason why the run ended.
        """
        if self._output.save_svg is not None:
            from tcsniff.renderers.svg import check_picture_path  # rich: 60 ms

            check_picture_path(self._output.save_svg)
        if self._origin.is_live and not self._stop.wait:
            return self._show_once()
        server = find_api_server(self._origin)
        if server is not None and self._is_named_deployment and not self._origin.is_live:
            load_queue_graph(server, self._group, statuses=False)
        return self._follow()

    def add_gap(self, gap: Gap) -> None:
        """Print a message about a gap, show it, and ask the queue soon."""
        super().add_gap(gap)
        if not gap.missed:
            return
        if self._polling is not None:
            self._polling.hurry()
        if self._origin.is_live or not self._is_named_deployment:
            self._group.mark_gap()  # else the queue has listed all tasks since

    def _show_once(self) -> int:
        server = find_api_server(self._origin)
        is_asked = self._is_named_deployment or not self._facts.files
        if server is not None and is_asked and not self._facts.no_api:
            load_queue_graph(server, self._group, statuses=True, meanwhile=_import_views)
        elif not self._facts.files:
            raise UsageError(
                "--no-wait needs a source: --root-url to ask the queue, "
                "--graph FILE, --from RECORDING, or --demo"
            )
        with self._ending():
            pass
        self._make_view("the queue", server).close()
        self._report_unknown()
        return self._group.graph().exit_status

    def _follow(self) -> int:
        with ExitStack() as stack:
            opened = self._open_source(stack)
            self._source = opened.source
            if self._origin.is_live:
                self._silence = Silence(self._select().bindings, "", time.monotonic)
            server = self._start_polling()
            if self._polling is not None:
                stack.callback(self._polling.stop)
            grouped = GroupRenderer(
                self._group,
                self._make_view(opened.name, server),
                poll=self._poll,
                root_url=None if server is None else server.root_url,
            )
            record = self._output.record
            self._renderer = add_recorder(record, grouped, has_gaps=True) if record else grouped
            stack.enter_context(self._defer_signals(self._report))
            with closing(self._renderer), self._ending():
                outcome = self._run_pipeline(opened, grouped)
                self._clock.stop()
                self._finish(outcome, grouped)
        return self._group.graph().exit_status

    @contextmanager
    def _ending(self) -> Iterator[None]:
        # The picture is saved whatever ends the run. The summary, which comes after, has
        # the exit status of the process, which a failure decides, too.
        try:
            try:
                yield
            finally:
                self._save_picture()
        except TcsniffError as error:
            self._group.mark_end(error.exit_status)
            raise
        except (KeyboardInterrupt, SystemExit):  # from a signal during a write that blocked
            self._group.mark_end(signal_handler.exit_status)
            raise

    def _finish(self, outcome: Outcome, grouped: GroupRenderer) -> None:
        if signal_handler.received is not None:
            self._group.mark_end(signal_handler.exit_status)
            return
        if self._has_quit:
            self._report_unknown()
            return
        if self._origin.recordings and outcome is Outcome.SOURCE_ENDED:
            self._check_found(grouped)
            if self._source.skipped_lines:
                self._group.mark_gap()
            self._describe_recording()
        if outcome is Outcome.TIMED_OUT:
            self.notify(describe_outcome(outcome, self._stop.timeout))
            self._group.mark_end(outcome.exit_status)
        else:
            self._report_unknown()
        if self._output.notify:
            self._ring()

    def _report_unknown(self) -> None:
        if (text := describe_unknown(self._group.graph(), utc=self._output.utc)) is not None:
            self.notify(text)

    def _select(self) -> Selection:
        group = self._group.task_group_id
        if not group:
            return EVERYTHING
        return build_selection(SelectionArgs(fields={"taskGroupId": [group]}))

    def _open_source(self, stack: ExitStack) -> OpenSource:
        opening = open_source(
            self._origin,
            self._select(),
            self._print,
            self,
            seed=self._seed,
            groups=1,
            deadline=self._make_stop().deadline,
        )
        try:
            return stack.enter_context(opening)
        except UsageError as error:
            if str(error) != NO_BROKER:
                raise
            raise UsageError(f"{NO_BROKER}; to ask the queue once: --no-wait") from None

    def _run_pipeline(self, opened: OpenSource, grouped: GroupRenderer) -> Outcome:
        renderer = self._renderer or grouped
        try:
            return run_pipeline(
                opened.source,
                renderer,
                accepts=opened.accepts,
                stop=self._make_stop(),
                counts=self._counts,
                observe=self._observe,
            )
        except TcsniffError:
            if not self._group.graph().nodes:
                grouped.abandon()
            raise

    def _observe(self, events: Sequence[Event]) -> None:
        for warning in self._versions.find_unknown(events):
            self.notify(warning)
        # With an answer of the API, silence is what a long task looks like.
        if self._silence is not None and self._polling is None:
            text = self._silence.check(self._counts)
            if text and not (self._renderer and self._renderer.is_live):
                self.notify(text)

    def _make_stop(self) -> Stop:
        is_endless = self._origin.is_live or self._origin.follow
        return Stop(
            count=self._stop.max_count,
            timeout=self._stop.timeout,
            is_over=self._is_over if is_endless else None,
            started=self._started,
        )

    def _check_found(self, grouped: GroupRenderer) -> None:
        if not self._group.has_events:
            grouped.abandon()
            group = self._group.task_group_id
            about = f"the task group {group}" if group else "a task"
            if owner := find_recorded_group(self._origin, group):
                raise TaskOfGroup(group, owner)
            raise RecordingError(f"{', '.join(self._origin.recordings)}: no event about {about}")

    def _describe_recording(self) -> None:
        nodes, others = self._group.graph().nodes, self._group.other_groups
        if unfinished := sum(1 for node in nodes.values() if node.is_open):
            self.notify(
                f"the recording ends while {unfinished:,} of {len(nodes):,} tasks are open"
            )
        if others and not self._is_named:
            names = ", ".join(list(others)[:_MAX_NAMES]) + (", ..." * (len(others) > _MAX_NAMES))
            self.notify(
                f"this is the group {self._group.task_group_id}, the first in the recording; "
                f"{self._group.other_events:,} events are about others: {names}; "
                "tcsniff graph TASK_GROUP_ID shows one of them"
            )

    def _is_over(self) -> bool:
        is_over = self._group.is_over
        if self._polling is not None:
            is_over = is_over and self._polling.is_up_to_date
        return self._quiet_period.is_settled(is_over=is_over)

    def _start_polling(self) -> WebServer | None:
        server = find_api_server(self._origin)
        if server is not None and self._origin.is_live and not self._facts.no_api:
            self._api = QueueApi(server)
            self._polling = QueuePolling(
                self._api, self._group, notify=self.notify, clock=time.monotonic
            )
        return server

    def _poll(self) -> list[Change]:
        if self._polling is None or self._api is None:
            return []
        changes = self._polling.poll()
        error = self._polling.unknown
        if isinstance(error, ApiUnknown) and not self._is_missing and not self._group.has_events:
            self._is_missing = True
            self._report_missing(self._api, error)
        return changes

    def _report_missing(self, api: QueueApi, error: ApiUnknown) -> None:
        explained = explain_unknown_group(api, self._group.task_group_id, error)
        if isinstance(explained, UsageError):
            raise explained
        self.notify(
            f"{api.root_url} has no task group {self._group.task_group_id} yet; waiting for its "
            "first task"
        )

    def _make_view(self, source: str, server: WebServer | None) -> GroupView:
        from tcsniff.commands.wiring.make_group_view import make_group_view

        root_url = None if server is None else server.root_url
        stream = StreamInfo(
            source, "", self._describe_condition, root_url, self._make_control(self._origin)
        )
        return make_group_view(
            self._output,
            stream,
            server,
            self._group,
            self._get_time,
            wait=self._stop.wait,
            has_times=self._is_replay,
        )

    @property
    def _is_replay(self) -> bool:
        return bool(self._origin.recordings) and not self._origin.follow

    def _save_picture(self) -> None:
        if self._output.save_svg is None:
            return

        from tcsniff.commands.wiring.make_group_view import save_picture

        save_picture(
            self._output, self._group.graph(), self._get_time(), has_times=self._is_replay
        )

    def _describe_condition(self) -> str:
        notes = [self._source.describe_condition()]
        if self._polling is not None:
            notes.append(self._polling.condition)
        elif not self._group.has_definitions:
            notes.append("dependencies unknown")
        return "  ".join(filter(None, notes))

    def _get_time(self) -> float:
        return self._clock.read(self._group.latest)

    def _report(self) -> str:
        states = summarize_group(self._group.graph(), (), self._get_time())["states"]
        words = ", ".join(f"{number:,} {state}" for state, number in states.items())
        return f"tcsniff: {words or 'no events yet'}\n{self._details}"

    def _ring(self) -> None:
        graph = self._group.graph()
        verdict = judge_group(graph, self._get_time(), utc=self._output.utc)
        notify_terminal(f"task group {graph.task_group_id}", verdict.text)
