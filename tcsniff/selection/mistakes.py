"""Probable mistakes in expressions that are valid, but match nothing.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tcsniff.errors import suggest
from tcsniff.messages import REASONS_CREATED, REASONS_RESOLVED, STATES
from tcsniff.pulse.exchanges import CATALOG, SHORT_NAMES
from tcsniff.selection.evaluation import (
    EXPRESSION_FIELDS,
    WHOLE_RECORD,
    list_children,
    list_names,
)
from tcsniff.selection.syntax_errors import SyntaxProblem

_COMPARISONS = {"eq", "ne", "lt", "lte", "gt", "gte"}
_NAMES = {"unquoted_identifier", "quoted_identifier"}
_CONSTANTS = {"true", "false", "null"}
_CONTINUATIONS = {"dot", "lbracket", "flatten", "filter", "lparen"}
_OPENING, _CLOSING = {"lbracket", "filter", "lbrace"}, {"rbracket", "rbrace"}

_EVENTS = tuple(exchange.name for exchange in CATALOG)
_SERVICES = tuple(dict.fromkeys(exchange.service for exchange in CATALOG))
_STATES = ("state of a task", STATES)
_KNOWN_VALUES: Mapping[tuple[str, ...], tuple[str, Sequence[str]]] = {
    # The end of a path, and what its values are.
    ("event",): ("event", _EVENTS),
    ("service",): ("service", _SERVICES),
    ("status", "state"): _STATES,
    ("runs", "state"): _STATES,
    ("reasonResolved",): ("reason resolved", REASONS_RESOLVED),
    ("reasonCreated",): ("reason created", REASONS_CREATED),
}
_MAX_LISTED = 10  # values in a hint

_PLACES = {
    "state": "the state of a task is payload.status.state",
    "status": "the status of a task is payload.status",
    "reason": "the reason of a run is payload.status.runs[-1].reasonResolved",
    "runs": "the runs of a task are payload.status.runs",
    "label": "the label of a task is payload.task.tags.label",
    "kind": "the kind of a task is payload.task.tags.kind",
    "tags": "the tags of a task are payload.task.tags",
    "task": "the task's tags are payload.task.tags, its ID is routing.taskId",
    "taskId": "the ID of a task is routing.taskId",
    "taskGroupId": "the ID of a task group is routing.taskGroupId",
    "runId": "the number of a run is routing.runId",
    "workerId": "the worker is routing.workerId",
    "workerGroup": "the worker's group is routing.workerGroup",
    "workerType": "the worker type is routing.workerType",
    "provisionerId": "the provisioner is routing.provisionerId",
    "schedulerId": "the scheduler is routing.schedulerId",
    "worker": "the worker is routing.workerId",
    "pool": "the pool is payload.status.taskQueueId",
}
"""Names that people expect at the top of an event, and where the values are."""


def check_quotes(tokens: Sequence[Any]) -> None:
    """Check that text is not written in double quotes, which are for names of fields.

    Raises:
        SyntaxProblem: If what stands in double quotes is compared, or the argument
            of a function, and is not a field.
    """
    depth = 0  # in brackets, where the fields are those of elements
    for number, token in enumerate(tokens):
        kind = token["type"]
        depth += (kind in _OPENING) - (kind in _CLOSING)
        name = token["value"]
        if kind != "quoted_identifier" or name in EXPRESSION_FIELDS:
            continue
        before = tokens[number - 1]["type"] if number else ""
        after = tokens[number + 1]["type"]
        is_alone = before != "dot" and after not in _CONTINUATIONS
        is_value = before in _COMPARISONS | {"lparen", "comma"} or after in _COMPARISONS
        if is_alone and is_value and (depth == 0 or _is_known_value(name)):
            raise SyntaxProblem(
                token["start"],
                f"\"{name}\" is the name of a field; write text in single quotes, '{name}', and "
                "other values in backticks",
            )


def _is_known_value(name: str) -> bool:
    return name in SHORT_NAMES or any(name in values for _, values in _KNOWN_VALUES.values())


def find_hint(tree: Any, tokens: Sequence[Any]) -> str | None:
    """Return a probable mistake in a valid expression; None if there is none.

    Args:
        tree: The tree of the expression.
        tokens: Its tokens.
    """
    unknown = sorted(list_names(tree) - EXPRESSION_FIELDS.keys() - {WHOLE_RECORD})
    return (
        _find_unquoted(tokens, unknown)
        or (_explain_unknown(unknown[0]) if unknown else None)
        or next(_list_impossible(tree), None)
    )


def _find_unquoted(tokens: Sequence[Any], unknown: Sequence[str]) -> str | None:
    for operator, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        name, kind = token["value"], token["type"]
        if operator["type"] not in _COMPARISONS or kind not in _NAMES:
            continue
        if after["type"] in _CONTINUATIONS:
            continue
        if kind == "quoted_identifier":
            return f"\"{name}\" is the name of a field; write text like '{name}'"
        if name in _CONSTANTS:
            return f"{name} is the name of a field; write the value like `{name}`"
        if name in STATES or name in unknown:
            return f"{name} is the name of a field; write text like '{name}'"
    return None


def _explain_unknown(name: str) -> str:
    place = f"; {_PLACES[name]}" if name in _PLACES else ""
    hint = place or suggest(name, EXPRESSION_FIELDS)
    return f"events have no field {name!r}{hint or '; fields of the message are under payload'}"


def _list_impossible(tree: Any) -> Iterator[str]:
    # Comparisons with a value that the field never has.
    pending: list[tuple[Any, tuple[str, ...]]] = [(tree, ())]
    while pending:
        node, above = pending.pop()
        if node["type"] == "comparator" and node["value"] in ("eq", "ne"):
            left, right = node["children"]
            for path, literal in ((left, right), (right, left)):
                if literal["type"] == "literal" and isinstance(literal["value"], str):
                    yield from _check_value((*above, *_list_path(path)), literal["value"])
        names = (
            tuple(_list_path(node["children"][0])) if node["type"] == "filter_projection" else ()
        )
        pending += [(child, (*above, *names)) for child in list_children(node)]


def _check_value(path: Sequence[str], value: str) -> Iterator[str]:
    for end, (what, values) in _KNOWN_VALUES.items():
        is_at_top = end not in (("event",), ("service",)) or len(path) == 1
        if tuple(path[-len(end) :]) != end or not is_at_top or value in values:
            continue
        yield f"no {what} is {value!r}{_explain_value(value, values)}"


def _explain_value(value: str, values: Sequence[str]) -> str:
    if values is _EVENTS and value in SHORT_NAMES:
        return f"; did you mean {SHORT_NAMES[value]!r}?"
    if values is STATES and value in REASONS_RESOLVED:
        return "; it is a reason, as in payload.status.runs[-1].reasonResolved"
    if hint := suggest(value, values):
        return hint
    if len(values) > _MAX_LISTED:
        return "; `tcsniff exchanges` lists all events" if values is _EVENTS else ""
    return f"; there are {', '.join(values)}"


def _list_path(node: Any) -> list[str]:
    # The names of the fields on the way to a value; indices are left out.
    if node["type"] == "field":
        return [node["value"]]
    if node["type"] not in ("subexpression", "index_expression"):
        return []
    return [name for child in list_children(node) for name in _list_path(child)]
