"""``tcsniff graph``: a task group as a tree, until it has ended."""

from __future__ import annotations

import re

import click

from tcsniff.commands.console import ignore_message, print_message
from tcsniff.commands.options.group_options import (
    GraphInputArgs,
    GraphOutputArgs,
    GraphStopArgs,
    graph_options,
)
from tcsniff.commands.options.selection_options import OUTPUT, SectionedCommand, option
from tcsniff.commands.options.source_options import (
    SourceArgs,
    check_recording,
    check_source,
    source_options,
)
from tcsniff.errors import UsageError
from tcsniff.pulse.routing import parse_choices

_PAGE = re.compile(r"(https?://[^/]+)/tasks/groups/([^/?#]+)")  # of the web interface


@click.command(cls=SectionedCommand)
@click.argument("task_group_id", required=False)
@source_options
@graph_options
@option("-q", "--quiet", section=OUTPUT, is_flag=True, help="Say nothing but errors.")
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

    What went wrong comes first, then each kind of task: what runs and for how
    long, what waits and for what, and which chain took the time. Dependencies
    come from the queue's API, or a file. TASK_GROUP_ID may also be the address
    of the group's page; a recording needs none if its first group is meant, and
    the demo has one of its own.

    Ends with status 0 if every task completed, 10 if one failed, 11 if none
    failed but one ended in exception; runs that are tried again do not count.
    """
    check_source(origin)
    check_recording(showing.record, origin)
    check_recording(showing.save_svg, origin, "--save-svg")
    if origin.delete_queue:
        raise UsageError("--delete-queue goes with `tcsniff`, not with graph")
    if asking.no_api and asking.root_url is not None:
        raise UsageError("--no-api and --root-url contradict each other")
    if (page := _PAGE.match(task_group_id or "")) is not None:
        task_group_id = page[2]
        if asking.root_url is None and not asking.no_api and origin.is_live:
            asking = asking._replace(root_url=page[1])
    _check_id(task_group_id, origin)

    from tcsniff.commands.runs.group_run import GroupRun  # msgspec and orjson: 25 ms

    notify = ignore_message if quiet else print_message
    run = GroupRun(task_group_id or "", origin, asking, showing, waiting, notify)
    return run.run()


def _check_id(task_group_id: str | None, origin: SourceArgs) -> None:
    if task_group_id is not None:
        try:
            parse_choices("taskGroupId", [task_group_id])
        except UsageError:
            raise UsageError(
                f"{task_group_id!r} is no id of a task group, which looks like "
                "fN1SbArXTPSVFNUvaOlinQ"
            ) from None
    elif origin.is_live:
        raise UsageError(
            "which task group? `tcsniff graph TASK_GROUP_ID`; the id is in the address of its "
            "page (/tasks/groups/...), and `tcsniff --all --columns group,task` shows those that "
            "are heard of; or try it without any: tcsniff graph --demo"
        )
