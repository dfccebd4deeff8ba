"""A run of `graph`: from flags to the end of a task group.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack, closing
from typing import Any

from tcsniff.columns import gap_text
from tcsniff.commands.account import deployment_of
from tcsniff.commands.groupoptions import Asking, Showing, Waiting
from tcsniff.commands.groupview import check_picture, save_picture, view_of
from tcsniff.commands.opening import ROOT_URL, Opened, Say, opened
from tcsniff.commands.origin import Origin
from tcsniff.commands.showing import recorded
from tcsniff.commands.talk import say
from tcsniff.deliveries import Gap
from tcsniff.errors import ApiError, ApiUnknown, UsageError
from tcsniff.following import Following, Settled
from tcsniff.graphfiles import definitions_of, graph_of
from tcsniff.interrupts import interrupts
from tcsniff.renderers.following import GroupRenderer, GroupView
from tcsniff.selection import EVERYTHING, Selection, Wanted, select
from tcsniff.simulator import plans
from tcsniff.sources.files import whole
from tcsniff.sources.inquiry import Inquiry
from tcsniff.stream import Outcome, Renderer, Stop, Watch, pump
from tcsniff.summary import summary_of
from tcsniff.tracker import Change


class GroupRun(Watch):
    """A run, with all that needs no connection made ready."""

    def __init__(
        self,
        task_group_id: str,
        origin: Origin,
        asking: Asking,
        showing: Showing,
        waiting: Waiting,
        tell: Say,
    ) -> None:
        """Read the flags, and the files that they name.

        Args:
            task_group_id: The group; empty for the first that comes.
            origin: Where events come from.
            asking: Where dependencies come from.
            showing: What becomes of the group.
            waiting: When to end.
            tell: Tells the person something.

        Raises:
            UsageError: If one of them asks for what cannot be.
            RecordingError: If a graph file cannot be read.
        """
        self._origin = origin
        self._asking = asking
        self._showing = showing
        self._waiting = waiting
        self._say = tell
        self._view: Any = None
        self._renderer: Renderer | None = None
        self._source: Any = None
        self._inquiry: Inquiry | None = None
        self._following = Following(task_group_id)
        self._seed: int | None = None
        self._settled = Settled(waiting.settle, time.monotonic)
        if origin.demo:
            self._take_demo(task_group_id)
        if asking.files:
            self._read(asking.files)

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
            self._ask_once(self._asking.root_url, statuses=False)
        outcome = self._followed()
        if interrupts.received is not None:
            return interrupts.exit_status
        if outcome is Outcome.TIMED_OUT:
            self.tell(outcome.value)
            return outcome.exit_status
        if self._showing.notify:
            self._notify()
        return self._following.graph().exit_status

    def tell(self, text: str) -> None:
        """Tell the person something; above the picture, if there is one."""
        above = getattr(self._view, "say", None)
        if above is not None and sys.stderr.isatty():
            if self._say is say:
                above(f"tcsniff: {text}")
        else:
            self._say(text)

    def gap(self, gap: Gap) -> None:
        """Tell of a gap, and show it."""
        self.tell(gap_text(gap))
        if self._renderer is not None:
            self._renderer.gap(gap)

    def _take_demo(self, task_group_id: str) -> None:
        seed = self._origin.seed
        self._seed = random.randrange(1_000_000) if seed is None else seed
        plan = next(plans(seed=self._seed))
        if task_group_id not in ("", plan.task_group_id):
            self._say(f"the demo has its own task group: {plan.task_group_id}")
        self._following = Following(plan.task_group_id)
        self._following.learn(definitions_of(plan))
        self._following.know_all()

    def _read(self, files: Iterable[str]) -> None:
        found = graph_of((name, whole(name, self._say)) for name in files)
        for note in found.notes:
            self._say(note)
        groups = {group.task_group_id for group in found.groups}
        wanted = self._following.task_group_id
        if groups and wanted and wanted not in groups:
            raise UsageError(f"--graph tells of task group {', '.join(groups)}, not of {wanted}")
        self._following.learn(found.definitions, found.statuses)

    # Without events.

    def _asked(self) -> int:
        root_url = self._root_url()
        if root_url is None or self._asking.no_api:
            if not self._asking.files:
                raise UsageError(
                    "--no-wait needs something to look at: --root-url to ask the queue, "
                    "--graph FILE, --from RECORDING, or --demo"
                )
        else:
            self._ask_once(root_url, statuses=True)
        self._view = self._made_view("the queue", root_url)
        graph = self._following.graph()
        self._view.finish(graph, time.time())
        self._save()
        return graph.exit_status

    def _ask_once(self, root_url: str, *, statuses: bool) -> None:
        from tcsniff.sources.queue_api import QueueApi

        api = QueueApi(root_url)
        try:
            for page in api.pages(self._following.task_group_id):
                self._following.learn(page.definitions, page.statuses if statuses else ())
            self._following.know_all()
        except ApiUnknown as error:
            raise self._unknown(api, error) from error

    def _unknown(self, api: Any, error: ApiError) -> ApiError | UsageError:
        # A task's id looks like a group's, and is what people have at hand.
        task_id = self._following.task_group_id
        try:
            group = api.group_of(task_id)
        except ApiError:
            return error
        return UsageError(f"{task_id} is a task of the task group {group}: tcsniff graph {group}")

    # With events.

    def _followed(self) -> Outcome:
        selection = self._selection()
        with ExitStack() as stack:
            opening = opened(self._origin, selection, self._say, self, seed=self._seed, groups=1)
            source = stack.enter_context(opening)
            stack.callback(self._save)
            self._source = source.source
            root_url = self._begin_inquiry()
            if self._inquiry is not None:
                stack.callback(self._inquiry.stop)
            self._view = self._made_view(source.name, root_url)
            renderer: Renderer = GroupRenderer(
                self._following, self._view, clock=self._now, inquire=self._inquire
            )
            if self._showing.record is not None:
                renderer = recorded(self._showing.record, renderer)
            self._renderer = renderer
            stack.enter_context(interrupts.deferred(source.source.stop, self._report, self._leave))
            with closing(renderer):
                return self._pumped(source, renderer)

    def _pumped(self, source: Opened, renderer: Renderer) -> Outcome:
        is_endless = self._origin.is_live or self._origin.follow
        over = self._is_settled if is_endless else None
        stop = Stop(timeout=self._waiting.timeout, over=over)
        return pump(source.source, renderer, keep=source.keep, stop=stop)

    def _selection(self) -> Selection:
        group = self._following.task_group_id
        if group:
            return select(Wanted(fields={"taskGroupId": [group]}))
        return EVERYTHING

    def _is_settled(self) -> bool:
        is_over = self._following.is_over
        if self._inquiry is not None:
            is_over = is_over and self._inquiry.is_up_to_date
        return self._settled.is_settled(is_over=is_over)

    def _begin_inquiry(self) -> str | None:
        root_url = self._root_url()
        if root_url is not None and self._origin.is_live and not self._asking.no_api:
            from tcsniff.sources.queue_api import QueueApi

            self._api = QueueApi(root_url)
            self._inquiry = Inquiry(
                self._api, self._following, tell=self.tell, clock=time.monotonic
            )
        return root_url

    def _inquire(self) -> list[Change]:
        if self._inquiry is None:
            return []
        changes = self._inquiry.poll()
        unknown = self._inquiry.unknown
        if isinstance(unknown, ApiUnknown) and not self._following.version:
            raise self._unknown(self._api, unknown)
        return changes

    def _root_url(self) -> str | None:
        # A broker or profile that somebody names goes before the environment,
        # and that before the profile that nobody names.
        account, typed = self._origin.account, self._asking.root_url
        is_named = bool(account.url or account.profile)
        if typed is not None or (is_named and self._origin.is_live):
            found = deployment_of(account, typed)
        else:
            found = None
        found = found or os.environ.get(ROOT_URL)
        if found is None and self._origin.is_live and not is_named:
            return deployment_of(account, None)
        return found

    # What is seen of it.

    def _made_view(self, source: str, root_url: str | None) -> GroupView:
        return view_of(
            self._showing,
            wait=self._waiting.wait,
            source=source,
            condition=self._condition,
            root_url=root_url,
        )

    def _save(self) -> None:
        save_picture(self._showing, self._following.graph(), self._now())

    def _condition(self) -> str:
        found = [getattr(self._source, "condition", "")]
        if self._inquiry is not None:
            found.append(self._inquiry.condition)
        elif not self._following.graph().has_dependencies:
            found.append("dependencies unknown")
        return "  ".join(filter(None, found))

    def _now(self) -> float:
        # In a recording and in the demo time passes as the events tell.
        if self._origin.is_live or not self._following.latest:
            return time.time()
        return self._following.latest

    def _report(self) -> str:
        states = summary_of(self._following.graph(), (), self._now())["states"]
        words = ", ".join(f"{number:,} {state}" for state, number in states.items())
        return f"tcsniff: {words or 'nothing heard yet'}\n"

    def _leave(self) -> None:
        again = getattr(self._view, "again", None)
        if again is not None:
            again()

    def _notify(self) -> None:
        graph = self._following.graph()
        wrong = sum(1 for node in graph.nodes.values() if node.state in ("failed", "exception"))
        text = f"task group {graph.task_group_id}: "
        text += f"{wrong:,} went wrong" if wrong else "all completed"
        stream = next((one for one in (sys.stderr, sys.stdout) if one.isatty()), None)
        if stream is not None:  # the bell, and OSC 9 as iTerm2, kitty and others know it
            os.write(stream.fileno(), f"\a\x1b]9;{text}\x1b\\".encode())
