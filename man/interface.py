"""The commands and flags as plain values, read from click's commands.

Pure. The manual and the completions are written from these, so they list
exactly the flags that exist.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import NamedTuple

import click

from tcsniff.commands.help_format import DEBUG_HELP, OTHER, get_section

DEFAULT = "sniff"
"""The default command."""


class Flag(NamedTuple):
    """A flag.

    Attributes:
        names: All names, short ones first, with dashes.
        metavar: The name of its value; empty for a flag without a value.
        help: Its help text.
        section: Its section in the help.
        notes: Default and range, as the help shows them in brackets.
        choices: All possible values; empty if they cannot be listed.
        takes_file: Whether its value is the name of a file.
        is_repeatable: Whether it can be given more than once.
    """

    names: tuple[str, ...]
    metavar: str
    help: str
    section: str = OTHER
    notes: str = ""
    choices: tuple[str, ...] = ()
    takes_file: bool = False
    is_repeatable: bool = False


class Argument(NamedTuple):
    """A positional argument.

    Attributes:
        metavar: Its name.
        help: Its help text; empty if the command's help describes it.
        choices: All possible values; empty if they cannot be listed.
        takes_file: Whether it is the name of a file.
    """

    metavar: str
    help: str
    choices: tuple[str, ...]
    takes_file: bool


class Command(NamedTuple):
    r"""A command.

    Attributes:
        name: Its name.
        usage: What follows the name, such as ``[OPTIONS] [EVENT]...``.
        paragraphs: Its help. Lines of a paragraph that starts with ``\b`` are
            not wrapped, as in click.
        arguments: In order.
        flags: In the order of the help.
    """

    name: str
    usage: str
    paragraphs: tuple[str, ...]
    arguments: tuple[Argument, ...]
    flags: tuple[Flag, ...]

    @property
    def summary(self) -> str:
        """The first paragraph of the help."""
        return " ".join(self.paragraphs[0].split())

    @property
    def is_default(self) -> bool:
        """Whether this is the default command."""
        return self.name == DEFAULT

    @property
    def takes_events(self) -> bool:
        """Whether its arguments are EVENTs."""
        return any("EVENT" in argument.metavar for argument in self.arguments)


class Interface(NamedTuple):
    """All commands and flags.

    Attributes:
        commands: In the order of the help.
        flags: The flags that replace a command, such as ``--version``.
    """

    commands: tuple[Command, ...]
    flags: tuple[Flag, ...]


_SHARED = {"--help", "--help-all", "--verbose"}  # flags of the root that every command has too

# `cli.main` removes it from the arguments before click sees them.
_DEBUG = Flag(("--debug",), "", DEBUG_HELP)


def read_interface(root: click.Group) -> Interface:
    """Return the commands of a group as plain values. Imports all of them."""
    context = root.context_class(root, info_name="tcsniff", **root.context_settings)
    return Interface(
        tuple(_read_commands(root, context)),
        tuple(flag for flag in _read_flags(root, context) if not _SHARED & set(flag.names)),
    )


def _read_commands(root: click.Group, root_context: click.Context) -> Iterator[Command]:
    for name in root.list_commands(root_context):
        command = root.get_command(root_context, name)
        if command is not None and not command.hidden:
            context = command.context_class(command, parent=root_context, info_name=name)
            yield _read_command(name, command, context)


def _read_command(name: str, command: click.Command, context: click.Context) -> Command:
    flags = list(_read_flags(command, context))
    for subcommand in _find_subcommands(command, context).values():
        flags += [flag for flag in _read_flags(subcommand, context) if flag not in flags]
    if not any(set(_DEBUG.names) & set(flag.names) for flag in flags):
        flags.append(_DEBUG)
    return Command(
        name,
        " ".join(command.collect_usage_pieces(context)),
        tuple(re.split(r"\n\s*\n", inspect.cleandoc(command.help or name))),
        tuple(_read_arguments(command, context)),
        tuple(flags),
    )


def _read_arguments(command: click.Command, context: click.Context) -> Iterator[Argument]:
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Argument):
            yield Argument(
                parameter.make_metavar(context),
                getattr(parameter, "help", None) or "",  # since click 8.5
                _list_choices(parameter),
                _takes_file(parameter),
            )

    if subcommands := _find_subcommands(command, context):
        summaries = [f"`{name}`: {c.get_short_help_str(200)}" for name, c in subcommands.items()]
        yield Argument("COMMAND", " ".join(summaries), tuple(subcommands), takes_file=False)


def _find_subcommands(command: click.Command, context: click.Context) -> dict[str, click.Command]:
    if not isinstance(command, click.Group):
        return {}
    commands = {
        name: command.get_command(context, name) for name in command.list_commands(context)
    }
    return {name: c for name, c in commands.items() if c is not None and not c.hidden}


def _read_flags(command: click.Command, context: click.Context) -> Iterator[Flag]:
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield _read_flag(parameter, context)


def _read_flag(option: click.Option, context: click.Context) -> Flag:
    has_value = not (option.is_flag or option.count)
    return Flag(
        tuple(sorted([*option.opts, *option.secondary_opts], key=_count_dashes)),
        option.make_metavar(context).strip("[]") if has_value else "",
        " ".join((option.help or "").split()),
        get_section(option),
        "; ".join(_list_notes(option, context)),
        _list_choices(option),
        _takes_file(option),
        option.multiple or option.count,
    )


def _list_notes(option: click.Option, context: click.Context) -> Iterator[str]:
    extra = option.get_help_extra(context)
    if "default" in extra:
        yield f"default: {extra['default']}"
    value_type = option.type
    if isinstance(value_type, (click.IntRange, click.FloatRange)):
        bounds = {"from": value_type.min, "to": value_type.max}
        yield " ".join(f"{word} {bound}" for word, bound in bounds.items() if bound is not None)


def _count_dashes(name: str) -> int:
    return len(name) - len(name.lstrip("-"))


def _list_choices(parameter: click.Parameter) -> tuple[str, ...]:
    value_type = parameter.type
    return tuple(map(str, value_type.choices)) if isinstance(value_type, click.Choice) else ()


def _takes_file(parameter: click.Parameter) -> bool:
    is_named = isinstance(parameter, click.Option) and parameter.metavar == "FILE"
    return is_named or isinstance(parameter.type, (click.Path, click.File))
