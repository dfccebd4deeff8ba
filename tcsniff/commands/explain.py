"""``tcsniff explain``: what a selection becomes, without connecting."""

from __future__ import annotations

import click

from tcsniff.commands.options import OUTPUT, SectionedCommand, option, selection_options
from tcsniff.selection import Wanted, explained, select


@click.command(cls=SectionedCommand)
@option("--json", "as_json", section=OUTPUT, is_flag=True, help="One JSON object a line.")
@selection_options
def explain(*, wanted: Wanted, as_json: bool) -> None:
    """Show the bindings that a selection becomes.

    Connects to nothing. What the broker cannot match is shown as checked on
    arrival.
    """
    selection = select(wanted)
    for note in selection.notes:
        click.echo(f"tcsniff: {note}", err=True)
    for line in explained(selection, as_json=as_json):
        click.echo(line)
