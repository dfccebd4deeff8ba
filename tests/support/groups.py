"""Made-up task groups as files, messages and answers, and what graph says of them."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from queue_server import content
from rabbitmq import Publication, Taskcluster
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.records import format_record
from tcsniff.simulator.planning import Plan
from tcsniff.simulator.simulation import plan_groups, simulate

START = 1_795_456_800.0  # 2026-11-23T18:00:00Z
UNKNOWN = "WTRHGgi7TNaxn5lBTOzXTg"  # a group of which nobody tells


@functools.cache
def made_up(
    seed: int, tasks: int = 40, faults: tuple[str, ...] = ("failure", "claim-expired", "rerun")
) -> tuple[Plan, list[Delivery]]:
    """Simulate one group."""
    made = simulate(seed=seed, start=START, groups=1, tasks=tasks, faults=faults)
    return next(plan_groups(seed=seed, tasks=tasks)), [one for _, one in made]


PLAN, EVENTS = made_up(3)


def recorded(path: Path, events: Sequence[Delivery]) -> str:
    """Write a recording."""
    path.write_bytes(b"".join(map(format_record, events)))
    return str(path)


def saved(path: Path, plan: Plan, events: Sequence[Delivery] = ()) -> str:
    """Save an answer of ``listTaskGroup``."""
    path.write_bytes(orjson.dumps(content(plan, events).page(0, 10_000)))
    return str(path)


def published(taskcluster: Taskcluster, events: Sequence[Delivery]) -> None:
    """Publish, in order; on return all are in their queues."""
    taskcluster.publish_all(
        Publication(one.exchange, one.routing_key, one.body, one.cc) for one in events
    )


def objects(text: str) -> list[dict[str, Any]]:
    """Read lines of JSON."""
    return [json.loads(one) for one in text.splitlines()]


def summed_up(text: str) -> dict[str, Any]:
    """Take the summary, which comes last."""
    *_, last = objects(text)
    summary: dict[str, Any] = last["summary"]
    return summary
