"""``tcsniff exchanges``: the list of exchanges."""

from __future__ import annotations

import fnmatch
import json
import shutil
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from tcsniff.commands.console import print_output
from tcsniff.commands.options.option import SectionedCommand
from tcsniff.commands.options.output_options import json_option
from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.exchanges import CATALOG, Exchange, Field
from tcsniff.pulse.routing import to_flag


@click.command(cls=SectionedCommand)
@click.argument("pattern", required=False)
@json_option
def exchanges(*, pattern: str | None, as_json: bool) -> None:
    """List the EVENTs and the fields of their routing keys.

    PATTERN is part of the name of an exchange or service, such as `task` or
    `hooks`; `*` and `?` are wildcards.
    """
    matches = [exchange for exchange in CATALOG if _matches_pattern(exchange, pattern or "")]
    if not matches:
        names = [name for exchange in CATALOG for name in (exchange.name, exchange.service)]
        raise UsageError(f"no exchange matches {pattern!r}{suggest(pattern or '', names)}")
    lines = map(json.dumps, map(_build_row, matches)) if as_json else _format_exchanges(matches)
    for line in lines:
        print_output(line)


def _matches_pattern(exchange: Exchange, pattern: str) -> bool:
    names = (exchange.name, exchange.entry, exchange.service, exchange.address)
    return any(
        pattern in name or fnmatch.fnmatchcase(name, pattern)
        for name in (*names, f"{exchange.service}/{exchange.name}")
    )


def _build_row(exchange: Exchange) -> dict[str, Any]:
    return {
        "service": exchange.service,
        "name": exchange.name,
        "entry": exchange.entry,
        "exchange": exchange.address,
        "summary": exchange.summary,
        "routes": exchange.routes,
        "fields": [_describe_field(field) for field in exchange.fields],
    }


def _describe_field(field: Field) -> dict[str, Any]:
    is_selectable = field.constant is None and field.name != "reserved"
    return {
        "name": field.name,
        "flag": to_flag(field.name) if is_selectable else None,
        "constant": field.constant,
        "required": field.required,
        "multipleWords": field.many,
        "maxSize": field.size,
        "pattern": None if field.pattern is None else f"^{field.pattern}$",
    }


def _format_exchanges(exchanges: list[Exchange]) -> Iterator[str]:
    width = max(40, min(shutil.get_terminal_size().columns, 120))
    service = ""
    for exchange in exchanges:
        if exchange.service != service:
            yield from () if not service else ("",)
            service = exchange.service
            yield f"{service}  (exchange/taskcluster-{service}/v1/…)"
        yield f"  {exchange.name}"
        for text in (exchange.summary, " ".join(map(_format_field, exchange.fields))):
            yield from textwrap.wrap(
                text, width, initial_indent=" " * 4, subsequent_indent=" " * 6
            )


def _format_field(field: Field) -> str:
    if field.constant is not None:
        return field.constant
    name = f"{field.name}…" if field.many else field.name
    return name if field.required else f"[{name}]"
