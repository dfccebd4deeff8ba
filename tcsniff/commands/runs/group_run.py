"""A run of `graph`: from flags to the end of a task group.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, closing
from typing import Any

from tcsniff.commands.console import print_message
from tcsniff.commands.options.group_options import GraphInputArgs, GraphOutputArgs, GraphStopArgs
from tcsniff.commands.options.source_options import SourceArgs
from tcsniff.commands.runs.group_facts import (
    explain_unknown_group,
    find_root_url,
    load_demo_graph,
    load_graph_files,
    load_queue_graph,
)
from tcsniff.commands.runs.make_group_view import check_picture, make_group_view, save_picture
from tcsniff.commands.runs.make_renderer import add_recorder
from tcsniff.commands.runs.open_source import Notify, OpenSource, choose_pace, open_source
from tcsniff.errors import ApiUnknown, RecordingError, TcsniffError, UsageError
from tcsniff.pipeline import ConnectionObserver, Outcome, Renderer, Stop, run_pipeline
from tcsniff.pulse.deliveries import Gap
from tcsniff.renderers.columns import describe_gap
from tcsniff.renderers.graph.group_renderer import GroupRenderer, GroupView
from tcsniff.sanitize import sanitize
from tcsniff.selection.select import EVERYTHING, Selection, SelectionArgs, build_selection
from tcsniff.settings.brokers import NO_BROKER
from tcsniff.signals import signal_handler
from tcsniff.sources.queue_polling import QueuePolling
from tcsniff.taskgraph.group import GroupState, QuietPeriod
from tcsniff.taskgraph.summary import summarize_group
from tcsniff.taskgraph.tracker import Change

_NAMED = 3  # other groups of a recording


class GroupRun(ConnectionObserver):
    """A run, with all that needs no connection made ready."""

    def __init__(
        self,
        task_group_id: str,
        origin: SourceArgs,
        asking: GraphInputArgs,
        showing: GraphOutputArgs,
        waiting: GraphStopArgs,
        notify: Notify,
    ) -> None:
        """Read the flags, and the files that they name.

        Args:
            task_group_id: The group; empty for the first that comes.
            origin: Where events come from.
            asking: Where dependencies come from.
            showing: What becomes of the group.
            waiting: When to end.
            notify: Tells the person something.

        Raises:
            UsageError: If one of them asks for what cannot be.
            RecordingError: If a graph file cannot be read.
        """
        self._origin = origin
        self._asking = asking
        self._showing = showing
        self._waiting = waiting
        self._say = notify
        self._view: Any = None
        self._renderer: Renderer | None = None
        self._grouped: GroupRenderer | None = None
        self._source: Any = None
        self._inquiry: QueuePolling | None = None
        self._following = GroupState(task_group_id)
        self._is_named = bool(task_group_id)
        self._seed: int | None = None
        self._settled = QuietPeriod(waiting.settle, time.monotonic)
        self._pace = choose_pace(origin)
        self._has_ended = False
        self._moment = 0.0, 0.0  # the latest that was told, and when, by our clock
        if origin.demo:
            self._following, self._seed = load_demo_graph(task_group_id, origin.seed, notify)
        if asking.files:
            self._following = load_graph_files(asking.files, self._following, notify)

    def over(self) -> int:
        """Run until the end.

        Returns:
            The exit status: that of the group, or of what came first.
        """
        if self._showing.save_svg is not None:
            check_picture(self._showing.save_svg)
        if self._origin.is_live and not self._waiting.wait:
            return self._asked()
        if self._asking.root_url is not None and not self._origin.is_live:
            load_queue_graph(self._asking.root_url, self._following, statuses=False)
        outcome = self._followed()
        if signal_handler.received is not None:
            return signal_handler.exit_status
        if self._origin.recordings and outcome is Outcome.SOURCE_ENDED:
            self._tell_of_recording()
        if outcome is Outcome.TIMED_OUT:
            self.notify(outcome.value)
            return outcome.exit_status
        if self._showing.notify:
            self._notify()
        return self._following.graph().exit_status

    def notify(self, text: str) -> None:
        """Tell the person something; above the picture, if there is one."""
        above = getattr(self._view, "notify", None)
        if above is not None and sys.stderr.isatty():
            if self._say is print_message:
                above(f"tcsniff: {text}")
        else:
            self._say(text)

    def add_gap(self, gap: Gap) -> None:
        """Tell of a gap, and show it."""
        self.notify(describe_gap(gap))
        if self._inquiry is not None and gap.missed:
            self._inquiry.hurry()
        if self._renderer is not None:
            self._renderer.show_gap(gap)

    # Without events.

    def _asked(self) -> int:
        root_url = find_root_url(self._origin, self._asking)
        if root_url is None or self._asking.no_api:
            if not self._asking.files:
                raise UsageError(
                    "--no-wait needs something to look at: --root-url to ask the queue, "
                    "--graph FILE, --from RECORDING, or --demo"
                )
        else:
            load_queue_graph(root_url, self._following, statuses=True)
        self._view = self._made_view("the queue", root_url)
        graph = self._following.graph()
        self._view.finish(graph, time.time())
        self._save()
        return graph.exit_status

    # With events.

    def _followed(self) -> Outcome:
        selection = self._selection()
        with ExitStack() as stack:
            opening = open_source(
                self._origin, selection, self._say, self, seed=self._seed, groups=1
            )
            try:
                source = stack.enter_context(opening)
            except UsageError as error:
                if str(error) != NO_BROKER:
                    raise
                raise UsageError(f"{NO_BROKER}; the queue alone, once: --no-wait") from None
            stack.callback(self._save)
            self._source = source.source
            root_url = self._begin_inquiry()
            if self._inquiry is not None:
                stack.callback(self._inquiry.stop)
            self._view = self._made_view(source.name, root_url)
            self._grouped = GroupRenderer(
                self._following,
                self._view,
                clock=self._now,
                inquire=self._inquire,
                root_url=root_url,
            )
            renderer: Renderer = self._grouped
            if self._showing.record is not None:
                renderer = add_recorder(self._showing.record, renderer)
            self._renderer = renderer
            stack.enter_context(
                signal_handler.deferred(source.source.stop, self._report, self._leave)
            )
            with closing(renderer):
                outcome = self._pumped(source, renderer)
                self._has_ended = True
                if outcome is Outcome.SOURCE_ENDED and signal_handler.received is None:
                    self._check_heard()
                return outcome

    def _tell_of_recording(self) -> None:
        graph, others = self._following.graph(), self._following.other_groups
        left = sum(1 for node in graph.nodes.values() if node.is_open)
        if left:
            number = len(graph.nodes)
            self.notify(f"the recording ends while {left:,} of {number:,} tasks are open")
        if others and not self._is_named:
            names = ", ".join(list(others)[:_NAMED]) + (", ..." if len(others) > _NAMED else "")
            self.notify(
                f"this is the group {self._following.task_group_id}, the first that came; "
                f"{self._following.other_events:,} events are about others: {names}; "
                "tcsniff graph TASK_GROUP_ID shows one of them"
            )

    def _check_heard(self) -> None:
        if self._origin.recordings and not self._following.version:
            if self._grouped is not None:
                self._grouped.leave()
            group = self._following.task_group_id
            about = f"the task group {group}" if group else "a task"
            raise RecordingError(f"{', '.join(self._origin.recordings)}: no event about {about}")

    def _pumped(self, source: OpenSource, renderer: Renderer) -> Outcome:
        is_endless = self._origin.is_live or self._origin.follow
        over = self._is_settled if is_endless else None
        stop = Stop(count=self._waiting.count, timeout=self._waiting.timeout, is_over=over)
        try:
            return run_pipeline(source.source, renderer, accepts=source.keep, stop=stop)
        except TcsniffError:
            if self._grouped is not None and not self._following.version:
                self._grouped.leave()
            raise

    def _selection(self) -> Selection:
        group = self._following.task_group_id
        if group:
            return build_selection(SelectionArgs(fields={"taskGroupId": [group]}))
        return EVERYTHING

    def _is_settled(self) -> bool:
        is_over = self._following.is_over
        if self._inquiry is not None:
            is_over = is_over and self._inquiry.is_up_to_date
        return self._settled.is_settled(is_over=is_over)

    def _begin_inquiry(self) -> str | None:
        root_url = find_root_url(self._origin, self._asking)
        if root_url is not None and self._origin.is_live and not self._asking.no_api:
            from tcsniff.sources.queue_api import QueueApi

            self._api = QueueApi(root_url)
            self._inquiry = QueuePolling(
                self._api, self._following, notify=self.notify, clock=time.monotonic
            )
        return root_url

    def _inquire(self) -> list[Change]:
        if self._inquiry is None:
            return []
        changes = self._inquiry.poll()
        error = self._inquiry.unknown
        if isinstance(error, ApiUnknown) and not self._following.version:
            raise explain_unknown_group(self._api, self._following.task_group_id, error)
        return changes

    # What is seen of it.

    def _made_view(self, source: str, root_url: str | None) -> GroupView:
        return make_group_view(
            self._showing,
            wait=self._waiting.wait,
            source=source,
            condition=self._condition,
            root_url=root_url,
        )

    def _save(self) -> None:
        save_picture(self._showing, self._following.graph(), self._now())

    def _condition(self) -> str:
        found = [self._source.describe_condition()]
        if self._inquiry is not None:
            found.append(self._inquiry.condition)
        elif not self._following.has_definitions:
            found.append("dependencies unknown")
        return "  ".join(filter(None, found))

    def _now(self) -> float:
        latest = self._following.latest
        if self._origin.is_live:
            # Made-up events may run ahead of us.
            return max(time.time(), latest)
        # In a recording and in the demo time passes as the events tell, and
        # between them at the pace at which they come; what is written in the end,
        # and all of a demo with a seed, is the same each time.
        if latest and (self._has_ended or self._origin.seed is not None):
            return latest
        if latest != self._moment[0]:
            self._moment = latest, time.monotonic()
        passed = time.monotonic() - self._moment[1]
        return latest + passed * self._pace if latest else time.time()

    def _report(self) -> str:
        states = summarize_group(self._following.graph(), (), self._now())["states"]
        words = ", ".join(f"{number:,} {state}" for state, number in states.items())
        return f"tcsniff: {words or 'nothing heard yet'}\n"

    def _leave(self) -> None:
        again = getattr(self._view, "redraw", None)
        if again is not None:
            again()

    def _notify(self) -> None:
        graph = self._following.graph()
        wrong = sum(1 for node in graph.nodes.values() if node.went_wrong)
        text = f"task group {sanitize(graph.task_group_id)}: "
        text += f"{wrong:,} went wrong" if wrong else "all completed"
        stream = next((one for one in (sys.stderr, sys.stdout) if one.isatty()), None)
        if stream is not None:  # the bell, and OSC 9 as iTerm2, kitty and others know it
            os.write(stream.fileno(), f"\a\x1b]9;{text}\x1b\\".encode(errors="replace"))
