"""What tcsniff says to the person on standard error, and lists on standard output."""

from __future__ import annotations

import sys

import click

from tcsniff.renderers.output import Output
from tcsniff.sanitize import safe

DEBUG = "--debug"
"""Every command takes this flag; `cli.main` takes it out before click sees it."""


def show(text: str) -> None:
    """Write text of our own and a line feed to standard output.

    Raises:
        OutputClosed: If the reader went away.
        OutputError: If it cannot be written for another reason.
    """
    Output().write(f"{text}\n".encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def say(text: str, *, bare: bool = False) -> None:
    """Say something, made safe: names in it may come from strangers.

    Args:
        text: What to say; may have several lines.
        bare: Whether our name is left out.
    """
    lines = [safe(line) for line in text.split("\n")]
    click.echo(("" if bare else "tcsniff: ") + "\n".join(lines), err=True)


def keep_quiet(text: str) -> None:
    """Say nothing, for ``--quiet``."""


def show_help(context: click.Context, _: click.Parameter, value: bool) -> None:
    """Do what ``--help`` does, and end: as click's own, but through `show`."""
    if value and not context.resilient_parsing:
        show(context.get_help())
        context.exit()
