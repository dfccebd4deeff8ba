"""``--version``, and with ``--verbose`` the versions that a bug report needs."""

from __future__ import annotations

import re
import sys
import tomllib

import pytest

from paths import ROOT
from tcsniff import __version__
from tcsniff.cli import main
from tcsniff.commands.console import PACKAGES

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_version_is_a_line(capsys):
    """A name and a number, for scripts."""
    status = main(["--version"])

    assert (status, capsys.readouterr().out) == (0, f"tcsniff {__version__}\n")


@pytest.mark.parametrize("words", [["--version", "--verbose"], ["--verbose", "--version"]])
def test_the_verbose_version_lists_everything_that_tcsniff_runs_on(words, capsys):
    """tcsniff, Python, every library, the system; with the flags in either order."""
    status = main(words)

    first, python, *parts, system = capsys.readouterr().out.splitlines()
    assert (status, first) == (0, f"tcsniff {__version__}")
    assert python.startswith(f"Python {sys.version_info[0]}.{sys.version_info[1]}")
    assert [part.split()[0] for part in parts] == list(PACKAGES)
    assert [part for part in parts if not re.search(r" (\d[\w.]*|is not installed)$", part)] == []
    assert system


def test_no_library_is_missing():
    """All dependencies in `pyproject.toml` are listed."""
    assert {re.split("[<>=]", one)[0] for one in PROJECT["dependencies"]} == set(PACKAGES)


def test_something_else_in_place_of_a_command_is_an_error(capsys):
    """Status 2, and one line."""
    assert main(["--version", "--bogus"]) == 2
    assert capsys.readouterr().err.startswith("tcsniff: unknown flag '--bogus'")
