"""Bindings: topic patterns on exchanges, and the rule by which they match.

Pure. The rule is AMQP's, as RabbitMQ applies it; here it serves recordings
and the simulator, which no broker filters.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.exchanges import CATALOG, PLACEHOLDER, Exchange, Field, to_kebab_case

ANY_WORD = "*"  # exactly one word
ANY_WORDS = "#"  # any number of words, also none
MOST_BYTES = 255  # of a routing key or pattern: it is a shortstr (AMQP 0-9-1, section 4.2.5.3)


class Binding(NamedTuple):
    """What the broker is asked to deliver: an exchange's messages whose key matches a pattern.

    Attributes:
        exchange: The exchange's name on the broker.
        pattern: Words between dots; ``*`` stands for one word, ``#`` for any
            number of them.
    """

    exchange: str
    pattern: str


def build_pattern(exchange: Exchange, wanted: Mapping[str, str]) -> str:
    """Word the pattern for the messages whose routing key holds given values.

    Args:
        exchange: Where to listen.
        wanted: Field name to required value. A field left out may hold
            anything; constants stand by themselves.
    """
    return ".".join(
        field.constant or wanted.get(field.name, field.wildcard) for field in exchange.fields
    )


def match_topic(pattern: str, key: str) -> bool:
    """Tell whether a topic pattern accepts a routing key.

    The rule: https://www.rabbitmq.com/tutorials/tutorial-five-python; empty
    words count, so ``a..b`` has three; an empty key or pattern has none.
    """
    return compile_pattern(pattern)(key)


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Prepare a pattern for many keys.

    Returns:
        A function that tells whether the pattern accepts a routing key, in
        time proportional to the words of the key times those of the pattern
        at worst.
    """
    wanted = _split_words(pattern)
    if ANY_WORDS not in wanted[:-1]:
        return _compile_fixed_words(wanted)
    return lambda key: _match_words(wanted, _split_words(key))


def _split_words(key: str) -> list[str]:
    return key.split(".") if key else []


def _compile_fixed_words(wanted: list[str]) -> Callable[[str], bool]:
    # The pattern of nearly every selection: each word has its place, and only
    # the end is open.
    is_open = wanted[-1:] == [ANY_WORDS]
    if is_open:
        wanted = wanted[:-1]
    length = len(wanted)
    fixed = [(place, word) for place, word in enumerate(wanted) if word != ANY_WORD]

    def accepts(key: str) -> bool:
        words = _split_words(key)
        if len(words) < length or (len(words) > length and not is_open):
            return False
        for place, word in fixed:  # noqa: SIM110 - all() with a generator takes twice as long
            if words[place] != word:
                return False
        return True

    return accepts


def _match_words(wanted: list[str], words: list[str]) -> bool:
    # As for file globs: an `#` takes no word at first; on a mismatch the last
    # `#` takes one word more. Earlier ones never need to, so no exponential time.
    at = place = 0
    hash_at = hash_place = -1
    while place < len(words):
        word = wanted[at] if at < len(wanted) else None
        if word == ANY_WORDS:
            hash_at, hash_place = at, place
            at += 1
        elif word is not None and word in (ANY_WORD, words[place]):
            at += 1
            place += 1
        elif hash_at >= 0:
            hash_place += 1
            at, place = hash_at + 1, hash_place
        else:
            return False
    return all(word == ANY_WORDS for word in wanted[at:])


SHORT = {"task": "taskId", "task-group": "taskGroupId"}
"""Short names of fields."""

POOLS = ("task-queue", "worker-pool-id")
"""Names for the pair PROVISIONER/WORKER_TYPE: a task queue and a worker pool have the same id."""

_POOL_FIELDS = ("provisionerId", "workerType")

Choice = Mapping[str, str]
"""One of several alternatives: an assignment of values to fields."""


def _list_variants() -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = {}
    for exchange in CATALOG:
        for field in exchange.fields:
            if field.constant is None and field not in found.setdefault(field.name, []):
                found[field.name].append(field)
    return found


FIELDS = _list_variants()
"""Every field that can be asked for, by name, in all the forms that exchanges have it in."""

_BY_FLAG = {to_kebab_case(name): name for name in FIELDS} | SHORT | dict.fromkeys(POOLS)


def to_flag(name: str) -> str:
    """Name the flag of a field: ``--worker-type`` for ``workerType``."""
    return f"--{name if name in POOLS else to_kebab_case(name)}"


def find_field(name: str) -> str:
    """Look a field up by its name in kebab or camelCase, or its short name.

    Returns:
        The field's name in Taskcluster's spelling, or one of `POOLS`.

    Raises:
        UsageError: If no exchange has such a field.
    """
    if name in FIELDS or name in POOLS:
        return name
    try:
        return _BY_FLAG[name] or name
    except KeyError:
        near = suggest(name, _BY_FLAG) or f"; known: {', '.join(_BY_FLAG)}"
        raise UsageError(f"no routing key has a field {name!r}{near}") from None


def has_field(exchange: Exchange, name: str) -> bool:
    """Tell whether an exchange has a field, or both fields of a pool."""
    names = {field.name for field in exchange.fields}
    return names.issuperset(_POOL_FIELDS) if name in POOLS else name in names


def parse_choices(name: str, values: Iterable[str]) -> list[Choice]:
    """Check the alternatives given for a field.

    Args:
        name: As `find_field` returns it.
        values: What the field may hold.

    Raises:
        UsageError: If a value cannot stand in the field.
    """
    return [_parse_choice(name, value) for value in values]


def _parse_choice(name: str, value: str) -> Choice:
    if name not in POOLS:
        return {name: _check_value(name, value, to_flag(name))}
    parts = value.split("/")
    if len(parts) != len(_POOL_FIELDS) or not all(parts):
        raise UsageError(f"{to_flag(name)} {value!r} is not PROVISIONER/WORKER_TYPE")
    return {
        field: _check_value(field, part, to_flag(name))
        for field, part in zip(_POOL_FIELDS, parts, strict=True)
    }


def _check_value(name: str, value: str, flag: str) -> str:
    if any(_can_hold(field, value) for field in FIELDS[name]):
        return value
    raise UsageError(f"{flag} {value!r} {_explain_rejection(FIELDS[name][0], value)}")


def _can_hold(field: Field, value: str) -> bool:
    if value == PLACEHOLDER and not field.required:
        return True
    if field.many:
        return bool(value)
    if len(value) > field.size or not value or set(value) & {".", ANY_WORD, ANY_WORDS}:
        return False
    return field.pattern is None or re.fullmatch(field.pattern, value) is not None


def _explain_rejection(field: Field, value: str) -> str:
    if not value:
        return "is empty; leave the flag out if any value will do"
    if set(value) & {ANY_WORD, ANY_WORDS}:
        return "holds a wildcard, but brokers match whole words; leave it out if any value will do"
    if len(value) > field.size:
        return f"is too long: {field.name} has at most {field.size} characters"
    if field.name in {"organization", "repository"} and "." in value:
        return f"holds a dot, which is % in routing keys: {value.replace('.', '%')}"
    if field.pattern is None:
        return f"cannot stand in {field.name}, which has no dots"
    return f"cannot stand in {field.name}, which looks like {_format_example(field)}"


def _format_example(field: Field) -> str:
    examples = {
        "taskId": "fN1SbArXTPSVFNUvaOlinQ",
        "taskGroupId": "fN1SbArXTPSVFNUvaOlinQ",
        "runId": "0 or 12",
        "workerType": "b-linux-large: lower case letters, digits and inner hyphens",
    }
    return examples.get(field.name, "gecko-level_3: letters, digits, - and _")


def build_patterns(exchange: Exchange, wanted: Mapping[str, Sequence[Choice]]) -> Iterator[str]:
    """Word a pattern for every combination of alternatives that does not contradict itself.

    Raises:
        UsageError: If all of them do, or a pattern is too long for AMQP.
    """
    found = False
    for combination in itertools.product(*wanted.values()):
        pairs = {pair for choice in combination for pair in choice.items()}
        together = dict(pairs)
        if len(together) == len(pairs):
            found = True
            yield check_pattern(build_pattern(exchange, together), exchange.name)
    if not found:
        flags = " and ".join(map(to_flag, wanted))
        raise UsageError(f"{flags} exclude each other: no message can match both")


def check_pattern(pattern: str, place: str) -> str:
    """Hand a pattern back that AMQP can carry.

    Args:
        pattern: The pattern.
        place: What it was given for, to say so.

    Raises:
        UsageError: If it is too long.
    """
    if len(pattern.encode(errors="replace")) > MOST_BYTES:
        raise UsageError(f"{place}: a pattern of more than {MOST_BYTES} bytes fits no routing key")
    return pattern
