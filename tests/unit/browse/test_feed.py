from __future__ import annotations

import threading

from builders import OTHER_TASK, delivery, event, row_of
from tcsniff.browse.event_buffer import EventBuffer
from tcsniff.browse.event_store import EventStore
from tcsniff.browse.feed import BufferRenderer, Feed, Intake, PoolCounts
from tcsniff.errors import ConnectionFailed
from tcsniff.pipeline import Source
from tcsniff.pulse.deliveries import Gap
from tcsniff.renderers.stream import StreamInfo
from tcsniff.selection.filters import filter_tags
from tcsniff.stats.run_counter import RunCounter


class Given(Source):
    """Batches, then perhaps a failure."""

    def __init__(self, *batches, failure=None):
        self.given = batches
        self.failure = failure
        self.asked = 0

    def batches(self):
        for batch in self.given:
            self.asked += 1
            yield batch
        if self.failure:
            raise self.failure

    def stop(self):
        pass


def fed(source):
    buffer = EventBuffer(max_rows=500)
    feed = Feed(Intake(source, StreamInfo("x")), buffer, pools())
    feed.start()
    return feed, buffer


def pools():
    return PoolCounts(RunCounter("pool", "pending"))


def ended(buffer):
    done = threading.Event()
    for _ in range(3_000):
        if buffer.has_ended:
            return True
        done.wait(0.01)
    return False


def test_events_arrive_as_rows():
    """In order, with the statistics of pools."""
    buffer, counts = EventBuffer(), pools()
    renderer = BufferRenderer(buffer, counts)

    renderer.show([event("task-pending"), event("task-running")])
    renderer.flush()

    taken = buffer.take(100)
    assert [row.name for row in taken.rows] == ["task-pending", "task-running"]
    assert counts.counter.statistics.total.states[1] == 1


def test_a_recording_is_listed_before_it_is_counted():
    """What is slow waits until the source is quiet, and is done at the end."""
    buffer, counts = EventBuffer(), pools()
    renderer = BufferRenderer(buffer, counts)

    renderer.show([event("task-pending")] * 300)
    renderer.flush()
    listed = len(buffer.take(1_000).rows), counts.waiting
    renderer.show([])
    renderer.flush()
    when_quiet = counts.waiting
    renderer.show([event("task-pending", task_id=OTHER_TASK)] * 300)
    renderer.finish()

    assert listed == (300, 300)
    assert (when_quiet, counts.waiting) == (0, 0)
    assert counts.counter.statistics.total.states[0] == 2


def test_a_long_recording_is_counted_meanwhile():
    """So that not more than 50,000 events wait."""
    buffer, counts = EventBuffer(max_rows=200_000), pools()
    renderer = BufferRenderer(buffer, counts)
    for _ in range(60):
        renderer.show([event("task-group-sealed", body=b"{}")] * 1_000)
        renderer.flush()

    assert counts.waiting == 50_000


def test_rows_have_the_names_of_earlier_messages():
    """Also for the filters; messages of cancelTaskGroup have no tags."""
    bare = delivery("task-exception", payload={"task": {"tags": {}}})
    source, buffer = Given([delivery("task-defined", label="opt-1"), bare]), EventBuffer()
    intake = Intake(source, StreamInfo("x"), None, [filter_tags(["label=opt-1"])])
    feed = Feed(intake, buffer, pools())

    feed.start()

    assert ended(buffer)
    feed.stop()
    store = EventStore()
    store.add(buffer.take(9).rows)
    assert [store.get_label(number) for number in (0, 1)] == ["opt-1", "opt-1"]


def test_a_failure_is_handed_on():
    """The thread of the screen raises it at the end."""
    failure = ConnectionFailed("lost")
    feed, buffer = fed(Given([delivery()], failure=failure))

    assert ended(buffer)
    feed.stop()
    assert buffer.failure is failure
    assert len(buffer.take(9).rows) == 1


def test_a_full_inbox_stops_the_source():
    """Memory is bounded; closing it lets the thread end."""
    source = Given(*([[delivery()] * 100] * 20))
    feed, buffer = fed(source)
    waits = threading.Event()
    for _ in range(3_000):
        if len(buffer.take(0).rows) == 0 and source.asked >= 5:
            break
        waits.wait(0.01)
    asked = source.asked
    buffer.take(200)
    feed.stop()

    assert asked <= 6
    assert ended(buffer)


def test_gaps_and_messages_are_counted_once():
    """Only gaps in which something may be missing."""
    buffer = EventBuffer()
    renderer = BufferRenderer(buffer, pools())
    for missed in (True, False):
        renderer.show_gap(Gap("a", "b", missed, "why"))
    buffer.put_note("hello")

    first, second = buffer.take(9), buffer.take(9)
    assert (first.gaps, first.notes) == (1, ["hello"])
    assert (second.gaps, second.notes) == (0, [])
    assert buffer.notes == ["hello"]


def test_rows_are_taken_in_parts():
    """So that a key is answered in between."""
    buffer = EventBuffer()
    buffer.put_rows([row_of(event())] * 5)

    assert [len(buffer.take(2).rows) for _ in range(4)] == [2, 2, 1, 0]
