"""A selection as subscriptions of a web server, with at most N bindings in each.

Pure. A web server never sends the routes of a message, so they can be bound but not checked on
arrival; the words of the primary key can be checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import ROUTE
from tcsniff.pulse.routing import ANY_WORD, ANY_WORDS, Binding
from tcsniff.selection.select import Clause, Selection

MAX_BINDINGS = 100
"""The largest number of bindings in one subscription."""

_ROUTE_WORDS = {ROUTE.rstrip("."), ANY_WORD, ANY_WORDS}  # as a pattern's first word


class Subscription(NamedTuple):
    """Bindings that are made together.

    Attributes:
        bindings: The bindings, at most `MAX_BINDINGS`.
        checked: Clauses by keys, one of which a message that arrived through the bindings
            must match; empty to check nothing.
        accepts: Checks that; None to check nothing.
    """

    bindings: tuple[Binding, ...]
    checked: tuple[Clause, ...] = ()
    accepts: Callable[[Delivery], bool] | None = None


def plan_subscriptions(
    selection: Selection, max_bindings: int = MAX_BINDINGS
) -> list[Subscription]:
    """Return the subscriptions that receive exactly the messages of a selection.

    Patterns for routes are bound as they are, and the fields of the primary key are
    checked on arrival. Too many other patterns are merged into fewer, wider ones,
    which are checked on arrival.

    Args:
        selection: The selection; it has at least one clause.
        max_bindings: The largest number of bindings in one subscription.
    """
    plain = [clause for clause in selection.clauses if not clause.routes]
    by_routes: dict[tuple[str, ...], list[Clause]] = {}
    for clause in selection.clauses:
        if clause.routes:
            by_routes.setdefault(clause.routes, []).append(clause)
    subscriptions = _plan_keys(plain, max_bindings)
    for clauses in by_routes.values():
        bindings = [
            Binding(clause.exchange, route) for clause in clauses for route in clause.routes
        ]
        has_keys = any(clause.keys for clause in clauses)
        checked = _join_keys(clauses) if has_keys else ()
        subscriptions += _split(bindings, max_bindings, checked)
    return subscriptions


def _plan_keys(clauses: Sequence[Clause], max_bindings: int) -> list[Subscription]:
    bindings = Selection(tuple(clauses)).bindings
    if len(bindings) <= max_bindings:
        return _split(bindings, max_bindings)
    # A message that such a pattern matched by a route cannot be checked on arrival.
    by_route = [binding for binding in bindings if _can_match_route(binding.pattern)]
    by_key = [binding for binding in bindings if not _can_match_route(binding.pattern)]
    checked = _join_keys([Clause(binding.exchange, (binding.pattern,)) for binding in by_key])
    return [
        *_split(merge_bindings(by_key, max_bindings), max_bindings, checked),
        *_split(by_route, max_bindings),
    ]


def _can_match_route(pattern: str) -> bool:
    return pattern.partition(".")[0] in _ROUTE_WORDS


def _join_keys(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    # A clause for each exchange: with all its keys, or without any if one selects all.
    keys_by_exchange: dict[str, tuple[str, ...]] = {}
    free = set()
    for clause in clauses:
        known = keys_by_exchange.get(clause.exchange, ())
        keys_by_exchange[clause.exchange] = (*known, *clause.keys)
        if not clause.keys:
            free.add(clause.exchange)
    return tuple(
        Clause(exchange, () if exchange in free else keys)
        for exchange, keys in keys_by_exchange.items()
    )


def _split(
    bindings: Iterable[Binding], max_bindings: int, checked: tuple[Clause, ...] = ()
) -> list[Subscription]:
    unique = list(dict.fromkeys(bindings))
    accepts = Selection(checked).accepts() if checked else None
    starts = range(0, len(unique), max_bindings)
    return [Subscription(tuple(unique[at : at + max_bindings]), checked, accepts) for at in starts]


def merge_bindings(bindings: Sequence[Binding], max_bindings: int) -> list[Binding]:
    """Merge bindings into fewer, wider ones, which match at least the same keys.

    Each step replaces one word of all patterns of an exchange by ``*``: the step that
    leaves the most bindings within the limit, or else the step that removes the most.
    Patterns that still differ, by their length, become ``#``.

    Args:
        bindings: The bindings.
        max_bindings: The largest number of bindings to return. More are returned only
            if there are more exchanges.
    """
    patterns: dict[str, set[tuple[str, ...]]] = {}
    for exchange, pattern in bindings:
        patterns.setdefault(exchange, set()).add(tuple(pattern.split(".")))
    while (total := sum(map(len, patterns.values()))) > max_bindings:
        steps = [
            (total - len(merged) + len(wider), exchange, wider)
            for exchange, merged in patterns.items()
            for wider in _list_wider(merged)
        ]
        if not steps:
            break
        within = [step for step in steps if step[0] <= max_bindings]
        _, exchange, wider = max(within, key=_count) if within else min(steps, key=_count)
        patterns[exchange] = wider
    return [
        Binding(exchange, ".".join(words))
        for exchange, merged in patterns.items()
        for words in sorted(merged)
    ]


def _count(step: tuple[int, str, set[tuple[str, ...]]]) -> int:
    return step[0]


def _list_wider(patterns: set[tuple[str, ...]]) -> list[set[tuple[str, ...]]]:
    # Each way to replace a place, as far as patterns differ there. A step that leaves as
    # many patterns is needed where they differ in several places.
    if len(patterns) < 2:
        return []
    places = range(max(map(len, patterns)))
    differing = [place for place in places if len(_list_words(patterns, place)) > 1]
    wider = [{_replace_word(words, place) for words in patterns} for place in differing]
    return wider or [{(ANY_WORDS,)}]


def _list_words(patterns: set[tuple[str, ...]], place: int) -> set[str]:
    return {words[place] for words in patterns if place < len(words)} - {ANY_WORDS}


def _replace_word(words: tuple[str, ...], place: int) -> tuple[str, ...]:
    if place >= len(words) or words[place] == ANY_WORDS:
        return words
    return (*words[:place], ANY_WORD, *words[place + 1 :])
