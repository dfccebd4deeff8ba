"""``tcsniff top``: live counts, rates, waiting and running times."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from tcsniff.commands.console import ignore_message, print_message
from tcsniff.commands.options.filter_options import (
    FilterArgs,
    StopArgs,
    filter_options,
    snapshot_stop_options,
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
from tcsniff.errors import UsageError
from tcsniff.selection.select import SelectionArgs, add_state_events, build_selection

if TYPE_CHECKING:
    from tcsniff.stats.run_statistics import Uncertainty


@click.command(cls=SectionedCommand)
@top_options
@selection_options
@filter_options
@source_options
@snapshot_stop_options
def top(
    *,
    counts: TopArgs,
    wanted: SelectionArgs,
    content: FilterArgs,
    origin: SourceArgs,
    ending: StopArgs,
    quiet: bool,
) -> int:
    """Show worker pools live: waiting, starved, running, lost, failed, and times.

    The table counts all runs of the tasks that tcsniff has received an event of since
    it started; a task that was pending or running before counts from its next event.

    OLDEST is how long the oldest pending run has been waiting so far, LAST the time
    since a run last started. WAIT is the time from scheduled to started; a run that is
    still pending counts with its time until now, so that a pool without workers is not
    the fastest. TOOK is the time from started to resolved. 50 % (p50), 95 % and 99 % of
    the runs took at most this long, with an error of 2 %.

    LOST counts runs whose worker went away (claim-expired, worker-shutdown), CANC
    canceled ones, EXC those that ended in any other exception. When a run is retried, it
    counts as one of these, and the new run as pending. /MIN is the number of runs that
    ended in the last minute; the chart shows that number for each minute up to now.

    --by worker adds the worker's POOL, when it was HEARD of last (it claimed or resolved
    a run), and its STREAK of runs that did not complete, without canceled ones. --slo
    adds SLO, the share of runs that started in time; a run that has been pending for
    longer did not.

    Without an EVENT, top listens to the events of all task states.

    A JSON line has the "time" of the period's end, its length in "seconds", the number of
    "events" in it, "rows" and their "total". Each row has: "pending" and "running" now;
    "completed", "failed", "lost", "canceled" and "exception" since the start; "started"
    and "finished" in the period; "rate", in runs that ended per minute; "oldest" and
    "last", in seconds or null; "waiting" and "runningTime", each with "count", "p50",
    "p95", "p99" and "max", in seconds, since the start; "inTime", from 0 to 1, with
    --slo; "pool", "heard" and "streak" with --by worker. --until and --fail-on see the
    same object: --fail-on 'rows[?oldest > `1800`]' is true if it finds any row.

    Above 255,000 open or a million ended tasks, counts may be estimates. Then a line
    has "uncertain": the number of "open" and "ended" runs that may be wrong.
    """
    check_top(counts)
    check_source(origin)
    if origin.delete_queue:
        raise UsageError("--delete-queue works with `tcsniff sniff`, not with top")
    selection = build_selection(add_state_events(wanted))
    notify = ignore_message if quiet else print_message
    for note in selection.notes:
        notify(note)

    from tcsniff.commands.wiring.event_run import EventRun
    from tcsniff.commands.wiring.top_view import make_counter, make_top_renderer

    counter = make_counter(counts, is_live=origin.is_live)
    make_view = partial(make_top_renderer, counts, counter, origin.is_live)
    output = OutputArgs(verbose=counts.verbose)
    run = EventRun(
        selection, content, ending, output, notify, make_view=make_view, counter=counter
    )
    status = run.run(origin, title=str(wanted), summary=None)
    if number := counter.statistics.unread:
        notify(f"{number:,} message{'s' * (number != 1)} about tasks could not be decoded")
    _explain_uncertainty(counter.statistics.uncertain, notify)
    return status


def _explain_uncertainty(uncertain: Uncertainty, notify: Callable[[str], None]) -> None:
    if uncertain.open:
        notify(
            f"more tasks were open than can be remembered: up to {uncertain.open:,} runs are "
            "missing in pending and running"
        )
    if uncertain.ended:
        notify(
            f"{uncertain.ended:,} runs ended longer ago than tasks are remembered: whether they "
            "had been counted is a guess"
        )
