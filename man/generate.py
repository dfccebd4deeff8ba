"""The generator of the manual pages and of the text that ``tcsniff --help`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from man.command_page import format_command_page
from man.interface import read_interface
from man.page import format_file_page, format_overview_page
from tcsniff import cli
from tcsniff.commands.help_format import list_topics, read_examples
from tcsniff.settings.example import EXAMPLE_SETTINGS

_OVERVIEW = Path(__file__).with_name("overview.txt")
_PAGES = "man/man[0-9]/tcsniff*.[0-9]"
_EXAMPLE = """

EXAMPLES

`tcsniff config --example` prints a file to start with, all commented out:

"""


def build_pages() -> dict[str, str]:
    """Return all documents.

    Returns:
        Path, relative to the checkout, to text.
    """
    interface = read_interface(cli.tcsniff)
    topics = list_topics()
    overview = _OVERVIEW.read_text(encoding="utf-8")
    pages = {
        f"man/man1/tcsniff-{command.name}.1": format_command_page(
            command, interface, topics, read_examples(command.name)
        )
        for command in interface.commands
    }
    # A line of the example that is empty would end the block.
    example = "\n".join(f"    {line}" for line in EXAMPLE_SETTINGS.strip("\n").split("\n"))
    settings = topics["settings"].rstrip("\n") + _EXAMPLE + example
    return {
        "man/man1/tcsniff.1": format_overview_page(
            interface, overview, topics, read_examples("sniff")
        ),
        "man/man5/tcsniff-config.5": format_file_page(
            "tcsniff-config", settings, ("tcsniff-config(1)",)
        ),
        "man/man5/tcsniff-pools.5": format_file_page(
            "tcsniff-pools", topics["pools"], ("tcsniff-top(1)", "jq(1)")
        ),
        "man/man5/tcsniff-record.5": format_file_page(
            "tcsniff-record", topics["record"], ("tcsniff-schema(1)", "jq(1)")
        ),
        "man/man5/tcsniff-task-summary.5": format_file_page(
            "tcsniff-task-summary", topics["task-summary"], ("tcsniff-task(1)", "jq(1)")
        ),
        **pages,
        "tcsniff/commands/root_help.txt": cli.format_root_help() + "\n",
    }


def find_stale(documents: Mapping[str, str]) -> list[str]:
    """Return the paths of documents, below the current folder, that are not up to date."""
    return [path for path, text in documents.items() if _read(Path(path)) != text]


def find_orphans(documents: Mapping[str, str]) -> list[Path]:
    """Return the pages below the current folder that belong to no command."""
    return [path for path in sorted(Path().glob(_PAGES)) if str(path) not in documents]


def write_or_check(documents: Mapping[str, str], orphans: list[Path], *, check: bool) -> int:
    """Write documents below the current folder, or report those that are not up to date.

    Args:
        documents: Path to text.
        orphans: Files to delete.
        check: Whether to write nothing.

    Returns:
        The exit status: 1 if a check finds something.
    """
    if check:
        stale = [f"{path} is out of date; `make docs` writes it" for path in find_stale(documents)]
        stale += [f"{path} belongs to no command; `make docs` deletes it" for path in orphans]
        for message in stale:
            click.echo(message, err=True)
        return 1 if stale else 0
    for path in orphans:
        path.unlink()
    for name, text in documents.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file is out of date.")
@click.pass_context
def main(context: click.Context, *, check: bool) -> None:
    """Write the manual pages below the current folder."""
    documents = build_pages()
    context.exit(write_or_check(documents, find_orphans(documents), check=check))


if __name__ == "__main__":
    main(prog_name="python -m man.generate")
