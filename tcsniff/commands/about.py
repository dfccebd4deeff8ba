"""``--version``: of tcsniff, and of what it runs on, for bug reports."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tcsniff import __version__

PARTS = ("click", "kombu", "amqp", "rich", "orjson", "msgspec", "jmespath", "taskcluster")
"""What tcsniff is made with: each as the package index calls it; the last one may be missing."""


def versions(*, verbose: bool) -> Iterator[str]:
    """Tell of versions, a line each; the first is that of tcsniff.

    Args:
        verbose: Whether to tell more than that.
    """
    yield f"tcsniff {__version__}"
    if not verbose:
        return
    import platform  # with the next: 30 ms
    from importlib.metadata import PackageNotFoundError, version

    yield f"Python {platform.python_version()} ({sys.executable or 'unknown'})"
    for name in PARTS:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} is not installed"
    yield platform.platform()
