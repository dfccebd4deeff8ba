"""The precedence of values that were not typed: selections, variables, profiles, the file.

click asks the command line, a flag's variables (``envvar``) and `Context.default_map`, in
this order. The map is filled from `Layers`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.addresses import find_root_url
from tcsniff.settings.brokers import DEFAULT_PROFILE
from tcsniff.settings.config_file import (
    find_settings_file,
    format_path,
    list_flags,
    read_settings,
)
from tcsniff.settings.model import NO_VALUES, Profile, SavedSelection, Settings
from tcsniff.settings.value_sources import Layer, Layers, Rank, set_layers


def prepare_layers(context: click.Context, typed: Mapping[str, Any]) -> None:
    """Read the settings file, and set the defaults of the command's flags.

    Args:
        context: The context of the command.
        typed: Typed values, by the names of click's parameters.

    Raises:
        UsageError: If the file is not valid.
    """
    path, chosen = find_settings_file(typed.get("config"), os.environ)
    settings = Settings()
    if path is not None:
        settings = read_settings(path, list_flags(context), is_required=bool(chosen))
    events = typed.get("events")
    words = [str(word) for word in events] if isinstance(events, list | tuple) else []
    names = [word[1:] for word in words if word.startswith("@")]
    saved = _find_selection(names, settings, path)
    pages = _list_addresses(context, typed)
    root = _find_page_root([*words, *(saved.events if saved else ()), *pages], typed)
    layers = _list_layers(settings, typed, saved, "".join(names), root)
    set_layers(context, Layers(settings, path, chosen, saved, list(layers)))


def _find_selection(
    names: Sequence[str], settings: Settings, path: Path | None
) -> SavedSelection | None:
    if len(names) > 1:
        both = " and ".join(f"@{name}" for name in names)
        raise UsageError(f"{both}: use one saved selection, and flags to narrow it")
    for name in names:
        if name in settings.selections:
            return settings.selections[name]
        known = [f"@{known}" for known in settings.selections]
        hint = suggest(f"@{name}", known) or f"; {_describe_known(known, settings, path)}"
        raise UsageError(f"unknown saved selection @{name}{hint}")
    return None


def _describe_known(names: Sequence[str], settings: Settings, path: Path | None) -> str:
    if names:
        return f"known: {', '.join(names)}"
    if settings.file:
        return f"{settings.file} contains none"
    return f"{format_path(path)} does not exist" if path else "no settings file is read"


def _list_layers(
    settings: Settings,
    typed: Mapping[str, Any],
    saved: SavedSelection | None,
    saved_name: str,
    root: str | None,
) -> Iterator[Layer]:
    saved_flags = saved.flags if saved else NO_VALUES
    yield Layer(
        Rank.SAVED,
        saved_flags,
        lambda key: f"@{saved_name}, {settings.place('selections', saved_name, key)}",
    )
    page = _find_profile_of(root, settings.profiles)
    values = {"profile": page, "root-url": root}
    named = {name: value for name, value in values.items() if value is not None}
    yield Layer(Rank.PAGE, named, lambda _: "the page's address")
    name = _find_profile_in_use(
        {"profile": typed.get("profile"), "broker": typed.get("url")},
        saved_flags,
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
        yield Layer(
            Rank.PROFILE,
            settings.profiles[name].flags,
            lambda key: f"profile {name}, {settings.place('profiles', name, 'flags', key)}",
        )
    yield Layer(Rank.FILE, settings.flags, settings.place)


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
