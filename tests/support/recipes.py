"""Shell blocks of documents, run as they stand there."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from paths import ROOT
from rabbitmq import Publication, RabbitMQ, Taskcluster
from running import PATIENCE, environment
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.simulation import simulate

README = (ROOT / "README.md").read_text(encoding="utf-8")
_START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
_FETCHED = {"duckdb": "duckdb-cli", "vd": "visidata"}  # from PyPI; the others by apt-get


def blocks(text: str) -> list[str]:
    """List the blocks for a shell, without the indentation that they have in lists."""
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def section(title: str) -> str:
    """Take a section of the README."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def yesterday() -> list[Delivery]:
    """Give what somebody has recorded: some hours, each message a little late."""
    made = itertools.islice(simulate(seed=5, start=_START), 6000)
    return [
        one._replace(received=f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(when + 2))}.000Z")
        for when, one in made
    ]


YESTERDAY = yesterday()


def record_yesterday(place: Path) -> Path:
    """Write a recording, `yesterday.jsonl`, into a folder."""
    (place / "yesterday.jsonl").write_bytes(b"".join(map(records.format_record, YESTERDAY)))
    return place


def surroundings(place: Path) -> dict[str, str]:
    """Give the environment of somebody new, who has tcsniff and the tools in PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return environment({"PATH": path, "TZ": "UTC", "HOME": str(place)})


def look_for_tools(recipe: str, place: Path) -> None:
    """Leave a recipe out whose tools are not there, but where all has to run."""
    for tool in ("jq", "duckdb", "vd", "lnav"):
        missing = shutil.which(tool, path=surroundings(place)["PATH"]) is None
        if missing and re.search(rf"(^|[ |]){tool} ", recipe, re.MULTILINE):
            package = _FETCHED.get(tool)
            how = f"pip install {package}" if package else f"apt-get install {tool}"
            reason = f"left out, as it needs {tool}: `{how}`"
            if os.environ.get("TCSNIFF_TESTS_COMPLETE") == "1":
                pytest.fail(reason)
            pytest.skip(reason)


def run(
    recipe: str,
    place: Path,
    rabbitmq: RabbitMQ,
    taskcluster: Taskcluster,
    published: list[Delivery],
    extra: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a recipe in a shell, while messages come again and again."""
    look_for_tools(recipe, place)
    with (place / "stdout").open("wb") as out, (place / "stderr").open("wb") as err:
        process = subprocess.Popen(
            ["sh", "-euc", recipe],
            cwd=place,
            env=surroundings(place) | {"PULSE_URL": rabbitmq.url(), **(extra or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    deadline = time.monotonic() + PATIENCE
    try:
        while process.poll() is None and time.monotonic() < deadline:
            taskcluster.publish_all(
                Publication(one.exchange, one.routing_key, one.body, one.cc) for one in published
            )
            if len(published) < 10:
                process_ended(process)
    finally:
        process.kill()
        process.wait()
    return subprocess.CompletedProcess(
        recipe, process.returncode, (place / "stdout").read_text(), (place / "stderr").read_text()
    )


def process_ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return
