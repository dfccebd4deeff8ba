"""The program ``tcsniff``, and ``python -m tcsniff``."""

from __future__ import annotations

import gc

# Start-up creates no garbage, but searching for it takes a seventh of the time.
# Later, too, almost nothing is in reference cycles.
gc.set_threshold(50_000, 20, 100)

from tcsniff.cli import run  # noqa: E402 - the imports are what this makes faster

if __name__ == "__main__":
    run()
