"""Writes the documents that are made from the commands: manual page and completions."""

from __future__ import annotations

from pathlib import Path

import click

from tcsniff import cli
from tcsniff.completions import bash, fish, zsh
from tcsniff.interface import interface_of
from tcsniff.manual.page import page


def documents() -> dict[str, str]:
    """Make all of them.

    Returns:
        Path, from the top of the checkout, to text.
    """
    interface = interface_of(cli.tcsniff)
    return {
        "completions/tcsniff.bash": bash.script(interface),
        "completions/_tcsniff": zsh.script(interface),
        "completions/tcsniff.fish": fish.script(interface),
        "man/tcsniff.1": page(interface),
    }


def old() -> list[str]:
    """Name the documents below the current directory that are missing or not up to date."""
    return [path for path, text in documents().items() if _read(Path(path)) != text]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--check", is_flag=True, help="Write nothing; tell what is old, with status 1.")
@click.pass_context
def main(context: click.Context, *, check: bool) -> None:
    """Write man/ and completions/ anew, below the current directory."""
    if check:
        found = old()
        for path in found:
            click.echo(f"{path} is old; `make docs` writes it anew", err=True)
        context.exit(1 if found else 0)
    for path, text in documents().items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
