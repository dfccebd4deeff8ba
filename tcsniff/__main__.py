"""The program ``tcsniff``, and ``python -m tcsniff``."""

from __future__ import annotations

import gc

# Nothing that is made in starting is garbage, but looking for it takes a seventh of
# the time. Later on, too, next to nothing stands in circles.
gc.set_threshold(50_000, 20, 100)

from tcsniff.cli import run  # noqa: E402 - its imports are what is hurried

if __name__ == "__main__":
    run()
