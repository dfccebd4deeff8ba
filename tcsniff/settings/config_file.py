"""The settings file: where it is, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from tcsniff.errors import UsageError
from tcsniff.settings.model import KnownFlags, Profile, Settings, Text, TextList
from tcsniff.settings.value_sources import list_long_names

_MAX_BYTES = 1 << 20  # of the file; people write a few kB
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
    # A relative directory must be ignored: https://specifications.freedesktop.org/basedir-spec
    home = Path(environment.get("XDG_CONFIG_HOME", ""))
    try:
        folder = home if home.is_absolute() else Path("~/.config").expanduser()
    except RuntimeError:  # the home directory is unknown
        return None, ""
    return folder / "tcsniff" / "config.toml", ""


def read_settings(path: Path, flags: KnownFlags, *, is_required: bool) -> Settings:
    """Read the file.

    Args:
        path: The file.
        flags: The flags that it may set.
        is_required: Whether it must exist.

    Raises:
        UsageError: If it cannot be read, or its contents are not valid.
    """
    text = _read_text(path, is_required=is_required)
    if text is None:
        return Settings()
    from tcsniff.settings.file_schema import parse_settings  # msgspec: 22 ms, only with a file

    name = format_path(path)
    settings = parse_settings(_parse_toml(text, name), flags, file=name, text=text)
    profiles = {
        name: _resolve_paths(profile, path.parent) for name, profile in settings.profiles.items()
    }
    return settings._replace(profiles=profiles)


def _read_text(path: Path, *, is_required: bool) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise UsageError(f"settings file {path} is larger than {_MAX_BYTES >> 20} MiB")
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except (FileNotFoundError, NotADirectoryError):
        if is_required:
            raise UsageError(f"settings file {path} does not exist") from None
        return None
    except OSError as error:
        raise UsageError(f"cannot read the settings file {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"settings file {path} is not valid UTF-8") from None


def _parse_toml(text: str, name: str) -> dict[str, Any]:
    import tomllib  # 3 ms, only with a file

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
    def resolve(name: str | None) -> str | None:
        return None if name is None else str(folder / expand_path(name))

    broker = profile.broker
    return profile._replace(
        broker=broker._replace(
            ca=resolve(broker.ca), cert=resolve(broker.cert), key=resolve(broker.key)
        ),
        password_file=resolve(profile.password_file),
    )


def expand_path(name: str) -> str:
    """Return a path with ``~`` replaced by the home directory, as shells do."""
    try:
        return str(Path(name).expanduser())
    except RuntimeError:
        return name


def list_flags(context: click.Context) -> KnownFlags:
    """Return the flags that the file may set.

    Args:
        context: The context of the current command, whose flags come first; the
            other commands are imported only for flags that it lacks.
    """
    current = _list_types([context.command])
    return KnownFlags(current, lambda: _list_types(list_commands(context)) | current)


def list_commands(context: click.Context) -> Iterator[click.Command]:
    """Import and yield all commands."""
    top = context.find_root()
    if isinstance(top.command, click.Group):
        for name in top.command.list_commands(top):
            command = top.command.get_command(top, name)
            if command is not None:
                yield command


def _list_types(commands: Iterable[click.Command]) -> dict[str, Any]:
    types: dict[str, Any] = {}
    for parameter in (parameter for command in commands for parameter in command.params):
        # Only options have variables, so only they can be set. A file cannot name itself.
        if isinstance(parameter, click.Option) and parameter.envvar and parameter.name != "config":
            kind = bool if parameter.is_flag else TextList if parameter.multiple else Text
            for name in list_long_names(parameter):
                types.setdefault(name, kind)
    return types
