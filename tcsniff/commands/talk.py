"""What tcsniff says to the person: lines on standard error."""

from __future__ import annotations

import click

from tcsniff.sanitize import safe


def say(text: str) -> None:
    """Say something, made safe: names in it may come from strangers."""
    click.echo(f"tcsniff: {safe(text)}", err=True)


def keep_quiet(text: str) -> None:
    """Say nothing, for ``--quiet``."""
