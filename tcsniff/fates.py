"""What becomes of the simulator's runs: how they end, when, and what they leave.

Pure.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from tcsniff.agenda import SECOND, between, drawn
from tcsniff.taskstates import CLAIM, Task

RENEWAL = 900 * SECOND
"""How often a worker renews its claim, in milliseconds."""

# How likely a run is to end otherwise than completed.
_FATES = (
    ("failure", 0.035),
    ("claim-expired", 0.01),
    ("worker-shutdown", 0.012),
    ("intermittent-task", 0.006),
    ("malformed-payload", 0.004),
    ("deadline-exceeded", 0.002),
)
# How much of its work a run has done at most when it is cut short by this.
_MOST_DONE = {
    "claim-expired": 1.0,
    "worker-shutdown": 1.0,
    "intermittent-task": 1.0,
    "malformed-payload": 0.05,
}
_UNTIL_NOTICED = (1, 30)  # that a claim was not renewed; in seconds, least and most


class Artifact(NamedTuple):
    """A file that a run leaves."""

    storage_type: str
    name: str
    content_type: str


_UNTIL_LOG = 1500  # in milliseconds
_LOG = Artifact("reference", "public/logs/live.log", "text/plain; charset=utf-8")
_LOST_LOG = Artifact("error", "public/logs/live_backing.log", "text/plain; charset=utf-8")
# By kind, what a run leaves besides its log.
_ARTIFACTS = {
    "docker-image": Artifact("object", "public/image.tar.zst", "application/zstd"),
    "toolchain": Artifact("object", "public/build/toolchain.tar.zst", "application/zstd"),
    "build": Artifact("object", "public/build/target.tar.xz", "application/x-xz"),
    "test": Artifact("link", "public/test_info/errorsummary.log", "text/plain"),
}


class Fate(NamedTuple):
    """What becomes of a run. Times are in milliseconds from its start.

    Attributes:
        reason: Why it ends, as the queue words it.
        artifacts: What it uploads, and when.
        worked: For how long its worker works on it, and hence renews its claim.
        ends: When the queue hears of its end; None if it hangs.
    """

    reason: str
    artifacts: tuple[tuple[int, Artifact], ...]
    worked: int
    ends: int | None


def fate_of(task: Task, random: Random, faults: frozenset[str]) -> Fate:
    """Draw what becomes of a task's run; a decision task's completes.

    Args:
        task: The task that is run.
        random: Where chance comes from.
        faults: What may go wrong.
    """
    length, name = task.planned.duration * SECOND, "completed"
    if not task.is_decision:
        length *= 0.6 + 0.7 * random.random()
        name = drawn(random, _FATES, faults) or name
    artifacts = _artifacts(task.planned.kind, name, length)
    if name == "deadline-exceeded":
        return Fate(name, artifacts, task.group.lifetime, None)
    part = _MOST_DONE[name] * random.random() if name in _MOST_DONE else 1.0
    worked = ends = int(part * length)
    if name == "claim-expired":  # nobody tells the queue, so it waits
        ends = worked // RENEWAL * RENEWAL + CLAIM + between(random, _UNTIL_NOTICED)
    return Fate("failed" if name == "failure" else name, artifacts, worked, ends)


def _artifacts(kind: str, fate: str, length: float) -> tuple[tuple[int, Artifact], ...]:
    log, late = (_UNTIL_LOG, _LOG), int(0.97 * length)
    if fate == "failure":
        return log, (late, _LOST_LOG)
    if fate == "completed" and kind in _ARTIFACTS:
        return log, (late, _ARTIFACTS[kind])
    return (log,)
