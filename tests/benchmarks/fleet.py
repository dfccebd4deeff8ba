"""Several tcsniffs: on one queue, classic or quorum, and on a queue each."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from backlog import DIFFERENT, Backlog, messages
from measuring import PATIENCE, Row, Section, alternate, busy, ratio, report

from rabbitmq import ADMIN, PULSE
from tcsniff.pulse import records
from tcsniff.pulse.times import format_timestamp

MESSAGES = 60_000  # for all processes together
SIZES = (1, 2, 4)
ROUNDS = 2

_QUORUM = "fleet-quorum"  # the vhost whose queues are quorum queues
_TURN = 0.005  # seconds between two looks at the output


class _Drained(NamedTuple):
    rate: float  # messages a second
    own: float  # seconds of processor time of tcsniff per message
    broker: float  # the same of the broker
    least: float  # the smallest share of a process, as a fraction of an equal one


def section(backlog: Backlog) -> Section:
    """Let one, two and four of them empty a queue, or one each, in turn."""
    report(f"fleets: {ROUNDS} rounds of 8 with {MESSAGES:,} messages each")
    quorum = _make_quorum_backlog(backlog)
    sides = {
        **{f"{size} on a classic queue": _work(backlog, size, ["fleet"]) for size in SIZES},
        **{
            f"{size} on a queue each": _work(backlog, size, [f"shard-{n}" for n in range(size)])
            for size in SIZES[1:]
        },
        **{f"{size} on a quorum queue": _work(quorum, size, ["fleet"]) for size in SIZES},
    }
    found = alternate(sides, ROUNDS)
    quorum.close()
    alone = [one.rate for one in found["1 on a classic queue"]]
    rows = []
    for name, drained in found.items():
        rate, own, broker, least = (
            statistics.median(column) for column in zip(*drained, strict=True)
        )
        figure = (
            f"{rate:,.0f}/s, {own * 1e6:.1f} µs, broker {broker * 1e6:.0f} µs, "
            f"least share {least:.0%}"
        )
        rows.append(Row(name, figure, ratio([one.rate for one in drained], alone)))
    return Section("several tcsniffs, rate : one on a classic queue", rows)


def _make_quorum_backlog(backlog: Backlog) -> Backlog:
    server = backlog.server
    server.ctl("add_vhost", _QUORUM, "--default-queue-type", "quorum")
    for user in (ADMIN[0], PULSE[0]):
        server.ctl("set_permissions", "-p", _QUORUM, user, ".*", ".*", ".*")
    return Backlog(server, _QUORUM)


def _work(backlog: Backlog, size: int, queues: Sequence[str]) -> Callable[[], _Drained]:
    stamped = [one._replace(received=format_timestamp(0)) for one in messages()]
    # Each queue receives all messages, so that shards need a part of them only.
    number = MESSAGES // len(queues) // DIFFERENT * DIFFERENT
    total = number * len(queues)
    expected = sum(len(records.format_record(one)) for one in stamped) * total // DIFFERENT

    def drained() -> _Drained:
        backlog.fill(queues, number)
        with (
            TemporaryDirectory() as folder,
            _fleet(backlog, Path(folder), size, queues) as fleet,
        ):
            begun = _sizes(folder)
            before = backlog.busy(), sum(busy(one.pid) for one in fleet)
            start = time.perf_counter()
            for one in fleet:
                one.send_signal(signal.SIGCONT)
            _await(lambda: sum(_sizes(folder)) >= expected)
            seconds = time.perf_counter() - start
            after = backlog.busy(), sum(busy(one.pid) for one in fleet)
            shares = [end - first for first, end in zip(begun, _sizes(folder), strict=True)]
        left = total * (1 - sum(begun) / expected)
        broker, own = (now - then for now, then in zip(after, before, strict=True))
        least = min(shares) * size / max(1, sum(shares))
        return _Drained(left / seconds, own / left, broker / left, least)

    return drained


@contextmanager
def _fleet(
    backlog: Backlog, folder: Path, size: int, queues: Sequence[str]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    flags = ["--broker", backlog.server.url(vhost=backlog.vhost), "--all", "-o", "json"]
    fleet: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(size):
            queue = queues[number % len(queues)]
            with (folder / f"{number}.jsonl").open("wb") as output:
                one = subprocess.Popen(
                    [sys.executable, "-m", "tcsniff", *flags, "--queue", queue],
                    stdout=output,
                    stderr=subprocess.DEVNULL,
                )
            fleet.append(one)
            # Stopped as soon as it has received some, so that all go on at the same time.
            _await(lambda: _sizes(str(folder))[-1] > 0)
            one.send_signal(signal.SIGSTOP)
        yield fleet
    finally:
        for one in fleet:
            one.kill()
            one.wait()


def _sizes(folder: str) -> list[int]:
    return [path.stat().st_size for path in sorted(Path(folder).iterdir())]


def _await(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            raise RuntimeError("a fleet did not get all messages")
        time.sleep(_TURN)
