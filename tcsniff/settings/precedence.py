"""What stands in for flags that were not typed: saved selections, variables, profiles, the file.

The file is looked for when a command asks for a flag, so not for its help.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import click

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.urls import get_page_root, is_url
from tcsniff.settings.brokers import DEFAULT_PROFILE
from tcsniff.settings.config_file import find_settings_file, format_path, list_flags, read_settings
from tcsniff.settings.file_schema import NO_VALUES, Profile, SavedSelection, Settings, SettingValue

PREFIX = "TCSNIFF_"
"""What the variables for flags start with."""

_KEPT = "tcsniff.layers"  # in click's `Context.meta`


class Rank(IntEnum):
    """How strong a source of values is; the least number wins."""

    TYPED = 0
    SAVED = 1
    ENVIRONMENT = 2
    OTHERS = 3  # variables that are not ours alone
    ADDRESS = 4  # the web page whose address is the selection
    PROFILE = 5
    FILE = 6
    BUILT_IN = 7


class ValueSource(NamedTuple):
    """Where a value is from.

    Attributes:
        rank: How strong that is.
        text: The name of it, for people.
    """

    rank: Rank
    text: str


class Layer(NamedTuple):
    """Values from one source.

    Attributes:
        rank: How strong it is.
        values: By the flag's long name, without dashes.
        place: Words where the value of a flag stands.
    """

    rank: Rank
    values: Mapping[str, SettingValue]
    place: Callable[[str], str]


class Layers:
    """All sources of values apart from the command line.

    Attributes:
        settings: What the file sets.
        path: The file; None if there is none.
        chosen: What says which file: ``--config``, a variable; empty for none.
        saved: The saved selection that was named; None if none was.
        sources: Where the value of each parameter is from that was not left as
            it is built in, by its name in Python.
    """

    def __init__(self, context: click.Context, typed: Mapping[str, Any]) -> None:
        """Read the file.

        Args:
            context: The command's.
            typed: What was typed, by the parameters' names in Python.

        Raises:
            UsageError: If there is something wrong with the file.
        """
        self.path, self.chosen = find_settings_file(_text(typed.get("config")), os.environ)
        self.settings = Settings()
        if self.path is not None:
            self.settings = read_settings(
                self.path, list_flags(context), is_wanted=bool(self.chosen)
            )
        self.sources: dict[str, ValueSource] = {}
        words = typed.get("events")
        words = [str(word) for word in words] if isinstance(words, list | tuple) else []
        self.saved = self._saved([word[1:] for word in words if word.startswith("@")])
        self._layers = list(self._stacked(typed, words))

    def find(
        self, names: Sequence[str], ranks: Callable[[Rank], bool]
    ) -> tuple[SettingValue, ValueSource] | None:
        """Look a flag up.

        Args:
            names: Its long names, without dashes.
            ranks: Where to look.

        Returns:
            The strongest value, and where it is from; None if there is none.
        """
        for layer in self._layers:
            for name in names:
                if name in layer.values and ranks(layer.rank):
                    return layer.values[name], ValueSource(layer.rank, layer.place(name))
        return None

    def _saved(self, names: Sequence[str]) -> SavedSelection | None:
        if len(names) > 1:
            both = " and ".join(f"@{name}" for name in names)
            raise UsageError(f"{both}: one saved selection at a time; flags beside it narrow it")
        known = self.settings.selections
        for name in names:
            if name in known:
                return known[name]
            there = ", ".join(f"@{one}" for one in known)
            near = suggest(f"@{name}", [f"@{one}" for one in known])
            near = near or (f"; there are {there}" if there else f"; {self._where()}")
            raise UsageError(f"no saved selection @{name}{near}")
        return None

    def _where(self) -> str:
        if self.settings.file:
            return f"{self.settings.file} has none"
        return f"there is no {format_path(self.path)}" if self.path else "no settings file is read"

    def _stacked(self, typed: Mapping[str, Any], words: Sequence[str]) -> Iterator[Layer]:
        found = self.settings
        saved = NO_VALUES if self.saved is None else self.saved.flags
        if self.saved is not None:
            name = next(word[1:] for word in words if word.startswith("@"))
            yield Layer(
                Rank.SAVED, saved, lambda key: f"@{name}, {found.place('selections', name, key)}"
            )
        page = _deployment([*words, *(self.saved.events if self.saved else ())], found.profiles)
        if page is not None:
            yield Layer(Rank.ADDRESS, {"profile": page}, lambda _: "the page's address")
        profile = _in_use(typed, saved, page, found.flags)
        if profile in found.profiles:
            flags = found.profiles[profile].flags
            place = ("profiles", profile, "flags")
            yield Layer(
                Rank.PROFILE, flags, lambda key: f"profile {profile}, {found.place(*place, key)}"
            )
        yield Layer(Rank.FILE, found.flags, found.place)


def get_layers(context: click.Context, typed: Mapping[str, Any] = NO_VALUES) -> Layers:
    """Give the layers of the command that runs; read when they are first asked for.

    Args:
        context: The command's.
        typed: What was typed, by the parameters' names in Python.

    Raises:
        UsageError: If there is something wrong with the file.
    """
    kept = context.meta.get(_KEPT)
    if not isinstance(kept, Layers):
        kept = context.meta[_KEPT] = Layers(context, typed)
    return kept


def list_variables(names: Sequence[str]) -> list[str]:
    """Name the variables of a flag.

    Args:
        names: Its long names, without dashes.
    """
    return [PREFIX + name.upper().replace("-", "_") for name in names]


def find_variable(names: Sequence[str]) -> ValueSource | None:
    """Find the first variable that is set, and how strong it is."""
    for name in names:
        if os.environ.get(name):
            return ValueSource(
                Rank.ENVIRONMENT if name.startswith(PREFIX) else Rank.OTHERS,
                name,
            )
    return None


def _in_use(
    typed: Mapping[str, Any],
    saved: Mapping[str, SettingValue],
    page: str | None,
    file: Mapping[str, SettingValue],
) -> str:
    # Which profile is in use: the strongest that says where to listen; empty for none.
    environment = os.environ
    for profile, url in (
        (typed.get("profile"), typed.get("url")),
        (saved.get("profile"), saved.get("broker")),
        (environment.get("TCSNIFF_PROFILE"), environment.get("TCSNIFF_BROKER")),
        (None, environment.get("PULSE_URL")),
        (page, None),
        (file.get("profile"), file.get("broker")),
        (DEFAULT_PROFILE if environment.get("PULSE_USERNAME") else None, None),
    ):
        if _text(profile) or _text(url):
            return _text(profile) or ""
    return ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _deployment(words: Sequence[str], profiles: Mapping[str, Profile]) -> str | None:
    # The profile whose web page the selection is from.
    roots = {get_page_root(word) for word in words if is_url(word)}
    if len(roots) != 1:
        return None
    (root,) = roots
    known = ((name, profile.broker.root_url or "") for name, profile in profiles.items())
    return next((name for name, url in known if url.rstrip("/").lower() == root), None)
