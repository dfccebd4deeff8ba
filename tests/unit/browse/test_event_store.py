from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, OTHER_TASK, TASK, event
from tcsniff.browse.event_rows import build_row
from tcsniff.browse.event_store import EventStore, Ring
from tcsniff.pulse.events import Event


def rows(number, **details):
    return [build_row(event(**details)) for _ in range(number)]


@given(st.lists(st.sampled_from(["append", "drop"]), max_size=40), st.integers(0, 3_000))
def test_a_ring_is_a_list_that_loses_its_start(steps, first_size):
    """Whatever is added and dropped, and in which order."""
    ring, model = Ring(), []
    for number in range(first_size):
        ring.append(number)
        model.append(number)
    for number, step in enumerate(steps):
        if step == "append":
            ring.append(number)
            model.append(number)
        elif model:
            for _ in range(min(len(model), 200)):
                assert ring.drop_first() == model.pop(0)

    assert [ring[index] for index in range(len(ring))] == model


def test_a_row_keeps_the_message_whole():
    """Byte for byte, with its routes."""
    made = event("task-failed", routes=["index.a", "b"], redelivered=True)

    row = build_row(made)

    assert row.delivery == made.delivery
    assert (row.task_id, row.group_id, row.run_id, row.is_failure) == (TASK, GROUP, 0, True)
    assert row.pool == "gecko-t/t-linux-large"


def test_a_body_that_is_not_json_keeps_its_bytes():
    """And it has a row."""
    made = event("task-failed", body=b"\x00\xff{")

    row = build_row(made)

    assert row.delivery.body == b"\x00\xff{"
    assert "body is not json" in row.searched


def test_the_oldest_rows_are_dropped():
    """The numbers of the others stay what they were."""
    store = EventStore(max_rows=3)

    store.add(rows(5))

    assert (store.first, store.end, store.total) == (2, 5, 5)
    assert 2 in store
    assert 1 not in store


def test_large_messages_are_dropped_earlier():
    """The memory is bounded, not only the number of rows."""
    store = EventStore()
    large = build_row(event())._replace(record=b"x" * (1 << 20))

    store.add([large] * 300)

    assert store.end - store.first < 110
    assert store.total == 300


def test_a_label_is_known_for_every_row_of_its_task():
    """Most messages about a run have it, others don't; forgotten when the rows are gone."""
    store = EventStore(max_rows=2)

    store.add(rows(1, label="build-a") + rows(1, label="") + rows(1, label="", task_id=OTHER_TASK))
    known = [store.get_label(number) for number in range(store.first, store.end)]
    store.add(rows(2, label="", task_id=OTHER_TASK) + rows(1, label=""))
    later = store.get_label(store.end - 1)

    assert known == ["build-a", ""]
    assert later == ""


def test_an_event_without_a_known_exchange_has_a_row():
    """Recordings may have any exchange."""
    row = build_row(Event(event().delivery._replace(exchange="exchange/other/x", routing_key="k")))

    assert (row.task_id, row.group_id, row.name) == ("", "", "x")
    assert "k" in row.searched
