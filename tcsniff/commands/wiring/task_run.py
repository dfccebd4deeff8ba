"""A run of `task`: from flags to the ends of the named tasks.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from tcsniff.commands.options.source_options import SourceArgs, is_deployment_named
from tcsniff.commands.options.task_options import TaskInputArgs, TaskOutputArgs, TaskStopArgs
from tcsniff.commands.wiring.group_clock import GroupClock
from tcsniff.commands.wiring.make_renderer import add_recorder
from tcsniff.commands.wiring.make_task_view import make_task_view, save_task_picture
from tcsniff.commands.wiring.open_source import OpenSource, find_api_server, open_source
from tcsniff.commands.wiring.run import Notify, Run, describe_outcome
from tcsniff.commands.wiring.task_facts import (
    check_missing_task,
    load_definitions,
    load_demo_tasks,
    load_queue_tasks,
    load_task_files,
    look_ahead,
    select_tasks,
)
from tcsniff.errors import ApiUnknown, RecordingError, TcsniffError, UsageError
from tcsniff.pipeline import Outcome, Stop, run_pipeline
from tcsniff.pulse.deliveries import Gap
from tcsniff.renderers.graph.group_renderer import GroupRenderer, GroupView
from tcsniff.renderers.notification import notify_terminal
from tcsniff.renderers.stream import StreamInfo
from tcsniff.renderers.svg import check_picture_path
from tcsniff.sanitize import sanitize
from tcsniff.selection.select import Selection
from tcsniff.settings.brokers import NO_BROKER
from tcsniff.settings.web_server import WebServer
from tcsniff.signals import signal_handler
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.task_polling import TaskPolling
from tcsniff.taskgraph.graph import INCOMPLETE
from tcsniff.taskgraph.group import QuietPeriod
from tcsniff.taskgraph.named_tasks import NamedTasks
from tcsniff.taskgraph.task_story import TaskStory
from tcsniff.taskgraph.tracker import Change

_SETTLE = 10.0  # seconds in which a better message may follow one that is not valid
_PATIENCE = 5.0  # seconds for the answers that say which messages are of use
_MAX_WATCHED = 50  # tasks that are waited for, and whose messages are received
_MAX_NAMES = 5  # in a message


class TaskRun(Run):
    """A run that shows tasks; everything is checked before it connects."""

    def __init__(
        self,
        task_ids: Sequence[str],
        origin: SourceArgs,
        facts: TaskInputArgs,
        output: TaskOutputArgs,
        stop: TaskStopArgs,
        notify: Notify,
    ) -> None:
        """Check the flags, and read the files that they name.

        Args:
            task_ids: The tasks; empty for one of the demo's.
            origin: The source of events.
            facts: The source of dependencies.
            output: How to show the tasks.
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
        self._polling: TaskPolling | None = None
        self._changes: list[Change] = []  # not shown so far
        self._is_named_deployment = is_deployment_named(origin)
        self._reported_missing: set[str] = set()
        self._seed: int | None = None
        self._started = time.monotonic()
        self._quiet_period = QuietPeriod(_SETTLE, time.monotonic)
        self._clock = GroupClock(origin)
        self._tasks = NamedTasks(task_ids)
        if origin.demo:
            self._tasks, self._seed = load_demo_tasks(task_ids, origin.seed, notify)
        if facts.files:
            load_task_files(facts.files, self._tasks, notify)

    def run(self) -> int:
        """Show the tasks until they have ended.

        Returns:
            The exit status of the worst task, or of the reason why the run ended.
        """
        if self._output.save_svg is not None:
            check_picture_path(self._output.save_svg)
        if self._origin.is_live and not self._stop.wait:
            return self._show_once()
        server = find_api_server(self._origin)
        if server is not None and self._is_named_deployment and not self._origin.is_live:
            load_definitions(server, self._tasks)
        return self._follow()

    def add_gap(self, gap: Gap) -> None:
        """Print a message about a gap, show it, and ask the queue soon."""
        super().add_gap(gap)
        if gap.missed and self._polling is not None:
            self._polling.hurry()

    def _show_once(self) -> int:
        server = find_api_server(self._origin)
        is_asked = self._is_named_deployment or not self._facts.files
        if server is not None and is_asked and not self._facts.no_api:
            load_queue_tasks(server, self._tasks)
        elif not self._facts.files:
            raise UsageError(
                "--no-wait needs a source: --root-url to ask the queue, "
                "--graph FILE, --from RECORDING, or --demo"
            )
        if self._tasks.missing and self._tasks.exit_status == INCOMPLETE:
            self._tasks.mark_end(ApiUnknown.exit_status)
        with self._ending():
            pass
        self._make_view("the queue", server).close()
        self._report_unknown()
        return self._tasks.exit_status

    def _follow(self) -> int:
        with ExitStack() as stack:
            server = find_api_server(self._origin)
            api = None
            if server is not None and self._origin.is_live and not self._facts.no_api:
                api = QueueApi(server)
                self._changes = look_ahead(api, self._tasks, self._choose_patience())
            opened = self._open_source(stack)
            self._source = opened.source
            if api is not None:
                self._start_polling(api)
                stack.callback(self._stop_polling)
            folding = GroupRenderer(
                self._tasks,
                self._make_view(opened.name, server),
                poll=self._poll,
                root_url=None if server is None else server.root_url,
            )
            record = self._output.record
            self._renderer = add_recorder(record, folding, has_gaps=True) if record else folding
            stack.enter_context(self._defer_signals(self._report))
            with closing(self._renderer), self._ending():
                outcome = self._run_pipeline(opened, folding)
                self._clock.stop()
                self._finish(outcome, folding)
        return self._tasks.exit_status

    @contextmanager
    def _ending(self) -> Iterator[None]:
        # The picture is saved whatever ends the run. The summaries, which come after, have
        # the exit status of the process, which a failure decides, too.
        try:
            try:
                yield
            finally:
                save_task_picture(self._output, self._tasks, self._get_time())
        except TcsniffError as error:
            self._tasks.mark_end(error.exit_status)
            raise
        except (KeyboardInterrupt, SystemExit):  # from a signal during a write that blocked
            self._tasks.mark_end(signal_handler.exit_status)
            raise

    def _finish(self, outcome: Outcome, folding: GroupRenderer) -> None:
        if signal_handler.received is not None:
            self._tasks.mark_end(signal_handler.exit_status)
            return
        if self._has_quit:
            self._report_unknown()
            return
        if self._origin.recordings and outcome is Outcome.SOURCE_ENDED:
            self._check_found(folding)
            if self._source.skipped_lines:
                self._tasks.mark_doubt("lines of the recording are not records")
        if outcome is Outcome.TIMED_OUT:
            self.notify(describe_outcome(outcome, self._stop.timeout))
            self._tasks.mark_end(outcome.exit_status)
        else:
            self._report_unknown()
        if self._output.notify:
            self._ring()

    def _report_unknown(self) -> None:
        for story in self._tell_stories():
            task_id = story.node.task_id
            unknown = [] if self._tasks.is_known(task_id) else [story.verdict.text]
            if missing := self._tasks.missing.get(task_id):
                self.notify(missing.reason)
            elif unknown or story.facts.doubts:
                reasons = "; ".join((*unknown, *story.facts.doubts))
                self.notify(f"task {sanitize(task_id)}: {sanitize(reasons)}")

    def _choose_patience(self) -> float:
        return min(_PATIENCE, self._stop.timeout or _PATIENCE)

    def _open_source(self, stack: ExitStack) -> OpenSource:
        is_live = self._origin.is_live
        selection = self._select_live() if is_live else select_tasks(self._tasks.list_related())
        opening = open_source(
            self._origin,
            selection,
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

    def _select_live(self) -> Selection:
        tasks = self._tasks
        if self._origin.queue is not None:  # it keeps its bindings
            return select_tasks(tasks.task_ids)
        pools = tasks.list_wanted_pools()
        for pool in pools:
            tasks.watch_pool(pool, time.time())
        return select_tasks((*tasks.task_ids, *tasks.list_dependencies()[:_MAX_WATCHED]), pools)

    def _run_pipeline(self, opened: OpenSource, folding: GroupRenderer) -> Outcome:
        renderer = self._renderer or folding
        try:
            return run_pipeline(
                opened.source, renderer, accepts=opened.accepts, stop=self._make_stop()
            )
        except TcsniffError:
            if not any(map(self._tasks.is_known, self._tasks.task_ids)):
                folding.abandon()
            raise

    def _make_stop(self) -> Stop:
        is_endless = self._origin.is_live or self._origin.follow or self._origin.demo
        return Stop(
            timeout=self._stop.timeout,
            is_over=self._is_over if is_endless else None,
            started=self._started,
        )

    def _check_found(self, folding: GroupRenderer) -> None:
        task_ids = self._tasks.task_ids
        if any(map(self._tasks.is_known, task_ids)):
            return
        folding.abandon()
        names = ", ".join(task_ids[:_MAX_NAMES]) + ", ..." * (len(task_ids) > _MAX_NAMES)
        raise RecordingError(
            f"{', '.join(self._origin.recordings)}: no event about task {names}; "
            "for a task group: tcsniff graph ID"
        )

    def _is_over(self) -> bool:
        is_over = self._tasks.has_ended
        if self._polling is not None:
            is_over = is_over and self._polling.is_up_to_date
        is_settled = self._quiet_period.is_settled(is_over=is_over)
        return is_over and (is_settled or not self._tasks.has_unread)

    def _start_polling(self, api: QueueApi) -> None:
        self._polling = TaskPolling(api, self._tasks, notify=self.notify, clock=time.monotonic)

    def _stop_polling(self) -> None:
        if self._polling is not None:
            self._polling.stop()

    def _poll(self) -> list[Change]:
        if self._polling is None:
            return []
        changes = [*self._changes, *self._polling.poll()]
        self._changes = []
        for task_id, missing in self._tasks.missing.items():
            if task_id not in self._reported_missing and not self._tasks.is_known(task_id):
                self._reported_missing.add(task_id)
                check_missing_task(missing)
                self.notify(f"{missing.reason}; waiting for its first event")
        return changes

    def _make_view(self, source: str, server: WebServer | None) -> GroupView:
        root_url = None if server is None else server.root_url
        stream = StreamInfo(
            source, "", self._describe_condition, root_url, self._make_control(self._origin)
        )
        return make_task_view(
            self._output, stream, server, self._tasks, self._get_time, wait=self._stop.wait
        )

    def _describe_condition(self) -> str:
        notes = [self._source.describe_condition()]
        if self._polling is not None:
            notes.append(self._polling.condition)
        return "  ".join(filter(None, notes))

    def _get_time(self) -> float:
        return self._clock.read(self._tasks.latest)

    def _tell_stories(self) -> list[TaskStory]:
        return self._tasks.tell_stories(self._get_time())

    def _report(self) -> str:
        lines = [f"tcsniff: {_describe_task(story)}\n" for story in self._tell_stories()]
        return "".join(lines) + self._details

    def _ring(self) -> None:
        stories = self._tell_stories()
        if len(stories) == 1:
            notify_terminal(stories[0].node.label, stories[0].verdict.text)
        else:
            states = Counter(story.node.state for story in stories)
            counted = ", ".join(f"{number:,} {state}" for state, number in states.items())
            notify_terminal(f"{len(stories):,} tasks", counted)


def _describe_task(story: TaskStory) -> str:
    return f"{sanitize(story.node.label)}: {story.verdict.text}"
