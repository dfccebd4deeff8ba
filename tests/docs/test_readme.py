"""Shell blocks of README, CONTRIBUTING and docs/, run as they are; recipes: test_recipes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builders import delivery
from paths import ROOT
from queue_server import QueueServer, content
from rabbitmq import ADMIN, RabbitMQ, Taskcluster
from recipes import RECIPES, read_blocks, record_yesterday, run_block
from tcsniff.simulator.simulation import plan_groups

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Blocks that other tests cover, or that run these tests.
NOT_RUN = {
    "make demo": "tests/process/test_packaging.py runs the demo of an installed tcsniff",
    "make unit": "it runs the tests; test_docs.py and test_pictures.py cover the rest",
    ".venv/bin/pytest": "it runs tests",
    "pipx install": "tests/process/test_packaging.py installs with pip and uv",
}
GROUP = "fN1SbArXTPSVFNUvaOlinQ"  # of the documents
ROUTE = "index.gecko.v2.mozilla-central.latest.firefox.linux64-opt"
STATES = ("task-defined", "task-pending", "task-running", "task-completed", "task-failed")
BLOCKS = {
    f"{document.relative_to(ROOT)}: {block[:40]}": block
    for document in DOCUMENTS
    for block in read_blocks(document)
    if block not in RECIPES
}
RUN = {name: block for name, block in BLOCKS.items() if not block.startswith(tuple(NOT_RUN))}


def published():
    """Return what the selections of the documents match."""
    details = {"group": GROUP, "scheduler": "gecko-level-3", "provisioner": "aws-provisioner"}
    found = [
        delivery(event, worker_type=kind, routes=[ROUTE], **details)
        for kind in ("gaia", "b2g")
        for event in STATES[:-1]
    ]
    found += [delivery("task-failed", task_id="AAAAAAAAQ-GAAAAAAAAAAA", **details)]
    found += [delivery("task-group-resolved", group=GROUP)]
    return [*found, delivery(exchange="exchange/build/normalized", key="unittest.x", body=b"{}")]


def test_every_exception_is_still_needed() -> None:
    """Each entry of `NOT_RUN` is the start of a block; most blocks are run."""
    skipped = [block for block in BLOCKS.values() if block not in RUN.values()]

    assert len(RUN) > 10
    assert {start for start in NOT_RUN if any(b.startswith(start) for b in skipped)} == set(
        NOT_RUN
    )


@pytest.mark.parametrize("name", RUN)
def test_a_block_works(
    name: str, tmp_path: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """It prints something, reports no error, and ends before its time limit."""
    block = RUN[name]
    record_yesterday(tmp_path)
    for folder in (".zsh", ".config/fish/completions", ".local/share/bash-completion/completions"):
        (tmp_path / folder).mkdir(parents=True)
    plan = next(plan_groups(seed=3, tasks=20))._replace(task_group_id=GROUP)
    local = f"amqp://{ADMIN[0]}:{ADMIN[1]}@localhost"
    # Live views end after an event; a task group ends with its tasks.
    limits = {"TCSNIFF_COUNT": "1", "TCSNIFF_SETTLE": "200ms", "TCSNIFF_TIMEOUT": "30s"}
    with QueueServer(content(plan)) as server:
        block = block.replace("https://firefox-ci-tc.services.mozilla.com", server.url)
        block = block.replace(local, rabbitmq.url(*ADMIN))

        done = run_block(f"set +e\n{block}", tmp_path, rabbitmq, taskcluster, published(), limits)

    has_result = "tcsniff graph" in block or "tcsniff task" in block
    allowed = (0, 10, 11, 12) if has_result else (0,)
    assert done.returncode in allowed, done.stderr
    assert done.stdout or any(path.is_file() for path in tmp_path.rglob("*")), done.stderr
    assert not re.search("Traceback|did you mean|[Nn]o such|not found|--help", done.stderr)
    assert "stopped by --timeout" not in done.stderr
