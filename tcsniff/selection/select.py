"""Selection flags, turned into bindings and the checks that are left for arrival.

Pure. A selection is a list of clauses; a message is selected if it matches one
of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tcsniff.errors import UsageError
from tcsniff.pulse.deliveries import Delivery
from tcsniff.pulse.exchanges import (
    BY_ADDRESS,
    CATALOG,
    ROUTE,
    Exchange,
    find_exchange,
)
from tcsniff.pulse.routing import (
    ANY_WORD,
    ANY_WORDS,
    Binding,
    Choice,
    build_patterns,
    check_pattern,
    compile_pattern,
    compile_patterns,
    find_field,
    has_field,
    parse_choices,
    to_flag,
)
from tcsniff.selection.impossible import check_topic_exchanges, list_impossible
from tcsniff.selection.selection_args import Fields, SelectionArgs

QUEUE_EXCHANGES = tuple(exchange for exchange in CATALOG if exchange.service == "queue")

# A task or a group has few messages: with one of these fields, the route is
# checked on arrival. With any other field, the route is what is bound.
_NARROW_FIELDS = {"taskId", "taskGroupId"}


class Clause(NamedTuple):
    """A condition for the messages of one exchange.

    Attributes:
        exchange: The exchange's name on the broker.
        keys: Patterns, one of which must match a routing key of the message;
            empty if any key is selected.
        routes: The same for its routes, with ``route.``.
        by_route: Whether the routes are bound and the keys are checked on
            arrival; otherwise it is the other way round.
    """

    exchange: str
    keys: tuple[str, ...]
    routes: tuple[str, ...] = ()
    by_route: bool = False

    @property
    def bindings(self) -> list[Binding]:
        """The bindings that the broker matches."""
        patterns = self.routes if self.by_route else self.keys
        return [Binding(self.exchange, pattern) for pattern in patterns]

    @property
    def checked(self) -> tuple[str, ...]:
        """Patterns, one of which must also match on arrival; empty to check nothing."""
        return self.keys if self.by_route else self.routes


class Selection(NamedTuple):
    """The messages that a user wants to see.

    Attributes:
        clauses: A message must match one of them.
        notes: Messages to the user about how the flags were understood.
        optional: Exchanges that were selected by flags, not by name. It is not
            an error if the broker does not have one of them.
    """

    clauses: tuple[Clause, ...]
    notes: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()

    @property
    def bindings(self) -> list[Binding]:
        """The bindings of all clauses, without repeats."""
        return list(
            dict.fromkeys(binding for clause in self.clauses for binding in clause.bindings)
        )

    @property
    def is_bound(self) -> bool:
        """Whether the bindings alone select the messages, so nothing is checked on arrival."""
        return not any(clause.checked for clause in self.clauses)

    @property
    def looks_at_routes(self) -> bool:
        """Whether any pattern can match a route, by its first word."""
        patterns = [
            pattern for clause in self.clauses for pattern in (*clause.keys, *clause.routes)
        ]
        first_words = {pattern.partition(".")[0] + "." for pattern in patterns}
        return not first_words.isdisjoint({ROUTE, f"{ANY_WORD}.", f"{ANY_WORDS}."})

    def test(self) -> Callable[[str, Sequence[str]], bool]:
        """Return a check for messages that no broker has matched, or not fully.

        Returns:
            A function of an exchange's name and all routing keys of a message,
            `Delivery.keys`. Routes may be left out of the keys unless the
            selection `looks_at_routes`.
        """
        tests_by_exchange: dict[str, list[list[Callable[[Sequence[str]], bool]]]] = {}
        for clause in self.clauses:
            tests = [_match_any(side) for side in (clause.keys, clause.routes) if side]
            tests_by_exchange.setdefault(clause.exchange, []).append(tests)

        def accepts(exchange: str, keys: Sequence[str]) -> bool:
            for tests in tests_by_exchange.get(exchange, ()):
                for test in tests:
                    if not test(keys):
                        break
                else:
                    return True
            return False

        return accepts

    def accepts(self) -> Callable[[Delivery], bool]:
        """Return the same check as a function of a delivery."""
        test = self.test()
        return lambda delivery: test(delivery.exchange, delivery.keys)


_ABOUT_OPEN_RUNS = {find_exchange(name).address for name in ("pending", "running")}


def selects_open_runs(selection: Selection) -> bool:
    """Return whether a selection has messages about runs that are pending or running."""
    return any(clause.exchange in _ABOUT_OPEN_RUNS for clause in selection.clauses)


EVERYTHING = Selection(())
"""Everything that a recording contains."""


def _match_any(patterns: Sequence[str]) -> Callable[[Sequence[str]], bool]:
    if len(patterns) > 1:
        return compile_patterns(patterns)
    matches = compile_pattern(patterns[0])

    def matches_any(keys: Sequence[str]) -> bool:
        for key in keys:  # noqa: SIM110 - any() with a generator takes three times as long
            if matches(key):
                return True
        return False

    return matches_any


def build_selection(args: SelectionArgs, companions: Sequence[str] = ()) -> Selection:
    """Build a selection from flags.

    Args:
        args: The flags.
        companions: EVENTs that are selected in addition, if they have the fields of all
            flags. It is not an error if the broker does not have them.

    Raises:
        UsageError: If a flag or an EVENT asks for something that no message
            can have, or nothing is selected.
    """
    narrowing = _Narrowing(args.fields, args.routes)
    named, others = _split_named(args, narrowing)
    is_unnamed = not (named or others or args.binds)
    is_implied = args.all_events or (is_unnamed and bool(narrowing))
    implied = [ex for ex in QUEUE_EXCHANGES if is_implied and narrowing.fits(ex)]
    added = [ex for ex in map(find_exchange, companions) if narrowing.fits(ex)]
    bind_clauses = [_parse_bind(text) for text in args.binds]
    clauses = [
        *(narrowing.build_clause(exchange, own_fields) for exchange, own_fields in named),
        *(narrowing.build_clause(exchange) for exchange in (*implied, *added)),
        *(_build_verbatim_clause(name, args.routing_keys, narrowing.routes) for name in others),
        *bind_clauses,
    ]
    verbatim = [*others, *(clause.exchange for clause in bind_clauses)]
    notes = narrowing.check_flags([*(exchange for exchange, _ in named), *implied], verbatim)
    notes += _note_own_fields(args.fields, named)
    check_topic_exchanges(verbatim)
    notes += list_impossible(binding for clause in clauses for binding in clause.bindings)
    if not clauses:
        raise UsageError("nothing is selected; name an EVENT, or select all queue events: --all")
    required = {*(exchange.address for exchange, _ in named), *verbatim}
    optional = {exchange.address for exchange in (*implied, *added)} - required
    return Selection(tuple(dict.fromkeys(clauses)), tuple(notes), frozenset(optional))


def _split_named(
    args: SelectionArgs, narrowing: _Narrowing
) -> tuple[list[tuple[Exchange, Fields]], list[str]]:
    # Returns the EVENTs, each with its own fields, and the names of exchanges that
    # are bound verbatim. An --exchange of the catalog that flags can narrow is an EVENT.
    if args.routing_keys and not args.exchanges:
        raise UsageError("--routing-key needs an --exchange to bind")
    named = [_parse_event(text) for text in args.events]
    others = []
    for name in args.exchanges:
        address = _find_address(name)
        if address in BY_ADDRESS and narrowing and not args.routing_keys:
            named.append((BY_ADDRESS[address], {}))
        else:
            others.append(address)
    return named, others


def _note_own_fields(fields: Fields, named: Sequence[tuple[Exchange, Fields]]) -> list[str]:
    return [
        f"{to_flag(name)} does not narrow {exchange.name}, which has its own {to_flag(name)[2:]}"
        for exchange, own_fields in named
        for name in fields
        if name in own_fields
    ]


def _parse_event(text: str) -> tuple[Exchange, Fields]:
    name, colon, rest = text.partition(":")
    exchange = find_exchange(name)
    fields: dict[str, list[str]] = {}
    for part in rest.split(",") if colon else ():
        field_name, equals, value = part.partition("=")
        if not equals:
            raise UsageError(f"{text!r}: write fields after the colon, like worker-type=gaia")
        field = find_field(field_name.strip())
        if not has_field(exchange, field):
            raise UsageError(f"{text!r}: {exchange.name} has no field {field_name}")
        fields.setdefault(field, []).append(value)
    return exchange, fields


def _find_address(name: str) -> str:
    try:
        return find_exchange(name).address
    except UsageError:
        return name


def _build_verbatim_clause(name: str, keys: Sequence[str], routes: tuple[str, ...]) -> Clause:
    patterns = tuple(check_pattern(key, "--routing-key") for key in keys)
    if name in BY_ADDRESS and not BY_ADDRESS[name].routes:
        routes = ()
    return Clause(name, patterns or (ANY_WORDS,), routes, by_route=bool(routes) and not patterns)


def _parse_bind(text: str) -> Clause:
    name, colon, pattern = text.partition(":")
    if not (name and colon):
        raise UsageError(
            f"--bind {text!r} is not EXCHANGE:PATTERN; write it like task-running:primary.#"
        )
    return Clause(_find_address(name), (check_pattern(pattern, "--bind"),))


def _build_route_pattern(route: str) -> str:
    if not route:
        raise UsageError("--route is empty; leave it out to match messages with any routes")
    if route.startswith(ROUTE):
        raise UsageError(
            f"--route {route!r}: leave out {ROUTE!r}, which is added; no task has a route "
            f"{route!r}"
        )
    return check_pattern(ROUTE + route, "--route")


class _Narrowing:
    """The flags that narrow every exchange that has their fields.

    Attributes:
        choices: The alternatives of each flag, by its field.
        routes: Patterns for routes, with ``route.``.
    """

    def __init__(self, fields: Fields, routes: Sequence[str]) -> None:
        self.choices: dict[str, Sequence[Choice]] = {
            name: parse_choices(name, values) for name, values in fields.items() if values
        }
        self.routes = tuple(map(_build_route_pattern, routes))

    def __bool__(self) -> bool:
        return bool(self.choices or self.routes)

    def fits(self, exchange: Exchange) -> bool:
        """Return whether an exchange has the fields of all flags."""
        return all(has_flag(exchange) for has_flag in self._flag_tests().values())

    def build_clause(self, exchange: Exchange, own_fields: Fields | None = None) -> Clause:
        """Build the clause of an exchange, from the flags whose fields it has.

        Args:
            exchange: The exchange.
            own_fields: Fields of its EVENT; they replace flags of the same name.

        Raises:
            UsageError: If the alternatives exclude each other.
        """
        choices = {
            name: choice for name, choice in self.choices.items() if has_field(exchange, name)
        }
        choices |= {name: parse_choices(name, own) for name, own in (own_fields or {}).items()}
        routes = self.routes if exchange.routes else ()
        if routes and not choices:
            return Clause(exchange.address, (), routes, by_route=True)
        keys = tuple(dict.fromkeys(build_patterns(exchange, choices)))
        by_route = bool(routes) and not _NARROW_FIELDS & choices.keys()
        return Clause(exchange.address, keys, routes, by_route=by_route)

    def check_flags(self, exchanges: Sequence[Exchange], verbatim: Sequence[str]) -> list[str]:
        """Return a note for each flag that does not narrow some of the selected exchanges.

        Args:
            exchanges: The exchanges of the selected EVENTs.
            verbatim: Names of the exchanges bound verbatim, which may have routes.

        Raises:
            UsageError: If a flag narrows none of them.
        """
        notes = []
        for flag, has_flag in self._flag_tests().items():
            lacking = list(dict.fromkeys(ex.name for ex in exchanges if not has_flag(ex)))
            is_used = any(map(has_flag, exchanges)) or bool(verbatim and flag == "--route")
            if not is_used:
                raise UsageError(f"{flag} {self._explain_unused(flag, lacking, verbatim)}")
            if flag != "--route":
                lacking += verbatim
            if lacking:
                notes.append(f"{flag} does not narrow {', '.join(lacking)}")
        return notes

    def _explain_unused(self, flag: str, lacking: Sequence[str], verbatim: Sequence[str]) -> str:
        if not lacking and verbatim:
            return (
                "narrows only EVENTs; --routing-key and --bind are used as they are for "
                + ", ".join(verbatim)
            )
        has_flag = self._flag_tests()[flag]
        having = ", ".join(exchange.name for exchange in CATALOG if has_flag(exchange))
        subject = " and ".join(lacking) or "the selected events"
        return f"cannot be used with {subject}; it can be used with {having}"

    def _flag_tests(self) -> dict[str, Callable[[Exchange], bool]]:
        # For each flag, whether an exchange has what it narrows.
        tests = {to_flag(name): _make_field_test(name) for name in self.choices}
        return tests | ({"--route": lambda exchange: exchange.routes} if self.routes else {})


def _make_field_test(name: str) -> Callable[[Exchange], bool]:
    return lambda exchange: has_field(exchange, name)
