"""The queue's API without the official client."""

from __future__ import annotations

import subprocess
import sys


def test_without_the_client_it_says_how_to_have_it() -> None:
    """Once something is asked for; all else goes without."""
    program = """
import sys
sys.modules["taskcluster"] = None
from tcsniff.errors import ApiError
from tcsniff.sources.queue_api import QueueApi
try:
    next(QueueApi("https://a.example").fetch_pages("x"))
except ApiError as error:
    print(type(error).__name__, error)
"""

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert said.startswith("ApiMissing the queue's API needs Taskcluster's client")
    assert said.endswith("pip install 'tcsniff[api]'\n")
