"""``tcsniff graph`` on big groups: the first picture, and pictures of many events.

Run it alone as ``make bench SECTIONS=live``. The queue's API is a server on this machine, in
a process of its own, which hands out pages of 1,000 tasks. The first picture is compared
with a plain reader, urllib3 with orjson, of the same pages; both sides include their start.
Then tcsniff shows a group in a terminal of its own, 80 cells by 24 lines, while its events
are published to a real broker, until it is ended by Ctrl-C.
"""

from __future__ import annotations

import itertools
import shlex
import statistics
import sys
import time
from functools import partial

from backlog import Backlog
from drawing import simulate_group
from measuring import PATIENCE, Row, Section, alternate, ratio, report, run
from queue_process import serve_group
from watching import Watched

from tcsniff.pulse.deliveries import Delivery

FIRST = 10_000  # tasks of the group whose first picture is measured
ROUNDS = 3
MANY = 20_000  # tasks of the group that is watched
SHARE = 0.5  # of a group's messages that were sent before
RATE = 500  # events a second
SECONDS = 6
STEP = 0.01  # seconds between two writes to the broker
MAX_END = 0.2  # seconds from Ctrl-C to the end

_PLAIN_READER = """
import sys, orjson, urllib3
url, group = sys.argv[1:]
http, path, token, tasks = urllib3.PoolManager(), f"/api/queue/v1/task-group/{group}/list", "", 0
while token is not None:
    query = f"?continuationToken={token}" if token else ""
    page = orjson.loads(http.request("GET", url + path + query).data)
    tasks, token = tasks + len(page["tasks"]), page.get("continuationToken")
print(tasks)
"""


def section(backlog: Backlog) -> Section:
    """Measure the first picture, then pictures of many events."""
    return Section("big groups, live", [_measure_first(), *_measure_live(backlog)])


def _measure_first() -> Row:
    report(f"live: {ROUNDS} rounds of 2 first pictures of {FIRST:,} tasks")
    python = shlex.quote(sys.executable)
    with serve_group(FIRST, SHARE) as (url, group):
        words = f"{python} -m tcsniff graph {group} --root-url {url} --no-wait -o table"
        sides = {
            "plain": f"exec {python} -c {shlex.quote(_PLAIN_READER)} {url} {group}",
            "ours": f"{words}; test $? -ge 10",  # some tasks failed
        }
        found = alternate({name: partial(run, line) for name, line in sides.items()}, ROUNDS)
    ours, plain = ([cost.seconds for cost in found[name]] for name in ("ours", "plain"))
    busy = statistics.median(cost.busy for cost in found["ours"])
    figure = (
        f"{statistics.median(ours):.2f} s ({busy:.2f} s busy), {statistics.median(plain):.2f} s"
    )
    what = f"first picture of {FIRST:,} tasks from the API : a plain reader of its answers"
    return Row(what, figure, ratio(ours, plain), "<= 1.5")


def _measure_live(backlog: Backlog) -> list[Row]:
    report(f"live: {MANY:,} tasks, {RATE} events a second")
    with serve_group(MANY, SHARE) as (url, group):
        events = [delivery for _, delivery in simulate_group(MANY).messages]
        simulate_group.cache_clear()
        half = int(SHARE * len(events))
        broker = backlog.server.url()
        with Watched("graph", group, "--broker", broker, "--root-url", url) as watched:
            watched.await_words(f"{MANY:,} tasks")
            watched.await_quiet()
            start, before = time.monotonic(), watched.busy()
            _publish(backlog, events[half : half + SECONDS * RATE])
            end, busy = time.monotonic(), watched.busy() - before
            watched.type("\x03")
            watched.process.wait(PATIENCE)
            ended = time.monotonic() - end
            drawn = [at for at, rows in watched.drawn if start <= at <= end and rows > 1]
    gaps = [later - at for at, later in itertools.pairwise(drawn)]
    what = f"{MANY:,} tasks, {RATE} events a second"
    figure = f"at most {max(gaps):.2f} s apart, {busy / (end - start):.0%} of a core"
    return [
        Row(f"{what}: pictures a second", figure, len(drawn) / (end - start), ">= 1"),
        Row(
            f"{what}: from Ctrl-C to the end : {MAX_END} s",
            f"{ended:.2f} s",
            ended / MAX_END,
            "<= 1",
        ),
    ]


def _publish(backlog: Backlog, events: list[Delivery]) -> None:
    some = round(RATE * STEP)
    due = time.monotonic()
    for start in range(0, len(events), some):
        backlog.publish(events[start : start + some])
        due += STEP
        time.sleep(max(0.0, due - time.monotonic()))
