"""The time from the start of the program to its first output."""

from __future__ import annotations

import os
import shlex
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from backlog import DIFFERENT, Backlog
from drain import CONSUMERS
from measuring import Row, Section, alternate, ratio, report, run

ROUNDS = 15

_PYTHON = shlex.quote(sys.executable)
_PROGRAM = Path(sys.executable).with_name("tcsniff")
_TCSNIFF = shlex.quote(str(_PROGRAM))
_CLICK, _KOMBU, _FIRST_EVENT = "import click", "plain kombu", "first event"
_COMMANDS = {
    _CLICK: f"exec {_PYTHON} -c 'import click'",
    "--help": f"{_TCSNIFF} --help",
    "--version": f"{_TCSNIFF} --version",
    "a completion script": f"{_TCSNIFF} completion bash",
    "a usage error": f"{_TCSNIFF} --no-such-flag 2>&1 || true",
}


def section(backlog: Backlog) -> Section:
    """Let all commands take turns."""
    report(f"starting: {ROUNDS} rounds of {len(_COMMANDS) + 2}")
    (queue,) = backlog.fill(["start"], DIFFERENT)
    url = backlog.server.url()
    kombu = [sys.executable, str(CONSUMERS), "first", url.replace("%2F", ""), queue, "1"]
    ours = [str(_PROGRAM), "--broker", url, "--queue", "start", "--all", "-o", "json"]
    found = alternate(
        {
            **{name: lambda text=text: run(text).seconds for name, text in _COMMANDS.items()},
            _KOMBU: partial(_measure_first_output, kombu),
            _FIRST_EVENT: partial(_measure_first_output, ours),
        },
        ROUNDS,
    )
    click, plain, event = found.pop(_CLICK), found.pop(_KOMBU), found.pop(_FIRST_EVENT)
    rows = [
        *(
            Row(f"{name} : {_CLICK}", _format_times(times, click), ratio(times, click), "<= 1.4")
            for name, times in found.items()
        ),
        Row(
            f"{_FIRST_EVENT} : {_KOMBU}",
            _format_times(event, plain),
            ratio(event, plain),
            "<= 1.5",
        ),
    ]
    return Section("start-up", rows)


def _format_times(ours: Sequence[float], theirs: Sequence[float]) -> str:
    return " : ".join(f"{statistics.median(times) * 1000:.0f} ms" for times in (ours, theirs))


def _measure_first_output(command: Sequence[str]) -> float:
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        output = child.stdout.fileno() if child.stdout else -1
        os.read(output, 1)
        seconds = time.perf_counter() - start
        child.send_signal(signal.SIGKILL)
    return seconds
