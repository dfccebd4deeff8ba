"""``tcsniff completion``: the completion scripts."""

from __future__ import annotations

from pathlib import Path

import click

from tcsniff.commands.console import print_output
from tcsniff.commands.options.option import SectionedCommand

_SCRIPTS = {"bash": "tcsniff.bash", "zsh": "_tcsniff", "fish": "tcsniff.fish"}
# Where a wheel has them, and where a checkout has them.
_FOLDERS = (
    Path(__file__).parent / "completion_scripts",
    Path(__file__).parents[2] / "completions",
)

# click does not wrap the lines of a paragraph that starts with \b.
_HELP = """Print a completion script for a shell.

\b
bash: tcsniff completion bash > \\
        ~/.local/share/bash-completion/completions/tcsniff
      Without the package bash-completion: source that file in ~/.bashrc
zsh:  tcsniff completion zsh > ~/.zsh/_tcsniff
      In ~/.zshrc: fpath=(~/.zsh $fpath); autoload -Uz compinit && compinit
fish: tcsniff completion fish > ~/.config/fish/completions/tcsniff.fish

The wheel installs the scripts in share/bash-completion/completions,
share/zsh/site-functions and share/fish/vendor_completions.d of its prefix. Tab
does not start Python; the shell itself reads the names of your profiles and
selections from the settings file.
"""


@click.command(cls=SectionedCommand, help=_HELP)
@click.argument("shell", type=click.Choice(list(_SCRIPTS)))
def completion(*, shell: str) -> None:
    """Print a completion script."""
    folder = next(folder for folder in _FOLDERS if (folder / _SCRIPTS[shell]).exists())
    print_output((folder / _SCRIPTS[shell]).read_text(encoding="utf-8").removesuffix("\n"))
