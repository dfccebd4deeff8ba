"""``tcsniff simulate``: what it publishes, where it refuses to, and how it ends."""

from __future__ import annotations

import gzip
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from kombu.connection import Connection

from rabbitmq import ADMIN, RabbitMQ, release
from running import Running, finished
from tcsniff.errors import ConnectionFailed
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import BY_ADDRESS, WORKER_EVENTS
from tcsniff.settings.brokers import build_broker
from tcsniff.simulator.simulation import FAULTS, plan_groups, simulate
from tcsniff.sources.publisher import WINDOW, Publisher
from tcsniff.sources.wakeup import WakeUp
from tcsniff.taskgraph.graph_files import parse_graph_files

TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(Z|\+00:00)")
RUNNING = "exchange/taskcluster-queue/v1/task-running"
AT_ONCE = ("--rate", "100000")


@pytest.fixture
def vhost(rabbitmq: RabbitMQ, request: pytest.FixtureRequest) -> str:
    """Make a vhost in which nothing is declared."""
    name = re.sub(r"\W", "-", request.node.name)
    rabbitmq.add_vhost(name)
    return name


@pytest.fixture
def channel(rabbitmq: RabbitMQ, vhost: str) -> Iterator[Any]:
    """Connect as guest to that vhost."""
    connection = Connection(rabbitmq.url(*ADMIN, vhost))
    connection.connect()
    yield connection.default_channel
    release(connection)


def timeless(deliveries: Iterator[Delivery]) -> list[tuple[str, str, list[str], bytes]]:
    return [
        (one.exchange, one.routing_key, one.routes, TIME.sub(b"TIME", one.body))
        for one in deliveries
    ]


@pytest.mark.parametrize("faults", [FAULTS, (), ("claim-expired", "rerun")], ids=len)
def test_a_listener_hears_what_the_simulator_made(
    rabbitmq: RabbitMQ, faults: tuple[str, ...]
) -> None:
    """Every message in order, with its routes, byte for byte but for the times."""
    options = {"seed": 11, "groups": 2, "tasks": 40, "faults": faults}
    made = [one for _, one in simulate(start=0, **options, workers=True)]
    named = ",".join(faults) or "none"
    words = ("--all", *WORKER_EVENTS, "-n", str(len(made)))
    with Running("--broker", rabbitmq.url(*ADMIN), *words) as sniffing:
        sniffing.listening()
        done = finished(
            *("simulate", "--broker", rabbitmq.url(*ADMIN), "--seed", "11", "--groups", "2"),
            *("--tasks", "40", "--fault", named, *AT_ONCE),
        )
        assert sniffing.status() == 0
        records = [orjson.loads(line) for line in sniffing.lines(len(made))]
        bodies = [line.partition('"payload":')[2][:-1] for line in sniffing.lines(len(made))]

    heard = [
        (one["exchange"], one["routingKey"], one["routes"], TIME.sub(b"TIME", body.encode()))
        for one, body in zip(records, bodies, strict=True)
    ]
    assert done.returncode == 0
    assert heard == timeless(iter(made))
    assert f"{len(made):,} messages of 2 task groups published in" in done.stderr
    assert ", all confirmed" in done.stderr


def test_a_route_finds_its_tasks(rabbitmq: RabbitMQ) -> None:
    """The broker itself knows the messages under their CC."""
    made = [
        one
        for _, one in simulate(seed=2, start=0, groups=1)
        if any(route.startswith("index.gecko.v2") for route in one.routes)
    ]
    words = ("--all", "--route", "index.gecko.v2.#", "-n", str(len(made)))
    with Running("--broker", rabbitmq.url(*ADMIN), *words) as sniffing:
        sniffing.listening()
        finished("simulate", "--broker", rabbitmq.url(*ADMIN), "--seed", "2", *AT_ONCE)
        assert sniffing.status() == 0
        keys = [orjson.loads(line)["routingKey"] for line in sniffing.lines(len(made))]

    assert keys == [one.routing_key for one in made]


def test_messages_are_as_taskclusters(rabbitmq: RabbitMQ, vhost: str, channel: Any) -> None:
    """On exchanges that are made as Taskcluster makes its own; kept on disk, and JSON."""
    url = rabbitmq.url(*ADMIN, vhost)
    finished("simulate", "--broker", url, *AT_ONCE)
    rows = rabbitmq.rows("list_exchanges", "name", "type", "durable", "auto_delete", vhost=vhost)
    channel.queue_declare("heard")
    channel.queue_bind("heard", RUNNING, "primary.#")
    finished("simulate", "--broker", url, *AT_ONCE)

    message = channel.basic_get("heard", no_ack=True)

    queues_own = {one.address for one in BY_ADDRESS.values() if one.service == "queue"}
    declared = {
        row["name"]
        for row in rows
        if (row["type"], row["durable"], row["auto_delete"]) == ("topic", True, False)
    }
    assert queues_own <= declared
    assert message.properties["delivery_mode"] == 2
    assert message.content_type == "application/json"
    assert message.content_encoding == "utf-8"
    assert all(key.startswith("route.") for key in message.headers["CC"])


def test_ids_are_told_as_groups_begin(rabbitmq: RabbitMQ) -> None:
    """On standard output, one a line; with a seed, the same ones each time."""
    words = ("--seed", "8", "--groups", "3", "--tasks", "20", "--quiet", *AT_ONCE)
    done = finished("simulate", "--broker", rabbitmq.url(*ADMIN), *words)

    groups = plan_groups(seed=8, tasks=20, groups=3)
    assert done.stdout.splitlines() == [group.task_group_id for group in groups]
    assert done.stderr == ""


def test_nobody_for_the_ids_ends_it(rabbitmq: RabbitMQ) -> None:
    """As behind `head -1`, at the next group."""
    words = ("--groups", "1000", "--rate", "2000")
    with Running("simulate", "--broker", rabbitmq.url(*ADMIN), *words) as simulating:
        simulating.lines(1)
        simulating.stop_reading()

        assert simulating.status() == 141


@pytest.mark.parametrize("name", ["tasks.json", "tasks.json.gz"])
def test_the_graph_file_tells_the_dependencies(
    rabbitmq: RabbitMQ, tmp_path: Path, name: str
) -> None:
    """Of every task of every group, as `tcsniff graph --graph` reads them."""
    path = tmp_path / name
    words = ("--seed", "8", "--groups", "2", "--graph", str(path), *AT_ONCE)
    finished("simulate", "--broker", rabbitmq.url(*ADMIN), *words)
    text = path.read_bytes()

    found = parse_graph_files([(name, gzip.decompress(text) if name.endswith(".gz") else text)])

    planned = [task for group in plan_groups(seed=8, groups=2) for task in group.tasks]
    assert {one.task_id: (one.label, one.dependencies) for one in found.definitions} == {
        one.task_id: (one.label, one.dependencies) for one in planned
    }


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (
            ["--broker", "amqps://me:secret@192.0.2.1"],
            2,
            "amqps://me@192.0.2.1:5671 is on another machine; simulated messages go only to",
        ),
        (["--broker", "amqp://me:secret@192.0.2.1", "--plaintext"], 2, "on another machine"),
        (["--broker", "amqp://me:secret@[2001:db8::1]"], 2, "on another machine"),
        (["--broker", "amqp://me:secret@0.0.0.0"], 2, "on another machine"),
        (["--broker", "amqp://me:secret@nowhere.invalid"], 3, "unknown host 'nowhere.invalid'"),
        (["--broker", "amqp://localhost:1"], 3, "nothing listens at amqp://guest@localhost:1"),
        ([], 2, "no broker to publish to; give one on this machine"),
        (["--fault", "clam-expired"], 2, "did you mean 'claim-expired'?"),
        (["--fault", "rerun,none"], 2, "--fault none cannot be combined with other faults"),
        (["--groups", "0"], 2, "0 is not in the range"),
        (["--speed", "0"], 2, "0"),
        (["--rate", "-1"], 2, "-1"),
        (["--graph", "/nowhere/g.json"], 7, "cannot write /nowhere/g.json: No such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_told(words: list[str], status: int, text: str) -> None:
    """In one line; where messages would go elsewhere, before anything connects."""
    if words and words[0] != "--broker":
        words = ["--broker", "amqp://localhost:1", *words]
    done = finished("simulate", *words)

    assert done.returncode == status
    assert text in done.stderr
    assert done.stderr.startswith("tcsniff: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert "secret" not in done.stderr


def test_an_exchange_of_another_kind_is_told(rabbitmq: RabbitMQ, vhost: str, channel: Any) -> None:
    """And left alone: it may be somebody's."""
    channel.exchange_declare(RUNNING, "direct", durable=True, auto_delete=False)

    done = finished("simulate", "--broker", rabbitmq.url(*ADMIN, vhost))

    assert done.returncode == 4
    assert "other settings than Taskcluster" in done.stderr
    assert "received 'topic' but current is 'direct'" in done.stderr
    assert done.stdout == ""


def test_who_may_not_declare_is_told(rabbitmq: RabbitMQ) -> None:
    """As with an account of Pulse's kind."""
    done = finished("simulate", "--broker", rabbitmq.url())

    assert done.returncode == 4
    assert "refused user 'pulse': ACCESS_REFUSED" in done.stderr


def test_who_may_not_publish_is_told(rabbitmq: RabbitMQ) -> None:
    """The broker says so only afterwards."""
    rabbitmq.add_user("reader", "reader")
    rabbitmq.ctl("set_permissions", "reader", ".*", "^queue/.*", ".*")

    done = finished("simulate", "--broker", rabbitmq.url("reader", "reader"))

    assert done.returncode == 4
    assert "refused user 'reader': ACCESS_REFUSED" in done.stderr


def test_what_a_queue_would_not_take_is_told(rabbitmq: RabbitMQ, vhost: str, channel: Any) -> None:
    """With how many: the others arrived."""
    finished("simulate", "--broker", rabbitmq.url(*ADMIN, vhost), *AT_ONCE)
    full = {"x-max-length": 5, "x-overflow": "reject-publish"}
    channel.queue_declare("full", arguments=full)
    channel.queue_bind("full", RUNNING, "#")

    done = finished("simulate", "--broker", rabbitmq.url(*ADMIN, vhost), "--seed", "1", *AT_ONCE)

    assert done.returncode == 4
    made = sum(one.exchange == RUNNING for _, one in simulate(seed=1, start=0, groups=1))
    told = re.search(r"refused ([\d,]+) messages", done.stderr)
    assert told is not None
    # The queue may take a few more before it says that it is full.
    assert made - 50 < int(told[1].replace(",", "")) <= made - 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(rabbitmq: RabbitMQ, number: signal.Signals) -> None:
    """Also in a pause, which at this speed are long; what is out is confirmed, and counted."""
    url = rabbitmq.url(*ADMIN)
    with Running("task-defined", "--broker", url, "-n", "1") as sniffing:
        sniffing.listening()
        with Running("simulate", "--broker", url, "--speed", "1") as simulating:
            assert sniffing.status() == 0

            assert simulating.signal(number) == 128 + number

    told = re.search(r"(\d+) messages? of 1 task group .*, all confirmed", simulating.said())
    assert told is not None
    assert 1 <= int(told[1]) < 200
    assert "Traceback" not in simulating.said()


def test_whoever_reads_the_id_may_be_given_time(rabbitmq: RabbitMQ) -> None:
    """It comes before the first message, by as much as is wanted."""
    with Running("simulate", "--broker", rabbitmq.url(*ADMIN), "--delay", "1h") as simulating:
        simulating.lines(1)

        assert simulating.signal(signal.SIGINT) == 130
        assert "tcsniff: 0 messages of 1 task group published" in simulating.said()


def test_a_lost_connection_is_told_with_what_arrived(rabbitmq: RabbitMQ) -> None:
    """And not made again: what was on its way may have arrived, or not."""
    words = ("--groups", "1000", "--rate", "200")
    with Running("simulate", "--broker", rabbitmq.url(*ADMIN), *words) as simulating:
        simulating.lines(1)
        rabbitmq.close_connections(user=ADMIN[0])

        assert simulating.status() == 3
        assert "connection to amqp://guest@" in simulating.said()
        assert re.search(r"lost: .*; [\d,]+ messages of .* confirmed\n$", simulating.said())


def test_a_broker_that_confirms_nothing_is_given_up(rabbitmq: RabbitMQ) -> None:
    """As one that is short of memory: it takes no more, and says nothing."""
    # So small that a window of them fits into the buffers of the sockets.
    messages = [one._replace(body=b"{}") for _, one in simulate(seed=1, start=0, groups=6)]
    assert len(messages) > WINDOW
    with closing(Publisher(build_broker(rabbitmq.url(*ADMIN), None, {}), WakeUp())) as publisher:
        publisher.confirm_timeout = 0.3
        publisher.open()
        rabbitmq.pause()
        try:
            with pytest.raises(ConnectionFailed, match=r"confirmed nothing for 0\.3 s"):
                publisher.publish(messages)
            # A few may be confirmed before it pauses, or just after.
            assert WINDOW <= publisher.sent <= WINDOW + publisher.confirmed
            assert publisher.confirmed < WINDOW // 2
        finally:
            rabbitmq.resume()


@pytest.fixture
def short_of_memory(rabbitmq: RabbitMQ) -> Iterator[Callable[[], object]]:
    """Let the broker raise its memory alarm; return what ends it."""
    rabbitmq.ctl("set_vm_memory_high_watermark", "0.00001")

    def recover() -> None:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.6")

    yield recover
    recover()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("words", [("--speed", "60"), (*AT_ONCE, "--groups", "500")], ids=" ".join)
def test_one_signal_ends_it_while_the_broker_is_short_of_memory(
    rabbitmq: RabbitMQ,
    short_of_memory: Callable[[], object],
    words: tuple[str, ...],
    number: signal.Signals,
) -> None:
    """It says that the broker accepts nothing, and does not wait for that at its end."""
    assert short_of_memory
    with Running("simulate", "--broker", rabbitmq.url(*ADMIN), *words) as simulating:
        simulating.mentions("accepts no messages, because it is short of memory or disk space")
        started = time.monotonic()

        assert simulating.signal(number) == 128 + number
        assert time.monotonic() - started < 10


def test_it_goes_on_when_the_broker_has_memory_again(
    rabbitmq: RabbitMQ, short_of_memory: Callable[[], object]
) -> None:
    """All messages are published and confirmed."""
    with Running("simulate", "--broker", rabbitmq.url(*ADMIN), *AT_ONCE) as simulating:
        simulating.mentions("accepts no messages")
        short_of_memory()
        simulating.mentions("accepts messages again")

        assert simulating.status() == 0
        assert "all confirmed" in simulating.said()


def test_faults_are_listed() -> None:
    """As the help says."""
    assert finished("simulate", "--fault", "help").stdout.split() == list(FAULTS)
