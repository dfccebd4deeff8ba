"""``tcsniff sniff``: show events as they happen. The default command."""

from __future__ import annotations

import click

from tcsniff.commands.console import ignore_message, print_message, print_output
from tcsniff.commands.options.filter_options import (
    FilterArgs,
    StopArgs,
    filter_options,
    stop_options,
)
from tcsniff.commands.options.option import OUTPUT, SectionedCommand, option
from tcsniff.commands.options.output_options import OutputArgs, check_output, output_options
from tcsniff.commands.options.selection_options import selection_options
from tcsniff.commands.options.source_options import (
    SourceArgs,
    check_source,
    source_options,
)
from tcsniff.selection.selection_args import SelectionArgs


@click.command(cls=SectionedCommand)
@selection_options
@filter_options
@source_options
@stop_options
@output_options
@option(
    "--summary",
    section=OUTPUT,
    type=click.Choice(["text", "json"]),
    help="Choose the format of the summary at exit. Default: text.",
)
def sniff(
    *,
    wanted: SelectionArgs,
    content: FilterArgs,
    origin: SourceArgs,
    ending: StopArgs,
    view: OutputArgs,
    summary: str | None,
    quiet: bool,
) -> int:
    """Show Taskcluster's events as they happen.

    EVENT is the name of an event, such as task-running or, in short, running;
    `tcsniff exchanges` lists them. Flags alone select every queue exchange that has their
    fields. Repeated flags, several EVENTs and a,b are alternatives; different flags narrow.
    An EVENT can have its own fields: running:run-id=1

    @NAME is a saved selection; so is the address of a page for Pulse messages.
    """
    check_output(view)
    check_source(origin)
    if view.columns == ("help",):
        from tcsniff.renderers.columns import COLUMN_MEANINGS

        for name, meaning in COLUMN_MEANINGS.items():
            print_output(f"{name:<10}  {meaning}")
        return 0
    if origin.delete_queue:
        from tcsniff.commands.wiring.open_source import delete_queue

        delete_queue(origin, print_message)
        return 0
    from tcsniff.selection.select import EVERYTHING, build_selection  # 2 ms

    if any(wanted):
        selection = build_selection(wanted)
    elif origin.is_live:
        selection = build_selection(wanted)  # raises an error that says what to do
    else:
        selection = build_selection(SelectionArgs(all_events=True)) if origin.demo else EVERYTHING
    notify = ignore_message if quiet else print_message
    for note in selection.notes:
        notify(note)

    from tcsniff.commands.wiring.event_run import EventRun  # msgspec and orjson: 25 ms

    run = EventRun(selection, content, ending, view, notify)
    return run.run(origin, title=str(wanted), summary=summary)
