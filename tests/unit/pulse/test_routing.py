from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import taskcluster
from hypothesis import given
from hypothesis import strategies as st

from tcsniff.pulse.exchanges import CATALOG, Exchange, Field, find_exchange
from tcsniff.pulse.routing import (
    build_pattern,
    compile_patterns,
    match_topic,
    patterns_overlap,
)

EVERY_EXCHANGE = pytest.mark.parametrize("exchange", CATALOG, ids=lambda exchange: exchange.name)
WORD = st.text(st.characters(exclude_characters=".*#", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize(
    ("name", "wanted", "pattern"),
    [
        ("task-running", {}, "primary.*.*.*.*.*.*.*.*.#"),
        ("task-running", {"taskId": "A", "runId": "0"}, "primary.A.0.*.*.*.*.*.*.#"),
        ("task-group-resolved", {"taskGroupId": "G"}, "primary.G.*.#"),
        ("pull-request", {"action": "opened"}, "primary.*.*.opened"),
        ("notification", {}, "primary.#"),
        ("notification", {"topic": "a.b"}, "primary.a.b"),
        ("hook-created", {}, "#"),
    ],
)
def test_a_pattern_has_wildcards_for_fields_without_a_value(
    name: str, wanted: Mapping[str, str], pattern: str
) -> None:
    """Values and constants are in their places."""
    assert build_pattern(find_exchange(name), wanted) == pattern


@EVERY_EXCHANGE
@given(data=st.data())
def test_the_official_client_builds_the_same_binding(
    exchange: Exchange, data: st.DataObject
) -> None:
    """For any values, as Taskcluster's own client does."""
    wanted = data.draw(_wanted(exchange))

    theirs = _client(exchange.service)(exchange.entry, wanted)
    ours = {"exchange": exchange.address, "routingKeyPattern": build_pattern(exchange, wanted)}
    assert ours == theirs


@EVERY_EXCHANGE
@given(data=st.data())
def test_a_pattern_matches_the_keys_with_its_values(
    exchange: Exchange, data: st.DataObject
) -> None:
    """Any other fields may have any values."""
    key = {field.name: field.constant or data.draw(_value(field)) for field in exchange.fields}
    wanted = {name: key[name] for name in data.draw(_wanted(exchange))}

    assert match_topic(build_pattern(exchange, wanted), ".".join(key.values()))


@pytest.mark.parametrize("place", range(10))
def test_a_pattern_does_not_match_a_key_with_another_word(place: int) -> None:
    """One word that differs is enough."""
    exchange = find_exchange("task-running")
    key = {field.name: field.constant or f"w-{field.name}" for field in exchange.fields}
    pattern = build_pattern(exchange, key)
    words = list(key.values())
    words[place] = "another"

    assert match_topic(pattern, ".".join(key.values()))
    assert not match_topic(pattern, ".".join(words))


SHORT_WORD = st.sampled_from(["a", "b", "c", ""])
PATTERN = st.lists(SHORT_WORD | st.sampled_from("*#"), max_size=5).map(".".join)


@given(
    patterns=st.lists(PATTERN, max_size=8),
    keys=st.lists(st.lists(SHORT_WORD, max_size=5).map(".".join), max_size=3),
)
def test_many_patterns_together_match_what_each_of_them_matches(
    patterns: list[str], keys: list[str]
) -> None:
    """Looked up in sets or tried one by one, whatever their length and wildcards."""
    expected = any(match_topic(pattern, key) for pattern in patterns for key in keys)

    assert compile_patterns(patterns)(keys) is expected


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("a.*.#", "a", False),
        ("a.*.#", "a.b", True),
        ("a.*.#", "a.b.c", True),
        ("a.*.*.#", "a.b", False),
        ("a.*.c.#", "a", False),
        ("a.*.c.#", "a.b", False),
        ("a.*.c.#", "a.b.c", True),
        ("*.#", "", False),
        ("#", "", True),
        ("a.*", "a", False),
        ("a.*", "a.b.c", False),
    ],
)
def test_a_key_is_as_long_as_the_pattern_without_its_hash(
    pattern: str, key: str, expected: bool
) -> None:
    """A shorter key does not match, also if its words are those that the pattern fixes."""
    assert compile_patterns([pattern])([key]) is expected
    assert match_topic(pattern, key) is expected


@given(PATTERN, PATTERN, st.lists(SHORT_WORD, max_size=5).map(".".join))
def test_patterns_overlap_if_a_key_matches_both(left: str, right: str, key: str) -> None:
    """Either way round; a key is an example of it, and a pattern without wildcards is a key."""
    if match_topic(left, key) and match_topic(right, key):
        assert patterns_overlap(left, right)
    assert patterns_overlap(left, right) is patterns_overlap(right, left)
    assert patterns_overlap(left, key) is match_topic(left, key)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("a.#", "#.b", True),
        ("a.*", "*.b", True),
        ("a.*", "b.*", False),
        ("a.*.c", "#.d", False),
        ("#", "", True),
        ("*", "", False),
        ("a.#.b", "a.b", True),
        ("a.*.#", "a", False),
        ("#.a.#", "primary.*.*.#", True),
        ("#." * 60 + "a", "*." * 60 + "b", False),
    ],
)
def test_overlaps(left: str, right: str, expected: bool) -> None:
    """Wildcards on both sides, in no time."""
    assert patterns_overlap(left, right) is expected


def test_a_pattern_more_costs_no_comparison() -> None:
    """A key is looked up once for all patterns that fix the same words."""

    class Word(str):
        compared = 0
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            Word.compared += 1
            return str.__eq__(self, other)

    class Key(str):
        def split(self, *_: Any) -> list[str]:  # type: ignore[override]
            return ["primary", Word("task-7,777"), "0"]

    matches = compile_patterns([f"primary.task-{number:,}.*.#" for number in range(10_000)])

    assert matches([Key("primary.task-7,777.0")])
    assert Word.compared < 10


def _value(field: Field) -> st.SearchStrategy[str]:
    if field.many:
        return st.lists(WORD, min_size=1, max_size=3).map(".".join)
    return WORD


def _wanted(exchange: Exchange) -> st.SearchStrategy[dict[str, str]]:
    values = {field.name: _value(field) for field in exchange.fields if field.constant is None}
    return st.fixed_dictionaries({}, optional=values)


@cache
def _client(service: str) -> Any:
    name = "".join(part.capitalize() for part in service.split("-"))
    client = getattr(taskcluster, f"{name}Events")({"rootUrl": "https://tc.example.com"})
    return lambda entry, wanted: getattr(client, entry)(wanted)
