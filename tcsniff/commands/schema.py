"""``tcsniff schema``: the JSON Schema of the record and of payloads."""

from __future__ import annotations

import json

import click

from tcsniff.commands.console import print_output
from tcsniff.commands.options.option import SectionedCommand
from tcsniff.errors import UsageError
from tcsniff.pulse.exchanges import find_exchange


@click.command(cls=SectionedCommand)
@click.argument("event", required=False)
def schema(*, event: str | None) -> None:
    """Print the JSON Schema of the record or of a payload.

    The record is a line that `-o json` prints. EVENT is an event of the queue
    service, such as task-running; with it, the schema is that of its payload.
    The schema uses draft 2020-12. Values to which Taskcluster may add others
    are given as examples.
    """
    from tcsniff import messages
    from tcsniff.pulse import records  # msgspec: 20 ms

    if event is None:
        kind: type[messages.MessageStruct] = records.Record
    else:
        name = find_exchange(event).name
        if name not in messages.CLASSES:
            known = ", ".join(messages.CLASSES)
            raise UsageError(f"no schema for the payload of {name}; available: {known}")
        kind = messages.CLASSES[name]
    print_output(json.dumps(messages.build_schema(kind), indent=2))
