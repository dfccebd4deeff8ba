"""Every number of `top` and every row of `runs`, compared with an independent computation."""

from __future__ import annotations

import functools
import itertools

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from builders import delivery, samples
from paths import DATA
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.simulation import simulate
from tcsniff.stats.memory import StatisticsBounds
from tcsniff.stats.run_ledger import RunLedger
from tcsniff.stats.run_statistics import GROUPINGS, RunStatistics
from tcsniff.stats.snapshots import format_row

NOW = 1_795_456_800.0  # 2026-11-23T18:00:00Z
SLO = 10.0
SEEDS = range(8)


@functools.cache
def history(seed):
    """Simulate a while of three small groups, so that some tasks are open."""
    messages = simulate(seed=seed, start=NOW, groups=3, tasks=25)
    return [message for _, message in itertools.islice(messages, 150 + 40 * seed)]


@functools.cache
def workers_history(seed):
    """Simulate an hour of what becomes of workers, with errors and repeats."""
    messages = simulate(seed=seed, start=NOW, groups=5, tasks=60, workers=True)
    return [message for _, message in messages if "worker-manager" in message.exchange]


@functools.cache
def old_samples():
    """Read the sample messages of v19, which have other fields."""
    records = map(orjson.loads, (DATA / "samples-v19.jsonl").read_bytes().splitlines())
    return [
        Delivery(record["exchange"], record["routingKey"], orjson.dumps(record["payload"]))
        for record in records
    ]


def mix(messages, random):
    """Return the messages in another order, a third of them twice."""
    again = random.sample(messages, len(messages) // 3)
    return random.sample([*messages, *again], len(messages) + len(again))


def make_rows(messages, **options):
    """Return the rows of `runs`, as they are printed and sorted by task and run."""
    ledger = RunLedger(waits_for_names=True, **options)
    rows = [row for message in messages for row in ledger.add(message)]
    rows += ledger.finish()
    assert ledger.unread == 0
    return sorted(
        (row._asdict() for row in rows),
        key=lambda row: (row["taskId"], row["runId"] is None, row["runId"]),
    )


def without_nulls(rows):
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def check_rows(messages, expected):
    assert without_nulls(make_rows(messages)) == without_nulls(oracle.list_rows(expected))


@pytest.mark.parametrize("seed", SEEDS)
@given(random=st.randoms(use_true_random=False))
def test_every_run_has_one_row_in_any_order(seed, random):
    """Each value is what the messages say, whatever repeats there are."""
    check_rows(mix(history(seed), random), history(seed))


@pytest.mark.parametrize("read", [samples, old_samples])
@given(random=st.randoms(use_true_random=False))
def test_every_run_of_real_messages_has_one_row(read, random):
    """Those of today, and those of v19."""
    check_rows(mix(read(), random), read())


@pytest.mark.parametrize("seed", SEEDS)
def test_no_row_is_held_back_in_the_order_of_the_queue(seed):
    """A live view prints each row with the message about the end of the run."""
    ledger = RunLedger()

    rows = [row._asdict() for message in history(seed) for row in ledger.add(message)]

    rows.sort(key=lambda row: (row["taskId"], row["runId"]))
    assert without_nulls(rows) == without_nulls(oracle.list_rows(history(seed)))


def check_counts(messages, by, bounds=None):
    """Compare the rows of `top` for messages in some order."""
    now = NOW + 5 * 3600
    statistics = RunStatistics(by, slo=SLO, bounds=bounds or StatisticsBounds())
    for message in messages:
        statistics.add(message, now)
    readings = [
        row.build_reading(now, now, SLO)
        for row in statistics.list_rows("name", now)
        if any(row.states)
    ]

    expected = oracle.count_rows(messages, by, now, SLO)

    assert [reading.name for reading in readings] == sorted(expected)
    for row in map(format_row, readings):
        compare_row(row, expected[row["name"]])
    assert not any(statistics.uncertain)


def compare_row(row, expected):
    names = ("pending", "running", "completed", "failed", "lost", "canceled", "exception")
    assert {name: row[name] for name in names} == {name: expected[name] for name in names}
    for name in ("oldest", "last", "inTime"):
        seconds = expected[name]
        near = seconds if seconds is None else pytest.approx(seconds, abs=0.002)
        assert row.get(name) == near, name
    for name in ("waiting", "runningTime"):
        compare_times(row[name], expected[name])


def compare_times(times, expected):
    for percentile, seconds in zip(("p50", "p95", "p99", "max"), expected, strict=True):
        near = pytest.approx(seconds, rel=0.0201, abs=0.001) if seconds else seconds
        assert times[percentile] == near, percentile


@pytest.mark.parametrize("by", GROUPINGS)
@given(seed=st.sampled_from(SEEDS), random=st.randoms(use_true_random=False))
def test_every_number_of_top_is_that_of_the_messages(by, seed, random):
    """In any order and with repeats; percentiles within two per cent."""
    check_counts(mix(history(seed), random), by)


@pytest.mark.parametrize("by", GROUPINGS)
@pytest.mark.parametrize("read", [samples, old_samples])
def test_every_number_of_top_is_that_of_real_messages(by, read):
    """Those of today, and those of v19."""
    check_counts(read(), by)


@pytest.mark.parametrize("by", GROUPINGS)
def test_every_number_of_top_is_right_above_the_bound_of_open_tasks(by):
    """A thousand open tasks, of which a hundred are kept."""
    tasks = [f"{number:022}" for number in range(1000)]
    messages = [delivery("task-pending", task_id=task) for task in tasks]
    messages += [delivery("task-running", task_id=task) for task in tasks[::2]]
    messages += [delivery("task-failed", task_id=task) for task in tasks[::3]]

    check_counts(messages, by, StatisticsBounds(open=100))


@pytest.mark.parametrize("seed", range(3))
@given(random=st.randoms(use_true_random=False))
def test_every_number_of_workers_is_that_of_the_messages(seed, random):
    """In any order and with repeats, in each pool and in total."""
    messages = workers_history(seed)
    statistics = RunStatistics("pool")
    for message in mix(messages, random):
        statistics.add(message, NOW)

    expected = oracle.count_workers(messages)

    rows = [format_row(row.build_reading(NOW, NOW)) for row in statistics.list_rows("name", NOW)]
    assert [row["name"] for row in rows] == sorted(expected)
    for row in rows:
        workers = expected[row["name"]]
        compare_times(row["workers"].pop("startTime"), workers["startTime"])
        assert row["workers"].items() <= workers.items()
    total = format_row(statistics.total.build_reading(NOW, NOW))["workers"]
    assert total["errors"] == sum(workers["errors"] for workers in expected.values()) > 0
    assert total["running"] == sum(workers["running"] for workers in expected.values()) > 30
