"""Sources of the values of flags: typed words, variables, the settings file.

Light, because every command imports it; `precedence` collects the values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from pathlib import Path

    from tcsniff.settings.model import SavedSelection, Settings, SettingValue

PREFIX = "TCSNIFF_"
"""The prefix of the variables of flags."""

_KEY = "tcsniff.layers"  # in click's `Context.meta`


class Rank(IntEnum):
    """The rank of a source of values: lower ones take precedence.

    Finer than click's `ParameterSource`, because of flags that replace each
    other: a profile from one source replaces the broker from a weaker one.
    """

    TYPED = 0
    SAVED = 1
    VARIABLE = 2
    SHARED_VARIABLE = 3  # other programs read it too
    PAGE = 4  # the web page whose address is the selection
    PROFILE = 5
    FILE = 6


class ValueSource(NamedTuple):
    """The source of a value: its rank, and its name for messages."""

    rank: Rank
    text: str


class Layer(NamedTuple):
    """Values of flags that were not typed, from one source.

    Attributes:
        rank: The rank of the source.
        values: The values by long name, without dashes.
        describe: Returns the source of a value by its name, for messages.
    """

    rank: Rank
    values: Mapping[str, SettingValue]
    describe: Callable[[str], str]


class Layers(NamedTuple):
    """The settings of a command, and the values of flags that were not typed.

    Attributes:
        settings: The contents of the settings file.
        path: The file; None for no file.
        chosen: The flag or variable that names the file; empty for the default.
        saved: The saved selection that was named; None for none.
        layers: The values, the strongest first.
    """

    settings: Settings
    path: Path | None
    chosen: str
    saved: SavedSelection | None
    layers: Sequence[Layer]

    def find(self, parameter: click.Parameter) -> tuple[Any, ValueSource] | None:
        """Return the strongest value of a flag, as if typed, and its source."""
        for rank, values, describe in self.layers:
            for name in list_long_names(parameter):
                if name in values:
                    source = ValueSource(rank, describe(name))
                    return _convert_value(values[name], parameter), source
        return None

    def find_saved(self, parameter: click.Parameter) -> Any:
        """Return the value of a flag in the saved selection; None if it has none."""
        found = self.find(parameter)
        return found[0] if found is not None and found[1].rank is Rank.SAVED else None


def set_layers(context: click.Context, layers: Layers) -> None:
    """Set the layers of the current command, and with them the defaults of its flags."""
    context.meta[_KEY] = layers
    context.default_map = {
        parameter.name: found[0]
        for parameter in context.command.params
        if (found := layers.find(parameter)) is not None
    }


def get_layers(context: click.Context) -> Layers:
    """Return the layers of the current command."""
    layers: Layers = context.meta[_KEY]
    return layers


def find_source(context: click.Context, parameter: click.Parameter) -> ValueSource | None:
    """Return the source of a flag's value; None if it has its default."""
    match context.get_parameter_source(parameter.name):
        case ParameterSource.COMMANDLINE:
            return ValueSource(Rank.TYPED, parameter.opts[-1])
        case ParameterSource.ENVIRONMENT:
            variables = parameter.envvar or ()
            name = next(name for name in variables if os.environ.get(name))
            is_own = name.startswith(PREFIX)
            return ValueSource(Rank.VARIABLE if is_own else Rank.SHARED_VARIABLE, name)
        case ParameterSource.DEFAULT_MAP if found := get_layers(context).find(parameter):
            return found[1]
    return None


def list_sources(context: click.Context) -> dict[str, ValueSource]:
    """Return the sources of all values that are not defaults, by the parameters' names."""
    sources = {
        parameter.name: find_source(context, parameter) for parameter in context.command.params
    }
    return {name: source for name, source in sources.items() if source is not None}


def list_variables(names: Sequence[str]) -> list[str]:
    """Return the variables of a flag with these long names, without dashes."""
    return [PREFIX + name.upper().replace("-", "_") for name in names]


def list_long_names(parameter: click.Parameter) -> list[str]:
    """Return the long names of a flag, without dashes."""
    return [name[2:] for name in parameter.opts if name.startswith("--")]


def _convert_value(value: SettingValue, parameter: click.Parameter) -> Any:
    # As a shell passes the value to the flag.
    values = value if isinstance(value, tuple) else (value,)
    if isinstance(parameter, click.Option) and parameter.metavar == "FILE":
        values = tuple(os.path.expanduser(str(name)) for name in values)  # noqa: PTH111 - 3 ms
    return values if parameter.multiple else values[0]
