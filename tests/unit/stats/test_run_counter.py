from __future__ import annotations

import pytest

from builders import event
from tcsniff.commands.wiring.snapshot_check import SnapshotCheck
from tcsniff.errors import UsageError
from tcsniff.pipeline import Outcome
from tcsniff.selection.expressions import compile_expression
from tcsniff.stats.run_counter import RunCounter
from tcsniff.stats.snapshots import SNAPSHOT_FIELDS

TIMES = ("2026-11-23T18:00:00.000Z", "2026-11-23T18:00:30.000Z", "2026-11-23T19:00:00.000Z")


def check(*, until=(), fail_on=()):
    """Count a run that waits for an hour; return the outcome and the snapshots until then."""
    counter = RunCounter("pool", "name", every=600)
    snapshots = []
    expressions = [
        [compile_expression(text, "--until", fields=SNAPSHOT_FIELDS) for text in texts]
        for texts in (until, fail_on)
    ]
    watch = SnapshotCheck(*expressions, counter)
    counter.listen(snapshots.append)
    for time in TIMES:
        counter.add(event("task-pending", received=time))
    return watch.find_last_outcome(), snapshots


@pytest.mark.parametrize(
    ("options", "outcome", "number"),
    [
        ({"fail_on": ["rows[?oldest > `1800`]"]}, Outcome.FAIL_ON_MATCHED, 4),
        ({"until": ["total.oldest > `1000`"]}, Outcome.UNTIL_MATCHED, 2),
        ({"until": ["total.pending"], "fail_on": ["total.pending"]}, Outcome.FAIL_ON_MATCHED, 1),
        ({"until": ["rows[?oldest > `9000`]"]}, None, 7),
        ({"fail_on": ["total.last"]}, None, 7),
        ({}, None, 7),
    ],
)
def test_conditions_see_each_snapshot(options, outcome, number):
    """An empty list, null and false match nothing; counting ends at the first match."""
    found, snapshots = check(**options)

    assert (found, len(snapshots)) == (outcome, number)


def test_an_unknown_field_is_wrong_usage():
    """A check that can never match would be green for ever."""
    with pytest.raises(UsageError, match="did you mean 'rows'"):
        check(until=["row[?oldest > `1800`]"])


@pytest.mark.parametrize("first", [None, "yesterday"])
def test_the_first_period_begins_when_a_time_is_known(first):
    """An event without a valid time counts in it, and does not make it half a century long."""
    counter = RunCounter("pool", "name", every=600)
    snapshots = []
    counter.listen(snapshots.append)
    for task, time in (("a", first), ("b", TIMES[0]), ("c", TIMES[1])):
        counter.add(event("task-completed", task_id=task * 22, received=time))

    counter.finish()

    (snapshot,) = snapshots
    assert (snapshot["seconds"], snapshot["events"]) == (30.0, 3)
    assert (snapshot["total"]["completed"], snapshot["total"]["rate"]) == (3, 4.0)
