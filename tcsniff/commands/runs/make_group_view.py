"""From flags to the view of a task group.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import partial

from tcsniff.commands.options.group_options import FORMATS, GraphOutputArgs
from tcsniff.commands.runs.make_renderer import can_draw, is_ascii_only, use_color
from tcsniff.pulse.urls import are_links_enabled
from tcsniff.renderers.graph.group_renderer import GroupView
from tcsniff.renderers.graph.report import (
    GroupReport,
    ReportFormat,
    draw_report,
    list_blocked_rows,
    list_path_rows,
)
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.taskgraph.graph import Graph

_WIDTH, _HEIGHT = 140, 120  # of a picture that no terminal shows; addresses of logs fit
_STILL = 40  # lines, at most, of a picture in a file


def make_group_view(
    showing: GraphOutputArgs,
    *,
    wait: bool,
    source: str,
    condition: Callable[[], str],
    root_url: str | None,
) -> GroupView:
    """Make the view of a group.

    Args:
        showing: What the flags ask for.
        wait: Whether the group is followed; else it is shown once.
        source: What we are connected to, for people.
        condition: Tells what a person should know of the connection.
        root_url: Of the deployment, for addresses; None if that is not known.
    """
    output = Output()
    live = can_draw(output)
    colour = use_color(showing.colour, live=live)
    ascii_only = is_ascii_only()
    name = showing.output or ("table" if live else "json")
    if showing.document in FORMATS:
        export = getattr(
            importlib.import_module(f"tcsniff.taskgraph.exports.{showing.document}"),
            f"export_{showing.document}",
        )
        return GroupReport(output, partial(export, root_url=root_url))
    has_links = are_links_enabled(os.environ, live=live, coloured=colour)
    if showing.document is not None:
        words = _format_words(showing.document, output, as_json=name == "json", colour=colour)
        return GroupReport(output, words, ascii_only=ascii_only and name != "json")
    if name == "table" and not (live and wait):
        size = get_terminal_size if output.is_terminal else _paper
        return GroupReport(
            output,
            draw_report(size, root_url, has_links=has_links, colour=colour),
            ascii_only=ascii_only,
        )
    if name == "table":
        from tcsniff.renderers.graph.live_graph import LiveGraphView

        return LiveGraphView(
            output,
            source=source,
            condition=condition,
            root_url=root_url,
            has_links=has_links,
            colour=colour,
            ascii_only=ascii_only,
        )
    if name == "lines":
        from tcsniff.renderers.graph.group_changes import TextChangesView

        return TextChangesView(
            output, root_url, colour=colour, ascii_only=ascii_only, utc=showing.utc
        )
    from tcsniff.renderers.graph.group_changes import JsonChangesView

    return JsonChangesView(output, root_url)


def _format_words(document: str, output: Output, *, as_json: bool, colour: bool) -> ReportFormat:
    width = get_terminal_size()[0] if output.is_terminal else _WIDTH
    made = list_path_rows if document == "critical-path" else list_blocked_rows
    return made(width, as_json=as_json, colour=colour)


def _paper() -> tuple[int, int]:
    return _WIDTH, _HEIGHT


def check_picture(path: str) -> None:
    """See whether ``--save-svg`` can be written.

    Raises:
        OutputError: If it cannot.
    """
    from tcsniff.renderers.svg import check_picture_path

    check_picture_path(path)


def save_picture(showing: GraphOutputArgs, graph: Graph, now: float) -> None:
    """Write the picture that ``--save-svg`` asks for, if it does.

    Args:
        showing: What the flags ask for.
        graph: The group.
        now: In seconds since the Unix epoch.

    Raises:
        OutputError: If it cannot be written.
    """
    if showing.save_svg is None:
        return
    from tcsniff.renderers.graph.graph_picture import draw_graph
    from tcsniff.renderers.graph.scene import scene_of
    from tcsniff.renderers.svg import WIDTH, save_picture_file

    output = Output()
    is_shown = can_draw(output) and showing.output in (None, "table")
    width, height = get_terminal_size() if is_shown else (WIDTH, _STILL)
    # A file takes colours, whatever the terminal takes.
    colour = showing.colour != "never"
    rows = draw_graph(scene_of(graph, now), None, width, height, colour=colour)
    save_picture_file(showing.save_svg, rows, width, "tcsniff graph")
