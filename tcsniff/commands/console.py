"""What tcsniff says to the person on standard error, and lists on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from tcsniff import __version__
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize

DEBUG = "--debug"
"""Every command takes this flag; `cli.main` takes it out before click sees it."""


def print_output(text: str) -> None:
    """Write text of our own and a line feed to standard output.

    Raises:
        OutputClosed: If the reader went away.
        OutputError: If it cannot be written for another reason.
    """
    Output().write(f"{text}\n".encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def print_message(text: str, *, bare: bool = False) -> None:
    """Say something, made safe: names in it may come from strangers.

    Args:
        text: What to say; may have several lines.
        bare: Whether our name is left out.
    """
    lines = [sanitize(line) for line in text.split("\n")]
    click.echo(("" if bare else "tcsniff: ") + "\n".join(lines), err=True)


def ignore_message(text: str) -> None:
    """Say nothing, for ``--quiet``."""


PARTS = ("click", "kombu", "amqp", "rich", "orjson", "msgspec", "jmespath", "taskcluster")
"""What tcsniff is made with: each as the package index calls it; the last one may be missing."""


def list_versions(*, verbose: bool) -> Iterator[str]:
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
