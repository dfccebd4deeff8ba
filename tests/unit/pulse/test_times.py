from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import time_zone
from tcsniff.pulse.times import (
    format_minute,
    format_timestamp,
    parse_duration,
    parse_moment,
    parse_seconds,
    parse_timestamp,
    to_local_time,
)

NOW = 1_795_456_800.0  # 2026-11-23T18:00:00Z


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("10m", 600),
        ("1h30m", 5400),
        ("1d", 86_400),
        ("1d2h3m4s5ms", 93_784.005),
        ("1.5h", 5400),
        ("0.25s", 0.25),
        ("0s", 0),
        ("90", 90),
        ("0.5", 0.5),
        ("1m1m", 120),
        ("30s1h", 3630),
        ("007s", 7),
    ],
)
def test_a_duration_is_parsed(text, seconds):
    """Numbers with units add up; a number alone is seconds."""
    assert parse_duration(text) == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "s",
        "-1s",
        "+1s",
        "1 s",
        " 1s",
        "1s ",
        "1s\n",
        "1S",
        "1H30M",
        "1h30",
        "30 1h",
        "1w",
        "1y",
        "1min",
        "1.s",
        ".5s",
        "1..5s",
        "1,5s",
        "1e3",
        "1e3s",
        "inf",
        "nan",
        "0x10",
        "1_000",
        "1h-30m",
    ],
)
def test_an_invalid_duration_is_refused(text):
    """The error shows the text and how to write it."""
    with pytest.raises(ValueError, match="500ms, 30s, 10m or 1h30m") as refused:
        parse_duration(text)

    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (NOW, "2026-11-23T18:00:00.000Z"),
        (NOW + 0.123, "2026-11-23T18:00:00.123Z"),
        (NOW + 0.9999, "2026-11-23T18:00:00.999Z"),
        (NOW + 0.007, "2026-11-23T18:00:00.007Z"),
    ],
)
def test_a_timestamp_has_javascripts_form(seconds, text):
    """Three digits of milliseconds, truncated and not rounded up into the future."""
    assert format_timestamp(seconds) == text


@given(st.integers(1_700_000_000_000, 2_147_000_000_000))
def test_a_timestamp_can_be_parsed_back(milliseconds):
    """Every millisecond until 2038; later times are too large for a float."""
    read = parse_timestamp(format_timestamp(milliseconds / 1000))

    assert read == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("9999-12-31T23:59:59.999-23:59", None),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("9999-12-31T23:59:59.999+23:59", "9999-12-31T00:00:59.999Z"),
        ("0001-01-01T00:00:00+00:01", None),
        ("0001-01-01T00:00:00-00:01", "0001-01-01T00:01:00.000Z"),
    ],
)
def test_every_parsed_time_can_be_formatted(text, time):
    """Also at the ends of the calendar, where an offset leads to the year 0 or 10000."""
    seconds = parse_seconds(text)

    assert (None if seconds is None else format_timestamp(seconds)) == time


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T18:00:00Z",
        "2026-11-23T18:00:00.000Z",
        "2026-11-23T18:00:00.000000Z",
        "2026-11-23T18:00:00.000+00:00",
        "2026-11-23T19:30:00+01:30",
        "2026-11-23 18:00:00Z",
        "2026-11-23T10:00:00-08:00",
    ],
)
def test_a_time_is_parsed_in_any_form(text):
    """JavaScript's, PostgreSQL's, and those people write."""
    read = parse_timestamp(text)

    assert read == datetime(2026, 11, 23, 18, tzinfo=UTC)
    assert read.tzinfo is not None


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        1_795_456_800.0,
        True,
        [],
        {},
        b"2026-11-23T18:00:00Z",
        "",
        "now",
        "18:00:00Z",
        "2026-11-23",
        "2026-11-23T18:00:00",
        "2026-11-31T18:00:00Z",
        "2026-11-23T24:00:01Z",
        "2026-11-23T18:00:00+24:00",
        "10000-01-01T00:00:00Z",
        "\ud800",
    ],
)
def test_an_invalid_time_is_none(value):
    """Including a time without an offset, which is ambiguous."""
    assert parse_timestamp(value) is None


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"))
def test_no_text_makes_parsing_fail(text):
    """The result is an aware time, or None."""
    read = parse_timestamp(text)

    assert read is None or read.utcoffset() is not None


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_every_time_that_can_be_parsed_has_a_time_of_day(zone: str, text: str) -> None:
    """Also those that no calendar has in the local time zone."""
    seconds = parse_seconds(text)
    assert seconds is not None

    with time_zone(zone):
        formatted = [format_minute(seconds, utc=utc) for utc in (True, False)]

    assert formatted[0] == text[11:16]
    assert all(re.fullmatch("[0-9]{2}:[0-9]{2}", time) for time in formatted)


@pytest.mark.parametrize(
    "zone",
    ["Nonsense/Foo", ":::", "", "<", "UTC+999999", "XXX-167:59:59", "ABC-25", "/dev/null", "é"],
)
def test_a_time_zone_that_does_not_exist_is_utc(zone):
    """Whatever the variable ``TZ`` contains."""
    moment = datetime(2026, 11, 23, 18, 12, tzinfo=UTC)
    with time_zone(zone):
        local = to_local_time(moment)
        minute = format_minute(moment.timestamp(), utc=False)

    assert f"{local:%H:%M}" == minute == "18:12"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90m", "2026-11-23T16:30:00Z"),
        ("1d", "2026-11-22T18:00:00Z"),
        ("now", "2026-11-23T18:00:00Z"),
        ("2026-11-23T17:00:00Z", "2026-11-23T17:00:00Z"),
        ("2026-11-23T17:00:00.5+02:00", "2026-11-23T15:00:00.500Z"),
        ("2026-11-23T17:00", "2026-11-23T16:00:00Z"),
        ("2026-11-23 17:00", "2026-11-23T16:00:00Z"),
        ("2026-11-23", "2026-11-22T23:00:00Z"),
        ("17:30", "2026-11-23T16:30:00Z"),
        ("17:30:05", "2026-11-23T16:30:05Z"),
    ],
)
def test_a_moment_is_a_time_or_a_duration_ago(text, time):
    """Without an offset it is local time, here Berlin's."""
    with time_zone("Europe/Berlin"):
        assert parse_moment(text, NOW) == parse_seconds(time)


@pytest.mark.parametrize("text", ["", "yesterday", "26:00", "2026-13-01", "90", "-5m"])
def test_other_texts_are_no_moment(text):
    """The error says how to write one."""
    with time_zone("UTC"), pytest.raises(ValueError, match="is neither a time nor a duration"):
        parse_moment(text, NOW)
