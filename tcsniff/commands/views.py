"""What becomes of events: the flags for it, and the view that they name."""

from __future__ import annotations

import functools
import os
import sys
from typing import Any, NamedTuple

import click

from tcsniff.commands.options import OUTPUT, Command, option, stacked
from tcsniff.errors import UsageError
from tcsniff.stream import Renderer

VIEWS = ("table", "lines", "json", "raw")


class View(NamedTuple):
    """What becomes of events, as the flags say.

    Attributes:
        output: One of `VIEWS`; None for a table on a terminal, else JSON lines.
        as_json: ``--json``.
        colour: ``always``, ``never`` or ``auto``.
    """

    output: str | None
    as_json: bool
    colour: str


_OPTIONS = stacked(
    option(
        "-o",
        "--output",
        section=OUTPUT,
        type=click.Choice(VIEWS),
        help="table: live; lines: one an event; json: one object a line; raw: bodies as "
        "they came. Default: table on a terminal, else json.",
    ),
    option("--json", "as_json", section=OUTPUT, is_flag=True, help="Short for -o json."),
    option(
        "--color",
        "colour",
        section=OUTPUT,
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colours; auto follows the terminal, NO_COLOR and FORCE_COLOR.",
    ),
)


def view_options(command: Command) -> Command:
    """Give a command the flags for a view; it gets them as `view`."""

    @functools.wraps(command)
    def with_view(**given: Any) -> Any:
        return command(view=View(**{name: given.pop(name) for name in View._fields}), **given)

    return _OPTIONS(with_view)


def renderer_of(view: View, *, source: str, selection: str) -> Renderer:
    """Make the renderer of a view.

    Args:
        view: Which.
        source: What we are connected to, for people.
        selection: What was asked for, for people.
    """
    from tcsniff.renderers.output import Output

    output = Output()
    live = output.is_terminal and os.environ.get("TERM") != "dumb"
    name = "json" if view.as_json else view.output or ("table" if live else "json")
    colour = _coloured(view.colour, live=live)
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    if name == "json":
        from tcsniff.renderers.jsonl import JsonRenderer

        return JsonRenderer(output)
    if name == "raw":
        from tcsniff.renderers.raw import RawRenderer

        return RawRenderer(output)
    if name == "table" and live:
        from tcsniff.renderers.table import TableRenderer  # rich: 25 ms

        return TableRenderer(
            output, source=source, selection=selection, colour=colour, ascii_only=ascii_only
        )
    from tcsniff.renderers.lines import LinesRenderer

    return LinesRenderer(output, colour=colour, ascii_only=ascii_only, heading=name == "table")


def check_view(view: View) -> None:
    """Refuse flags that contradict each other.

    Raises:
        UsageError: If they do.
    """
    if view.as_json and view.output not in (None, "json"):
        raise UsageError(f"--json and -o {view.output} contradict each other")


def _coloured(colour: str, *, live: bool) -> bool:
    # https://no-color.org and https://force-color.org, but a flag beats both.
    if colour != "auto":
        return colour == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return live or bool(os.environ.get("FORCE_COLOR"))
