"""What tcsniff promises about speed and memory, measured: ``make bench``.

``python tests/benchmarks [SECTION]...`` writes a table in Markdown, and ends
with status 1 if a promise is not kept. It starts a RabbitMQ of its own.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))  # for the tests' RabbitMQ
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each start compiles tcsniff anew

import drain
import drawing
import files
import fleet
import graph
import latency
import memory
import starting
import top
from backlog import Backlog, backlog
from measuring import Section, run, say

_WITH_BROKER: dict[str, Callable[[Backlog], Section]] = {
    "drain": drain.section,
    "latency": latency.section,
    "starting": starting.section,
    "memory": memory.section,
    "fleet": fleet.section,
}
_WITHOUT: dict[str, Callable[[], Section]] = {
    "files": files.section,
    "graph": graph.section,
    "drawing": drawing.section,
    "top": top.section,
}
_LIBRARIES = ("kombu", "amqp", "orjson", "pika", "aiormq")


def main(wanted: list[str]) -> int:
    """Measure sections, all if none is named; the exit status."""
    began = time.monotonic()
    run(f"exec {sys.executable} -m compileall -q tcsniff")
    sys.stdout.write(f"{_machine()}\n")
    missed: list[str] = []
    for name, measure in _WITHOUT.items():
        if not wanted or name in wanted:
            missed += _told(measure())
    if names := [name for name in _WITH_BROKER if not wanted or name in wanted]:
        with backlog() as full:
            for name in names:
                missed += _told(_WITH_BROKER[name](full))
    say(f"{(time.monotonic() - began) / 60:.1f} minutes")
    say(f"missed: {', '.join(missed)}" if missed else "every promise is kept")
    return 1 if missed else 0


def _told(section: Section) -> list[str]:
    # Writes it; what of it is missed.
    sys.stdout.write(f"\n{section}\n")
    sys.stdout.flush()
    return [row.what for row in section.rows if not row.is_kept]


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{time.strftime('%Y-%m-%d')}, {platform.machine()} with {os.cpu_count()} processors "
        f"({_processor()}), load {os.getloadavg()[0]:.1f}, {platform.system()}, Python "
        f"{platform.python_version()}, {libraries}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
