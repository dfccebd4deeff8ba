"""Checks of the files that flags name: none is both read and written, or written twice."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

import click

from tcsniff.errors import UsageError
from tcsniff.settings.value_sources import get_layers

_STANDARD_STREAM = "-"
_PLAIN = {"", ".json", ".jsonl", ".jsonlines", ".ndjson", ".log", ".txt", ".out", ".tmp", ".part"}
_GZIP = ".gz"


class FileUse(Enum):
    """What a command does with the file that a flag names."""

    READ = "reads"
    WRITE = "writes"


class _NamedFile(NamedTuple):
    # A file, the flag that names it, and what distinguishes it from other files.
    flag: str
    path: str
    identity: object

    def __str__(self) -> str:
        return f"{self.flag} {self.path}".rstrip()


class FileFlag(NamedTuple):
    """A flag that names files.

    Attributes:
        name: As typed.
        parameter: Its name in Python.
        use: What the command does with the files.
    """

    name: str
    parameter: str
    use: FileUse


def check_files(context: click.Context, flags: Iterable[FileFlag]) -> None:
    """Check that no file is both read and written, or written for two purposes.

    Symbolic links, hard links and redirections of standard output count as the file
    that they lead to.

    Args:
        context: The context of the command, whose arguments are parsed.
        flags: Its flags that name files.

    Raises:
        UsageError: If one is.
    """
    flags = list(flags)
    read = [*_list_files(context, flags, FileUse.READ), *_list_settings_files(context)]
    written: list[_NamedFile] = []
    for output in [*_list_files(context, flags, FileUse.WRITE), *_list_standard_output(context)]:
        for other in read:
            if output.identity == other.identity:
                raise UsageError(f"{output} is also what {other.flag} reads")
        for other in written:
            if output.identity == other.identity:
                raise UsageError(f"{output} is also what {other.flag} writes")
        written.append(output)


def check_ending(
    context: click.Context, parameter: click.Parameter, path: str | None
) -> str | None:
    """Return the name of a JSON file to write; a callback for click.

    Raises:
        UsageError: If its ending promises another format.
    """
    del context
    if path is None:
        return None
    from pathlib import Path  # 3 ms

    ending = Path(path).suffix.lower()
    # A number, as of log rotation or a date, is part of the name.
    if ending in _PLAIN or ending == _GZIP or ending[1:].isdecimal() or not Path(path).name:
        return path
    if Path(path).exists() and not Path(path).is_file():
        return path  # a pipe or device
    raise UsageError(
        f"{parameter.opts[-1]} {path}: the ending {ending} is unknown; .jsonl and .json are "
        "written plain, .gz compressed"
    )


def _list_files(
    context: click.Context, flags: Iterable[FileFlag], use: FileUse
) -> Iterator[_NamedFile]:
    for flag in flags:
        value = context.params.get(flag.parameter)
        if flag.use is not use or not value:
            continue
        for path in [value] if isinstance(value, str) else value:
            identity = _identify(0 if path == _STANDARD_STREAM else path)
            if identity is not None:
                yield _NamedFile(flag.name, str(path), identity)


def _list_settings_files(context: click.Context) -> Iterator[_NamedFile]:
    layers = get_layers(context)
    if layers.path is not None and not context.params.get("example"):
        name = layers.chosen or "the default of --config"
        if (identity := _identify(str(layers.path))) is not None:
            yield _NamedFile(name, str(layers.path), identity)
    profile = layers.settings.profiles.get(context.params.get("profile") or "")
    if profile is None:
        return
    broker = profile.broker
    for path in (profile.password_file, broker.ca, broker.cert, broker.key):
        if path is not None and (identity := _identify(path)) is not None:
            yield _NamedFile("the profile", path, identity)


def _list_standard_output(context: click.Context) -> Iterator[_NamedFile]:
    del context
    if (identity := _identify(1)) is not None:
        yield _NamedFile("standard output", "", identity)


def _identify(file: str | int) -> object:
    # None for files that can be used twice: terminals, /dev/null, sockets, folders.
    from pathlib import Path  # 3 ms

    try:
        status = os.fstat(file) if isinstance(file, int) else Path(file).stat()
    except OSError:
        return None if isinstance(file, int) else os.path.realpath(file)
    if stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode):
        return status.st_dev, status.st_ino
    return None
