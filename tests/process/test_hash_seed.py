"""A simulation is the same in every process."""

from __future__ import annotations

import hashlib
import subprocess
import sys

from paths import ROOT
from tcsniff.simulator.simulation import simulate

START = 1_787_000_000.5


def digest(**arguments):
    made = hashlib.sha256()
    for pair in simulate(start=START, groups=4, **arguments):
        made.update(repr(pair).encode())
    return made.hexdigest()


def test_the_hash_seed_of_the_process_does_not_matter():
    """Sets and their order leave no trace, not even in another process."""
    program = (
        "import sys; sys.path[:0] = ['.', 'tests/support', 'tests/process'];"
        "from test_hash_seed import digest; print(digest(seed=5))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONHASHSEED": "1"},  # this process has another, a random one
    )

    assert done.stdout.strip() == digest(seed=5)
