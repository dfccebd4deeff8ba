"""``python -m tcsniff``."""

from tcsniff.cli import run

run()
