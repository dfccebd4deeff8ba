"""Silence is explained once, after a while."""

from __future__ import annotations

import pytest

from tcsniff.commands.wiring.silence import PATIENCE, Silence
from tcsniff.pipeline import EventCounts
from tcsniff.pulse.routing import Binding

BINDINGS = [Binding("a", "x"), Binding("a", "y"), Binding("b", "x"), Binding("c", "#")]


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_what_is_in_place_is_listed_once(clock):
    """Not before the time is over; the text stays for the status line."""
    silence = Silence(BINDINGS, "", clock)
    clock.now += PATIENCE - 0.1
    early = silence.check(EventCounts())
    clock.now += 0.2

    texts = [silence.check(EventCounts()) for _ in range(2)]

    assert early == ""
    assert texts == ["nothing received yet; 4 bindings on 3 exchanges are in place", ""]
    assert silence.text == texts[0]


def test_the_first_event_ends_it(clock):
    """For good: later pauses are not explained."""
    silence = Silence(BINDINGS, "", clock)
    clock.now += 2 * PATIENCE
    silence.check(EventCounts())

    silence.check(EventCounts(received=1, matched=1, printed=1))
    clock.now += 10 * PATIENCE

    assert silence.text == ""
    assert silence.check(EventCounts(received=1, matched=1, printed=1)) == ""
    assert silence.text == ""


def test_filters_that_leave_everything_out_are_named(clock):
    """What was received, and the flags that decide."""
    silence = Silence(BINDINGS[:1], "--where, --state", clock)
    clock.now += PATIENCE

    assert silence.check(EventCounts(received=1200)) == (
        "nothing matches yet: 1,200 events received, none of them selected (--where, --state)"
    )


def test_one_binding_is_one(clock):
    """In the singular."""
    silence = Silence(BINDINGS[:1], "", clock)
    clock.now += PATIENCE

    assert silence.check(EventCounts()) == (
        "nothing received yet; 1 binding on 1 exchange is in place"
    )
