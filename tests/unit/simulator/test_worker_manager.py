from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

import orjson
import pytest

from paths import DATA
from tcsniff.pulse.exchanges import BY_ADDRESS, WORKER_EVENTS
from tcsniff.pulse.times import parse_seconds
from tcsniff.simulator.simulation import FAULTS, simulate

START = 1_787_000_000.5
LIVES = [
    ["worker-requested", "worker-running"],
    ["worker-requested", "worker-running", "worker-stopped"],
    ["worker-requested", "worker-running", "worker-removed", "worker-stopped"],
    ["worker-requested", "worker-pool-error", "worker-stopped"],
    # Those that ran before the simulation began.
    ["worker-stopped"],
    ["worker-removed", "worker-stopped"],
]
TYPES = dict.fromkeys(("workerPoolId", "providerId", "workerId", "workerGroup"), str) | {
    **dict.fromkeys(("launchConfigId", "reason", "errorId", "kind", "title"), str),
    "timestamp": str,
    "capacity": int,
}


class Announced(NamedTuple):
    """A message of worker-manager, taken apart."""

    when: float
    name: str
    key: list[str]
    payload: dict

    @property
    def worker(self):
        """The group and ID of the worker, as in messages about runs; empty for none."""
        names = (self.payload.get(name) for name in ("workerGroup", "workerId"))
        return "/".join(filter(None, names))


@lru_cache(maxsize=4)
def simulated(seed=1, faults=FAULTS):
    made = simulate(seed=seed, start=START, groups=8, faults=faults, workers=True)
    return [
        Announced(
            when,
            BY_ADDRESS[one.exchange].name,
            one.routing_key.split("."),
            orjson.loads(one.body),
        )
        for when, one in made
    ]


def announced(seed=1, faults=FAULTS):
    return [message for message in simulated(seed, faults) if message.name in WORKER_EVENTS]


def without_repeats(messages):
    return list({json.dumps((one.name, one.payload)): one for one in messages}.values())


@pytest.mark.parametrize("faults", [FAULTS, ()])
def test_messages_of_the_queue_do_not_depend_on_those_of_worker_manager(faults):
    """They are the same with and without them, at the same times."""
    options = {"seed": 3, "start": START, "groups": 3, "faults": faults}

    both = list(simulate(**options, workers=True))

    queue = [pair for pair in both if BY_ADDRESS[pair[1].exchange].service == "queue"]
    assert queue == list(simulate(**options))
    assert len(queue) < len(both)


FACTS = {
    entry["kebab"]: entry
    for service in json.loads((DATA / "exchanges.json").read_text())["services"]
    for entry in service["entries"]
}


@pytest.mark.parametrize("seed", range(3))
def test_every_message_has_the_fields_of_its_schema(seed):
    """All that are required, and no others; of the right types."""
    for message in announced(seed):
        facts = FACTS[message.name]["payload"]
        assert set(facts["required"]) <= set(message.payload) <= set(facts["properties"])
        assert all(type(value) is TYPES[name] for name, value in message.payload.items())
        assert re.fullmatch(
            r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message.payload["timestamp"]
        )


@pytest.mark.parametrize("seed", range(3))
def test_every_routing_key_follows_from_the_payload(seed):
    """Each word is valid, and the placeholder stands for what is missing."""
    for message in announced(seed):
        payload = message.payload
        words = [
            "primary",
            payload["providerId"],
            *payload["workerPoolId"].split("/"),
            payload.get("workerGroup", "_"),
            payload.get("workerId", "_"),
            payload["launchConfigId"],
            "_",
        ]
        assert message.key == words
        for field, word in zip(FACTS[message.name]["routingKey"], words, strict=True):
            assert word == "_" or len(word) <= (field["maxSize"] or 38)
            assert word == "_" or re.fullmatch(field["pattern"] or ".*", word), (field, word)


@pytest.mark.parametrize("seed", range(3))
def test_a_worker_is_requested_then_runs_then_stops(seed):
    """In this order, each once; some fail instead."""
    lives = defaultdict(list)
    for message in sorted(
        without_repeats(announced(seed)), key=lambda one: one.payload["timestamp"]
    ):
        if message.worker:
            lives[message.worker].append(message.name)

    assert [life for life in lives.values() if life not in LIVES] == []
    assert LIVES[1] in lives.values()


@pytest.mark.parametrize("seed", range(3))
def test_a_worker_claims_tasks_only_while_it_runs(seed):
    """From the time it announced, until it stopped."""
    running, stopped = {}, {}
    for message in announced(seed):
        if message.name in ("worker-running", "worker-stopped"):
            times = running if message.name == "worker-running" else stopped
            times[message.worker] = parse_seconds(message.payload["timestamp"])

    claims = 0
    for message in simulated(seed):
        if message.name == "task-running":
            started = parse_seconds(message.payload["status"]["runs"][-1]["started"])
            assert running.get(message.worker, 0) <= started < stopped.get(message.worker, 1e12)
            claims += message.worker in running
    assert claims > 100


def test_workers_start_within_minutes():
    """Those that are new: others ran before the simulation began."""
    messages = announced(faults=())
    requested = {
        one.worker: one.payload["timestamp"] for one in messages if one.name == "worker-requested"
    }

    times = [
        parse_seconds(one.payload["timestamp"]) - parse_seconds(requested[one.worker])
        for one in messages
        if one.name == "worker-running"
    ]

    assert len(times) > 30
    assert 45 <= min(times) < 60
    assert 120 < max(times) <= 150
    assert min(one.when for one in messages) >= START


@pytest.mark.parametrize("seed", range(3))
def test_messages_come_in_order_of_time(seed):
    """Those of both services, each just after what it says; repeats come later."""
    messages = simulated(seed)
    times = [message.when for message in messages]

    delays = [one.when - parse_seconds(one.payload["timestamp"]) for one in announced(seed)]

    assert times == sorted(times)
    assert min(delays) > 0
    assert max(delays) < 21


def test_errors_have_kinds_with_and_without_a_worker():
    """Those of a request, and those of an instance that does not start."""
    errors = [
        (one.payload["kind"], bool(one.worker))
        for seed in range(6)
        for one in announced(seed)
        if one.name == "worker-pool-error"
    ]

    assert set(errors) == {("creation-error", False), ("operation-error", True)}


def test_nothing_is_announced_about_hardware():
    """No cloud provides phones and Macs."""
    pools = {one.payload["workerPoolId"] for one in announced()}

    assert not {pool for pool in pools if "osx" in pool or "bitbar" in pool}
    assert len(pools) > 5
