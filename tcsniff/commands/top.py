"""``tcsniff top``: live counts, rates, waiting and running times."""

from __future__ import annotations

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
from tcsniff.pulse.exchanges import WORKER_EVENTS
from tcsniff.sanitize import sanitize
from tcsniff.selection.selection_args import (
    SelectionArgs,
    add_state_events,
    list_pools,
    names_events,
)

if TYPE_CHECKING:
    from tcsniff.commands.wiring.run import Notify
    from tcsniff.pipeline import Renderer
    from tcsniff.renderers.stream import StreamInfo
    from tcsniff.stats.run_statistics import RunStatistics, Uncertainty


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
    """Show worker pools live: waiting, starved, running, lost, failed.

    The table counts all runs of the tasks that tcsniff has received an event of since
    it started; a task that was pending or running before counts from its next event. For
    the pools of --pool, it asks the queue's API at the start, and after a lost
    connection, which tasks are pending and running.

    OLDEST is how long the oldest pending run has been waiting so far, LAST the time
    since a run last started. WAIT is the time from scheduled to started, or until now if
    a run is still pending; TOOK is the time from started to resolved. LOST counts runs
    whose worker went away, CANC canceled ones, EXC those that ended in any other
    exception. WORKERS is how many workers have registered, of how many that were
    requested; W ERR counts the errors of workers and of cloud providers.

    `tcsniff help pools` explains all columns, and the fields of the JSON lines. --until
    and --fail-on see the same objects: --fail-on 'rows[?oldest > `1800`]' is true if it
    finds any row.

    Without an EVENT, top listens to the events of all task states and, if rows are pools,
    of workers.
    """
    check_top(counts)
    check_source(origin)
    if origin.delete_queue:
        raise UsageError("--delete-queue works with `tcsniff sniff`, not with top")
    from tcsniff.selection.select import build_selection, selects_open_runs  # 2 ms

    # Only pools have rows for workers.
    companions = WORKER_EVENTS if counts.by == "pool" and not names_events(wanted) else ()
    selection = build_selection(add_state_events(wanted), companions)
    notify = ignore_message if quiet else print_message
    for note in selection.notes:
        notify(note)

    from tcsniff.commands.wiring.event_run import EventRun
    from tcsniff.commands.wiring.open_source import find_api_server
    from tcsniff.commands.wiring.top_view import make_counter, make_top_renderer, watch_pools

    counter = make_counter(counts, is_live=origin.is_live)
    is_asking = origin.is_live and not counts.no_api and selects_open_runs(selection)
    pools = list_pools(wanted) if is_asking else []

    def make_view(stream: StreamInfo) -> Renderer:
        server = find_api_server(origin) if stream.root_url is not None else None
        watch = watch_pools(server, pools, counter, run)
        return make_top_renderer(counts, counter, origin.is_live, stream, watch)

    output = OutputArgs(verbose=counts.verbose)
    run = EventRun(
        selection, content, ending, output, notify, make_view=make_view, counter=counter
    )
    status = run.run(origin, title=str(wanted), summary=None)
    _explain_counts(counter.statistics, notify)
    return status


def _explain_counts(statistics: RunStatistics, notify: Notify) -> None:
    if number := statistics.unread:
        notify(f"{number:,} message{'s' * (number != 1)} could not be decoded")
    if uncounted := statistics.uncounted:
        total = sum(uncounted.values())
        names = ", ".join(f"{number:,} {name}" for name, number in uncounted.items())
        notify(
            f"top counts events about runs and workers; {total:,} other event{'s' * (total != 1)} "
            f"{'was' if total == 1 else 'were'} received: {sanitize(names)}"
        )
    _explain_uncertainty(statistics.uncertain, notify)


def _explain_uncertainty(uncertain: Uncertainty, notify: Notify) -> None:
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
    if uncertain.workers:
        notify(
            f"{uncertain.workers:,} events about workers happened longer ago than events are "
            "remembered: they may have been counted twice"
        )
