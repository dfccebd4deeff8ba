"""``tcsniff top``: counts, rates, waiting and running times, live."""

from __future__ import annotations

import click

from tcsniff.commands.content import Content, Ending, content_options, ending_options
from tcsniff.commands.counts import Counts, check_counts, counts_options
from tcsniff.commands.options import OUTPUT, SectionedCommand, option, selection_options
from tcsniff.commands.origin import Origin, check_origin, check_record, origin_options
from tcsniff.commands.talk import keep_quiet, say
from tcsniff.commands.views import View
from tcsniff.errors import UsageError
from tcsniff.selection.select import Wanted, select

_STATES = ("defined", "pending", "running", "completed", "failed", "exception")


@click.command(cls=SectionedCommand)
@counts_options
@selection_options
@content_options
@origin_options
@ending_options
@option("-q", "--quiet", section=OUTPUT, is_flag=True, help="Say nothing but errors.")
def top(
    *,
    counts: Counts,
    wanted: Wanted,
    content: Content,
    origin: Origin,
    ending: Ending,
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
    check_counts(counts)
    check_origin(origin)
    check_record(counts.record, origin)
    check_record(counts.save_svg, origin, "--save-svg")
    if origin.delete_queue:
        raise UsageError("--delete-queue goes with `tcsniff`, not with top")
    selection = select(_asked(wanted))
    tell = keep_quiet if quiet else say
    for note in selection.notes:
        tell(note)

    from tcsniff.commands.counting import showing  # msgspec and orjson: 25 ms
    from tcsniff.commands.run import Run

    shown = showing(counts, is_live=origin.is_live)
    run = Run(selection, content, ending, View(), tell, showing=shown)
    return run.over(origin, title=str(wanted), summary=None)


def _asked(wanted: Wanted) -> Wanted:
    # What tells of no state of a task tells nothing here, however much of it there is.
    if wanted.events or wanted.exchanges or wanted.binds or wanted.all_events:
        return wanted
    return wanted._replace(events=[f"task-{state}" for state in _STATES])
