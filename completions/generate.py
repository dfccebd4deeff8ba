"""The generator of the completion scripts."""

from __future__ import annotations

import click

from completions import bash, fish, zsh
from man.generate import write_or_check
from man.interface import read_interface
from tcsniff import cli


def build_scripts() -> dict[str, str]:
    """Return all scripts.

    Returns:
        Path, relative to the checkout, to text.
    """
    interface = read_interface(cli.tcsniff)
    return {
        "completions/tcsniff.bash": bash.script(interface),
        "completions/_tcsniff": zsh.script(interface),
        "completions/tcsniff.fish": fish.script(interface),
    }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file is out of date.")
@click.pass_context
def main(context: click.Context, *, check: bool) -> None:
    """Write the completion scripts below the current folder."""
    context.exit(write_or_check(build_scripts(), [], check=check))


if __name__ == "__main__":
    main(prog_name="python -m completions.generate")
