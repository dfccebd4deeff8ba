"""What expressions see of an event, and how they are evaluated.

Pure.
"""

from __future__ import annotations

import base64
import operator
from collections.abc import Callable, Sequence
from datetime import UTC
from operator import attrgetter
from typing import Any

from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter

from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import ROUTE

Evaluator = Callable[[Any], Any]

DEEPEST = 200  # levels; three frames each in the interpreter, and Python allows 1000
WHOLE_RECORD = "@"  # stands among names for the record as a whole


def _body(event: Event) -> str | None:
    return base64.b64encode(event.delivery.body).decode() if event.decode_error else None


def _cc(event: Event) -> list[str] | None:
    return [key for key in event.delivery.cc if not key.startswith(ROUTE)] or None


def _time(event: Event) -> str | None:
    if event.time is None:
        return None
    return event.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


EXPRESSION_FIELDS: dict[str, Callable[[Event], Any]] = {
    "received": attrgetter("delivery.received"),
    "exchange": attrgetter("delivery.exchange"),
    "routingKey": attrgetter("delivery.routing_key"),
    "routes": attrgetter("delivery.routes"),
    "redelivered": attrgetter("delivery.redelivered"),
    "payload": attrgetter("payload"),
    "error": attrgetter("decode_error"),
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


def build_record_dict(event: Event) -> dict[str, Any]:
    """Make all that an expression sees of an event."""
    made = {name: make(event) for name, make in EXPRESSION_FIELDS.items()}
    return {
        name: value for name, value in made.items() if value is not None or name not in _OPTIONAL
    }


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


def is_false(value: Any) -> bool:
    """Tell whether JMESPath takes a value for false."""
    return not value and type(value) not in _NUMBERS  # 0 is true in JMESPath


def compile_node(node: Any, *, top: bool = False) -> Evaluator:
    """Make a node of jmespath's tree a function.

    Args:
        node: The node.
        top: Whether it is asked of an event, not of JSON.
    """
    kind = node["type"]
    if kind in _CHAINS:
        return _chain(node["children"], top=top)
    if kind == "comparator":
        return _comparison(node, top=top)
    if kind == "function_expression" and node["value"] in _TEXT_FUNCTIONS:
        return _text_function(node, top=top)
    if kind in _LOGIC:
        return _LOGIC[kind](*(compile_node(child, top=top) for child in node["children"]))
    return _leaf(node, top=top) or _interpreted(node, top=top)


def _leaf(node: Any, *, top: bool) -> Evaluator | None:
    value = node.get("value")
    match node["type"]:
        case "literal":
            return lambda _: value
        case "current" | "identity":
            return build_record_dict if top else _itself
        case "field":
            return EXPRESSION_FIELDS.get(value, _nothing) if top else _path(_itself, [value])
        case "index":
            return _index(value)
    return None


def _itself(value: Any) -> Any:
    return value


def _nothing(_: Any) -> None:
    return None


def _index(place: int) -> Evaluator:
    def index(value: Any) -> Any:
        try:
            return value[place] if isinstance(value, list) else None
        except IndexError:
            return None

    return index


def _chain(nodes: Sequence[Any], *, top: bool) -> Evaluator:
    step = compile_node(nodes[0], top=top)
    names: list[str] = []
    for node in nodes[1:]:
        if node["type"] == "field":
            names.append(node["value"])
        else:
            step = _then(_path(step, names) if names else step, compile_node(node))
            names = []
    return _path(step, names) if names else step


def _then(first: Evaluator, second: Evaluator) -> Evaluator:
    return lambda value: second(first(value))


def _path(first: Evaluator, names: Sequence[str]) -> Evaluator:
    def path(value: Any) -> Any:
        value = first(value)
        try:
            for name in names:
                value = value.get(name)
        except AttributeError:
            return None
        return value

    return path


def _comparison(node: Any, *, top: bool) -> Evaluator:
    left, right = (compile_node(child, top=top) for child in node["children"])
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


def _text_function(node: Any, *, top: bool) -> Evaluator:
    left, right = (compile_node(child, top=top) for child in node["children"])
    name = node["value"]
    decide = _TEXT_FUNCTIONS[name]
    functions = Functions()

    def call(value: Any) -> Any:
        one, other = left(value), right(value)
        if isinstance(one, str) and isinstance(other, str):
            return decide(one, other)
        return functions.call_function(name, [one, other])

    return call


def _or(left: Evaluator, right: Evaluator) -> Evaluator:
    def either(value: Any) -> Any:
        found = left(value)
        return right(value) if is_false(found) else found

    return either


def _and(left: Evaluator, right: Evaluator) -> Evaluator:
    def both(value: Any) -> Any:
        found = left(value)
        return found if is_false(found) else right(value)

    return both


def _not(step: Evaluator) -> Evaluator:
    return lambda value: is_false(step(value))


_LOGIC: dict[str, Callable[..., Evaluator]] = {
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
}


def _interpreted(node: Any, *, top: bool) -> Evaluator:
    visit = TreeInterpreter().visit
    if not top:
        return lambda value: visit(node, value)
    names = list_names(node)
    if WHOLE_RECORD in names:
        return lambda event: visit(node, build_record_dict(event))
    makes = {name: EXPRESSION_FIELDS[name] for name in names if name in EXPRESSION_FIELDS}
    return lambda event: visit(node, {name: make(event) for name, make in makes.items()})


def list_names(node: Any) -> set[str]:
    """Name what a node looks at in the record; `WHOLE` stands for all of it."""
    if node["type"] == "field":
        return {node["value"]}
    if node["type"] in ("current", "identity"):
        return {WHOLE_RECORD}
    if node["type"] == "expref":  # is asked of elements
        return set()
    children = list_children(node)
    return set().union(*map(list_names, children[:1] if node["type"] in _NARROWING else children))


def list_children(node: Any) -> list[Any]:
    """List the nodes below a node, in the order of the text."""
    children: list[Any] = node["children"]
    if node["type"] == "slice":  # has numbers for children
        return []
    if node["type"] == "filter_projection":
        left, right, condition = children
        return [left, condition, right]
    return children
