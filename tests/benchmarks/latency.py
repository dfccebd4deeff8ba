"""The time of a single message from its publisher to standard output."""

from __future__ import annotations

import os
import re
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from amqp.basic_message import Message
from amqp.connection import Connection
from backlog import Backlog
from drain import CONSUMERS
from measuring import Row, Section, alternate, await_listening, report

from rabbitmq import ADMIN, HOST
from tcsniff.pulse.exchanges import find_exchange

ROUNDS = 3
RATES = {10: 40, 100: 300, 1_000: 1_500}  # messages per second: how many in a round

_EXCHANGE = find_exchange("task-running").address
_KEY = "primary.fN1SbArXTPSVFNUvaOlinQ.0.g.w.proj.gaia.gecko-level-1.JFjlQCTkRuWyz2yqxLnGNw._"
_SENT = re.compile(rb'"sent":([0-9.]+)')
_PATIENCE = 30  # seconds for a message


def section(backlog: Backlog) -> Section:
    """Let both take turns at each rate."""
    rows = []
    for rate, number in RATES.items():
        report(f"latency at {rate}/s: {ROUNDS} rounds of 2 with {number:,} messages each")
        works: dict[str, Callable[[], list[float]]] = {
            name: partial(_latencies, backlog, name, rate, number) for name in ("bare", "ours")
        }
        found = {
            name: [one for round_ in rounds for one in round_]
            for name, rounds in alternate(works, ROUNDS).items()
        }
        for word, part in (("median", 0.5), ("p99", 0.99)):
            bare, ours = (_quantile(found[name], part) * 1e6 for name in ("bare", "ours"))
            figure = f"{ours:,.0f} µs, bare {bare:,.0f} µs"
            rows.append(Row(f"{word} at {rate:,}/s", figure, ours / bare, "<= 1.5"))
    return Section("latency, tcsniff : a bare py-amqp printer", rows)


def _quantile(values: list[float], part: float) -> float:
    return statistics.quantiles(values, n=1000, method="inclusive")[round(part * 1000) - 1]


def _latencies(backlog: Backlog, name: str, rate: float, number: int) -> list[float]:
    (queue,) = backlog.fill(["latency"], 0)
    url = backlog.server.url()
    if name == "ours":
        command = ["-m", "tcsniff", "--broker", url, "--queue", "latency", "--all", "-o", "json"]
    else:
        command = [str(CONSUMERS), "bare", url.replace("%2F", ""), queue, str(number + 1)]
    child = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        await_listening(child)
        return _published(backlog, child.stdout.fileno() if child.stdout else -1, rate, number)
    finally:
        child.kill()
        child.communicate()


def _published(backlog: Backlog, output: int, rate: float, number: int) -> list[float]:
    found: list[float] = []
    with Connection(f"{HOST}:{backlog.server.port}", *ADMIN) as connection:
        channel = connection.channel()
        start = time.perf_counter()
        for place in range(number):
            while (left := start + place / rate - time.perf_counter()) > 0:
                found += _arrived(output, left)
            body = b'{"sent":%f}' % time.perf_counter()
            channel.basic_publish(Message(body, delivery_mode=1), _EXCHANGE, _KEY)
        deadline = time.monotonic() + _PATIENCE
        while len(found) < number and time.monotonic() < deadline:
            found += _arrived(output, 0.1)
    if len(found) < number:
        raise RuntimeError(f"{number - len(found)} messages did not arrive")
    return found


def _arrived(output: int, seconds: float) -> list[float]:
    if not select.select([output], [], [], seconds)[0]:
        return []
    text, now = os.read(output, 1 << 16), time.perf_counter()
    if not text:
        raise RuntimeError("a consumer ended")
    return [now - float(sent) for sent in _SENT.findall(text)]
