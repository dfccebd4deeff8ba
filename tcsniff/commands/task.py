"""``tcsniff task``: the story of tasks, each with its runs."""

from __future__ import annotations

import click

from tcsniff.commands.console import ignore_message, print_message
from tcsniff.commands.options.group_options import GraphCommand
from tcsniff.commands.options.source_options import (
    SourceArgs,
    check_source,
    settle_no_api,
    source_options,
)
from tcsniff.commands.options.task_options import (
    TaskInputArgs,
    TaskOutputArgs,
    TaskStopArgs,
    task_options,
)
from tcsniff.errors import UsageError
from tcsniff.pulse.addresses import Address, parse_address

_MISSING_ID = (
    "missing task ID; run `tcsniff task TASK_ID`; the ID is in the address of the task's "
    "page (/tasks/...); or try `tcsniff task --demo`"
)


@click.command(cls=GraphCommand)
@click.argument("task_ids", nargs=-1, metavar="[ID|URL]...")
@source_options
@task_options
def task(
    *,
    task_ids: tuple[str, ...],
    origin: SourceArgs,
    asking: TaskInputArgs,
    showing: TaskOutputArgs,
    waiting: TaskStopArgs,
    quiet: bool,
) -> int:
    """Show tasks and wait for their ends.

    Shows each run: why it was created, how long it waited and ran, and how it
    ended. A task that waits says for which tasks, or for a worker; one that
    failed shows the end of its log. An address may be that of the page of a
    task or run, of a log or an artifact.

    Exits with status 0 if every task is known and completed, 10 if one failed,
    11 if one ended in exception, else 12. Runs that are retried do not count.
    """
    check_source(origin)
    if origin.delete_queue:
        raise UsageError("--delete-queue works with `tcsniff sniff`, not with task")
    addresses = [_parse_task(word) for word in task_ids]
    if not addresses and not origin.demo:
        raise UsageError(_MISSING_ID)
    asking = asking._replace(no_api=settle_no_api(origin, no_api=asking.no_api))

    from tcsniff.commands.wiring.task_run import TaskRun  # msgspec and orjson: 25 ms

    notify = ignore_message if quiet else print_message
    ids = [address.slug_id for address in addresses]
    return TaskRun(ids, origin, asking, showing, waiting, notify).run()


def _parse_task(text: str) -> Address:
    address = parse_address(text, "task")
    if address.kind == "group":
        raise UsageError(
            f"{text} is a task group: tcsniff graph {address.slug_id} shows it, and its tasks"
        )
    return address
