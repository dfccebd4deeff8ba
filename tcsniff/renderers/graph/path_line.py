"""The critical path in one line: what took the time, and how."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.text import Text

from tcsniff.pulse.times import format_duration
from tcsniff.renderers.graph.labels import MAX_LABEL, MIN_LABEL
from tcsniff.renderers.graph.scene import Scene
from tcsniff.renderers.widths import shorten_text
from tcsniff.taskgraph.critical_path import PathStep, sum_path

_PATH_LABELS = (
    80,
    MAX_LABEL,
    32,
    24,
    18,
)  # cells for the name of a step: the more steps, the fewer
_ARROW = " → "
_MIN_SHARES = (0.05, 0.2)  # of the path, below which waiting and idle time are left out
_MIN_STEP = 0.005  # of the path, below which a step is left out


def _format_step(step: PathStep, following: PathStep | None, max_label: int, least: float) -> str:
    # Which part of the time a task has run, waited for a worker, or not been at work at all.
    notes = []
    if step.waiting >= least:
        notes.append(f"waited {format_duration(step.waiting)} for a worker")
    if step.idle >= least:
        idle = f"idle {format_duration(step.idle)}"
        if following is not None and following.is_overdue:
            idle += f" until the deadline of {shorten_text(following.node.label, max_label)}"
        notes.append(idle)
    label = shorten_text(step.node.label, max_label)
    if not notes:
        return f"{label} {format_duration(step.length)}"
    ran = f"{label} ran {format_duration(step.running)}" if step.running else label
    return f"{ran} ({', '.join(notes)})"


_Steps = Sequence[tuple[PathStep, PathStep | None]]  # each with the one that follows


def _choose_steps(path: Sequence[PathStep]) -> _Steps:
    # Without those that took no time, such as tasks that all reached one deadline.
    least = _MIN_STEP * sum_path(path)
    pairs = [
        (step, following)
        for step, following in zip_longest(path, path[1:])
        if step is not None and step.length >= least
    ]
    return pairs or [(path[-1], None)]


def _format_path(steps: _Steps, first: int, room: int, least: float) -> str:
    # Empty if the steps from `first` on do not fit; only a last step is cut.
    start = f"…{_ARROW}" if first else ""
    for max_label in _PATH_LABELS:
        words = [_format_step(*pair, max_label, least) for pair in steps[first:]]
        line = start + _ARROW.join(words)
        if cell_len(line) <= room:
            return line
    return shorten_text(line, room) if first == len(steps) - 1 else ""


def format_path_line(scene: Scene, width: int) -> Text:
    """Format the critical path.

    To make it fit, labels are shortened; then short waiting and idle times are left out,
    then steps from its start.
    """
    if not scene.path:
        return Text("critical path unknown   (dependencies unknown)", style="dim")
    text = Text("critical path ", style="")
    text.append(format_duration(sum_path(scene.path)), style="bold")
    room = width - text.cell_len - 7
    if room < 2 * MIN_LABEL:
        return text
    steps, total = _choose_steps(scene.path), sum_path(scene.path)
    tries = [(0, share) for share in _MIN_SHARES]
    tries += [(first, _MIN_SHARES[-1]) for first in range(1, len(steps))]
    lines = (_format_path(steps, first, room, share * total) for first, share in tries)
    return text.append(f"   {next(filter(None, lines), '')}")
