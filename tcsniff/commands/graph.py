"""``tcsniff graph``: the progress of a task group, as a tree."""

from __future__ import annotations

import click

from tcsniff.commands.console import ignore_message, print_message
from tcsniff.commands.options.group_options import (
    MISSING_ID,
    GraphCommand,
    GraphInputArgs,
    GraphOutputArgs,
    GraphStopArgs,
    graph_options,
)
from tcsniff.commands.options.source_options import (
    SourceArgs,
    check_source,
    settle_no_api,
    source_options,
)
from tcsniff.errors import UsageError
from tcsniff.pulse.addresses import parse_address


@click.command(cls=GraphCommand)
@click.argument("task_group_id", required=False, metavar="[ID | URL]")
@source_options
@graph_options
def graph(
    *,
    task_group_id: str | None,
    origin: SourceArgs,
    asking: GraphInputArgs,
    showing: GraphOutputArgs,
    waiting: GraphStopArgs,
    quiet: bool,
) -> int:
    """Show a task group and wait for its end.

    Failures come first, then each kind of task: what runs and for how long,
    what waits and for what, and which chain of tasks took the time.
    Dependencies come from the queue's API or from a file. The ID or page of one
    of its tasks will do, too; recordings and files have a default.

    Exits with status 0 if every task is known and completed, 10 if one failed,
    11 if one ended in exception, else 12. Runs that are retried do not count.
    """
    check_source(origin)
    if origin.delete_queue:
        raise UsageError("--delete-queue works with `tcsniff sniff`, not with graph")
    asking = asking._replace(no_api=settle_no_api(origin, no_api=asking.no_api))
    address = None if task_group_id is None else parse_address(task_group_id, "task group")
    if address is None and origin.is_live and not asking.files:
        raise UsageError(MISSING_ID)

    from tcsniff.commands.wiring.group_facts import TaskOfGroup, find_group
    from tcsniff.commands.wiring.group_run import GroupRun  # msgspec and orjson: 25 ms

    notify = ignore_message if quiet else print_message
    group = "" if address is None else address.slug_id
    if address is not None and address.kind == "task":
        group = find_group(address, origin, asking, notify)
    try:
        return GroupRun(group, origin, asking, showing, waiting, notify).run()
    except TaskOfGroup as error:
        notify(f"{group} is a task of the task group {error.task_group_id}, which is shown")
        return GroupRun(error.task_group_id, origin, asking, showing, waiting, notify).run()
