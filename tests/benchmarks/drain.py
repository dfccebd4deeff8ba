"""How fast a queue that is full is emptied, against what a user would take instead."""

from __future__ import annotations

import shlex
import shutil
import statistics
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from backlog import WORKER_TYPE, Backlog
from measuring import Row, Section, alternate, ratio, run, say

MESSAGES = 30_000  # in a backlog
FEW = 500  # messages, for what starts a process for each
ROUNDS = 3

CONSUMERS = Path(__file__).with_name("consumers.py")
TCSNIFF = f"exec {shlex.quote(sys.executable)} -m tcsniff --quiet"

LIMIT, PLAIN, PROCESSES = "the broker's limit", "plain kombu", "amqp-consume, a process each"
OURS = "tcsniff -o json"
# What stands for each in the command line of `consumers`.
_THEIRS = {LIMIT: "limit", PLAIN: "kombu", "pika": "pika", "aiormq": "aiormq"}
# What tcsniff is given.
_FLAGS = {
    OURS: "--all -o json",
    "the same, --worker-type": f"--worker-type {WORKER_TYPE} -o json",
    "the same, --where": """--all -o json --where "payload.status.schedulerId!='x'" """,
    "tcsniff -o raw": "--all -o raw",
    "tcsniff -o lines": "--all -o lines",
}
NOTE = (
    "All acknowledge what they have written; the broker's limit is what comes out of it when "
    "the bytes are thrown away and nothing is acknowledged. What a start takes is measured with "
    "a single message, and taken off. *broker* is the broker's own processor time a message."
)


class Drained(NamedTuple):
    """What draining took, without the start.

    Attributes:
        rate: Messages a second.
        busy: Seconds of processor time a message.
        broker: The same of the broker.
    """

    rate: float
    busy: float
    broker: float


def section(backlog: Backlog) -> Section:
    """Let each empty a backlog of its own, in turn."""
    names = [*_THEIRS, *_FLAGS]
    say(f"draining: {ROUNDS} rounds of {len(names)} with {MESSAGES:,} messages each")
    works = {name: _Work(backlog, name, MESSAGES).drained for name in names}
    found = alternate(works, ROUNDS)
    if shutil.which("amqp-consume"):
        found[PROCESSES] = [_Work(backlog, PROCESSES, FEW).drained()]
    else:
        say("amqp-consume is left out, as it is not installed: apt-get install amqp-tools")
    plain = [one.rate for one in found[PLAIN]]
    rows = [_row(name, drained, plain) for name, drained in found.items()]
    ours = found[OURS]
    rates, busy = [one.rate for one in ours], [one.busy for one in ours]
    return Section(
        "draining a queue",
        "rate : plain kombu",
        [
            *rows,
            Row(f"{OURS} : {PLAIN}, rate", "", ratio(rates, plain), ">= 2.6"),
            Row(
                f"{OURS} : {LIMIT}, rate",
                "",
                ratio(rates, [one.rate for one in found[LIMIT]]),
                ">= 0.55",
            ),
            Row(
                f"{OURS} : {PLAIN}, processor time",
                "",
                ratio(busy, [one.busy for one in found[PLAIN]]),
                "<= 0.4",
            ),
        ],
        [NOTE],
    )


def _row(name: str, drained: Sequence[Drained], plain: Sequence[float]) -> Row:
    rate = statistics.median(one.rate for one in drained)
    busy = statistics.median(one.busy for one in drained) * 1e6
    broker = statistics.median(one.broker for one in drained) * 1e6
    figure = f"{rate:,.0f}/s, {busy:.1f} µs, broker {broker:.0f} µs"
    return Row(name, figure, ratio([one.rate for one in drained], plain[: len(drained)]))


class _Work:
    # One of them, and what its start takes.

    def __init__(self, backlog: Backlog, name: str, number: int) -> None:
        self._backlog = backlog
        self._number = number
        self._command = partial(_command, backlog.server.url().replace("%2F", ""), name)
        self._started = [self._once(1, FEW) for _ in range(2)]

    def drained(self) -> Drained:
        seconds, busy, broker = self._once(self._number, self._number)
        started, busy_start, _ = map(min, zip(*self._started, strict=True))
        number = self._number
        return Drained(number / (seconds - started), (busy - busy_start) / number, broker / number)

    def _once(self, number: int, waiting: int) -> tuple[float, float, float]:
        (queue,) = self._backlog.fill(["bench"], waiting)
        before = self._backlog.busy()
        cost = run(self._command(queue, number))
        return cost.seconds, cost.busy, self._backlog.busy() - before


def _command(url: str, name: str, queue: str, number: int) -> str:
    if name == PROCESSES:
        return f"amqp-consume -u {url.rstrip('/')} -q {queue} -p 1000 -c {number} cat"
    if name in _THEIRS:
        python = shlex.quote(sys.executable)
        return f"exec {python} {CONSUMERS} {_THEIRS[name]} {url} {queue} {number}"
    short = queue.rpartition("/")[2]
    return f"{TCSNIFF} --broker {url} --queue {short} -n {number} {_FLAGS[name]}"
