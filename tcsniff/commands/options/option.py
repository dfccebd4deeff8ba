"""Flags that know their section of the help, and take values from other sources than typing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from click.core import ParameterSource

from tcsniff.commands.help_format import OTHER, DescribedCommand, DescribedOption
from tcsniff.errors import UsageError
from tcsniff.settings.config_file import expand_path, list_commands
from tcsniff.settings.precedence import (
    Rank,
    ValueSource,
    find_variable,
    get_layers,
    list_variables,
)

Command = Callable[..., Any]

SELECTION = "Selection, matched by the broker"
CONNECTION = "Connection"
STOPPING = "When to stop"
OUTPUT = "Output"
RECORDING = "Instead of a broker"
DEMO = RECORDING


class SectionedOption(DescribedOption):
    """A flag with a section of the help, which variables and the settings file can set, too.

    Its variable is ``TCSNIFF_`` and its long name, for every command.
    """

    def __init__(
        self,
        *args: Any,
        section: str = OUTPUT,
        is_common: bool = False,
        rivals: Sequence[str] = (),
        idle: Callable[[Mapping[str, Any]], bool] | None = None,
        adds: bool = False,
        **kwargs: Any,
    ) -> None:
        """Create a flag.

        Args:
            args: Arguments of `click.Option`.
            section: Its section of the help.
            is_common: Whether ``--help`` shows it; ``--help-all`` shows all flags.
            rivals: Parameters, by name in Python, that exclude this one: if a
                stronger source sets one of them, this value is ignored.
            idle: Returns whether the flag has no effect, given all values; then it
                is ignored unless it was typed.
            adds: Whether it adds to the value of a saved selection instead of
                replacing it.
            kwargs: Keyword arguments of `click.Option`.
        """
        super().__init__(*args, **kwargs)
        self.section = section
        self.is_common = is_common
        self.long = [name[2:] for name in self.opts if name.startswith("--")]
        others = [self.envvar] if isinstance(self.envvar, str) else []
        self._variables = self.envvar = [*list_variables(self.long), *others]
        self._rivals = rivals
        self._idle = idle
        self._adds = adds

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Return the value of the variable; several values are on a line each."""
        text = self.resolve_envvar_value(ctx)
        return text.split("\n") if self.multiple and text is not None else text

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the value of the strongest source."""
        value, how = super().consume_value(ctx, opts)
        if ctx.resilient_parsing or self.name == "config":
            return value, how
        layers = get_layers(ctx, opts)
        saved = layers.find(self.long, lambda rank: rank == Rank.SAVED)
        if how is ParameterSource.COMMANDLINE:
            layers.sources[self.name] = ValueSource(Rank.TYPED, self.opts[-1])
            if saved is not None and self._adds and isinstance(saved[0], tuple):
                value = (*saved[0], *value)
            return value, how
        found = saved
        if found is None and (variable := find_variable(self._variables)) is not None:
            found = value, variable
        found = found or layers.find(self.long, lambda rank: rank > Rank.OTHERS)
        if found is None:
            return value, how
        value, source = found
        if self._is_for_another(value, ctx):
            return self.get_default(ctx), ParameterSource.DEFAULT
        layers.sources[self.name] = source
        is_written = source.rank not in (Rank.ENVIRONMENT, Rank.OTHERS)
        return self._as_typed(value) if is_written else value, ParameterSource.DEFAULT_MAP

    def _is_for_another(self, value: Any, ctx: click.Context) -> bool:
        # One setting serves all commands, but not all have the same choices.
        if not isinstance(self.type, click.Choice) or value in self.type.choices:
            return False
        return any(
            value in flag.type.choices
            for command in list_commands(ctx)
            for flag in command.params
            if self.long[0] in getattr(flag, "long", ()) and isinstance(flag.type, click.Choice)
        )

    def _as_typed(self, value: Any) -> Any:
        # A value of the file, as the shell would pass it.
        values = (value,) if isinstance(value, str) else value
        if self.metavar == "FILE" and isinstance(values, tuple):
            values = tuple(expand_path(name) for name in values)
        return values if self.multiple or not isinstance(value, str) else values[0]

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the source of an invalid value."""
        source = None if ctx is None else get_layers(ctx).sources.get(self.name)
        if source is None or source.rank is Rank.TYPED:
            return super().get_error_hint(ctx)
        return (
            f"'{source.text}'" if source.rank <= Rank.OTHERS else f"{self.opts[-1]}, {source.text}"
        )

    def gives_way(self, given: Mapping[str, Any], sources: Mapping[str, ValueSource]) -> bool:
        """Return whether a value that was not typed is to be ignored."""
        source = sources.get(self.name)
        if source is None or source.rank is Rank.TYPED:
            return False
        return any(
            given.get(name) and sources[name].rank < source.rank
            for name in self._rivals
            if name in sources
        ) or (self._idle is not None and self._idle(given))


CONFIG = SectionedOption(
    ["--config"],
    section=OTHER,
    metavar="FILE",
    expose_value=False,
    help="Read settings from FILE, not ~/.config/tcsniff/config.toml; - for none.",
)


class SectionedCommand(DescribedCommand):
    """A command whose help shows its flags in sections."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_set = any(isinstance(parameter, SectionedOption) for parameter in self.params)
        if self._is_set:
            self.params.append(CONFIG)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, and drop settings that contradict typed flags."""
        rest = super().parse_args(ctx, args)
        if self._is_set and not ctx.resilient_parsing:
            sources = get_layers(ctx).sources
            for parameter in self.get_params(ctx):
                if isinstance(parameter, SectionedOption) and parameter.gives_way(
                    ctx.params, sources
                ):
                    del sources[parameter.name]
                    unset = () if parameter.multiple else False if parameter.is_flag else None
                    ctx.params[parameter.name] = unset
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error about a flag that was not typed names its source."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            if not self._is_set or not (note := self._sources_of(str(error), ctx)):
                raise
            raise UsageError(f"{error} ({note})") from error

    def _sources_of(self, text: str, ctx: click.Context) -> str:
        words = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))
        sources = get_layers(ctx).sources
        return ", ".join(
            f"{flag} is from {sources[parameter.name].text}"
            for parameter in self.get_params(ctx)
            for flag in words.intersection(parameter.opts)
            if parameter.name in sources and sources[parameter.name].rank is not Rank.TYPED
        )


def option(*names: str, section: str, **kwargs: Any) -> Callable[[Command], Command]:
    """Declare a flag in a section of the help."""
    return click.option(*names, cls=SectionedOption, section=section, **kwargs)
