"""A group followed line by line: what each change says, to programs and to people."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from builders import GROUP, OTHER_TASK, TASK, delivery, time_zone
from tcsniff.pulse.deliveries import Delivery, Gap
from tcsniff.pulse.events import Event
from tcsniff.renderers.graph.group_changes import JsonChangesView, TextChangesView
from tcsniff.renderers.graph.group_renderer import GroupRenderer, GroupView
from tcsniff.renderers.output import Output
from tcsniff.taskgraph.definitions import Definition
from tcsniff.taskgraph.group import GroupState

NOW = 1_795_460_000.0
ROOT = "https://tc.example.com"
LOG = f"{ROOT}/api/queue/v1/task/{TASK}/runs/{{}}/artifacts/public/logs/live.log"
GAP = Gap(
    "2026-11-23T18:00:00.000Z", "2026-11-23T18:00:05.000Z", missed=True, reason="lost: reset"
)


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    with time_zone("UTC"):
        yield


class Shown:
    """A group shown by a view that writes into memory."""

    def __init__(self, made: Any, root_url: str | None = None, **flags: bool) -> None:
        self.file = io.BytesIO()
        self.following = GroupState()
        self.view: GroupView = made(
            Output(self.file), self.following, lambda: NOW, root_url, **flags
        )
        self.renderer = GroupRenderer(self.following, self.view, poll=list, root_url=root_url)

    def show(self, *events: Delivery) -> Shown:
        """Take a batch in."""
        self.renderer.show([Event(one) for one in events])
        self.renderer.flush()
        return self

    @property
    def lines(self) -> list[str]:
        """What was written."""
        return self.file.getvalue().decode().splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The same, as JSON."""
        return [json.loads(line) for line in self.lines]


def as_json(root_url: str | None = None) -> Shown:
    return Shown(JsonChangesView, root_url)


def as_lines(root_url: str | None = None, **flags: bool) -> Shown:
    known = {"color": False, "ascii_only": False, "utc": True}
    return Shown(TextChangesView, root_url, **(known | flags))


def told(shown: Shown, *names: str) -> Sequence[tuple[Any, ...]]:
    return [tuple(one[name] for name in names) for one in shown.objects]


def test_one_line_a_change_of_state() -> None:
    """Each with the state before; repeats and latecomers are none."""
    shown = as_json().show(
        delivery("task-defined"),
        delivery("task-pending"),
        delivery("task-pending"),
        delivery("task-running"),
        delivery("task-pending"),
        delivery("artifact-created"),
        delivery("task-completed"),
    )

    assert told(shown, "before", "state", "run") == [
        (None, "unscheduled", None),
        ("unscheduled", "pending", 0),
        ("pending", "running", 0),
        ("running", "completed", 0),
    ]


@pytest.mark.parametrize(
    ("event", "time"),
    [
        ("task-defined", "2026-11-23T18:01:05.250Z"),  # when it was received
        ("task-pending", "2026-11-23T18:00:00.000Z"),
        ("task-running", "2026-11-23T18:00:03.000Z"),
        ("task-failed", "2026-11-23T18:01:05.000Z"),
    ],
)
def test_the_time_is_when_it_happened(event: str, time: str) -> None:
    """Not when we heard of it, unless nothing tells."""
    assert told(as_json().show(delivery(event)), "time") == [(time,)]


def test_a_run_that_was_lost_is_told_with_the_next_one() -> None:
    """The message that it is gone says that the task is pending again."""
    shown = as_json(ROOT).show(delivery("task-running"), delivery("task-exception", retried=True))

    assert shown.objects[-1]["lost"] == {
        "run": 0,
        "reason": "claim-expired",
        "log": LOG.format(0),
    }
    assert "log" not in shown.objects[-1]


@pytest.mark.parametrize("event", ["task-failed", "task-exception"])
def test_what_went_wrong_has_the_address_of_its_log(event: str) -> None:
    """If it is known which deployment this is."""
    known, unknown = as_json(ROOT), as_json()
    for shown in (known, unknown):
        shown.show(delivery(event))
        shown.renderer.close()

    assert known.objects[0]["log"] == LOG.format(0)
    assert known.objects[-1]["summary"]["wrong"][0]["log"] == LOG.format(0)
    assert "log" not in unknown.objects[0]
    assert "log" not in unknown.objects[-1]["summary"]["wrong"][0]


def test_what_went_well_or_never_ran_has_none() -> None:
    """A deadline that passed before any worker came leaves no log."""
    never_ran = delivery("task-exception")
    body = json.loads(never_ran.body)
    body["status"]["runs"][0].pop("started")

    shown = as_json(ROOT).show(
        delivery("task-completed", task_id=OTHER_TASK),
        never_ran._replace(body=json.dumps(body).encode()),
    )

    assert not [one for one in shown.objects if "log" in one]


def test_ids_that_are_none_lead_nowhere() -> None:
    """An address is made of ids only, not of whatever a message holds."""
    shown = as_json(ROOT).show(delivery("task-failed", task_id="../../evil"))

    assert "log" not in shown.objects[0]


def test_a_gap_stands_where_it_was() -> None:
    """In both forms."""
    json_view, lines = as_json(), as_lines()
    for shown in (json_view, lines):
        shown.show(delivery("task-pending"))
        shown.renderer.show_gap(GAP)
        shown.show(delivery("task-running"))

    assert "gap" in json_view.objects[1]
    assert lines.lines[1].startswith("--- ")
    assert len(json_view.lines) == len(lines.lines) == 3


def test_the_summary_comes_once_and_last() -> None:
    """However often the end is told."""
    shown = as_json().show(delivery("task-failed"))

    shown.renderer.close()
    shown.renderer.close()

    assert [list(one) for one in shown.objects[1:]] == [["summary"]]
    summary = shown.objects[-1]["summary"]
    assert (summary["exitStatus"], summary["states"]) == (10, {"failed": 1})


def test_what_is_not_there_is_left_without_a_last_word() -> None:
    """A summary of a group that does not exist would be read as one."""
    for shown in (as_json(), as_lines()):
        shown.renderer.abandon()
        shown.renderer.close()

        assert shown.lines == []


def test_lines_tell_what_happened_where_and_why() -> None:
    """Time, state, label, run, reason, pool, worker, and the log if it went wrong."""
    shown = as_lines(ROOT).show(
        delivery("task-running", label="build/opt"),
        delivery("task-exception", label="build/opt", retried=True),
        delivery("task-failed", label="build/opt", run=1),
    )

    assert [" ".join(line.split()) for line in shown.lines] == [
        "18:00:03 ▶ running build/opt run 0 gecko-t/t-linux-large us-east-1 i-0a1b2c3d",
        "18:00:00 ◷ pending build/opt run 1 run 0 claim-expired gecko-t/t-linux-large "
        f"{LOG.format(0)}",
        "18:01:05 ✖ failed build/opt run 1 gecko-t/t-linux-large us-east-1 i-0a1b2c3d "
        f"{LOG.format(1)}",
    ]


def test_lines_end_in_a_summary_with_whole_addresses() -> None:
    """What went wrong, below each its log."""
    shown = as_lines(ROOT).show(delivery("task-failed"))

    shown.renderer.close()

    assert f"  {LOG.format(0)}" in shown.lines
    assert shown.lines[1].startswith(f"task group {GROUP}")


def test_lines_can_be_colored_and_spelled_in_ascii() -> None:
    """As the terminal wants it."""
    colored = as_lines(color=True).show(delivery("task-failed"))
    spelled = as_lines(ascii_only=True).show(delivery("task-failed"))

    assert "\x1b[" in colored.lines[0]
    assert spelled.lines[0].isascii()


@pytest.mark.parametrize("untrusted", ["\x1b[31m", "\x9b1m", "\u202e", "\n", "\r", "\x00"])
def test_untrusted_names_cannot_break_a_line(untrusted: str) -> None:
    """Labels, workers, pools and reasons are theirs to choose."""
    event = delivery(
        "task-exception",
        label=untrusted,
        worker_id=untrusted,
        worker_type=untrusted,
        reason=untrusted,
    )
    shown = as_lines().show(event)

    shown.renderer.close()

    assert untrusted not in "\n".join(shown.lines).replace("\n", "")
    assert len([line for line in shown.lines if line.startswith("18:01:05")]) == 1


def test_labels_come_from_definitions_where_messages_have_none() -> None:
    """As those of decision tasks."""
    shown = as_json()
    shown.following.add_facts([Definition(TASK, "Gecko Decision Task", "decision-task")])

    shown.show(delivery("task-pending", label=""))

    assert told(shown, "label") == [("Gecko Decision Task",)]
