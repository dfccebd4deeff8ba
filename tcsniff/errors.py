"""The failures that tcsniff reports to a person, and the exit status of each.

* TcsniffError
    * UsageError            2  a flag, an EVENT or the configuration asks for something impossible
    * ConnectionFailed      3  the broker cannot be reached, or went away
    * Refused               4  the broker said no: user, password, permission, vhost, exchange
    * TlsError              5  the certificate or the host name of the broker is not to be trusted
    * ApiError              3  the queue's API cannot be reached, or does not answer as it should
        * ApiMissing        2  the client for it is not installed, or set up wrongly
        * ApiRefused        4  it wants credentials, or scopes that ours lack
        * ApiUnknown        4  it knows no such task group or task
        * ApiUntrusted      5  its certificate or host name is not to be trusted
    * RecordingError        6  a recording or graph file cannot be read
    * OutputError           7  the output cannot be written
    * OutputClosed        141  whoever read our output went away

Raise these anywhere. Only `tcsniff.cli.main` turns one into a message and an
exit status.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class TcsniffError(Exception):
    """A failure whose text is meant for the person at the terminal."""

    exit_status: ClassVar[int]


class UsageError(TcsniffError):
    """A flag, an EVENT or the configuration asks for something impossible."""

    exit_status = 2


class ConnectionFailed(TcsniffError):
    """The broker cannot be reached, or the connection to it was lost."""

    exit_status = 3


class Refused(TcsniffError):
    """The broker refused: user, password, permission, vhost or exchange."""

    exit_status = 4


class TlsError(TcsniffError):
    """TLS failed: the certificate, the host name, or no TLS at that port."""

    exit_status = 5


class ApiError(TcsniffError):
    """The queue's API cannot be reached, or does not answer as it should.

    Who can do without it takes this, and all below, for a thing to tell.
    """

    exit_status = 3


class ApiMissing(ApiError):
    """The client for the queue's API is not installed, or set up wrongly."""

    exit_status = 2


class ApiRefused(ApiError):
    """The queue's API refused: no credentials, wrong ones, or too few scopes."""

    exit_status = 4


class ApiUnknown(ApiError):
    """The queue's API knows no such task group or task; it may have expired."""

    exit_status = 4


class ApiUntrusted(ApiError):
    """TLS to the queue's API failed: the certificate or the host name."""

    exit_status = 5


class RecordingError(TcsniffError):
    """A recording or graph file cannot be read, or is none."""

    exit_status = 6


class OutputError(TcsniffError):
    """The output cannot be written, as on a full disk."""

    exit_status = 7


class OutputClosed(TcsniffError):
    """Whoever read our output went away."""

    exit_status = 141


def suggest(name: str, known: Iterable[str]) -> str:
    """Word a hint at the name that was perhaps meant.

    Args:
        name: What was given.
        known: What could have been given.

    Returns:
        Text to follow a message, such as ``; did you mean task-running?``;
        empty if nothing is near.
    """
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
