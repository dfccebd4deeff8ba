"""Routing keys: their fields, the patterns that bind them, and AMQP's matching rule.

Pure. Brokers match patterns themselves; the matching here is for recordings,
the simulator and checks on arrival.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import cache
from operator import itemgetter
from typing import NamedTuple

from tcsniff.errors import UsageError, suggest
from tcsniff.identifiers import SLUG_ID_EXAMPLE
from tcsniff.pulse.exchanges import CATALOG, PLACEHOLDER, Exchange, Field, to_kebab_case

ANY_WORD = "*"  # exactly one word
ANY_WORDS = "#"  # any number of words, including none
MAX_KEY_BYTES = 255  # of a routing key or pattern, a shortstr (AMQP 0-9-1, section 4.2.5.3)


class Binding(NamedTuple):
    """A request for the messages of an exchange whose routing key matches a pattern.

    Attributes:
        exchange: The exchange's name on the broker.
        pattern: Words separated by dots; ``*`` matches one word, ``#`` any
            number of words.
    """

    exchange: str
    pattern: str


def match_topic(pattern: str, key: str) -> bool:
    """Return whether a topic pattern matches a routing key.

    The rule: https://www.rabbitmq.com/tutorials/tutorial-five-python; empty
    words count, so ``a..b`` has three; an empty key or pattern has none.
    """
    return compile_pattern(pattern)(key)


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a function that checks whether a pattern matches a routing key.

    It runs in O(words of the key * words of the pattern) at worst.
    """
    pattern_words = _split_words(pattern)
    if ANY_WORDS not in pattern_words[:-1]:
        return _compile_fixed_words(pattern_words)
    return lambda key: _match_words(pattern_words, _split_words(key))


def compile_patterns(patterns: Iterable[str]) -> Callable[[Iterable[str]], bool]:
    """Return a function that checks whether any of some patterns matches any of some keys.

    Its cost hardly depends on the number of patterns: those that fix the same
    places are looked up in one set. 15,000 of them take 1 µs a key instead of 2 ms.
    """
    values_by_shape: dict[_Shape, set[object]] = {}
    tests = []  # for the patterns that no set can hold
    for pattern in patterns:
        words = _split_words(pattern)
        shape = _find_shape(words)
        if shape is None:
            tests.append(compile_pattern(pattern))
        else:
            values_by_shape.setdefault(shape, set()).add(shape.pick(words))
    tests += [_compile_shape(shape, values) for shape, values in values_by_shape.items()]
    return lambda keys: any(matches(key) for key in keys for matches in tests)


class _Shape(NamedTuple):
    # What patterns have in common that differ only in their fixed words.
    length: int  # words, without a `#` at the end
    is_open: bool  # whether it ends with `#`
    places: tuple[int, ...]  # of the fixed words
    pick: Callable[[Sequence[str]], object]  # returns the words at these places


def _find_shape(pattern_words: Sequence[str]) -> _Shape | None:
    # None for a pattern with a `#` before its end.
    if ANY_WORDS in pattern_words[:-1]:
        return None
    is_open = pattern_words[-1:] == [ANY_WORDS]
    words = pattern_words[:-1] if is_open else pattern_words
    places = tuple(place for place, word in enumerate(words) if word != ANY_WORD)
    return _Shape(len(words), is_open, places, _make_picker(places))


def _compile_shape(shape: _Shape, values: Set[object]) -> Callable[[str], bool]:
    length, is_open, _, pick = shape

    def matches(key: str) -> bool:
        words = _split_words(key)
        number = len(words)
        return (number == length or (is_open and number > length)) and pick(words) in values

    return matches


@cache
def _make_picker(places: tuple[int, ...]) -> Callable[[Sequence[str]], object]:
    return itemgetter(*places) if places else _pick_nothing


def _pick_nothing(_words: Sequence[str]) -> object:
    return None


def _split_words(key: str) -> list[str]:
    return key.split(".") if key else []


def _compile_fixed_words(pattern_words: list[str]) -> Callable[[str], bool]:
    # For the patterns of nearly every selection: `#` only at the end, if at all. A regular
    # expression takes 0.4 µs for a key, and a loop over its words 0.8 µs.
    is_open = pattern_words[-1:] == [ANY_WORDS]
    words = pattern_words[:-1] if is_open else pattern_words
    if not words:
        return lambda key: is_open or not key
    regex = r"\.".join("[^.]*+" if word == ANY_WORD else re.escape(word) for word in words)
    rest = r"(?:\..*)?" if is_open else ""
    match = re.compile(rf"(?!\Z){regex}{rest}", re.DOTALL).fullmatch  # an empty key has no words
    return lambda key: match(key) is not None


def _match_words(pattern_words: list[str], words: list[str]) -> bool:
    # As for file globs: a `#` matches no word at first; after a mismatch, the last
    # `#` matches one word more. Earlier ones need no retry, so no exponential time.
    at = place = 0
    hash_at = hash_place = -1
    while place < len(words):
        word = pattern_words[at] if at < len(pattern_words) else None
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
    return all(word == ANY_WORDS for word in pattern_words[at:])


def patterns_overlap(left: str, right: str) -> bool:
    """Return whether any routing key matches both of two patterns.

    It runs in O(words of one * words of the other).
    """
    left_words, right_words = _split_words(left), _split_words(right)
    # Whether the rest of the left pattern overlaps each rest of the right one.
    row = [all(word == ANY_WORDS for word in right_words[at:]) for at in range(len(right_words))]
    row.append(True)
    for word in reversed(left_words):
        last, row = row, [False] * len(row)
        row[-1] = last[-1] and word == ANY_WORDS
        for at in reversed(range(len(right_words))):
            other = right_words[at]
            if ANY_WORDS in (word, other):
                row[at] = last[at] or row[at + 1]
            elif ANY_WORD in (word, other) or word == other:
                row[at] = last[at + 1]
    return row[0]


SHORT = {"task": "taskId", "task-group": "taskGroupId", "pool": "task-queue"}
"""Short names of fields."""

POOLS = ("task-queue", "worker-pool-id")
"""Names of the pair PROVISIONER/WORKER_TYPE, the ID of a task queue and of its worker pool."""

_POOL_FIELDS = ("provisionerId", "workerType")


def _list_variants() -> dict[str, list[Field]]:
    variants: dict[str, list[Field]] = {}
    for exchange in CATALOG:
        for field in exchange.fields:
            if field.constant is None and field not in variants.setdefault(field.name, []):
                variants[field.name].append(field)
    return variants


FIELDS = _list_variants()
"""Every field that can be selected, by name, with all the variants that exchanges have of it."""

_BY_FLAG = {to_kebab_case(name): name for name in FIELDS} | SHORT | dict.fromkeys(POOLS)


def to_flag(name: str) -> str:
    """Return the flag of a field: ``--worker-type`` for ``workerType``."""
    return f"--{name if name in POOLS else to_kebab_case(name)}"


def find_field(name: str) -> str:
    """Find a field by its name in kebab or camel case, or its short name.

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
        hint = suggest(name, _BY_FLAG) or f"; known fields: {', '.join(_BY_FLAG)}"
        raise UsageError(f"unknown routing key field {name!r}{hint}") from None


def has_field(exchange: Exchange, name: str) -> bool:
    """Return whether an exchange has a field, or both fields of a pool."""
    names = {field.name for field in exchange.fields}
    return names.issuperset(_POOL_FIELDS) if name in POOLS else name in names


Choice = Mapping[str, str]
"""One of several alternatives: values by field name."""


def parse_choices(name: str, values: Iterable[str]) -> list[Choice]:
    """Parse and check the alternative values of a field.

    Args:
        name: A field's name, as `find_field` returns it.
        values: The alternatives.

    Raises:
        UsageError: If the field can never have one of the values.
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


_SLUG_FORMAT = f"22 characters, like {SLUG_ID_EXAMPLE}"
# What a field's value is called, and its form.
_FORMATS = {
    "taskId": ("task ID", _SLUG_FORMAT),
    "taskGroupId": ("task group ID", _SLUG_FORMAT),
    "runId": ("run ID", "a number of at most 3 digits, like 0 or 12"),
    "workerType": (
        "worker type",
        "lower case letters, digits and inner hyphens, like b-linux-large",
    ),
}


def _explain_rejection(field: Field, value: str) -> str:
    if not value:
        return "is empty; leave the flag out to match any value"
    if set(value) & {ANY_WORD, ANY_WORDS}:
        return (
            "contains a wildcard, but brokers match whole words; "
            "leave the flag out to match any value"
        )
    if len(value) > field.size:
        return f"is too long: {field.name} has at most {field.size} characters"
    if field.name in {"organization", "repository"} and "." in value:
        return f"contains a dot, which is % in routing keys: {value.replace('.', '%')}"
    if field.pattern is None:
        return f"is not valid: {field.name} has no dots"
    kind, form = _FORMATS.get(
        field.name, (f"valid {field.name}", "letters, digits, - and _, like gecko-level_3")
    )
    return f"is not a {kind} ({form})"


def build_pattern(exchange: Exchange, values: Mapping[str, str]) -> str:
    """Return the pattern of the routing keys that have given values.

    Args:
        exchange: The exchange that is bound.
        values: Required values by field name. Other fields match any value,
            except those that are constant.
    """
    return ".".join(
        field.constant or values.get(field.name, field.wildcard) for field in exchange.fields
    )


def build_patterns(exchange: Exchange, choices: Mapping[str, Sequence[Choice]]) -> Iterator[str]:
    """Yield a pattern for every combination of alternatives that is not contradictory.

    Args:
        exchange: The exchange that is bound.
        choices: Alternatives by the name of their flag's field.

    Raises:
        UsageError: If all combinations are contradictory, or a pattern is too
            long for AMQP.
    """
    is_empty = True
    for combination in itertools.product(*choices.values()):
        pairs = {pair for choice in combination for pair in choice.items()}
        values = dict(pairs)
        if len(values) == len(pairs):
            is_empty = False
            yield check_pattern(build_pattern(exchange, values), exchange.name)
    if is_empty:
        flags = " and ".join(map(to_flag, choices))
        raise UsageError(f"{flags} exclude each other: no message can match both")


def check_pattern(pattern: str, source: str) -> str:
    """Return a pattern, if it is short enough for AMQP.

    Args:
        pattern: The pattern.
        source: The flag or EVENT it comes from, for the error.

    Raises:
        UsageError: If it is too long.
    """
    if len(pattern.encode(errors="replace")) > MAX_KEY_BYTES:
        raise UsageError(
            f"{source}: the pattern has more than {MAX_KEY_BYTES} bytes, the limit of AMQP"
        )
    return pattern
