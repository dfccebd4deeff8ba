"""``tcsniff completion``: what Tab should know."""

from __future__ import annotations

import importlib

import click

from tcsniff.commands.console import print_output
from tcsniff.commands.options.selection_options import SectionedCommand
from tcsniff.interface import interface_of

# Of \b it is click's to know what it means: these lines stay as they are.
_HELP = """Print a completion script for a shell.

\b
bash: tcsniff completion bash > ~/.local/share/bash-completion/completions/tcsniff
      and without the package bash-completion, `source` that file in ~/.bashrc
zsh:  tcsniff completion zsh > ~/.zsh/_tcsniff
      and in ~/.zshrc: fpath=(~/.zsh $fpath); autoload -Uz compinit && compinit
fish: tcsniff completion fish > ~/.config/fish/completions/tcsniff.fish
      which fish finds by itself
"""


@click.command(cls=SectionedCommand, help=_HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print a completion script."""
    root = context.find_root().command
    if isinstance(root, click.Group):
        module = importlib.import_module(f"tcsniff.completions.{shell}")
        print_output(module.script(interface_of(root)).removesuffix("\n"))
