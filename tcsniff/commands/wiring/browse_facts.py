"""What `browse` can ask about groups and tasks: the queue, or the demo's own plans.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import time
from functools import partial

from tcsniff.browse.group_watch import GroupFacts
from tcsniff.browse.navigation import Deployment
from tcsniff.browse.task_page import GetTails
from tcsniff.commands.options.source_options import SourceArgs, is_deployment_named
from tcsniff.commands.wiring.browse_files import GraphFiles
from tcsniff.commands.wiring.group_clock import GroupClock
from tcsniff.commands.wiring.group_facts import load_queue_graph
from tcsniff.commands.wiring.run import Notify
from tcsniff.errors import TcsniffError
from tcsniff.settings.web_server import WebServer
from tcsniff.simulator.planning import to_definitions
from tcsniff.simulator.simulation import plan_groups
from tcsniff.sources.log_tail import fetch_log_tail
from tcsniff.sources.log_tails import LogTails
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import NO_ANSWER, QueuePolling
from tcsniff.taskgraph.group import GroupState

_LOG_LINES = 200
_MAX_PLANS = 10_000  # groups of a demo


class OriginDeployment(Deployment):
    """What is known beside the source's events."""

    def __init__(
        self,
        origin: SourceArgs,
        server: WebServer | None,
        notify: Notify,
        *,
        files: GraphFiles | None,
        seed: int | None,
        no_api: bool,
    ) -> None:
        """Create; nothing is asked yet.

        Args:
            origin: The source of events.
            server: The deployment's web server; None if unknown.
            notify: Receives messages about failures of the queue's API.
            files: What the files of ``--graph`` say; None without any.
            seed: Of the demo; None for other sources.
            no_api: Whether not to ask the queue.
        """
        self.root_url = None if server is None else server.root_url
        self._server = server
        self.is_replay = bool(origin.recordings) and not origin.follow
        self._origin = origin
        self._notify = notify
        self._files = files
        self._seed = seed
        self._no_api = no_api
        self._since = time.time() if origin.is_live else None

    def open_facts(self, group_id: str) -> GroupFacts:  # noqa: ARG002 - as declared
        """Return what is known of a group beside its events."""
        facts = self._choose_facts()
        return facts if self._files is None else _FileFacts(facts, self._files)

    def _choose_facts(self) -> GroupFacts:
        clock = GroupClock(self._origin)
        if self._seed is not None:
            return _DemoFacts(clock, self._seed)
        if self._server is None or self._no_api:
            return _EventFacts(clock, self._since)
        if self._origin.is_live:
            return _PolledFacts(clock, self._since, self._server, self._notify)
        if is_deployment_named(self._origin):
            return _AskedFacts(clock, self._since, self._server, self._notify)
        return _EventFacts(clock, None)

    def open_tails(self) -> GetTails | None:
        """Return what fetches the ends of logs; None for the demo, and without a deployment."""
        server = self._server
        if server is None or self._seed is not None or self._no_api:
            return None
        tails = LogTails(
            lambda task_id, run_id: fetch_log_tail(server, task_id, run_id, _LOG_LINES)
        )
        return partial(tails.get, wait=False)


class _EventFacts(GroupFacts):
    # Nothing but the time.

    def __init__(self, clock: GroupClock, since: float | None) -> None:
        self._clock = clock
        self._since = since

    def create_group(self, group_id: str) -> GroupState:
        return GroupState(group_id, since=self._since)

    def read_time(self, group: GroupState) -> float:
        return self._clock.read(group.latest)


class _DemoFacts(_EventFacts):
    # The demo's groups are planned before their tasks are announced.

    def __init__(self, clock: GroupClock, seed: int) -> None:
        super().__init__(clock, None)
        self._seed = seed

    def create_group(self, group_id: str) -> GroupState:
        group = super().create_group(group_id)
        plans = plan_groups(seed=self._seed, groups=_MAX_PLANS)
        plan = next((plan for plan in plans if plan.task_group_id == group_id), None)
        if plan is not None:
            group.add_facts(to_definitions(plan))
            group.mark_whole()
        return group


class _AskedFacts(_EventFacts):
    # The queue is asked once, for dependencies: the states are those of the recording.

    def __init__(
        self, clock: GroupClock, since: float | None, server: WebServer, notify: Notify
    ) -> None:
        super().__init__(clock, since)
        self._server = server
        self._notify = notify
        self._condition = ""

    @property
    def condition(self) -> str:
        return self._condition

    def create_group(self, group_id: str) -> GroupState:
        group = super().create_group(group_id)
        try:
            load_queue_graph(self._server, group, statuses=False)
        except TcsniffError as error:
            self._condition = NO_ANSWER
            self._notify(str(error))
        return group


class _PolledFacts(_EventFacts):
    # The queue is asked at first, and whenever there is a reason.

    def __init__(
        self, clock: GroupClock, since: float | None, server: WebServer, notify: Notify
    ) -> None:
        super().__init__(clock, since)
        self._api = QueueApi(server)
        self._notify = notify
        self._polling: QueuePolling | None = None

    @property
    def condition(self) -> str:
        return self._polling.condition if self._polling is not None else ""

    def create_group(self, group_id: str) -> GroupState:
        group = super().create_group(group_id)
        self._polling = QueuePolling(self._api, group, notify=self._notify, clock=time.monotonic)
        return group

    def poll(self) -> None:
        if self._polling is not None:
            self._polling.poll()

    def stop(self) -> None:
        if self._polling is not None:
            self._polling.stop()


class _FileFacts(GroupFacts):
    # Others, and the files of --graph.

    def __init__(self, facts: GroupFacts, files: GraphFiles) -> None:
        self._facts = facts
        self._files = files
        self._group: GroupState | None = None  # until the files are about it
        self._version = -1  # of the group when the files were last looked at

    @property
    def condition(self) -> str:
        return self._facts.condition

    def create_group(self, group_id: str) -> GroupState:
        self._group = group = self._facts.create_group(group_id)
        self._add_files()
        return group

    def poll(self) -> None:
        self._facts.poll()
        self._add_files()

    def read_time(self, group: GroupState) -> float:
        return self._facts.read_time(group)

    def stop(self) -> None:
        self._facts.stop()

    def _add_files(self) -> None:
        group = self._group
        if group is not None and group.version != self._version:
            self._version = group.version
            if self._files.add_to(group):
                self._group = None
