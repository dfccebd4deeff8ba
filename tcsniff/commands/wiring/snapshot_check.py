"""The conditions of ``top`` to stop: expressions over each snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tcsniff.pipeline import Outcome
from tcsniff.stats.run_counter import RunCounter
from tcsniff.stats.snapshots import Snapshot


class SnapshotExpression(Protocol):
    """A compiled expression, as in `selection.expressions`."""

    def holds(self, event: Any) -> bool:
        """Return whether the value is true."""
        ...


class SnapshotCheck:
    """Stops a counter at the first snapshot for which an expression is true."""

    def __init__(
        self,
        until: Sequence[SnapshotExpression],
        fail_on: Sequence[SnapshotExpression],
        counter: RunCounter,
    ) -> None:
        """Start to check snapshots, if there is an expression.

        Args:
            until: Expressions that end the run with success.
            fail_on: Expressions that end it with failure; checked first.
            counter: Takes the snapshots.
        """
        self._until = until
        self._fail_on = fail_on
        self._counter = counter
        self._outcome: Outcome | None = None
        if until or fail_on:
            counter.listen(self._check)

    def find_outcome(self) -> Outcome | None:
        """Return why the run ends; None if it goes on."""
        self._counter.end_periods()
        return self._outcome

    def find_last_outcome(self) -> Outcome | None:
        """Return why the run ends, after the last snapshot; None for another reason."""
        self._counter.finish()
        return self._outcome

    def _check(self, snapshot: Snapshot) -> None:
        if any(expression.holds(snapshot) for expression in self._fail_on):
            self._outcome = Outcome.FAIL_ON_MATCHED
        elif any(expression.holds(snapshot) for expression in self._until):
            self._outcome = Outcome.UNTIL_MATCHED
        self._counter.is_stopped = self._outcome is not None
