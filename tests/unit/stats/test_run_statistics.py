from __future__ import annotations

import functools
import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import GROUP, LATER, RESOLVED, SCHEDULED, STARTED, TASK, delivery, samples
from tcsniff.pulse.times import parse_seconds
from tcsniff.simulator.simulation import simulate
from tcsniff.stats.counters import NAMES, OTHERS, RunStatistics, StatisticsBounds
from tcsniff.stats.rates import MINUTES
from tcsniff.stats.rows import MEASURES

NOW = 1_795_456_800.0
RERUN = [
    delivery("task-defined"),
    delivery("task-pending", run=0),
    delivery("task-running", run=0),
    delivery("task-exception", run=0, retried=True),
    delivery("task-pending", run=1),
]
SMALL = StatisticsBounds(open=3, ended=2, rows=4)


def meters_of(deliveries, by="pool", *, bounds=None, now=NOW):
    meters = RunStatistics(by, bounds=bounds or StatisticsBounds())
    for one in deliveries:
        meters.take(one, now)
    return meters


def told(meters, sort="name", now=NOW):
    return [row.reading(now, NOW) for row in meters.rows(sort, now)]


def lasting(meters):
    """Give what does not depend on when what arrived: of each row that holds runs."""
    readings = [one for one in told(meters) if any(one[1:7])]
    return [(one[:7], one.waiting, one.taking) for one in readings]


def numbers(meters):
    """Give what is pending, running, completed, failed and in exception, by row."""
    return {one.name: one[1:6] for one in told(meters)}


def ended(number, **details):
    return delivery("task-completed", task_id=f"{number:022}", **details)


@functools.cache
def history(seed):
    """Make up what a queue tells about two small groups, in the order of the queue's doing."""
    made = simulate(seed=seed, start=NOW, groups=2, tasks=20)
    return [one for _, one in made]


# What counts.


@pytest.mark.parametrize("events", list(itertools.permutations(RERUN)))
def test_order_of_arrival_does_not_matter(events):
    """A run in exception, and one that waits, whichever is heard of first."""
    assert numbers(meters_of(events)) == {"gecko-t/t-linux-large": (1, 0, 0, 0, 1)}


@pytest.mark.parametrize("by", NAMES)
@given(seed=st.integers(0, 5), data=st.data())
@settings(max_examples=15, deadline=None)
def test_no_order_and_no_repeat_changes_a_number(by, seed, data):
    """Counts and percentiles, of every row and of all."""
    events = history(seed)
    again = data.draw(st.lists(st.sampled_from(events), max_size=40))
    mixed = data.draw(st.randoms(use_true_random=False)).sample(
        [*events, *again], len(events) + len(again)
    )

    mixed_up, in_order = meters_of(mixed, by), meters_of(events, by)

    assert lasting(mixed_up) == lasting(in_order)
    assert mixed_up.total.reading(NOW, NOW) == in_order.total.reading(NOW, NOW)


@pytest.mark.parametrize("by", NAMES)
@given(st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_no_order_changes_what_mozilla_sent(by, random):
    """The same for real messages."""
    real = samples()

    assert lasting(meters_of(random.sample(real, len(real)), by)) == lasting(meters_of(real, by))


# What no queue says: snapshots of one task that do not follow from each other.
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


@pytest.mark.parametrize("by", NAMES)
@given(st.lists(ODD_MESSAGE, max_size=6), st.data())
@settings(max_examples=40, deadline=None)
def test_no_order_changes_what_a_stranger_sent(by, messages, data):
    """Other groups, other times, fewer runs: each task counts as its newest snapshot says."""
    again = data.draw(st.lists(st.sampled_from(messages), max_size=3)) if messages else []
    mixed = data.draw(st.permutations([*messages, *again]))

    one, other = meters_of(mixed, by), meters_of(messages, by)

    assert lasting(one) == lasting(other)
    assert one.total.places == other.total.places


@pytest.mark.parametrize("by", NAMES)
def test_the_rows_add_up_to_the_total(by):
    """Each run is counted in one row."""
    meters = meters_of(history(1), by)

    columns = zip(*(one[1:9] for one in told(meters)), strict=True)

    assert tuple(map(sum, columns)) == meters.total.reading(NOW, NOW)[1:9]


@pytest.mark.parametrize("seed", range(4))
def test_in_the_end_nothing_waits_or_runs(seed):
    """When all that a queue tells was heard, each run has ended."""
    total = meters_of(history(seed)).total.reading(NOW, NOW)

    assert (total.pending, total.running) == (0, 0)
    assert total.finished == total.completed + total.failed + total.exception > 20
    assert total.waiting.number >= total.taking.number > 20


def test_waiting_and_running_are_timed():
    """3 seconds from scheduled to started, 62 from there to resolved."""
    reading = meters_of([delivery("task-failed")]).total.reading(NOW, NOW)

    assert reading.waiting[:2] == (1, pytest.approx(3.0, rel=0.02))
    assert reading.taking[:2] == (1, pytest.approx(62.0, rel=0.02))


@pytest.mark.parametrize(
    ("old", "new", "waited"),
    [
        (b'"started":"2026-11-23T18:00:03', b'"started":"2026-11-23T17:59:00', (1, 0.0)),
        (b'"started":"2026-11-23T18', b'"started":"yesterday', (0, None)),
        (b'"scheduled":"2026-11-23T18', b'"scheduled":"9999-99-99', (0, None)),
    ],
)
def test_times_that_make_no_sense_do_no_harm(old, new, waited):
    """Clocks differ: below 0 is 0. What cannot be read is left out, the run still counts."""
    strange = delivery("task-running")
    strange = strange._replace(body=strange.body.replace(old, new))

    reading = meters_of([strange]).total.reading(NOW, NOW)

    assert reading.running == 1
    assert reading.waiting[:2] == waited


def test_a_state_yet_to_come_is_an_end():
    """Of a kind that has no column."""
    strange = delivery("task-completed")
    strange = strange._replace(body=strange.body.replace(b'"completed"', b'"vanished"'))

    assert meters_of([strange]).total.reading(NOW, NOW)[1:7] == (0, 0, 0, 0, 0, 1)


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
    """In parentheses where it has none."""
    assert list(numbers(meters_of([delivery(event)], by))) == [name]


def test_a_kind_is_known_from_whichever_message_tells_it():
    """A canceled group's messages have no tags, whenever they come."""
    defined = delivery("task-defined", payload={"task": {"tags": {"kind": "build"}}})
    canceled = delivery("task-exception", payload={"task": {"tags": {}}})

    for events in ([defined, canceled], [canceled, defined]):
        assert [row[0][0] for row in lasting(meters_of(events, "kind"))] == ["build"]


def test_what_tells_nothing_new_is_no_news():
    """Neither in a period nor in a rate."""
    meters = meters_of([delivery("task-failed")] * 3 + [delivery("task-running")])

    reading = meters.total.reading(NOW, NOW)

    assert (reading.started, reading.ended, sum(reading.by_minute)) == (1, 1, 1)


def test_a_period_begins_anew():
    """What started and ended is counted for each; what there is, is not."""
    meters = meters_of([delivery("task-running")])
    meters.begin_period()
    meters.take(delivery("task-completed"), NOW + 10)

    for row in (meters.total, *meters.rows("name", NOW)):
        reading = row.reading(NOW + 10, NOW)
        assert (reading.started, reading.ended, reading.completed) == (0, 1, 1)


def test_what_cannot_be_read_is_counted():
    """And does nothing else."""
    meters = meters_of([delivery("task-running", body=b"{"), delivery("hook-created")])

    assert (meters.unread, told(meters)) == (1, [])


# The order of the rows.


def test_rows_are_sorted_by_what_was_asked_for():
    """The largest first; equal ones by how many run, then by name."""
    pools = {"b": "task-running", "a": "task-failed", "c": "task-running", "d": "task-pending"}
    meters = meters_of(
        delivery(event, task_id=pool, worker_type=pool) for pool, event in pools.items()
    )

    order = {sort: [row.name[-1] for row in meters.rows(sort, NOW)] for sort in MEASURES}

    assert order["pending"] == ["d", "b", "c", "a"]
    assert order["failed"] == order["rate"] == order["finished"] == ["a", "b", "c", "d"]
    assert order["running"] == ["b", "c", "a", "d"]
    assert order["wait"][-1] == "d"
    assert order["run"][0] == "a"
    assert [row.name[-1] for row in meters.rows("name", NOW)] == ["a", "b", "c", "d"]
    assert [row.name[-1] for row in meters.rows("name", NOW, reverse=True)] == list("dcba")
    assert [row.name[-1] for row in meters.rows("failed", NOW, reverse=True)] == list("bcda")


# Bounded memory.


def test_a_forgotten_task_is_not_counted_again():
    """A repeat that comes late is known as one; a later run is news."""
    meters = meters_of(map(ended, range(10)), bounds=SMALL)

    meters.take(ended(0), NOW)
    meters.take(delivery("task-running", task_id=f"{0:022}"), NOW)
    assert meters.total.reading(NOW, NOW)[1:6] == (0, 0, 10, 0, 0)

    meters.take(delivery("task-running", task_id=f"{0:022}", run=1), NOW)
    assert meters.total.reading(NOW, NOW)[1:6] == (0, 1, 10, 0, 0)

    meters.take(delivery("task-failed", task_id=f"{0:022}", run=1), NOW)
    assert meters.total.reading(NOW, NOW)[1:6] == (0, 0, 10, 1, 0)


def test_a_forgotten_task_stays_so_whatever_comes_late():
    """Not even all that was ever said of it, in order, counts again."""
    story = [
        delivery("task-pending"),
        delivery("task-exception", retried=True),
        delivery("task-completed", run=1),
    ]
    meters = meters_of([*story, *map(ended, range(10))], bounds=SMALL)

    for one in story:
        meters.take(one, NOW)

    assert meters.total.reading(NOW, NOW)[1:6] == (0, 0, 11, 0, 1)


def test_a_task_that_is_run_again_has_not_ended():
    """It is kept, however many others end, and its new run is counted to its end."""
    meters = meters_of([delivery("task-completed"), delivery("task-pending", run=1)], bounds=SMALL)
    for number in range(10):
        meters.take(ended(number), NOW)
    assert meters.total.reading(NOW, NOW)[1:6] == (1, 0, 10, 0, 1)

    meters.take(delivery("task-failed", run=1), NOW)

    assert meters.total.reading(NOW, NOW)[1:6] == (0, 0, 10, 1, 1)


def test_groups_leave_nothing_behind():
    """There are new ones every day, and nothing is asked of them."""
    meters = meters_of([delivery("task-group-resolved", group="first")])
    tracemalloc.start()

    for number in range(2000):
        meters.take(delivery("task-group-resolved", group=f"group {number}"), NOW)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown < 50_000


def test_a_task_that_nobody_hears_of_is_dropped_past_its_deadline():
    """Its end was lost: it would run for ever. When it is heard of after all, it counts."""
    meters = meters_of([delivery("task-running")])
    late = parse_seconds(LATER) + 2 * 3600

    meters.take(ended(1), late)
    assert meters.total.reading(late, NOW)[1:6] == (0, 0, 1, 0, 0)
    assert meters.total.reading(late, NOW).waiting.number == 1

    meters.take(delivery("task-completed"), late)
    assert meters.total.reading(late, NOW)[1:6] == (0, 0, 2, 0, 0)


def test_a_task_whose_deadline_is_to_come_stays():
    """However long nobody hears of it."""
    meters = meters_of([delivery("task-running")])
    before = parse_seconds(LATER) - 60

    meters.take(ended(1), before)

    assert meters.total.reading(before, NOW)[1:6] == (0, 1, 1, 0, 0)


def test_of_too_many_open_tasks_the_oldest_are_dropped():
    """The others still count, and end as they should."""
    tasks = [f"{number:022}" for number in range(5)]
    meters = meters_of([delivery("task-pending", task_id=task) for task in tasks], bounds=SMALL)
    assert meters.total.reading(NOW, NOW).pending == 3

    for task in tasks:
        meters.take(delivery("task-completed", task_id=task), NOW)

    assert meters.total.reading(NOW, NOW)[1:6] == (0, 0, 5, 0, 0)


def test_rows_beyond_the_bound_are_summed_up():
    """Those that changed longest ago; nothing is lost, and what they count still ends."""
    events = [
        delivery("task-running", task_id=f"{number:022}", worker_type=f"w{number}")
        for number in range(8)
    ]
    meters = meters_of(events, bounds=StatisticsBounds(rows=4))
    assert list(numbers(meters))[-1] == OTHERS
    assert numbers(meters)[OTHERS] == (0, 4, 0, 0, 0)

    for number in range(8):
        worker = f"w{number}"
        meters.take(
            delivery("task-failed", task_id=f"{number:022}", worker_type=worker), NOW + number
        )

    assert len(numbers(meters)) == 5
    assert meters.total.reading(NOW, NOW)[1:6] == (0, 0, 0, 8, 0)
    columns = zip(*(one[1:9] for one in told(meters)), strict=True)
    assert tuple(map(sum, columns)) == meters.total.reading(NOW, NOW)[1:9]


def test_a_row_that_was_summed_up_takes_no_room():
    """However long the tasks last that were counted in it."""
    meters = meters_of([delivery("task-running")], "group", bounds=StatisticsBounds(rows=10))
    tracemalloc.start()

    for number in range(2000):
        task_id = group = f"{number:022}"
        meters.take(delivery("task-running", task_id=task_id, group=group), NOW)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown < 2000 * 2000


@pytest.mark.parametrize("by", NAMES)
def test_narrow_bounds_never_count_below_nothing(by):
    """Whatever is dropped and folded, no number is below 0, and the rows add up."""
    meters = RunStatistics(by, bounds=SMALL)
    for when, one in simulate(seed=3, start=NOW, groups=4, tasks=30):
        meters.take(one, when)
        assert min(meters.total.places) >= 0

    columns = zip(*(one[1:7] for one in told(meters, now=when)), strict=True)

    assert tuple(map(sum, columns)) == meters.total.reading(when, NOW)[1:7]


@pytest.mark.parametrize("by", NAMES)
def test_what_is_kept_stays_within_the_bounds(by):
    """Tasks and rows; groups are not kept at all."""
    meters = RunStatistics(by, bounds=SMALL)
    for when, one in simulate(seed=3, start=NOW, groups=2, tasks=30):
        meters.take(one, when)

        assert len(meters.known) <= SMALL.open + SMALL.ended
        assert len(meters.rows("name", when)) <= SMALL.rows + 1


def test_what_was_dropped_is_forgotten_as_a_whole():
    """The task's name is in no table any more but that of marks."""
    meters = meters_of(map(ended, range(10)), bounds=SMALL)

    assert TASK not in meters.known
    assert len(meters.known) == SMALL.ended


def test_by_minute_has_as_many_numbers_as_are_kept():
    """What a sparkline shows."""
    assert len(meters_of([delivery()]).total.reading(NOW, NOW).by_minute) == MINUTES
