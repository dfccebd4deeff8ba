from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GROUP, OTHER_TASK, STATES, TASK, event, row_of, samples
from tcsniff.browse.event_rows import build_rows
from tcsniff.browse.event_store import EventStore, Ring
from tcsniff.pulse.deliveries import Delivery


def rows(number, **details):
    return [row_of(event(**details)) for _ in range(number)]


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
    """Byte for byte, with its routes, alone and among others."""
    made = [event(name, routes=["index.a", "b"], redelivered=True) for name in STATES] * 20

    found = build_rows([one.delivery for one in made])

    assert [row.delivery for row in found] == [one.delivery for one in made]
    assert [row.name for row in found] == [one.name for one in made]
    assert {(row.task_id, row.group_id) for row in found} == {(TASK, GROUP)}


@pytest.mark.parametrize("delivery", samples())
def test_a_row_is_built_from_the_routing_key(delivery):
    """Without decoding, it says the same as the event, for every exchange."""
    row = build_rows([delivery])[0]

    group = row.event.routing.get("taskGroupId", "")
    assert (row.name, row.task_id) == (row.event.name, row.event.task_id)
    assert row.group_id == ("" if group == "_" else group)
    assert row.label in ("", row.event.label)


@given(
    st.lists(
        st.builds(
            Delivery,
            st.text(),
            st.text(st.characters()),
            st.binary(),
            st.none() | st.lists(st.text()).map(tuple),
            st.booleans(),
            st.none() | st.text(),
        ),
        max_size=70,
    )
)
def test_any_message_is_kept(deliveries):
    """Also those that no broker would deliver."""
    assert [row.delivery for row in build_rows(deliveries)] == deliveries


def test_names_that_are_not_valid_unicode_are_replaced():
    """As in a record."""
    row = build_rows([event().delivery._replace(exchange="\ud800", cc=("a", "\udfff"))])[0]

    assert row.delivery == event().delivery._replace(exchange="\ufffd", cc=("a", "\ufffd"))


def test_a_large_message_has_a_block_of_its_own():
    """Looking at a small one does not decompress it."""
    sizes = (10, 10, 1 << 20, 10)
    found = build_rows([event(body=b"x" * size).delivery for size in sizes])

    assert [found[i].block is found[0].block for i in range(4)] == [True, True, False, False]
    assert found[2].block is not found[3].block


def test_a_body_that_is_not_json_keeps_its_bytes():
    """And it has a row."""
    made = event("task-failed", body=b"\x00\xff{")

    row = row_of(made)

    assert row.delivery.body == b"\x00\xff{"
    assert row.is_failure
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
    large = row_of(event(body=random.Random(1).randbytes(1 << 20)))

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


def test_a_label_is_that_of_the_last_message_that_has_one():
    """Also when that message is no longer kept, and others of the task are."""
    store = EventStore(max_rows=3)
    labels = ("", "a", "b", "", "", "")
    seen = []
    for label in labels:
        store.add(rows(1, label=label))
        seen.append(store.get_label(store.end - 1))

    assert seen == ["", "a", "b", "b", "b", "b"]
    assert store.get_label(store.first) == "b"


def test_an_event_without_a_known_exchange_has_a_row():
    """Recordings may have any exchange."""
    row = build_rows([event().delivery._replace(exchange="exchange/other/x", routing_key="k")])[0]

    assert (row.task_id, row.group_id, row.name) == ("", "", "x")
    assert "k" in row.searched
