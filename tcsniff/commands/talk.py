"""What tcsniff says to the person: lines on standard error."""

from __future__ import annotations

import click

from tcsniff.sanitize import safe


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
