"""The failures that tcsniff reports to its users, and the exit status of each.

* TcsniffError
    * UsageError            2  wrong usage, configuration or expression
    * ConnectionFailed      3  a broker or web server cannot be reached, or the connection is lost
    * Refused               4  a broker or web server refused: user, permission, scope, exchange
        * WrongCredentials  4  the broker refused the user name and password
    * TlsError              5  the broker's certificate or host name cannot be trusted
    * ApiError              3  the queue's API cannot be reached, or its answer is not usable
        * ApiMisconfigured  2  the credentials for the API are not valid
        * ApiRefused        4  the API needs credentials, or more scopes
        * ApiUnknown        4  the API has no such task group or task
        * ApiUntrusted      5  the API's certificate or host name cannot be trusted
    * RecordingError        6  a recording or graph file cannot be read
    * OutOfMemory           6  there is not enough memory for what is read
    * OutputError           7  the output cannot be written
    * TimedOut            124  --timeout ended the run before it listened
    * OutputClosed        141  the reader of the output went away

Statuses 10 to 12 are results, not failures: `taskgraph.graph.Graph.exit_status`.

Raise these anywhere. Only `tcsniff.cli.main` turns one into a message and an
exit status. The first line of each class's docstring is printed in the manual.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class TcsniffError(Exception):
    """A failure whose text is printed on standard error."""

    exit_status: ClassVar[int]


class UsageError(TcsniffError):
    """A flag, an EVENT, an expression or the configuration is wrong."""

    exit_status = 2


class ConnectionFailed(TcsniffError):
    """The broker or web server cannot be reached, or the connection was lost."""

    exit_status = 3


class Refused(TcsniffError):
    """The broker or web server refused: user, permission, vhost, scope or exchange."""

    exit_status = 4


class WrongCredentials(Refused):
    """The broker refused the user name and password, or the certificate."""


class TlsError(TcsniffError):
    """TLS failed: the certificate, the host name, or no TLS at that port."""

    exit_status = 5


class ApiError(TcsniffError):
    """The queue's API cannot be reached, or its answer is not usable.

    Callers that can continue without the API catch this class and report it.
    """

    exit_status = 3


class ApiMisconfigured(ApiError):
    """The credentials for the queue's API are not valid."""

    exit_status = 2


class ApiRefused(ApiError):
    """The queue's API refused: no credentials, wrong ones, or too few scopes."""

    exit_status = 4


class ApiUnknown(ApiError):
    """The queue's API has no such task group or task; it may have expired."""

    exit_status = 4


class ApiUntrusted(ApiError):
    """TLS to the queue's API failed: the certificate or the host name."""

    exit_status = 5


class RecordingError(TcsniffError):
    """A recording or graph file cannot be read, or is not valid."""

    exit_status = 6


class OutOfMemory(TcsniffError):
    """There is not enough memory for what is read."""

    exit_status = 6


class OutputError(TcsniffError):
    """The output cannot be written, as on a full disk."""

    exit_status = 7


class TimedOut(TcsniffError):
    """``--timeout`` ended the run before it listened."""

    exit_status = 124


class OutputClosed(TcsniffError):
    """The reader of the output went away."""

    exit_status = 141


_MAX_NAMED = 3  # names in a hint


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a hint for a mistyped name, to be appended to an error.

    A known name is close if it differs by one letter added, left out, replaced or
    exchanged with its neighbor; by two in six letters, by three in twelve; or if it
    begins with the mistyped name, which has three letters or more. Case doesn't count.

    Returns:
        Text such as ``; did you mean 'task-running'?``; empty if no known name is close.
    """
    close = list_close_names(name, known)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def list_close_names(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names that are close to a mistyped one, by the rule of `suggest`."""
    lower, known = name.lower(), list(known)
    limit = _get_limit(len(name))
    distances: dict[str, int] = {}
    for other in known:
        if abs(len(other) - len(name)) <= limit:
            distances[other] = _measure_distance(lower, other.lower(), limit)
    closest = min(distances, key=distances.__getitem__, default="")
    begun = [other for other in known if other.lower().startswith(lower)]
    if begun and len(name) > 2 and distances.get(closest) != 1:
        return begun[:_MAX_NAMED]
    return [closest] if distances.get(closest, limit + 1) <= limit else []


def _get_limit(length: int) -> int:
    # A third of a word makes another word: 'bogus' is not 'logs', 'canceled' not 'completed'.
    return min(3, 1 + length // 6) if length > 2 else 0


def _measure_distance(left: str, right: str, limit: int) -> int:
    # Edits and exchanged neighbors: "optimal string alignment". Any number above the limit
    # if there are more.
    before: list[int] = []
    row = list(range(len(right) + 1))
    for place, letter in enumerate(left):
        before, last, row = row, before, [place + 1]
        for at, other in enumerate(right):
            cost = min(before[at + 1] + 1, row[at] + 1, before[at] + (letter != other))
            if place and at and letter == right[at - 1] and left[place - 1] == other:
                cost = min(cost, last[at - 1] + 1)
            row.append(cost)
        if min(row) > limit:  # the next rows have no smaller numbers
            return limit + 1
    return row[-1]
