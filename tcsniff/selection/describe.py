"""Selections and bindings in words, and as JSON lines for `tcsniff explain`.

Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tcsniff.pulse.exchanges import BY_ADDRESS
from tcsniff.pulse.routing import ANY_WORD, ANY_WORDS, Binding
from tcsniff.selection.select import Selection

_MAX_NAMES = 3  # exchanges that a message lists by name


def describe_selection(selection: Selection, *, as_json: bool) -> Iterator[str]:
    """Yield lines that list the bindings and checks of a selection.

    Args:
        selection: The selection.
        as_json: Whether to yield one line of JSON for each binding, with the
            names that Taskcluster's Python client uses.
    """
    yield from _list_json(selection) if as_json else _list_text(selection)


def _list_json(selection: Selection) -> Iterator[str]:
    for binding in selection.bindings:
        row: dict[str, object] = {
            "exchange": binding.exchange,
            "routingKeyPattern": binding.pattern,
        }
        clauses = [clause for clause in selection.clauses if binding in clause.bindings]
        if all(clause.checked for clause in clauses):
            row["checked"] = [pattern for clause in clauses for pattern in clause.checked]
        yield json.dumps(row)


def _list_text(selection: Selection) -> Iterator[str]:
    bindings = selection.bindings
    yield f"{len(bindings)} binding{'s' * (len(bindings) != 1)}"
    width = max(len(binding.exchange) for binding in bindings)
    for exchange, pattern in bindings:
        yield f"  {exchange:<{width}}  {pattern}"
    for clause in selection.clauses:
        if clause.checked:
            subject = "routing key" if clause.by_route else "one of the routes"
            yield f"checked on arrival: {subject} of {clause.exchange} matches"
            yield from (f"  {pattern}" for pattern in clause.checked)


def describe_bindings(bindings: Sequence[Binding]) -> str:
    """Return what bindings listen to, in a few words."""
    exchanges = dict.fromkeys(binding.exchange for binding in bindings)
    all_of_queue = {name for name, exchange in BY_ADDRESS.items() if exchange.service == "queue"}
    words = {word for binding in bindings for word in binding.pattern.split(".")}
    if exchanges.keys() == all_of_queue and words <= {"primary", ANY_WORD, ANY_WORDS}:
        return "all task events"
    if len(exchanges) > _MAX_NAMES:
        return f"{len(exchanges)} exchanges"
    names = [BY_ADDRESS[name].name if name in BY_ADDRESS else name for name in exchanges]
    return ", ".join(names)
