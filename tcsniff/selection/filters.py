"""Filters: which events to show, told by what is in them.

Pure, but for `Seen`, which remembers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence

from tcsniff.errors import UsageError, suggest
from tcsniff.messages import REASONS_RESOLVED, STATES
from tcsniff.pulse.events import Event
from tcsniff.pulse.payloads import get_path

Filter = Callable[[Event], bool]

REMEMBERED = 100_000  # events; about 9 MB

# What happens once: to a task, or to a run of it. That it did is told again,
# perhaps with a status that went on in the meantime, when a call is repeated
# (services/queue/src/api.js) or a resolver starts anew.
_ONCE = {
    "task-defined": ("taskId",),
    "task-pending": ("taskId", "runId"),
    "task-running": ("taskId", "runId"),
    "task-completed": ("taskId", "runId"),
    "task-failed": ("taskId", "runId"),
    "task-exception": ("taskId", "runId"),
}


def filter_states(values: Sequence[str]) -> Filter:
    """Keep events about tasks that are in one of some states.

    It is the task's state, not the run's: after a lost worker the run has ended
    in ``exception``, and a task that is tried again is ``pending``.

    Args:
        values: Of `messages.STATES`.

    Raises:
        UsageError: If there is no such state.
    """
    for value in values:
        if value not in STATES:
            near = suggest(value, STATES) or f"; known: {', '.join(STATES)}"
            raise UsageError(f"--state: no state {value!r}{near}")
    wanted = tuple(values)
    return lambda event: get_path(event.payload, "status", "state") in wanted


def filter_reasons(values: Sequence[str]) -> Filter:
    """Keep events about runs that were resolved for one of some reasons.

    Args:
        values: Of `messages.REASONS_RESOLVED`, or words yet to come.

    Raises:
        UsageError: If one is empty, or nearly one of those known.
    """
    for value in values:
        near = suggest(value, REASONS_RESOLVED)
        if value not in REASONS_RESOLVED and (near or not value):
            near = near or f"; known: {', '.join(REASONS_RESOLVED)}"
            raise UsageError(f"--reason: no reason {value!r}{near}")
    wanted = tuple(values)
    return lambda event: event.run is not None and event.run.reason_resolved in wanted


def filter_tags(values: Sequence[str]) -> Filter:
    """Keep events whose task has some tags.

    Messages of artifacts, priorities and groups have none.

    Args:
        values: Each a name, for a tag of any value, or ``name=value``, where
            the value may be empty and may have more ``=``. The same name twice
            gives alternatives; different names must all fit.

    Raises:
        UsageError: If one has no name.
    """
    wanted: dict[str, list[str | None]] = {}  # None for any value
    for text in values:
        name, equals, value = text.partition("=")
        if not name:
            raise UsageError(f"--tag {text!r} is not NAME=VALUE or NAME, as in kind=build")
        wanted.setdefault(name, []).append(value if equals else None)

    def fits(event: Event) -> bool:
        tags = get_path(event.payload, "task", "tags")
        return isinstance(tags, dict) and all(
            name in tags and (None in among or tags[name] in among)
            for name, among in wanted.items()
        )

    return fits


class RepeatFilter:
    """Remembers events, to tell those that come again.

    Messages have no id and no time. What happens once to a task, or to a run of
    it, is therefore the same event whenever it is told, whatever its status
    says by then. An artifact is the same if run, name and storage type are. Of
    everything else only the same message is the same: exchange, routing key
    and body, to the byte. So a group that is resolved once more is not new,
    neither is a priority changed there, back and there again, unless the
    status tells a difference.

    Args:
        most: How many events to remember; the one first seen is forgotten first.

    Attributes:
        repeats: How many events were not new.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self.repeats = 0
        self._most = most
        # Hashes, of 64 bits: that any two of those remembered are equal by
        # chance has a probability below 1e-9.
        self._seen: set[int] = set()
        self._order: deque[int] = deque()

    def is_new(self, event: Event) -> bool:
        """Tell whether an event was not seen before, and remember it."""
        known = hash(_identity(event))
        if known in self._seen:
            self.repeats += 1
            return False
        if len(self._order) == self._most:
            self._seen.remove(self._order.popleft())
        self._seen.add(known)
        self._order.append(known)
        return True


def _identity(event: Event) -> Hashable:
    message = (event.exchange, event.routing_key, event.delivery.body)
    if not event.task_id:
        return message
    if event.name in _ONCE:
        # From the routing key, which is made from the status: the body stays closed.
        return (event.name, *(event.routing[name] for name in _ONCE[event.name]))
    if event.name == "artifact-created":
        artifact = get_path(event.payload, "artifact")
        name, kind = get_path(artifact, "name"), get_path(artifact, "storageType")
        if isinstance(name, str) and isinstance(kind, str):
            return (event.name, event.routing["taskId"], event.routing["runId"], name, kind)
    return message
