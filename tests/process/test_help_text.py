"""What ``--help``, ``--help-all`` and ``--version`` print."""

from __future__ import annotations

import pytest

from running import finished


@pytest.mark.parametrize(
    ("words", "lines"), [((), 80), (("graph",), 70), (("top",), 90), (("simulate",), 70)]
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
