"""From flags to the view of a task group.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from tcsniff.commands.options.group_options import FORMATS, GraphOutputArgs
from tcsniff.commands.wiring.make_renderer import (
    can_draw,
    choose_output,
    is_ascii_only,
    use_color,
)
from tcsniff.pulse.urls import are_links_enabled
from tcsniff.renderers.graph.graph_picture import draw_graph
from tcsniff.renderers.graph.group_changes import JsonChangesView, TextChangesView
from tcsniff.renderers.graph.group_renderer import GroupView
from tcsniff.renderers.graph.live_graph import GetTails, GraphPicture, LiveGroupView
from tcsniff.renderers.graph.report import (
    GroupReport,
    ReportFormat,
    format_blocked_json,
    format_blocked_text,
    format_path_json,
    format_path_text,
    join_lines,
)
from tcsniff.renderers.graph.scene import build_scene
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.renderers.stream import StreamInfo
from tcsniff.renderers.svg import WIDTH, save_picture_file
from tcsniff.settings.web_server import WebServer
from tcsniff.taskgraph.graph import Graph
from tcsniff.taskgraph.group import GroupState

_PAGE_SIZE = 140, 120  # cells and lines without a terminal; URLs of logs fit
_MAX_PICTURE_HEIGHT = 40  # lines of a picture in a file


class _ViewRequest(NamedTuple):
    args: GraphOutputArgs
    stream: StreamInfo
    group: GroupState
    clock: Callable[[], float]
    output: Output
    color: bool
    has_links: bool
    has_times: bool
    get_tails: GetTails | None


def make_group_view(
    args: GraphOutputArgs,
    stream: StreamInfo,
    server: WebServer | None,
    group: GroupState,
    clock: Callable[[], float],
    *,
    wait: bool,
    has_times: bool,
) -> GroupView:
    """Create the view of a group.

    Args:
        args: The flags.
        stream: The source of events.
        server: The deployment, which has the logs; None if unknown.
        group: The group.
        clock: Returns the group's time, in seconds since the Unix epoch.
        has_times: Whether to show times of day, because the time is not the present.
        wait: Whether to wait for the group; otherwise it is shown once.
    """
    output = Output()
    live = can_draw(output)
    color = use_color(args.color, live=live)
    has_links = are_links_enabled(os.environ, live=live, colored=color)
    request = _ViewRequest(args, stream, group, clock, output, color, has_links, has_times, None)
    name = args.output or choose_output(output)
    if args.document is not None:
        return _make_document(request, as_json=name == "json")
    if name == "table" and not (live and wait):
        name = "page"
    get_tails = make_tails(args.logs, server, wait=name != "table")
    request = request._replace(get_tails=get_tails)
    return _VIEWS[name](request)


def make_tails(lines: int | None, server: WebServer | None, *, wait: bool) -> GetTails | None:
    """Return a function that returns the last lines of logs; None for no logs.

    Args:
        lines: How many lines; None or 0 for none.
        server: The deployment; None if unknown, then there are no logs.
        wait: Whether it waits until all logs are fetched.
    """
    if not lines or server is None:
        return None

    from tcsniff.sources.log_tail import fetch_log_tail  # urllib3: 40 ms
    from tcsniff.sources.log_tails import LogTails

    tails = LogTails(lambda task_id, run_id: fetch_log_tail(server, task_id, run_id, lines))
    return partial(tails.get, wait=wait)


def _make_document(request: _ViewRequest, *, as_json: bool) -> GroupView:
    name = request.args.document or ""
    if name in FORMATS:
        module = importlib.import_module(f"tcsniff.taskgraph.exports.{name}")
        export = partial(getattr(module, f"export_{name}"), root_url=request.stream.root_url)
        return GroupReport(request.output, request.group, request.clock, export)
    width = (get_terminal_size() if request.output.is_terminal else _PAGE_SIZE)[0]
    format_json, format_text = _DOCUMENTS[name]
    return GroupReport(
        request.output,
        request.group,
        request.clock,
        format_json if as_json else partial(format_text, width=width, color=request.color),
        ascii_only=is_ascii_only() and not as_json,
    )


_DOCUMENTS: dict[str, tuple[ReportFormat, Callable[..., str]]] = {
    "critical-path": (format_path_json, format_path_text),
    "blocked": (format_blocked_json, format_blocked_text),
}


def _make_picture(request: _ViewRequest) -> GraphPicture:
    return GraphPicture(
        request.group,
        request.clock,
        request.stream.root_url,
        has_links=request.has_links,
        color=request.color,
        has_times=request.has_times,
        utc=request.args.utc,
        get_tails=request.get_tails,
    )


def _make_live(request: _ViewRequest) -> GroupView:
    picture = _make_picture(request)
    return LiveGroupView(request.output, picture, request.stream, ascii_only=is_ascii_only())


def _make_page(request: _ViewRequest) -> GroupView:
    def format_page(_graph: Graph, _now: float) -> str:
        width, height = get_terminal_size() if request.output.is_terminal else _PAGE_SIZE
        return join_lines(_make_picture(request).draw(width, max(1, height - 1), None))

    ascii_only = is_ascii_only()
    return GroupReport(
        request.output, request.group, request.clock, format_page, ascii_only=ascii_only
    )


def _make_text(request: _ViewRequest) -> GroupView:
    return TextChangesView(
        request.output,
        request.group,
        request.clock,
        request.stream.root_url,
        color=request.color,
        ascii_only=is_ascii_only(),
        utc=request.args.utc,
        has_times=request.has_times,
        get_tails=request.get_tails,
    )


def _make_json(request: _ViewRequest) -> GroupView:
    root_url = request.stream.root_url
    return JsonChangesView(request.output, request.group, request.clock, root_url)


_VIEWS: dict[str, Callable[[_ViewRequest], GroupView]] = {
    "table": _make_live,
    "page": _make_page,
    "lines": _make_text,
    "json": _make_json,
}


def save_picture(args: GraphOutputArgs, graph: Graph, now: float, *, has_times: bool) -> None:
    """Write the picture for ``--save-svg``, if the flag was given.

    Args:
        args: The flags.
        graph: The group.
        now: In seconds since the Unix epoch.
        has_times: Whether to show times of day.

    Raises:
        OutputError: If it cannot be written.
    """
    if args.save_svg is None:
        return
    is_shown = can_draw(Output()) and args.output in (None, "table")
    width, height = get_terminal_size() if is_shown else (WIDTH, _MAX_PICTURE_HEIGHT)
    # A file has colors, even if the terminal has none.
    color = args.color != "never"
    scene = build_scene(graph, now, has_times=has_times, utc=args.utc)
    rows = draw_graph(scene, None, width, height, color=color)
    save_picture_file(args.save_svg, rows, width, "tcsniff graph")
