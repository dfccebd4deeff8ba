"""The flags that select by routing key."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import click

from tcsniff.commands.options.option import Command, selection_flag
from tcsniff.commands.options.values import add_options, split_callback, stack_decorators
from tcsniff.pulse.routing import FIELDS, POOLS, SHORT, to_flag
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.settings.value_sources import get_layers

# In the order of how often people ask for them; the rest follow by name.
_FIELD_HELP = {
    "workerType": "Match this worker type.",
    "provisionerId": "Match this provisioner.",
    "task-queue": "Match this task queue (worker pool).",
    "taskGroupId": "Match tasks of this group.",
    "taskId": "Match this task.",
    "schedulerId": "Match this scheduler, such as gecko-level-3.",
    "runId": "Match the run with this number, from 0.",
    "workerGroup": "Match workers of this group.",
    "workerId": "Match this worker.",
    "organization": "Match repositories of this GitHub organization.",
    "repository": "Match this GitHub repository.",
    "action": "Match this action on a pull request.",
    "topic": "Match notifications with this topic; may have several words and wildcards.",
    "providerId": "Match worker pools of this provider.",
    "launchConfigId": "Match workers with this launch config.",
    "worker-pool-id": "Match this worker pool: the same as --task-queue.",
    "reserved": "Match this value of the last field, reserved for the future.",
}


def selection_options(command: Command) -> Command:
    """Add the selection flags to a command, which receives them as `wanted`."""
    return _add_selection(command, takes_ids=False)


def selection_options_or_id(command: Command) -> Command:
    """Add the same flags to a command that also takes IDs, among the EVENTs of `wanted`."""
    return _add_selection(command, takes_ids=True)


def _add_selection(command: Command, *, takes_ids: bool) -> Command:
    call_command = add_options("wanted", SelectionArgs)(command)

    @functools.wraps(call_command)
    def with_selection(**values: Any) -> Any:
        fields = {name: values.pop(_get_parameter_name(name)) for name in _FIELD_HELP}
        from tcsniff.commands.options.selection_words import check_words, split_pages  # 5 ms

        if not takes_ids:
            check_words(values["events"])
        values["events"], binds = split_pages(values["events"])
        values["binds"] += binds
        values["fields"] = {name: choices for name, choices in fields.items() if choices}
        return call_command(**values)

    argument = click.argument(
        "events",
        cls=Events,
        nargs=-1,
        metavar="[EVENT | ID | @NAME]..." if takes_ids else "[EVENT | @NAME]...",
        type=str,
    )
    return argument(_FLAGS(with_selection))


class Events(click.Argument):
    """The EVENTs, or those of the saved selection ``@NAME``."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the typed EVENTs, or those of the saved selection if there are none."""
        value, source = super().consume_value(ctx, opts)
        if ctx.resilient_parsing or not isinstance(value, list | tuple):
            return value, source
        typed = tuple(word for word in value if not word.startswith("@"))
        saved = get_layers(ctx).saved
        return typed or (() if saved is None else saved.events), source


_ID_FIELDS = ("taskId", "taskGroupId")


def _read_ids(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    # IDs, also in addresses of pages.
    texts = split_callback(context, parameter, values)
    if not texts:
        return ()
    from tcsniff.commands.options.selection_words import read_id  # 5 ms

    return tuple(read_id(text, parameter.opts[0]) for text in texts)


def _get_parameter_name(name: str) -> str:
    return to_flag(name).removeprefix("--").replace("-", "_")


_COMMON_FIELDS = ("workerType", "task-queue", "taskGroupId", "taskId", "schedulerId")


def _field_option(name: str) -> Callable[[Command], Command]:
    short = [f"--{text}" for text, field in SHORT.items() if field == name]
    kebab = to_flag(name)
    metavar = "PROVISIONER/TYPE" if name in POOLS else kebab.strip("-").upper()
    if name in _ID_FIELDS:
        metavar = "ID"
    return selection_flag(
        kebab,
        *short,
        _get_parameter_name(name),
        is_common=name in _COMMON_FIELDS,
        multiple=True,
        callback=_read_ids if name in _ID_FIELDS else split_callback,
        metavar=metavar.replace("-", "_"),
        help=_FIELD_HELP[name],
        hidden=name == "reserved",
    )


_FLAGS = stack_decorators(
    *(_field_option(name) for name in _FIELD_HELP),
    selection_flag(
        "--route",
        "routes",
        is_common=True,
        multiple=True,
        metavar="ROUTE",
        help="Match this route; * and # are wild.",
    ),
    selection_flag("--all", "all_events", is_flag=True, help="Select every EVENT of the queue."),
    selection_flag(
        "--exchange",
        "exchanges",
        multiple=True,
        callback=split_callback,
        metavar="NAME",
        help="Bind this exchange, by full name or EVENT.",
    ),
    selection_flag(
        "--routing-key",
        "routing_keys",
        multiple=True,
        metavar="PATTERN",
        needs="exchanges",
        help="Bind each --exchange with this pattern.",
    ),
    selection_flag(
        "--bind",
        "binds",
        multiple=True,
        metavar="EXCHANGE:PATTERN",
        help="Bind one exchange with one pattern.",
    ),
)

if set(_FIELD_HELP) != {*FIELDS, *POOLS}:  # pragma: no cover - a new field needs its words
    raise AssertionError(set(_FIELD_HELP) ^ {*FIELDS, *POOLS})
