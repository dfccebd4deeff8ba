"""Every block for a shell in the README and in CONTRIBUTING is run, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builders import delivery
from queue_server import QueueServer, content
from rabbitmq import ADMIN, RabbitMQ, Taskcluster
from recipes import README, ROOT, blocks, record_yesterday, run, section
from tcsniff.simulator.simulation import plan_groups

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# What other tests run, or what runs these tests.
ELSEWHERE = {
    "make demo": "tests/test_packaging.py runs the demo of what was installed",
    "make check": "they are these tests; tests/test_docs.py and tests/test_pictures.py draw anew",
    "make bench": "it takes minutes",
    ".venv/bin/pytest": "they are these tests",
    "pipx install": "tests/test_packaging.py",
}
GROUP = "fN1SbArXTPSVFNUvaOlinQ"  # of the README
ROUTE = "index.gecko.v2.mozilla-central.latest.firefox.linux64-opt"
STATES = ("task-defined", "task-pending", "task-running", "task-completed", "task-failed")
WENT_WRONG = (10, 11)  # exit statuses of a group, if the demo has it so


def published():
    """Give what the README's selections are about."""
    details = {"group": GROUP, "scheduler": "gecko-level-3", "provisioner": "aws-provisioner"}
    found = [
        delivery(event, worker_type=kind, routes=[ROUTE], **details)
        for kind in ("gaia", "b2g")
        for event in STATES[:-1]
    ]
    found += [delivery("task-failed", task_id="AAAAAAAAQ-GAAAAAAAAAAA", **details)]
    found += [delivery("task-group-resolved", group=GROUP)]
    return [*found, delivery(exchange="exchange/build/normalized", key="unittest.x", body=b"{}")]


ALL = [*blocks(README.replace(section("Recipes"), "")), *blocks(CONTRIBUTING)]
RUN = [block for block in ALL if not block.startswith(tuple(ELSEWHERE))]


def test_nothing_is_left_out_but_what_is_run_elsewhere() -> None:
    """And nothing is listed for that which is not there any more."""
    left_out = [block for block in ALL if block not in RUN]

    assert len(RUN) > 10
    assert {start for start in ELSEWHERE if any(b.startswith(start) for b in left_out)} == set(
        ELSEWHERE
    )


@pytest.mark.parametrize("block", RUN, ids=lambda block: block[:40])
def test_a_block_does_what_it_says(
    block: str, tmp_path: Path, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """It gives something, and says nothing that is amiss."""
    record_yesterday(tmp_path)
    for folder in (".zsh", ".config/fish/completions", ".local/share/bash-completion/completions"):
        (tmp_path / folder).mkdir(parents=True)
    plan = next(plan_groups(seed=3, tasks=20))._replace(task_group_id=GROUP)
    local = f"amqp://{ADMIN[0]}:{ADMIN[1]}@localhost"
    # What goes on for ever ends after an event; a group does so with its tasks.
    ending = {"TCSNIFF_COUNT": "1", "TCSNIFF_SETTLE": "200ms", "TCSNIFF_TIMEOUT": "50s"}
    with QueueServer(content(plan)) as server:
        there = block.replace("https://firefox-ci-tc.services.mozilla.com", server.url)
        there = there.replace(local, rabbitmq.url(*ADMIN))

        done = run(f"set +e\n{there}", tmp_path, rabbitmq, taskcluster, published(), ending)

    allowed = (0, *WENT_WRONG) if "tcsniff graph" in block else (0,)
    assert done.returncode in allowed, done.stderr
    assert done.stdout or any(path.is_file() for path in tmp_path.rglob("*")), done.stderr
    assert not re.search("Traceback|did you mean|[Nn]o such|not found|--help", done.stderr)
