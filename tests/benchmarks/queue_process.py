"""The queue's API on a local port, in a process of its own: ``queue_process.py TASKS SHARE``.

It knows a simulated group of so many tasks, after this share of its messages, writes its
root URL and the group's ID into a line, and ends with its standard input.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
SEED = 3


@contextmanager
def serve_group(tasks: int, share: float) -> Iterator[tuple[str, str]]:
    """Start the process; yields the root URL and the group's ID."""
    words = [sys.executable, __file__, str(tasks), str(share)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("started without pipes")
        url, group = process.stdout.readline().decode().split()
        yield url, group
        process.stdin.close()


def _main(tasks: int, share: float) -> None:
    sys.path.insert(1, str(Path(__file__).parents[1] / "support"))
    from queue_server import QueueServer, content
    from tcsniff.simulator.simulation import plan_groups, simulate

    plan = next(plan_groups(seed=SEED, tasks=tasks))
    events = [one for _, one in simulate(seed=SEED, start=START, groups=1, tasks=tasks)]
    with QueueServer(content(plan, events[: int(share * len(events))])) as server:
        sys.stdout.write(f"{server.url} {plan.task_group_id}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _main(int(sys.argv[1]), float(sys.argv[2]))
