"""Messages on standard error, and lists on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from tcsniff import __version__
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize

DEBUG = "--debug"
"""Every command takes this flag; `cli.main` removes it before click parses the arguments."""


def print_output(text: str) -> None:
    """Write trusted text and a line feed to standard output.

    Raises:
        OutputClosed: If the reader has closed the pipe.
        OutputError: If it cannot be written for another reason.
    """
    Output().write(f"{text}\n".encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def print_message(text: str, *, bare: bool = False) -> None:
    """Print a message to standard error; control characters are escaped.

    Args:
        text: The message; may have several lines and untrusted names.
        bare: Whether to leave out the prefix ``tcsniff:``.
    """
    lines = [sanitize(line) for line in text.split("\n")]
    click.echo(("" if bare else "tcsniff: ") + "\n".join(lines), err=True)


def ignore_message(text: str) -> None:
    """Print nothing, for ``--quiet``."""


PACKAGES = (
    "click",
    "kombu",
    "amqp",
    "rich",
    "orjson",
    "msgspec",
    "jmespath",
    "urllib3",
    "mohawk",
    "websockets",
    "textual",
    "taskcluster",
)
"""The packages tcsniff uses, by their names on PyPI; optional ones may be missing."""


def list_versions(*, verbose: bool) -> Iterator[str]:
    """Yield versions, one line each; the first is tcsniff's.

    Args:
        verbose: Whether to add Python, the packages and the platform.
    """
    yield f"tcsniff {__version__}"
    if not verbose:
        return
    import platform  # with importlib.metadata: 30 ms
    from importlib.metadata import PackageNotFoundError, version

    yield f"Python {platform.python_version()} ({sys.executable or 'unknown'})"
    for name in PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} is not installed"
    yield platform.platform()
