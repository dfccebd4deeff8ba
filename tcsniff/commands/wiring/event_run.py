"""A run of `sniff` or `top`: from flags to the exit status.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import asdict, replace

from tcsniff.commands.console import print_message
from tcsniff.commands.options.filter_options import FilterArgs, StopArgs
from tcsniff.commands.options.output_options import OutputArgs
from tcsniff.commands.options.source_options import SourceArgs
from tcsniff.commands.wiring.line_filter import LineFilter, list_filters
from tcsniff.commands.wiring.make_renderer import (
    RendererFactory,
    make_line_formatter,
    make_renderer,
    shows_names,
)
from tcsniff.commands.wiring.open_source import OpenSource, open_source
from tcsniff.commands.wiring.run import Notify, Run, describe_outcome
from tcsniff.commands.wiring.silence import Silence
from tcsniff.pipeline import EventCounts, EventTest, Outcome, Stop, run_pipeline
from tcsniff.pulse.events import Event
from tcsniff.pulse.task_memory import TaskMemory
from tcsniff.pulse.versions import VersionCheck
from tcsniff.renderers.columns import find_columns
from tcsniff.renderers.stream import StreamInfo
from tcsniff.selection.filters import (
    RepeatFilter,
    filter_reasons,
    filter_states,
    filter_tags,
    filter_times,
    list_doubts,
)
from tcsniff.selection.select import Selection
from tcsniff.signals import signal_handler

if TYPE_CHECKING:
    from tcsniff.commands.wiring.snapshot_check import SnapshotCheck
    from tcsniff.stats.run_counter import RunCounter


class EventRun(Run):
    """A run that shows events; everything is checked before it connects."""

    def __init__(
        self,
        selection: Selection,
        content: FilterArgs,
        stop: StopArgs,
        output: OutputArgs,
        notify: Notify,
        *,
        make_view: RendererFactory | None = None,
        counter: RunCounter | None = None,
    ) -> None:
        """Check the flags.

        Args:
            selection: The selection by routing key.
            content: The selection by content.
            stop: When to stop.
            output: How to show events.
            notify: Prints a message.
            make_view: Creates the renderer; None for the one that `output` asks for.
            counter: Takes the snapshots that ``--until`` and ``--fail-on`` see; None if
                they see events.

        Raises:
            UsageError: If a flag has an invalid value.
        """
        super().__init__(notify, verbose=output.verbose)
        self._selection = selection
        self._route_users = list(_list_route_users(content, stop, output))
        find_columns(output.columns)  # to check the names
        self._content = content
        self._filters = ContentFilters(content, notify, make_line_formatter(output))
        self._versions = VersionCheck()
        self._silence: Silence | None = None
        self._check = None if counter is None else self._make_check(stop, counter)
        self._stop = self._make_stop(stop)
        texts = () if output.select is None else (output.select,)
        expressions = self._filters.compile("--select", texts)
        select = expressions[0].select if expressions else None
        self._make_view = make_view or partial(make_renderer, output, select)
        has_names = make_view is None and shows_names(output)
        needs_tags = has_names or self._filters.uses_tags
        # Only then: it takes a fifth of the time of decoding an event.
        self._make_event = TaskMemory().make_event if needs_tags else Event
        self._counts = EventCounts()

    def make_test(self) -> EventTest:
        """Return a test that is true for the events that the run shows."""
        is_selected, tests = self._selection.accepts(), self._filters.tests
        return lambda event: is_selected(event.delivery) and all(test(event) for test in tests)

    def run(self, origin: SourceArgs, *, title: str, summary: str | None) -> int:
        """Show events until the end.

        Args:
            origin: The source of events.
            title: The selection, as the user wrote it.
            summary: How to print the final counts: ``text``, ``json``, or None for
                text unless the run is quiet.

        Returns:
            The exit status.
        """
        deadline = self._stop.deadline
        opening = open_source(origin, self._selection, self.notify, self, deadline=deadline)
        if origin.is_live:
            self._note_past(has_backlog=origin.queue is not None)
        with opening as opened:
            if origin.is_live:
                self._silence = Silence(
                    self._selection.bindings, list_filters(self._content), time.monotonic
                )
            if self._route_users and not opened.source.has_routes:
                self.notify(
                    f"{' and '.join(self._route_users)}: routes are null, because web servers "
                    "do not send them; --route ROUTE selects by route all the same"
                )
            try:
                self._source = opened.source
                with self._defer_signals(self._report):
                    outcome = self._show(opened, origin, title)
            except (KeyboardInterrupt, SystemExit):  # while the output was blocked
                self._print_summary(summary)
                raise
            self._print_summary(summary)
        if signal_handler.received is not None:
            return signal_handler.exit_status
        if outcome not in (Outcome.SOURCE_ENDED, Outcome.COUNT_REACHED):
            is_idle = outcome is Outcome.IDLE_TIMED_OUT
            limit = self._stop.idle_timeout if is_idle else self._stop.timeout
            self.notify(describe_outcome(outcome, limit))
        return outcome.exit_status

    def _make_check(self, stop: StopArgs, counter: RunCounter) -> SnapshotCheck:
        from tcsniff.commands.wiring.snapshot_check import SnapshotCheck  # 3 ms, only for `top`
        from tcsniff.stats.snapshots import SNAPSHOT_FIELDS

        compile_all = partial(self._filters.compile, fields=SNAPSHOT_FIELDS)
        until, fail_on = compile_all("--until", stop.until), compile_all("--fail-on", stop.fail_on)
        return SnapshotCheck(until, fail_on, counter)

    def _make_stop(self, stop: StopArgs) -> Stop:
        limits = Stop(
            count=stop.max_count,
            timeout=stop.timeout,
            idle_timeout=stop.idle_timeout,
            started=time.monotonic(),
        )
        if self._check is not None:
            return replace(limits, find_outcome=self._check.find_outcome)
        return replace(
            limits,
            until=self._filters.compile_any("--until", stop.until),
            fail_on=self._filters.compile_any("--fail-on", stop.fail_on),
        )

    def _show(self, opened: OpenSource, origin: SourceArgs, title: str) -> Outcome:
        stream = StreamInfo(
            opened.name,
            title,
            self._describe_condition,
            opened.root_url,
            self._make_control(origin),
        )
        renderer = self._make_view(stream)
        with closing(renderer):
            self._renderer = renderer
            outcome = run_pipeline(
                opened.source,
                renderer,
                accepts=opened.accepts,
                filters=self._filters.tests,
                stop=self._stop,
                counts=self._counts,
                make_event=self._make_event,
                observe=self._observe,
            )
        last = None if self._check is None else self._check.find_last_outcome()
        return last or outcome

    def _observe(self, events: Sequence[Event]) -> None:
        for warning in self._versions.find_unknown(events):
            self.notify(warning)
        if self._silence is not None:
            text = self._silence.check(self._counts)
            if text and not (self._renderer and self._renderer.is_live):
                self.notify(text)

    def _describe_condition(self) -> str:
        silence = "" if self._silence is None else self._silence.text
        return "  ".join(filter(None, [self._source.describe_condition(), silence]))

    def _note_past(self, *, has_backlog: bool) -> None:
        now = time.time()
        if has_backlog:
            return
        if self._content.before is not None and self._content.before < now:
            self.notify(
                "--before is in the past, and a broker delivers only what is published from now "
                "on: nothing will match; recordings (--from) have older events"
            )
        elif self._content.since is not None and self._content.since < now:
            self.notify(
                "--since only filters what arrives: a broker delivers what is published from now "
                "on; recordings (--from) have older events"
            )

    def _report(self) -> str:
        return f"tcsniff: {_format_counts(self._count())}\n{self._details}"

    def _print_summary(self, form: str | None) -> None:
        for failure in self._filters.describe_failures():
            self.notify(failure)
        self._renderer = None
        counts = self._count()
        if form == "json":
            print_message(json.dumps(counts), bare=True)
        elif form == "text":
            print_message(_format_counts(counts))
        else:
            self.notify(_format_counts(counts))

    def _count(self) -> dict[str, int]:
        counts: dict[str, int] = asdict(self._counts)
        counts["received"] += self._source.unselected
        counts["repeated"] = self._filters.repeats
        counts["skipped"] = self._source.skipped_lines
        return counts


_ROUTES = re.compile(r"\broutes\b")


def _list_route_users(content: FilterArgs, stop: StopArgs, output: OutputArgs) -> Iterator[str]:
    # The flags whose values depend on the routes.
    texts = {
        "--where": content.where,
        "--until": stop.until,
        "--fail-on": stop.fail_on,
        "--select": filter(None, [output.select]),
        "--columns": output.columns,
    }
    for flag, values in texts.items():
        if any(_ROUTES.search(value) for value in values):
            yield flag


def _format_counts(counts: dict[str, int]) -> str:
    parts = [f"{counts[name]:,} {name}" for name in ("received", "matched", "printed")]
    parts += [f"{counts[name]:,} {text}" for name, text in _RARE_COUNTS.items() if counts[name]]
    return ", ".join(parts)


_RARE_COUNTS = {
    "repeated": "repeated",
    "undecodable": "undecodable",
    "redelivered": "redelivered",
    "skipped": "invalid lines skipped",
}


class EventExpression(Protocol):
    """A compiled expression, as in `selection.expressions`, which is imported when needed."""

    hint: str | None
    failures: int
    reason: str | None

    def search(self, event: Any) -> Any:
        """Return the expression's value."""
        ...

    def select(self, event: Event) -> Any:
        """Return the expression's value, for output."""
        ...

    def holds(self, event: Any) -> bool:
        """Return whether the value is true."""
        ...


class ContentFilters:
    """The filters that flags ask for, and their expressions.

    Attributes:
        tests: All must be true for an event.
        uses_tags: Whether a filter or expression depends on the tags of tasks.
    """

    def __init__(
        self,
        content: FilterArgs,
        notify: Notify,
        format_line: Callable[[Event], str] | None = None,
    ) -> None:
        """Compile the flags.

        Args:
            content: The flags.
            notify: Receives a hint if a valid flag is probably wrong.
            format_line: Formats an event for ``--grep``, without color; None if no event
                is tested.

        Raises:
            UsageError: If one of them is invalid.
        """
        self._notify = notify
        self._compiled: dict[str, Sequence[EventExpression]] = {}
        self._repeat_filter = RepeatFilter() if content.dedupe else None
        self.uses_tags = bool(content.tags) or content.grep is not None  # lines have labels
        self._grep = None if content.grep is None else LineFilter(content.grep, format_line)
        self.tests = list(self._list_tests(content))
        for doubt in list_doubts(content.reasons, content.tags):
            notify(doubt)

    @property
    def repeats(self) -> int:
        """The number of events that ``--dedupe`` dropped."""
        return 0 if self._repeat_filter is None else self._repeat_filter.repeats

    def compile(
        self, flag: str, texts: Sequence[str], *, fields: Collection[str] | None = None
    ) -> Sequence[EventExpression]:
        """Compile the expressions of a flag.

        Args:
            flag: The flag.
            texts: The expressions.
            fields: The fields of the objects that they are for; None for events.

        Raises:
            UsageError: If one is invalid.
        """
        if not texts:
            return ()
        from tcsniff.selection.expressions import compile_expression  # jmespath: 20 ms

        expressions = [compile_expression(text, flag, fields=fields) for text in texts]
        self._compiled[flag] = expressions
        # A projection prints what was received, as `jq` does.
        self.uses_tags |= flag != "--select" and any("tags" in text for text in texts)
        for expression in expressions:
            if expression.hint:
                self._notify(f"{flag}: {expression.hint}")
        return expressions

    def compile_any(self, flag: str, texts: Sequence[str]) -> EventTest | None:
        """Return a test for events for which any expression is true; None without any.

        Raises:
            UsageError: If one is invalid.
        """
        expressions = self.compile(flag, texts)

        def holds(event: Event) -> bool:
            return any(expression.holds(event) for expression in expressions)

        return holds if expressions else None

    def describe_failures(self) -> Iterator[str]:
        """Yield a message for each expression that failed for some events."""
        if self._grep is not None and self._grep.failures:
            yield (
                f"--grep could not be evaluated for {self._grep.failures:,} events: "
                f"{self._grep.reason}"
            )
        for flag, expressions in self._compiled.items():
            for expression in expressions:
                if expression.failures:
                    yield (
                        f"{flag} could not be evaluated for {expression.failures:,} events: "
                        f"{expression.reason}"
                    )

    def _list_tests(self, content: FilterArgs) -> Iterator[EventTest]:
        for expression in self.compile("--where", content.where):
            yield expression.holds
        if content.states:
            yield filter_states(content.states)
        if content.reasons:
            yield filter_reasons(content.reasons)
        if content.tags:
            yield filter_tags(content.tags)
        if content.since is not None or content.before is not None:
            yield filter_times(content.since, content.before)
        if self._grep is not None:
            yield self._grep.is_match
        if self._repeat_filter is not None:  # last: it remembers only selected events
            yield self._repeat_filter.is_new
