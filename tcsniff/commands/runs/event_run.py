"""A run of `sniff`: from flags to the end.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Protocol

from tcsniff.commands.console import print_message
from tcsniff.commands.options.filter_options import FilterArgs, StopArgs
from tcsniff.commands.options.output_options import OutputArgs
from tcsniff.commands.options.source_options import SourceArgs
from tcsniff.commands.runs.make_renderer import make_renderer
from tcsniff.commands.runs.open_source import Notify, OpenSource, open_source
from tcsniff.pipeline import (
    ConnectionObserver,
    EventCounts,
    EventTest,
    Outcome,
    Renderer,
    Stop,
    run_pipeline,
)
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.columns import describe_gap, find_columns
from tcsniff.selection.filters import RepeatFilter, filter_reasons, filter_states, filter_tags
from tcsniff.selection.select import Selection
from tcsniff.signals import signal_handler


class RendererFactory(Protocol):
    """Makes the renderer, once it is known where events come from."""

    def __call__(self, *, source: str, selection: str, condition: Callable[[], str]) -> Renderer:
        """Make it; the arguments are those of `showing.renderer_of`."""
        ...


class EventRun(ConnectionObserver):
    """A run, with all that needs no connection made ready."""

    def __init__(
        self,
        selection: Selection,
        content: FilterArgs,
        ending: StopArgs,
        view: OutputArgs,
        notify: Notify,
        *,
        showing: RendererFactory | None = None,
    ) -> None:
        """Read the flags.

        Args:
            selection: What to ask for.
            content: What must be true of an event besides.
            ending: When to stop.
            view: What becomes of events.
            notify: Tells the person something.
            showing: Makes the renderer; None for that of the view.

        Raises:
            UsageError: If one of them asks for what cannot be.
        """
        self._selection = selection
        self._view = view
        self._say = notify
        self._renderer: Renderer | None = None
        self._table: Any = None
        self._picture: Any = None  # that is drawn for a file
        self._source: Any = None
        self._asked = ContentFilters(content, self.notify)
        find_columns(view.columns)  # to see that there are such
        self._stop = Stop(
            count=ending.count,
            timeout=ending.timeout,
            idle_timeout=ending.idle_timeout,
            until=self._asked.any_of("--until", ending.until),
            fail_on=self._asked.any_of("--fail-on", ending.fail_on),
        )
        selected = () if view.select is None else (view.select,)
        select = next(iter(self._asked.compiled("--select", selected)), None)
        self._search = None if select is None else select.search
        self._showing = showing
        self._counts = EventCounts()

    def over(self, origin: SourceArgs, *, title: str, summary: str | None) -> int:
        """Run until the end.

        Args:
            origin: Where events come from.
            title: What was asked for, for people.
            summary: How to sum up in the end: ``text``, ``json``, or None for
                text unless tcsniff is to be quiet.

        Returns:
            The exit status.
        """
        with open_source(origin, self._selection, self.notify, self) as source:
            try:
                self._source = source.source
                with signal_handler.deferred(source.source.stop, self._report, self._leave):
                    outcome = self._shown(source, title)
            except (KeyboardInterrupt, SystemExit):  # while our output was blocked
                self._sum_up(summary)
                raise
            self._sum_up(summary)
        if signal_handler.received is not None:
            return signal_handler.exit_status
        if outcome not in (Outcome.SOURCE_ENDED, Outcome.COUNT_REACHED):
            self.notify(outcome.value)
        return outcome.exit_status

    def notify(self, text: str) -> None:
        """Tell the person something; above the table, if there is one."""
        if self._table is not None and sys.stderr.isatty():
            if self._say is print_message:
                self._table.notify(f"tcsniff: {text}")
        else:
            self._say(text)

    def add_gap(self, gap: Gap) -> None:
        """Tell of a gap, and show it if that is wanted; a table counts it."""
        self.notify(describe_gap(gap))
        shown = self._renderer if self._view.gaps else self._table or self._picture
        if shown is not None:
            shown.show_gap(gap)

    def _report(self) -> str:
        return f"tcsniff: {_worded(self._counted())}\n"

    def _leave(self) -> None:
        if self._table is not None:
            self._table.redraw()

    def _shown(self, source: OpenSource, title: str) -> Outcome:
        showing = self._showing or partial(
            make_renderer, self._view, self._search, root_url=source.root_url
        )
        renderer = showing(
            source=source.name,
            selection=title,
            condition=source.source.describe_condition,
        )
        shown: Any = renderer
        while hasattr(shown, "renderer"):  # behind what writes files
            self._picture = getattr(shown, "drawing", self._picture)
            shown = shown.renderer
        self._table = shown if hasattr(shown, "notify") else None
        with closing(renderer):
            self._renderer = renderer
            return run_pipeline(
                source.source,
                renderer,
                accepts=source.keep,
                filters=self._asked.tests,
                stop=self._stop,
                counts=self._counts,
            )

    def _sum_up(self, how: str | None) -> None:
        for failure in self._asked.failures():
            self.notify(failure)
        self._table = None
        counts = self._counted()
        if how == "json":
            print_message(json.dumps(counts), bare=True)
        elif how == "text":
            print_message(_worded(counts))
        else:
            self.notify(_worded(counts))

    def _counted(self) -> dict[str, Any]:
        counts: dict[str, Any] = dataclasses.asdict(self._counts)
        counts["received"] += self._source.unselected
        counts["repeated"] = self._asked.repeats
        counts["skipped"] = self._source.skipped_lines
        return counts


def _worded(counts: dict[str, int]) -> str:
    words = [f"{counts[name]:,} {name}" for name in ("received", "matched", "printed")]
    words += [
        f"{counts[name]:,} {text}"
        for name, text in (
            ("repeated", "repeated"),
            ("undecodable", "undecodable"),
            ("redelivered", "delivered again"),
            ("skipped", "lines were no records"),
        )
        if counts[name]
    ]
    return ", ".join(words)


class EventExpression(Protocol):
    """What may be asked of an event: `expressions.Expression`, which is loaded when needed."""

    hint: str | None
    failures: int
    reason: str | None

    def search(self, event: Event) -> Any:
        """Tell what it finds."""
        ...

    def holds(self, event: Event) -> bool:
        """Tell whether it finds something that is not false."""
        ...


def _expressions(texts: Sequence[str], flag: str) -> Sequence[EventExpression]:
    if not texts:
        return ()
    from tcsniff.selection import expressions  # jmespath: 20 ms

    return [expressions.compile_expression(text, flag) for text in texts]


class ContentFilters:
    """The tests that flags ask for, and the expressions in them.

    Attributes:
        tests: What must be true of an event.
    """

    def __init__(self, content: FilterArgs, notify: Callable[[str], None]) -> None:
        """Read the flags.

        Args:
            content: The flags.
            notify: Takes what is probably wrong with an expression though it is
                valid.

        Raises:
            UsageError: If one of them asks for what cannot be.
        """
        self._notify = notify
        self._asked: dict[str, Sequence[EventExpression]] = {}
        self._seen = RepeatFilter() if content.dedupe else None
        self.tests = list(self._tests(content))

    @property
    def repeats(self) -> int:
        """How many events were dropped because they were seen before."""
        return 0 if self._seen is None else self._seen.repeats

    def compiled(self, flag: str, texts: Sequence[str]) -> Sequence[EventExpression]:
        """Read the expressions of a flag.

        Raises:
            UsageError: If one is wrong.
        """
        found = _expressions(texts, flag)
        self._asked[flag] = found
        for expression in found:
            if expression.hint:
                self._notify(f"{flag}: {expression.hint}")
        return found

    def any_of(self, flag: str, texts: Sequence[str]) -> EventTest | None:
        """Read the expressions of a flag of which one has to be true; None if there are none.

        Raises:
            UsageError: If one is wrong.
        """
        found = self.compiled(flag, texts)

        def holds(event: Event) -> bool:
            return any(expression.holds(event) for expression in found)

        return holds if found else None

    def failures(self) -> Iterator[str]:
        """Tell of which expressions it could not be told whether they are true."""
        for flag, found in self._asked.items():
            for one in found:
                if one.failures:
                    yield f"{flag} could not be told of {one.failures:,} events: {one.reason}"

    def _tests(self, content: FilterArgs) -> Iterator[EventTest]:
        for expression in self.compiled("--where", content.where):
            yield expression.holds
        if content.states:
            yield filter_states(content.states)
        if content.reasons:
            yield filter_reasons(content.reasons)
        if content.tags:
            yield filter_tags(content.tags)
        if self._seen is not None:  # at last: what is not selected need not be remembered
            yield self._seen.is_new
