"""The commands and their flags as plain values, for whatever is made from them.

Pure. Manual and completions read this, so that neither can tell of a flag that
is not there, or leave out one that is.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import NamedTuple

import click

DEFAULT = "sniff"
"""The command that words belong to when none is named."""

GENERAL = "Other"
"""The section of flags that name none, as in the help."""


class Flag(NamedTuple):
    """A flag.

    Attributes:
        names: All of them, short ones first, dashes included.
        metavar: What to call its value; empty for a flag without one.
        help: What it does, in sentences.
        section: Where the help shows it.
        notes: What the help adds in brackets: default, range.
        words: The values it may be given; empty if they cannot be listed.
        takes_file: Whether its value is the name of a file.
        repeatable: Whether it may be given more than once.
    """

    names: tuple[str, ...]
    metavar: str
    help: str
    section: str = GENERAL
    notes: str = ""
    words: tuple[str, ...] = ()
    takes_file: bool = False
    repeatable: bool = False


class Argument(NamedTuple):
    """What a command takes besides flags.

    Attributes:
        metavar: What to call it.
        help: What it is, in sentences; mostly empty, as the command's help says it.
        words: The values it may have; empty if they cannot be listed.
        takes_file: Whether it is the name of a file.
    """

    metavar: str
    help: str
    words: tuple[str, ...]
    takes_file: bool


class Command(NamedTuple):
    """A command.

    Attributes:
        name: Its name.
        usage: What follows the name, such as ``[OPTIONS] [EVENT]...``.
        paragraphs: Its help; lines of a paragraph that starts with a backspace
            stay as they are, which is click's rule.
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
        """The first sentence of the help."""
        return " ".join(self.paragraphs[0].split())

    @property
    def is_default(self) -> bool:
        """Whether words belong to this command when none is named."""
        return self.name == DEFAULT

    @property
    def takes_events(self) -> bool:
        """Whether its arguments are EVENTs."""
        return any("EVENT" in argument.metavar for argument in self.arguments)


class Interface(NamedTuple):
    """All that can be typed.

    Attributes:
        commands: In the order of the help, the default one among them.
        flags: Those that stand in place of a command, such as ``--version``.
    """

    commands: tuple[Command, ...]
    flags: tuple[Flag, ...]


# `cli.main` takes it out of the words before click sees them.
_DEBUG = Flag(("--debug",), "", "Show the traceback of a failure.")


def interface_of(root: click.Group) -> Interface:
    """Read the commands off their group.

    Args:
        root: The group; all of its commands are imported.
    """
    top = root.context_class(root, info_name="tcsniff", **root.context_settings)
    return Interface(
        tuple(_commands(root, top)),
        tuple(flag for flag in _flags(root, top) if "--help" not in flag.names),
    )


def _commands(root: click.Group, top: click.Context) -> Iterator[Command]:
    for name in root.list_commands(top):
        command = root.get_command(top, name)
        if command is None or command.hidden:
            continue
        context = command.context_class(command, parent=top, info_name=name)
        yield _command(name, command, context)


def _command(name: str, command: click.Command, context: click.Context) -> Command:
    flags = list(_flags(command, context))
    for below in _below(command, context).values():
        flags += [flag for flag in _flags(below, context) if flag not in flags]
    if not any(set(_DEBUG.names) & set(flag.names) for flag in flags):
        flags.append(_DEBUG)
    return Command(
        name,
        " ".join(command.collect_usage_pieces(context)),
        tuple(re.split(r"\n\s*\n", inspect.cleandoc(command.help or name))),
        tuple(_arguments(command, context)),
        tuple(flags),
    )


def _arguments(command: click.Command, context: click.Context) -> Iterator[Argument]:
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Argument):
            yield Argument(
                parameter.make_metavar(context),
                getattr(parameter, "help", None) or "",  # since click 8.5
                _words(parameter),
                _takes_file(parameter),
            )

    if below := _below(command, context):
        told = [f"`{name}`: {one.get_short_help_str(200)}" for name, one in below.items()]
        yield Argument("COMMAND", " ".join(told), tuple(below), takes_file=False)


def _below(command: click.Command, context: click.Context) -> dict[str, click.Command]:
    """Look up the commands of a command that has some."""
    if not isinstance(command, click.Group):
        return {}
    found = {name: command.get_command(context, name) for name in command.list_commands(context)}
    return {name: one for name, one in found.items() if one is not None and not one.hidden}


def _flags(command: click.Command, context: click.Context) -> Iterator[Flag]:
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield _flag(parameter, context)


def _flag(option: click.Option, context: click.Context) -> Flag:
    valued = not (option.is_flag or option.count)
    return Flag(
        tuple(sorted([*option.opts, *option.secondary_opts], key=_dashes)),
        option.make_metavar(context).strip("[]") if valued else "",
        " ".join((option.help or "").split()),
        getattr(option, "section", GENERAL),
        "; ".join(_notes(option, context)),
        _words(option),
        _takes_file(option),
        option.multiple or option.count,
    )


def _notes(option: click.Option, context: click.Context) -> Iterator[str]:
    extra = option.get_help_extra(context)
    if "default" in extra:
        yield f"default: {extra['default']}"
    kind = option.type
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        bounds = {"from": kind.min, "to": kind.max}
        yield " ".join(f"{word} {bound}" for word, bound in bounds.items() if bound is not None)


def _dashes(name: str) -> int:
    return len(name) - len(name.lstrip("-"))


def _words(parameter: click.Parameter) -> tuple[str, ...]:
    kind = parameter.type
    return tuple(map(str, kind.choices)) if isinstance(kind, click.Choice) else ()


def _takes_file(parameter: click.Parameter) -> bool:
    named = isinstance(parameter, click.Option) and parameter.metavar == "FILE"
    return named or isinstance(parameter.type, (click.Path, click.File))
