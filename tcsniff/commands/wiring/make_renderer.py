"""From flags to a renderer of events.

Imported when a command runs, not for its help.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tcsniff.commands.options.output_options import OutputArgs
from tcsniff.pipeline import Renderer
from tcsniff.pulse.events import Event
from tcsniff.pulse.styles import apply_colors
from tcsniff.pulse.urls import are_links_enabled
from tcsniff.renderers.columns import COLUMNS, find_columns, show_utc
from tcsniff.renderers.lines import LINE_FORMATS, ColumnFormatter, LineRenderer, make_projection
from tcsniff.renderers.output import Output
from tcsniff.renderers.stream import StreamInfo

if TYPE_CHECKING:
    from tcsniff.renderers.live_view import LiveView  # rich: 25 ms

RendererFactory = Callable[[StreamInfo], Renderer]
"""Creates the renderer when the source is known."""
Select = Callable[[Event], Any]
"""Returns what to show of an event."""


class _ViewRequest(NamedTuple):
    args: OutputArgs
    stream: StreamInfo
    output: Output
    select: Select | None
    color: bool

    @property
    def link_root(self) -> str | None:
        has_links = are_links_enabled(os.environ, live=can_draw(self.output), colored=self.color)
        return self.stream.root_url if has_links else None


def make_renderer(args: OutputArgs, select: Select | None, stream: StreamInfo) -> Renderer:
    """Create the renderer that the flags ask for.

    Args:
        args: The flags.
        select: Returns what to show of each event; None for what the view shows.
        stream: The source of events.

    Raises:
        UsageError: If a column is unknown.
        OutputError: If the recording or the picture cannot be opened.
    """
    output = Output()
    live = can_draw(output)
    request = _ViewRequest(args, stream, output, select, use_color(args.color, live=live))
    renderer = _VIEWS[_choose_view(args, output)](request)
    if args.save_svg is not None:
        # A file has colors, even if the terminal has none.
        drawn = request._replace(output=Output(io.BytesIO()), color=args.color != "never")
        renderer = add_picture_saver(args.save_svg, renderer, lambda: _make_table(drawn))
    if args.record is not None:
        renderer = add_recorder(args.record, renderer, has_gaps=args.gaps)
    return renderer


def shows_names(args: OutputArgs) -> bool:
    """Return whether the view that the flags ask for shows the names of tasks.

    Raises:
        OutputError: If standard output is closed.
    """
    return args.save_svg is not None or _choose_view(args, Output()) in _NAMING_VIEWS


def _choose_view(args: OutputArgs, output: Output) -> str:
    if args.select is not None:
        return "select"
    if args.as_json:
        return "json"
    is_for_people = output.is_terminal or bool(args.columns)
    name = args.output or choose_output(output, other="lines" if is_for_people else "json")
    return "lines" if name == "table" and not can_draw(output) else name


def _make_table(request: _ViewRequest) -> LiveView:
    from tcsniff.renderers.live_view import LiveView  # rich: 25 ms
    from tcsniff.renderers.table import TablePicture

    args = request.args
    picture = TablePicture(
        color=request.color,
        columns=find_columns(args.columns),
        utc=args.utc,
        root_url=request.link_root,
        styles=apply_colors(args.colors),
    )
    ascii_only = request.output.is_terminal and is_ascii_only()
    return LiveView(request.output, picture, request.stream, ascii_only=ascii_only)


def _make_columns(request: _ViewRequest) -> Renderer:
    args = request.args
    formatter = _make_formatter(request)
    line_format = formatter.line_format
    return LineRenderer(
        request.output,
        line_format if args.gaps else line_format._replace(format_gap=None),
        heading=formatter.format_heading() if args.output == "table" else b"",
    )


def _make_formatter(request: _ViewRequest) -> ColumnFormatter:
    args = request.args
    chosen, styles = find_columns(args.columns), apply_colors(args.colors)
    if not request.output.is_terminal:
        columns = chosen or COLUMNS
        return ColumnFormatter(
            show_utc(columns) if args.utc else columns,
            color=request.color,
            ascii_only=is_ascii_only(),
            root_url=request.link_root,
            styles=styles,
        )
    from tcsniff.renderers.terminal_lines import TerminalLineFormatter  # rich: 20 ms

    return TerminalLineFormatter(
        chosen,
        color=request.color,
        ascii_only=is_ascii_only(),
        utc=args.utc,
        root_url=request.link_root,
        styles=styles,
    )


def make_line_formatter(args: OutputArgs) -> Callable[[Event], str]:
    """Return a function that formats an event as ``-o lines`` does, without color."""
    columns = find_columns(args.columns) or COLUMNS
    formatter = ColumnFormatter(show_utc(columns) if args.utc else columns)
    return lambda event: formatter.format_event(event).decode().rstrip("\n")


def _make_lines(request: _ViewRequest, name: str) -> Renderer:
    line_format = LINE_FORMATS[name]
    if not request.args.gaps:
        line_format = line_format._replace(format_gap=None)
    return LineRenderer(request.output, line_format)


def _make_projection(request: _ViewRequest) -> Renderer:
    assert request.select is not None  # noqa: S101 - `_choose_view`
    bare, is_terminal = request.args.bare, request.output.is_terminal
    line_format = make_projection(request.select, bare=bare, is_terminal=is_terminal)
    return LineRenderer(request.output, line_format)


_VIEWS: dict[str, Callable[[_ViewRequest], Renderer]] = {
    "table": _make_table,
    "lines": _make_columns,
    "json": lambda request: _make_lines(request, "json"),
    "raw": lambda request: _make_lines(request, "raw"),
    "select": _make_projection,
}
_NAMING_VIEWS = ("table", "lines")


def add_picture_saver(
    path: str, renderer: Renderer, make_view: Callable[[], LiveView], title: str = "tcsniff"
) -> Renderer:
    """Return a renderer that also writes the last picture to a file.

    Args:
        path: The file.
        renderer: Shows the events.
        make_view: Creates the view to draw if the renderer draws no picture.
        title: Of the picture.

    Raises:
        OutputError: If the file cannot be opened.
    """
    from tcsniff.renderers.svg import PictureSaver

    return PictureSaver(path, renderer, make_view, title=title)


def add_recorder(path: str, renderer: Renderer, *, has_gaps: bool) -> Renderer:
    """Return a renderer that also records events, and gaps if asked for.

    Raises:
        OutputError: If the file cannot be opened.
    """
    from tcsniff.renderers.recorder import Recorder

    return Recorder(path, renderer, has_gaps=has_gaps)


def choose_output(output: Output, *, other: str = "json") -> str:
    """Return the value of ``--output`` if the flag is not given.

    Args:
        output: Standard output.
        other: The value if it is not a terminal.
    """
    if can_draw(output):
        return "table"
    return "lines" if output.is_terminal else other


def can_draw(output: Output) -> bool:
    """Return whether a picture can be drawn again in its place."""
    return output.is_terminal and os.environ.get("TERM") != "dumb"


def is_ascii_only(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether to replace symbols by ASCII characters.

    That is so if the output's encoding or the locale is not Unicode, and on the Linux
    console, whose fonts have few symbols.
    """
    if not (sys.stdout.encoding or "").lower().startswith("utf"):
        return True
    if environment.get("TERM") == "linux" and sys.stdout.isatty():
        return True
    # Python uses UTF-8 in the C locale, too (PEP 538 and 540), and then sets LC_CTYPE.
    if not sys.flags.utf8_mode or any(map(environment.get, ("PYTHONUTF8", "PYTHONIOENCODING"))):
        return False
    return (environment.get("LC_ALL") or environment.get("LANG")) in ("C", "POSIX")


def use_color(color: str, *, live: bool) -> bool:
    """Return whether to use colors.

    Args:
        color: The value of ``--color``.
        live: Whether the output is a terminal that can draw.
    """
    # https://no-color.org and https://force-color.org; the flag takes precedence.
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return live or bool(os.environ.get("FORCE_COLOR"))
