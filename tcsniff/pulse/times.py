"""Times as Taskcluster writes them, and durations as people do.

Pure.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|[smhd]))+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhd])")


def format_timestamp(seconds: float) -> str:
    """Write a time as Taskcluster does: ``2026-11-23T18:00:00.123Z``.

    Args:
        seconds: Since the Unix epoch.
    """
    # Cut off, not rounded into the future; but not for the error of a float either.
    whole, milliseconds = divmod(int(seconds * 1000 + 0.001), 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def parse_timestamp(text: object) -> datetime | None:
    """Read a time in any form of RFC 3339.

    Returns:
        An aware time; None for anything else, also for a time without offset.
    """
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else None


def parse_seconds(text: str | None) -> float | None:
    """Read a time, as `moment` does.

    Returns:
        Seconds since the Unix epoch; None if it is no time.
    """
    read = parse_timestamp(text)
    return None if read is None else read.timestamp()


def parse_duration(text: str) -> float:
    """Read a duration such as ``500ms``, ``30s``, ``10m``, ``1h30m``.

    Returns:
        Seconds. A number without a unit is seconds, as for `timeout(1)`.

    Raises:
        ValueError: If it is no duration.
    """
    if _DURATION.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if _NUMBER.fullmatch(text):
        return float(text)
    raise ValueError(f"{text!r} is no duration; write it as 500ms, 30s, 10m or 1h30m")


def format_duration(seconds: float) -> str:
    """Word a length of time for people, in its two largest units.

    Args:
        seconds: What is below 0, as of clocks that differ, counts as 0.

    Returns:
        Such as ``0.4 s``, ``50 s``, ``4 m 12 s``, ``1 h 02 m``, ``3 d 04 h``.
    """
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    _, large, unit, small, part = next(row for row in _PAIRS if whole < row[0])
    return f"{whole // large} {unit} {whole % large // small:02} {part}"


# Up to which length, in seconds, which two units: their lengths and names.
_PAIRS = (
    (3600, 60, "m", 1, "s"),
    (86400, 3600, "h", 60, "m"),
    (math.inf, 86400, "d", 3600, "h"),
)
