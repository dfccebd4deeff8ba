"""``tcsniff browse``: look around in events, task groups, tasks and pools with keys."""

from __future__ import annotations

import os
import sys

import click

from tcsniff.commands.console import ignore_message, print_message
from tcsniff.commands.options.browse_options import BrowseArgs, browse_options
from tcsniff.commands.options.filter_options import FilterArgs, filter_options
from tcsniff.commands.options.option import SectionedCommand
from tcsniff.commands.options.selection_options import selection_options_or_id
from tcsniff.commands.options.source_options import SourceArgs, check_source, source_options
from tcsniff.errors import UsageError
from tcsniff.pulse.addresses import Address, find_address
from tcsniff.selection.selection_args import SelectionArgs


@click.command(cls=SectionedCommand)
@selection_options_or_id
@filter_options
@source_options
@browse_options
def browse(
    *,
    wanted: SelectionArgs,
    content: FilterArgs,
    origin: SourceArgs,
    look: BrowseArgs,
    quiet: bool,
) -> int:
    """Look around in events, groups, tasks and pools with keys.

    Events go on coming in while you look. Enter opens what is selected, Esc goes back,
    / filters, Space pauses, and ? lists all keys. Nothing is changed in Taskcluster.
    The ID or address of a task or a task group among the EVENTs is shown at first.
    Without a selection, browse listens to the events of task states and task groups.

    Without a terminal, --save-svg writes the last picture when the source has ended.

    Exits with the status of what is shown at exit: of a task group as `tcsniff graph` does,
    of a task as `tcsniff task` does, else with 0.
    """
    check_source(origin)
    if origin.delete_queue:
        raise UsageError("--delete-queue works with `tcsniff sniff`, not with browse")
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    is_shown = is_terminal and os.environ.get("TERM") != "dumb"
    if not is_shown and look.save_svg is None:
        raise UsageError(
            "browse needs a terminal that can move the cursor, and TERM is dumb; "
            "use `tcsniff -o lines` or `tcsniff graph`"
            if is_terminal
            else "browse needs a terminal for input and output; in a pipe, use `tcsniff -o json` "
            "or `tcsniff graph --json`"
        )

    from tcsniff.commands.wiring.browse_run import BrowseRun  # textual: 400 ms

    wanted, address = _split_address(wanted)
    notify = ignore_message if quiet else print_message
    return BrowseRun(wanted, address, content, origin, look, notify).run(is_shown=is_shown)


def _split_address(wanted: SelectionArgs) -> tuple[SelectionArgs, Address | None]:
    # An ID or the address of a page stands among the EVENTs.
    addresses = [address for word in wanted.events if (address := find_address(word))]
    if not addresses:
        return wanted, None
    if len(addresses) > 1:
        raise UsageError("browse shows one task or task group at first; name one of them")
    events = [word for word in wanted.events if find_address(word) is None]
    return wanted._replace(events=events), addresses[0]
