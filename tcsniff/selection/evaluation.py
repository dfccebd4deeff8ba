"""The fields that expressions see of an event, and the evaluation of expressions.

Each node of jmespath's tree becomes a function of the value that it is
applied to: the event at the top of an expression, decoded JSON below it.
"""

from __future__ import annotations

import base64
import operator
from collections.abc import Callable, Sequence
from datetime import UTC
from operator import attrgetter
from typing import Any

from jmespath.visitor import Options, TreeInterpreter

from tcsniff.pulse.events import Event
from tcsniff.pulse.exchanges import ROUTE
from tcsniff.selection.functions import ExpressionFunctions, compile_regex

Evaluator = Callable[[Any], Any]

MAX_DEPTH = 200  # levels; the interpreter needs three stack frames each, and Python allows 1000
WHOLE_RECORD = "@"  # in a set of field names, for the whole record


def _encode_body(event: Event) -> str | None:
    return base64.b64encode(event.delivery.body).decode() if event.decode_error else None


def _list_other_keys(event: Event) -> list[str] | None:
    return [key for key in event.delivery.cc or () if not key.startswith(ROUTE)] or None


def _format_time(event: Event) -> str | None:
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
    "body": _encode_body,
    "cc": _list_other_keys,
    "routing": attrgetter("routing"),
    "event": attrgetter("name"),
    "service": attrgetter("service"),
    "time": _format_time,
    "lag": attrgetter("lag"),
}
"""The fields at the top of an expression, and the function that computes each."""
_OPTIONAL = {"error", "body", "cc"}  # absent instead of null, as in the record


def build_record_dict(event: Event) -> dict[str, Any]:
    """Build the record of an event with all fields that expressions see."""
    values = {name: compute(event) for name, compute in EXPRESSION_FIELDS.items()}
    return {
        name: value for name, value in values.items() if value is not None or name not in _OPTIONAL
    }


_NUMBERS = {int, float}  # not bool
_ORDERED = {*_NUMBERS, str}  # the types that < and > compare
_TEXT_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "matches": lambda text, pattern: compile_regex(pattern).matches(text),
}
_CHAINS = {"subexpression", "index_expression", "pipe"}
# Of these, only the first child is applied to the same value as the node.
_NARROWING = {*_CHAINS, "projection", "value_projection", "filter_projection"}


def is_false(value: Any) -> bool:
    """Return whether a value is false by JMESPath's rule."""
    return not value and type(value) not in _NUMBERS  # 0 is true in JMESPath


def compile_node(node: Any, functions: ExpressionFunctions, *, top: bool = False) -> Evaluator:
    """Compile a node of jmespath's tree to a function.

    Args:
        node: The node.
        functions: The functions that it may call.
        top: Whether it is applied to an event, not to JSON.
    """
    kind = node["type"]
    if kind in _CHAINS:
        return _compile_chain(node["children"], functions, top=top)
    if kind == "comparator":
        return _compile_comparison(node, functions, top=top)
    if kind == "function_expression" and node["value"] in _TEXT_FUNCTIONS:
        return _compile_text_function(node, functions, top=top)
    if kind in _LOGIC:
        sides = (compile_node(child, functions, top=top) for child in node["children"])
        return _LOGIC[kind](*sides)
    return _compile_leaf(node, top=top) or _compile_interpreted(node, functions, top=top)


def _compile_leaf(node: Any, *, top: bool) -> Evaluator | None:
    value = node.get("value")
    match node["type"]:
        case "literal":
            return lambda _: value
        case "current" | "identity":
            return build_record_dict if top else _return_value
        case "field":
            return _find_field(value) if top else _compile_path(_return_value, [value])
        case "index":
            return _compile_index(value)
    return None


def _find_field(name: str) -> Evaluator:
    return EXPRESSION_FIELDS.get(name, _return_none)


def _return_value(value: Any) -> Any:
    return value


def _return_none(_: Any) -> None:
    return None


def _compile_index(place: int) -> Evaluator:
    def get_item(value: Any) -> Any:
        try:
            return value[place] if isinstance(value, list) else None
        except IndexError:
            return None

    return get_item


def _compile_chain(
    nodes: Sequence[Any], functions: ExpressionFunctions, *, top: bool
) -> Evaluator:
    evaluate = compile_node(nodes[0], functions, top=top)
    names: list[str] = []
    for node in nodes[1:]:
        if node["type"] == "field":
            names.append(node["value"])
        else:
            evaluate = _compose(_compile_path(evaluate, names), compile_node(node, functions))
            names = []
    return _compile_path(evaluate, names)


def _compose(first: Evaluator, second: Evaluator) -> Evaluator:
    return lambda value: second(first(value))


def _compile_path(evaluate: Evaluator, names: Sequence[str]) -> Evaluator:
    if not names:
        return evaluate

    def follow_path(value: Any) -> Any:
        value = evaluate(value)
        try:
            for name in names:
                value = value.get(name)
        except AttributeError:
            return None
        return value

    return follow_path


def _compile_comparison(node: Any, functions: ExpressionFunctions, *, top: bool) -> Evaluator:
    left, right = (compile_node(child, functions, top=top) for child in node["children"])
    compare = TreeInterpreter.COMPARATOR_FUNC[node["value"]]
    if node["value"] in ("eq", "ne"):
        text = node["children"][1].get("value")
        if node["children"][1]["type"] != "literal" or not isinstance(text, str):
            return lambda value: compare(left(value), right(value))
        if node["value"] == "eq":  # for text, JMESPath's == is Python's
            return lambda value: left(value) == text
        return lambda value: left(value) != text

    def compare_order(value: Any) -> Any:
        left_value, right_value = left(value), right(value)
        if type(left_value) in _ORDERED and type(right_value) in _ORDERED:
            return compare(left_value, right_value)
        return None

    return compare_order


def _compile_text_function(node: Any, functions: ExpressionFunctions, *, top: bool) -> Evaluator:
    left, right = (compile_node(child, functions, top=top) for child in node["children"])
    name = node["value"]
    text_function = _TEXT_FUNCTIONS[name]

    def call(value: Any) -> Any:
        left_value, right_value = left(value), right(value)
        if isinstance(left_value, str) and isinstance(right_value, str):
            return text_function(left_value, right_value)
        return functions.call_function(name, [left_value, right_value])

    return call


def _compile_or(left: Evaluator, right: Evaluator) -> Evaluator:
    def evaluate_or(value: Any) -> Any:
        result = left(value)
        return right(value) if is_false(result) else result

    return evaluate_or


def _compile_and(left: Evaluator, right: Evaluator) -> Evaluator:
    def evaluate_and(value: Any) -> Any:
        result = left(value)
        return result if is_false(result) else right(value)

    return evaluate_and


def _compile_not(evaluate: Evaluator) -> Evaluator:
    return lambda value: is_false(evaluate(value))


_LOGIC: dict[str, Callable[..., Evaluator]] = {
    "or_expression": _compile_or,
    "and_expression": _compile_and,
    "not_expression": _compile_not,
}


def _compile_interpreted(node: Any, functions: ExpressionFunctions, *, top: bool) -> Evaluator:
    visit = TreeInterpreter(Options(custom_functions=functions)).visit
    if not top:
        return lambda value: visit(node, value)
    names = list_names(node)
    if WHOLE_RECORD in names:
        return lambda event: visit(node, build_record_dict(event))
    fields = {name: EXPRESSION_FIELDS[name] for name in names if name in EXPRESSION_FIELDS}
    return lambda event: visit(node, {name: get(event) for name, get in fields.items()})


def list_names(node: Any) -> set[str]:
    """Return the fields of the record that a node uses; `WHOLE_RECORD` for all of it."""
    if node["type"] == "field":
        return {node["value"]}
    if node["type"] in ("current", "identity"):
        return {WHOLE_RECORD}
    if node["type"] == "expref":  # applied to elements
        return set()
    children = list_children(node)
    return set().union(*map(list_names, children[:1] if node["type"] in _NARROWING else children))


def list_children(node: Any) -> list[Any]:
    """Return the nodes below a node, in the order of the text."""
    children: list[Any] = node["children"]
    if node["type"] == "slice":  # its children are numbers
        return []
    if node["type"] == "filter_projection":
        left, right, condition = children
        return [left, condition, right]
    return children
