from __future__ import annotations

import pytest

from completions import bash, fish, zsh
from man.interface import read_interface
from tcsniff import cli
from tcsniff.cli import main

INTERFACE = read_interface(cli.tcsniff)


SCRIPTS = {
    "bash": (bash.script(INTERFACE), "-n"),
    "zsh": (zsh.script(INTERFACE), "-n"),
    "fish": (fish.script(INTERFACE), "--no-execute"),
}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_command_prints_what_is_shipped(shell, capsys):
    """``tcsniff completion`` and the files are the same text."""
    status = main(["completion", shell])

    assert (status, capsys.readouterr().out) == (0, SCRIPTS[shell][0])
