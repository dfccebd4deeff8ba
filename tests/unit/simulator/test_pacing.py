from __future__ import annotations

import pytest

from tcsniff.simulator.pacing import Pace


@pytest.mark.parametrize(
    ("speed", "rate", "whens", "dues"),
    [
        (1, None, [100, 100, 103, 200], [0, 0, 3, 100]),
        (60, None, [0, 60, 90], [0, 1, 1.5]),
        (0.5, None, [0, 60, 90], [0, 120, 180]),
        (None, 10, [0, 0, 3600], [0, 0.1, 0.2]),
        (1, 10, [0, 0, 0, 5], [0, 0.1, 0.2, 5]),
        (1, 1, [0, 0, 0, 0.5, 3.5, 9], [0, 1, 2, 3, 4, 9]),
        (None, None, [0, 60, 7200], [0, 0, 0]),
    ],
)
def test_messages_come_at_their_time_and_not_too_many(
    speed: float | None, rate: float | None, whens: list[float], dues: list[float]
) -> None:
    """What the rate holds up comes later; what comes after has its own time again."""
    pace = Pace(speed=speed, rate=rate)

    assert [pace.due(when) for when in whens] == pytest.approx(dues)


def test_a_day_of_quiet_is_cut_short() -> None:
    """As until the deadline of a task whose dependency failed; but not where time is real."""
    for speed, expected in ((60, 10), (1.5, 10), (1, 86_400)):
        pace = Pace(speed=speed, rate=None)
        pace.due(0)

        assert pace.due(86_400) == expected


@pytest.mark.parametrize(("rate", "expected"), [(10, 7.1), (None, 2)])
def test_lost_time_is_not_made_up_for_beyond_the_rate(rate: float | None, expected: float) -> None:
    """After a broker that kept us waiting; without a rate, the times are kept to."""
    pace = Pace(speed=1, rate=rate)
    pace.due(0)
    pace.due(2)

    pace.slip(5)

    assert pace.due(2) == pytest.approx(expected)
