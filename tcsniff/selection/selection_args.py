"""The values of the selection flags. Pure, and light: every command with such flags imports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from tcsniff.pulse.routing import POOLS, to_flag

Fields = Mapping[str, Sequence[str]]
"""Alternative values by field name, or by one of `routing.POOLS`."""


class SelectionArgs(NamedTuple):
    """The values of the selection flags.

    Attributes:
        events: EVENT arguments.
        fields: Values of the flags for routing key fields.
        exchanges: Values of ``--exchange``.
        routing_keys: Values of ``--routing-key``.
        binds: Values of ``--bind``.
        routes: Values of ``--route``.
        all_events: Whether ``--all`` is set.
    """

    events: Sequence[str] = ()
    fields: Fields = MappingProxyType({})
    exchanges: Sequence[str] = ()
    routing_keys: Sequence[str] = ()
    binds: Sequence[str] = ()
    routes: Sequence[str] = ()
    all_events: bool = False

    def __str__(self) -> str:
        flags = [
            *(f"{to_flag(name)[2:]}={','.join(values)}" for name, values in self.fields.items()),
            *(f"route={route}" for route in self.routes),
        ]
        return " ".join([*flags, *self.events, *self.exchanges, *self.binds])


_STATE_EVENTS = ("defined", "pending", "running", "completed", "failed", "exception")


def add_state_events(wanted: SelectionArgs) -> SelectionArgs:
    """Return the same selection; of the events of all task states, if it names no events."""
    if names_events(wanted):
        return wanted
    return wanted._replace(events=[f"task-{state}" for state in _STATE_EVENTS])


def names_events(wanted: SelectionArgs) -> bool:
    """Return whether a selection names events or exchanges, and not only their fields."""
    return bool(wanted.events or wanted.exchanges or wanted.binds or wanted.all_events)


def list_pools(wanted: SelectionArgs) -> list[str]:
    """Return the worker pools that flags name."""
    names = (name for field in POOLS for name in wanted.fields.get(field, ()))
    return list(dict.fromkeys(names))
