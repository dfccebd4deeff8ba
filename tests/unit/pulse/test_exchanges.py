from __future__ import annotations

import json
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paths import DATA
from tcsniff.cli import main
from tcsniff.errors import UsageError
from tcsniff.messages import STATES
from tcsniff.pulse.exchanges import (
    BY_ADDRESS,
    CATALOG,
    PLACEHOLDER,
    SHORT_NAMES,
    find_exchange,
    to_kebab_case,
)
from tcsniff.pulse.routing import MAX_KEY_BYTES, build_pattern

# Taskcluster's published reference with the sizes of its sources; `source` in it says which.
REFERENCE = json.loads((DATA / "exchanges.json").read_text(encoding="utf-8"))
ENTRIES = [
    (service["service"], entry)
    for service in REFERENCE["services"]
    for entry in service["entries"]
]

# Name and patterns of the fields, each once: (name, the reference's, ours).
RULES = sorted(
    {
        (theirs["name"], theirs["pattern"], ours.pattern)
        for _, entry in ENTRIES
        for theirs, ours in zip(
            entry["routingKey"], BY_ADDRESS[entry["exchange"]].fields, strict=True
        )
        if theirs["pattern"] is not None
    }
)
ASCII = [chr(code) for code in range(128)]
EVERY_RULE = pytest.mark.parametrize("rule", RULES, ids=[name for name, *_ in RULES])


def test_the_catalog_has_the_exchanges_of_the_reference() -> None:
    """No exchange is missing, invented or out of order."""
    assert [exchange.address for exchange in CATALOG] == [
        entry["exchange"] for _, entry in ENTRIES
    ]
    assert len(CATALOG) == REFERENCE["totalExchanges"]


def test_an_exchange_is_named_as_in_the_reference() -> None:
    """Service, name and the reference's own name agree."""
    for service, entry in ENTRIES:
        exchange = BY_ADDRESS[entry["exchange"]]

        assert (exchange.service, exchange.name, exchange.entry) == (
            service,
            entry["kebab"],
            entry["name"],
        ), service


def test_a_routing_key_has_the_fields_of_the_reference() -> None:
    """Order, names, sizes, constants, and what may be absent or have several words agree."""
    for service, entry in ENTRIES:
        fields = BY_ADDRESS[entry["exchange"]].fields

        assert [
            (field.name, field.size, field.required, field.constant, field.many, field.wildcard)
            for field in fields
        ] == [
            (
                field["name"],
                field["maxSize"],
                field["required"],
                field["constant"],
                field["multipleWords"],
                field["wildcard"],
            )
            for field in entry["routingKey"]
        ], service
        assert [field.pattern is None for field in fields] == [
            field["pattern"] is None for field in entry["routingKey"]
        ], service


def test_the_widest_binding_is_the_references() -> None:
    """A pattern without values matches everything that is published."""
    for service, entry in ENTRIES:
        assert build_pattern(BY_ADDRESS[entry["exchange"]], {}) == entry["defaultBinding"], service


def test_routes_are_known_where_messages_are_copied() -> None:
    """An exchange has routes if the reference says under which."""
    for service, entry in ENTRIES:
        assert BY_ADDRESS[entry["exchange"]].routes is (entry["cc"] != "empty"), service


def test_the_longest_key_fits() -> None:
    """The sizes add up to the reference's longest key, which AMQP can carry."""
    for service, entry in ENTRIES:
        sizes = [field.size for field in BY_ADDRESS[entry["exchange"]].fields]

        assert sum(sizes) + len(sizes) - 1 == entry["maxKeyLength"] <= MAX_KEY_BYTES, service


def test_the_placeholder_is_the_references() -> None:
    """It is the same for every field that may have no value."""
    placeholders = {
        field["placeholder"]
        for _, entry in ENTRIES
        for field in entry["routingKey"]
        if not field["required"]
    }

    assert placeholders == {PLACEHOLDER}


@EVERY_RULE
@given(data=st.data())
def test_a_value_is_refused_where_the_reference_refuses_it(
    rule: tuple[str, str, str], data: st.DataObject
) -> None:
    """Our patterns and the published ones agree on all values that are nearly right."""
    _, theirs, ours = rule
    values = _list_neighbours(data.draw(_right(theirs)))

    assert _accepted(ours, values) == _accepted(theirs, values)


@EVERY_RULE
def test_a_value_is_as_long_as_in_the_reference(rule: tuple[str, str, str]) -> None:
    """Our patterns and the published ones agree on every length except 0."""
    _, theirs, ours = rule
    values = {character * length for character in ASCII for length in range(1, 50)}

    assert _accepted(ours, values) == _accepted(theirs, values)


@EVERY_RULE
def test_no_value_is_empty(rule: tuple[str, str, str]) -> None:
    """An empty word is never published."""
    assert not _accepts(rule[2], "")


@pytest.mark.parametrize(
    "name",
    [
        "task-running",
        "taskRunning",
        "queue/task-running",
        "queue/taskRunning",
        "running",
        "exchange/taskcluster-queue/v1/task-running",
    ],
)
def test_an_exchange_is_found_by_every_name_it_has(name: str) -> None:
    """The name alone, the reference's name, both with the service, the state, the broker's."""
    assert find_exchange(name) is BY_ADDRESS["exchange/taskcluster-queue/v1/task-running"]


def test_every_state_of_a_task_is_a_short_name() -> None:
    """The six states whose beginning is announced; no short name is another exchange's."""
    assert [find_exchange(name).name for name in SHORT_NAMES] == list(SHORT_NAMES.values())
    assert set(SHORT_NAMES) == {*STATES, "defined"} - {"unscheduled"}
    assert not set(SHORT_NAMES) & {exchange.name for exchange in CATALOG}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("task-runing", "unknown event 'task-runing'; did you mean 'task-running'?"),
        ("runing", "unknown event 'runing'; did you mean 'running'?"),
        ("xyz", "unknown event 'xyz'; `tcsniff exchanges` lists all events"),
        ("", "unknown event ''; `tcsniff exchanges` lists all events"),
    ],
)
def test_an_unknown_exchange_is_refused_with_a_hint(name: str, words: str) -> None:
    """The error has a similar name, or the command that lists all."""
    with pytest.raises(UsageError) as refused:
        find_exchange(name)

    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("name", "spelling"),
    [("workerType", "worker-type"), ("taskGroupId", "task-group-id"), ("topic", "topic")],
)
def test_a_field_is_spelled_with_hyphens(name: str, spelling: str) -> None:
    """Flags are spelled in kebab case."""
    assert to_kebab_case(name) == spelling


def test_the_printed_list_fits_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Summaries and fields are wrapped, and no exchange is left out."""
    monkeypatch.setenv("COLUMNS", "80")

    main(["exchanges"])

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    names = [line.strip() for line in lines if line[:2] == "  " and line[2:3].strip()]
    assert names == [exchange.name for exchange in CATALOG]


def _right(pattern: str) -> st.SearchStrategy[str]:
    # Python's `$` would let a newline follow.
    return st.from_regex(pattern.replace("$", r"\Z"), alphabet=st.sampled_from(ASCII))


def _list_neighbours(value: str) -> set[str]:
    """Return the values, except the empty one, that differ in one character."""
    cuts = [(value[:place], value[place:]) for place in range(len(value) + 1)]
    added = {f"{left}{character}{right}" for left, right in cuts for character in ASCII}
    changed = {f"{left}{character}{right[1:]}" for left, right in cuts for character in ASCII}
    lacking = {f"{left}{right[1:]}" for left, right in cuts}
    return (added | changed | lacking) - {""}


def _accepted(pattern: str, values: Iterable[str]) -> set[str]:
    return {value for value in values if _accepts(pattern, value)}


def _accepts(pattern: str, value: str) -> bool:
    # The reference's `^...$` are JavaScript's, whose `$` accepts no newline after the value.
    return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value) is not None
