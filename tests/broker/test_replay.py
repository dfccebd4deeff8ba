"""Live and recorded are the same: what is published is shown as what is replayed.

For any recording R and any selection S: what ``tcsniff S`` prints while R is
published equals what ``tcsniff --from R S`` prints, ``received`` and
``redelivered`` aside. Selections are made up, with a seed.
"""

from __future__ import annotations

import itertools
import random
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from kombu.connection import Connection

from builders import delivery, samples
from rabbitmq import ADMIN, FOREIGN_EXCHANGE, Publication, RabbitMQ, Taskcluster
from running import Running, finished
from tcsniff.commands.options.filter_options import FilterArgs, filter_options
from tcsniff.commands.options.option import SectionedCommand
from tcsniff.commands.options.selection_options import selection_options
from tcsniff.errors import UsageError
from tcsniff.pipeline import EventTest, Source, run_pipeline
from tcsniff.pulse import records
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import PLACEHOLDER
from tcsniff.pulse.routing import Binding, to_flag
from tcsniff.selection.expressions import compile_expression as compiled
from tcsniff.selection.filters import RepeatFilter, filter_reasons, filter_states, filter_tags
from tcsniff.selection.select import QUEUE_EXCHANGES, Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.settings.brokers import build_broker
from tcsniff.simulator.simulation import simulate
from tcsniff.sources.consumer import Consumer
from tcsniff.sources.recording import Recording

SELECTIONS = 90
END = "the.end.of.the.recording"  # a key that no other message has

BROKEN_LINE = b'{"a":\n[1,\r\n2]}'
HOSTILE = [
    delivery(exchange=FOREIGN_EXCHANGE, key="", body=b"1"),
    delivery(exchange=FOREIGN_EXCHANGE, key="a..b", body=b"2"),
    delivery(exchange=FOREIGN_EXCHANGE, key="#", cc=["*", "route.*.#"], body=b"3"),
    delivery(exchange=FOREIGN_EXCHANGE, key="unit\ntest.é", routes=["x\n.y"], body=b"\xff{"),
    delivery(exchange=FOREIGN_EXCHANGE, key="route.index.x", body=b'{"n":1e400}'),
    delivery(exchange=FOREIGN_EXCHANGE, key="x", cc=["route", "routes.x", "route."], body=b""),
    delivery("task-running", body=b"no JSON", routes=["index.gecko.v2.x"]),
    delivery("task-running", body=b"null"),
    delivery("task-running", key="short.key", body=b"[]"),
    delivery("task-running", key="primary." + "x." * 30 + "end", routes=["index.a", "index.b"]),
    delivery("task-running", key="other." + "_." * 8 + "_"),
    delivery("task-running", worker_type="gaia", cc=["primary.a.0.b.c.d.b2g.e.f._"]),
    delivery("task-exception", payload={"runId": "x"}, body=None),
    delivery("task-exception", payload={"status": {"state": [], "runs": {}}, "runId": 2**63}),
    delivery("task-failed", payload={"task": {"tags": ["kind=build"]}}),
    delivery("task-completed", body=b'{"status":{"state":"failed","state":"completed"}}'),
    delivery("task-defined", body=b'{"n":123456789012345678901234567890,"n":1,"a":{}}'),
    delivery("task-defined", body=BROKEN_LINE),
    delivery("task-defined", routes=["#", "@.x", "index.+"], body=b'{"a":"\\u0000\\ud800"}'),
    delivery("task-pending", routes=["r." * 40 + str(n) for n in range(10)]),
    delivery("task-group-resolved", routes=["index.not.really"]),
    delivery("worker-requested", words={"workerPoolId": "gecko-t/x"}),
    delivery("hook-created", body=b"{}"),
    delivery("push", body=b'{"organization":"mozilla"}'),
]


def deliveries() -> list[Delivery]:
    """Give the recording R: samples, simulated and hostile messages, mixed, some repeated."""
    made = [one for _, one in itertools.islice(simulate(seed=11, start=1.795e9, groups=2), 700)]
    found = [*samples(), *made[::2], *HOSTILE]
    random.Random(3).shuffle(found)
    return [*found, *found[:20]]


R = deliveries()


# Made-up selections, as words of a command line


def vocabulary() -> tuple[dict[str, list[str]], list[str], list[str], list[str]]:
    """Collect what occurs: field values by flag, routes, keys, tags."""
    fields: dict[str, set[str]] = {}
    routes, keys, tags = set(), set(), set()
    for one in R:
        event = Event(one)
        if event.service == "queue":
            for name, value in event.routing.items():
                if value not in (PLACEHOLDER, "primary") and re.fullmatch(r"[\w-]+", value):
                    fields.setdefault(to_flag(name), set()).add(value)
        routes |= {route for route in one.routes if re.fullmatch(r"[\w.-]+", route)}
        keys |= {key for key in one.keys if re.fullmatch(r"[\w.-]+", key) and len(key) < 200}
        known = (event.payload or {}) if isinstance(event.payload, dict) else {}
        named = (known.get("task") or {}).get("tags")
        tags |= set(named.items()) if isinstance(named, dict) else set()
    return (
        {flag: sorted(values) for flag, values in fields.items()},
        sorted(routes),
        sorted(keys),
        sorted(f"{name}={value}" for name, value in tags),
    )


FIELDS, ROUTES, KEYS, TAGS = vocabulary()
ABSENT = {
    "--task-id": "AAAAAAAAQAAAAAAAAAAAAA",
    "--task-group-id": "AAAAAAAAQAAAAAAAAAAAAA",
    "--run-id": "31",
}
EXPRESSIONS = [
    "event=='task-failed'",
    "event=='task-running' || event=='task-pending'",
    "routing.workerType=='b-linux-docker'",
    "!routing.workerType",
    "service=='queue'",
    "payload.status.runs[-1].reasonResolved=='claim-expired'",
    "payload.status.runs[?state=='exception']",
    "length(payload.status.runs) > `1`",
    "payload.runId > `0`",
    "payload.n",
    "error",
    "cc",
    "starts_with(routingKey, 'primary.')",
    "contains(routes[], 'index.gecko.v2.x')",
    "routes[?starts_with(@, 'index.')]",
    "contains(['build', 'test'], payload.task.tags.kind)",
    "payload.task.tags.kind=='build' && payload.status.state!='completed'",
    "payload.artifact.storageType",
    "time > '2026-08-20T10:00:00.000Z'",
    "exchange!='exchange/taskcluster-queue/v1/task-defined'",
    "body",
]


class Maker:
    """Makes selections up."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def words(self) -> list[str]:
        """Make one: what the broker is asked for, and what is looked at on arrival."""
        made = self.dice.choice((self.by_fields, self.by_fields, self.by_events, self.verbatim))()
        return [*made, *self.by_content()] if self.dice.random() < 0.5 else made

    def by_fields(self) -> list[str]:
        """Flags alone."""
        flags = self.dice.sample(sorted(FIELDS), self.dice.choice((1, 1, 2)))
        words = [f"{flag}={self.values(flag)}" for flag in flags]
        return words + (["--route", self.route()] if self.dice.random() < 0.4 else [])

    def by_events(self) -> list[str]:
        """EVENTs, with fields of their own, with routes."""
        names = [exchange.name for exchange in QUEUE_EXCHANGES]
        words = self.dice.sample(names, self.dice.randint(1, 4))
        if self.dice.random() < 0.4:
            flag = self.dice.choice(("--worker-type", "--scheduler-id", "--task-group-id"))
            value = self.values(flag).partition(",")[0]
            words[0] = f"{self.dice.choice(names[:7])}:{flag[2:]}={value}"
        words += ["--route", self.route()] if self.dice.random() < 0.5 else []
        return ["--all"] if self.dice.random() < 0.05 else words

    def verbatim(self) -> list[str]:
        """Patterns as they are."""
        addresses = sorted({one.exchange for one in R})
        if self.dice.random() < 0.5:
            chosen = self.dice.sample(addresses, self.dice.randint(1, 3))
            words = [word for name in chosen for word in ("--exchange", name)]
            patterns = self.dice.choice((0, 1, 2))
            words += [word for _ in range(patterns) for word in ("--routing-key", self.pattern())]
        else:
            words = []
            for _ in range(self.dice.randint(1, 3)):
                words += ["--bind", f"{self.dice.choice(addresses)}:{self.pattern()}"]
        words += ["task-failed"] if self.dice.random() < 0.2 else []
        return words + (["--route", self.route()] if self.dice.random() < 0.3 else [])

    def by_content(self) -> list[str]:
        """One or two looks at what is in it."""
        known = (
            lambda: ["--where", self.dice.choice(EXPRESSIONS)],
            lambda: ["--state", self.dice.choice(("failed,exception", "pending", "completed"))],
            lambda: ["--reason", self.dice.choice(("claim-expired", "canceled", "completed"))],
            lambda: ["--tag", self.dice.choice((*TAGS, "kind", "kind=nope"))],
            lambda: ["--dedupe"],
        )
        return [
            word for make in self.dice.sample(known, self.dice.randint(1, 2)) for word in make()
        ]

    def values(self, flag: str) -> str:
        """Values that occur, seldom one that does not."""
        if self.dice.random() < 0.1:
            return ABSENT.get(flag, "no-such-thing")
        among = FIELDS[flag]
        return ",".join(self.dice.sample(among, min(len(among), self.dice.choice((1, 1, 2, 3)))))

    def route(self) -> str:
        """A route that occurs, with wildcards."""
        return self.dice.choice((self.wild(self.dice.choice(ROUTES)), "#", "index.#", "*.*", "no"))

    def pattern(self) -> str:
        """A key that occurs, of CC too, with wildcards."""
        special = ("#", "route.#", "*", "#.#", "*.#", "primary.#", "#._", "*.index.#", "route.*")
        if self.dice.random() < 0.4:
            return self.dice.choice(special)
        return self.wild(self.dice.choice(KEYS))

    def wild(self, key: str) -> str:
        """Put wildcards in the place of words."""
        words = [
            self.dice.choice((word, word, "*", "#")) if self.dice.random() < 0.5 else word
            for word in key.split(".")
        ]
        place = self.dice.randrange(len(words))
        if self.dice.random() < 0.4:
            words[place:] = ["#"]
        return ".".join(words)


@click.command(cls=SectionedCommand)
@selection_options
@filter_options
def parsed(wanted: SelectionArgs, content: FilterArgs) -> tuple[Selection, FilterArgs]:
    """Read the words as the program does."""
    return build_selection(wanted), content


def filters_of(content: FilterArgs) -> list[EventTest]:
    """Make what looks at events, as a run does."""
    found: list[EventTest] = [compiled(text, "--where").holds for text in content.where]
    found += [filter_states(content.states)] if content.states else []
    found += [filter_reasons(content.reasons)] if content.reasons else []
    found += [filter_tags(content.tags)] if content.tags else []
    return found + ([RepeatFilter().is_new] if content.dedupe else [])


class Made(NamedTuple):
    """A selection, in words and read."""

    words: list[str]
    selection: Selection
    content: FilterArgs


def made_up(number: int, seed: int) -> list[Made]:
    """Make so many selections, without those that the program refuses."""
    maker, found = Maker(seed), list[Made]()
    while len(found) < number:
        words = maker.words()
        try:
            found.append(Made(words, *parsed.main(words, standalone_mode=False)))
        except (UsageError, click.UsageError):
            continue
    return found


# Of what only a CC key or a route matches, chance makes too few.
GIVEN = [
    "--bind exchange/build/normalized:routes.x",
    "--bind exchange/build/normalized:#.x --bind task-running:primary.a.0.#",
    "task-running --worker-type b2g",
    "--exchange task-running --routing-key *.index.gecko.v2.x",
    "--bind task-defined:*.index.gecko.# --bind task-running:*.index.b",
    "--exchange task-pending --routing-key #.r.1",
    "--exchange exchange/build/normalized --route index.x --route x",
    "--all --dedupe",
]
MADE = [
    *[Made(one.split(), *parsed.main(one.split(), standalone_mode=False)) for one in GIVEN],
    *made_up(SELECTIONS - len(GIVEN), seed=20261123),
]


# What comes out, as lines


class Lines:
    """Keeps what is shown as records, without what may differ."""

    def __init__(self) -> None:
        self.shown: list[bytes] = []

    def show(self, events: Sequence[Event]) -> None:
        self.shown += [
            records.format_record_with_error(
                event.delivery._replace(received=None, redelivered=False), event.decode_error
            )
            for event in events
        ]

    def flush(self) -> None:
        pass

    def show_gap(self, gap: object) -> None:
        raise AssertionError(gap)

    def close(self) -> None:
        pass


class UntilTheEnd:
    """What a listener hears, up to a message that says it was all."""

    def __init__(self, listener: Consumer) -> None:
        self.ack, self.stop = listener.ack, listener.stop
        self._listener = listener

    def batches(self) -> Iterator[Sequence[Delivery]]:
        for batch in self._listener.batches():
            if batch and batch[-1].routing_key == END:
                yield batch[:-1]
                return
            yield batch


class Both(NamedTuple):
    """A recording that tcsniff made, and what was shown while it did.

    Attributes:
        path: The recording.
        live: For each of `MADE` what was shown.
    """

    path: Path
    live: list[list[bytes]]


def everything() -> list[str]:
    """Select all of R."""
    addresses = sorted({one.exchange for one in R})
    return [word for name in addresses for word in ("--bind", f"{name}:#")]


@pytest.fixture(scope="module")
def both(rabbitmq_server: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Listen with every selection at once while R is published and recorded."""
    path = tmp_path_factory.mktemp("replay") / "r.jsonl"
    rabbitmq_server.start()
    url = rabbitmq_server.url()
    ending = Binding(FOREIGN_EXCHANGE, END)
    found = []
    with ExitStack() as stack:
        connection = stack.enter_context(Connection(rabbitmq_server.url(*ADMIN)))
        listeners = [
            stack.enter_context(
                Consumer(
                    build_broker(url, None, {}), [*one.selection.bindings, ending], prefetch=5000
                )
            )
            for one in MADE
        ]
        words = (*everything(), "--record", str(path), "-o", "raw", "--quiet", "-n", str(len(R)))
        recorder = stack.enter_context(Running("--broker", url, *words))
        # It is quiet: its queue, the only one beside ours, tells that it listens.
        while len(rabbitmq_server.queues()) <= len(listeners):
            assert recorder.process.poll() is None
        taskcluster = Taskcluster(connection)
        taskcluster.publish_all(map(publication, R))
        taskcluster.publish(FOREIGN_EXCHANGE, END, b"")
        for listener, (_, selection, content) in zip(listeners, MADE, strict=True):
            keep = None if selection.is_bound else selection.accepts()
            found.append(shown(UntilTheEnd(listener), content, keep))
        assert recorder.status() == 0
    return Both(path, found)


def publication(one: Delivery) -> Publication:
    return Publication(one.exchange, one.routing_key, one.body, one.cc)


def shown(
    source: Source, content: FilterArgs, keep: Callable[[Delivery], bool] | None = None
) -> list[bytes]:
    view = Lines()
    run_pipeline(source, view, accepts=keep, filters=filters_of(content))
    return view.shown


def test_what_is_recorded_is_what_was_published(both: Both) -> None:
    """Every message, in order, to the byte, unless a line break stood between tokens."""
    lines = [records.parse_record(line) for line in both.path.read_bytes().splitlines()]

    assert [
        one._replace(received=None, redelivered=False, cc=sorted(one.cc))
        for one in map(records.to_delivery, lines)
    ] == [
        one._replace(
            received=None,
            redelivered=False,
            cc=sorted(one.cc),
            body=one.body if one.body != BROKEN_LINE else b'{"a":[1,2]}',
        )
        for one in R
    ]


@pytest.mark.parametrize("number", range(SELECTIONS))
def test_what_is_shown_live_is_what_is_replayed(number: int, both: Both) -> None:
    """Through RabbitMQ's own rule and through ours: the same lines."""
    words, selection, content = MADE[number]
    recording = Recording([str(both.path)], pytest.fail, selection=selection)

    assert shown(recording, content) == both.live[number], shlex.join(words)


def test_the_made_up_selections_are_worth_it(both: Both) -> None:
    """Most find something, few find all, some nothing; every kind of flag is among them."""
    sizes = [len(lines) for lines in both.live]
    used = {re.split("[:=]", word)[0] for one in MADE for word in one.words}

    assert sum(0 < size < len(R) for size in sizes) > SELECTIONS * 0.4
    assert 0 in sizes
    assert not all(one.selection.is_bound for one in MADE)
    assert used >= {
        *("--route", "--exchange", "--routing-key", "--bind", "--where", "--state", "--reason"),
        *("--tag", "--dedupe", "--worker-type", "--task-group-id", "--all"),
    }


@pytest.mark.parametrize(
    "words",
    [
        "--all -o json",
        "--worker-type b-linux-docker,gaia -o json",
        "--bind task-running:route.# --bind task-defined:#.index.# -o raw",
        "--route index.# task-defined task-exception --where payload.task.tags -o json",
        "--state failed,exception --dedupe --all --select [routingKey,payload.status.state]",
        "task-exception --reason claim-expired -o lines --columns event,task-id,run,reason",
    ],
)
def test_processes_agree_too(
    words: str, both: Both, rabbitmq: RabbitMQ, taskcluster: Taskcluster
) -> None:
    """The whole program, live and from the file."""
    given = shlex.split(words)
    replayed = finished("--from", str(both.path), *given)
    expected = replayed.stdout.splitlines()
    assert (replayed.returncode, bool(expected)) == (0, True)

    with Running(*given, "--broker", rabbitmq.url(), "-n", str(len(expected))) as running:
        running.listening()
        taskcluster.publish_all(map(publication, R))
        assert running.status() == 0
        lines = running.lines(len(expected))

    assert list(map(aside, lines)) == list(map(aside, expected))


def aside(line: str) -> str:
    line = re.sub(r'^\{"received":[^,]*,', "{", line)
    return re.sub(r'"redelivered":(true|false)', "", line, count=1)
