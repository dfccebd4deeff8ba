"""What ``--help``, ``--help-all`` and ``--version`` print."""

from __future__ import annotations

import pytest

from running import Terminal, finished


@pytest.mark.parametrize(
    ("words", "lines"), [((), 80), (("graph",), 70), (("top",), 100), (("simulate",), 70)]
)
def test_help_is_short_and_fits_80_columns(words, lines):
    """It has the flags that people use; nothing is cut off."""
    text = finished(*words, "--help", env={"COLUMNS": "80"}).stdout

    assert len(text.splitlines()) <= lines
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "--help-all" in text


def test_help_all_has_every_flag():
    """Also those that few people use."""
    text = finished("--help-all").stdout

    assert "--tls-insecure" in text
    assert "--tls-insecure" not in finished("--help").stdout


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_has_a_short_flag(flag):
    """As the help says."""
    assert finished(flag).stdout.startswith("tcsniff ")


@pytest.mark.parametrize(("lines", "is_paged"), [(24, True), (200, False)])
def test_long_help_on_a_terminal_goes_through_the_pager(lines, is_paged):
    """Only if it has more lines than the terminal."""
    with Terminal("--help", lines=lines, env={"PAGER": "sed s/^/paged:/"}) as terminal:
        assert terminal.status() == 0

        assert (b"paged:" in terminal.written) == is_paged
        assert b"--help-all" in terminal.written


def test_help_in_a_pipe_is_not_paged():
    """Other programs read it."""
    assert "paged:" not in finished("--help", env={"PAGER": "sed s/^/paged:/"}).stdout
