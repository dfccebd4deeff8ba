"""``tcsniff top``: live counts, rates, waiting and running times."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import click

from tcsniff.commands.console import ignore_message, print_message
from tcsniff.commands.options.filter_options import (
    FilterArgs,
    StopArgs,
    filter_options,
    stop_options,
)
from tcsniff.commands.options.option import SectionedCommand
from tcsniff.commands.options.output_options import OutputArgs
from tcsniff.commands.options.selection_options import selection_options
from tcsniff.commands.options.source_options import (
    SourceArgs,
    check_source,
    source_options,
)
from tcsniff.commands.options.top_options import TopArgs, check_top, top_options
from tcsniff.commands.wiring.make_renderer import (
    add_picture_saver,
    add_recorder,
    can_draw,
    is_ascii_only,
    use_color,
)
from tcsniff.errors import UsageError
from tcsniff.pipeline import Renderer
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo
from tcsniff.selection.select import SelectionArgs, build_selection
from tcsniff.sources.steady_clock import SteadyClock
from tcsniff.stats.run_statistics import RunCounter

if TYPE_CHECKING:
    from tcsniff.renderers.live_view import LiveView

_STATES = ("defined", "pending", "running", "completed", "failed", "exception")


@click.command(cls=SectionedCommand)
@top_options
@selection_options
@filter_options
@source_options
@stop_options
def top(
    *,
    counts: TopArgs,
    wanted: SelectionArgs,
    content: FilterArgs,
    origin: SourceArgs,
    ending: StopArgs,
    quiet: bool,
) -> int:
    """Show worker pools live: waiting, running, failed, and times.

    The table counts all runs of the tasks that tcsniff has received an event of since
    it started; a task that was pending or running before counts from its next event.
    When a run is retried, the lost run counts as exception and the new one as pending.
    WAIT is the time from scheduled to started, TOOK the time from started to resolved:
    50 % (p50), 95 % and 99 % of the runs took at most this long, with an error of 2 %.
    /MIN is the number of runs that ended in the last minute; the chart shows that number
    for each minute up to now.

    Without an EVENT, top listens to the events of all task states.

    A JSON line has the "time" of the period's end, its length in "seconds", the number of
    "events" in it, "rows" and their "total". Each row has: "pending" and "running" now;
    "completed", "failed" and "exception" since the start; "started" and "finished" in the
    period; "rate", in runs that ended per minute; "waiting" and "runningTime", each with
    "count", "p50", "p95", "p99" and "max", in seconds, since the start.
    """
    check_top(counts)
    check_source(origin)
    if origin.delete_queue:
        raise UsageError("--delete-queue works with `tcsniff sniff`, not with top")
    selection = build_selection(_add_default_events(wanted))
    notify = ignore_message if quiet else print_message
    for note in selection.notes:
        notify(note)

    from tcsniff.commands.wiring.event_run import EventRun

    counter = _make_counter(counts, origin.is_live)
    make_view = partial(_make_renderer, counts, counter, origin.is_live)
    run = EventRun(
        selection, content, ending, OutputArgs(verbose=counts.verbose), notify, make_view=make_view
    )
    status = run.run(origin, title=str(wanted), summary=None)
    if number := counter.statistics.unread:
        notify(f"{number:,} message{'s' * (number != 1)} about tasks could not be decoded")
    return status


def _add_default_events(wanted: SelectionArgs) -> SelectionArgs:
    # Only events of a task's state are counted.
    if wanted.events or wanted.exchanges or wanted.binds or wanted.all_events:
        return wanted
    return wanted._replace(events=[f"task-{state}" for state in _STATES])


def _make_renderer(
    counts: TopArgs, counter: RunCounter, is_live: bool, stream: StreamInfo
) -> Renderer:
    renderer = _make_view(counts, counter, stream)
    if counts.save_svg is not None:
        # A file has colors, even if the terminal has none.
        color = counts.color != "never"

        def make_table() -> LiveView:
            own_counter = _make_counter(counts, is_live)
            return _make_table(own_counter, stream, Output(io.BytesIO()), color=color)

        renderer = add_picture_saver(counts.save_svg, renderer, make_table, "tcsniff top")
    if counts.record is not None:
        renderer = add_recorder(counts.record, renderer, has_gaps=False)
    return renderer


def _make_view(counts: TopArgs, counter: RunCounter, stream: StreamInfo) -> Renderer:
    output = Output()
    live = can_draw(output)
    if counts.as_json or (counts.output or ("table" if live else "json")) == "json":
        from tcsniff.renderers.top.top_lines import TopJsonRenderer

        return TopJsonRenderer(output, counter, every=counts.every)
    color = use_color(counts.color, live=live)
    if live:
        return _make_table(counter, stream, output, color=color)
    from tcsniff.renderers.top.live_top import TopPageRenderer  # rich: 25 ms

    return TopPageRenderer(output, counter, color=color, ascii_only=is_ascii_only())


def _make_table(
    counter: RunCounter, stream: StreamInfo, output: Output, *, color: bool
) -> LiveView:
    from tcsniff.renderers.live_view import LiveView  # rich: 25 ms
    from tcsniff.renderers.top.live_top import TopPicture

    picture = TopPicture(counter, color=color)
    ascii_only = output.is_terminal and is_ascii_only()
    return LiveView(output, picture, stream, ascii_only=ascii_only)


def _make_counter(counts: TopArgs, is_live: bool) -> RunCounter:
    # Recordings and the demo use the events' time instead of the clock.
    clock = SteadyClock() if is_live else None
    return RunCounter(counts.by, counts.sort, reverse=counts.reverse, clock=clock)
