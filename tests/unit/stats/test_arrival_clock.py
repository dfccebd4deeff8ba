from __future__ import annotations

import pytest

from builders import event
from tcsniff.stats.counters import ArrivalClock

AT = 1_795_456_800.0  # 2026-11-23T18:00:00Z


def received(*texts):
    arrivals = ArrivalClock(None)
    return [arrivals.of(event(received=text)) for text in texts], arrivals.now


def test_events_of_a_recording_arrive_when_they_were_received():
    """Not when they are read."""
    times, now = received("2026-11-23T18:00:00.000Z", "2026-11-23T18:00:07.500Z")

    assert (times, now) == ([AT, AT + 7.5], AT + 7.5)


@pytest.mark.parametrize("text", [None, "yesterday", "2026-11-23T17:00:00.000Z"])
def test_time_never_goes_back(text):
    """Recordings may be joined in any order; what does not tell its time comes at once."""
    times, now = received("2026-11-23T18:00:00.000Z", text)

    assert (times, now) == ([AT, AT], AT)


def test_without_any_time_there_is_none():
    """What has to have one has that of the epoch."""
    assert received(None) == ([0.0], None)


def test_a_live_event_arrives_now():
    """By the clock, which may be put back; it never goes back for that."""
    times = iter([AT, AT + 1, AT - 100, AT + 2])
    arrivals = ArrivalClock(lambda: next(times))

    told = [arrivals.of(event()), arrivals.of(event()), arrivals.now]

    assert told == [AT + 1, AT + 1, AT + 2]
