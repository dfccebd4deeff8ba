"""When `top` asks the queue about worker pools, and what its answers lead to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

import oracle
from builders import GROUP, OTHER_TASK, TASK, delivery
from queue_server import Content, Member, QueueServer
from tcsniff.commands.wiring.pool_watch import PoolWatch, PoolWatchRenderer
from tcsniff.pipeline import Renderer
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.events import Event
from tcsniff.settings.web_server import WebServer
from tcsniff.sources.queue_api import QueueApi
from tcsniff.sources.queue_polling import FAILURE_INTERVAL
from tcsniff.stats.run_counter import RunCounter

PATIENCE = 60  # seconds until something that must happen has not
NOW = 1_795_456_800.0  # 2026-11-23T18:00:00Z
POOL = "gecko-t/t-linux-large"
THIRD = "AAAAAAAAQ-GAAAAAAAAAAA"
MISSED = Gap("2026-11-23T18:00:00.000Z", "2026-11-23T18:00:09.000Z", missed=True, reason="lost")


@pytest.fixture
def server() -> Iterator[QueueServer]:
    with QueueServer(page_size=2) as running:
        yield running


def publish(server: QueueServer, *messages: Delivery) -> None:
    """Let the queue know what these messages say, and no more."""
    members = [
        Member(status, {"schedulerId": status["schedulerId"], "taskGroupId": GROUP, "tags": {}})
        for status in oracle.read_tasks(messages).values()
    ]
    server.groups = {GROUP: Content({"taskGroupId": GROUP}, members)}


class Watched:
    """A watch and its counter, whose clocks the test holds."""

    def __init__(self, server: QueueServer, *pools: str, **options: Any) -> None:
        self.now = 0.0
        self.notes: list[str] = []
        self.counter = RunCounter("pool", "name", clock=lambda: NOW + 60)
        self.watch = PoolWatch(
            QueueApi(WebServer(server.url), timeout=PATIENCE, retries=0),
            pools or (POOL,),
            self.counter,
            **{"is_wanted": lambda _: True, "notify": self.notes.append} | options,
            clock=lambda: self.now,
        )

    def answer(self) -> None:
        """Ask, and look again and again until everything was answered."""
        self.watch.poll()
        deadline = time.monotonic() + PATIENCE
        while self.watch.is_asking:
            assert time.monotonic() < deadline
            time.sleep(0.001)  # leave the processor to the server
            self.watch.poll()

    @property
    def counts(self) -> tuple[int, int, int]:
        """The pending, running and completed runs."""
        return self.counter.read_row(self.counter.statistics.total)[1:4]


def test_pending_and_running_tasks_are_counted_page_by_page(server: QueueServer) -> None:
    """With the time since which they wait."""
    pending = [delivery("task-pending", task_id=f"{n:022}") for n in range(5)]
    publish(server, *pending, delivery("task-running"), delivery("task-failed", task_id=THIRD))
    watched = Watched(server)

    watched.answer()

    assert (watched.counts, watched.counter.api) == ((5, 1, 0), "answered")
    (row,) = watched.counter.list_rows()
    assert watched.counter.read_row(row).oldest == 60.0
    assert [path.partition("?")[0].rpartition("/")[2] for path in server.requests] == [
        *("pending", "pending", "pending", "claimed")
    ]
    assert watched.notes == []


def test_only_events_that_are_selected_are_counted(server: QueueServer) -> None:
    """By the same selection and filters as messages."""
    publish(
        server,
        delivery("task-pending"),
        delivery("task-pending", task_id=OTHER_TASK, scheduler="other"),
    )

    def is_wanted(event: Event) -> bool:
        return event.routing["schedulerId"] == "other" and event.name == "task-pending"

    watched = Watched(server, is_wanted=is_wanted)
    watched.answer()

    assert watched.counts == (1, 0, 0)


def test_messages_in_the_meantime_count(server: QueueServer) -> None:
    """They were subscribed to before the question."""
    publish(server, delivery("task-pending"))
    watched = Watched(server)
    watched.watch.poll()
    watched.counter.add(Event(delivery("task-completed")))

    watched.answer()

    assert watched.counts == (0, 0, 1)


def test_a_message_that_is_older_than_the_answer_leads_to_another_question(
    server: QueueServer,
) -> None:
    """The message about the start was lost, or is late."""
    publish(server, delivery("task-running"))
    watched = Watched(server)
    watched.counter.add(Event(delivery("task-pending")))

    watched.answer()

    assert watched.counts == (0, 1, 0)
    assert server.requests[-1].endswith(f"/task/{TASK}/status")


def test_after_a_gap_the_queue_is_asked_again(server: QueueServer) -> None:
    """What has ended unnoticed is pending no more, and what has come is."""
    publish(server, delivery("task-pending"), delivery("task-pending", task_id=OTHER_TASK))
    watched = Watched(server)
    watched.answer()
    watched.counter.add(Event(delivery("task-pending", task_id=GROUP)))
    publish(
        server,
        delivery("task-completed"),
        delivery("task-running", task_id=OTHER_TASK),
        delivery("task-completed", task_id=GROUP),
        delivery("task-pending", task_id=THIRD),
    )

    PoolWatchRenderer(Renderer(), watched.watch).show_gap(MISSED)
    watched.answer()

    # TASK was known from the list alone, so that how it ended is unknown.
    assert watched.counts == (1, 1, 1)


def test_a_gap_without_losses_is_no_reason_to_ask(server: QueueServer) -> None:
    """The queue has kept the messages."""
    watched = Watched(server)
    watched.answer()
    number = len(server.requests)

    PoolWatchRenderer(Renderer(), watched.watch).show_gap(MISSED._replace(missed=False))
    watched.answer()

    assert len(server.requests) == number


@pytest.mark.parametrize(
    ("lists", "counts", "api", "words"),
    [
        ({"pending", "claimed"}, (0, 0, 0), "refused", "what waited and ran there before"),
        ({"pending"}, (0, 1, 0), "refused", "what waited there before"),
        ({"claimed"}, (1, 0, 0), "answered", "what ran there before"),
    ],
)
def test_a_refused_list_is_a_note_in_one_line(
    server: QueueServer, lists: set[str], counts: tuple[int, ...], api: str, words: str
) -> None:
    """For two pools, too; what is not refused counts."""
    publish(server, delivery("task-pending"), delivery("task-running", task_id=OTHER_TASK))
    server.refused_lists = lists
    watched = Watched(server, POOL, "other/pool")

    watched.answer()

    (note,) = watched.notes
    assert "refused access to " in note
    assert note.endswith(f"; {words} is not counted")
    assert "\n" not in note
    assert (watched.counts, watched.counter.api) == (counts, api)


def test_what_is_refused_is_not_asked_for_again(server: QueueServer) -> None:
    """A gap changes nothing about scopes."""
    server.refused_lists = {"pending", "claimed"}
    watched = Watched(server)
    watched.answer()
    number = len(server.requests)

    watched.watch.hurry()
    watched.answer()

    assert len(server.requests) == number
    assert len(watched.notes) == 1


def test_a_failure_is_noted_once_and_asked_again_later(server: QueueServer) -> None:
    """Events go on meanwhile."""
    publish(server, delivery("task-pending"))
    server.failures = 2
    watched = Watched(server)
    watched.answer()
    assert (watched.counter.api, watched.watch.condition) == (
        "failed",
        "no answer from the queue's API",
    )

    for _ in range(2):
        watched.now += FAILURE_INTERVAL
        watched.answer()

    assert (watched.counts, watched.counter.api) == ((1, 0, 0), "answered")
    assert len(watched.notes) == 1


def test_a_task_that_cannot_be_decoded_is_reported(server: QueueServer) -> None:
    """The others count."""
    publish(server, delivery("task-pending"), delivery("task-pending", task_id=OTHER_TASK))
    server.groups[GROUP].members[0].status["runs"][-1]["runId"] = -1
    watched = Watched(server)

    watched.answer()

    assert watched.counts[0] == 1
    assert watched.notes == ["1 pending or running tasks could not be decoded"]


def test_an_answer_that_has_not_come_is_noted_at_the_end(server: QueueServer) -> None:
    """The numbers lack what it would have said."""
    server.delay = PATIENCE
    watched = Watched(server)
    watched.watch.poll()

    watched.watch.close()

    (note,) = watched.notes
    assert note.endswith("has not answered so far: what waited and ran before is not counted")
    assert watched.counter.api == "asking"


def test_a_snapshot_says_whether_the_api_has_answered(server: QueueServer) -> None:
    """Without a question, it says nothing."""
    watched = Watched(server)
    snapshots: list[dict[str, Any]] = []
    watched.counter.listen(snapshots.append)
    watched.answer()

    watched.counter.finish()

    assert snapshots[0]["api"] == "answered"
    assert orjson.dumps(snapshots[0])
