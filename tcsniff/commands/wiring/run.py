"""What all runs have in common: messages to the user, above a live picture if there is one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from tcsniff.commands.console import ignore_message
from tcsniff.commands.options.source_options import SourceArgs
from tcsniff.pipeline import ConnectionObserver, Outcome, Renderer, Source
from tcsniff.pulse.deliveries import Gap
from tcsniff.pulse.times import format_duration
from tcsniff.renderers.columns import describe_gap
from tcsniff.renderers.stream import StreamControl
from tcsniff.signals import signal_handler

Notify = Callable[[str], None]
"""Prints a message on standard error."""
_STANDARD_INPUT = "-"  # as the name of a recording


class Run(ConnectionObserver):
    """Base class of the runs of commands."""

    def __init__(self, notify: Notify, *, verbose: bool = False) -> None:
        self._print = notify
        self._verbose = verbose
        self._renderer: Renderer | None = None
        self._details = ""  # of the connection, for USR1
        self._source = Source()
        self._has_quit = False  # whether the user has quit with a key

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

    def _defer_signals(self, report: Callable[[], str]) -> AbstractContextManager[None]:
        # A signal ends the run after the present batch.
        return signal_handler.deferred(
            self._source.stop, report, self._leave_terminal, self._redraw
        )

    def _make_control(self, origin: SourceArgs) -> StreamControl | None:
        if _STANDARD_INPUT in origin.recordings:  # not keys, but events
            return None
        return StreamControl(self._quit, self._source.watch)

    def _quit(self) -> None:
        self._has_quit = True
        self._source.stop()

    def _leave_terminal(self) -> None:
        if self._renderer is not None and self._renderer.is_live:
            self._renderer.leave_terminal()

    def _redraw(self) -> None:
        if self._renderer is not None and self._renderer.is_live:
            self._renderer.redraw()


def describe_outcome(outcome: Outcome, seconds: float | None) -> str:
    """Return the message for an outcome, with the time limit that was reached."""
    if outcome.exit_status != 124 or seconds is None:
        return outcome.value
    time = f"{seconds:g} s" if seconds < 60 else format_duration(seconds)
    return f"{outcome.value} after {time}"
