"""Whether every task of a group is known, and if not, why.

Pure, except that `Completeness` has state. There are two proofs that all tasks are
known:

* The queue's API, or a saved answer of it, has listed them all.
* All messages about the group were received. They were if the queue has announced the
  task whose ID is the group's, which is the first to be created (or has said that
  the group does not exist yet), if every task that was heard of was also announced
  by ``task-defined``, if no gap was reported, and if the queue has announced that the
  group is resolved.

Otherwise a task that failed before may never have been heard of.
"""

from __future__ import annotations

NO_API = "no API; --root-url or --graph completes it"
"""Why a group is known in part, if the queue's API is not asked."""
_MAX_SHOWN = 3  # messages that are not valid


class Completeness:
    """What speaks for and against every task of a group being known.

    Attributes:
        reason: Why the tasks may not all be known; a few words for people.
        unread: The messages and statuses that are not valid, each in a few words; only
            the first ones.
        unread_count: How many there were.
    """

    def __init__(self) -> None:
        self.reason = NO_API
        self.unread: list[str] = []
        self.unread_count = 0
        self._is_listed = False
        self._is_from_start = False
        self._gaps = 0
        self._announced: set[str] = set()
        self._unannounced: set[str] = set()
        self._unread_answers: set[str] = set()

    @property
    def is_listed(self) -> bool:
        """Whether the queue or a file has listed all tasks."""
        return self._is_listed

    def add_list(self) -> None:
        """Record that the queue or a file has listed all tasks."""
        self._is_listed = True

    def drop_list(self, reason: str) -> None:
        """Record that there may be other tasks than those listed, or by now other states."""
        self._is_listed = False
        self.reason = reason

    def start(self) -> None:
        """Record that all messages from now on are received, and none was sent before."""
        self._is_from_start = True

    def deny_start(self) -> None:
        """Record that messages may have been sent before the first that was received."""
        self._is_from_start = False

    def add_gap(self) -> None:
        """Record that messages may have been missed."""
        self._gaps += 1
        self.drop_list("messages may have been missed")

    def announce(self, task_id: str) -> None:
        """Record that the queue has announced a new task."""
        self._announced.add(task_id)
        self._unannounced.discard(task_id)

    def hear(self, task_id: str) -> None:
        """Record that there is a task."""
        if task_id not in self._announced:
            self._unannounced.add(task_id)

    def add_unread(self, description: str) -> None:
        """Count something that is not valid."""
        self.unread_count += 1
        if len(self.unread) < _MAX_SHOWN:
            self.unread.append(description)

    def add_unread_answer(self, description: str) -> None:
        """Count something in an answer of the queue that is not valid.

        The queue is asked again and again, so the same description counts once.
        """
        if description not in self._unread_answers:
            self._unread_answers.add(description)
            self.add_unread(description)

    def is_whole(self, task_group_id: str, *, is_resolved: bool) -> bool:
        """Return whether every task of the group is known.

        Args:
            task_group_id: The group.
            is_resolved: Whether the queue has announced that all have ended.
        """
        has_start = self._is_from_start or task_group_id in self._announced
        is_heard = has_start and is_resolved and not self._gaps and not self._unannounced
        return self._is_listed or is_heard

    def list_doubts(self) -> tuple[str, ...]:
        """Return why states may be other than known, in words for people."""
        number = self.unread_count
        if not number:
            return ()
        more = f" and {number - len(self.unread):,} more" if number > len(self.unread) else ""
        what = "message" if number == 1 else "messages"
        return (f"{number:,} {what} could not be decoded: {', '.join(self.unread)}{more}",)
