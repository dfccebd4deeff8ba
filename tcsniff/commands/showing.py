"""From flags to a renderer that shows.

Imported when a command runs, not for its help.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from tcsniff.columns import COLUMNS, in_utc, named
from tcsniff.commands.views import View
from tcsniff.events import Event
from tcsniff.renderers.output import Output
from tcsniff.stream import Renderer

Select = Callable[[Event], Any]
"""What to show of an event."""


def renderer_of(
    view: View, select: Select | None, *, source: str, selection: str, condition: Callable[[], str]
) -> Renderer:
    """Make the renderer of a view.

    Args:
        view: Which.
        select: What to show of each event; None for the view's own choice.
        source: What we are connected to, for people.
        selection: What was asked for, for people.
        condition: Tells what a person should know of the connection.

    Raises:
        UsageError: If there is no such column.
        OutputError: If the recording cannot be opened.
    """
    renderer = _view(view, select, source=source, selection=selection, condition=condition)
    return renderer if view.record is None else recorded(view.record, renderer)


def recorded(path: str, renderer: Renderer) -> Renderer:
    """Have events written into a file besides.

    Raises:
        OutputError: If it cannot be opened.
    """
    from tcsniff.renderers.recorder import Recorder

    return Recorder(path, renderer)


def _view(
    view: View, select: Select | None, *, source: str, selection: str, condition: Callable[[], str]
) -> Renderer:
    output = Output()
    live = can_draw(output)
    if select is not None:
        from tcsniff.renderers.projection import ProjectionRenderer

        return ProjectionRenderer(output, select, bare=view.bare)
    if (name := _name(view, live=live)) == "json":
        from tcsniff.renderers.jsonl import JsonRenderer

        return JsonRenderer(output)
    if name == "raw":
        from tcsniff.renderers.raw import RawRenderer

        return RawRenderer(output)
    return _for_people(
        view, output, live=live, source=source, selection=selection, condition=condition
    )


def _name(view: View, *, live: bool) -> str:
    if view.as_json:
        return "json"
    if view.output is None and view.columns and not live:
        return "lines"
    return view.output or ("table" if live else "json")


def _for_people(
    view: View,
    output: Output,
    *,
    live: bool,
    source: str,
    selection: str,
    condition: Callable[[], str],
) -> Renderer:
    columns = named(view.columns)
    colour = coloured(view.colour, live=live)
    ascii_only = knows_only_ascii()
    if _name(view, live=live) == "table" and live:
        from tcsniff.renderers.table import TableRenderer  # rich: 25 ms

        return TableRenderer(
            output,
            source=source,
            selection=selection,
            condition=condition,
            columns=columns,
            utc=view.utc,
            colour=colour,
            ascii_only=ascii_only,
        )
    from tcsniff.renderers.lines import LinesRenderer

    columns = columns or COLUMNS
    return LinesRenderer(
        output,
        columns=in_utc(columns) if view.utc else columns,
        colour=colour,
        ascii_only=ascii_only,
        heading=view.output == "table",
    )


def can_draw(output: Output) -> bool:
    """Tell whether a picture can be drawn there, and again in its place."""
    return output.is_terminal and os.environ.get("TERM") != "dumb"


def knows_only_ascii() -> bool:
    """Tell whether our symbols have to be spelled in ASCII."""
    return not (sys.stdout.encoding or "").lower().startswith("utf")


def coloured(colour: str, *, live: bool) -> bool:
    """Tell whether to use colours.

    Args:
        colour: ``--color``.
        live: Whether a picture is drawn on a terminal.
    """
    # https://no-color.org and https://force-color.org, but a flag beats both.
    if colour != "auto":
        return colour == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return live or bool(os.environ.get("FORCE_COLOR"))
