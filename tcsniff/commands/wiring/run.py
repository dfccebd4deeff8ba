"""What all runs have in common: messages to the user, above a live picture if there is one."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tcsniff.commands.console import ignore_message
from tcsniff.pipeline import ConnectionObserver, Outcome, Renderer
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.times import format_duration
from tcsniff.renderers.columns import describe_gap

Notify = Callable[[str], None]
"""Prints a message on standard error."""


class Run(ConnectionObserver):
    """Base class of the runs of commands."""

    def __init__(self, notify: Notify, *, verbose: bool = False) -> None:
        self._print = notify
        self._verbose = verbose
        self._renderer: Renderer | None = None
        self._details = ""  # of the connection, for USR1

    def notify(self, text: str) -> None:
        """Print a message; above the picture, if there is one."""
        renderer = self._renderer
        if renderer is None or not renderer.is_live or not sys.stderr.isatty():
            self._print(text)
        elif self._print is not ignore_message:
            renderer.notify(f"tcsniff: {text}")

    def detail(self, text: str) -> None:
        """Print technical details, with ``--verbose``; keep them for USR1."""
        self._details = f"tcsniff: {text}\n"
        if self._verbose:
            self.notify(text)

    def add_gap(self, gap: Gap) -> None:
        """Print a message about a gap, and show it in the view."""
        self.notify(describe_gap(gap))
        if self._renderer is not None:
            self._renderer.show_gap(gap)

    def _redraw(self) -> None:
        if self._renderer is not None and self._renderer.is_live:
            self._renderer.redraw()


def describe_outcome(outcome: Outcome, seconds: float | None) -> str:
    """Return the message for an outcome, with the time limit that was reached."""
    if outcome.exit_status != 124 or seconds is None:
        return outcome.value
    time = f"{seconds:g} s" if seconds < 60 else format_duration(seconds)
    return f"{outcome.value} after {time}"
