"""``tcsniff explain``: the bindings of a selection, without connecting."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import click

from tcsniff.commands.console import print_message, print_output
from tcsniff.commands.options.account_options import (
    AccountArgs,
    profile_option,
    root_url_option,
    web_option,
)
from tcsniff.commands.options.filter_options import FilterArgs, filter_options
from tcsniff.commands.options.option import OUTPUT, SectionedCommand, option
from tcsniff.commands.options.output_options import json_option
from tcsniff.commands.options.resolve_account import is_web, resolve_root_url
from tcsniff.commands.options.selection_options import selection_options
from tcsniff.errors import UsageError
from tcsniff.pulse.times import format_timestamp
from tcsniff.pulse.urls import build_messages_url
from tcsniff.selection.describe import describe_selection, describe_subscriptions
from tcsniff.selection.select import Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.selection.subscriptions import plan_subscriptions
from tcsniff.settings.value_sources import get_layers, list_sources


@click.command(cls=SectionedCommand)
@selection_options
@filter_options
@profile_option
@root_url_option
@web_option
@json_option
@option(
    "--url",
    "as_url",
    section=OUTPUT,
    is_flag=True,
    help="Print the address of Taskcluster's web page that shows the same messages.",
)
def explain(
    *,
    wanted: SelectionArgs,
    content: FilterArgs,
    profile: str | None,
    root_url: str | None,
    web: bool,
    as_json: bool,
    as_url: bool,
) -> None:
    """Show the bindings of a selection.

    Does not connect. Filters that the broker cannot apply are listed as checked
    on arrival. With --web, the bindings are those through a web server, which
    takes at most 100 in a subscription and does not send routes.
    """
    selection = build_selection(wanted)
    _validate_filters(content)
    for note in selection.notes:
        print_message(note)
    checks = list(_list_checks(content))
    if as_url:
        if as_json:
            raise UsageError("--json and --url contradict each other")
        print_output(_build_page_url(selection, checks, profile, root_url))
        return
    account = _get_account(profile, root_url)._replace(web=web)
    for line in _list_bindings(selection, account, as_json=as_json):
        print_output(_add_checks(line, checks) if as_json else line)
    if checks and not as_json:
        print_output("checked on arrival, for every message")
        for check in checks:
            print_output(f"  {check}")


def _list_bindings(selection: Selection, account: AccountArgs, *, as_json: bool) -> Iterator[str]:
    plan = plan_subscriptions(selection)
    if account.web:
        return describe_subscriptions(plan, as_json=as_json)
    is_equal = [list(subscription.bindings) for subscription in plan] == [selection.bindings]
    if not is_equal and is_web(account):
        print_message(
            "these are the bindings on a broker; no account is set, and --web shows those "
            "through the web server"
        )
    return describe_selection(selection, as_json=as_json)


def _build_page_url(
    selection: Selection, checks: list[str], profile: str | None, root_url: str | None
) -> str:
    if checks or not selection.is_bound:
        print_message("the page shows more messages, as it has no filters for checks on arrival")
    root = resolve_root_url(_get_account(profile, root_url)._replace(url=None))
    if root is None:
        raise UsageError(f"profile {profile} has no root-url; set it with --root-url")
    return build_messages_url(root, selection.bindings)


def _get_account(profile: str | None, root_url: str | None) -> AccountArgs:
    context = click.get_current_context()
    return AccountArgs(
        url=os.environ.get("TCSNIFF_BROKER") or os.environ.get("PULSE_URL"),
        profile=profile,
        root_url=root_url,
        sources=list_sources(context),
        profiles=get_layers(context).settings.profiles,
    )


def _validate_filters(content: FilterArgs) -> None:
    if any(content):
        # Validates only; the import loads msgspec, orjson and jmespath.
        from tcsniff.commands.wiring.event_run import ContentFilters

        ContentFilters(content, print_message)


def _list_checks(content: FilterArgs) -> Iterator[str]:
    yield from (f"--where {text}" for text in content.where)
    for flag, values in (("--state", content.states), ("--reason", content.reasons)):
        if values:
            yield f"{flag} {','.join(values)}"
    yield from (f"--tag {text}" for text in content.tags)
    for flag, seconds in (("--since", content.since), ("--before", content.before)):
        if seconds is not None:
            yield f"{flag} {format_timestamp(seconds)}"
    if content.grep is not None:
        yield f"--grep {content.grep}"
    if content.dedupe:
        yield "--dedupe"


def _add_checks(line: str, checks: list[str]) -> str:
    return json.dumps(json.loads(line) | {"checkedOnArrival": checks}) if checks else line
