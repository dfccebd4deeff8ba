"""From flags to bindings, and to what is left to check on arrival.

Pure. A selection is a list of clauses; a message is selected if one of them
accepts it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from tcsniff.errors import UsageError
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import BY_ADDRESS, CATALOG, ROUTE, Exchange, find_exchange
from tcsniff.pulse.routing import (
    ANY_WORD,
    ANY_WORDS,
    Binding,
    Choice,
    build_patterns,
    check_pattern,
    compile_pattern,
    find_field,
    has_field,
    parse_choices,
    to_flag,
)

QUEUE_EXCHANGES = tuple(exchange for exchange in CATALOG if exchange.service == "queue")

# Beside one of these a route hardly narrows: it is checked on arrival. Beside
# any other field the route is what the broker is asked for.
_NARROW = {"taskId", "taskGroupId"}

Fields = Mapping[str, Sequence[str]]
"""Field name, or one of `fields.POOLS`, to the alternatives asked for."""


class SelectionArgs(NamedTuple):
    """The selection flags, as they were given.

    Attributes:
        events: EVENT arguments.
        fields: Of the flags for fields of the routing key.
        exchanges: Values of ``--exchange``.
        routing_keys: Values of ``--routing-key``.
        binds: Values of ``--bind``.
        routes: Values of ``--route``.
        all_events: ``--all``.
    """

    events: Sequence[str] = ()
    fields: Fields = MappingProxyType({})
    exchanges: Sequence[str] = ()
    routing_keys: Sequence[str] = ()
    binds: Sequence[str] = ()
    routes: Sequence[str] = ()
    all_events: bool = False

    def __str__(self) -> str:
        flags = [
            *(f"{to_flag(name)[2:]}={','.join(values)}" for name, values in self.fields.items()),
            *(f"route={route}" for route in self.routes),
        ]
        return " ".join([*flags, *self.events, *self.exchanges, *self.binds])


class Clause(NamedTuple):
    """A demand on the messages of one exchange.

    Attributes:
        exchange: The exchange's name on the broker.
        keys: Patterns, one of which must accept a routing key of the message;
            empty if any key will do.
        routes: The same for its routes, ``route.`` included.
        by_route: Whether the broker is asked for the routes, and the keys are
            checked on arrival; else the other way round.
    """

    exchange: str
    keys: tuple[str, ...]
    routes: tuple[str, ...] = ()
    by_route: bool = False

    @property
    def bindings(self) -> list[Binding]:
        """What the broker is asked for."""
        bound = self.routes if self.by_route else self.keys
        return [Binding(self.exchange, pattern) for pattern in bound]

    @property
    def checked(self) -> tuple[str, ...]:
        """Patterns of which one must match on arrival besides; empty if none need to."""
        return self.keys if self.by_route else self.routes


class Selection(NamedTuple):
    """What somebody wants to see.

    Attributes:
        clauses: Of which one must accept a message.
        notes: What to tell the person about how the flags were understood.
        optional: Exchanges that follow from flags, so that nobody asked for
            any one of them that a broker happens not to have.
    """

    clauses: tuple[Clause, ...]
    notes: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()

    @property
    def bindings(self) -> list[Binding]:
        """What to bind, without repeats."""
        return list(dict.fromkeys(one for clause in self.clauses for one in clause.bindings))

    @property
    def is_bound(self) -> bool:
        """Whether the broker delivers what is selected and nothing else."""
        return not any(clause.checked for clause in self.clauses)

    @property
    def looks_at_routes(self) -> bool:
        """Whether any pattern could match a route: one that starts with another word cannot."""
        patterns = [pattern for one in self.clauses for pattern in (*one.keys, *one.routes)]
        heads = {pattern.partition(".")[0] + "." for pattern in patterns}
        return not heads.isdisjoint({ROUTE, f"{ANY_WORD}.", f"{ANY_WORDS}."})

    def test(self) -> Callable[[str, Sequence[str]], bool]:
        """Prepare the test for messages that no broker has filtered, or not wholly.

        Returns:
            A function that takes an exchange's name and all routing keys of a
            message, `Delivery.keys`; routes may be left out of them unless the
            selection `looks_at_routes`.
        """
        demands: dict[str, list[list[Callable[[Sequence[str]], bool]]]] = {}
        for clause in self.clauses:
            sides = [_any_of(side) for side in (clause.keys, clause.routes) if side]
            demands.setdefault(clause.exchange, []).append(sides)

        def accepts(exchange: str, keys: Sequence[str]) -> bool:
            for sides in demands.get(exchange, ()):
                for side in sides:
                    if not side(keys):
                        break
                else:
                    return True
            return False

        return accepts

    def accepts(self) -> Callable[[Delivery], bool]:
        """The same test, of a delivery."""
        test = self.test()
        return lambda delivery: test(delivery.exchange, delivery.keys)


EVERYTHING = Selection(())
"""All that a recording holds."""


def _any_of(side: Sequence[str]) -> Callable[[Sequence[str]], bool]:
    matchers = [compile_pattern(pattern) for pattern in side]
    if len(matchers) == 1:
        (only,) = matchers

        def matches(keys: Sequence[str]) -> bool:
            for key in keys:  # noqa: SIM110 - any() with a generator takes three times as long
                if only(key):
                    return True
            return False

        return matches
    return lambda keys: any(matches(key) for matches in matchers for key in keys)


def build_selection(wanted: SelectionArgs) -> Selection:
    """Turn selection flags into a selection.

    Raises:
        UsageError: If a flag or an EVENT asks for what no message can have, or
            nothing is asked for.
    """
    narrowing = Narrowing.of(wanted.fields, wanted.routes)
    named, others = _named(wanted, narrowing)
    alone = not (named or others or wanted.binds)
    implied = wanted.all_events or (alone and bool(narrowing))
    whole = [exchange for exchange in QUEUE_EXCHANGES if implied and narrowing.fits(exchange)]
    clauses = [
        *(narrowing.applied(exchange, own) for exchange, own in named),
        *(narrowing.applied(exchange) for exchange in whole),
        *(_verbatim(name, wanted.routing_keys, narrowing.routes) for name in others),
        *(pairs := [_pair(word) for word in wanted.binds]),
    ]
    selected = [*(exchange for exchange, _ in named), *whole]
    notes = narrowing.verdict(selected, [*others, *(clause.exchange for clause in pairs)])
    notes += _own_words(wanted.fields, named)
    if not clauses:
        raise UsageError("nothing is selected; name an EVENT, or take all of the queue's: --all")
    unique = tuple(dict.fromkeys(clauses))
    optional = {exchange.address for exchange in whole} - {
        *(exchange.address for exchange, _ in named),
        *others,
        *(clause.exchange for clause in pairs),
    }
    return Selection(unique, tuple(notes), frozenset(optional))


def _named(
    wanted: SelectionArgs, narrowing: Narrowing
) -> tuple[list[tuple[Exchange, Fields]], list[str]]:
    # The EVENTs, each with fields of its own; and the exchanges to be bound as
    # they are. An --exchange of the catalog that flags can narrow is an EVENT.
    if wanted.routing_keys and not wanted.exchanges:
        raise UsageError("--routing-key needs an --exchange to bind at")
    named = [_event(word) for word in wanted.events]
    others = []
    for name in wanted.exchanges:
        address = _address(name)
        if address in BY_ADDRESS and narrowing and not wanted.routing_keys:
            named.append((BY_ADDRESS[address], {}))
        else:
            others.append(address)
    return named, others


def _own_words(fields: Fields, named: Sequence[tuple[Exchange, Fields]]) -> list[str]:
    return [
        f"{to_flag(name)} does not narrow {exchange.name}, which has its own {to_flag(name)[2:]}"
        for exchange, own in named
        for name in fields
        if name in own
    ]


def _event(word: str) -> tuple[Exchange, Fields]:
    name, colon, rest = word.partition(":")
    exchange = find_exchange(name)
    own: dict[str, list[str]] = {}
    for part in rest.split(",") if colon else ():
        given, equals, value = part.partition("=")
        if not equals:
            raise UsageError(f"{word!r}: after the colon come fields, as in worker-type=gaia")
        field = find_field(given.strip())
        if not has_field(exchange, field):
            raise UsageError(f"{word!r}: {exchange.name} has no field {given}")
        own.setdefault(field, []).append(value)
    return exchange, own


def _address(name: str) -> str:
    try:
        return find_exchange(name).address
    except UsageError:
        return name


def _verbatim(name: str, keys: Sequence[str], routes: tuple[str, ...]) -> Clause:
    found = tuple(check_pattern(key, "--routing-key") for key in keys)
    if name in BY_ADDRESS and not BY_ADDRESS[name].routes:
        routes = ()
    return Clause(name, found or (ANY_WORDS,), routes, by_route=bool(routes) and not found)


def _pair(word: str) -> Clause:
    name, colon, pattern = word.partition(":")
    if not (name and colon):
        raise UsageError(f"--bind {word!r} is not EXCHANGE:PATTERN, as in task-running:primary.#")
    return Clause(_address(name), (check_pattern(pattern, "--bind"),))


def _route(route: str) -> str:
    if not route:
        raise UsageError("--route is empty; leave it out if any route, or none, will do")
    return check_pattern(ROUTE + route, "--route")


class Narrowing:
    """What flags ask of every exchange that has the fields for it.

    Attributes:
        choices: For each flag that was given, its alternatives.
        routes: Patterns for the routes, ``route.`` included.
    """

    def __init__(self, choices: dict[str, list[Choice]], routes: tuple[str, ...]) -> None:
        self.choices = choices
        self.routes = routes

    def __bool__(self) -> bool:
        return bool(self.choices or self.routes)

    @classmethod
    def of(cls, fields: Fields, routes: Sequence[str]) -> Narrowing:
        """Read flags.

        Raises:
            UsageError: If a value cannot stand in the field.
        """
        checked = {name: parse_choices(name, values) for name, values in fields.items() if values}
        return cls(checked, tuple(_route(route) for route in routes))

    def fits(self, exchange: Exchange) -> bool:
        """Tell whether an exchange has everything that is asked for."""
        has_routes = exchange.routes or not self.routes
        return has_routes and all(has_field(exchange, name) for name in self.choices)

    def applied(self, exchange: Exchange, own: Fields | None = None) -> Clause:
        """Ask an exchange for what it has of the fields.

        Args:
            exchange: The exchange.
            own: Fields of this EVENT alone; they stand in for flags of the
                same name.

        Raises:
            UsageError: If the alternatives exclude each other.
        """
        asked = {
            name: choice for name, choice in self.choices.items() if has_field(exchange, name)
        }
        asked |= {name: parse_choices(name, values) for name, values in (own or {}).items()}
        routes = self.routes if exchange.routes else ()
        if routes and not asked:
            return Clause(exchange.address, (), routes, by_route=True)
        keys = tuple(dict.fromkeys(build_patterns(exchange, asked)))
        by_route = bool(routes) and not _NARROW & asked.keys()
        return Clause(exchange.address, keys, routes, by_route=by_route)

    def verdict(self, exchanges: Sequence[Exchange], others: Sequence[str]) -> list[str]:
        """Tell which flags say nothing about which EVENTs.

        Args:
            exchanges: Those of the EVENTs that are selected.
            others: Names of exchanges selected besides, which may have routes.

        Raises:
            UsageError: If a flag says nothing about any of them.
        """
        notes = []
        for flag, applies in self._tests().items():
            lacking = list(dict.fromkeys(x.name for x in exchanges if not applies(x)))
            narrowed = any(map(applies, exchanges)) or bool(others and flag == "--route")
            if not narrowed:
                raise UsageError(f"{flag} {self._misplaced(flag, lacking, others)}")
            if flag != "--route":
                lacking += others
            if lacking:
                notes.append(f"{flag} does not narrow {', '.join(lacking)}")
        return notes

    def _misplaced(self, flag: str, lacking: Sequence[str], others: Sequence[str]) -> str:
        if not lacking and others:
            asked = ", ".join(others)
            return (
                f"narrows EVENTs alone; what --routing-key or --bind ask {asked} stands as it is"
            )
        having = ", ".join(x.name for x in CATALOG if self._tests()[flag](x))
        who = " and ".join(lacking) or "what is selected"
        return f"does not go with {who}; it goes with {having}"

    def _tests(self) -> dict[str, Callable[[Exchange], bool]]:
        tests = {to_flag(name): _having(name) for name in self.choices}
        return tests | ({"--route": lambda exchange: exchange.routes} if self.routes else {})


def _having(name: str) -> Callable[[Exchange], bool]:
    return lambda exchange: has_field(exchange, name)


def describe_selection(selection: Selection, *, as_json: bool) -> Iterator[str]:
    """Tell what a selection becomes.

    Args:
        selection: The selection.
        as_json: Whether each binding is a line of JSON, with the names that
            Taskcluster's Python client uses.

    Yields:
        Lines.
    """
    if as_json:
        for binding in selection.bindings:
            row: dict[str, object] = {
                "exchange": binding.exchange,
                "routingKeyPattern": binding.pattern,
            }
            asking = [clause for clause in selection.clauses if binding in clause.bindings]
            if all(clause.checked for clause in asking):
                row["checked"] = [pattern for clause in asking for pattern in clause.checked]
            yield json.dumps(row)
        return
    bindings = selection.bindings
    yield f"{len(bindings)} binding{'s' * (len(bindings) != 1)}"
    width = max(len(binding.exchange) for binding in bindings)
    for exchange, pattern in bindings:
        yield f"  {exchange:<{width}}  {pattern}"
    for clause in selection.clauses:
        if clause.checked:
            what = "routing key" if clause.by_route else "one of the routes"
            yield f"checked on arrival: of {clause.exchange} {what} matches"
            yield from (f"  {pattern}" for pattern in clause.checked)
