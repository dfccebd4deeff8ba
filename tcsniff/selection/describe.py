"""Selections and bindings in words, and as JSON lines for `tcsniff explain`.

Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tcsniff.pulse.exchanges import BY_ADDRESS
from tcsniff.pulse.routing import ANY_WORD, ANY_WORDS, Binding
from tcsniff.selection.select import Selection
from tcsniff.selection.subscriptions import Subscription

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


def describe_subscriptions(plan: Sequence[Subscription], *, as_json: bool) -> Iterator[str]:
    """Yield lines that list what is bound through a web server, and checked on arrival.

    Args:
        plan: The subscriptions.
        as_json: Whether to yield one line of JSON for each binding, as `describe_selection`
            does, with the number of its subscription, from 1.
    """
    yield from _list_plan_json(plan) if as_json else _list_plan_text(plan)


def _list_plan_json(plan: Sequence[Subscription]) -> Iterator[str]:
    for number, subscription in enumerate(plan, 1):
        keys_by_exchange = {clause.exchange: clause.keys for clause in subscription.checked}
        for binding in subscription.bindings:
            row: dict[str, object] = {
                "exchange": binding.exchange,
                "routingKeyPattern": binding.pattern,
                "subscription": number,
            }
            if keys := keys_by_exchange.get(binding.exchange):
                row["checked"] = keys
            yield json.dumps(row)


def _list_plan_text(plan: Sequence[Subscription]) -> Iterator[str]:
    total = sum(len(subscription.bindings) for subscription in plan)
    end = f" in {len(plan)} subscriptions" if len(plan) > 1 else ""
    yield f"{total} binding{'s' * (total != 1)} through a web server{end}"
    width = max(len(one.exchange) for subscription in plan for one in subscription.bindings)
    for subscription in plan:
        for exchange, pattern in subscription.bindings:
            yield f"  {exchange:<{width}}  {pattern}"
    for clause in dict.fromkeys(clause for one in plan for clause in one.checked if clause.keys):
        yield f"checked on arrival: routing key of {clause.exchange} matches"
        yield from (f"  {pattern}" for pattern in clause.keys)


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
