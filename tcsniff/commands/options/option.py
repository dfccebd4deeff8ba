"""Flags with a section in the help, that variables and the settings file can set too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import click
from click.core import ParameterSource

from tcsniff.commands.arguments import list_flags_with_value, move_ids_behind_flags
from tcsniff.commands.help_format import OTHER, DescribedCommand, DescribedOption
from tcsniff.commands.options.file_checks import FileFlag, FileUse, check_files
from tcsniff.errors import UsageError
from tcsniff.settings.value_sources import (
    Rank,
    ValueSource,
    find_source,
    get_layers,
    list_long_names,
    list_sources,
    list_variables,
)

Command = Callable[..., Any]

SELECTION = "Selection, matched by the broker"
CONNECTION = "Connection"
STOPPING = "When to stop"
OUTPUT = "Output"
RECORDING = "Instead of a broker"


class SectionedOption(DescribedOption):
    """A flag with a section in the help, variables, and a key in the settings file.

    A variable is ``TCSNIFF_`` and a long name; it sets the flag of every command.

    Attributes:
        long: The long names, without dashes.
        needs: The parameter without which this flag does nothing; empty for none.
        file_use: What the command does with the file that the flag names; None if it
            names no file.
    """

    def __init__(
        self,
        *args: Any,
        section: str = OUTPUT,
        is_common: bool = False,
        rivals: Sequence[str] = (),
        needs: str = "",
        else_hint: str = "",
        adds: bool = False,
        file_use: FileUse | None = None,
        **kwargs: Any,
    ) -> None:
        """Declare a flag.

        Args:
            args: Arguments of click.
            section: The section of the help.
            is_common: Whether ``--help`` shows it; ``--help-all`` shows all flags.
            rivals: Parameters, by name in Python, that replace this flag if a
                stronger source sets them.
            needs: A parameter, by name in Python. Without it, this flag is an error if
                it was typed, and is ignored if it was set otherwise.
            else_hint: What to do where `needs` is not set, for the error.
            adds: Whether typed values are added to those of a saved selection,
                instead of replacing them.
            file_use: What the command does with the file that the flag names.
            kwargs: Arguments of click.
        """
        super().__init__(*args, **kwargs)
        self.section = section
        self.is_common = is_common
        self.long = list_long_names(self)
        self.needs = needs
        self._else_hint = else_hint
        shared_variables = [self.envvar] if isinstance(self.envvar, str) else []
        self.envvar = [*list_variables(self.long), *shared_variables]
        self._rivals = rivals
        self._adds = adds
        self.file_use = file_use

    @property
    def names_something(self) -> bool:
        """Whether the value is one text: a name, file, URL or expression, and no choice."""
        is_text = self.type is click.STRING and not self.is_flag
        return is_text and not (self.multiple or self.count)

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the value of the flag's variable; None if the saved selection sets the flag.

        click has no source between command line and variables.
        """
        is_plain = self.name == "config" or ctx.resilient_parsing
        if is_plain or get_layers(ctx).find_saved(self) is None:
            return super().resolve_envvar_value(ctx)
        return None

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Return the value of the flag's variable; of a repeatable flag, a value per line."""
        text = self.resolve_envvar_value(ctx)
        return text.split("\n") if self.multiple and text is not None else text

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the value of the strongest source, and the source."""
        value, source = super().consume_value(ctx, opts)
        if self._adds and source is ParameterSource.COMMANDLINE:
            value = (*(get_layers(ctx).find_saved(self) or ()), *value)
        return value, source

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the source of a value that is not valid."""
        source = None if ctx is None else find_source(ctx, self)
        if source is None or source.rank is Rank.TYPED:
            return super().get_error_hint(ctx)
        is_variable = source.rank in (Rank.VARIABLE, Rank.SHARED_VARIABLE)
        return f"'{source.text}'" if is_variable else f"{self.opts[-1]}, {source.text}"

    def unset_if_replaced(self, ctx: click.Context, sources: Mapping[str, ValueSource]) -> None:
        """Unset the flag if a rival from a stronger source is set."""
        rank = sources[self.name].rank if self.name in sources else Rank.TYPED
        if any(
            ctx.params.get(name) and sources[name].rank < rank
            for name in self._rivals
            if name in sources
        ):
            self._unset(ctx)

    def unset_if_idle(self, ctx: click.Context) -> None:
        """Unset the flag if the one that it needs is not set.

        Raises:
            UsageError: If the flag was typed.
        """
        if not self.needs or ctx.params.get(self.needs) or not ctx.params.get(self.name):
            return
        if ctx.get_parameter_source(self.name) is ParameterSource.COMMANDLINE:
            needed = next(one for one in ctx.command.params if one.name == self.needs)
            hint = f"; {self._else_hint}" if self._else_hint else ""
            raise UsageError(f"{self.opts[-1]} needs {needed.opts[-1]}{hint}")
        self._unset(ctx)

    def _unset(self, ctx: click.Context) -> None:
        ctx.params[self.name] = () if self.multiple else False if self.is_flag else None
        ctx.set_parameter_source(self.name, ParameterSource.DEFAULT)


CONFIG = SectionedOption(
    ["--config"],
    section=OTHER,
    metavar="FILE",
    expose_value=False,
    help="Read settings from FILE, not ~/.config/tcsniff/config.toml; - for none.",
)


class SectionedCommand(DescribedCommand):
    """A command whose flags can be set by variables and the settings file."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._options = [one for one in self.params if isinstance(one, SectionedOption)]
        if self._options:
            self.params.append(CONFIG)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, and add values of variables and the settings file."""
        args = move_ids_behind_flags(args, list_flags_with_value(self))
        if not self._options or ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        # The file depends on --config and the profile, so arguments are parsed before it is read.
        typed, _, order = self.make_parser(ctx).parse_args(list(args))
        if any(parameter.is_eager for parameter in order):  # --help reads no file
            return super().parse_args(ctx, args)
        _check_repeats(order)
        from tcsniff.settings.precedence import prepare_layers  # 5 ms, not for a flag's error

        prepare_layers(ctx, typed)
        rest = super().parse_args(ctx, args)
        sources = list_sources(ctx)
        for option in self._options:
            option.unset_if_replaced(ctx, sources)
        for option in self._options:
            option.unset_if_idle(ctx)
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Check the files and run; add the sources of the flags that an error names."""
        try:
            if self._options:
                check_files(ctx, _list_file_flags(self._options))
            return super().invoke(ctx)
        except UsageError as error:
            if not self._options or not (note := _describe_sources(str(error), ctx)):
                raise
            raise UsageError(f"{error} ({note})") from error


def _check_repeats(order: Iterable[click.Parameter]) -> None:
    # Of two numbers or choices the last one counts, as in other programs. A user who names
    # two profiles, files or expressions wants both.
    names: list[str] = []
    for parameter in order:
        if isinstance(parameter, SectionedOption) and parameter.names_something:
            name = parameter.opts[0]
            if name in names:
                raise UsageError(f"{name} can be used once; this command names two")
            names.append(name)


def _list_file_flags(options: Sequence[SectionedOption]) -> Iterator[FileFlag]:
    for one in options:
        if one.file_use is not None and one.name is not None:
            yield FileFlag(one.opts[0], one.name, one.file_use)


def _describe_sources(text: str, ctx: click.Context) -> str:
    flags = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))
    sources = list_sources(ctx)
    return ", ".join(
        f"{flag} is from {sources[parameter.name].text}"
        for parameter in ctx.command.params
        for flag in flags.intersection(parameter.opts)
        if parameter.name in sources and sources[parameter.name].rank is not Rank.TYPED
    )


def option(*names: str, section: str, **kwargs: Any) -> Callable[[Command], Command]:
    """Declare a flag in a section of the help."""
    return click.option(*names, cls=SectionedOption, section=section, **kwargs)


selection_flag = partial(option, section=SELECTION)
connection_flag = partial(option, section=CONNECTION)
recording_flag = partial(option, section=RECORDING)
stop_flag = partial(option, section=STOPPING)
output_flag = partial(option, section=OUTPUT)
