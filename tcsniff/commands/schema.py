"""``tcsniff schema``: what the record and the messages look like, as JSON Schema."""

from __future__ import annotations

import json

import click

from tcsniff.commands.console import print_output
from tcsniff.commands.options.selection_options import SectionedCommand
from tcsniff.errors import UsageError
from tcsniff.pulse.exchanges import find_exchange


@click.command(cls=SectionedCommand)
@click.argument("event", required=False)
def schema(*, event: str | None) -> None:
    """Print the JSON Schema of the record or of a payload.

    The record is the line that `-o json` writes; EVENT is one of the queue's,
    such as task-running. The schema is of draft 2020-12. Values that may be
    added by Taskcluster one day stand as examples.
    """
    from tcsniff import messages
    from tcsniff.pulse import records  # msgspec: 20 ms

    if event is None:
        kind: type[messages.MessageStruct] = records.Record
    else:
        name = find_exchange(event).name
        if name not in messages.CLASSES:
            known = ", ".join(messages.CLASSES)
            raise UsageError(f"the payload of {name} is not described; known: {known}")
        kind = messages.CLASSES[name]
    print_output(json.dumps(messages.build_schema(kind), indent=2))
