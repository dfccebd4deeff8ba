"""`tcsniff top` as a process: in pipes, in terminals, against a broker."""

from __future__ import annotations

import itertools
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

import oracle
from builders import GROUP, OTHER_TASK, TASK, delivery, worker_event
from queue_server import Content, Member, QueueServer
from rabbitmq import RabbitMQ, Taskcluster
from running import Running, Terminal, finished
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.times import format_timestamp, parse_seconds
from tcsniff.simulator.simulation import simulate

BEGAN = 1_795_456_800.0  # 2026-11-23T18:00:00Z
ENDS = ("completed", "failed", "lost", "canceled", "exception")
STATES = ("pending", "running", *ENDS)
DEMO = ("--demo", "--seed", "1")


def recording(path: Path, deliveries: object, begin: float = BEGAN) -> str:
    """Write deliveries down, each with when it was received; returns the file's name."""
    with path.open("wb") as file:
        for when, one in deliveries:  # type: ignore[attr-defined]
            received = None if when is None else format_timestamp(begin + when)
            file.write(records.format_record(one._replace(received=received)))
    return str(path)


def an_hour(path: Path) -> str:
    """Record an hour of the simulator, to the second."""
    made = simulate(seed=4, start=BEGAN)
    within = [(0.0, delivery("task-pending"))]
    for when, one in made:
        if when - BEGAN >= 3600:
            break
        within.append((when - BEGAN, one))
    within.append((3600.0, delivery("task-pending")))
    return recording(path, within)


def lines_of(text: str) -> list[dict]:
    return [orjson.loads(line) for line in text.splitlines()]


def lasting(line: dict) -> list:
    """Give what does not depend on when what arrived."""
    return [line["total"][name] for name in (*STATES, "waiting", "runningTime")]


# JSON lines.


def test_messages_that_cannot_be_decoded_are_counted_and_reported(tmp_path: Path) -> None:
    """Not JSON, or JSON that is not about a task: the numbers lack what they say."""
    odd = [delivery("task-failed", body=body) for body in (b"\xff", b'{"version":1}', b"{")]
    path = recording(tmp_path / "a.jsonl", enumerate([delivery("task-pending"), *odd]))

    done = finished("top", "--from", path)

    assert [line.get("undecodable") for line in lines_of(done.stdout)] == [3]
    assert "tcsniff: 3 messages could not be decoded" in done.stderr


def test_an_hour_gives_a_line_every_ten_seconds_at_once(tmp_path: Path) -> None:
    """In the time of the recording: 360 lines, and one for the end."""
    done = finished("top", "--from", an_hour(tmp_path / "r.jsonl"))

    lines = lines_of(done.stdout)
    assert (done.returncode, len(lines)) == (0, 361)
    assert {line["seconds"] for line in lines[:-1]} == {10.0}
    begin = parse_seconds(lines[0]["time"])
    assert [parse_seconds(line["time"]) for line in lines[:3]] == [begin, begin + 10, begin + 20]
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)


def test_the_lines_of_periods_add_up(tmp_path: Path) -> None:
    """What started and ended in each is what has started and ended in the end."""
    name = an_hour(tmp_path / "r.jsonl")
    lines = lines_of(finished("top", "--from", name, "--every", "7m").stdout)

    last = lines[-1]
    ended = sum(line["total"]["finished"] for line in lines)
    assert ended == sum(last["total"][name] for name in ENDS)
    started = sum(line["total"]["started"] for line in lines)
    assert started + last["total"]["pending"] == last["total"]["waiting"]["count"]
    for line in lines:
        for number in (*STATES, "finished"):
            assert sum(row[number] for row in line["rows"]) == line["total"][number]


def test_a_line_looks_like_this(tmp_path: Path) -> None:
    """Names as in the record; times in seconds, none where there is nothing to time."""
    events = [
        (0, delivery("task-pending", task_id="a" * 22)),
        (1, worker_event("worker-requested")),
        (2, worker_event("worker-pool-error", kind="creation-error", errorId="x")),
        (3, delivery("task-failed")),
    ]

    done = finished("top", "--from", recording(tmp_path / "r.jsonl", events))

    (line,) = lines_of(done.stdout)
    times = {"count": 2, "p50": 3.044, "p95": 3.044, "p99": 3.044, "max": 3.044}
    numbers = {
        "pending": 1,
        "running": 0,
        "completed": 0,
        "failed": 1,
        "lost": 0,
        "canceled": 0,
        "exception": 0,
        "started": 1,
        "finished": 1,
        "rate": 6.0,
        "oldest": 3.0,
        "last": 0.0,
        "waiting": times,
        "runningTime": {"count": 1, "p50": 61.161, "p95": 61.161, "p99": 61.161, "max": 61.161},
        "workers": {
            "requested": 1,
            "running": 0,
            "stopped": 0,
            "removed": 0,
            "errors": 1,
            "errorKinds": {"creation-error": 1},
            "startTime": {"count": 0, "p50": None, "p95": None, "p99": None, "max": None},
        },
    }
    assert line == {
        "time": "2026-11-23T18:00:03.000Z",
        "seconds": 3.0,
        "by": "pool",
        "events": 4,
        "rows": [{"name": "gecko-t/t-linux-large", **numbers}],
        "total": numbers,
    }


def test_events_that_are_not_counted_are_named(tmp_path: Path) -> None:
    """Once, with their numbers, and in JSON; a recording of everything is no mystery."""
    names = ["client-created", "task-group-resolved", "client-created", "task-running"]
    path = recording(tmp_path / "r.jsonl", enumerate(map(delivery, names)))

    done = finished("top", "--from", path, *names[:2])
    quiet = finished("top", "--quiet", "--from", path, *names[:2])

    (line,) = lines_of(done.stdout)
    assert line["uncounted"] == {"client-created": 2, "task-group-resolved": 1}
    (said,) = [text for text in done.stderr.splitlines() if "counts events" in text]
    assert said == (
        "tcsniff: top counts events about runs and workers; 3 other events were received: "
        "2 client-created, 1 task-group-resolved"
    )
    assert quiet.stderr == ""
    assert "uncounted" not in finished("top", "--from", path).stdout


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ((), 1),
        (("--pool", "gecko-t/t-linux-large"), 1),
        (("--worker-id", "i-0a1b2c3d"), 1),
        (("--pool", "gecko-t/other"), 0),
        (("--scheduler-id", "gecko-level-1"), 0),
        (("--by", "kind"), 0),
        (("running",), 0),
        (("running", "worker-running"), 1),
    ],
)
def test_workers_are_listened_to_where_their_pools_are_shown(
    tmp_path: Path, words: tuple[str, ...], number: int
) -> None:
    """With the same flags as tasks, unless a flag or an EVENT leaves them out."""
    events = [(0, worker_event("worker-running")), (1, delivery("task-running"))]

    done = finished("top", "--from", recording(tmp_path / "r.jsonl", events), *words)

    (line,) = lines_of(done.stdout)
    assert line["total"]["workers"]["running"] == number
    assert "does not narrow" not in done.stderr


def test_of_a_long_quiet_time_not_every_period_has_a_line(tmp_path: Path) -> None:
    """A year without an event is one line, not three million."""
    events = [(0, delivery("task-pending")), (365 * 86_400, delivery("task-running"))]

    lines = lines_of(finished("top", "--from", recording(tmp_path / "r.jsonl", events)).stdout)

    assert [line["seconds"] for line in lines] == [365 * 86_400, 0.0]


@pytest.mark.parametrize("received", [None, 0])
def test_a_recording_without_times_still_counts(tmp_path: Path, received: float | None) -> None:
    """There is one line, whose time is not known."""
    name = recording(tmp_path / "r.jsonl", [(received, delivery("task-running"))])

    (line,) = lines_of(finished("top", "--from", name).stdout)

    assert line["total"]["running"] == 1
    assert (line["time"] is None) == (received is None)


def test_an_empty_recording_is_nothing_counted(tmp_path: Path) -> None:
    """A line of zeros, so that whoever reads it has one."""
    (line,) = lines_of(finished("top", "--from", recording(tmp_path / "r.jsonl", [])).stdout)

    assert (line["rows"], line["total"]["pending"]) == ([], 0)


@pytest.mark.parametrize("by", ["pool", "worker", "kind", "scheduler", "group", "reason"])
def test_the_demo_repeats_itself_by_whatever_it_is_counted(by: str) -> None:
    """The same bytes for the same seed; the totals are the same for all."""
    words = ("top", *DEMO, "-n", "900", "--by", by, "--every", "1h")
    first, second = finished(*words), finished(*words)

    assert first.stdout == second.stdout
    (line,) = lines_of(first.stdout)
    assert line["by"] == by
    assert line["total"]["running"] + line["total"]["completed"] > 50
    assert all(row["name"] for row in line["rows"])


def test_rows_come_in_the_order_that_was_asked_for() -> None:
    """The largest first, or the other way round."""
    words = ("top", *DEMO, "-n", "400", "--every", "1h", "--sort", "finished")
    orders = {}
    for more in ((), ("--reverse",)):
        (line,) = lines_of(finished(*words, *more).stdout)
        orders[more] = [sum(row[name] for name in ENDS) for row in line["rows"]]

    assert orders[()] == sorted(orders[()], reverse=True)
    assert orders[("--reverse",)] == sorted(orders[()])


def test_a_selection_selects(tmp_path: Path) -> None:
    """As everywhere; what tells of no state of a task is not asked for."""
    name = an_hour(tmp_path / "r.jsonl")

    (line,) = lines_of(
        finished("top", "--from", name, "--worker-type", "gaia", "--every", "2h").stdout
    )
    said = finished("top", "--from", name, "--every", "2h").stderr

    assert [row["name"] for row in line["rows"]] == ["aws-provisioner/gaia"]
    came, passed = (number.replace(",", "") for number in re.findall(r"\d[\d,]*", said)[:2])
    assert int(passed) < int(came)


def test_events_are_recorded_in_addition(tmp_path: Path) -> None:
    """What was counted can be counted again."""
    name = str(tmp_path / "r.jsonl.gz")
    words = ("--every", "1h", "--sort", "name")
    first = finished("top", *DEMO, "-n", "200", "--record", name, *words)

    again = finished("top", "--from", name, *words)

    assert first.stdout == again.stdout
    assert first.stdout.count("\n") >= 1


def test_untrusted_events_end_nothing(tmp_path: Path) -> None:
    """Broken bodies, odd names and odd times: what can be counted is counted."""
    odd = delivery("task-running", worker_id="\x1b[31m\u202e", task_id="x")
    events = [
        (0, delivery("task-running", body=b"\xff{")),
        (1, delivery("task-running", body=b"[1]")),
        (2, odd._replace(body=odd.body.replace(b"2026-11-23T18:00:03", b"99999"))),
        (3, delivery("task-running", body=b'{"status":' * 5000)),
    ]
    name = recording(tmp_path / "r.jsonl", events)

    done = finished("top", "--from", name, "--by", "worker")

    (line,) = lines_of(done.stdout)
    assert done.returncode == 0
    assert [row["name"] for row in line["rows"]] == ["us-east-1/\x1b[31m\u202e"]


# Wrong usage.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "color"), "--by"),
        (("--sort", "color"), "--sort"),
        (("--every", "0s"), "longer than 0"),
        (("--json", "-o", "table"), "contradict"),
        (("--demo", "--from", "x"), "--demo and --from"),
        (("task-runing", "--demo"), "did you mean 'task-running'?"),
        (("--queue", "x", "--delete-queue", "--broker", "amqp://a:b@localhost"), "sniff"),
    ],
)
def test_wrong_usage_is_told_in_a_line(words: tuple[str, ...], said: str) -> None:
    """Status 2, and nothing on standard output."""
    done = finished("top", *words)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_what_is_read_is_not_recorded_into(tmp_path: Path) -> None:
    """It would grow for ever."""
    name = recording(tmp_path / "r.jsonl", [])

    done = finished("top", "--from", name, "--record", name)

    assert done.returncode == 2
    assert "also what --from reads" in done.stderr


# As a table where nothing can be drawn.


def test_a_table_in_a_pipe_comes_once_at_the_end(tmp_path: Path) -> None:
    """All rows, as wide as COLUMNS says, without escape sequences; also in ASCII."""
    name = an_hour(tmp_path / "r.jsonl")

    done = finished("top", "--from", name, "-o", "table", env={"COLUMNS": "130"})
    plainly = finished(
        "top", "--from", name, "-o", "table", env={"COLUMNS": "130", "PYTHONIOENCODING": "ascii"}
    )

    rows = done.stdout.splitlines()
    assert rows[0].startswith("POOL ")
    assert rows[-1].startswith(f"{len(rows) - 2} pools ")
    assert 100 < max(map(len, rows)) <= 130
    assert "\x1b" not in done.stdout
    assert plainly.stdout.isascii()
    assert plainly.stdout.count("\n") == len(rows)


def test_the_last_picture_can_be_kept(tmp_path: Path) -> None:
    """As SVG, both next to JSON lines and to the live table."""
    name = an_hour(tmp_path / "r.jsonl")
    kept, drawn = tmp_path / "kept.svg", tmp_path / "drawn.svg"

    assert finished("top", "--from", name, "--save-svg", str(kept)).stdout.startswith("{")
    with Terminal("top", "--from", name, "--save-svg", str(drawn), columns=120) as terminal:
        assert terminal.status() == 0

    for path in (kept, drawn):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("<svg ")
        assert "gecko-t/t-linux-docker" in text
        assert "<title>tcsniff top</title>" in text


# In a terminal.


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_the_table_fills_the_screen_and_no_more(tmp_path: Path, columns: int) -> None:
    """Heading, rows, total and status; nothing folds."""
    name = an_hour(tmp_path / "r.jsonl")
    with Terminal("top", "-q", "--from", name, columns=columns, lines=12) as terminal:
        assert terminal.status() == 0

    rows = [row.rstrip() for row in terminal.screen.display]
    heading = next(place for place, row in enumerate(rows) if row.startswith("POOL "))
    total = next(place for place, row in enumerate(rows) if re.match(r"8 of 1\d pools +\d", row))
    assert total == heading + 9
    assert all(re.match(r"[\w…/-]+ +\d", row) for row in rows[heading + 1 : total])
    assert rows[total + 1].startswith("● ")


def following(path: Path) -> tuple[str, ...]:
    """Word a `top` that waits for more at the end of a recording."""
    return ("top", "--from", an_hour(path / "r.jsonl"), "--follow")


def test_the_picture_follows_the_window(tmp_path: Path) -> None:
    """Wider, lower: as many rows and columns as fit."""
    with Terminal(*following(tmp_path), columns=80, lines=10) as terminal:
        terminal.shows(lambda screen: any(row.startswith("6 of 1") for row in screen))
        for columns, lines in ((200, 12), (40, 8)):
            terminal.resize(columns, lines)
            wanted = f"{lines - 4} of 1"
            screen = terminal.shows(
                lambda screen, wanted=wanted: any(row.startswith(wanted) for row in screen)
            )
            assert "\n".join(screen).count("POOL") == 1


def test_ctrl_c_leaves_the_last_picture(tmp_path: Path) -> None:
    """Status 130, a cursor, and what was counted."""
    with Terminal(*following(tmp_path), lines=30) as terminal:
        terminal.shows(lambda screen: any(" pools " in row for row in screen))
        terminal.type("\x03")

        assert terminal.status() == 130

    rows = [row.rstrip() for row in terminal.screen.display]
    assert not terminal.screen.cursor.hidden
    assert any(row.startswith("POOL") for row in rows)
    assert any(re.match(r"1\d pools ", row) for row in rows)


def test_the_demo_is_live() -> None:
    """Without a broker, in simulated time: minutes pass while one looks."""
    with Terminal("top", *DEMO, columns=160, lines=20) as terminal:
        terminal.shows(
            lambda screen: any(re.match(r"\d pools .*\d\.\d  [▁-█]*[▂-█]", row) for row in screen)
        )
        terminal.type("\x03")

        assert terminal.status() == 130


def test_a_worker_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Its id is a stranger's text: shown as what it is, in the table and in JSON."""
    worker = "\x1b]0;owned\x07\x9b2J\u202e[red]x"
    odd = delivery("task-running", worker_group="", worker_id=worker)
    name = recording(tmp_path / "r.jsonl", [(0, odd)])
    for words in ((), ("--json",)):
        with Terminal(
            "top", "--from", name, "--by", "worker", *words, columns=200, lines=10
        ) as terminal:
            assert terminal.status() == 0

        shown = "\n".join(terminal.screen.display)
        assert "x1b]0;owned" in shown or "u001b]0;owned" in shown
        assert "[red]x" in shown
        assert b"\x1b]0" not in terminal.written
        assert "\u202e".encode() not in terminal.written


# From a broker.


def test_it_counts_what_a_broker_sends(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, tmp_path: Path
) -> None:
    """Backwards, and half of it twice: the same as from a recording of it in order."""
    made = [one for _, one in simulate(seed=2, start=BEGAN, groups=1, tasks=20)]
    name = recording(tmp_path / "r.jsonl", enumerate(made))
    (expected,) = lines_of(finished("top", "--from", name, "--every", "1d").stdout)
    with Running("top", "--broker", rabbitmq.url(), "--every", "300ms") as topping:
        topping.listening()
        for one in [*made[::-1], *made[::2]]:
            taskcluster.publish(one.exchange, one.routing_key, one.body, list(one.cc))
        for count in itertools.count(1):
            line = json.loads(topping.lines(count)[-1])
            if lasting(line) == lasting(expected):
                break
        assert topping.signal(signal.SIGINT) == 130

    assert sum(lasting(expected)[2:5]) >= 20


def test_a_broker_that_is_quiet_is_told_of_too(rabbitmq: RabbitMQ) -> None:
    """A line a period, by the clock, though nothing comes."""
    with Running("top", "--broker", rabbitmq.url(), "--every", "300ms") as topping:
        lines = [json.loads(line) for line in topping.listening().lines(3)]
        assert topping.signal(signal.SIGTERM) == 143

    assert [line["events"] for line in lines] == [0, 0, 0]
    assert lines[0]["seconds"] == 0.3


def test_a_reader_that_goes_away_ends_it(rabbitmq: RabbitMQ) -> None:
    """Status 141, and no noise, though nothing comes."""
    with Running("top", "--broker", rabbitmq.url(), "--every", "100ms") as topping:
        topping.listening().stop_reading()

        assert topping.status() == 141
        assert "Traceback" not in topping.said()


# What the queue's API knows.

POOL = "gecko-t/t-linux-large"
SINCE = "2026-11-23T18:00:00.000Z"


def queue_of(*messages: Delivery) -> Content:
    """Return what the queue knows after these messages."""
    members = [
        Member(status, {"schedulerId": status["schedulerId"], "taskGroupId": GROUP, "tags": {}})
        for status in oracle.read_tasks(messages).values()
    ]
    return Content({"taskGroupId": GROUP}, members)


def pool_command(rabbitmq: RabbitMQ, server: QueueServer, *words: str) -> tuple[str, ...]:
    deployment = ("--broker", rabbitmq.url(), "--root-url", server.url)
    return ("top", "--pool", POOL, *deployment, "--every", "300ms", *words)


def wait_for_line(topping: Running, is_wanted: Callable[[dict], bool]) -> dict:
    for count in itertools.count(1):
        line = json.loads(topping.lines(count)[-1])
        if is_wanted(line):
            return line
    raise AssertionError("unreachable")


def test_what_waited_before_is_asked_for(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """And again after a lost connection; what is published meanwhile counts as well."""
    waiting = [delivery("task-pending", task_id=f"{number:022}") for number in range(5)]
    with (
        QueueServer(queue_of(*waiting, delivery("task-running")), page_size=2) as server,
        Running(*pool_command(rabbitmq, server)) as topping,
    ):
        line = wait_for_line(topping, lambda line: line["api"] == "answered")
        begun = parse_seconds(line["time"]) - parse_seconds(SINCE)
        assert (line["total"]["pending"], line["total"]["running"]) == (5, 1)
        assert line["rows"][0]["oldest"] == pytest.approx(begun, abs=0.01)

        one = delivery("task-running", task_id=f"{0:022}")
        taskcluster.publish(one.exchange, one.routing_key, one.body)
        wait_for_line(topping, lambda line: line["total"]["running"] == 2)
        server.groups[GROUP] = queue_of(delivery("task-completed"), one, *waiting[1:3])
        rabbitmq.close_connections()

        line = wait_for_line(topping, lambda line: line["total"]["pending"] == 2)
        assert (line["total"]["running"], topping.signal(signal.SIGINT)) == (1, 130)


def test_a_check_in_cron_sees_what_waited_before(rabbitmq: RabbitMQ) -> None:
    """Nothing needs to happen while it looks."""
    check = ("--fail-on", "rows[?oldest > `1800`]", "--until", "api == 'answered'")
    with QueueServer(queue_of(delivery("task-pending"))) as server:
        late = finished(*pool_command(rabbitmq, server, *check))
        server.groups.clear()
        fine = finished(*pool_command(rabbitmq, server, *check))

    assert (late.returncode, fine.returncode) == (10, 0)


def test_a_refused_question_is_a_note(rabbitmq: RabbitMQ) -> None:
    """Counting goes on with events."""
    with QueueServer(queue_of(delivery("task-pending"))) as server:
        server.refused_lists = {"pending", "claimed"}
        with Running(*pool_command(rabbitmq, server)) as topping:
            line = wait_for_line(topping, lambda line: line["api"] != "asking")
            assert topping.signal(signal.SIGINT) == 130

        (note,) = [text for text in topping.said().splitlines() if "refused" in text]
        assert (line["api"], line["total"]["pending"]) == ("refused", 0)
        assert "pending tasks of worker pool gecko-t/t-linux-large (403: Client ID" in note


@pytest.mark.parametrize(
    "words",
    [("--no-api",), ("task-failed",), ("--task-id", TASK)],
    ids=lambda words: words[0],
)
def test_nothing_is_asked_for_nothing(rabbitmq: RabbitMQ, words: tuple[str, ...]) -> None:
    """If the user says so; and if no run that waits is selected, nothing counts."""
    with (
        QueueServer(queue_of(delivery("task-pending", task_id=OTHER_TASK))) as server,
        Running(*pool_command(rabbitmq, server, *words)) as topping,
    ):
        line = json.loads(topping.lines(2)[-1])
        assert topping.signal(signal.SIGINT) == 130

    assert line["total"]["pending"] == 0
    if words != ("--task-id", TASK):
        assert ("api" in line, server.requests) == (False, [])


@pytest.mark.parametrize("words", [(), ("--queue", "top")])
def test_a_table_of_a_broker_is_live(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, words: tuple[str, ...]
) -> None:
    """A run waits, runs and ends, in the row of its pool."""
    pattern = r"gecko-t/t-linux-large +{} +(?:\d+d\S* +)?{} +{} "
    with Terminal("top", "--broker", rabbitmq.url(), *words, columns=80, lines=10) as terminal:
        terminal.shows(lambda screen: any("0 events" in row for row in screen))
        for event, numbers in (
            ("task-pending", (1, 0, 0)),
            ("task-running", (0, 1, 0)),
            ("task-completed", (0, 0, 1)),
        ):
            one = delivery(event)
            taskcluster.publish(one.exchange, one.routing_key, one.body)
            wanted = re.compile(pattern.format(*numbers))
            terminal.shows(lambda screen, wanted=wanted: any(map(wanted.match, screen)))
