"""Expressions: JMESPath (https://jmespath.org) over an event.

Pure. An expression sees the record (`records`) and besides ``routing``,
``event``, ``service``, ``time`` and ``lag``; of these only what it looks at is
made. What stands in most expressions - fields, comparisons, ``&&``, ``||``,
``!`` - is made into closures, ten times as fast as jmespath's own interpreter,
which does the rest; that both agree in all is a property test.
"""

from __future__ import annotations

import base64
import operator
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC
from itertools import pairwise
from operator import attrgetter
from typing import Any

from jmespath.exceptions import (
    EmptyExpressionError,
    JMESPathError,
    JMESPathTypeError,
    LexerError,
    ParseError,
)
from jmespath.functions import Functions
from jmespath.lexer import Lexer
from jmespath.parser import Parser
from jmespath.visitor import TreeInterpreter

from tcsniff.errors import UsageError, suggestion
from tcsniff.events import Event
from tcsniff.exchanges import ROUTE
from tcsniff.records import flaw
from tcsniff.sanitize import safe

Step = Callable[[Any], Any]

DEEPEST = 200  # levels; three frames each in the interpreter, and Python allows 1000
_WIDEST = 72  # characters of an expression that an error shows
_WHOLE = "@"  # stands among names for the record as a whole


def _error(event: Event) -> str | None:
    return None if event.payload is not None else flaw(event.delivery.body)


def _body(event: Event) -> str | None:
    return base64.b64encode(event.delivery.body).decode() if _error(event) else None


def _cc(event: Event) -> list[str] | None:
    return [key for key in event.delivery.cc if not key.startswith(ROUTE)] or None


def _time(event: Event) -> str | None:
    if event.time is None:
        return None
    return event.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FIELDS: dict[str, Callable[[Event], Any]] = {
    "received": attrgetter("delivery.received"),
    "exchange": attrgetter("delivery.exchange"),
    "routingKey": attrgetter("delivery.routing_key"),
    "routes": attrgetter("delivery.routes"),
    "redelivered": attrgetter("delivery.redelivered"),
    "payload": attrgetter("payload"),
    "error": _error,
    "body": _body,
    "cc": _cc,
    "routing": attrgetter("routing"),
    "event": attrgetter("name"),
    "service": attrgetter("service"),
    "time": _time,
    "lag": attrgetter("lag"),
}
"""What an expression finds at the top, and how each is made."""
_OPTIONAL = {"error", "body", "cc"}  # absent, not null, as in the record


def _record(event: Event) -> dict[str, Any]:
    made = {name: make(event) for name, make in FIELDS.items()}
    return {
        name: value for name, value in made.items() if value is not None or name not in _OPTIONAL
    }


class Expression:
    """An expression, ready to be asked about events.

    Attributes:
        text: As it was written.
        hint: What is probably wrong with it though it is valid, for the person;
            None if nothing is.
        failures: For how many events it could not be evaluated, as when
            ``starts_with`` finds a null.
        reason: Why, the first time; None if it never happened.
    """

    def __init__(self, text: str, tree: Any, hint: str | None) -> None:
        self.text = text
        self.hint = hint
        self.failures = 0
        self.reason: str | None = None
        self._find = _step(tree, top=True)

    def search(self, event: Event) -> Any:
        """Evaluate it over an event.

        Returns:
            JSON; None also where it fails, which is counted.
        """
        try:
            return self._find(event)
        except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            self.failures += 1
            self.reason = self.reason or _reason(error)
            return None

    def holds(self, event: Event) -> bool:
        """Tell whether it finds something that is not false.

        False are, as everywhere in JMESPath: false, null, and the empty string,
        array and object. It does not hold where it fails.
        """
        return not _false(self.search(event))


def _reason(error: Exception) -> str:
    if isinstance(error, JMESPathTypeError):
        wanted = " or ".join(error.expected_types)
        return f"{error.function_name}() takes {wanted}, not {error.actual_type}"
    if isinstance(error, TypeError):
        return "a string and something else do not compare"
    return "JSON is nested too deep" if isinstance(error, RecursionError) else str(error)


def compile(text: str, flag: str) -> Expression:  # noqa: A001 - as in re and jmespath
    """Read an expression, and check all that needs no event.

    Args:
        text: The expression.
        flag: Which flag it was given with, for the error.

    Raises:
        UsageError: If it is no expression. Its text has three lines: what is
            wrong, the expression, and a caret under the place.
    """
    try:
        tree, tokens = _read(text)
        _check(tree, tokens)
    except _Misplaced as error:
        place, words = error.place, error.words
    except RecursionError:
        place, words = 0, _TOO_DEEP
    except EmptyExpressionError:
        place, words = 0, "the expression is empty"
    except LexerError as error:
        place, words = error.lexer_position, _of_lexer(error)
    except ValueError:  # of int(): more digits than Python reads
        place, words = 0, "a number in it has too many digits"
    else:
        return Expression(text, tree, _hint(tokens, _names(tree)))
    raise UsageError(f"{flag}: {words}\n{_pointed(text, place)}")


def _read(text: str) -> tuple[Any, list[Any]]:
    with warnings.catch_warnings():
        # Text in backticks without double quotes: old, but people write it.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        tokens: list[Any] = list(
            Lexer().tokenize(text)
        )  # raises LexerError, hence parsing does not
        try:
            return Parser().parse(text).parsed, tokens
        except ParseError as error:
            raise _Misplaced(*_of_parser(error, tokens, text)) from None


# What an expression does: each node of jmespath's tree becomes a function of the
# value it is asked of; at the top that is the event, below it is JSON.

_NUMBERS = {int, float}  # not bool
_ORDERED = {*_NUMBERS, str}  # what jmespath puts in an order
_TEXT_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}
_CHAINS = {"subexpression", "index_expression", "pipe"}
# Of these only the first child is asked of the same value as the whole.
_NARROWING = {*_CHAINS, "projection", "value_projection", "filter_projection"}


def _false(value: Any) -> bool:
    return not value and type(value) not in _NUMBERS  # 0 is true in JMESPath


def _step(node: Any, *, top: bool = False) -> Step:
    kind = node["type"]
    if kind in _CHAINS:
        return _chain(node["children"], top=top)
    if kind == "comparator":
        return _comparison(node, top=top)
    if kind == "function_expression" and node["value"] in _TEXT_FUNCTIONS:
        return _text_function(node, top=top)
    if kind in _LOGIC:
        return _LOGIC[kind](*(_step(child, top=top) for child in node["children"]))
    return _leaf(node, top=top) or _interpreted(node, top=top)


def _leaf(node: Any, *, top: bool) -> Step | None:
    value = node.get("value")
    match node["type"]:
        case "literal":
            return lambda _: value
        case "current" | "identity":
            return _record if top else _itself
        case "field":
            return FIELDS.get(value, _nothing) if top else _path(_itself, [value])
        case "index":
            return _index(value)
    return None


def _itself(value: Any) -> Any:
    return value


def _nothing(_: Any) -> None:
    return None


def _index(place: int) -> Step:
    def index(value: Any) -> Any:
        try:
            return value[place] if isinstance(value, list) else None
        except IndexError:
            return None

    return index


def _chain(nodes: Sequence[Any], *, top: bool) -> Step:
    step = _step(nodes[0], top=top)
    names: list[str] = []
    for node in nodes[1:]:
        if node["type"] == "field":
            names.append(node["value"])
        else:
            step = _then(_path(step, names) if names else step, _step(node))
            names = []
    return _path(step, names) if names else step


def _then(first: Step, second: Step) -> Step:
    return lambda value: second(first(value))


def _path(first: Step, names: Sequence[str]) -> Step:
    def path(value: Any) -> Any:
        value = first(value)
        try:
            for name in names:
                value = value.get(name)
        except AttributeError:
            return None
        return value

    return path


def _comparison(node: Any, *, top: bool) -> Step:
    left, right = (_step(child, top=top) for child in node["children"])
    compare = TreeInterpreter.COMPARATOR_FUNC[node["value"]]
    if node["value"] in ("eq", "ne"):
        text = node["children"][1].get("value")
        if node["children"][1]["type"] != "literal" or not isinstance(text, str):
            return lambda value: compare(left(value), right(value))
        if node["value"] == "eq":  # to text, as Python does
            return lambda value: left(value) == text
        return lambda value: left(value) != text

    def ordered(value: Any) -> Any:
        one, other = left(value), right(value)
        if type(one) in _ORDERED and type(other) in _ORDERED:
            return compare(one, other)
        return None

    return ordered


def _text_function(node: Any, *, top: bool) -> Step:
    left, right = (_step(child, top=top) for child in node["children"])
    name = node["value"]
    decide = _TEXT_FUNCTIONS[name]
    functions = Functions()

    def call(value: Any) -> Any:
        one, other = left(value), right(value)
        if isinstance(one, str) and isinstance(other, str):
            return decide(one, other)
        return functions.call_function(name, [one, other])

    return call


def _or(left: Step, right: Step) -> Step:
    def either(value: Any) -> Any:
        found = left(value)
        return right(value) if _false(found) else found

    return either


def _and(left: Step, right: Step) -> Step:
    def both(value: Any) -> Any:
        found = left(value)
        return found if _false(found) else right(value)

    return both


def _not(step: Step) -> Step:
    return lambda value: _false(step(value))


_LOGIC: dict[str, Callable[..., Step]] = {
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
}


def _interpreted(node: Any, *, top: bool) -> Step:
    visit = TreeInterpreter().visit
    if not top:
        return lambda value: visit(node, value)
    names = _names(node)
    if _WHOLE in names:
        return lambda event: visit(node, _record(event))
    makes = {name: FIELDS[name] for name in names if name in FIELDS}
    return lambda event: visit(node, {name: make(event) for name, make in makes.items()})


def _names(node: Any) -> set[str]:
    # The fields of the record that a node looks at; with `_WHOLE`, perhaps all of them.
    if node["type"] == "field":
        return {node["value"]}
    if node["type"] in ("current", "identity"):
        return {_WHOLE}
    if node["type"] == "expref":  # is asked of elements
        return set()
    children = _children(node)
    return set().union(*map(_names, children[:1] if node["type"] in _NARROWING else children))


def _children(node: Any) -> list[Any]:
    # In the order of the text.
    children: list[Any] = node["children"]
    if node["type"] == "slice":  # has numbers for children
        return []
    if node["type"] == "filter_projection":
        left, right, condition = children
        return [left, condition, right]
    return children


# What may be wrong with an expression.

_TOO_DEEP = "the expression is nested too deep"
_COMPARISONS = {"eq", "ne", "lt", "lte", "gt", "gte"}
_CLOSING = {"lparen": ")", "lbracket": "]", "filter": "]", "lbrace": "}"}
_ENDS = {"rparen", "rbracket", "rbrace", "flatten", "star", "current", "literal", "number"}
_NAMES = {"unquoted_identifier", "quoted_identifier"}
_ELSEWHERE = {"and": "&&", "or": "||", "not": "!", "is": "=="}
_LEXER_WORDS = {
    "=": "'=' is no operator; equal is written ==",
    "-": "'-' stands only before a number; a name that has one goes in double quotes",
    "~": "'~' is no operator; there are contains(), starts_with() and ends_with()",
    "/": "'/' is no operator; text goes in single quotes",
}
_NO_FIELDS = {"true", "false", "null"}


class _Misplaced(Exception):
    def __init__(self, place: int, words: str) -> None:
        super().__init__(words)
        self.place = place
        self.words = words


def _check(tree: Any, tokens: Sequence[Any]) -> None:
    # jmespath's tree has no places: its calls and & come in the order of the text's.
    calls = (
        token["start"]
        for token, after in pairwise(tokens)
        if token["type"] == "unquoted_identifier" and after["type"] == "lparen"
    )
    ampersands = (token["start"] for token in tokens if token["type"] == "expref")
    waiting = [(tree, 1, 0, "")]  # node, level, place and name of the function that wants a &
    while waiting:
        node, level, place, function = waiting.pop()
        if level > DEEPEST:
            raise _Misplaced(0, _TOO_DEEP)
        if node["type"] == "expref":
            place = next(ampersands)
            if not function:
                raise _Misplaced(place, "'&' stands only where a function wants it; and is &&")
        elif function:
            raise _Misplaced(place, f"{function}() wants an expression after '&', as in &name")
        children = [(child, level + 1, 0, "") for child in _children(node)]
        if node["type"] == "function_expression":
            place = next(calls)
            wants = _signature(node, place)
            children = [
                (child, level + 1, place, node["value"] if want else "")
                for (child, *_), want in zip(children, wants, strict=True)
            ]
        waiting.extend(reversed(children))


def _signature(node: Any, place: int) -> list[bool]:
    # For each argument, whether it is an expression after &.
    name, given = node["value"], len(node["children"])
    table = Functions.FUNCTION_TABLE
    if name not in table:
        near = suggestion(name, table) or f"; known: {', '.join(sorted(table))}"
        raise _Misplaced(place, f"no function {name}(){near}")
    signature = table[name]["signature"]
    least, variadic = len(signature), signature[-1].get("variadic", False)
    if given < least or (given > least and not variadic):
        count = f"{'at least ' if variadic else ''}{least} argument{'s' if least > 1 else ''}"
        raise _Misplaced(place, f"{name}() takes {count}, not {given}")
    wants = ["expref" in argument["types"] for argument in signature]
    return wants + wants[-1:] * (given - least)


def _of_lexer(error: LexerError) -> str:
    message = error.message
    if message.startswith("Unclosed"):
        return f"no closing {message.split()[1]}"
    if message.startswith("Bad token"):
        return "what stands between ` and ` is no JSON"
    if error.lexer_value.startswith('"'):
        return f"what stands between double quotes is no name: {message}"
    return _LEXER_WORDS.get(error.lexer_value, f"unexpected {error.lexer_value!r}")


def _of_parser(error: ParseError, tokens: Sequence[Any], text: str) -> tuple[int, str]:
    place = error.lex_position
    if error.msg.startswith("Quoted"):  # says 0 for where
        pairs = pairwise(tokens)
        place = next(
            one["start"]
            for one, after in pairs
            if (one["type"], after["type"]) == ("quoted_identifier", "lparen")
        )
        return place, "a function's name has no quotes"
    if place >= len(text):
        return len(text), f"expected {_wanted(tokens[:-1])}, found the end"
    number = next(number for number, token in enumerate(tokens) if token["start"] == place)
    return place, _unexpected(tokens, number, text)


def _wanted(tokens: Sequence[Any]) -> str:
    # What could follow these, in words.
    last = tokens[-1]["type"] if tokens else ""
    if last == "dot":
        return "a field's name"
    if last not in _ENDS | _NAMES:
        return "a value"
    opened: list[str] = []
    for token in tokens:
        if token["type"] in _CLOSING:
            opened.append(_CLOSING[token["type"]])
        elif token["value"] in opened[-1:] and token["type"] in _ENDS:
            opened.pop()
    return opened[-1] if opened else "more"


def _unexpected(tokens: Sequence[Any], number: int, text: str) -> str:
    token, before = tokens[number], tokens[max(0, number - 1)]
    shown = text[token["start"] : tokens[number + 1]["start"]].strip()
    for one in (before, token):
        if one["type"] == "unquoted_identifier" and one["value"] in _ELSEWHERE:
            return f"{one['value']!r} is no operator; it is written {_ELSEWHERE[one['value']]}"
    if before["type"] == "lbracket":
        return f"expected a number, * or ? after '[', found {shown}; a field follows a dot"
    if token["type"] == "number" and before["type"] != "dot":
        return f"a number goes in backticks: `{shown}`"
    return f"unexpected {shown}"


def _pointed(text: str, place: int) -> str:
    # The expression, or what of a long one is around the place, and the caret under it.
    start = max(0, min(place - _WIDEST // 2, len(text) - _WIDEST))
    before, after = safe(text[start:place]), safe(text[place : start + _WIDEST])
    left = "…" if start else ""
    right = "…" if start + _WIDEST < len(text) else ""
    return f"  {left}{before}{after}{right}\n  {' ' * len(left + before)}^"


def _hint(tokens: Sequence[Any], names: set[str]) -> str | None:
    compared = [after for one, after in pairwise(tokens) if one["type"] in _COMPARISONS]
    for token, after in pairwise(tokens):
        quoted = token["type"] == "quoted_identifier"
        if quoted and token in compared and after["type"] not in ("dot", "lbracket", "flatten"):
            return f"\"{token['value']}\" is a field; text is written '{token['value']}'"
    unknown = sorted(names - FIELDS.keys() - {_WHOLE})
    if not unknown:
        return None
    name = unknown[0]
    if name in _NO_FIELDS:
        return f"{name} is a field; the value is written `{name}`"
    if any(token["value"] == name for token in compared):
        return f"{name} is a field; text is written '{name}'"
    near = suggestion(name, FIELDS) or "; what the message says is under payload"
    return f"no event has a field {name!r}{near}"
