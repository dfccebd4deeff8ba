"""From flags to what must be true of an event.

Imported when a command runs, not for its help: the imports below cost 25 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from tcsniff.commands.content import Content
from tcsniff.pipeline import Test
from tcsniff.pulse.events import Event
from tcsniff.selection.filters import Seen, reasons, states, tagged


class Question(Protocol):
    """What may be asked of an event: `expressions.Expression`, which is loaded when needed."""

    hint: str | None
    failures: int
    reason: str | None

    def search(self, event: Event) -> Any:
        """Tell what it finds."""
        ...

    def holds(self, event: Event) -> bool:
        """Tell whether it finds something that is not false."""
        ...


def _expressions(texts: Sequence[str], flag: str) -> Sequence[Question]:
    if not texts:
        return ()
    from tcsniff.selection import expressions  # jmespath: 20 ms

    return [expressions.compile(text, flag) for text in texts]


class Filtering:
    """The tests that flags ask for, and the expressions in them.

    Attributes:
        tests: What must be true of an event.
    """

    def __init__(self, content: Content, tell: Callable[[str], None]) -> None:
        """Read the flags.

        Args:
            content: The flags.
            tell: Takes what is probably wrong with an expression though it is
                valid.

        Raises:
            UsageError: If one of them asks for what cannot be.
        """
        self._tell = tell
        self._asked: dict[str, Sequence[Question]] = {}
        self._seen = Seen() if content.dedupe else None
        self.tests = list(self._tests(content))

    @property
    def repeats(self) -> int:
        """How many events were dropped because they were seen before."""
        return 0 if self._seen is None else self._seen.repeats

    def compiled(self, flag: str, texts: Sequence[str]) -> Sequence[Question]:
        """Read the expressions of a flag.

        Raises:
            UsageError: If one is wrong.
        """
        found = _expressions(texts, flag)
        self._asked[flag] = found
        for expression in found:
            if expression.hint:
                self._tell(f"{flag}: {expression.hint}")
        return found

    def any_of(self, flag: str, texts: Sequence[str]) -> Test | None:
        """Read the expressions of a flag of which one has to be true; None if there are none.

        Raises:
            UsageError: If one is wrong.
        """
        found = self.compiled(flag, texts)

        def holds(event: Event) -> bool:
            return any(expression.holds(event) for expression in found)

        return holds if found else None

    def failures(self) -> Iterator[str]:
        """Tell of which expressions it could not be told whether they are true."""
        for flag, found in self._asked.items():
            for one in found:
                if one.failures:
                    yield f"{flag} could not be told of {one.failures:,} events: {one.reason}"

    def _tests(self, content: Content) -> Iterator[Test]:
        for expression in self.compiled("--where", content.where):
            yield expression.holds
        if content.states:
            yield states(content.states)
        if content.reasons:
            yield reasons(content.reasons)
        if content.tags:
            yield tagged(content.tags)
        if self._seen is not None:  # at last: what is not selected need not be remembered
            yield self._seen.is_new
