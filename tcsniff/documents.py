"""Writes the documents that are made from the commands: manual page and completions.

``python -m tcsniff.manual`` writes them below the current directory; with
``--check`` it writes nothing and says which are old.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import click

from tcsniff import cli
from tcsniff.completions import bash, fish, zsh
from tcsniff.interface import interface_of
from tcsniff.manual import page


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


def main(args: Sequence[str]) -> int:
    """Write the documents, or check them.

    Args:
        args: Words of the command line.

    Returns:
        The exit status: 1 if ``--check`` found an old one.
    """
    parser = argparse.ArgumentParser(prog="python -m tcsniff.manual")
    parser.add_argument("--check", action="store_true", help="write nothing, tell what is old")
    if parser.parse_args(args).check:
        found = old()
        for path in found:
            click.echo(f"{path} is old; `make docs` writes it anew", err=True)
        return 1 if found else 0
    for path, text in documents().items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    return 0
