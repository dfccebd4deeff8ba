"""``tcsniff ID`` and ``tcsniff URL``: run the command for what an ID or an address is about."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tcsniff.commands.console import ignore_message, print_message
from tcsniff.commands.options.account_options import AccountArgs, account_options, root_url_option
from tcsniff.commands.options.option import SectionedCommand, option, recording_flag
from tcsniff.commands.options.output_options import quiet_option
from tcsniff.commands.options.resolve_account import resolve_api_server
from tcsniff.errors import ApiError, ApiUnknown, UsageError
from tcsniff.pulse.addresses import Address, find_address
from tcsniff.settings.web_server import WebServer

_WORDS = "tcsniff.words"  # in click's `Context.meta`


class IdentifyCommand(SectionedCommand):
    """A command that passes its words on to another one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words, and parse the few flags that matter."""
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)


@click.command(
    cls=IdentifyCommand,
    context_settings={
        "ignore_unknown_options": True,
        "allow_extra_args": True,
        "help_option_names": [],
    },
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@root_url_option
@account_options
@option("--no-api", section="", is_flag=True)
@recording_flag("--from", "recordings", multiple=True)
@recording_flag("--demo", is_flag=True)
@quiet_option
@click.pass_context
def identify(
    context: click.Context,
    *,
    words: Sequence[str],
    account: AccountArgs,
    no_api: bool,
    recordings: Sequence[str],
    demo: bool,
    quiet: bool,
) -> object:
    """Show the task or task group of an ID or the address of a page."""
    addresses = [address for word in words if (address := find_address(word)) is not None]
    kinds = {address.kind for address in addresses}
    if "group" in kinds:
        name = "graph"
    elif kinds == {"task"}:
        name = "task"
    elif demo or recordings:  # nothing can be asked
        name = "graph"
    else:
        first = next(address for address in addresses if address.kind == "unknown")
        if no_api:
            raise UsageError(_list_commands(first.slug_id))
        name = _ask_queue(first, resolve_api_server(account))
        if name == "graph" and len(addresses) > 1:
            raise UsageError(f"{first.slug_id} is a task group; graph shows one group at a time")
        notify = ignore_message if quiet else print_message
        notify(f"{first.slug_id} is a {_NOUNS[name]}: tcsniff {name} {first.slug_id}")
    return _run_command(context, name)


_NOUNS = {"graph": "task group", "task": "task"}


def _list_commands(slug_id: str) -> str:
    return (
        f"{slug_id} is the ID of a task or a task group: `tcsniff graph {slug_id}` shows a group, "
        f"`tcsniff task {slug_id}` a task"
    )


def _ask_queue(address: Address, server: WebServer | None) -> str:
    # The ID of a group is often that of its decision task, too: then the group is shown.
    from tcsniff.sources.queue_api import QueueApi  # msgspec and orjson: 25 ms

    slug_id = address.slug_id
    if server is None:
        raise UsageError(f"{_list_commands(slug_id)}; --root-url names the deployment to ask")
    api = QueueApi(server)
    try:
        try:
            return "graph" if api.fetch_group_id(slug_id) == slug_id else "task"
        except ApiUnknown:
            api.fetch_group_info(slug_id)
            return "graph"
    except ApiUnknown:
        raise ApiUnknown(
            f"{server} has neither a task nor a task group {slug_id}; it may have expired, or "
            "be of another deployment (--profile, --root-url)"
        ) from None
    except ApiError as error:
        raise type(error)(f"{error}; {_list_commands(slug_id)}") from error


def _run_command(context: click.Context, name: str) -> object:
    parent = context.parent
    root = None if parent is None else parent.command
    assert parent is not None  # noqa: S101 - for mypy
    assert isinstance(root, click.Group)  # noqa: S101 - for mypy
    command = root.get_command(parent, name)
    if command is None:
        raise UsageError(f"there is no command {name}")
    with command.make_context(name, list(context.meta[_WORDS]), parent=parent) as inner:
        return command.invoke(inner)
