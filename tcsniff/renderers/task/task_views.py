"""The changes of named tasks, a line each, and a summary of each task at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.records import format_gap
from tcsniff.renderers.columns import describe_gap, encode_text
from tcsniff.renderers.graph.change_line import find_line_width, format_change
from tcsniff.renderers.graph.group_changes import dump_line
from tcsniff.renderers.graph.group_renderer import GroupView
from tcsniff.renderers.lines import escape_json
from tcsniff.renderers.output import Output
from tcsniff.renderers.task.task_picture import TaskScene, draw_tasks
from tcsniff.taskgraph.summary import Json
from tcsniff.taskgraph.task_summary import summarize_task

BuildScene = Callable[[], TaskScene]
"""Returns the tasks as they are now."""
_WIDTH = 160  # cells of the summary as text; URLs of logs are never cut
_MAX_HEIGHT = 100_000  # lines of the summary as text


class JsonTasksView(GroupView):
    """Writes each change as a line of JSON, and finally ``{"summary": ...}`` for each task."""

    def __init__(
        self, output: Output, build_scene: BuildScene, get_exit_status: Callable[[], int]
    ) -> None:
        """Create a view.

        Args:
            output: Where to write.
            build_scene: Returns the tasks; called at the end.
            get_exit_status: Returns the exit status of the process; called at the end.
        """
        self._output = output
        self._build_scene = build_scene
        self._get_exit_status = get_exit_status
        self._lines: list[bytes] = []

    def add_changes(self, changes: Iterable[Json]) -> None:
        """Add changes, in the form of `summarize_change`."""
        self._lines += map(dump_line, changes)

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""
        self._lines.append(format_gap(gap))

    def flush(self) -> None:
        """Write what was added."""
        self._output.write_lines(self._lines, escape_json)

    def close(self) -> None:
        """Write the summaries."""
        scene = self._build_scene()
        for story in scene.stories:
            run = story.lost_run
            tail = scene.tails.get((story.node.task_id, run.run_id)) if run else None
            summary = summarize_task(story, self._get_exit_status(), scene.root_url, tail)
            self._lines.append(dump_line({"summary": summary}))
        self.flush()


class TextTasksView(GroupView):
    """Writes each change as a line of text, and finally what is known of each task."""

    def __init__(
        self,
        output: Output,
        build_scene: BuildScene,
        *,
        color: bool,
        ascii_only: bool,
        utc: bool,
    ) -> None:
        """Create a view; see `JsonTasksView`.

        Args:
            output: Where to write.
            build_scene: Returns the tasks; called at the end.
            color: Whether to use colors.
            ascii_only: Whether to replace symbols by ASCII characters.
            utc: Whether to show times in UTC instead of the local time zone.
        """
        self._output = output
        self._build_scene = build_scene
        self._color = color
        self._ascii_only = ascii_only
        self._utc = utc
        self._lines: list[bytes] = []

    def add_changes(self, changes: Iterable[Json]) -> None:
        """Add changes, in the form of `summarize_change`."""
        width = find_line_width(self._output)
        for change in changes:
            self._add(format_change(change, width, color=self._color, utc=self._utc))

    def show_gap(self, gap: Gap) -> None:
        """Add a gap."""
        self._add(f"--- {describe_gap(gap)}")

    def flush(self) -> None:
        """Write what was added."""
        self._output.write_lines(self._lines)

    def close(self) -> None:
        """Write what is known of each task."""
        scene = self._build_scene()
        width = find_line_width(self._output) or _WIDTH
        for line in draw_tasks(scene, None, width, _MAX_HEIGHT, color=self._color):
            self._add(line)
        self.flush()

    def _add(self, line: str) -> None:
        self._lines.append(encode_text(f"{line.rstrip()}\n", ascii_only=self._ascii_only))


class TasksPage(GroupView):
    """Shows nothing until the end, then what is known of each task."""

    def __init__(
        self, output: Output, draw: Callable[[], Sequence[str]], *, ascii_only: bool
    ) -> None:
        """Create a view.

        Args:
            output: Where to write.
            draw: Returns the lines of the page; called at the end.
            ascii_only: Whether to replace symbols by ASCII characters.
        """
        self._output = output
        self._draw = draw
        self._ascii_only = ascii_only

    def flush(self) -> None:
        """Check whether there is still a reader."""
        self._output.check()

    def close(self) -> None:
        """Write the page."""
        text = "".join(f"{line.rstrip()}\n" for line in self._draw())
        self._output.write(encode_text(text, ascii_only=self._ascii_only))
