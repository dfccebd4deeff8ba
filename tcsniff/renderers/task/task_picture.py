"""A picture of named tasks that fits a screen, however many they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from rich.text import Text

from tcsniff.pulse.styles import get_state_style
from tcsniff.pulse.urls import build_log_url, build_task_url
from tcsniff.renderers.ansi import join_words, paint_lines
from tcsniff.renderers.graph.graph_parts import strip_stamp
from tcsniff.renderers.graph.labels import find_room
from tcsniff.renderers.live_view import Picture
from tcsniff.renderers.stream import StreamStatus
from tcsniff.renderers.task.row_text import format_rows
from tcsniff.renderers.terminal import format_status
from tcsniff.renderers.widths import pad_text
from tcsniff.sanitize import sanitize
from tcsniff.taskgraph.nodes import Node, count_states
from tcsniff.taskgraph.task_rows import (
    FACTS,
    LINE,
    LOG,
    NEEDED_BY,
    REASON,
    ROUTES,
    RUN,
    TITLE,
    UNKNOWN,
    StoryRow,
    list_log_rows,
    list_rows,
)
from tcsniff.taskgraph.task_story import TaskStory

RunKey = tuple[str, int]
Tails = Mapping[RunKey, Sequence[str]]
"""The last lines of logs, by task ID and run; not safe for a terminal."""


class TaskScene(NamedTuple):
    """Tasks at one moment, and how to draw them.

    Attributes:
        stories: The tasks, in the user's order.
        root_url: Root URL of the deployment; None if unknown.
        has_links: Whether text may be a link.
        utc: Whether times of day are in UTC instead of the local time zone.
        tails: The last lines of logs.
    """

    stories: Sequence[TaskStory]
    root_url: str | None = None
    has_links: bool = False
    utc: bool = False
    tails: Tails = MappingProxyType({})


class _Detail(NamedTuple):
    # What is left out where there is no room, kind by kind.
    kinds: Collection[str]
    runs: int  # the last ones of each task
    lines: int  # the last ones of each log


_ALL = frozenset({TITLE, FACTS, RUN, REASON, NEEDED_BY, ROUTES, LOG, LINE, UNKNOWN})
_DETAILS = (
    _Detail(_ALL, 1_000, 1_000),
    _Detail(_ALL - {ROUTES}, 1_000, 1_000),
    _Detail(_ALL - {ROUTES}, 6, 5),
    _Detail(_ALL - {ROUTES, NEEDED_BY}, 3, 2),
    _Detail(_ALL - {ROUTES, NEEDED_BY, LINE}, 2, 0),
    _Detail(frozenset({TITLE, RUN, REASON, UNKNOWN}), 1, 0),
)


def list_failed_runs(stories: Sequence[TaskStory]) -> list[RunKey]:
    """Return the runs that made tasks go wrong and have a log, in the user's order."""
    lost = [(story.node.task_id, story.lost_run) for story in stories]
    return [(task_id, run.run_id) for task_id, run in lost if run is not None]


def draw_tasks(
    scene: TaskScene,
    status: StreamStatus | None,
    width: int,
    height: int,
    *,
    color: bool,
) -> list[str]:
    """Draw tasks.

    Args:
        scene: The tasks.
        status: For the status line; None for no status line.
        width: Of the screen, in cells.
        height: The maximum number of lines.
        color: Whether to use colors.

    Returns:
        At most `height` lines of at most `width` cells. If there is no room for
        everything, less is said of each task; if there is none for all tasks, they are
        counted.
    """
    foot = [] if status is None else [format_status(status, width)]
    room = max(1, height - len(foot))
    rows = next(
        (rows for rows in _draw_sections(scene, width) if len(rows) <= room),
        None,
    ) or _draw_list(scene, width, room)
    if foot and len(rows) < room:
        rows.append(Text())
    return paint_lines([*rows, *foot], width, color=color)[:height]


def _draw_sections(scene: TaskScene, width: int) -> Iterator[list[Text]]:
    # With less and less detail.
    every = [_list_all_rows(story, scene, width) for story in scene.stories]
    link_root = scene.root_url if scene.has_links else None
    for detail in _DETAILS:
        lines: list[Text] = []
        for rows in every:
            lines += [Text()] if lines else []
            lines += format_rows(_reduce(rows, detail), width, link_root)
        yield lines


def _list_all_rows(story: TaskStory, scene: TaskScene, width: int) -> list[StoryRow]:
    run = story.lost_run
    rows = list_rows(story, utc=scene.utc)
    if run is None:
        return rows
    url = build_log_url(scene.root_url, story.node.task_id, run.run_id)
    tail = scene.tails.get((story.node.task_id, run.run_id), ())
    return rows + list_log_rows(story, url, [strip_stamp(line, width) for line in tail])


def _reduce(rows: Sequence[StoryRow], detail: _Detail) -> list[StoryRow]:
    kept = [row for row in rows if row.kind in detail.kinds]
    limits = {RUN: detail.runs, LINE: detail.lines}
    numbers = {kind: sum(row.kind == kind for row in kept) for kind in limits}
    reduced = []
    for row in kept:
        if row.kind in limits:
            numbers[row.kind] -= 1
            if numbers[row.kind] >= limits[row.kind]:
                continue
        reduced.append(row)
    return reduced


def _draw_list(scene: TaskScene, width: int, room: int) -> list[Text]:
    # A line for each task: those that went wrong first, then those that have not ended.
    ordered = sorted(scene.stories, key=_get_importance)
    shown = ordered if len(ordered) <= room else ordered[: max(0, room - 1)]
    labels = find_room((story.node.label for story in shown), width)
    rows = [_format_short(story, scene, labels) for story in shown]
    if len(shown) < len(ordered):
        rows.append(_count_rest([story.node for story in ordered[len(shown) :]]))
    return rows


def _get_importance(story: TaskStory) -> tuple[bool, bool]:
    return not story.node.went_wrong, story.has_ended


def _format_short(story: TaskStory, scene: TaskScene, room: int) -> Text:
    style = get_state_style(story.node.state)
    text = Text().append(f"{style.symbol} ", style=style.style)
    url = build_task_url(scene.root_url if scene.has_links else None, story.node.task_id)
    text.append_text(join_words(pad_text(story.node.label, room), style.style, url))
    text.append(f"  {story.verdict.text}")
    if story.node.label != story.node.task_id:
        text.append(f"   {sanitize(story.node.task_id)}", style="dim")
    return text


def _count_rest(nodes: Sequence[Node]) -> Text:
    text = Text(f"… {len(nodes):,} more:")
    for state, number in count_states(nodes).items():
        style = get_state_style(state)
        text.append(f"  {style.symbol} {number:,}", style=style.style)
    return text


class TaskPicture(Picture):
    """Named tasks as they are now."""

    def __init__(self, build_scene: Callable[[], TaskScene], *, color: bool) -> None:
        """Create a picture.

        Args:
            build_scene: Returns the tasks.
            color: Whether to use colors.
        """
        self._build_scene = build_scene
        self.color = color

    def draw(self, width: int, height: int, status: StreamStatus | None) -> list[str]:
        """Draw the picture; without a status line if `status` is None."""
        return draw_tasks(self._build_scene(), status, width, max(2, height), color=self.color)
