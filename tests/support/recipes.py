"""The shell blocks of documents, and what they need to run."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from paths import ROOT
from rabbitmq import Publication, RabbitMQ, Taskcluster
from running import PATIENCE, environment, skip_or_fail
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery
from tcsniff.simulator.simulation import simulate

_START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
_FROM_PYPI = {"duckdb": "duckdb-cli", "vd": "visidata"}  # the other tools: apt-get


def read_blocks(document: Path) -> list[str]:
    """Return a document's shell blocks, without the indentation that they have in lists."""
    text = document.read_text(encoding="utf-8")
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


RECIPES = read_blocks(ROOT / "docs" / "recipes.md")


def _simulate_yesterday() -> list[Delivery]:
    # Some hours; each message is received two seconds after it was sent.
    return [
        delivery._replace(
            received=f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(sent + 2))}.000Z"
        )
        for sent, delivery in itertools.islice(simulate(seed=5, start=_START), 6000)
    ]


YESTERDAY = _simulate_yesterday()


def record_yesterday(folder: Path) -> Path:
    """Write the recording `yesterday.jsonl` into a folder, and return the folder."""
    (folder / "yesterday.jsonl").write_bytes(b"".join(map(records.format_record, YESTERDAY)))
    return folder


def make_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a new user, who has tcsniff and the tools in PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return environment({"PATH": path, "TZ": "UTC", "HOME": str(folder)})


def require_tools(block: str, folder: Path) -> None:
    """Skip the test if a tool of the block is missing; fail where all tests have to run."""
    for tool in ("jq", "duckdb", "vd", "lnav"):
        is_missing = shutil.which(tool, path=make_environment(folder)["PATH"]) is None
        if is_missing and re.search(rf"(^|[ |]){tool} ", block, re.MULTILINE):
            package = _FROM_PYPI.get(tool)
            skip_or_fail(tool, f"pip install {package}" if package else f"apt-get install {tool}")


def run_block(
    block: str,
    folder: Path,
    rabbitmq: RabbitMQ,
    taskcluster: Taskcluster,
    published: list[Delivery],
    extra: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a block in a shell, and publish the same messages repeatedly until it ends."""
    require_tools(block, folder)
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            ["sh", "-euc", block],
            cwd=folder,
            env=make_environment(folder) | {"PULSE_URL": rabbitmq.url(), **(extra or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    deadline = time.monotonic() + PATIENCE
    try:
        while process.poll() is None and time.monotonic() < deadline:
            taskcluster.publish_all(
                Publication(delivery.exchange, delivery.routing_key, delivery.body, delivery.cc)
                for delivery in published
            )
            if len(published) < 10:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
    finally:
        process.kill()
        process.wait()
    return subprocess.CompletedProcess(
        block,
        process.returncode,
        (folder / "stdout").read_text(),
        (folder / "stderr").read_text(),
    )
