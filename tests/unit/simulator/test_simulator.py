from __future__ import annotations

import gc
import hashlib
import itertools
import json
import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache, lru_cache
from random import Random
from typing import NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paths import DATA
from tcsniff.errors import UsageError
from tcsniff.pulse.exchanges import BY_ADDRESS, CATALOG
from tcsniff.simulator.planning import plan_group
from tcsniff.simulator.simulation import FAULTS, plan_groups, simulate

START = 1_787_000_000.5
QUEUE = [exchange.name for exchange in CATALOG if exchange.service == "queue"]
FINAL = {"completed", "failed", "exception"}
IN_ORDER = tuple(fault for fault in FAULTS if fault not in {"late", "duplicate", "redelivery"})
SLUG_ID = r"[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]"


class Seen(NamedTuple):
    """A simulated delivery, taken apart."""

    when: float
    name: str
    key: str
    routes: list[str]
    redelivered: bool
    payload: dict
    body: bytes

    @property
    def status(self):
        """The task, in a message that is about one."""
        return self.payload["status"]

    @property
    def run(self):
        """The run that the message is about."""
        return self.status["runs"][self.payload["runId"]]


def seen(pairs):
    return [
        Seen(
            when,
            BY_ADDRESS[made.exchange].name,
            made.routing_key,
            made.routes,
            made.redelivered,
            orjson.loads(made.body),
            made.body,
        )
        for when, made in pairs
    ]


@lru_cache(maxsize=8)  # a few hundred thousand objects each
def simulated(seed=1, groups=8, faults=FAULTS, tasks=60, workers=False):
    options = {"faults": faults, "tasks": tasks, "workers": workers}
    return seen(simulate(seed=seed, start=START, groups=groups, **options))


def about_tasks(messages):
    """Collect the messages of each task, in order."""
    found = {}
    for message in messages:
        if "status" in message.payload:
            found.setdefault(message.status["taskId"], []).append(message)
    return found


def planned(seed=1, groups=8, tasks=60):
    return {
        task.task_id: task
        for made in plan_groups(seed=seed, groups=groups, tasks=tasks)
        for task in made.tasks
    }


# The same again.


def digest(**arguments):
    made = hashlib.sha256()
    for pair in simulate(start=START, groups=4, **arguments):
        made.update(repr(pair).encode())
    return made.hexdigest()


def test_the_same_arguments_give_the_same_bytes():
    """Nothing but the arguments decides."""
    assert digest(seed=5) == digest(seed=5)


def test_another_seed_gives_another_run():
    """The seed decides about the task graphs, and about what becomes of them."""
    assert next(plan_groups(seed=5)) != next(plan_groups(seed=6))
    assert first_worker(5) != first_worker(6)


def first_worker(seed):
    names = (each for each in simulated(seed, groups=1) if each.name == "task-running")
    return next(names).payload["workerId"]


def test_plans_are_what_is_simulated():
    """The tasks that are defined are the planned ones, group by group, in their order."""
    defined = {}
    for message in simulated(faults=IN_ORDER):
        if message.name == "task-defined":
            status = message.status
            defined.setdefault(status["taskGroupId"], []).append(status["taskId"])

    wanted = {
        made.task_group_id: [task.task_id for task in made.tasks]
        for made in plan_groups(seed=1, groups=8)
    }

    assert defined == wanted


@pytest.mark.parametrize("groups", [0, 1, 3])
def test_as_many_groups_run_as_were_asked_for(groups):
    """A limited simulation ends by itself."""
    ids = {message.key.split(".")[-2] for message in simulated(groups=groups) if message.routes}

    assert len(ids) == groups


def test_an_unknown_fault_is_refused_at_once():
    """A misspelt fault would be one that never happens."""
    with pytest.raises(UsageError, match=r"unknown fault 'failur'; did you mean 'failure'"):
        simulate(seed=1, start=0, faults=["failur"])


# The wording of messages.

FACTS = json.loads((DATA / "queue-messages.json").read_text())["newest"]
NOT_RULES = {"field", "required", "default", "ref"}
TYPES = {"object": dict, "string": str, "integer": int, "array": list}


def fits(value, kind):
    facts = FACTS[FACTS[kind].get("sameAs", kind)]
    assert facts["additionalProperties"] is False
    return fits_fields(value, facts["fields"], "")


def fits_fields(value, rows, prefix):
    """Check an object against the rows whose field is ``<prefix><name>``."""
    own = {
        row["field"].removeprefix(prefix): row
        for row in rows
        if row["field"].startswith(prefix) and "." not in row["field"].removeprefix(prefix)
    }
    inner = {row["field"].rpartition(".")[0] for row in rows} - {""}
    return (
        all(name in value for name, row in own.items() if row["required"])
        and all(name in own for name in value)
        and all(fits_rules(value[name], row) for name, row in own.items() if name in value)
        and all(
            fits_fields(value[name], rows, f"{prefix}{name}.")
            for name in own
            if name in value and prefix + name in inner
        )
    )


def is_time(text):
    return re.fullmatch(
        r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text
    )


def fits_rules(value, row):
    # The type first: the other rules take it for granted.
    return RULES["type"](value, row["type"]) and all(
        RULES[rule](value, wanted) for rule, wanted in row.items() if rule not in NOT_RULES
    )


RULES = {
    "type": lambda value, wanted: type(value) is TYPES[wanted],
    "enum": lambda value, wanted: value in wanted,
    "pattern": lambda value, wanted: re.search(wanted, value),
    "format": lambda value, wanted: wanted == "date-time" and is_time(value),
    "minLength": lambda value, wanted: len(value) >= wanted,
    "maxLength": lambda value, wanted: len(value) <= wanted,
    "minimum": lambda value, wanted: value >= wanted,
    "maximum": lambda value, wanted: value <= wanted,
    "see": fits,
    "items": lambda value, wanted: all(fits(item, wanted) for item in value),
    "uniqueItems": lambda value, _: len({json.dumps(item) for item in value}) == len(value),
    "mapValues": lambda value, wanted: all(fits_rules(text, wanted) for text in value.values()),
}


def schema_of(name):
    return "".join(part.capitalize() for part in name.split("-")) + "Message"


@pytest.mark.parametrize("seed", [1, 2])
def test_every_payload_is_valid(seed):
    """What the queue's own schemas ask for: fields, types, limits, patterns, and no more."""
    messages = simulated(seed)

    assert [each for each in messages if not fits(each.payload, schema_of(each.name))] == []


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"runId": None},
        {"runId": 1001},
        {"runId": True},
        {"unheard": 1},
        {"workerId": "i.1"},
        {"workerId": "i" * 39},
        {"takenUntil": "2026-08-20"},
        {"task": {}},
        {"task": {"tags": {"kind": 1}}},
        {"status": {}},
    ],
    ids=str,
)
def test_the_check_of_payloads_notices(change):
    """The check above is not one that lets everything through."""
    running = next(each for each in simulated() if each.name == "task-running").payload

    assert fits(running, "TaskRunningMessage")
    assert not fits({**running, **change}, "TaskRunningMessage")


HEAD = ["status", "runId"]
WORKER = ["workerGroup", "workerId"]
ORDERS = {
    "task-defined": [["status", "task", "version"]],
    "task-pending": [[*HEAD, "task", "version"]],
    "task-running": [[*HEAD, *WORKER, "takenUntil", "task", "version"]],
    "artifact-created": [[*HEAD, *WORKER, "artifact", "version"]],
    "task-completed": [[*HEAD, "task", *WORKER, "version"]],
    "task-failed": [[*HEAD, "task", *WORKER, "version"]],
    "task-exception": [[*HEAD, "task", "version"], [*HEAD, "task", *WORKER, "version"]],
    "task-group-resolved": [
        ["taskGroupId", "schedulerId", "expires", "sealed", "version"],
        ["taskGroupId", "schedulerId", "expires", "version"],
    ],
    "task-group-sealed": [["taskGroupId", "schedulerId", "expires", "sealed", "version"]],
    "task-priority-changed": [["status", "oldPriority", "newPriority", "version"]],
    "task-group-priority-changed": [
        ["taskGroupId", "schedulerId", "newPriority", "tasksAffected", "version"]
    ],
}
RUN = ["runId", "state", "reasonCreated"]
TAKEN = ["workerGroup", "workerId", "takenUntil"]
RUNS = [
    [*RUN, "scheduled"],
    [*RUN, *TAKEN, "scheduled", "started"],
    [*RUN, "reasonResolved", "scheduled", "resolved"],
    [*RUN, "reasonResolved", *TAKEN, "scheduled", "started", "resolved"],
]


def test_fields_come_in_the_queues_order():
    """Payloads look like the real queue's, which writes its fields in a fixed order."""
    orders = {}
    for message in simulated():
        orders.setdefault(message.name, set()).add(tuple(message.payload))

    assert {name: sorted(map(list, found)) for name, found in orders.items()} == ORDERS


def test_runs_tell_what_is_known_of_them():
    """Pending, running, resolved without a worker, and resolved with one."""
    found = {
        tuple(run)
        for message in simulated()
        if "status" in message.payload
        for run in message.status["runs"]
    }

    assert sorted(found) == sorted(map(tuple, RUNS))


def test_bodies_are_compact():
    """One line, without spaces between, in UTF-8."""
    for message in simulated(groups=1):
        compact = json.dumps(message.payload, separators=(",", ":"), ensure_ascii=False)
        assert message.body == compact.encode()


def key_of(message):
    """Word a routing key by the catalog's rule: values from the payload, else ``_``."""
    outside = {"runId", "workerGroup", "workerId"}  # never taken from the status
    known = {**message.payload.get("status", {}), **message.payload}
    words = []
    for field in BY_ADDRESS[f"exchange/taskcluster-queue/v1/{message.name}"].fields:
        value = message.payload.get(field.name) if field.name in outside else known.get(field.name)
        word = field.constant or ("_" if value is None else str(value))
        assert not field.required or re.fullmatch(field.pattern, word)
        assert len(word) <= field.size
        words.append(word)
    return ".".join(words)


def test_every_routing_key_follows_from_the_payload():
    """A key is made of the payload's values, in the catalog's order."""
    messages = simulated()

    assert [each.key for each in messages] == [key_of(each) for each in messages]


def test_messages_on_tasks_are_copied_to_the_tasks_routes():
    """Those on groups are not."""
    tasks = planned()

    for message in simulated():
        task_id = message.payload.get("status", {}).get("taskId")
        assert message.routes == list(tasks[task_id].routes if task_id else ())


def test_some_routes_hold_signs_that_look_like_wildcards():
    """Routes are free text: `#`, `@` and `!` are ordinary letters in a routing key."""
    routes = "".join(route for message in simulated() for route in message.routes)

    assert set("#@!:+") <= set(routes)


def test_times_come_in_two_forms():
    """JavaScript's everywhere, and PostgreSQL's, which drops zeros, beside a claim."""
    running = [each for each in simulated() if each.name == "task-running"]

    for message in running:
        inner, outer = message.run["takenUntil"], message.payload["takenUntil"]
        assert re.fullmatch(r"[-\d]{10}T[:\d]{8}\.\d{3}Z", inner)
        assert outer in {f"{inner[:-1].rstrip('0')}+00:00", inner[:-5] + "+00:00"}


def test_workers_are_named_as_their_clouds_do():
    """Numbers at Google, `i-` at Amazon, names of machines in the data center."""
    forms = {
        re.sub(r"[0-9a-f]{10,}|\d+", "N", message.payload["workerId"])
        for message in simulated()
        if message.name == "task-running"
    }

    assert forms == {"N", "i-N", "macmini-mN-N"}


# The way to a listener.


@pytest.mark.parametrize("seed", range(2))
def test_deliveries_come_in_order_of_time(seed):
    """A listener's clock never goes back."""
    times = [message.when for message in simulated(seed, groups=4)]

    assert times == sorted(times)
    assert times[0] == pytest.approx(START, abs=0.1)


def test_no_delivery_comes_before_what_it_tells():
    """The lag that a listener sees is never negative."""
    for message in simulated(faults=FAULTS):
        if "runId" in message.payload and message.name != "task-exception":
            run = message.run
            moment = run.get("resolved") or run.get("started") or run["scheduled"]
            assert message.when > seconds(moment)


def test_some_messages_are_published_twice():
    """A repeat says the same; the broker marks only what it delivers again itself."""
    messages = simulated()

    repeats = Counter(itertools.chain(*map(redeliveries, bodies(messages).values())))

    assert 0.005 < repeats[False] / len(messages) < 0.02
    assert 0.001 < repeats[True] / len(messages) < 0.01


def bodies(messages):
    found = {}
    for message in messages:
        found.setdefault((message.name, message.key, message.body), []).append(message)
    return {same: copies for same, copies in found.items() if not same[0].startswith("task-group")}


def redeliveries(copies):
    return [copy.redelivered for copy in copies[1:]]


def test_some_runs_are_told_before_their_task():
    """There is no order between exchanges: a claim may be known before the run it takes."""
    early = set()
    for messages in about_tasks(simulated()).values():
        names = [message.name for message in messages]
        if "task-running" in names:
            early |= {"task-defined", "task-pending"} - set(names[: names.index("task-running")])

    assert early >= {"task-pending"}


@pytest.mark.parametrize("seed", range(4))
def test_every_exchange_has_something_to_tell_soon(seed):
    """A few groups suffice to see all kinds of messages."""
    assert {message.name for message in simulated(seed, groups=4)} == set(QUEUE)


@pytest.mark.parametrize("tasks", [1, 60, 300])
def test_gaia_runs_within_two_minutes(tasks):
    """Who tries `--worker-type gaia task-running` need not wait long, whatever the seed."""
    for seed in range(25):
        first = next(
            when
            for when, made in simulate(seed=seed, start=START, tasks=tasks)
            if made.exchange.endswith("/task-running") and ".gaia." in made.routing_key
        )
        assert first - START < 120


# The life of tasks, in the order of publishing.


def seconds(text):
    whole, fraction = re.fullmatch(r"(.*T[:\d]{8})\.(\d{3})Z", text).groups()
    return calendar_seconds(whole) + int(fraction) / 1000


@cache
def calendar_seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("seed", range(2))
def test_a_task_begins_without_runs(seed):
    """Its first message is the definition, whose status is blank; there is no second."""
    for messages in about_tasks(simulated(seed, faults=IN_ORDER)).values():
        first = messages[0]
        assert (first.name, first.status["state"], first.status["runs"]) == (
            "task-defined",
            "unscheduled",
            [],
        )
        assert [each.name for each in messages].count("task-defined") == 1


RANK = {"pending": 0, "running": 1, "completed": 2, "failed": 2, "exception": 2}
KEPT = ["runId", "reasonCreated", "scheduled"]


@pytest.mark.parametrize("seed", range(2))
def test_runs_are_only_added_to(seed):
    """Only the last run changes, only forward; the state of the task is the last run's."""
    for messages in about_tasks(simulated(seed, faults=IN_ORDER)).values():
        before = []
        for message in messages:
            runs = message.status["runs"]
            assert [run["runId"] for run in runs] == list(range(len(runs)))
            assert message.status["state"] == (runs[-1]["state"] if runs else "unscheduled")
            assert all(run["state"] in FINAL for run in runs[:-1])
            for old, new in zip(before, runs, strict=False):
                assert [old[name] for name in KEPT] == [new[name] for name in KEPT]
                assert RANK[old["state"]] < RANK[new["state"]] or steady(old, new)
            before = runs


def steady(old, new):
    """Tell whether two states of a run differ at most in a renewed claim."""
    return {**old, "takenUntil": ""} == {**new, "takenUntil": ""}


@pytest.mark.parametrize("seed", range(2))
def test_retries_are_counted_down(seed):
    """Each retry takes one, a rerun gives all of them back, and none is below zero."""
    tasks = planned(seed)
    for task_id, messages in about_tasks(simulated(seed, faults=IN_ORDER)).items():
        left = tasks[task_id].retries
        runs = 0
        for message in messages:
            if len(message.status["runs"]) > runs:
                reason = message.status["runs"][-1]["reasonCreated"]
                runs += 1
                left -= reason in {"retry", "task-retry"}
                left = tasks[task_id].retries if reason == "rerun" else left
            assert message.status["retriesLeft"] == left >= 0


def test_a_rerun_gives_retries_back():
    """As many as the task had at first."""
    few = {"seed": 7, "groups": 2}  # with a task that is retried, fails and is run again
    tasks = planned(**few)
    faults = ("worker-shutdown", "intermittent-task", "failure", "rerun")
    before = {}
    restored = 0
    for message in simulated(**few, faults=faults):
        if "status" in message.payload:
            task_id = message.status["taskId"]
            if message.name == "task-pending" and message.run["reasonCreated"] == "rerun":
                restored += message.status["retriesLeft"] > before[task_id]
                assert message.status["retriesLeft"] == tasks[task_id].retries
            before[task_id] = message.status["retriesLeft"]

    assert restored


RETRIED = {
    "claim-expired": "retry",
    "worker-shutdown": "retry",
    "intermittent-task": "task-retry",
}


LOSSES = tuple(RETRIED)


def test_an_exception_is_retried_while_there_are_retries():
    """It tells of the ended run, with the next one pending already, and that is told next."""
    outcomes = Counter()
    for messages in about_tasks(simulated(groups=20, faults=LOSSES, tasks=30)).values():
        for message, following in itertools.zip_longest(messages, messages[1:]):
            if message.name == "task-exception" and message.run["reasonResolved"] in RETRIED:
                retried = len(message.status["runs"]) > message.payload["runId"] + 1
                outcomes[retried] += 1
                if retried:
                    last = message.status["runs"][-1]
                    reason = RETRIED[message.run["reasonResolved"]]
                    assert (last["state"], last["reasonCreated"]) == ("pending", reason)
                    assert following.name == "task-pending"
                    assert following.status == message.status
                else:
                    assert message.status["retriesLeft"] == 0

    assert outcomes[True] > outcomes[False] > 0


@pytest.mark.parametrize("seed", range(2))
def test_no_task_starts_before_its_dependencies(seed):
    """They must have completed, or been resolved if that is all that it asks for."""
    tasks = planned(seed)
    reached = {}
    for message in simulated(seed, faults=IN_ORDER):
        if message.name == "task-pending" and message.run["reasonCreated"] == "scheduled":
            task = tasks[message.status["taskId"]]
            enough = {"completed"} if task.requires == "all-completed" else FINAL
            for dependency in task.dependencies:
                assert enough & reached.get(dependency, set())
        if "status" in message.payload:
            reached.setdefault(message.status["taskId"], set()).add(message.status["state"])


def test_a_summary_starts_although_a_test_failed():
    """What requires only an end goes on after any."""
    messages = about_tasks(simulated(faults=("failure",)))
    failed = {task_id for task_id, told in messages.items() if told[-1].name == "task-failed"}

    started = [
        task
        for task in planned().values()
        if task.requires == "all-resolved"
        and failed & set(task.dependencies)
        and messages[task.task_id][-1].name == "task-completed"
    ]

    assert started


def test_dependents_go_on_after_a_rerun():
    """A dependency that fails and then succeeds is as good as one that never failed."""
    messages = about_tasks(simulated(groups=16, faults=("failure", "rerun")))

    went_on = [
        task.label
        for task in planned(groups=16).values()
        for dependency in task.dependencies
        if task.requires == "all-completed"
        and messages[dependency][-1].name == "task-completed"
        and any(told.name == "task-failed" for told in messages[dependency])
        and messages[task.task_id][-1].name == "task-completed"
    ]

    assert went_on


@pytest.mark.parametrize("faults", [FAULTS, IN_ORDER, ("failure",), ()], ids=len)
def test_every_task_ends(faults):
    """Nothing is left open when a simulation ends, whatever goes wrong."""
    last = {}
    for message in simulated(faults=faults):
        if "status" in message.payload:
            progress = len(message.status["runs"]), RANK.get(message.status["state"], -1)
            best = last.get(message.status["taskId"], (-1, -1))
            last[message.status["taskId"]] = max(best, progress)

    assert last.keys() == planned().keys()
    assert {rank for _, rank in last.values()} == {2}


@pytest.mark.parametrize("seed", range(2))
def test_a_group_is_resolved_when_no_task_never_was(seed):
    """At every final resolution from then on, right after it, and at no other time."""
    unresolved = {}
    messages = simulated(seed, faults=IN_ORDER)
    for message, following in itertools.pairwise([*messages, messages[0]]):
        due = None
        if "status" in message.payload:
            group = message.status["taskGroupId"]
            open_tasks = unresolved.setdefault(group, set())
            if message.name == "task-defined":
                open_tasks.add(message.status["taskId"])
            if message.status["state"] in FINAL and message.name != "artifact-created":
                open_tasks.discard(message.status["taskId"])
                due = None if open_tasks else group
        told = following.payload.get("taskGroupId")
        assert (told if following.name == "task-group-resolved" else None) == due


def test_a_claim_holds_twenty_minutes_and_is_renewed():
    """A run ends within its claim, except one whose worker was lost."""
    longest = 0
    for message in simulated(faults=IN_ORDER):
        if message.name in {"task-completed", "task-failed", "task-exception"}:
            run = message.run
            if "started" in run:
                held = seconds(run["takenUntil"]) - seconds(run["started"])
                longest = max(longest, held)
                assert held >= 1200 - 0.001
                if run["reasonResolved"] == "claim-expired":
                    assert run["resolved"] > run["takenUntil"]
                if message.name != "task-exception":
                    assert run["resolved"] < run["takenUntil"]

    assert longest > 2000


def test_the_decision_task_defines_the_others_and_completes():
    """It runs for 20 to 90 seconds, and all are defined meanwhile."""
    messages = simulated(faults=IN_ORDER)
    for made in plan_groups(seed=1, groups=8):
        decision = about_tasks(messages)[made.task_group_id]
        ends = decision[-1]
        defined = [
            message.when
            for message in messages
            if message.name == "task-defined"
            and message.status["taskGroupId"] == made.task_group_id
        ][1:]
        assert [each.name for each in decision if "priority" not in each.name] == [
            "task-defined",
            "task-pending",
            "task-running",
            "artifact-created",
            "task-completed",
        ]
        assert 20 <= seconds(ends.run["resolved"]) - seconds(ends.run["started"]) <= 90
        assert decision[2].when < min(defined) < max(defined) < ends.when


def test_without_faults_everything_completes_at_once():
    """One run a task, nothing twice, and one end of each group."""
    names = Counter(message.name for message in simulated(faults=()))

    count = len(planned())
    assert names.pop("artifact-created") > count
    assert names == {
        "task-defined": count,
        "task-pending": count,
        "task-running": count,
        "task-completed": count,
        "task-group-resolved": 8,
    }


# What goes wrong.


def reason(message):
    return message.run["reasonResolved"] if message.name == "task-exception" else None


def has_exception(wanted):
    return lambda messages: any(reason(message) == wanted for message in messages)


def has_name(wanted):
    return lambda messages: any(message.name == wanted for message in messages)


def has_repeat(*, redelivered):
    return lambda messages: any(
        redelivered in redeliveries(copies) for copies in bodies(messages).values()
    )


def has_late(messages):
    return any(
        message.name == "task-pending" and message.when - seconds(message.run["scheduled"]) > 1
        for message in messages
    )


SIGNS = {
    "failure": has_name("task-failed"),
    "claim-expired": has_exception("claim-expired"),
    "worker-shutdown": has_exception("worker-shutdown"),
    "intermittent-task": has_exception("intermittent-task"),
    "malformed-payload": has_exception("malformed-payload"),
    "deadline-exceeded": has_exception("deadline-exceeded"),
    "rerun": lambda messages: any(
        message.run["reasonCreated"] == "rerun"
        for message in messages
        if message.name == "task-pending"
    ),
    "cancel": has_exception("canceled"),
    "cancel-group": has_name("task-group-sealed"),
    "priority-change": has_name("task-priority-changed"),
    "worker-pool-error": has_name("worker-pool-error"),
    "duplicate": has_repeat(redelivered=False),
    "redelivery": has_repeat(redelivered=True),
    "late": has_late,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_happens_when_asked_for(fault):
    """Alone, each leaves its sign; without it, there is none."""
    shows = SIGNS[fault]

    assert any(shows(simulated(seed, faults=(fault,), workers=True)) for seed in range(5))
    assert not shows(simulated(faults=(), workers=True))


def test_proportions_are_those_of_a_busy_day():
    """A few per cent of runs fail, or lose their worker."""
    ends = Counter()
    for message in simulated(groups=10, tasks=200, faults=IN_ORDER):
        if message.name in {"task-completed", "task-failed", "task-exception"}:
            ends[message.run["reasonResolved"]] += "started" in message.run

    shares = {name: count / ends.total() for name, count in ends.items()}

    assert 0.02 < shares["failed"] < 0.05
    assert 0.01 < shares["claim-expired"] + shares["worker-shutdown"] < 0.03


def test_a_canceled_task_that_never_ran_gets_a_run():
    """It exists to hold the reason; no worker is named."""
    ended = [each for each in simulated(faults=IN_ORDER) if reason(each) == "canceled"]

    never_ran = [each for each in ended if each.run["reasonCreated"] == "exception"]

    assert 0 < len(never_ran) < len(ended)
    for message in never_ran:
        assert message.payload["runId"] == 0
        assert message.key.split(".")[2:5] == ["0", "_", "_"]
        assert message.run["scheduled"] == message.run["resolved"]


def test_a_group_is_canceled_in_a_burst():
    """Sealed, then each open task ends; tags and priority are lost on that way."""
    messages = simulated(groups=2, faults=("cancel-group",))
    sealed = next(message for message in messages if message.name == "task-group-sealed")
    ended = [each for each in messages if each.name == "task-exception"]

    assert len(ended) > 30
    assert {json.dumps(each.payload["task"]) for each in ended} == {'{"tags": {}}'}
    assert {each.status["taskGroupId"] for each in ended} == {sealed.payload["taskGroupId"]}
    assert all("priority" not in each.status for each in ended)
    assert sealed.when < ended[0].when < ended[-1].when < sealed.when + 5
    assert ended[-1].name == "task-exception"


def test_a_missed_deadline_names_no_worker():
    """The queue ends such a run itself, even while a worker has it."""
    ended = [
        message
        for message in simulated(tasks=200, faults=("deadline-exceeded", "failure"))
        if reason(message) == "deadline-exceeded"
    ]

    for message in ended:
        assert message.payload.keys().isdisjoint(WORKER)
        assert message.key.split(".")[3:5] == ["_", "_"]
        assert message.run["resolved"] > message.status["deadline"]
    assert {"workerId" in message.run for message in ended} == {True, False}


def test_a_changed_priority_stays():
    """Later messages have the new one, until it changes again."""
    changes = 0
    for messages in about_tasks(simulated(faults=("priority-change",))).values():
        for message, following in itertools.pairwise(messages):
            if message.name == "task-priority-changed":
                changes += 1
                new = message.payload["newPriority"]
                assert new == message.status["priority"] != message.payload["oldPriority"]
                group_changed = following.when - message.when > 20
                assert following.status["priority"] == new or group_changed

    assert changes


# Without end.


def test_an_endless_simulation_keeps_no_past():
    """What it remembers does not grow with the groups that are over."""
    endless = simulate(seed=1, start=START, tasks=20)
    sizes = []
    gc.freeze()  # other tests' objects are not to be looked through
    for _ in range(3):
        for _ in itertools.islice(endless, 3000):
            pass
        gc.collect()
        sizes.append(sum(type(each).__name__ == "SimulatedTask" for each in gc.get_objects()))

    assert 0 < max(sizes) < 20 * 20


def test_groups_overlap():
    """A group begins while others still run."""
    open_groups = set()
    most = 0
    for message in simulated(faults=()):
        group = message.key.split(".")[-2]
        if message.name == "task-group-resolved":
            open_groups.discard(message.payload["taskGroupId"])
        else:
            open_groups.add(group)
        most = max(most, len(open_groups))

    assert most >= 3


def test_queues_do_not_grow():
    """There are workers enough for all groups, and few enough that tasks wait for them."""
    waits = [
        seconds(message.run["started"]) - seconds(message.run["scheduled"])
        for message in simulated(faults=IN_ORDER)
        if message.name == "task-running"
    ]

    assert 30 < max(waits) < 1800


# Task graphs.


@given(st.integers(), st.integers(20, 400))
def test_a_plan_has_the_tasks_asked_for(seed, tasks):
    """From 20 tasks on the number is met; ids and labels are each there once."""
    made = plan_group(Random(seed), tasks=tasks)

    assert len(made.tasks) == tasks
    assert len({task.task_id for task in made.tasks}) == tasks
    assert len({task.label for task in made.tasks}) == tasks


@given(st.integers(), st.integers(0, 400))
def test_a_plan_is_in_order_of_dependencies(seed, tasks):
    """Every task comes behind those it waits for, the decision task before all."""
    made = plan_group(Random(seed), tasks=tasks)
    known = set()
    for task in made.tasks:
        assert re.fullmatch(SLUG_ID, task.task_id)
        assert known.issuperset(task.dependencies)
        known.add(task.task_id)

    assert made.tasks[0].task_id == made.task_group_id
    assert {"gaia", "b2g", "build", "test", "upload"} <= {task.kind for task in made.tasks}


def test_labels_look_like_firefoxs():
    """Platform, flavour, suite and chunk, as people know them."""
    labels = {task.label for task in planned(groups=4, tasks=200).values()}

    assert "build-linux64/opt" in labels
    assert "test-linux1804-64/opt-mochitest-plain-3" in labels
