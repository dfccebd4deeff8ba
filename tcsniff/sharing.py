"""Tasks kept in little memory: what they have in common is there once.

Pure, but for `Shared`, which remembers. The strings that a message is decoded to
are new ones, however often they came before.
"""

from __future__ import annotations

from tcsniff.taskgraph.tracker import Run, Status, Task


class Shared:
    """Finds the string that was there first."""

    def __init__(self, most: int = 10_000) -> None:
        """Nothing is known yet.

        Args:
            most: How many strings are remembered, or a task's more.
        """
        self._most = most
        self._known: dict[str, str] = {}

    def __len__(self) -> int:
        """How many strings are remembered."""
        return len(self._known)

    def slim(self, task: Task) -> Task:
        """Make an equal task, but for its label, of strings that others have too."""
        if len(self._known) >= self._most:
            self._known.clear()
        status = task.status
        slim = Status(
            status.task_id,
            self._one(status.task_group_id),
            self._one(status.state),
            self._one(status.scheduler_id),
            self._one(status.provisioner_id),
            self._one(status.worker_type),
            tuple(map(self._run, status.runs)),
            status.deadline,
        )
        return Task(slim, "", self._one(task.kind))

    def _run(self, run: Run) -> Run:
        return Run(
            run.run_id,
            self._one(run.state),
            self._maybe(run.reason_created),
            self._maybe(run.reason_resolved),
            self._maybe(run.worker_group),
            run.worker_id,
            run.scheduled,
            run.started,
            run.resolved,
        )

    def _one(self, text: str) -> str:
        return self._known.setdefault(text, text)

    def _maybe(self, text: str | None) -> str | None:
        return None if text is None else self._known.setdefault(text, text)
