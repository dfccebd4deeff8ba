"""``tcsniff runs``: a row for each run that has ended."""

from __future__ import annotations

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
from tcsniff.commands.options.runs_options import RunsArgs, runs_options
from tcsniff.commands.options.selection_options import selection_options
from tcsniff.commands.options.source_options import SourceArgs, check_source, source_options
from tcsniff.errors import UsageError
from tcsniff.selection.selection_args import SelectionArgs, add_state_events

if TYPE_CHECKING:
    from tcsniff.commands.wiring.run import Notify
    from tcsniff.stats.run_ledger import RunLedger  # msgspec: 20 ms


@click.command(cls=SectionedCommand)
@runs_options
@selection_options
@filter_options
@source_options
@stop_options
def runs(
    *,
    asked: RunsArgs,
    wanted: SelectionArgs,
    content: FilterArgs,
    origin: SourceArgs,
    ending: StopArgs,
    quiet: bool,
) -> int:
    """Print a row for each run that has ended: JSON lines, CSV, TSV.

    A row has, in this order: taskId; runId, null if the task ended without a run;
    taskGroupId; the tags label, kind and project; taskQueueId, the worker pool;
    workerGroup and workerId, null if no worker claimed the run; schedulerId; state;
    reasonCreated and reasonResolved; the times scheduled, started and resolved, as in the
    messages; waited and ran, the seconds from scheduled to started and from there to
    resolved; retried, whether the queue created another run at once.

    Each run has one row, however often and in whatever order messages about it arrive.
    What is not known is null. A rerun that a user asks for comes later: it is a row of
    its own, with the reasonCreated rerun, and not retried in the row before it.

    Tags come from the messages of the task. A row from a recording waits for them until
    the end, if the message about the run lacks them; a live row does not wait. With
    --group, label is the task's name, and project is null.

    With --queue NAME, rows are written before their messages are acknowledged: nothing is
    lost if tcsniff is killed and started again. Then some rows may come twice, with the
    same taskId, runId and resolved. With >> FILE, an unfinished last row is removed first.
    In cron, --drain ends when the queue is empty.

    In CSV and TSV, a cell that a spreadsheet would compute starts with an apostrophe.
    """
    check_source(origin)
    if asked.as_json and asked.row_form not in (None, "json"):
        raise UsageError(f"--json and --format {asked.row_form} contradict each other")
    if origin.delete_queue:
        raise UsageError("--delete-queue works with `tcsniff sniff`, not with runs")
    notify = ignore_message if quiet else print_message
    if asked.group is not None:
        return _print_group_runs(asked, wanted, origin, notify)
    from tcsniff.selection.select import build_selection  # 2 ms

    selection = build_selection(add_state_events(wanted))
    for note in selection.notes:
        notify(note)

    from tcsniff.commands.wiring.event_run import EventRun
    from tcsniff.commands.wiring.runs_view import make_runs_renderer
    from tcsniff.stats.run_ledger import RunLedger

    ledger = RunLedger(waits_for_names=bool(origin.recordings) and not origin.follow)
    make_view = partial(make_runs_renderer, asked, ledger)
    output = OutputArgs(verbose=asked.verbose)
    run = EventRun(selection, content, ending, output, notify, make_view=make_view)
    status = run.run(origin, title=str(wanted), summary=None)
    _report_unread(ledger, notify)
    return status


def _report_unread(ledger: RunLedger, notify: Notify) -> None:
    if number := ledger.unread:
        notify(f"{number:,} message{'s' * (number != 1)} about tasks could not be decoded")


def _print_group_runs(
    asked: RunsArgs, wanted: SelectionArgs, origin: SourceArgs, notify: Notify
) -> int:
    if any(wanted) or origin.recordings or origin.demo or origin.queue or asked.record:
        raise UsageError("--group asks the API for a whole group; leave other sources out")
    from tcsniff.commands.options.resolve_account import resolve_api_server
    from tcsniff.commands.wiring.runs_view import print_group_runs
    from tcsniff.pulse.addresses import parse_address

    address = parse_address(asked.group or "", "task group")
    server = resolve_api_server(origin.account)
    if server is None:
        raise UsageError(
            "--group asks a deployment's API, but the broker does not say which; name it "
            "with --root-url"
        )
    return print_group_runs(asked, address.slug_id, server, notify)
