"""What the program has imported by the time it ends."""

from __future__ import annotations

import os
import subprocess
import sys

HEAVY = {
    "kombu",
    "amqp",
    "rich",
    "pygments",
    "asyncio",
    "ssl",
    "importlib.metadata",
    "urllib3",
    "mohawk",
    "textual",
}
PROGRAM = """
import sys
from tcsniff.cli import main
status = main(sys.argv[1:])
print("LOADED", *sys.modules)
sys.exit(status)
"""
FAILING = """
import sys
from tcsniff.cli import main
assert main(sys.argv[1:]) == 2
print("LOADED", *sys.modules)
"""


def child(program, *args):
    # Without coverage, which loads a good deal itself.
    environment = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    return subprocess.run(
        [sys.executable, "-c", program, *args],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    ).stdout
