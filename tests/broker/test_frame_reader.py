"""Reading frames without py-amqp gives the same deliveries, and falls back where it cannot."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import amqp
import pytest
from amqp.method_framing import frame_handler

from proxy import Proxy
from rabbitmq import FOREIGN_EXCHANGE, RabbitMQ, Taskcluster
from running import Running
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.routing import Binding
from tcsniff.settings.brokers import Broker, build_broker
from tcsniff.sources.consumer import Consumer
from tcsniff.sources.frames import FRAME, make_frame_handler, parse_deliveries
from tcsniff.sources.receive_buffer import Receiver

MAX_BODY = 1 << 20


class RecordingReceiver(Receiver):
    def __init__(self) -> None:
        self.received: list[tuple[int, Delivery]] = []
        self.large: list[tuple[int, int]] = []

    def add(self, tags, deliveries):
        self.received += zip(tags, deliveries, strict=True)

    def skip(self, tag, delivery, size):
        assert delivery.body == b""
        self.large.append((tag, size))


class Line:
    """The attribute of a connection that a frame handler uses."""

    bytes_recv = 0


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return FRAME.pack(kind, channel, len(payload)) + payload + b"\xce"


def short(text: str) -> bytes:
    return bytes([len(text.encode())]) + text.encode()


def frames(tag: int, body: bytes, *, channel: int = 1, cut: int = MAX_BODY) -> list[bytes]:
    method = b"\0\x3c\0\x3c" + short("tcsniff") + struct.pack(">QB", tag, tag % 2)
    method += short(f"exchange/{tag % 3}") + short(f"key.é.{tag}")
    keys = b"S" + struct.pack(">I", 7) + b"route.x"
    table = b"\x02CCA" + struct.pack(">I", len(keys)) + keys
    header = (
        struct.pack(">HHQH", 60, 0, len(body), 1 << 13) + struct.pack(">I", len(table)) + table
    )
    parts = [body[at : at + cut] for at in range(0, len(body), cut)]
    return [
        frame(1, channel, method),
        frame(2, channel, header),
        *(frame(3, channel, part) for part in parts),
    ]


def parse_frame_by_frame(data: bytes, most: int = MAX_BODY) -> RecordingReceiver:
    """Handle each frame separately."""
    notes = RecordingReceiver()
    on_frame = make_frame_handler(notes, most, frame_handler)(Line(), print)
    while data:
        kind, channel, size = FRAME.unpack_from(data)
        end = FRAME.size + size
        on_frame((kind, channel, data[FRAME.size : end]))
        data = data[end + 1 :]
    return notes


BEAT = frame(8, 0, b"")
BODIES = [b"x" * size for size in (1, 870, 2000)]


def test_complete_deliveries_are_parsed_as_frame_by_frame():
    """Deliveries and tags are equal, and parsing stops at the end of the frames."""
    data = b"".join(part for tag, body in enumerate(BODIES, 1) for part in frames(tag, body))

    end, tags, found = parse_deliveries(data, 0, MAX_BODY, None)

    assert end == len(data)
    assert list(zip(tags, found, strict=True)) == parse_frame_by_frame(data).received
    assert [one.body for one in found] == BODIES


@pytest.mark.parametrize(
    "second",
    [
        [BEAT, *frames(2, b"y")],
        [*frames(2, b"y")[:1], BEAT, *frames(2, b"y")[1:]],
        [*frames(2, b"y")[:2], BEAT, *frames(2, b"y")[2:]],
        frames(2, b""),
        frames(2, b"y" * 100, cut=30),
        frames(2, b"y" * 2001),
        [
            one
            for pair in zip(frames(2, b"y"), frames(3, b"z", channel=2), strict=True)
            for one in pair
        ],
        [frames(2, b"y")[0], *frames(3, b"z", channel=2)[1:]],
        [frame(1, 1, b"\0\x0a\0\x32" + b"\0" * 40)],
    ],
    ids=[
        "a heartbeat before",
        "a heartbeat in the method",
        "a heartbeat in the body",
        "no body",
        "a body in pieces",
        "too large",
        "two channels at once",
        "another channel's body",
        "no delivery",
    ],
)
def test_parsing_stops_before_an_unusual_frame(second):
    """Deliveries before it are parsed; the rest is left for the frame handler."""
    before = b"".join(frames(1, b"x"))
    data = before + b"".join(second) + b"".join(frames(4, b"after"))

    end, tags, found = parse_deliveries(data, 0, 2000, None)

    assert (end - len(before)) in (0, len(BEAT) * (second[0] == BEAT))
    assert list(tags) == [1]
    assert [one.body for one in found] == [b"x"]


def test_an_incomplete_delivery_is_left_for_later():
    """Wherever it is cut."""
    first, second = (b"".join(frames(tag, b"x" * 20)) for tag in (1, 2))

    for at in range(len(second)):
        end, tags, _ = parse_deliveries(first + second[:at], 0, MAX_BODY, None)
        assert (end, list(tags)) == (len(first), [1])


def test_a_frame_without_its_end_is_not_parsed() -> None:
    """Nor are frames whose sizes contradict each other."""
    parts = frames(1, b"x" * 20)
    starts = [0, len(parts[0]), len(parts[0]) + len(parts[1])]
    ends = [start + len(part) - 1 for start, part in zip(starts, parts, strict=True)]
    sizes = [*(start + FRAME.size - 1 for start in starts), starts[1] + FRAME.size + 11]

    for place in [*ends, *sizes]:
        data = bytearray(b"".join(parts))
        data[place] ^= 1
        assert parse_deliveries(bytes(data), 0, MAX_BODY, None)[0] == 0


def receive(where: Broker, number: int, *, reads_frames: bool, line: Proxy | None = None, work):
    found: list[Delivery] = []
    with Consumer(where, [Binding(FOREIGN_EXCHANGE, "#")], reads_frames=reads_frames) as consumer:
        if line is not None:
            line.rate = 300_000
        work()
        for batch in consumer.batches():
            found += batch
            if len(found) >= number:
                break
    return [one._replace(received=None) for one in found]


@pytest.mark.parametrize("way", ["plain", "in pieces", "tls"])
def test_it_receives_what_py_amqp_receives(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """The same messages, in the same order, over a fast and a slow connection, and TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(rabbitmq.ca_file))
    bodies = [b"{}", b"", b"\xff" * 870, b"x" * 140_000, *(b"%d" % n for n in range(300))]

    def publish() -> None:
        for place, body in enumerate(bodies):
            cc = [f"route.{place}", "é"] * (place % 2)
            taskcluster.publish(FOREIGN_EXCHANGE, f"k.{place}", body, cc=cc)

    with Proxy(rabbitmq.port) as line:
        url = rabbitmq.url(tls=way == "tls")
        if way == "in pieces":
            url = url.replace(f":{rabbitmq.port}/", f":{line.port}/")
        slow = line if way == "in pieces" else None
        where = build_broker(url, None, {})
        ours, theirs = (
            receive(where, len(bodies), reads_frames=reads_frames, line=slow, work=publish)
            for reads_frames in (True, False)
        )

    assert [one.body for one in ours] == bodies
    assert ours == theirs


def altered(folder: Path, old: str, new: str) -> dict[str, str]:
    """Copy py-amqp with a changed name, as in a later version; return the environment for it."""
    shutil.copytree(Path(amqp.__file__).parent, folder / "amqp")
    for path in (folder / "amqp").glob("*.py"):
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize("name", ["_read_buffer", "on_inbound_frame", "frame_handler"])
def test_an_unknown_py_amqp_is_reported_and_used(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, tmp_path: Path, name: str
) -> None:
    """One line on standard error, and every message arrives anyway."""
    env = altered(tmp_path, name, f"{name}_anew")
    flags = ["--exchange", FOREIGN_EXCHANGE, "--routing-key", "#", "-o", "raw"]
    with Running("--broker", rabbitmq.url(), *flags, env=env) as running:
        running.listening()
        for number in range(50):
            taskcluster.publish(FOREIGN_EXCHANGE, "k", b"%d" % number)

        assert running.lines(50) == [str(number) for number in range(50)]

    assert running.said().count("py-amqp") == 1
