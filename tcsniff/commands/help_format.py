"""The help of commands: examples, common flags in sections, and a pager on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from tcsniff.commands.console import DEBUG, print_output
from tcsniff.signals import signal_handler

OTHER = "Other"
"""The section of flags that belong to no other section."""

DEBUG_HELP = "Show the traceback of an error."
HELP_ALL = "--help-all"
WIDTH = 80
"""The maximum width of help texts, in columns."""

_FOLDER = __file__.rpartition("/")[0]
_COLUMN = 32  # maximum width of the flags' column
_SHOW_ALL = "tcsniff.show_all_flags"


class DescribedOption(click.Option):
    """A flag with its place in the help.

    Attributes:
        section: The title of its section.
        is_common: Whether ``--help`` shows it; ``--help-all`` shows all flags.
    """

    section = OTHER
    is_common = False


class DescribedCommand(click.Command):
    """A command that shows examples and common flags, and all flags with ``--help-all``."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``, printed by `print_help`."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = print_help
        return option

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, with ``--help-all`` behind ``--help``."""
        return [*super().get_params(ctx), HELP_ALL_OPTION]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples and the flags."""
        write_examples(self.name or "", formatter)
        self.write_flags(ctx, formatter)

    def write_flags(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags in sections; without ``--help-all`` only the common ones."""
        options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        common = [option for option in options if _is_common(option)]
        is_short = not ctx.meta.get(_SHOW_ALL) and any(
            isinstance(option, DescribedOption) and option.is_common for option in options
        )
        sections: dict[str, list[tuple[str, str]]] = {}
        for option in common if is_short else options:
            row = option.get_help_record(ctx)
            if row is not None:
                sections.setdefault(get_section(option), []).append(row)
        other = sections.pop(OTHER, [])  # the last section
        for title, rows in {**sections, OTHER: [*other, (DEBUG, DEBUG_HELP)]}.items():
            with formatter.section(title):
                formatter.write_dl(rows, col_max=_COLUMN)


def get_section(option: click.Option) -> str:
    """Return the title of a flag's section in the help."""
    return option.section if isinstance(option, DescribedOption) else OTHER


def print_help(context: click.Context, _: click.Parameter, value: bool) -> None:
    """Print the help of a command and exit, as the callback of ``--help``."""
    if value and not context.resilient_parsing:
        print_long_text(context.get_help())
        context.exit()


def print_long_text(text: str) -> None:
    """Print a text; on a terminal with fewer lines than that through the user's pager.

    Raises:
        OutputClosed: If the reader went away.
        OutputError: If the output cannot be written for another reason.
    """
    if sys.stdout.isatty() and sys.stdin.isatty():
        import shutil  # 2 ms

        if text.count("\n") + 2 > shutil.get_terminal_size().lines:
            with signal_handler.unwinding():  # the pager handles Ctrl-C, and is waited for
                click.echo_via_pager(text)
            return
    print_output(text)


def write_examples(name: str, formatter: click.HelpFormatter) -> None:
    """Write the examples of a command, if it has any."""
    if text := read_examples(name):
        with formatter.section("Examples"):
            for line in text.splitlines():
                formatter.write(f"  {line}".rstrip() + "\n")


def read_examples(name: str) -> str:
    """Return the examples of a command; empty if it has none."""
    return read_text(f"examples/{name}.txt")


def read_text(name: str) -> str:
    """Return a text file of the folder of this module; empty if there is none."""
    try:
        with open(f"{_FOLDER}/{name}", encoding="utf-8") as file:  # noqa: PTH123 - pathlib: 3 ms
            return file.read()
    except FileNotFoundError:
        return ""


def list_topics() -> dict[str, str]:
    """Return the texts of all topics, by name. The first line of a text is its summary."""
    from pathlib import Path  # 3 ms

    paths = sorted(Path(_FOLDER, "topics").glob("*.txt"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def wrap_list(rows: dict[str, str]) -> Iterator[str]:
    """Yield the lines of a list of names with their meanings, at most 80 columns wide."""
    formatter = click.HelpFormatter(width=WIDTH)
    formatter.indent()
    formatter.write_dl(list(rows.items()))
    yield from formatter.getvalue().splitlines()


def _is_common(option: click.Option) -> bool:
    # Flags of click's own, such as --help, are shown with the common ones.
    return option.is_common if isinstance(option, DescribedOption) else True


def _print_all_help(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        context.meta[_SHOW_ALL] = True
    print_help(context, parameter, value)


HELP_ALL_OPTION = click.Option(
    [HELP_ALL],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_all_help,
    help="Show all flags and exit.",
)
