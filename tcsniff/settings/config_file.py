"""The settings file: where it is, and what stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tcsniff.errors import UsageError
from tcsniff.pulse.styles import apply_colors
from tcsniff.settings.file_schema import FlagKind, KnownFlags, Profile, Settings, parse_settings

NO_FILE = "-"
"""In place of a file's name: none."""


def find_settings_file(
    typed: str | None, environment: Mapping[str, str]
) -> tuple[Path | None, str]:
    """Tell which file holds the settings.

    Args:
        typed: Value of ``--config``; None if not given.
        environment: ``TCSNIFF_CONFIG`` stands in for it; ``XDG_CONFIG_HOME`` is
            where the file is otherwise looked for.

    Returns:
        The file, which need not be there, or None for none; and what names it,
        empty if nothing does.
    """
    for name, text in (("--config", typed), ("TCSNIFF_CONFIG", environment.get("TCSNIFF_CONFIG"))):
        if text:
            return (None if text == NO_FILE else Path(text)), name
    # A relative one is to be ignored: https://specifications.freedesktop.org/basedir-spec
    home = Path(environment.get("XDG_CONFIG_HOME", ""))
    try:
        folder = home if home.is_absolute() else Path("~/.config").expanduser()
    except RuntimeError:  # nobody knows where home is
        return None, ""
    return folder / "tcsniff" / "config.toml", ""


def read_settings(path: Path, flags: KnownFlags, *, is_wanted: bool) -> Settings:
    """Read the file.

    Args:
        path: The file.
        flags: Those that it may set.
        is_wanted: Whether it has to be there.

    Raises:
        UsageError: If it cannot be read, or there is something wrong with it.
    """
    text = _read_text(path, is_wanted=is_wanted)
    if text is None:
        return Settings()
    name = format_path(path)
    found = parse_settings(_parse_toml(text, name), flags, file=name, text=text)
    profiles = {name: _located(one, path.parent) for name, one in found.profiles.items()}
    return found._replace(profiles=profiles)


def _read_text(path: Path, *, is_wanted: bool) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if is_wanted:
            raise UsageError(f"no file {path}, which was to hold the settings") from None
        return None
    except OSError as error:
        raise UsageError(f"the settings cannot be read: {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8, so it holds no settings") from None


def _parse_toml(text: str, name: str) -> dict[str, Any]:
    import tomllib  # 3 ms, for those who have a file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        words = str(error)
        raise UsageError(f"{name} is no TOML: {words[:1].lower()}{words[1:]}") from None
    except RecursionError:
        raise UsageError(f"{name} is nested too deep") from None


def check_colors(found: Settings) -> None:
    """See whether the colours can be shown; for commands that load what knows them anyway.

    Raises:
        UsageError: If not.
    """
    for key, style in found.colors.items():
        try:
            apply_colors({key: style})
        except UsageError as error:
            raise UsageError(f"{found.place('colors', key)}: colors.{error}") from None


def format_path(path: Path) -> str:
    """Write a file's name for people: with ``~`` for their own folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)


def _located(profile: Profile, folder: Path) -> Profile:
    # In a profile, a relative name is relative to the file that it stands in.
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
    """Write a file's name out: ``~`` is one's home, as shells have it."""
    try:
        return str(Path(name).expanduser())
    except RuntimeError:
        return name


def list_flags(context: click.Context) -> KnownFlags:
    """Tell which flags there are, of all commands.

    Args:
        context: The context of the command at hand, whose flags come first; the
            others are imported if those will not do.
    """
    own = _kinds([context.command])
    everything: dict[str, FlagKind] = {}

    def of_all() -> dict[str, FlagKind]:
        if not everything:
            everything.update(_kinds(list_commands(context)) | own)
        return everything

    return KnownFlags(lambda name: own.get(name) or of_all().get(name), of_all)


def list_commands(context: click.Context) -> Iterator[click.Command]:
    """Import all commands."""
    top = context.find_root()
    if isinstance(top.command, click.Group):
        for name in top.command.list_commands(top):
            command = top.command.get_command(top, name)
            if command is not None:
                yield command


def _kinds(commands: Sequence[click.Command] | Iterator[click.Command]) -> dict[str, FlagKind]:
    found: dict[str, FlagKind] = {}
    for command in commands:
        for parameter in command.params:
            # Options alone have variables, hence can be set.
            if isinstance(parameter, click.Option) and parameter.envvar:
                kind = FlagKind.SWITCH if parameter.is_flag else FlagKind.TEXT
                for name in parameter.opts:
                    if name.startswith("--"):
                        found.setdefault(name[2:], FlagKind.LIST if parameter.multiple else kind)
    return found
