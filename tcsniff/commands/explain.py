"""``tcsniff explain``: what a selection becomes, without connecting."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from tcsniff.commands.content import Content, content_options
from tcsniff.commands.options import OUTPUT, SectionedCommand, option, selection_options
from tcsniff.commands.talk import say
from tcsniff.selection import Wanted, explained, select


@click.command(cls=SectionedCommand)
@selection_options
@content_options
@option("--json", "as_json", section=OUTPUT, is_flag=True, help="One JSON object a line.")
def explain(*, wanted: Wanted, content: Content, as_json: bool) -> None:
    """Show the bindings that a selection becomes.

    Connects to nothing. What the broker cannot match is shown as checked on
    arrival.
    """
    selection = select(wanted)
    if any(content):
        # Only to see that it is right: loads msgspec, orjson and jmespath.
        from tcsniff.commands.filtering import Filtering

        Filtering(content, say)
    for note in selection.notes:
        say(note)
    checks = list(_checks(content))
    for line in explained(selection, as_json=as_json):
        click.echo(_with_checks(line, checks) if as_json else line)
    if checks and not as_json:
        click.echo("checked on arrival: of every message")
        for check in checks:
            click.echo(f"  {check}")


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
