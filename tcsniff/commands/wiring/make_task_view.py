"""From flags to the view of named tasks.

Imported when the command runs, not for its help.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from tcsniff.commands.options.task_options import TaskOutputArgs
from tcsniff.commands.wiring.make_group_view import make_tails
from tcsniff.commands.wiring.make_renderer import (
    can_draw,
    choose_output,
    is_ascii_only,
    use_color,
)
from tcsniff.pulse.urls import are_links_enabled
from tcsniff.renderers.graph.group_renderer import GroupView
from tcsniff.renderers.graph.live_graph import GetTails, LiveGroupView
from tcsniff.renderers.output import Output, get_terminal_size
from tcsniff.renderers.stream import StreamInfo
from tcsniff.renderers.svg import WIDTH, save_picture_file
from tcsniff.renderers.task.task_picture import (
    TaskPicture,
    TaskScene,
    draw_tasks,
    list_failed_runs,
)
from tcsniff.renderers.task.task_views import JsonTasksView, TasksPage, TextTasksView
from tcsniff.settings.web_server import WebServer
from tcsniff.taskgraph.named_tasks import NamedTasks

_PAGE_SIZE = 160, 100_000  # cells and lines without a terminal
_MAX_PICTURE_HEIGHT = 60  # lines of a picture in a file


class _ViewRequest(NamedTuple):
    args: TaskOutputArgs
    stream: StreamInfo
    tasks: NamedTasks
    clock: Callable[[], float]
    output: Output
    color: bool
    has_links: bool
    get_tails: GetTails | None

    def build_scene(self) -> TaskScene:
        stories = self.tasks.tell_stories(self.clock())
        tails = self.get_tails(list_failed_runs(stories)) if self.get_tails else {}
        return TaskScene(stories, self.stream.root_url, self.has_links, self.args.utc, tails)


def make_task_view(
    args: TaskOutputArgs,
    stream: StreamInfo,
    server: WebServer | None,
    tasks: NamedTasks,
    clock: Callable[[], float],
    *,
    wait: bool,
) -> GroupView:
    """Create the view of named tasks.

    Args:
        args: The flags.
        stream: The source of events.
        server: The deployment, which has the logs; None if unknown.
        tasks: The tasks.
        clock: Returns the time, in seconds since the Unix epoch.
        wait: Whether to wait for the tasks; otherwise they are shown once.
    """
    output = Output()
    live = can_draw(output)
    color = use_color(args.color, live=live)
    has_links = are_links_enabled(os.environ, live=live, colored=color)
    name = args.output or choose_output(output)
    if name == "table" and not (live and wait):
        name = "page"
    get_tails = make_tails(args.logs, server, wait=name != "table")
    return _VIEWS[name](
        _ViewRequest(args, stream, tasks, clock, output, color, has_links, get_tails)
    )


def _make_live(request: _ViewRequest) -> GroupView:
    picture = TaskPicture(request.build_scene, color=request.color)
    return LiveGroupView(request.output, picture, request.stream, ascii_only=is_ascii_only())


def _make_page(request: _ViewRequest) -> GroupView:
    def draw() -> list[str]:
        width = (get_terminal_size() if request.output.is_terminal else _PAGE_SIZE)[0]
        scene = request.build_scene()
        return draw_tasks(scene, None, width, _PAGE_SIZE[1], color=request.color)

    return TasksPage(request.output, draw, ascii_only=is_ascii_only())


def _make_text(request: _ViewRequest) -> GroupView:
    return TextTasksView(
        request.output,
        request.build_scene,
        color=request.color,
        ascii_only=is_ascii_only(),
        utc=request.args.utc,
    )


def _make_json(request: _ViewRequest) -> GroupView:
    return JsonTasksView(request.output, request.build_scene, lambda: request.tasks.exit_status)


_VIEWS: dict[str, Callable[[_ViewRequest], GroupView]] = {
    "table": _make_live,
    "page": _make_page,
    "lines": _make_text,
    "json": _make_json,
}


def save_task_picture(args: TaskOutputArgs, tasks: NamedTasks, now: float) -> None:
    """Write the picture for ``--save-svg``, if the flag was given.

    Args:
        args: The flags.
        tasks: The tasks.
        now: In seconds since the Unix epoch.

    Raises:
        OutputError: If it cannot be written.
    """
    if args.save_svg is None:
        return
    is_shown = can_draw(Output()) and args.output in (None, "table")
    width, height = get_terminal_size() if is_shown else (WIDTH, _MAX_PICTURE_HEIGHT)
    scene = TaskScene(tasks.tell_stories(now), utc=args.utc)
    # A file has colors, even if the terminal has none.
    rows = draw_tasks(scene, None, width, height, color=args.color != "never")
    save_picture_file(args.save_svg, rows, width, "tcsniff task")
