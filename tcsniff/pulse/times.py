"""Timestamps in Taskcluster's form, and durations as people write them.

Pure.
"""

from __future__ import annotations

import math
import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
# Texts, because they are rarely used, and compiling them takes 0.5 ms.
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_PART = rf"({_NUMBER})(ms|[smhd])"
_TIME_OF_DAY = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?"
_DURATION = rf"(?:{_NUMBER}(?:ms|[smhd]))+"

# Longest duration in seconds, then two units, each with its length and name.
_UNIT_PAIRS = (
    (3600, 60, "m", 1, "s"),
    (86400, 3600, "h", 60, "m"),
    (math.inf, 86400, "d", 3600, "h"),
)


def format_timestamp(seconds: float) -> str:
    """Format a time as Taskcluster does: ``2026-11-23T18:00:00.123Z``.

    Args:
        seconds: Since the Unix epoch.
    """
    # Truncated, because rounding could give a future time; the addend corrects float errors.
    whole, milliseconds = divmod(int(seconds * 1000 + 0.001), 1000)
    time = datetime.fromtimestamp(whole, UTC).replace(tzinfo=None)
    return f"{time.isoformat()}.{milliseconds:03d}Z"  # strftime's %Y has no leading zeros


def format_minute(seconds: float, *, utc: bool) -> str:
    """Format a time of day: ``18:12``.

    Args:
        seconds: Since the Unix epoch.
        utc: Whether to use UTC instead of the local time zone.
    """
    time = datetime.fromtimestamp(seconds, UTC)
    return f"{time if utc else to_local_time(time):%H:%M}"


def format_day_minute(seconds: float, now: float, *, utc: bool) -> str:
    """Format a time of day with its day, unless that is today: ``tomorrow 18:12``.

    Args:
        seconds: Since the Unix epoch.
        now: The present, in the same form.
        utc: Whether to use UTC instead of the local time zone.
    """
    times = (datetime.fromtimestamp(one, UTC) for one in (seconds, now))
    then, today = (time if utc else to_local_time(time) for time in times)
    days = (then.date() - today.date()).days
    day = _NEAR_DAYS.get(days, f"{then:%Y-%m-%d} ")
    return f"{day}{then:%H:%M}"


_NEAR_DAYS = {0: "", 1: "tomorrow ", -1: "yesterday "}


def to_local_time(time: datetime) -> datetime:
    """Convert an aware time to the local time zone, or to UTC if that is not possible.

    It is not on the first and last day of the calendar, and in zones of the variable
    ``TZ`` that are a day or more from UTC.
    """
    try:
        return time.astimezone()
    except (OverflowError, ValueError):
        return time.astimezone(UTC)


def parse_timestamp(text: object) -> datetime | None:
    """Parse a time in any form of RFC 3339.

    Returns:
        An aware time; None for anything else, including a time without offset and one
        that is not in the years 1 to 9999 of UTC.
    """
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo and _is_in_calendar(time) else None


def _is_in_calendar(time: datetime) -> bool:
    # On the first and last day, the offset can lead to the year 0 or 10000.
    if time.year not in (MINYEAR, MAXYEAR):
        return True
    try:
        time.astimezone(UTC)
    except OverflowError:
        return False
    return True


def parse_seconds(text: str | None) -> float | None:
    """Parse a time as `parse_timestamp` does, and return seconds since the Unix epoch."""
    time = parse_timestamp(text)
    return None if time is None else time.timestamp()


def parse_duration(text: str) -> float:
    """Parse a duration such as ``500ms``, ``30s``, ``10m``, ``1h30m``.

    Returns:
        Seconds. A number without a unit is seconds, as for `timeout(1)`.

    Raises:
        ValueError: If it is not a duration.
    """
    if re.fullmatch(_DURATION, text):
        return sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
    if re.fullmatch(_NUMBER, text):
        return float(text)
    raise ValueError(f"{text!r} is not a duration; write it like 500ms, 30s, 10m or 1h30m")


def parse_moment(text: str, now: float) -> float:
    """Parse a time, or a duration before now.

    Args:
        text: A duration such as ``90m``; a time of today such as ``18:00``; a date, or
            a date and time, with an offset such as ``Z`` or in the local time zone.
        now: Seconds since the Unix epoch.

    Returns:
        Seconds since the Unix epoch.

    Raises:
        ValueError: If it is neither.
    """
    if re.fullmatch(_DURATION, text):
        return now - parse_duration(text)
    if text == "now":
        return now
    try:
        if re.fullmatch(_TIME_OF_DAY, text):
            day = datetime.fromtimestamp(now).date().isoformat()  # noqa: DTZ006 - local
            return datetime.fromisoformat(f"{day}T{text}").timestamp()
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{text!r} is neither a time nor a duration; write it like 2026-11-23T18:00, 18:00 "
            "or 90m"
        ) from None


def format_duration(seconds: float) -> str:
    """Format a duration in its two largest units.

    Args:
        seconds: Negative values, which clocks that differ can cause, count as 0.

    Returns:
        Text such as ``0.4 s``, ``50 s``, ``4 m 12 s``, ``1 h 02 m``, ``3 d 04 h``.
    """
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    _, large, large_unit, small, small_unit = next(row for row in _UNIT_PAIRS if whole < row[0])
    return f"{whole // large} {large_unit} {whole % large // small:02} {small_unit}"
