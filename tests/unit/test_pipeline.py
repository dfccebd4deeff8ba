from __future__ import annotations

import pytest

from builders import delivery
from tcsniff.errors import OutputClosed
from tcsniff.pipeline import Outcome, Stop, run_pipeline


class Fake:
    """Source and renderer in one, that writes down what happens to it."""

    def __init__(self, *batches, broken=False):
        self.given = batches
        self.broken = broken
        self.log = []

    def batches(self):
        """Hand out; being asked again settles all of the last batch."""
        for batch in self.given:
            yield [delivery(body=b"%d" % number) for number in batch]
            self.ack(len(batch))
        self.log.append("end")

    def ack(self, taken):
        """Write down how many."""
        self.log.append(f"settle {taken}")

    def show(self, events):
        """Write down which."""
        self.log.append(f"show {[event.payload for event in events]}")

    def flush(self):
        """Write it down, or fail."""
        if self.broken:
            raise OutputClosed("gone")
        self.log.append("flush")

    def close(self):
        """Write it down."""
        self.log.append("close")


class Clock:
    """Tells another second each time."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        """Tell it."""
        self.now += 1
        return self.now


def pumped(*batches, accepts=None, stop=None, clock=Clock):
    fake = Fake(*batches)
    return run_pipeline(fake, fake, accepts=accepts, stop=stop or Stop(), clock=clock()), fake.log


def number(one):
    return int(one.body)


def test_nothing_is_settled_before_it_was_flushed():
    """Each batch is shown, flushed, and only then out of our hands."""
    outcome, log = pumped([1, 2], [], [3])

    assert outcome is Outcome.SOURCE_ENDED
    assert log == [
        *("show [1, 2]", "flush", "settle 2"),
        *("show []", "flush", "settle 0"),
        *("show [3]", "flush", "settle 1"),
        "end",
    ]


def test_what_could_not_be_written_is_not_settled():
    """The broker keeps it for the next one."""
    fake = Fake([1, 2], broken=True)

    with pytest.raises(OutputClosed):
        run_pipeline(fake, fake)

    assert fake.log == ["show [1, 2]"]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, ["show [1]", "flush", "settle 1"]),
        (2, ["show [1, 2]", "flush", "settle 2"]),
        (3, ["show [1, 2, 3]", "flush", "settle 3"]),
        (4, ["show [1, 2, 3]", "flush", "settle 3", "show [4]", "flush", "settle 1"]),
    ],
)
def test_a_count_ends_in_the_middle_of_a_batch(count, expected):
    """What was not taken is neither shown nor settled, and the source is not asked again."""
    outcome, log = pumped([1, 2, 3], [4, 5], stop=Stop(count=count))

    assert outcome is Outcome.COUNT_REACHED
    assert log == expected


def test_a_count_that_is_not_reached_ends_with_the_source():
    """A recording may be shorter."""
    outcome, log = pumped([1], [2], stop=Stop(count=3))

    assert outcome is Outcome.SOURCE_ENDED
    assert log[-1] == "end"


def test_only_what_is_kept_is_shown_and_all_is_settled():
    """The broker need not send again what nobody wanted."""
    outcome, log = pumped([1, 2, 3], [5], accepts=lambda one: number(one) % 2 == 0)

    assert outcome is Outcome.SOURCE_ENDED
    assert log == ["show [2]", "flush", "settle 3", "show []", "flush", "settle 1", "end"]


def test_a_count_counts_what_is_kept():
    """What was passed over before the last one is settled with it; what follows is not."""
    outcome, log = pumped(
        [1, 2, 3, 4, 5], accepts=lambda one: number(one) % 2 == 0, stop=Stop(count=2)
    )

    assert outcome is Outcome.COUNT_REACHED
    assert log == ["show [2, 4]", "flush", "settle 4"]


def test_time_runs_out_after_a_batch():
    """What has come is shown and settled; the source is not asked again."""
    outcome, log = pumped([1], [], [2], [3], stop=Stop(timeout=3))

    assert outcome is Outcome.TIMED_OUT
    assert log == [
        *("show [1]", "flush", "settle 1"),
        *("show []", "flush", "settle 0"),
        *("show [2]", "flush", "settle 1"),
    ]


def test_a_count_beats_the_time():
    """Reached with the last batch, it is what was asked for."""
    outcome, log = pumped([1, 2], stop=Stop(count=1, timeout=1))

    assert outcome is Outcome.COUNT_REACHED
    assert log == ["show [1]", "flush", "settle 1"]


def test_without_a_timeout_nobody_looks_at_the_clock():
    """It may be as slow as it likes."""
    clock = Clock()

    fake = Fake([1], [2])
    run_pipeline(fake, fake, clock=clock)

    assert clock.now == 0


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Outcome.SOURCE_ENDED, 0), (Outcome.COUNT_REACHED, 0), (Outcome.TIMED_OUT, 124)],
)
def test_every_outcome_has_its_status(outcome, status):
    """124 is that of `timeout`(1)."""
    assert outcome.exit_status == status
