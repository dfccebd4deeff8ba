"""``tcsniff sniff``: show events as they happen. The default command."""

from __future__ import annotations

import click

from tcsniff.commands.console import keep_quiet, say, show
from tcsniff.commands.options.filter_options import (
    Content,
    Ending,
    content_options,
    ending_options,
)
from tcsniff.commands.options.output_options import View, check_view, view_options
from tcsniff.commands.options.selection_options import (
    OUTPUT,
    SectionedCommand,
    option,
    selection_options,
)
from tcsniff.commands.options.source_options import (
    Origin,
    check_origin,
    check_record,
    origin_options,
)
from tcsniff.selection.select import EVERYTHING, Wanted, select


@click.command(cls=SectionedCommand)
@selection_options
@content_options
@origin_options
@ending_options
@view_options
@option(
    "--summary",
    section=OUTPUT,
    type=click.Choice(["text", "json"]),
    help="How to say in the end what has become of the messages. Default: text.",
)
@option("-q", "--quiet", section=OUTPUT, is_flag=True, help="Say nothing but errors.")
def sniff(
    *,
    wanted: Wanted,
    content: Content,
    origin: Origin,
    ending: Ending,
    view: View,
    summary: str | None,
    quiet: bool,
) -> int:
    """Show Taskcluster's events as they happen.

    EVENT is what happened, such as task-running; `tcsniff exchanges` lists them
    all. Several are alternatives. With flags alone, every EVENT of the queue is
    meant that has their fields. A flag may be repeated or hold a,b: these are
    alternatives. Different flags narrow. An EVENT may carry fields of its own:
    task-defined:worker-type=gaia,provisioner-id=aws-provisioner

    @NAME stands for a selection that the settings file has saved, and the
    address of Taskcluster's web page for messages for what that shows.
    """
    check_view(view)
    check_origin(origin)
    if view.columns == ("help",):
        from tcsniff.renderers.columns import NAMES

        for name, meaning in NAMES.items():
            show(f"{name:<10}  {meaning}")
        return 0
    check_record(view.record, origin)
    check_record(view.save_svg, origin, "--save-svg")
    if origin.delete_queue:
        from tcsniff.commands.runs.open_source import delete_queue

        delete_queue(origin, say)
        return 0
    if any(wanted):
        selection = select(wanted)
    elif origin.is_live:
        selection = select(wanted)  # which says what to do
    else:
        selection = select(Wanted(all_events=True)) if origin.demo else EVERYTHING
    tell = keep_quiet if quiet else say
    for note in selection.notes:
        tell(note)

    from tcsniff.commands.runs.event_run import Run  # msgspec and orjson: 25 ms

    run = Run(selection, content, ending, view, tell)
    return run.over(origin, title=str(wanted), summary=summary)
