"""The outcomes of simulated runs: how each ends, when, and with which artifacts.

Pure.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from tcsniff.simulator.schedule import SECOND, draw_between, draw_weighted
from tcsniff.simulator.tasks import CLAIM, SimulatedTask

RENEWAL = 900 * SECOND
"""Interval at which a worker renews its claim, in milliseconds."""

# Probability that a run does not complete.
_FAULTS = (
    ("failure", 0.035),
    ("claim-expired", 0.01),
    ("worker-shutdown", 0.012),
    ("intermittent-task", 0.006),
    ("malformed-payload", 0.004),
    ("deadline-exceeded", 0.002),
)
# Largest part of its duration that an interrupted run lasts.
_MAX_PARTS = {
    "claim-expired": 1.0,
    "worker-shutdown": 1.0,
    "intermittent-task": 1.0,
    "malformed-payload": 0.05,
}
_UNTIL_NOTICED = (1, 30)  # minimum and maximum seconds until the queue sees an expired claim


class SimulatedArtifact(NamedTuple):
    """A file that a run uploads."""

    storage_type: str
    name: str
    content_type: str


_UNTIL_LOG = 1500  # in milliseconds
_LOG = SimulatedArtifact("reference", "public/logs/live.log", "text/plain; charset=utf-8")
_LOST_LOG = SimulatedArtifact("error", "public/logs/live_backing.log", "text/plain; charset=utf-8")
# Artifact of a completed run in addition to its log, by kind.
_ARTIFACTS = {
    "docker-image": SimulatedArtifact("object", "public/image.tar.zst", "application/zstd"),
    "toolchain": SimulatedArtifact("object", "public/build/toolchain.tar.zst", "application/zstd"),
    "build": SimulatedArtifact("object", "public/build/target.tar.xz", "application/x-xz"),
    "test": SimulatedArtifact("link", "public/test_info/errorsummary.log", "text/plain"),
}


class RunOutcome(NamedTuple):
    """How a run ends. Times are in milliseconds from its start.

    Attributes:
        reason: Why it is resolved, such as ``completed``.
        artifacts: The artifacts, each with its time.
        worked: How long its worker works on it and renews the claim.
        ends: When the queue resolves it; None if the run hangs until its deadline.
    """

    reason: str
    artifacts: tuple[tuple[int, SimulatedArtifact], ...]
    worked: int
    ends: int | None


def draw_outcome(task: SimulatedTask, random: Random, faults: frozenset[str]) -> RunOutcome:
    """Return a random outcome for the run of a task; decision tasks always complete.

    Args:
        task: The task.
        random: Source of randomness.
        faults: Faults that may happen.
    """
    length, name = task.planned.duration * SECOND, "completed"
    if not task.is_decision:
        length *= 0.6 + 0.7 * random.random()
        name = draw_weighted(random, _FAULTS, faults) or name
    artifacts = _list_artifacts(task.planned.kind, name, length)
    if name == "deadline-exceeded":
        return RunOutcome(name, artifacts, task.group.lifetime, None)
    part = _MAX_PARTS[name] * random.random() if name in _MAX_PARTS else 1.0
    worked = ends = int(part * length)
    if name == "claim-expired":  # the worker is lost, so the queue waits for the claim's end
        ends = worked // RENEWAL * RENEWAL + CLAIM + draw_between(random, _UNTIL_NOTICED)
    return RunOutcome("failed" if name == "failure" else name, artifacts, worked, ends)


def _list_artifacts(
    kind: str, outcome: str, length: float
) -> tuple[tuple[int, SimulatedArtifact], ...]:
    log, late = (_UNTIL_LOG, _LOG), int(0.97 * length)
    if outcome == "failure":
        return log, (late, _LOST_LOG)
    if outcome == "completed" and kind in _ARTIFACTS:
        return log, (late, _ARTIFACTS[kind])
    return (log,)
