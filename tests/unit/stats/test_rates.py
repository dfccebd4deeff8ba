from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcsniff.stats.rates import MINUTES, STEP, Rate

BEGAN = 1_795_456_800.0  # on a full minute


def rate_of(*seconds):
    rate = Rate()
    for when in seconds:
        rate.add(BEGAN + when)
    return rate


@pytest.mark.parametrize(
    ("seconds", "now", "told"),
    [
        ([0, 1, 2], 30, 6.0),  # counted for half a minute
        ([0], 1, 6.0),  # at least one step, or one event would look like sixty
        (range(0, 3600, 10), 3600, 6.0),
        ([0, 1, 2], 60, 3.0),
        ([0, 1, 2], 200, 0.0),
        ([], 50, 0.0),
    ],
)
def test_a_rate_is_that_of_the_last_minute(seconds, now, told):
    """Or of the time since it is counted, if that is less."""
    rate = rate_of(*seconds)

    assert rate.per_minute(BEGAN + now, BEGAN) == pytest.approx(told)


def test_each_minute_has_its_number():
    """The newest last; what is longer ago than all of them is gone."""
    rate = rate_of(0, 59, 60, 61, 62, 185)

    assert rate.by_minute(BEGAN + 190) == [0] * (MINUTES - 4) + [2, 3, 0, 1]
    assert rate.by_minute(BEGAN + 60 * (MINUTES + 1)) == [0, 1] + [0] * (MINUTES - 2)
    assert rate.by_minute(BEGAN + 86_400) == [0] * MINUTES


def test_minutes_move_on_as_they_are():
    """A sparkline that changed its past would flicker."""
    rate = rate_of(*range(0, 600, 7))

    before = rate.by_minute(BEGAN + 600)
    after = rate.by_minute(BEGAN + 660)

    assert after[:-1] == before[1:]


@given(st.lists(st.floats(0, 90_000).map(float), max_size=60))
def test_all_of_the_last_minutes_is_counted(seconds):
    """However long it was quiet in between."""
    whens = sorted(seconds)
    now = max(whens, default=0.0)

    told = rate_of(*whens).by_minute(BEGAN + now)

    first = (now // 60 - MINUTES + 1) * 60
    assert sum(told) == sum(when >= first for when in whens)


def test_rates_can_be_put_together():
    """As if all had been counted in one."""
    rate, other = rate_of(0, 70, 130), rate_of(5, 71)

    rate.merge(other, BEGAN + 140)

    together = rate_of(0, 5, 70, 71, 130)
    assert rate.by_minute(BEGAN + 140) == together.by_minute(BEGAN + 140)


def test_a_clock_that_goes_back_stands_still():
    """What comes late counts now."""
    rate = rate_of(100, 100 - 5 * STEP)

    assert rate.by_minute(BEGAN + 100)[-1] == 2
