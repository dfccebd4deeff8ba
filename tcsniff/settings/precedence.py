"""The precedence of values that were not typed: selections, variables, profiles, the file.

click asks the command line, a flag's variables (``envvar``) and `Context.default_map`, in
this order. The map is filled from `Layers`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.addresses import find_root_url
from tcsniff.settings.brokers import DEFAULT_PROFILE
from tcsniff.settings.config_file import (
    expand_path,
    find_settings_file,
    format_path,
    list_flags,
    list_long_names,
    read_settings,
)
from tcsniff.settings.model import NO_VALUES, Profile, SavedSelection, Settings, SettingValue

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


class Layers:
    """The saved selection, the page's address, the profile in use and the settings file.

    Attributes:
        settings: The contents of the file.
        path: The file; None for no file.
        chosen: The flag or variable that names the file; empty for the default.
        saved: The saved selection that was named; None for none.
    """

    def __init__(self, context: click.Context, typed: Mapping[str, Any]) -> None:
        """Read the settings file.

        Args:
            context: The context of the command.
            typed: Typed values, by the names of click's parameters.

        Raises:
            UsageError: If the file is not valid.
        """
        self.path, self.chosen = find_settings_file(typed.get("config"), os.environ)
        self.settings = Settings()
        if self.path is not None:
            flags = list_flags(context)
            self.settings = read_settings(self.path, flags, is_required=bool(self.chosen))
        events = typed.get("events")
        words = [str(word) for word in events] if isinstance(events, list | tuple) else []
        names = [word[1:] for word in words if word.startswith("@")]
        self.saved = self._find_selection(names)
        self._pages = list(_list_addresses(context, typed))
        self._layers = list(self._list_layers(typed, words, "".join(names)))

    def find(self, parameter: click.Parameter) -> tuple[Any, ValueSource] | None:
        """Return the strongest value of a flag, as if typed, and its source."""
        for rank, values, describe in self._layers:
            for name in list_long_names(parameter):
                if name in values:
                    source = ValueSource(rank, describe(name))
                    return _convert_value(values[name], parameter), source
        return None

    def fill_default_map(self, context: click.Context) -> None:
        """Set the defaults of a command's flags."""
        context.default_map = {
            parameter.name: found[0]
            for parameter in context.command.params
            if (found := self.find(parameter)) is not None
        }

    def find_saved(self, parameter: click.Parameter) -> Any:
        """Return the value of a flag in the saved selection; None if it has none."""
        found = self.find(parameter)
        return found[0] if found is not None and found[1].rank is Rank.SAVED else None

    def _find_selection(self, names: Sequence[str]) -> SavedSelection | None:
        if len(names) > 1:
            both = " and ".join(f"@{name}" for name in names)
            raise UsageError(f"{both}: use one saved selection, and flags to narrow it")
        selections = self.settings.selections
        for name in names:
            if name in selections:
                return selections[name]
            known = [f"@{known}" for known in selections]
            hint = suggest(f"@{name}", known) or f"; {self._describe_known(known)}"
            raise UsageError(f"unknown saved selection @{name}{hint}")
        return None

    def _describe_known(self, names: Sequence[str]) -> str:
        if names:
            return f"known: {', '.join(names)}"
        if self.settings.file:
            return f"{self.settings.file} contains none"
        return (
            f"{format_path(self.path)} does not exist" if self.path else "no settings file is read"
        )

    def _list_layers(
        self, typed: Mapping[str, Any], words: Sequence[str], saved_name: str
    ) -> Iterator[tuple[Rank, Mapping[str, SettingValue], Callable[[str], str]]]:
        # The last part of each returns the source of a flag, for messages.
        settings = self.settings
        saved = self.saved or SavedSelection((), NO_VALUES)
        yield (
            Rank.SAVED,
            saved.flags,
            lambda key: f"@{saved_name}, {settings.place('selections', saved_name, key)}",
        )
        root = _find_page_root([*words, *saved.events, *self._pages], typed)
        page = _find_profile_of(root, settings.profiles)
        values = {"profile": page, "root-url": root}
        named = {name: value for name, value in values.items() if value is not None}
        yield Rank.PAGE, named, lambda _: "the page's address"
        name = _find_profile_in_use(
            {"profile": typed.get("profile"), "broker": typed.get("url")},
            saved.flags,
            {
                "profile": os.environ.get("TCSNIFF_PROFILE"),
                "broker": os.environ.get("TCSNIFF_BROKER"),
            },
            {"broker": os.environ.get("PULSE_URL")},
            {"profile": page},
            settings.flags,
            {"profile": DEFAULT_PROFILE if os.environ.get("PULSE_USERNAME") else None},
        )
        if name in settings.profiles:
            yield (
                Rank.PROFILE,
                settings.profiles[name].flags,
                lambda key: f"profile {name}, {settings.place('profiles', name, 'flags', key)}",
            )
        yield Rank.FILE, settings.flags, settings.place


def prepare_layers(context: click.Context, typed: Mapping[str, Any]) -> None:
    """Read the settings file, and set the defaults of the command's flags.

    Args:
        context: The context of the command.
        typed: Typed values, by the names of click's parameters.

    Raises:
        UsageError: If the file is not valid.
    """
    context.meta[_KEY] = Layers(context, typed)
    get_layers(context).fill_default_map(context)


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


def _convert_value(value: SettingValue, parameter: click.Parameter) -> Any:
    # As a shell passes the value to the flag.
    values = value if isinstance(value, tuple) else (value,)
    if isinstance(parameter, click.Option) and parameter.metavar == "FILE":
        values = tuple(expand_path(str(name)) for name in values)
    return values if parameter.multiple else values[0]


def _find_profile_in_use(*layers: Mapping[str, object]) -> str:
    # The strongest layer that names a profile or broker decides; empty for no profile.
    for values in layers:
        if values.get("profile") or values.get("broker"):
            return str(values.get("profile") or "")
    return ""


def _list_addresses(context: click.Context, typed: Mapping[str, Any]) -> Iterator[str]:
    # Values that may be the address of a page: arguments, and IDs of tasks and groups.
    names = [one.name for one in context.command.params if isinstance(one, click.Argument)]
    for name in (*names, "task_id", "task_group_id", "group"):
        value = typed.get(name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from (word for word in value if isinstance(word, str))


def _find_page_root(words: Iterable[str], typed: Mapping[str, Any]) -> str | None:
    # The root URL of the deployment whose pages the command line names.
    roots = dict.fromkeys(root for word in words if (root := find_root_url(word)) is not None)
    if len(roots) > 1 and not any(typed.get(name) for name in ("root_url", "url", "profile")):
        raise UsageError(
            f"these are addresses of different deployments: {' and '.join(roots)}; use a command "
            "for each, or --root-url"
        )
    return next(iter(roots)) if len(roots) == 1 else None


def _find_profile_of(root: str | None, profiles: Mapping[str, Profile]) -> str | None:
    urls = {name: profile.broker.root_url or "" for name, profile in profiles.items()}
    return next((name for name, url in urls.items() if url.rstrip("/").lower() == root), None)
