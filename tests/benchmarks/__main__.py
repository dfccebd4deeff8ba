"""Speed and memory, measured as ratios: ``make bench``.

``python tests/benchmarks [SECTION]...`` prints a table in Markdown, and ends
with status 1 if a target is missed. It starts its own RabbitMQ.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "support"))  # for the tests' RabbitMQ
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # otherwise each start compiles tcsniff again

import browsing
import drain
import drawing
import files
import fleet
import graph
import idle
import latency
import live_graph
import memory
import starting
import top
import web
from backlog import Backlog, backlog
from measuring import Section, report, run

_WITH_BROKER: dict[str, Callable[[Backlog], Section]] = {
    "drain": drain.section,
    "latency": latency.section,
    "starting": starting.section,
    "memory": memory.section,
    "live": live_graph.section,
    "idle": idle.section,
}
_WITHOUT_BROKER: dict[str, Callable[[], Section]] = {
    "files": files.section,
    "graph": graph.section,
    "drawing": drawing.section,
    "top": top.section,
    "browsing": browsing.section,
    "web": web.section,
}
# Only if they are named: the others take a quarter of an hour.
_APART: dict[str, Callable[[Backlog], Section]] = {"fleet": fleet.section}
_LIBRARIES = ("kombu", "amqp", "orjson", "pika")


def main(names: list[str]) -> int:
    """Measure the named sections, or all; return the exit status."""
    # A shell starts `make bench &` with Ctrl-C ignored, and tcsniff would keep it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()
    run(f"exec {sys.executable} -m compileall -q tcsniff")
    sys.stdout.write(
        f"{_describe_machine()}\n\n| measured | figures | ratio (lowest to highest) | target |\n"
        "|---|---:|---:|---:|\n"
    )
    sections = []
    for section in _measure(names):
        sections.append(section)
        sys.stdout.write(f"{section}\n")
        sys.stdout.flush()
    sys.stdout.write("".join(f"\n{note}\n" for section in sections for note in section.notes))
    missed = [row.what for section in sections for row in section.rows if not row.is_met]
    report(f"{(time.monotonic() - started) / 60:.1f} minutes")
    report(f"missed: {', '.join(missed)}" if missed else "all targets are met")
    return 1 if missed else 0


def _measure(names: list[str]) -> Iterator[Section]:
    for name, measure in _WITHOUT_BROKER.items():
        if not names or name in names:
            yield _time_section(name, measure)
    selected = {name: _WITH_BROKER[name] for name in _WITH_BROKER if not names or name in names}
    selected |= {name: _APART[name] for name in _APART if name in names}
    if selected:
        with backlog() as queues:
            for name, section in selected.items():
                yield _time_section(name, partial(section, queues))


def _time_section(name: str, measure: Callable[[], Section]) -> Section:
    started = time.monotonic()
    section = measure()
    report(f"{name}: {time.monotonic() - started:.0f} s")
    return section


def _describe_machine() -> str:
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
