"""What views cost while nothing is received, as a share of a processor's core.

Run it alone as ``make bench SECTIONS=idle``. Each view has received the messages of the
first half of a group of 1,000 tasks, in a terminal of its own, 80 cells by 24 lines, from a
real broker or from a recording that it follows. All of them run at the same time, as they
hardly do anything; their processor time is that of /proc.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import orjson
from backlog import Backlog
from drawing import simulate_group
from measuring import Row, Section, report
from watching import Watched

from queue_server import content
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.records import format_record

TASKS = 1_000
SECONDS = 20.0
TARGET = 0.005  # of a core, at most


def section(backlog: Backlog) -> Section:
    """Let all views wait at the same time."""
    plan, messages = simulate_group(TASKS)
    events = [delivery for _, delivery in messages[: len(messages) // 2]]
    with tempfile.TemporaryDirectory(prefix="tcsniff-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        graph, recording = folder / "graph.json", folder / "recording.jsonl"
        graph.write_bytes(orjson.dumps(content(plan).page(0, TASKS)))
        recording.write_bytes(b"".join(map(format_record, events)))
        views = {
            "table": ["--all"],
            "graph": ["graph", plan.task_group_id, "--graph", str(graph)],
            "task": ["task", find_running_task(events)],
            "top": ["top"],
        }
        sources = {
            "a broker": ["--broker", backlog.server.url()],
            "--follow": ["--from", str(recording), "--follow"],
        }
        report(f"idle: {len(views) * len(sources)} views for {SECONDS:.0f} s")
        watched = {
            f"{view}, {source}": stack.enter_context(Watched(*words, *flags))
            for source, flags in sources.items()
            for view, words in views.items()
        }
        for one in watched.values():
            one.await_drawing()
        backlog.publish(events)
        for one in watched.values():
            one.await_quiet()
        shares = measure(watched)
    rows = [
        Row(f"{view} : a core", f"{share:.2%}", share, f"<= {TARGET}")
        for view, share in shares.items()
    ]
    return Section("idle views", rows)


def find_running_task(events: list[Delivery]) -> str:
    """Return the ID of a task that runs after some events."""
    states = {}
    for event in events:
        status = orjson.loads(event.body).get("status", {})
        states[status.get("taskId", "")] = status.get("state")
    return next(task_id for task_id, state in states.items() if state == "running")


def measure(watched: dict[str, Watched]) -> dict[str, float]:
    """Return the share of a core that each view takes while it waits."""
    start = time.monotonic()
    before = {name: one.busy() for name, one in watched.items()}
    time.sleep(SECONDS)
    seconds = time.monotonic() - start
    return {name: (one.busy() - before[name]) / seconds for name, one in watched.items()}
