"""Writes the documents that are made from the commands: manual pages and completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from tcsniff import cli
from tcsniff.completions import bash, fish, zsh
from tcsniff.interface import interface_of
from tcsniff.manual import record, settings
from tcsniff.manual.blocks import Block, Prose
from tcsniff.manual.page import command_page, heading, page
from tcsniff.manual.roff import section
from tcsniff.settings.example import EXAMPLE_SETTINGS

_ABOUT_FILES = {
    "record": ("tcsniff-schema(1)", "jq(1)"),
    "config": ("tcsniff-config(1)",),
}
_PAGES = "man/man[0-9]/tcsniff*.[0-9]"  # where nothing but ours is


def documents() -> dict[str, str]:
    """Make all of them.

    Returns:
        Path, from the top of the checkout, to text.
    """
    interface = interface_of(cli.tcsniff)
    pages = {
        f"man/man1/tcsniff-{command.name}.1": command_page(command, interface)
        for command in interface.commands
    }
    return {
        "completions/tcsniff.bash": bash.script(interface),
        "completions/_tcsniff": zsh.script(interface),
        "completions/tcsniff.fish": fish.script(interface),
        "man/man1/tcsniff.1": page(interface),
        **_of_files(),
        **pages,
    }


def _of_files() -> dict[str, str]:
    formats = {
        "config": ("the settings file of tcsniff", settings.sections(EXAMPLE_SETTINGS)),
        "record": ("the line of JSON that tcsniff writes for a message", record.sections()),
    }
    return {f"man/man5/tcsniff-{name}.5": _of_file(name, *one) for name, one in formats.items()}


def _of_file(name: str, summary: str, sections: Mapping[str, Sequence[Block]]) -> str:
    lines = heading(f"tcsniff-{name}", 5, summary)
    for title, blocks in sections.items():
        lines += section(title, blocks)
    lines += section("SEE ALSO", [Prose(", ".join(["tcsniff(1)", *_ABOUT_FILES[name]]))])
    return "\n".join(lines) + "\n"


def old() -> list[str]:
    """Name the documents below the current directory that are missing or not up to date."""
    return [path for path, text in documents().items() if _read(Path(path)) != text]


def left_over() -> list[Path]:
    """Name the pages below the current directory that are of no command any more."""
    return [path for path in sorted(Path().glob(_PAGES)) if str(path) not in documents()]


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
        for left in left_over():
            click.echo(f"{left} is of no command; `make docs` deletes it", err=True)
            found.append(str(left))
        context.exit(1 if found else 0)
    for left in left_over():
        left.unlink()
    for path, text in documents().items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
