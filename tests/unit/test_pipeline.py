from __future__ import annotations

import pytest

from builders import delivery
from tcsniff.errors import OutputClosed
from tcsniff.pipeline import Outcome, Stop, run_pipeline


class FakeSourceAndRenderer:
    """A source and renderer in one, with a log of its calls."""

    def __init__(self, *batches, broken=False):
        self.all_batches = batches
        self.broken = broken
        self.log = []

    def batches(self):
        """Yield the batches; asking for the next one acknowledges the last."""
        for batch in self.all_batches:
            yield [delivery(body=b"%d" % number) for number in batch]
            self.ack(len(batch))
        self.log.append("end")

    def ack(self, taken):
        """Log the number of deliveries."""
        self.log.append(f"ack {taken}")

    def show(self, events):
        """Log the events."""
        self.log.append(f"show {[event.payload for event in events]}")

    def flush(self):
        """Log the call, or fail."""
        if self.broken:
            raise OutputClosed("gone")
        self.log.append("flush")

    def close(self):
        """Log the call."""
        self.log.append("close")


class Clock:
    """A clock that returns the next second on each call."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        """Return the next second."""
        self.now += 1
        return self.now


def run_batches(*batches, accepts=None, stop=None, clock=Clock):
    fake = FakeSourceAndRenderer(*batches)
    return run_pipeline(fake, fake, accepts=accepts, stop=stop or Stop(), clock=clock()), fake.log


def get_number(delivery):
    return int(delivery.body)


def test_nothing_is_acked_before_it_was_flushed():
    """Each batch is shown, flushed, and only then acknowledged."""
    outcome, log = run_batches([1, 2], [], [3])

    assert outcome is Outcome.SOURCE_ENDED
    assert log == [
        *("show [1, 2]", "flush", "ack 2"),
        *("show []", "flush", "ack 0"),
        *("show [3]", "flush", "ack 1"),
        "end",
    ]


def test_a_batch_that_cannot_be_written_is_not_acked():
    """The broker keeps it for the next consumer."""
    fake = FakeSourceAndRenderer([1, 2], broken=True)

    with pytest.raises(OutputClosed):
        run_pipeline(fake, fake)

    assert fake.log == ["show [1, 2]"]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, ["show [1]", "flush", "ack 1"]),
        (2, ["show [1, 2]", "flush", "ack 2"]),
        (3, ["show [1, 2, 3]", "flush", "ack 3"]),
        (4, ["show [1, 2, 3]", "flush", "ack 3", "show [4]", "flush", "ack 1"]),
    ],
)
def test_a_count_ends_in_the_middle_of_a_batch(count, expected):
    """The rest is neither shown nor acknowledged, and the source is not asked again."""
    outcome, log = run_batches([1, 2, 3], [4, 5], stop=Stop(count=count))

    assert outcome is Outcome.COUNT_REACHED
    assert log == expected


def test_a_count_that_is_not_reached_ends_with_the_source():
    """A recording may be shorter."""
    outcome, log = run_batches([1], [2], stop=Stop(count=3))

    assert outcome is Outcome.SOURCE_ENDED
    assert log[-1] == "end"


def test_only_selected_events_are_shown_and_all_are_acked():
    """The broker does not deliver the others again."""
    outcome, log = run_batches(
        [1, 2, 3], [5], accepts=lambda delivery: get_number(delivery) % 2 == 0
    )

    assert outcome is Outcome.SOURCE_ENDED
    assert log == ["show [2]", "flush", "ack 3", "show []", "flush", "ack 1", "end"]


def test_a_count_counts_selected_events():
    """Deliveries skipped before the last one are acknowledged with it, later ones are not."""
    outcome, log = run_batches(
        [1, 2, 3, 4, 5], accepts=lambda delivery: get_number(delivery) % 2 == 0, stop=Stop(count=2)
    )

    assert outcome is Outcome.COUNT_REACHED
    assert log == ["show [2, 4]", "flush", "ack 4"]


def test_time_runs_out_after_a_batch():
    """The batch is shown and acknowledged, and the source is not asked again."""
    outcome, log = run_batches([1], [], [2], [3], stop=Stop(timeout=3))

    assert outcome is Outcome.TIMED_OUT
    assert log == [
        *("show [1]", "flush", "ack 1"),
        *("show []", "flush", "ack 0"),
        *("show [2]", "flush", "ack 1"),
    ]


def test_a_count_has_priority_over_a_timeout():
    """If the last batch reaches both, the run succeeded."""
    outcome, log = run_batches([1, 2], stop=Stop(count=1, timeout=1))

    assert outcome is Outcome.COUNT_REACHED
    assert log == ["show [1]", "flush", "ack 1"]


def test_without_a_timeout_the_clock_is_not_read():
    """Reading it takes time."""
    clock = Clock()

    fake = FakeSourceAndRenderer([1], [2])
    run_pipeline(fake, fake, clock=clock)

    assert clock.now == 0


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(Outcome.SOURCE_ENDED, 0), (Outcome.COUNT_REACHED, 0), (Outcome.TIMED_OUT, 124)],
)
def test_every_outcome_has_its_status(outcome, status):
    """124 is the exit status of `timeout`(1)."""
    assert outcome.exit_status == status
