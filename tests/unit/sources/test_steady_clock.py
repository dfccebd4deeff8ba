"""Intervals while the system's clock is changed."""

from __future__ import annotations

import io

import orjson
import pytest

from tcsniff.renderers.output import Output
from tcsniff.renderers.top.top_lines import TopJsonRenderer
from tcsniff.sources.steady_clock import SteadyClock
from tcsniff.stats.run_counter import RunCounter

START = 1_795_456_800.0
HOUR, DAY = 3600.0, 86400.0


class System:
    """A wall clock and a monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.wall, self.monotonic = START, 7.0
        self.clock = SteadyClock(lambda: self.wall, lambda: self.monotonic)

    def sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.mark.parametrize("back", [1.0, HOUR, DAY])
def test_time_goes_on_when_the_clock_is_set_back(back):
    """At the pace of the monotonic clock."""
    system = System()
    system.sleep(5)
    system.wall -= back
    readings = []
    for _ in range(3):
        system.sleep(10)
        readings.append(system.clock() - START)

    assert readings == [15, 25, 35]


def test_time_that_a_suspended_machine_missed_has_passed():
    """The monotonic clock stands still, the wall clock does not."""
    system = System()
    system.sleep(5)
    system.wall += DAY

    assert system.clock() == START + 5 + DAY


@pytest.mark.parametrize("back", [HOUR, DAY])
def test_top_writes_its_periods_when_the_clock_is_set_back(back):
    """One line each ten seconds, as before."""
    system, output = System(), io.BytesIO()
    counter = RunCounter("pool", "name", clock=system.clock, every=10)
    renderer = TopJsonRenderer(Output(output), counter)
    system.sleep(15)
    renderer.flush()
    system.wall -= back
    for _ in range(6):
        system.sleep(5)
        renderer.flush()

    periods = [orjson.loads(line) for line in output.getvalue().splitlines()]
    assert [period["seconds"] for period in periods] == [10, 10, 10, 10]
