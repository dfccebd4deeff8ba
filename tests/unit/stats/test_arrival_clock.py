from __future__ import annotations

import pytest

from builders import event
from tcsniff.stats.run_counter import RunCounter

AT = 1_795_456_800.0  # 2026-11-23T18:00:00Z


def replay(*received):
    counter = RunCounter("pool", "name", clock=None)
    times = [counter.get_arrival_time(event(received=text)) for text in received]
    return times, counter.now


def test_events_of_a_recording_arrive_when_they_were_received():
    """The time when they are read does not matter."""
    times, now = replay("2026-11-23T18:00:00.000Z", "2026-11-23T18:00:07.500Z")

    assert (times, now) == ([AT, AT + 7.5], AT + 7.5)


@pytest.mark.parametrize("received", [None, "yesterday", "2026-11-23T17:00:00.000Z"])
def test_time_never_goes_back(received):
    """An event with an earlier time, or without one, arrives with the event before it."""
    times, now = replay("2026-11-23T18:00:00.000Z", received)

    assert (times, now) == ([AT, AT], AT)


def test_without_any_time_there_is_none():
    """Such an event arrives at an unknown time."""
    assert replay(None) == ([None], None)


def test_a_live_event_arrives_now():
    """Time stands still when the clock is put back."""
    times = iter([AT + 1, AT - 100, AT + 2])
    counter = RunCounter("pool", "name", clock=lambda: next(times))

    arrivals = [counter.get_arrival_time(event()), counter.get_arrival_time(event()), counter.now]

    assert arrivals == [AT + 1, AT + 1, AT + 2]
