"""The processor time of a message that arrives through a web server, over a WebSocket."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from measuring import Row, Section, alternate, report
from websockets.frames import Frame, Opcode

from tcsniff.simulator.simulation import simulate
from web_server import WebServer

MESSAGES = 20_000
ROUNDS = 3

# The same work with websockets' own client and orjson.
_BARE = """
import sys, orjson
from websockets.sync.client import connect
url, number = sys.argv[1].replace("http", "ws") + "/subscription/raw", int(sys.argv[2])
with connect(url, compression=None, max_size=None) as websocket:
    websocket.send('{"type":"connection_init"}')
    websocket.recv()
    bindings = [{"exchange": name, "pattern": "#"} for name in sys.argv[3:]]
    websocket.send(orjson.dumps({"type": "subscribe", "bindings": bindings}), text=True)
    websocket.recv()
    print("tcsniff: listening", file=sys.stderr, flush=True)
    for _ in range(number):
        message = orjson.loads(websocket.recv(decode=False))["message"]
        sys.stdout.buffer.write(orjson.dumps(message) + b"\\n")
"""


class _Run(NamedTuple):
    seconds: float  # from the first message to the end
    busy: float  # seconds of processor time, without those of starting


def section() -> Section:
    """Let both take turns."""
    report(f"web: {ROUNDS} rounds of 2 with {MESSAGES:,} messages each")
    deliveries = [
        delivery for _, delivery in itertools.islice(simulate(seed=1, start=time.time()), MESSAGES)
    ]
    exchanges = sorted({delivery.exchange for delivery in deliveries})
    template = '{"type":"data","subscriptionId":"SUB","message":{"payload":%s,"exchange":"%s","routingKey":"%s","redelivered":false,"cc":[]}}'  # noqa: E501
    frames = [
        template % (delivery.body.decode(), delivery.exchange, delivery.routing_key)
        for delivery in deliveries
    ]
    commands = {
        "ours": ["-m", "tcsniff", "--all", "-o", "json", "-n", str(MESSAGES), "--root-url"],
        "bare": ["-c", _BARE],
    }
    more = {"ours": [], "bare": [str(MESSAGES), *exchanges]}
    runs = alternate(
        {name: partial(_measure, commands[name], more[name], frames) for name in commands}, ROUNDS
    )
    ours, bare = (statistics.median([run.busy for run in runs[name]]) for name in ("ours", "bare"))
    speed = MESSAGES / statistics.median([run.seconds for run in runs["ours"]])
    figure = f"{ours / MESSAGES * 1e6:.0f} µs, bare {bare / MESSAGES * 1e6:.0f} µs"
    rows = [
        Row("processor time of a message, tcsniff : websockets and orjson", figure, ours / bare,
            "<= 1.5"),
        Row("messages a second : 5,000", f"{speed:,.0f}/s", speed / 5_000, ">= 1"),
    ]  # fmt: skip
    return Section("through a web server", rows)


def _measure(command: list[str], more: list[str], frames: list[str]) -> _Run:
    with WebServer() as server, tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            [sys.executable, *command, server.root_url, *more],
            stdout=output,
            stderr=subprocess.PIPE,
        )
        (subscription,) = server.subscribed()
        data = b"".join(
            Frame(Opcode.TEXT, frame.replace("SUB", subscription.id, 1).encode()).serialize(
                mask=False
            )
            for frame in frames
        )
        assert child.stderr is not None
        child.stderr.readline()
        before = _read_processor_time(child.pid)
        started = time.perf_counter()
        sock = subscription.connection.socket
        pump = threading.Thread(target=sock.sendall, args=(data,))
        pump.start()
        _, _, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        pump.join()
        child.returncode = 0
        child.stderr.close()
        output.seek(0)
        lines = output.read().splitlines()
    payloads = [json.loads(lines[place])["payload"] for place in (0, -1)]
    expected = [json.loads(frames[place])["message"]["payload"] for place in (0, -1)]
    if (len(lines), payloads) != (len(frames), expected):
        raise RuntimeError(f"{len(lines)} messages were printed")
    return _Run(seconds, usage.ru_utime + usage.ru_stime - before)


def _read_processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
