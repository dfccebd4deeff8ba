from __future__ import annotations

import functools
import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, LATER, RESOLVED, SCHEDULED, STARTED, TASK, delivery, samples
from tcsniff.pulse.times import parse_seconds
from tcsniff.simulator.simulation import simulate
from tcsniff.stats.memory import StatisticsBounds
from tcsniff.stats.rates import MINUTES
from tcsniff.stats.rows import MEASURES
from tcsniff.stats.run_statistics import GROUPINGS, OTHERS, RunStatistics

NOW = 1_795_456_800.0
RERUN = [
    delivery("task-defined"),
    delivery("task-pending", run=0),
    delivery("task-running", run=0),
    delivery("task-exception", run=0, retried=True),
    delivery("task-pending", run=1),
]
SMALL = StatisticsBounds(open=3, parked=4, ended=2, rows=4)


def count_runs(deliveries, by="pool", *, bounds=None, now=NOW):
    statistics = RunStatistics(by, bounds=bounds or StatisticsBounds())
    for message in deliveries:
        statistics.add(message, now)
    return statistics


def read_rows(statistics, sort="name", now=NOW):
    return [row.build_reading(now, NOW) for row in statistics.list_rows(sort, now)]


def read_constants(statistics):
    """Return what does not depend on arrival times, for each row that holds runs."""
    readings = [reading for reading in read_rows(statistics) if any(reading[1:9])]
    return [(reading[:9], *reading[13:16]) for reading in readings]


def read_counts(statistics):
    """Return the pending, running, completed, failed and exception runs of each row."""
    return {reading.name: get_counts(reading) for reading in read_rows(statistics)}


def get_counts(reading):
    """Return the pending, running, completed and failed runs, and all exceptions."""
    return (*reading[1:5], sum(reading[5:8]))


def complete(number, **details):
    return delivery("task-completed", task_id=f"{number:022}", **details)


@functools.cache
def history(seed):
    """Simulate two small groups."""
    return [message for _, message in simulate(seed=seed, start=NOW, groups=2, tasks=20)]


# Counting.


def test_order_of_arrival_does_not_matter():
    """A run that ended in exception, and its retry, are both counted."""
    for events in itertools.permutations(RERUN):
        assert read_counts(count_runs(events)) == {"gecko-t/t-linux-large": (1, 0, 0, 0, 1)}, (
            events
        )


@pytest.mark.parametrize("by", GROUPINGS)
@given(seed=st.integers(0, 5), data=st.data())
def test_order_and_repeats_do_not_change_a_number(by, seed, data):
    """Counts and percentiles, of each row and of the total."""
    events = history(seed)
    again = data.draw(st.lists(st.sampled_from(events), max_size=40))
    mixed = data.draw(st.randoms(use_true_random=False)).sample(
        [*events, *again], len(events) + len(again)
    )

    shuffled, in_order = count_runs(mixed, by), count_runs(events, by)

    assert read_constants(shuffled) == read_constants(in_order)
    assert shuffled.total.build_reading(NOW, NOW) == in_order.total.build_reading(NOW, NOW)


@pytest.mark.parametrize("by", GROUPINGS)
@given(st.randoms(use_true_random=False))
def test_order_does_not_matter_for_real_messages(by, random):
    """The messages are from Mozilla's CI."""
    messages = samples()
    shuffled = random.sample(messages, len(messages))

    assert read_constants(count_runs(shuffled, by)) == read_constants(count_runs(messages, by))


# Snapshots of one task that contradict each other; the real queue sends none.
ODD_RUN = st.fixed_dictionaries(
    {"runId": st.integers(0, 2), "state": st.sampled_from(["pending", "running", "failed", "x"])},
    optional={
        "scheduled": st.sampled_from([SCHEDULED, "soon"]),
        "started": st.sampled_from([STARTED, "", "2026-11-23T19:00:00.000Z"]),
        "resolved": st.sampled_from([RESOLVED, SCHEDULED]),
        "workerId": st.sampled_from(["", "w"]),
        "reasonResolved": st.sampled_from(["", "failed"]),
    },
)
ODD_MESSAGE = st.builds(
    lambda status, kind: delivery(
        "task-running", payload={"status": status, "task": {"tags": {"kind": kind}}}
    ),
    st.fixed_dictionaries(
        {
            "taskId": st.sampled_from([TASK, "x"]),
            "taskGroupId": st.sampled_from(["a", "b"]),
            "state": st.sampled_from(["unscheduled", "running", "x"]),
            "runs": st.lists(ODD_RUN, max_size=3),
        },
        optional={"schedulerId": st.sampled_from(["", "s"]), "workerType": st.just("w")},
    ),
    st.sampled_from(["", "a", "b"]),
)


@pytest.mark.parametrize("by", GROUPINGS)
@given(st.lists(ODD_MESSAGE, max_size=6), st.data())
def test_order_does_not_matter_for_contradicting_messages(by, messages, data):
    """Groups, times and runs differ: each task counts as its newest snapshot says."""
    again = data.draw(st.lists(st.sampled_from(messages), max_size=3)) if messages else []
    mixed = data.draw(st.permutations([*messages, *again]))

    shuffled, in_order = count_runs(mixed, by), count_runs(messages, by)

    assert read_constants(shuffled) == read_constants(in_order)
    assert shuffled.total.states == in_order.total.states


@pytest.mark.parametrize("by", GROUPINGS)
def test_the_rows_add_up_to_the_total(by):
    """Each run is counted in one row."""
    statistics = count_runs(history(1), by)

    columns = zip(*(reading[1:11] for reading in read_rows(statistics)), strict=True)

    assert tuple(map(sum, columns)) == statistics.total.build_reading(NOW, NOW)[1:11]


@pytest.mark.parametrize("seed", range(4))
def test_finally_no_run_is_pending_or_running(seed):
    """After all messages of a simulation, every run has ended."""
    total = count_runs(history(seed)).total.build_reading(NOW, NOW)

    assert (total.pending, total.running) == (0, 0)
    assert total.finished == sum(total[3:8]) > 20
    assert total.wait_times.number >= total.run_times.number > 20


def test_wait_and_run_times_are_counted():
    """3 seconds from scheduled to started, 62 from started to resolved."""
    reading = count_runs([delivery("task-failed")]).total.build_reading(NOW, NOW)

    assert reading.wait_times[:2] == (1, pytest.approx(3.0, rel=0.02))
    assert reading.run_times[:2] == (1, pytest.approx(62.0, rel=0.02))


@pytest.mark.parametrize(
    ("old", "new", "waited"),
    [
        (b'"started":"2026-11-23T18:00:03', b'"started":"2026-11-23T17:59:00', (1, 0.0)),
        (b'"started":"2026-11-23T18', b'"started":"yesterday', (0, None)),
        (b'"scheduled":"2026-11-23T18', b'"scheduled":"9999-99-99', (0, None)),
    ],
)
def test_invalid_times_are_left_out(old, new, waited):
    """The run still counts. Negative times, from clocks that differ, count as 0."""
    changed = delivery("task-running")
    changed = changed._replace(body=changed.body.replace(old, new))

    reading = count_runs([changed]).total.build_reading(NOW, NOW)

    assert reading.running == 1
    assert reading.wait_times[:2] == waited


def test_an_unknown_state_is_an_end():
    """It has no column of its own."""
    changed = delivery("task-completed")
    changed = changed._replace(body=changed.body.replace(b'"completed"', b'"vanished"'))

    assert count_runs([changed]).total.build_reading(NOW, NOW)[1:9] == (0,) * 7 + (1,)


@pytest.mark.parametrize(
    ("by", "event", "name"),
    [
        ("pool", "task-pending", "gecko-t/t-linux-large"),
        ("worker", "task-running", "us-east-1/i-0a1b2c3d"),
        ("worker", "task-pending", "(no worker)"),
        ("kind", "task-pending", "(no kind)"),
        ("scheduler", "task-pending", "gecko-level-1"),
        ("group", "task-pending", GROUP),
        ("reason", "task-exception", "claim-expired"),
        ("reason", "task-running", "(not ended)"),
    ],
)
def test_a_run_belongs_to_the_row_of_its_name(by, event, name):
    """The name is in parentheses if the run has none."""
    assert list(read_counts(count_runs([delivery(event)], by))) == [name]


def test_a_kind_is_known_from_any_message_that_has_it():
    """Messages of a canceled group have no tags, in any order."""
    defined = delivery("task-defined", payload={"task": {"tags": {"kind": "build"}}})
    canceled = delivery("task-exception", payload={"task": {"tags": {}}})

    for events in ([defined, canceled], [canceled, defined]):
        assert [row[0][0] for row in read_constants(count_runs(events, "kind"))] == ["build"]


def test_repeats_are_not_counted():
    """Neither in a period nor in a rate, and late messages are not either."""
    statistics = count_runs([delivery("task-failed")] * 3 + [delivery("task-running")])

    reading = statistics.total.build_reading(NOW, NOW)

    assert (reading.started, reading.ended, sum(reading.by_minute)) == (1, 1, 1)


def test_a_new_period_starts_at_zero():
    """Only started and ended runs are counted by period."""
    statistics = count_runs([delivery("task-running")])
    statistics.start_period()
    statistics.add(delivery("task-completed"), NOW + 10)

    for row in (statistics.total, *statistics.list_rows("name", NOW)):
        reading = row.build_reading(NOW + 10, NOW)
        assert (reading.started, reading.ended, reading.completed) == (0, 1, 1)


def test_messages_that_cannot_be_decoded_are_counted():
    """They change nothing else."""
    statistics = count_runs([delivery("task-running", body=b"{"), delivery("hook-created")])

    assert (statistics.unread, read_rows(statistics)) == (1, [])


# Starvation, lost runs and workers.


def test_a_pool_that_starves_comes_first():
    """Three runs have been pending for 38 minutes; another pool's only run waited for 20 s."""
    starved = [
        delivery("task-pending", task_id=f"{number:022}", worker_type="starved")
        for number in range(3)
    ]
    healthy = delivery("task-running", task_id=f"{9:022}", worker_type="healthy")
    now = parse_seconds(SCHEDULED) + 38 * 60

    statistics = count_runs([*starved, healthy], now=now)

    rows = statistics.list_rows("wait", now)
    readings = [row.build_reading(now, now) for row in rows]
    assert [reading.name for reading in readings] == ["gecko-t/starved", "gecko-t/healthy"]
    assert [reading.oldest for reading in readings] == [38 * 60, None]
    assert [reading.last for reading in readings] == [None, 38 * 60 - 3]
    assert readings[0].wait_times[:2] == (3, pytest.approx(38 * 60, rel=0.02))


@pytest.mark.parametrize("sort", ["wait", "oldest"])
def test_one_run_that_starts_does_not_hide_those_that_wait(sort):
    """The oldest pending run counts, whatever the median is."""
    started = [
        delivery("task-running", task_id=f"{number:022}", worker_type="a") for number in range(9)
    ]
    waits = delivery("task-pending", task_id=f"{10:022}", worker_type="a")
    other = delivery("task-running", task_id=f"{11:022}", worker_type="b")
    now = parse_seconds(SCHEDULED) + 600

    statistics = count_runs([other, *started, waits], now=now)

    assert [row.name[-1] for row in statistics.list_rows(sort, now)] == ["a", "b"]
    assert statistics.total.build_reading(now, now).wait_times.p50 < 5


@pytest.mark.parametrize(
    ("now", "slo", "share"),
    [(2, 2, 0.0), (2, 3, 1.0), (3.5, 3, 0.5), (3.5, 4, 1.0), (9, None, None)],
)
def test_the_share_in_time(now, slo, share):
    """A run that has been pending for longer did not start in time; others may still."""
    statistics = RunStatistics("pool", slo=slo)
    for message in (delivery("task-completed"), delivery("task-pending", task_id="x" * 22)):
        statistics.add(message, NOW)

    reading = statistics.total.build_reading(parse_seconds(SCHEDULED) + now, NOW, slo)

    assert reading.in_time == share


@pytest.mark.parametrize(
    ("reason", "column"),
    [
        ("claim-expired", "lost"),
        ("worker-shutdown", "lost"),
        ("canceled", "canceled"),
        ("deadline-exceeded", "exception"),
        ("internal-error", "exception"),
        ("new-reason", "exception"),
    ],
)
def test_exceptions_have_three_columns(reason, column):
    """A lost worker is a sign of an ill pool, a canceled run is not."""
    reading = count_runs([delivery("task-exception", reason=reason)]).total.build_reading(NOW, NOW)

    assert {name: getattr(reading, name) for name in ("lost", "canceled", "exception")} == {
        **dict.fromkeys(("lost", "canceled", "exception"), 0),
        column: 1,
    }


def end_run(event, number, second, **details):
    """Return a message about a run of a worker that ended at a second."""
    message = delivery(event, task_id=f"{number:022}", **details)
    resolved = RESOLVED.replace("18:01:05", f"18:01:{second:02}")
    return message._replace(body=message.body.replace(RESOLVED.encode(), resolved.encode()))


def test_a_streak_is_what_went_wrong_since_a_run_completed():
    """In any order and with repeats; the queue, not the worker, ends a claim."""
    ends = [
        end_run("task-failed", 1, 10),
        end_run("task-completed", 2, 20),
        end_run("task-failed", 3, 30),
        end_run("task-exception", 4, 40),
        end_run("task-exception", 5, 50, reason="canceled"),
    ]
    for order in itertools.permutations(ends):
        (row,) = count_runs([*order, *order[:2]], "worker").list_rows("streak", NOW)

        health = row.build_reading(parse_seconds(RESOLVED) + 60, NOW).health

        assert health == ("gecko-t/t-linux-large", 35.0, 2), order


# The order of the rows.


def test_rows_are_sorted_by_the_chosen_measure():
    """The largest first; equal ones by number of running runs, then by name."""
    pools = {"b": "task-running", "a": "task-failed", "c": "task-running", "d": "task-pending"}
    statistics = count_runs(
        delivery(event, task_id=pool, worker_type=pool) for pool, event in pools.items()
    )

    def sort_rows(sort, *, reverse=False):
        return [row.name[-1] for row in statistics.list_rows(sort, NOW, reverse=reverse)]

    order = {sort: sort_rows(sort) for sort in MEASURES}

    assert order["pending"] == ["d", "b", "c", "a"]
    assert order["failed"] == order["rate"] == order["finished"] == ["a", "b", "c", "d"]
    assert order["running"] == ["b", "c", "a", "d"]
    assert order["wait"][-1] == "d"
    assert order["run"][0] == "a"
    assert sort_rows("name") == ["a", "b", "c", "d"]
    assert sort_rows("name", reverse=True) == ["d", "c", "b", "a"]
    assert sort_rows("failed", reverse=True) == ["b", "c", "d", "a"]


# Bounded memory.


def test_a_forgotten_task_is_not_counted_again():
    """A late repeat is ignored; a further run is counted."""
    statistics = count_runs(map(complete, range(10)), bounds=SMALL)

    statistics.add(complete(0), NOW)
    statistics.add(delivery("task-running", task_id=f"{0:022}"), NOW)
    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (0, 0, 10, 0, 0)

    statistics.add(delivery("task-running", task_id=f"{0:022}", run=1), NOW)
    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (0, 1, 10, 0, 0)

    statistics.add(delivery("task-failed", task_id=f"{0:022}", run=1), NOW)
    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (0, 0, 10, 1, 0)


def test_late_messages_do_not_bring_a_forgotten_task_back():
    """Not even a repeat of all its messages, in order, is counted."""
    story = [
        delivery("task-pending"),
        delivery("task-exception", retried=True),
        delivery("task-completed", run=1),
    ]
    statistics = count_runs([*story, *map(complete, range(10))], bounds=SMALL)

    for message in story:
        statistics.add(message, NOW)

    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (0, 0, 11, 0, 1)


def test_a_task_that_is_run_again_has_not_ended():
    """It is kept when many others end, and its new run is counted."""
    rerun = [delivery("task-completed"), delivery("task-pending", run=1)]
    statistics = count_runs(rerun, bounds=SMALL)
    for number in range(10):
        statistics.add(complete(number), NOW)
    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (1, 0, 10, 0, 1)

    statistics.add(delivery("task-failed", run=1), NOW)

    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (0, 0, 10, 1, 1)


def test_messages_about_groups_use_no_memory():
    """There are new groups every day."""
    statistics = count_runs([delivery("task-group-resolved", group="first")])
    tracemalloc.start()

    for number in range(2000):
        statistics.add(delivery("task-group-resolved", group=f"group {number}"), NOW)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown < 50_000


def test_an_open_task_is_dropped_when_its_deadline_is_long_past():
    """The message about its end was lost. If it arrives after all, the run counts."""
    statistics = count_runs([delivery("task-running")])
    late = parse_seconds(LATER) + 2 * 3600

    statistics.add(complete(1), late)
    assert get_counts(statistics.total.build_reading(late, NOW)) == (0, 0, 1, 0, 0)
    assert statistics.total.build_reading(late, NOW).wait_times.number == 1

    statistics.add(delivery("task-completed"), late)
    assert get_counts(statistics.total.build_reading(late, NOW)) == (0, 0, 2, 0, 0)


def test_an_open_task_is_kept_until_its_deadline():
    """Even if there is no message about it for a long time."""
    statistics = count_runs([delivery("task-running")])
    before = parse_seconds(LATER) - 60

    statistics.add(complete(1), before)

    assert get_counts(statistics.total.build_reading(before, NOW)) == (0, 1, 1, 0, 0)


def test_open_tasks_beyond_the_bound_still_count():
    """Only what is counted of them is kept, and all of their ends are counted."""
    tasks = [f"{number:022}" for number in range(7)]
    statistics = count_runs(
        (delivery("task-pending", task_id=task) for task in tasks), bounds=SMALL
    )
    pending = statistics.total.build_reading(NOW, NOW)
    assert (pending.pending, pending.wait_times.number, pending.oldest) == (7, 7, 0.0)

    for task in tasks:
        statistics.add(delivery("task-running", task_id=task), NOW)
    running = statistics.total.build_reading(NOW, NOW)
    assert (get_counts(running), running.oldest, running.started) == ((0, 7, 0, 0, 0), None, 7)

    for task in tasks:
        statistics.add(delivery("task-completed", task_id=task), NOW)
    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (0, 0, 7, 0, 0)
    assert not any(statistics.uncertain)


def test_runs_that_had_to_be_dropped_are_reported():
    """Beyond all bounds, pending and running are estimates, with their extent."""
    tasks = [f"{number:022}" for number in range(10)]
    statistics = count_runs(
        (delivery("task-pending", task_id=task) for task in tasks), bounds=SMALL
    )

    pending = statistics.total.build_reading(NOW, NOW).pending

    assert pending + statistics.uncertain.open == 10
    assert statistics.uncertain.open > 0


@pytest.mark.parametrize("by", GROUPINGS)
@given(seed=st.integers(0, 5), random=st.randoms(use_true_random=False))
def test_bounds_of_open_tasks_change_no_number(by, seed, random):
    """Parked tasks count like others, in any order and with repeats."""
    messages = history(seed)
    mixed = random.sample([*messages, *messages[::3]], len(messages) + len(messages[::3]))
    bounds = StatisticsBounds(open=5)

    parked, kept = count_runs(mixed, by, bounds=bounds), count_runs(mixed, by)

    if by not in ("kind", "label", "project"):  # a late name comes too late for parked tasks
        assert read_constants(parked) == read_constants(kept)
    assert parked.total.build_reading(NOW, NOW) == kept.total.build_reading(NOW, NOW)
    assert not any(parked.uncertain)


def test_a_parked_task_keeps_its_name():
    """Messages of a canceled group have no tags."""
    kinds = {f"{number:022}": f"kind {number}" for number in range(5)}
    named = [
        delivery("task-defined", task_id=task, payload={"task": {"tags": {"kind": kind}}})
        for task, kind in kinds.items()
    ]
    canceled = [
        delivery("task-exception", task_id=task, payload={"task": {"tags": {}}}) for task in kinds
    ]

    statistics = count_runs([*named, *canceled], "kind", bounds=StatisticsBounds(open=1))

    assert list(read_counts(statistics)) == list(kinds.values())


def test_a_rerun_of_a_task_of_long_ago_counts_only_the_new_run():
    """The earlier run was counted while it ran; that this is assumed is reported."""
    statistics = count_runs(
        map(complete, range(100)), bounds=StatisticsBounds(ended=1, forgotten=8), now=NOW - 60
    )

    statistics.add(delivery("task-pending", task_id=f"{0:022}", run=1), NOW)

    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (1, 0, 100, 0, 0)
    assert statistics.uncertain == (0, 1, 0)


def test_the_end_of_a_run_of_long_ago_is_counted():
    """That it may be a repeat is reported."""
    statistics = count_runs(
        map(complete, range(100)), bounds=StatisticsBounds(ended=1, forgotten=8), now=NOW - 60
    )

    statistics.add(complete(0), NOW + 2 * 3600)

    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (0, 0, 101, 0, 0)
    assert statistics.uncertain == (0, 1, 0)


def test_runs_that_ended_before_counting_began_are_counted():
    """They cannot have been counted before."""
    late = parse_seconds(LATER)
    statistics = count_runs(
        map(complete, range(100)), bounds=StatisticsBounds(ended=1, forgotten=8), now=late
    )

    statistics.add(delivery("task-pending", run=1), late)

    assert get_counts(statistics.total.build_reading(late, late)) == (1, 0, 100, 0, 1)
    assert not any(statistics.uncertain)


def test_a_parked_task_is_dropped_when_its_deadline_is_long_past():
    """Like one that is kept."""
    tasks = [f"{number:022}" for number in range(5)]
    statistics = count_runs(
        (delivery("task-running", task_id=task) for task in tasks), bounds=SMALL
    )
    late = parse_seconds(LATER) + 2 * 3600

    statistics.add(complete(9), late)

    assert get_counts(statistics.total.build_reading(late, NOW)) == (0, 0, 1, 0, 0)
    assert not any(statistics.uncertain)


def test_rows_beyond_the_bound_are_merged():
    """No run is lost, and the end of a run in a merged row is counted."""
    events = [
        delivery("task-running", task_id=f"{number:022}", worker_type=f"w{number}")
        for number in range(8)
    ]
    statistics = count_runs(events, bounds=StatisticsBounds(rows=4))
    assert list(read_counts(statistics))[-1] == OTHERS
    assert read_counts(statistics)[OTHERS] == (0, 4, 0, 0, 0)

    for number in range(8):
        worker = f"w{number}"
        statistics.add(
            delivery("task-failed", task_id=f"{number:022}", worker_type=worker), NOW + number
        )

    assert len(read_counts(statistics)) == 5
    assert get_counts(statistics.total.build_reading(NOW, NOW)) == (0, 0, 0, 8, 0)
    columns = zip(*(reading[1:11] for reading in read_rows(statistics)), strict=True)
    assert tuple(map(sum, columns)) == statistics.total.build_reading(NOW, NOW)[1:11]


def test_a_merged_row_uses_no_memory():
    """Even while its tasks are open."""
    statistics = count_runs([delivery("task-running")], "group", bounds=StatisticsBounds(rows=10))
    tracemalloc.start()

    for number in range(500):
        task_id = group = f"{number:022}"
        statistics.add(delivery("task-running", task_id=task_id, group=group), NOW)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown < 500 * 2000


@pytest.mark.parametrize("by", GROUPINGS)
def test_small_bounds_never_give_negative_counts(by):
    """No number is below 0 after tasks are dropped and rows merged, and the rows add up."""
    statistics = RunStatistics(by, bounds=SMALL)
    for when, message in simulate(seed=3, start=NOW, groups=4, tasks=30):
        statistics.add(message, when)
        assert min(statistics.total.states) >= 0

    columns = zip(*(reading[1:9] for reading in read_rows(statistics, now=when)), strict=True)

    assert tuple(map(sum, columns)) == statistics.total.build_reading(when, NOW)[1:9]


@pytest.mark.parametrize("by", GROUPINGS)
def test_memory_stays_within_the_bounds(by):
    """Numbers of tasks and rows."""
    statistics = RunStatistics(by, bounds=SMALL)
    for when, message in simulate(seed=3, start=NOW, groups=2, tasks=30):
        statistics.add(message, when)

        assert len(statistics.task_ids) <= SMALL.open + SMALL.ended
        assert len(statistics.list_rows("name", when)) <= SMALL.rows + 1


def test_a_dropped_task_is_not_kept_anywhere():
    """Only as many tasks as allowed are left."""
    statistics = count_runs(map(complete, range(10)), bounds=SMALL)

    assert TASK not in statistics.task_ids
    assert len(statistics.task_ids) == SMALL.ended


def test_by_minute_has_a_number_for_each_minute():
    """The numbers of a sparkline."""
    assert len(count_runs([delivery()]).total.build_reading(NOW, NOW).by_minute) == MINUTES
