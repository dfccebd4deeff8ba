"""From flags to a renderer that shows.

Imported when a command runs, not for its help.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from tcsniff.commands.options.output_options import OutputArgs
from tcsniff.pipeline import Renderer
from tcsniff.pulse import urls
from tcsniff.pulse.events import Event
from tcsniff.pulse.styles import apply_colors
from tcsniff.renderers.columns import COLUMNS, find_columns, show_utc
from tcsniff.renderers.output import Output

Select = Callable[[Event], Any]
"""What to show of an event."""


def make_renderer(
    view: OutputArgs,
    select: Select | None,
    *,
    source: str,
    selection: str,
    condition: Callable[[], str],
    root_url: str | None = None,
) -> Renderer:
    """Make the renderer of a view.

    Args:
        view: Which.
        select: What to show of each event; None for the view's own choice.
        source: What we are connected to, for people.
        selection: What was asked for, for people.
        condition: Tells what a person should know of the connection.
        root_url: Of the Taskcluster deployment, for links; None if that is not known.

    Raises:
        UsageError: If there is no such column.
        OutputError: If the recording or the picture cannot be opened.
    """
    table = partial(_table, view, source=source, selection=selection, condition=condition)
    renderer = _view(view, select, table, root_url)
    if view.save_svg is not None:
        renderer = add_picture_saver(view.save_svg, renderer, table)
    return renderer if view.record is None else add_recorder(view.record, renderer)


def add_picture_saver(
    path: str, renderer: Renderer, table: Callable[..., Any], title: str = "tcsniff"
) -> Renderer:
    """Have the last picture written into a file.

    Args:
        path: The file.
        renderer: Shows the events.
        table: Makes what draws the picture if the renderer does not.
        title: Of the picture.

    Raises:
        OutputError: If it cannot be opened.
    """
    from tcsniff.renderers.output import get_terminal_size
    from tcsniff.renderers.svg import Drawing, Saver

    if isinstance(renderer, Drawing):  # on a terminal: in its size
        return Saver(path, renderer, renderer, title=title, size=get_terminal_size)
    drawing = table(Output(io.BytesIO()), ascii_only=False)
    return Saver(path, renderer, drawing, title=title)


def add_recorder(path: str, renderer: Renderer) -> Renderer:
    """Have events written into a file besides.

    Raises:
        OutputError: If it cannot be opened.
    """
    from tcsniff.renderers.recorder import Recorder

    return Recorder(path, renderer)


def _view(
    view: OutputArgs, select: Select | None, table: Callable[..., Any], root_url: str | None
) -> Renderer:
    output = Output()
    live = can_draw(output)
    if select is not None:
        from tcsniff.renderers.lines import ProjectionRenderer

        return ProjectionRenderer(output, select, bare=view.bare)
    if (name := _name(view, live=live)) == "json":
        from tcsniff.renderers.lines import JsonRenderer

        return JsonRenderer(output)
    if name == "raw":
        from tcsniff.renderers.lines import RawRenderer

        return RawRenderer(output)
    colour = use_color(view.colour, live=live)
    shown = urls.are_links_enabled(os.environ, live=live, coloured=colour)
    root_url = root_url if shown else None
    if name == "table" and live:
        made: Renderer = table(
            output, colour=colour, ascii_only=is_ascii_only(), root_url=root_url
        )
        return made
    return _lines(view, output, colour=colour, root_url=root_url)


def _name(view: OutputArgs, *, live: bool) -> str:
    if view.as_json:
        return "json"
    if view.output is None and view.columns and not live:
        return "lines"
    return view.output or ("table" if live else "json")


def _table(view: OutputArgs, output: Output, **given: Any) -> Renderer:
    from tcsniff.renderers.table import TableRenderer  # rich: 25 ms

    # A file takes colours, whatever the terminal takes.
    given.setdefault("colour", view.colour != "never")
    return TableRenderer(
        output,
        columns=find_columns(view.columns),
        utc=view.utc,
        styles=apply_colors(view.colors),
        **given,
    )


def _lines(view: OutputArgs, output: Output, *, colour: bool, root_url: str | None) -> Renderer:
    from tcsniff.renderers.lines import LinesRenderer

    columns = find_columns(view.columns) or COLUMNS
    return LinesRenderer(
        output,
        columns=show_utc(columns) if view.utc else columns,
        colour=colour,
        ascii_only=is_ascii_only(),
        heading=view.output == "table",
        root_url=root_url,
        styles=apply_colors(view.colors),
    )


def can_draw(output: Output) -> bool:
    """Tell whether a picture can be drawn there, and again in its place."""
    return output.is_terminal and os.environ.get("TERM") != "dumb"


def is_ascii_only() -> bool:
    """Tell whether our symbols have to be spelled in ASCII."""
    return not (sys.stdout.encoding or "").lower().startswith("utf")


def use_color(colour: str, *, live: bool) -> bool:
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
