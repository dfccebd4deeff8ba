"""``tcsniff explain``: what a selection becomes, without connecting."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from tcsniff.commands.console import say, show
from tcsniff.commands.options.account_options import (
    Account,
    deployment_of,
    profile_option,
    root_url_option,
)
from tcsniff.commands.options.filter_options import Content, content_options
from tcsniff.commands.options.selection_options import (
    OUTPUT,
    SectionedCommand,
    option,
    selection_options,
)
from tcsniff.errors import UsageError
from tcsniff.pulse.urls import address
from tcsniff.selection.select import Selection, Wanted, explained, select
from tcsniff.settings.precedence import layers_of


@click.command(cls=SectionedCommand)
@selection_options
@content_options
@profile_option
@root_url_option
@option("--json", "as_json", section=OUTPUT, is_flag=True, help="One JSON object a line.")
@option(
    "--url",
    "as_url",
    section=OUTPUT,
    is_flag=True,
    help="The address of Taskcluster's web page that shows the same messages.",
)
def explain(
    *,
    wanted: Wanted,
    content: Content,
    profile: str | None,
    root_url: str | None,
    as_json: bool,
    as_url: bool,
) -> None:
    """Show the bindings that a selection becomes.

    Connects to nothing. What the broker cannot match is shown as checked on
    arrival.
    """
    selection = select(wanted)
    _check(content)
    for note in selection.notes:
        say(note)
    checks = list(_checks(content))
    if as_url:
        if as_json:
            raise UsageError("--json and --url contradict each other")
        show(_address(selection, checks, profile, root_url))
        return
    for line in explained(selection, as_json=as_json):
        show(_with_checks(line, checks) if as_json else line)
    if checks and not as_json:
        show("checked on arrival: of every message")
        for check in checks:
            show(f"  {check}")


def _address(
    selection: Selection, checks: list[str], profile: str | None, root_url: str | None
) -> str:
    if checks or not selection.is_bound:
        say("the page shows more: it checks nothing on arrival")
    profiles = layers_of(click.get_current_context()).settings.profiles
    root = deployment_of(Account(profile=profile, profiles=profiles), root_url)
    if root is None:
        raise UsageError(f"profile {profile} has no root-url; give one with --root-url")
    return address(root, selection.bindings)


def _check(content: Content) -> None:
    if any(content):
        # Only to see that it is right: loads msgspec, orjson and jmespath.
        from tcsniff.commands.runs.event_run import Filtering

        Filtering(content, say)


def _checks(content: Content) -> Iterator[str]:
    yield from (f"--where {text}" for text in content.where)
    for flag, values in (("--state", content.states), ("--reason", content.reasons)):
        if values:
            yield f"{flag} {','.join(values)}"
    yield from (f"--tag {text}" for text in content.tags)
    if content.dedupe:
        yield "--dedupe"


def _with_checks(line: str, checks: list[str]) -> str:
    return json.dumps(json.loads(line) | {"checkedOnArrival": checks}) if checks else line
