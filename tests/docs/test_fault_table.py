"""The table of faults."""

from __future__ import annotations

import re

from paths import ROOT

NAME = re.compile(r"test_[a-z0-9_]+")


def test_every_test_in_the_table_of_faults_exists() -> None:
    """So that a fault whose test was renamed or removed is noticed."""
    table = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if line.startswith("| ") and "`test_" in line]
    named = {name for row in rows for name in NAME.findall(row.rsplit("|", 2)[1])}
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(
            r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }

    assert len(named) > 50
    assert named - defined == set()
