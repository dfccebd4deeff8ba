"""What a selection asks of a broker, in words.

Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from tcsniff.selection import Selection


def explained(selection: Selection, *, as_json: bool) -> Iterator[str]:
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
