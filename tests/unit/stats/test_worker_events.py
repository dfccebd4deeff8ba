"""What `top` counts of worker-manager's events."""

from __future__ import annotations

import itertools

import pytest

from builders import delivery, event, worker_event
from tcsniff.stats.run_counter import RunCounter
from tcsniff.stats.run_statistics import GROUPINGS, RunStatistics
from tcsniff.stats.worker_counts import MAX_KINDS, OTHER_KINDS
from tcsniff.stats.worker_events import WorkerEvents

NOW = 1_795_456_800.0  # 2026-11-23T18:00:00Z
POOL = "gecko-t/t-linux-large"


def at(minute):
    """Return a time, in minutes after six."""
    return f"2026-11-23T18:{minute:02}:00.000Z"


LIFE = [
    worker_event("worker-requested", time=at(0)),
    worker_event("worker-running", time=at(9)),
    worker_event("worker-removed", time=at(20), reason="terminateAfter time exceeded"),
    worker_event("worker-stopped", time=at(21)),
]


def count(messages, by="pool"):
    statistics = RunStatistics(by)
    for message in messages:
        statistics.add(message, NOW)
    return statistics


def read_workers(statistics):
    """Return what each row has of its workers, by name."""
    rows = [row.build_reading(NOW, NOW) for row in statistics.list_rows("name", NOW)]
    return {row.name: row.workers for row in rows}


def test_each_step_of_a_worker_is_counted_once_in_any_order():
    """And the time that it took to start, within two per cent."""
    for messages in itertools.permutations([*LIFE, LIFE[0]]):
        (workers,) = read_workers(count(messages)).values()

        assert workers[:5] == (1, 1, 1, 1, 0)
        assert workers.start_times.number == 1
        assert workers.start_times.p50 == pytest.approx(540, rel=0.02)


def test_a_worker_that_registers_again_runs_again():
    """The time that it took to start is that of the first time, whichever is known first."""
    again = worker_event("worker-running", time=at(50))
    for messages in itertools.permutations([*LIFE[:2], again]):
        (workers,) = read_workers(count(messages)).values()

        assert (workers.running, workers.start_times.number) == (2, 1)
        assert workers.start_times.longest == pytest.approx(540, rel=0.02)


@pytest.mark.parametrize(
    "messages",
    [
        LIFE[1:],
        [LIFE[0]],
        [worker_event("worker-requested", time=at(10)), LIFE[1]],
        [LIFE[0], worker_event("worker-running", time=at(9), worker="other")],
        [LIFE[0], worker_event("worker-running", time=at(9), pool="other/pool")],
        [LIFE[0], worker_event("worker-running", time="soon")],
    ],
)
def test_without_both_times_of_a_worker_there_is_no_start_time(messages):
    """It was requested before counting began, or never came, or that was an earlier life."""
    readings = read_workers(count(messages)).values()

    assert [reading.start_times.number for reading in readings] == [0] * len(readings)


def test_errors_are_counted_by_kind():
    """The same error twice is one; the most frequent kind is first."""
    messages = [
        worker_event("worker-pool-error", kind=kind, errorId=error)
        for kind, error in [("a", "1"), ("b", "2"), ("b", "3"), ("b", "3")]
    ]

    (workers,) = read_workers(count(messages)).values()

    assert (workers.errors, workers.kinds) == (3, (("b", 2), ("a", 1)))


def test_kinds_of_errors_are_limited():
    """Workers choose their names."""
    messages = [
        worker_event("worker-pool-error", kind=f"kind {number}", errorId=f"{number}")
        for number in range(100)
    ]

    (workers,) = read_workers(count(messages)).values()

    assert (workers.errors, len(workers.kinds)) == (100, MAX_KINDS + 1)
    assert workers.kinds[0] == (OTHER_KINDS, 100 - MAX_KINDS)


def test_workers_and_runs_of_a_pool_share_a_row():
    """A pool with workers and without runs has one, too."""
    statistics = count([delivery("task-running"), *LIFE, worker_event(pool="a/b")])

    assert {name: workers.running for name, workers in read_workers(statistics).items()} == {
        "a/b": 1,
        POOL: 1,
    }


@pytest.mark.parametrize("by", GROUPINGS)
def test_only_pools_have_rows_for_workers_and_every_total_has_them(by):
    """A task's kind says nothing about a worker."""
    statistics = count(LIFE, by)

    assert list(read_workers(statistics)) == ([POOL] if by == "pool" else [])
    assert statistics.total.build_reading(NOW, NOW).workers.running == 1


@pytest.mark.parametrize("by", ["pool", "kind"])
def test_the_json_of_pools_always_has_workers(by):
    """Also if nothing was announced, so that expressions find numbers."""
    counter = RunCounter(by, "name")
    snapshots = []
    counter.listen(snapshots.append)
    counter.add(event("task-running"))

    counter.finish()

    (snapshot,) = snapshots
    zeros = {**dict.fromkeys(("requested", "running", "stopped", "removed", "errors"), 0)}
    zeros["errorKinds"] = {}
    zeros["startTime"] = {"count": 0, "p50": None, "p95": None, "p99": None, "max": None}
    assert snapshot["total"]["workers"] == zeros
    assert [row.get("workers") for row in snapshot["rows"]] == [zeros if by == "pool" else None]


def test_merged_pools_share_their_workers():
    """Nothing is lost when there are too many pools."""
    messages = [
        worker_event(name, pool=f"some/pool-{number}", time=at(minute))
        for number in range(1500)
        for name, minute in (("worker-requested", 0), ("worker-running", 5))
    ]
    messages += [worker_event("worker-pool-error", kind="x", errorId=f"{n}") for n in range(9)]

    readings = read_workers(count(messages))

    assert len(readings) <= 1001
    assert sum(workers.running for workers in readings.values()) == 1500
    assert sum(workers.start_times.number for workers in readings.values()) == 1500
    assert sum(workers.errors for workers in readings.values()) == 9


def test_an_event_of_long_ago_may_be_a_repeat():
    """It is counted, and reported as uncertain."""
    events = WorkerEvents(max_events=8)
    for number in range(100):
        events.apply(worker_event(time=at(number % 60), worker=f"w{number}"), NOW)

    assert events.apply(worker_event(time=at(0), worker="another"), NOW) is not None
    assert events.guessed > 0


def test_the_times_of_few_workers_are_remembered():
    """Memory is bounded; a worker that was forgotten has no start time."""
    events = WorkerEvents(max_workers=2)
    for name in ("a", "b", "c"):
        events.apply(worker_event("worker-requested", worker=name, time=at(0)), NOW)

    starts = [
        events.apply(worker_event(worker=name, time=at(5)), NOW).start for name in ("c", "b", "a")
    ]

    assert [start is None for start in starts] == [False, False, True]


def test_what_is_not_an_event_about_a_worker_is_unread():
    """Nothing else happens."""
    bodies = (b"{", b"[]", b'{"workerId":1}', b"\xff")

    statistics = count([delivery("worker-running", body=body) for body in bodies])

    assert (statistics.unread, read_workers(statistics)) == (4, {})


def test_other_events_are_named_and_not_counted():
    """By EVENT; by its full name if an exchange is not Taskcluster's."""
    names = ["client-created", "task-group-resolved", "worker-pool-updated", "client-created"]
    messages = [delivery(name) for name in names]
    messages.append(delivery("task-running", exchange="exchange/hgpushes/v2"))

    statistics = count(messages)

    assert statistics.uncounted == {
        "client-created": 2,
        "task-group-resolved": 1,
        "worker-pool-updated": 1,
        "exchange/hgpushes/v2": 1,
    }
    assert read_workers(statistics) == {}
