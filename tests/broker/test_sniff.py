"""End to end: a publisher, RabbitMQ, tcsniff as a process, and what comes out."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import orjson
import pytest

from paths import DATA
from rabbitmq import FOREIGN_EXCHANGE, HOST, RabbitMQ, Taskcluster
from running import PATIENCE, Running, command, environment, finished
from tcsniff.pulse.exchanges import BY_ADDRESS

RAW_SAMPLES = (DATA / "samples.jsonl").read_bytes().splitlines()
SAMPLES = [orjson.loads(line) for line in RAW_SAMPLES]
KEY = "primary.{}.0.us-east-1.i-1.aws-provisioner.{}.gecko-level-1.G41B6K1FS32lQTjXgb4J2g._"
TASK = "JFjlQCTkRuWyz2yqxLnGNw"
QUEUE = "exchange/taskcluster-queue/v1/"


def body_of(raw: bytes) -> bytes:
    return raw[raw.index(b'"payload":') + len(b'"payload":') : -1]


def test_samples_come_back_byte_for_byte(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """Messages of Mozilla's CI, published as they were: the records hold the same bytes."""
    mine = [(one, raw) for one, raw in zip(SAMPLES, RAW_SAMPLES, strict=True)]
    with Running("--broker", rabbitmq.url(), "--all") as sniffing:
        sniffing.listening()
        for sample, raw in mine:
            cc = [f"route.{route}" for route in sample["routes"]]
            taskcluster.publish(sample["exchange"], sample["routingKey"], body_of(raw), cc)
        lines = sniffing.lines(len(mine))

    for line, (sample, raw) in zip(lines, mine, strict=True):
        record = orjson.loads(line)
        assert line.endswith(f'"payload":{body_of(raw).decode()}}}')
        assert list(record) == [
            "received", "exchange", "routingKey", "routes", "redelivered", "payload",
        ]  # fmt: skip
        for name in ("exchange", "routingKey", "routes"):
            assert record[name] == sample[name]


def test_the_first_half_of_the_seeds_example(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """task-defined and task-running, each with fields of its own, on one queue."""
    words = (
        "task-defined:worker-type=gaia,provisioner-id=aws-provisioner",
        "task-running:worker-type=b2g,provisioner-id=aws-provisioner",
    )
    with Running(*words, "--broker", rabbitmq.url(), "-n", "2") as sniffing:
        sniffing.listening()
        for event in ("task-defined", "task-running"):
            for worker_type in ("gaia", "b2g"):
                taskcluster.publish(QUEUE + event, KEY.format(TASK, worker_type), b"{}")
        assert sniffing.status() == 0
        lines = [orjson.loads(line) for line in sniffing.lines(2)]

    assert [(one["exchange"], one["routingKey"].split(".")[6]) for one in lines] == [
        (f"{QUEUE}task-defined", "gaia"),
        (f"{QUEUE}task-running", "b2g"),
    ]


def test_the_second_half_of_the_seeds_example(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """Any exchange, with ``#``."""
    words = ("--exchange", FOREIGN_EXCHANGE, "--routing-key", "#", "--broker", rabbitmq.url())
    with Running(*words, "-n", "1") as sniffing:
        sniffing.listening()
        taskcluster.publish(FOREIGN_EXCHANGE, "unittest.mozilla-central", b'{"a": 1}')
        assert sniffing.status() == 0

        (line,) = sniffing.lines(1)

    assert orjson.loads(line)["payload"] == {"a": 1}


def test_jq_reads_the_lines(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """A pipe into jq shows each event when it happens, not when a buffer is full."""
    sniff = " ".join(command("--worker-type", "gaia", "task-running"))
    pipeline = subprocess.Popen(
        ["sh", "-c", f"{sniff} | jq --unbuffered -r .payload.task"],
        env=environment({"PULSE_URL": rabbitmq.url()}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with pipeline:
        said = pipeline.stderr.readline() if pipeline.stderr else ""
        assert said.startswith("tcsniff: listening")
        for number in range(3):
            body = json.dumps({"task": number}).encode()
            taskcluster.publish(f"{QUEUE}task-running", KEY.format(TASK, "gaia"), body)
            assert pipeline.stdout is not None
            assert pipeline.stdout.readline() == f"{number}\n"
        os.killpg(pipeline.pid, signal.SIGKILL)


def test_a_task_group_can_be_followed(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """A group is on every exchange of the queue, at different places of the key."""
    group = "JFjlQCTkRuWyz2yqxLnGNw"
    keys = [sample["routingKey"] for sample in SAMPLES]
    # Task keys have ten words and the group in the ninth, group keys four and it in the second.
    expected = [key for key in keys if key.split(".")[8 if key.count(".") == 9 else 1] == group]
    with Running("--task-group", group, "--broker", rabbitmq.url()) as sniffing:
        sniffing.listening()
        for sample in SAMPLES:
            taskcluster.publish(sample["exchange"], sample["routingKey"], b"{}")

        lines = sniffing.lines(len(expected))

    assert [orjson.loads(line)["routingKey"] for line in lines] == expected
    assert 20 < len(expected) < len(keys)


def test_routes_narrow_on_arrival_what_fields_bound(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """A route and a worker type: the broker matches one, we the other."""
    words = ("task-running", "--route", "index.#", "--worker-type", "gaia")
    with Running(*words, "--broker", rabbitmq.url(), "-n", "1") as sniffing:
        sniffing.listening()
        for worker_type, route in (("gaia", "notify.x"), ("b2g", "index.x"), ("gaia", "index.y")):
            key = KEY.format(TASK, worker_type)
            taskcluster.publish(f"{QUEUE}task-running", key, b"{}", cc=[f"route.{route}"])
        assert sniffing.status() == 0

        (line,) = sniffing.lines(1)

    assert orjson.loads(line)["routes"] == ["index.y"]


def test_bodies_that_are_no_json_are_records_too(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """Broken, binary and empty bodies: none stops it, none is dropped."""
    bodies = [b"{", b"\xff\x00\x1b[2J", b"", b'"\xed\xa0\x80"', b"[" * 100_000]
    with Running("--exchange", FOREIGN_EXCHANGE, "--broker", rabbitmq.url()) as sniffing:
        sniffing.listening()
        for body in bodies:
            taskcluster.publish(FOREIGN_EXCHANGE, "x", body)
        lines = [orjson.loads(line) for line in sniffing.lines(len(bodies))]

    assert [one["payload"] for one in lines] == [None] * len(bodies)
    assert all(one["error"].startswith("not JSON") for one in lines)


def test_raw_is_the_body(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """``-o raw`` writes what was published and a line feed."""
    words = ("-o", "raw", "--exchange", FOREIGN_EXCHANGE, "--broker", rabbitmq.url(), "-n", "1")
    with Running(*words) as sniffing:
        sniffing.listening()
        taskcluster.publish(FOREIGN_EXCHANGE, "x", b"<b> \x01")
        assert sniffing.status() == 0

        assert sniffing.lines(1) == ["<b> \x01"]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_in_order(
    rabbitmq: RabbitMQ, number: signal.Signals, status: int
) -> None:
    """Its own status, no traceback, and the queue is gone."""
    with Running("task-running", "--broker", rabbitmq.url(), "-v") as sniffing:
        sniffing.listening()

        assert sniffing.signal(number) == status
        said = sniffing.said()

    (queue,) = re.findall(r"queue/pulse/tcsniff/[\w-]+", said)
    assert "Traceback" not in said
    assert queue not in rabbitmq.queues()


@pytest.mark.parametrize(
    ("account", "variables", "source"),
    [
        ("me:wrong@", {}, "user: in the URL from --broker; password: in the URL from --broker"),
        (
            "me@",
            {"PULSE_PASSWORD": "wrong"},
            "user: in the URL from --broker; password: PULSE_PASSWORD",
        ),
        (
            "",
            {"PULSE_USERNAME": "me", "PULSE_PASSWORD": "wrong"},
            "user: PULSE_USERNAME; password: PULSE_PASSWORD",
        ),
    ],
)
def test_a_wrong_password_is_reported_with_its_source(
    account: str, variables: dict[str, str], source: str, rabbitmq: RabbitMQ
) -> None:
    """Status 4, and not the password."""
    url = f"amqp://{account}{rabbitmq.url().partition('@')[2]}"

    done = finished("task-running", "--broker", url, env=variables)

    assert done.returncode == 4
    assert done.stderr == f"tcsniff: wrong user name or password for 'me' at {HOST} ({source})\n"


def test_silence_is_explained(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """After ten seconds, once; and events are printed as before."""
    with Running("task-running", "task-failed", "--broker", rabbitmq.url()) as sniffing:
        sniffing.mentions("nothing received yet; 2 bindings on 2 exchanges are in place")
        taskcluster.publish(f"{QUEUE}task-running", KEY.format(TASK, "gaia"), b"{}")

        assert len(sniffing.lines(1)) == 1
        assert sniffing.said().count("nothing received yet") == 1


def test_a_reader_that_goes_away_ends_it(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """As with ``| head -1``: status 141, and no noise."""
    with Running("task-running", "--broker", rabbitmq.url()) as sniffing:
        sniffing.listening()
        sniffing.stop_reading()
        taskcluster.publish(f"{QUEUE}task-running", KEY.format(TASK, "gaia"), b"{}")

        assert sniffing.status() == 141
        assert sniffing.said().count("\n") == 1


def test_a_full_disk_is_told(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """Status 7, and why."""
    with Path("/dev/full").open("wb") as full:
        sniffing = subprocess.Popen(
            command("task-running", "--broker", rabbitmq.url()),
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    with sniffing:
        assert sniffing.stderr is not None
        assert "listening" in sniffing.stderr.readline()
        taskcluster.publish(f"{QUEUE}task-running", KEY.format(TASK, "gaia"), b"{}")

        assert sniffing.wait(PATIENCE) == 7
        assert "No space left" in sniffing.stderr.read()


def test_time_that_is_up_has_its_status(rabbitmq: RabbitMQ) -> None:
    """``--timeout`` ends it with 124, as timeout(1) does."""
    done = finished("task-running", "--timeout", "300ms", "--broker", rabbitmq.url())

    assert (done.returncode, done.stdout) == (124, "")


def test_what_goes_wrong_has_its_status(rabbitmq: RabbitMQ) -> None:
    """A line that says what, a status of its own, nothing on standard output."""
    good = rabbitmq.url()
    cases = {
        2: ("task-runing", "--broker", good),
        3: ("task-running", "--broker", good.replace(f":{rabbitmq.port}", ":1")),
        4: ("task-running", "--broker", good.replace("pulse-password", "wrong-password")),
        5: ("task-running", "--broker", rabbitmq.url(tls=True)),
    }
    for status, words in cases.items():
        done = finished(*words)

        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.startswith("tcsniff: ")
        assert done.stderr.count("\n") == 1
        assert "-password" not in done.stderr.replace("PULSE_PASSWORD", "")


def test_the_environment_gives_the_account(rabbitmq: RabbitMQ, taskcluster: Taskcluster) -> None:
    """A URL without user, PULSE_USERNAME and PULSE_PASSWORD: no secret on the command line."""
    env = {"PULSE_USERNAME": "pulse", "PULSE_PASSWORD": "pulse-password"}
    url = f"amqp://{rabbitmq.host}:{rabbitmq.port}"
    with Running("task-running", "--broker", url, "-n", "1", env=env) as sniffing:
        sniffing.listening()
        taskcluster.publish(f"{QUEUE}task-running", KEY.format(TASK, "gaia"), b"{}")

        assert sniffing.status() == 0


def test_the_demo_selects_as_the_broker_would(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """The demo's messages, published on RabbitMQ, give the same events for the same flags."""
    everything = finished("--demo", "--seed", "3", "-n", "1500")
    records = [orjson.loads(line) for line in everything.stdout.splitlines()]
    selections = (
        ("--worker-type", "gaia", "task-running"),
        ("--route", "index.#"),
        ("--route", "#", "--worker-type", "gaia,b2g"),
        ("task-exception", "task-failed:provisioner-id=gecko-t"),
        ("--exchange", "task-running", "--routing-key", "route.#"),
        ("--bind", "task-defined:#.gaia.#"),
    )
    for words in selections:
        with Running(*words, "--broker", rabbitmq.url()) as sniffing:
            sniffing.listening()
            for one in records:
                cc = [f"route.{route}" for route in one["routes"]]
                body = orjson.dumps(one["payload"])
                taskcluster.publish(one["exchange"], one["routingKey"], body, cc)
            expected = len(sniffing.lines(1))
            demo = Running(*words, "--demo", "--seed", "3", "-n", str(expected))
            with demo:
                assert demo.status() == 0
                told = [orjson.loads(line) for line in demo.lines(expected)]
            live = [orjson.loads(line) for line in sniffing.lines(expected)]

        for name in ("exchange", "routingKey", "routes", "payload"):
            assert [one[name] for one in live[:expected]] == [one[name] for one in told]


def test_a_seed_repeats_itself() -> None:
    """The same bytes each time, times included; without a broker, account or network."""
    first = finished("--demo", "--seed", "5", "--worker-type", "gaia", "task-running", "-n", "5")
    second = finished("--demo", "--seed", "5", "--worker-type", "gaia", "task-running", "-n", "5")

    assert first.stdout == second.stdout
    assert first.stdout.count("\n") == 5
    assert all(
        BY_ADDRESS[orjson.loads(line)["exchange"]].name == "task-running"
        for line in first.stdout.splitlines()
    )
