"""``tcsniff sniff``: show events as they happen. The default command."""

from __future__ import annotations

from contextlib import closing

import click

from tcsniff.commands.options import (
    OUTPUT,
    STOPPING,
    Duration,
    SectionedCommand,
    option,
    selection_options,
)
from tcsniff.commands.origin import Origin, origin_options
from tcsniff.commands.talk import keep_quiet, say
from tcsniff.commands.views import View, check_view, view_options
from tcsniff.selection import Wanted, select


@click.command(cls=SectionedCommand)
@selection_options
@origin_options
@option(
    "-n",
    "--count",
    section=STOPPING,
    type=click.IntRange(1),
    metavar="N",
    help="End after N events.",
)
@option(
    "--timeout",
    section=STOPPING,
    type=Duration(),
    metavar="DURATION",
    help="End after so long, such as 500ms, 30s, 10m or 1h30m, with exit status 124.",
)
@view_options
@option("-q", "--quiet", section=OUTPUT, is_flag=True, help="Say nothing but errors.")
def sniff(
    *,
    wanted: Wanted,
    origin: Origin,
    view: View,
    count: int | None,
    timeout: float | None,
    quiet: bool,
) -> int:
    """Show Taskcluster's events as they happen.

    EVENT is what happened, such as task-running; `tcsniff exchanges` lists them
    all. Several are alternatives. With flags alone, every EVENT of the queue is
    meant that has their fields. A flag may be repeated or hold a,b: these are
    alternatives. Different flags narrow. An EVENT may carry fields of its own:
    task-defined:worker-type=gaia,provisioner-id=aws-provisioner
    """
    check_view(view)
    if origin.demo and not any(wanted):
        wanted = Wanted(all_events=True)
    selection = select(wanted)
    tell = keep_quiet if quiet else say
    for note in selection.notes:
        tell(note)

    from tcsniff.commands.run import opened, renderer_of  # msgspec and orjson: 25 ms
    from tcsniff.stream import Stop, pump

    with opened(origin, selection, tell) as (source, name, keep):
        renderer = renderer_of(view, source=name, selection=str(wanted))
        with closing(renderer):
            outcome = pump(source, renderer, keep=keep, stop=Stop(count, timeout))
    return outcome.exit_status
