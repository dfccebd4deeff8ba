"""Regular expressions of users, with a limit of processor time for each search.

Python's `re` takes exponential time for some patterns and texts, and texts come from
anyone who may create a task. It handles signals while it searches, so a timer can end
a search. Not pure: the timer is the process's.
"""

from __future__ import annotations

import re
import signal
import threading
import warnings
from types import FrameType

MAX_SECONDS = 0.25  # of processor time for a search; usual ones take microseconds


class RegexProblem(ValueError):
    """A pattern that is not a regular expression, or that takes too long for a text."""


class _Timer:
    # The process's timer of its own processor time; a busy machine does not matter.
    def __init__(self) -> None:
        self.is_searching = False
        self._is_installed = False

    def install(self) -> bool:
        """Handle the timer's signal; return False where that is not possible."""
        if not self._is_installed and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGVTALRM, self._interrupt)
            self._is_installed = True
        return self._is_installed and threading.current_thread() is threading.main_thread()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        # A late signal, after the search, raises nothing.
        if self.is_searching:
            self.is_searching = False
            raise RegexProblem("the regular expression takes too long for some texts")


_timer = _Timer()


class Regex:
    """A regular expression.

    Attributes:
        pattern: The expression.
    """

    def __init__(self, pattern: str) -> None:
        """Compile an expression.

        Raises:
            RegexProblem: If it is not valid.
        """
        self.pattern = pattern
        self._is_timed = _timer.install()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # [[ may get another meaning some day
                self._search = re.compile(pattern).search
        except (re.error, RecursionError, OverflowError) as error:
            reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
            raise RegexProblem(f"{pattern!r} is not a regular expression: {reason}") from None

    def matches(self, text: str) -> bool:
        """Return whether any part of a text matches.

        Raises:
            RegexProblem: If that takes longer than `MAX_SECONDS`.
        """
        if not self._is_timed:
            return self._search(text) is not None
        try:
            _timer.is_searching = True
            signal.setitimer(signal.ITIMER_VIRTUAL, MAX_SECONDS)
            return self._search(text) is not None
        finally:
            _timer.is_searching = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
