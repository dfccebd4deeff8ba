"""The filter of ``--grep``, and the names of all filters.

Imported when a command runs, not for its help.
"""

from __future__ import annotations

from collections.abc import Callable

from tcsniff.commands.options.filter_options import FilterArgs
from tcsniff.errors import UsageError
from tcsniff.pulse.events import Event
from tcsniff.selection.regexes import Regex, RegexProblem


class LineFilter:
    """The filter of ``--grep``.

    Attributes:
        failures: The number of events whose line could not be searched.
        reason: Why the first one could not; empty if none failed.
    """

    def __init__(self, pattern: str, format_line: Callable[[Event], str] | None) -> None:
        """Compile a regular expression.

        Raises:
            UsageError: If it is not valid.
        """
        try:
            self._regex = Regex(pattern)
        except RegexProblem as error:
            raise UsageError(f"--grep: {error}") from None
        self._format_line = format_line or repr
        self.failures = 0
        self.reason = ""

    def is_match(self, event: Event) -> bool:
        """Return whether a part of the event's line matches."""
        try:
            return self._regex.matches(self._format_line(event))
        except RegexProblem as error:
            self.failures += 1
            self.reason = str(error)
            return False


def list_filters(content: FilterArgs) -> str:
    """Return the flags that select by content, for messages; empty if there are none."""
    values = content._asdict()
    return ", ".join(f"--{_FLAG_NAMES.get(name, name)}" for name in values if values[name])


_FLAG_NAMES = {"states": "state", "reasons": "reason", "tags": "tag"}
