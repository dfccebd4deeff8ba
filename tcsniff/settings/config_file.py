"""The settings file: where it is, and how it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tcsniff.errors import UsageError
from tcsniff.settings.file_schema import FlagKind, KnownFlags, Profile, Settings, parse_settings

NO_FILE = "-"
"""The name that means no file."""


def find_settings_file(
    typed: str | None, environment: Mapping[str, str]
) -> tuple[Path | None, str]:
    """Return the settings file.

    Args:
        typed: Value of ``--config``; None if not given.
        environment: ``TCSNIFF_CONFIG`` is used without it; ``XDG_CONFIG_HOME`` is
            the directory of the default file.

    Returns:
        The file, which may not exist, or None for no file; and the flag or
        variable that names it, empty for the default.
    """
    for name, text in (("--config", typed), ("TCSNIFF_CONFIG", environment.get("TCSNIFF_CONFIG"))):
        if text:
            return (None if text == NO_FILE else Path(text)), name
    # A relative one is to be ignored: https://specifications.freedesktop.org/basedir-spec
    home = Path(environment.get("XDG_CONFIG_HOME", ""))
    try:
        folder = home if home.is_absolute() else Path("~/.config").expanduser()
    except RuntimeError:  # the home directory is unknown
        return None, ""
    return folder / "tcsniff" / "config.toml", ""


def read_settings(path: Path, flags: KnownFlags, *, is_wanted: bool) -> Settings:
    """Read the file.

    Args:
        path: The file.
        flags: The flags that it may set.
        is_wanted: Whether it must exist.

    Raises:
        UsageError: If it cannot be read, or its contents are not valid.
    """
    text = _read_text(path, is_wanted=is_wanted)
    if text is None:
        return Settings()
    name = format_path(path)
    found = parse_settings(_parse_toml(text, name), flags, file=name, text=text)
    profiles = {name: _resolve_paths(one, path.parent) for name, one in found.profiles.items()}
    return found._replace(profiles=profiles)


def _read_text(path: Path, *, is_wanted: bool) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if is_wanted:
            raise UsageError(f"settings file {path} does not exist") from None
        return None
    except OSError as error:
        raise UsageError(f"cannot read the settings file {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"settings file {path} is not valid UTF-8") from None


def _parse_toml(text: str, name: str) -> dict[str, Any]:
    import tomllib  # 3 ms, for those who have a file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        words = str(error)
        raise UsageError(f"{name} is not valid TOML: {words[:1].lower()}{words[1:]}") from None
    except RecursionError:
        raise UsageError(f"{name} is nested too deeply") from None


def format_path(path: Path) -> str:
    """Return a path for messages, with ``~`` for the home directory."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)


def _resolve_paths(profile: Profile, folder: Path) -> Profile:
    # A relative path in a profile is relative to the directory of the settings file.
    def located(name: str | None) -> str | None:
        return None if name is None else str(folder / expand_path(name))

    broker = profile.broker
    return profile._replace(
        broker=replace(
            broker, ca=located(broker.ca), cert=located(broker.cert), key=located(broker.key)
        ),
        password_file=located(profile.password_file),
    )


def expand_path(name: str) -> str:
    """Return a path with ``~`` replaced by the home directory, as shells do."""
    try:
        return str(Path(name).expanduser())
    except RuntimeError:
        return name


def list_flags(context: click.Context) -> KnownFlags:
    """Return the flags of all commands.

    Args:
        context: The context of the current command, whose flags come first; the
            other commands are imported only for flags that it lacks.
    """
    own = _list_kinds([context.command])
    everything: dict[str, FlagKind] = {}

    def of_all() -> dict[str, FlagKind]:
        if not everything:
            everything.update(_list_kinds(list_commands(context)) | own)
        return everything

    return KnownFlags(lambda name: own.get(name) or of_all().get(name), of_all)


def list_commands(context: click.Context) -> Iterator[click.Command]:
    """Import and yield all commands."""
    top = context.find_root()
    if isinstance(top.command, click.Group):
        for name in top.command.list_commands(top):
            command = top.command.get_command(top, name)
            if command is not None:
                yield command


def _list_kinds(
    commands: Sequence[click.Command] | Iterator[click.Command],
) -> dict[str, FlagKind]:
    found: dict[str, FlagKind] = {}
    for command in commands:
        for parameter in command.params:
            # Only options have variables, so only they can be set.
            if isinstance(parameter, click.Option) and parameter.envvar:
                kind = FlagKind.SWITCH if parameter.is_flag else FlagKind.TEXT
                for name in parameter.opts:
                    if name.startswith("--"):
                        found.setdefault(name[2:], FlagKind.LIST if parameter.multiple else kind)
    return found
