"""Filters: checks of events by their content.

Pure, except for `RepeatFilter`, which remembers events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence

from tcsniff.errors import UsageError, list_close_names, suggest
from tcsniff.messages import REASONS_RESOLVED, STATES
from tcsniff.pulse.events import Event
from tcsniff.pulse.payloads import get_path

Filter = Callable[[Event], bool]

MAX_REMEMBERED = 100_000  # events; about 9 MB

# Events that happen once for each task, or run of a task, and the fields that
# identify it. The queue publishes them again, perhaps with a newer status, when
# a call is repeated (services/queue/src/api.js) or a resolver restarts.
_ONCE = {
    "task-defined": ("taskId",),
    "task-pending": ("taskId", "runId"),
    "task-running": ("taskId", "runId"),
    "task-completed": ("taskId", "runId"),
    "task-failed": ("taskId", "runId"),
    "task-exception": ("taskId", "runId"),
}


def filter_states(states: Sequence[str]) -> Filter:
    """Return a filter for events about tasks in one of some states.

    This is the state of the task, not of the run: after a worker is lost, the
    run has the state ``exception``, but a task that is retried is ``pending``.

    Args:
        states: Any of `messages.STATES`.

    Raises:
        UsageError: If there is no such state.
    """
    for state in states:
        if state not in STATES:
            for reason in _find_reason(state):
                raise UsageError(f"--state: {state!r} is a reason, not a state; --reason {reason}")
            hint = suggest(state, STATES) or f"; known states: {', '.join(STATES)}"
            raise UsageError(f"--state: unknown state {state!r}{hint}")
    wanted = tuple(states)
    return lambda event: get_path(event.payload, "status", "state") in wanted


def filter_reasons(reasons: Sequence[str]) -> Filter:
    """Return a filter for events about runs that were resolved for one of some reasons.

    Args:
        reasons: Any of `messages.REASONS_RESOLVED`, or reasons added later.

    Raises:
        UsageError: If one is empty, or similar to a known one.
    """
    for reason in reasons:
        if reason in STATES and reason not in REASONS_RESOLVED:
            raise UsageError(f"--reason: {reason!r} is a state, not a reason; --state {reason}")
        hint = suggest(reason, REASONS_RESOLVED)
        if reason not in REASONS_RESOLVED and (hint or not reason):
            hint = hint or f"; known reasons: {', '.join(REASONS_RESOLVED)}"
            raise UsageError(f"--reason: unknown reason {reason!r}{hint}")
    wanted = tuple(reasons)
    return lambda event: event.run is not None and event.run.reason_resolved in wanted


def _find_reason(text: str) -> Sequence[str]:
    # The reason that was given as a state, if any; perhaps mistyped.
    if text in REASONS_RESOLVED:
        return [text]
    return [] if suggest(text, STATES) else list_close_names(text, REASONS_RESOLVED)


def list_doubts(reasons: Sequence[str], tags: Sequence[str]) -> list[str]:
    """Return notes about valid conditions that probably match nothing.

    Args:
        reasons: Values of ``--reason``.
        tags: Values of ``--tag``.
    """
    unknown = [reason for reason in reasons if reason not in REASONS_RESOLVED]
    bare = [tag for tag in tags if tag and "=" not in tag]
    return [
        *(
            f"--reason: {reason!r} is not a known reason; known reasons: "
            f"{', '.join(REASONS_RESOLVED)}"
            for reason in unknown
        ),
        *(
            f"--tag {tag} matches tasks that have a tag of this name, with any value; for one "
            f"value write --tag {tag}=VALUE"
            for tag in bare
        ),
    ]


def filter_tags(conditions: Sequence[str]) -> Filter:
    """Return a filter for events whose task has some tags.

    Messages about groups have no tags. Those about artifacts and priorities have the tags
    of an earlier message about the task, if there was one.

    Args:
        conditions: Each ``name``, for a tag with any value, or ``name=value``,
            where the value may be empty and may contain ``=``. Conditions with
            the same name are alternatives; all names must match.

    Raises:
        UsageError: If a condition has no name.
    """
    values_by_name: dict[str, list[str | None]] = {}  # None for any value
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not name:
            raise UsageError(
                f"--tag {condition!r} is not NAME=VALUE or NAME; write it like kind=build"
            )
        values_by_name.setdefault(name, []).append(value if equals else None)

    def has_tags(event: Event) -> bool:
        tags = event.tags
        return all(
            name in tags and (None in values or tags[name] in values)
            for name, values in values_by_name.items()
        )

    return has_tags


def filter_times(since: float | None, before: float | None) -> Filter:
    """Return a filter for events by their time.

    It is the time when an event happened; if the message does not say, when it was
    received. Events for which neither is known match.

    Args:
        since: Seconds since the Unix epoch, inclusive; None for no limit.
        before: The same, exclusive.

    Raises:
        UsageError: If no time is between them.
    """
    if since is not None and before is not None and since >= before:
        raise UsageError("no time is both after --since and before --before")

    def is_between(event: Event) -> bool:
        time = event.time or event.received
        if time is None:
            return True
        seconds = time.timestamp()
        return (since is None or seconds >= since) and (before is None or seconds < before)

    return is_between


class RepeatFilter:
    """A filter that remembers events, and drops those that are received again.

    Messages have no ID and no time. An event that happens once for each task or
    run is therefore a repeat whenever it is published again, even if its status
    has changed. An artifact is a repeat if run, name and storage type are equal.
    Every other message is a repeat only if exchange, routing key and body are
    equal, byte for byte. So if a group is resolved twice, or a priority is
    changed back and forth, only the first message is new, unless the status
    differs.

    Args:
        max_remembered: How many events to remember; the oldest is forgotten first.

    Attributes:
        repeats: The number of events that were not new.
    """

    def __init__(self, max_remembered: int = MAX_REMEMBERED) -> None:
        self.repeats = 0
        self._max_remembered = max_remembered
        # Hashes of 64 bits: the probability that two of those remembered are
        # equal by chance is below 1e-9.
        self._seen: set[int] = set()
        self._order: deque[int] = deque()

    def is_new(self, event: Event) -> bool:
        """Return whether an event was not seen before, and remember it."""
        identity = hash(_identify(event))
        if identity in self._seen:
            self.repeats += 1
            return False
        if len(self._order) == self._max_remembered:
            self._seen.remove(self._order.popleft())
        self._seen.add(identity)
        self._order.append(identity)
        return True


def _identify(event: Event) -> Hashable:
    message = (event.exchange, event.routing_key, event.delivery.body)
    if not event.task_id:
        return message
    if event.name in _ONCE:
        # From the routing key, so that the body need not be decoded.
        return (event.name, *(event.routing[name] for name in _ONCE[event.name]))
    if event.name == "artifact-created":
        artifact = get_path(event.payload, "artifact")
        name, storage_type = get_path(artifact, "name"), get_path(artifact, "storageType")
        if isinstance(name, str) and isinstance(storage_type, str):
            return (
                event.name,
                event.routing["taskId"],
                event.routing["runId"],
                name,
                storage_type,
            )
    return message
