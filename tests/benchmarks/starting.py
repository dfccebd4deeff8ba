"""How long it takes until something is there."""

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
from measuring import Row, Section, alternate, ratio, run, say

ROUNDS = 9

_PYTHON = shlex.quote(sys.executable)
_PROGRAM = Path(sys.executable).with_name("tcsniff")
_TCSNIFF = shlex.quote(str(_PROGRAM))
_CLICK = "import click"
_COMMANDS = {
    _CLICK: f"exec {_PYTHON} -c 'import click'",
    "--help": f"{_TCSNIFF} --help",
    "--version": f"{_TCSNIFF} --version",
    "a completion script": f"{_TCSNIFF} completion bash",
    "a usage error": f"{_TCSNIFF} --no-such-flag 2>&1 || true",
}


def section(backlog: Backlog) -> Section:
    """Let all take turns."""
    say(f"starting: {ROUNDS} rounds of {len(_COMMANDS) + 2}")
    (queue,) = backlog.fill(["start"], DIFFERENT)
    url = backlog.server.url()
    connect = [sys.executable, str(CONSUMERS), "start", url.replace("%2F", ""), queue, "0"]
    first = [str(_PROGRAM), "--broker", url, "--queue", "start", "--all"]
    found = alternate(
        {
            **{name: lambda text=text: run(text).seconds for name, text in _COMMANDS.items()},
            "connection": partial(_said, connect),
            "first event": partial(_until_output, [*first, "-o", "json"]),
        },
        ROUNDS,
    )
    click = found.pop(_CLICK)
    connection = statistics.median(found.pop("connection"))
    event = found.pop("first event")
    rows = [
        Row(f"`{_CLICK}`", _milliseconds(click)),
        *(
            Row(name, _milliseconds(times), ratio(times, click), "<= 1.4")
            for name, times in found.items()
        ),
        Row(
            f"first event, less {connection * 1000:.0f} ms for the connection",
            _milliseconds(event),
            ratio([one - connection for one in event], click),
            "<= 2.5",
        ),
    ]
    return Section("starting", "time : `import click`", rows)


def _milliseconds(times: Sequence[float]) -> str:
    return f"{statistics.median(times) * 1000:.0f} ms"


def _said(command: Sequence[str]) -> float:
    # A child that tells what it has measured.
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def _until_output(command: Sequence[str]) -> float:
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        output = child.stdout.fileno() if child.stdout else -1
        os.read(output, 1)
        seconds = time.perf_counter() - start
        child.send_signal(signal.SIGKILL)
    return seconds
