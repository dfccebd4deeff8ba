"""``tcsniff top``: counts, rates, waiting and running times, live."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from tcsniff.commands.console import ignore_message, print_message
from tcsniff.commands.options.filter_options import (
    FilterArgs,
    StopArgs,
    filter_options,
    stop_options,
)
from tcsniff.commands.options.output_options import OutputArgs
from tcsniff.commands.options.selection_options import (
    OUTPUT,
    SectionedCommand,
    option,
    selection_options,
)
from tcsniff.commands.options.source_options import (
    SourceArgs,
    check_recording,
    check_source,
    source_options,
)
from tcsniff.commands.options.top_options import TopArgs, check_top, top_options
from tcsniff.commands.runs.event_run import RendererFactory
from tcsniff.commands.runs.make_renderer import (
    add_picture_saver,
    add_recorder,
    can_draw,
    is_ascii_only,
    use_color,
)
from tcsniff.errors import UsageError
from tcsniff.pipeline import Renderer
from tcsniff.renderers.output import Output
from tcsniff.selection.select import SelectionArgs, build_selection
from tcsniff.stats.run_statistics import RunCounter

_STATES = ("defined", "pending", "running", "completed", "failed", "exception")


@click.command(cls=SectionedCommand)
@top_options
@selection_options
@filter_options
@source_options
@stop_options
@option("-q", "--quiet", section=OUTPUT, is_flag=True, help="Say nothing but errors.")
def top(
    *,
    counts: TopArgs,
    wanted: SelectionArgs,
    content: FilterArgs,
    origin: SourceArgs,
    ending: StopArgs,
    quiet: bool,
) -> int:
    """Count runs of tasks, live: how many wait, run and end, how often and how long.

    Counted are all runs of the tasks that are heard of since it began to listen;
    tasks that were pending or running before count when they are heard of next. Of a run
    that was retried, the lost one is in exception and the new one pending. WAIT is from
    scheduled to started, TOOK from there to resolved: the time of half of the runs (p50),
    of 95 and of 99 in 100, by 2 % exact. /MIN is how many runs ended in the last minute,
    the chart how many in each of the minutes up to now.

    With no EVENT, all that a task's states are told with are counted.

    A JSON line has the "time" of the period's end, its length in "seconds", the number of
    "events" in it, "rows" and their "total". Of each row: "pending" and "running" now;
    "completed", "failed" and "exception" since it began; "started" and "finished" in the
    period; "rate", in runs that ended a minute; "waiting" and "runningTime", each with
    "count", "p50", "p95", "p99" and "max", in seconds, since it began.
    """
    check_top(counts)
    check_source(origin)
    check_recording(counts.record, origin)
    check_recording(counts.save_svg, origin, "--save-svg")
    if origin.delete_queue:
        raise UsageError("--delete-queue goes with `tcsniff`, not with top")
    selection = build_selection(_asked(wanted))
    notify = ignore_message if quiet else print_message
    for note in selection.notes:
        notify(note)

    from tcsniff.commands.runs.event_run import EventRun

    shown = showing(counts, is_live=origin.is_live)
    run = EventRun(selection, content, ending, OutputArgs(), notify, showing=shown)
    return run.over(origin, title=str(wanted), summary=None)


def _asked(wanted: SelectionArgs) -> SelectionArgs:
    # What tells of no state of a task tells nothing here, however much of it there is.
    if wanted.events or wanted.exchanges or wanted.binds or wanted.all_events:
        return wanted
    return wanted._replace(events=[f"task-{state}" for state in _STATES])


def showing(counts: TopArgs, *, is_live: bool) -> RendererFactory:
    """Tell a run how to show what is counted.

    Args:
        counts: What to count, and how to show it.
        is_live: Whether time is that of the clock, and not of the events.
    """

    def counter() -> RunCounter:
        clock = time.time if is_live else None
        return RunCounter(counts.by, counts.sort, reverse=counts.reverse, clock=clock)

    def shown(*, source: str, selection: str, condition: Callable[[], str]) -> Renderer:
        def table(output: Output, **given: Any) -> Renderer:
            from tcsniff.renderers.top.live_top import TopRenderer  # rich: 25 ms

            # A file takes colours, whatever the terminal takes.
            given.setdefault("colour", counts.colour != "never")
            return TopRenderer(
                output,
                counter(),
                source=source,
                selection=selection,
                condition=condition,
                **given,
            )

        renderer = _view(counts, counter, table)
        if counts.save_svg is not None:
            renderer = add_picture_saver(counts.save_svg, renderer, table, "tcsniff top")
        return renderer if counts.record is None else add_recorder(counts.record, renderer)

    return shown


def _view(
    counts: TopArgs, counter: Callable[[], RunCounter], table: Callable[..., Renderer]
) -> Renderer:
    output = Output()
    live = can_draw(output)
    if counts.as_json or (counts.output or ("table" if live else "json")) == "json":
        from tcsniff.renderers.top.top_lines import TopJsonRenderer

        return TopJsonRenderer(output, counter(), every=counts.every)
    colour, ascii_only = use_color(counts.colour, live=live), is_ascii_only()
    if live:
        return table(output, colour=colour, ascii_only=ascii_only)
    from tcsniff.renderers.top.live_top import TopPageRenderer  # rich: 25 ms

    return TopPageRenderer(output, counter(), colour=colour, ascii_only=ascii_only)
