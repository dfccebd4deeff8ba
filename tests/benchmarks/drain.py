"""The time to empty a full queue, compared with what users would run instead."""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from backlog import Backlog
from measuring import Row, Section, alternate, ratio, report, run, run_in_terminal

MESSAGES = 40_000  # in a backlog
FEW = 500  # messages, for what starts a process for each
ROUNDS = 3

CONSUMERS = Path(__file__).with_name("consumers.py")
_GO_SOURCE = Path(__file__).with_name("consumer.go")
_GO_PACKAGES = Path("/usr/share/gocode")  # where Debian installs packages for Go
TCSNIFF = f"exec {shlex.quote(sys.executable)} -m tcsniff --quiet"

LIMIT, PLAIN, PROCESSES = "the broker's limit", "plain kombu", "amqp-consume, a process each"
GO_PARSES, GO_DISCARDS = "Go, parses and prints", "Go, discards"
OURS = "tcsniff -o json"
TABLE = "tcsniff -o table, in a terminal"
# The word for each in the command line of `consumers`.
_PYTHON_KINDS = {LIMIT: "limit", PLAIN: "kombu", "pika": "pika"}
_GO_KINDS = {GO_PARSES: "parse", GO_DISCARDS: "discard"}
_FLAGS = {
    OURS: "--all -o json",
    "tcsniff -o json --where": """--all -o json --where "payload.status.schedulerId!='x'" """,
    "tcsniff -o lines": "--all -o lines",
    TABLE: "--all -o table",
}
NOTE = (
    "Each writes what it receives and acknowledges it; the Go consumers acknowledge every 100 "
    "messages. The broker's limit is what it can send when the bytes are thrown away and "
    "nothing is acknowledged. Times include the start of the process."
)


class Drained(NamedTuple):
    """The costs of emptying a queue.

    Attributes:
        rate: Messages per second, from the start of the process to its end.
        cpu: Seconds of processor time per message.
        broker: The same of the broker.
    """

    rate: float
    cpu: float
    broker: float


def section(backlog: Backlog) -> Section:
    """Let each consumer empty a full queue, in turn."""
    with tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as folder:
        program = _build_go_consumer(Path(folder))
        names = [*_PYTHON_KINDS, *(_GO_KINDS if program else ()), *_FLAGS]
        report(f"draining: {ROUNDS} rounds of {len(names)} with {MESSAGES:,} messages each")
        queues = _Queues(backlog, names)
        works = {
            name: _Drain(backlog, name, queues.pop, MESSAGES, program).measure for name in names
        }
        found = alternate(works, ROUNDS)
        if shutil.which("amqp-consume"):
            (few,) = backlog.fill(["few"], FEW)
            drain = _Drain(backlog, PROCESSES, lambda _: few, FEW, program)
            found[PROCESSES] = [drain.measure()]
        else:
            report("amqp-consume is not installed and is left out: apt-get install amqp-tools")
    rows = [_make_row(name, drained, found[PLAIN]) for name, drained in found.items()]
    return Section("draining", [*rows, *_compare(found)], [NOTE])


def _make_row(name: str, drained: Sequence[Drained], plain: Sequence[Drained]) -> Row:
    rate, cpu, broker = (statistics.median(column) for column in zip(*drained, strict=True))
    figure = f"{rate:,.0f}/s, {cpu * 1e6:.1f} µs, broker {broker * 1e6:.0f} µs"
    rates = [one.rate for one in plain[: len(drained)]]
    return Row(f"{name} : {PLAIN}", figure, ratio([one.rate for one in drained], rates))


def _compare(found: dict[str, list[Drained]]) -> Iterator[Row]:
    def rates(name: str) -> list[float]:
        return [drained.rate for drained in found[name]]

    def times(name: str) -> list[float]:
        return [drained.cpu for drained in found[name]]

    yield Row(f"{OURS} : {LIMIT}, rate", "", ratio(rates(OURS), rates(LIMIT)), ">= 0.55")
    yield Row(f"{OURS} : {PLAIN}, processor time", "", ratio(times(OURS), times(PLAIN)), "<= 0.4")
    if GO_PARSES not in found:
        return
    fastest = max(_GO_KINDS, key=lambda name: statistics.median(rates(name)))
    yield Row(f"{OURS} : {fastest}, rate", "", ratio(rates(OURS), rates(fastest)), ">= 1")
    yield Row(
        f"{OURS} : {GO_PARSES}, processor time", "", ratio(times(OURS), times(GO_PARSES)), "<= 0.6"
    )


def _build_go_consumer(folder: Path) -> Path | None:
    if not (shutil.which("go") and (_GO_PACKAGES / "src/github.com/streadway/amqp").exists()):
        report(
            "the Go consumers are left out: "
            "apt-get install golang-go golang-github-streadway-amqp-dev"
        )
        return None
    program = folder / "consumer"
    subprocess.run(
        ["go", "build", "-o", program, _GO_SOURCE],
        env={
            **os.environ,
            "GO111MODULE": "off",
            "GOPATH": str(_GO_PACKAGES),
            "GOCACHE": str(folder / "cache"),
        },
        check=True,
    )
    return program


class _Queues:
    # Full queues, one for each consumer. They are filled together at the start of each round:
    # a message that is routed to nine queues takes little longer than one for one.

    def __init__(self, backlog: Backlog, names: Sequence[str]) -> None:
        self._backlog = backlog
        self._names = names
        self._full: dict[str, str] = {}

    def pop(self, name: str) -> str:
        if name not in self._full:
            short = [f"bench-{number}" for number in range(len(self._names))]
            queues = self._backlog.fill(short, MESSAGES)
            self._full = dict(zip(self._names, queues, strict=True))
        return self._full.pop(name)


class _Drain:
    # The work of one consumer.

    def __init__(
        self,
        backlog: Backlog,
        name: str,
        get_queue: Callable[[str], str],
        number: int,
        go_program: Path | None,
    ) -> None:
        self._backlog = backlog
        self._name = name
        self._get_queue = get_queue
        self._number = number
        self._go_program = go_program

    def measure(self) -> Drained:
        queue = self._get_queue(self._name)
        before = self._backlog.busy()
        measure = run_in_terminal if self._name == TABLE else run
        cost = measure(self._build_command(queue))
        broker = self._backlog.busy() - before
        number = self._number
        return Drained(number / cost.seconds, cost.busy / number, broker / number)

    def _build_command(self, queue: str) -> str:
        url = self._backlog.server.url().replace("%2F", "")
        name, number = self._name, self._number
        if name == PROCESSES:
            return f"amqp-consume -u {url.rstrip('/')} -q {queue} -p 1000 -c {number} cat"
        if name in _GO_KINDS:
            return f"exec {self._go_program} {_GO_KINDS[name]} {url} {queue} {number}"
        if name in _PYTHON_KINDS:
            python = shlex.quote(sys.executable)
            return f"exec {python} {CONSUMERS} {_PYTHON_KINDS[name]} {url} {queue} {number}"
        short = queue.rpartition("/")[2]
        return f"{TCSNIFF} --broker {url} --queue {short} -n {number} {_FLAGS[name]}"
