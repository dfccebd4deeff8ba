"""Our matcher against RabbitMQ: the same answer in every case."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import pytest
from amqp.basic_message import Message
from kombu.connection import Connection

from rabbitmq import Publication, Taskcluster
from tcsniff.pulse.exchanges import find_exchange
from tcsniff.pulse.routing import ANY_WORD, ANY_WORDS, MAX_KEY_BYTES, compile_pattern, match_topic

MOST_HASHES = 4  # in a random pattern; RabbitMQ refuses more than 2 from 4.3.5 on
PATTERNS, KEYS = 150, 200  # of a round with the broker: 30,000 pairs
WORDS = ["", "", "a", "a", "b", "c", "aa", "A", "é", "日本", "a b", "-", "_"]
WILD = [ANY_WORD, ANY_WORDS]  # which mean nothing special in a key

# The cases of `topic_matching` in RabbitMQ's own tests: of these keys, a pattern accepts those
# listed. As RabbitMQ 3.10.8 answers; a test below asks it again.
KEYS_OF_TABLE = (
    "a.b.c",
    "a.b",
    "a.b.b",
    "",
    "b.c.c",
    "a.a.a.a.a",
    "vodka.gin",
    "vodka.martini",
    "b.b.c",
    "nothing.here.at.all",
    "oneword",
)
NOT_EMPTY = tuple(key for key in KEYS_OF_TABLE if key)
TABLE = {
    "a.b.c": ("a.b.c",),
    "a.*.c": ("a.b.c",),
    "a.#.b": ("a.b", "a.b.b"),
    "a.b.b.c": (),
    "#": KEYS_OF_TABLE,
    "#.#": KEYS_OF_TABLE,
    "#.b": ("a.b", "a.b.b"),
    "*.*": ("a.b", "vodka.gin", "vodka.martini"),
    "a.*": ("a.b",),
    "*.b.c": ("a.b.c", "b.b.c"),
    "a.#": ("a.b.c", "a.b", "a.b.b", "a.a.a.a.a"),
    "a.#.#": ("a.b.c", "a.b", "a.b.b", "a.a.a.a.a"),
    "b.b.c": ("b.b.c",),
    "a.b.b": ("a.b.b",),
    "a.b": ("a.b",),
    "b.c": (),
    "": ("",),
    "*.*.*": ("a.b.c", "a.b.b", "b.c.c", "b.b.c"),
    "vodka.martini": ("vodka.martini",),
    "*.#": NOT_EMPTY,
    "#.*.#": NOT_EMPTY,
    "*.#.#": NOT_EMPTY,
    "#.#.#": KEYS_OF_TABLE,
    "*": ("oneword",),
    "#.b.#": ("a.b.c", "a.b", "a.b.b", "b.c.c", "b.b.c"),
}

LONGEST_KEY = ".".join("a" * 128)  # as many words as fit


@pytest.mark.parametrize(
    ("pattern", "key", "accepted"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.b", "a.b.c", False),
        ("a", "A", False),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.*", "a.", True),
        ("a.*", "a.b.c", False),
        ("*", "", False),
        ("a.#", "a", True),
        ("a.#", "a.b.c", True),
        ("a.#", "b.a", False),
        ("#.c", "a.b.c", True),
        ("#.c", "c", True),
        ("#.b.#", "a.c", False),
        ("#.b.#.b", "b", False),
        ("#.b.#.b", "b.a.b", True),
        ("#.*", "", False),
        ("#", "", True),
        ("#.#", "", True),
        ("", "", True),
        ("", "a", False),
        (".", ".", True),
        ("a..b", "a..b", True),
        ("a..b", "a.b", False),
        ("a.#.b", "a..b", True),
        ("a*", "ab", False),
        ("a#", "a", False),
        ("a*.b#", "a*.b#", True),
        ("*.b", "#.b", True),
        ("a.b", "*.b", False),
        ("é.*", "é.日本", True),
    ],
)
def test_a_pattern_accepts_what_its_words_say(pattern: str, key: str, accepted: bool) -> None:
    """``*`` is one word, ``#`` is any number of words, and an empty word is a word."""
    assert match_topic(pattern, key) is accepted


@pytest.mark.parametrize("pattern", list(TABLE))
def test_rabbitmqs_own_cases_hold(pattern: str) -> None:
    """Every case of RabbitMQ's tests has the answer that RabbitMQ gives."""
    accepted = tuple(key for key in KEYS_OF_TABLE if match_topic(pattern, key))

    assert accepted == TABLE[pattern]


def test_the_table_is_what_rabbitmq_answers(admin: Connection) -> None:
    """The answers above were not made up."""
    routed = _routed(admin, list(TABLE), KEYS_OF_TABLE)

    assert routed == {(pattern, key) for pattern, keys in TABLE.items() for key in keys}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_pattern_and_key_have_rabbitmqs_answer(admin: Connection, seed: int) -> None:
    """Whatever is bound and published, we accept exactly what RabbitMQ routes."""
    dice = random.Random(seed)
    patterns = sorted({_pattern(dice) for _ in range(PATTERNS)})
    keys = sorted({_key(dice, patterns) for _ in range(KEYS)})

    routed = _routed(admin, patterns, keys)

    accepted = _accepted(patterns, keys)
    assert accepted == routed
    assert len(patterns) * len(keys) > 20_000
    assert len(routed) > 1_000


def test_a_key_of_most_words_has_rabbitmqs_answer(admin: Connection) -> None:
    """A key as long as AMQP allows, of as many words as possible, is no exception."""
    patterns = ["#", "a.#", "#.a", "#.b", "#.b.#", "a.#.a", "*.#.*", "#.*.b", LONGEST_KEY]
    keys = [LONGEST_KEY, LONGEST_KEY[:-1] + "b", LONGEST_KEY[:-1], "." * MAX_KEY_BYTES]

    assert _routed(admin, patterns, keys) == _accepted(patterns, keys)


def test_routes_are_further_keys(admin: Connection, taskcluster: Taskcluster) -> None:
    """A message goes where its key or any of its routes leads."""
    running = find_exchange("task-running").address
    keys = ["primary.A.0", "route.index.x", "route.notify.y"]
    patterns = ["primary.#", "route.#", "route.*.x", "*.*.y", "*.A.*", "#", "#.z", "route.x", "A"]
    queues = {pattern: _bound(admin, running, [pattern]) for pattern in patterns}

    taskcluster.publish(running, keys[0], b"{}", cc=keys[1:])

    arrived = _arrived(admin, list(queues.values()))
    reached = {pattern for pattern, queue in queues.items() if arrived[queue]}
    assert reached == {p for p in patterns if any(match_topic(p, key) for key in keys)}


def test_a_message_arrives_once_however_many_keys_match(
    admin: Connection, taskcluster: Taskcluster
) -> None:
    """Routes and bindings that match together bring one copy, under its primary key."""
    running = find_exchange("task-running").address
    queue = _bound(admin, running, ["primary.#", "route.#", "#", "*.*.x"])

    taskcluster.publish(running, "primary.A.0", b"{}", cc=["route.index.x", "route.notify.y"])

    assert _arrived(admin, [queue])[queue] == ["primary.A.0"]


@pytest.mark.parametrize(
    "pattern",
    [
        "#.a.#.a.#.a.#.b",
        "#.a.#.a.#.a.#.a.#.a.#.a.#.b.#",
        ".".join(["#", "a"] * 20) + ".b",
        ".".join(["#", "*"] * 20) + ".b",
        ".".join(["#"] * 100) + ".b",
        "a.#.a.a.a.a.a.a.a.a.b",
    ],
)
def test_a_hostile_pattern_takes_no_more_steps_than_pairs(pattern: str) -> None:
    """However a pattern is made, there are no more comparisons than pairs of words."""
    CountingWord.comparisons = 0

    accepted = match_topic(pattern, CountingKey(LONGEST_KEY))

    pairs = len(pattern.split(".")) * len(LONGEST_KEY.split("."))
    assert not accepted
    assert 0 < CountingWord.comparisons <= pairs


class CountingWord(str):
    """A word that counts how often one like it was compared.

    Attributes:
        comparisons: How often.
    """

    __slots__ = ()
    comparisons: ClassVar[int] = 0

    def __eq__(self, other: object) -> bool:
        CountingWord.comparisons += 1
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


class CountingKey(str):
    """A key whose words count."""

    __slots__ = ()

    def split(self, *args: Any, **options: Any) -> list[str]:
        """Split as every string, into words that count."""
        return [CountingWord(word) for word in str.split(self, *args, **options)]


def _pattern(dice: random.Random) -> str:
    words = dice.choices([*WORDS, ANY_WORD, ANY_WORD, ANY_WORD], k=dice.randrange(6))
    for _ in range(dice.randrange(MOST_HASHES + 1)):
        words.insert(dice.randint(0, len(words)), ANY_WORDS)
    return _sized(dice, ".".join(words))


def _key(dice: random.Random, patterns: Sequence[str]) -> str:
    if dice.random() < 0.5:  # by chance alone, hardly any key would be accepted
        words = _instance(dice, dice.choice(patterns))
    else:
        words = dice.choices([*WORDS, *WILD], k=dice.randrange(8))
    return _sized(dice, ".".join(words))


def _instance(dice: random.Random, pattern: str) -> list[str]:
    lengths = {ANY_WORD: [1], ANY_WORDS: [0, 0, 1, 2, 3]}
    words: list[str] = []
    for word in pattern.split("."):
        if word in lengths:
            words += dice.choices([*WORDS, *WILD], k=dice.choice(lengths[word]))
        else:
            words.append(word)
    return words


def _sized(dice: random.Random, text: str) -> str:
    # One in ten as long as AMQP allows, none longer.
    if dice.random() < 0.1:
        text += "é" * MAX_KEY_BYTES
    return text.encode()[:MAX_KEY_BYTES].decode(errors="ignore")


def _accepted(patterns: Sequence[str], keys: Sequence[str]) -> set[tuple[str, str]]:
    matchers = {pattern: compile_pattern(pattern) for pattern in patterns}
    return {(pattern, key) for pattern in patterns for key in keys if matchers[pattern](key)}


def _routed(
    connection: Connection, patterns: Sequence[str], keys: Sequence[str]
) -> set[tuple[str, str]]:
    """Publish every key once to an exchange where every pattern has a queue.

    Returns:
        The pairs of a pattern and a key that led to its queue.
    """
    exchange = "exchange/tests/topics"
    connection.default_channel.exchange_declare(exchange, "topic", auto_delete=True)
    queues = {pattern: _bound(connection, exchange, [pattern]) for pattern in patterns}
    Taskcluster(connection).publish_all(Publication(exchange, key, b"") for key in keys)
    arrived = _arrived(connection, list(queues.values()))
    return {(pattern, key) for pattern, queue in queues.items() for key in arrived[queue]}


def _bound(connection: Connection, exchange: str, patterns: Sequence[str]) -> str:
    channel = connection.default_channel
    queue: str = channel.queue_declare(exclusive=True).queue
    for pattern in patterns:
        channel.queue_bind(queue, exchange, pattern)
    return queue


def _arrived(connection: Connection, queues: Sequence[str]) -> dict[str, list[str]]:
    """Take what waits in queues: queue to the primary keys of its messages, in order."""
    channel = connection.default_channel
    deliveries: list[tuple[str, str]] = []
    waiting = sum(channel.queue_declare(queue, passive=True).message_count for queue in queues)
    for queue in queues:
        channel.basic_consume(queue, no_ack=True, callback=partial(_note, deliveries, queue))
    while len(deliveries) < waiting:
        connection.drain_events(timeout=30)
    return {queue: [key for where, key in deliveries if where == queue] for queue in queues}


def _note(deliveries: list[tuple[str, str]], queue: str, message: Message) -> None:
    deliveries.append((queue, message.delivery_info["routing_key"]))
