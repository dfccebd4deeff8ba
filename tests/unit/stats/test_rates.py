from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcsniff.stats.rates import MINUTES, STEP, Rate

BEGAN = 1_795_456_800.0  # start of a minute


def build_rate(*seconds):
    rate = Rate()
    for second in seconds:
        rate.add(BEGAN + second)
    return rate


@pytest.mark.parametrize(
    ("seconds", "now", "per_minute"),
    [
        ([0, 1, 2], 30, 6.0),  # counted for half a minute
        ([0], 1, 6.0),  # one step or more, or a single event would count as sixty
        (range(0, 3600, 10), 3600, 6.0),
        ([0, 1, 2], 60, 3.0),
        ([0, 1, 2], 200, 0.0),
        ([], 50, 0.0),
    ],
)
def test_a_rate_covers_the_last_minute(seconds, now, per_minute):
    """Or the time since counting began, if that is shorter."""
    rate = build_rate(*seconds)

    assert rate.compute_per_minute(BEGAN + now, BEGAN) == pytest.approx(per_minute)


def test_each_minute_has_its_number():
    """The newest minute is last; events before the first minute are dropped."""
    rate = build_rate(0, 59, 60, 61, 62, 185)

    assert rate.count_by_minute(BEGAN + 190) == [0] * (MINUTES - 4) + [2, 3, 0, 1]
    assert rate.count_by_minute(BEGAN + 60 * (MINUTES + 1)) == [0, 1] + [0] * (MINUTES - 2)
    assert rate.count_by_minute(BEGAN + 86_400) == [0] * MINUTES


def test_past_minutes_do_not_change():
    """A sparkline whose past changes would flicker."""
    rate = build_rate(*range(0, 600, 7))

    before = rate.count_by_minute(BEGAN + 600)
    after = rate.count_by_minute(BEGAN + 660)

    assert after[:-1] == before[1:]


@given(st.lists(st.floats(0, 90_000), max_size=60))
@example([88_800.0, 89_999.99999999999])  # the second is 90,000 when added to `BEGAN`
def test_all_events_of_the_last_minutes_are_counted(seconds):
    """Pauses between events do not matter, whatever their length."""
    times = sorted(BEGAN + second for second in seconds)
    now = max(times, default=BEGAN)
    rate = Rate()

    for time in times:
        rate.add(time)

    first = (now // 60 - MINUTES + 1) * 60
    assert sum(rate.count_by_minute(now)) == sum(time >= first for time in times)


def test_rates_can_be_merged():
    """The result is that of one rate with all events."""
    rate, other = build_rate(0, 70, 130), build_rate(5, 71)

    rate.merge(other, BEGAN + 140)

    merged = build_rate(0, 5, 70, 71, 130)
    assert rate.count_by_minute(BEGAN + 140) == merged.count_by_minute(BEGAN + 140)


def test_an_event_from_the_past_counts_in_the_newest_step():
    """The clock of a rate does not go back."""
    rate = build_rate(100, 100 - 5 * STEP)

    assert rate.count_by_minute(BEGAN + 100)[-1] == 2
