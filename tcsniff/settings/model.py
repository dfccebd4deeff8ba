"""The values of a settings file: flags, profiles, saved selections and colors.

Pure. Apart from `file_schema`, which reads them, so that msgspec is imported only if there is
a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tcsniff.settings.brokers import PROFILES, Broker

SettingValue = bool | str | tuple[str, ...]
"""The value of a flag."""

Text = str | int | float
TextList = Text | list[Text]
"""The types of flags in a file, in addition to bool; numbers are read as text."""

NO_VALUES: Mapping[str, Any] = MappingProxyType({})


class KnownFlags(NamedTuple):
    """The flags that a file may set.

    Attributes:
        current: The flags of the current command: their types by long name without dashes.
        load_all: Returns the flags of all commands.
    """

    current: Mapping[str, Any]
    load_all: Callable[[], Mapping[str, Any]]


class Profile(NamedTuple):
    """A named broker, and how to connect to it.

    Attributes:
        broker: The broker, without a password.
        password_file: The file that contains the password; None for no file.
        password_command: The command that prints the password; empty for no command.
        flags: Values of flags while the profile is in use.
    """

    broker: Broker
    password_file: str | None = None
    password_command: tuple[str, ...] = ()
    flags: Mapping[str, SettingValue] = NO_VALUES


class SavedSelection(NamedTuple):
    """A named selection.

    Attributes:
        events: Names of events.
        flags: Values of flags.
    """

    events: tuple[str, ...]
    flags: Mapping[str, SettingValue]


BUILT_IN = {name: Profile(broker) for name, broker in PROFILES.items()}


class Settings(NamedTuple):
    """The contents of a settings file.

    Attributes:
        file: Its name, for messages; empty if there is no file.
        flags: Values of flags, by long name without dashes.
        profiles: All profiles by name, including the built-in ones.
        selections: Saved selections by name.
        colors: Styles of events and states, not checked.
        lines: The lines of keys and tables, from 1, as far as known.
    """

    file: str = ""
    flags: Mapping[str, SettingValue] = NO_VALUES
    profiles: Mapping[str, Profile] = BUILT_IN
    selections: Mapping[str, SavedSelection] = NO_VALUES
    colors: Mapping[str, str] = NO_VALUES
    lines: Mapping[tuple[str, ...], int] = MappingProxyType({})

    def place(self, *path: str) -> str:
        """Return file and line of a key, or of the innermost table around it."""
        for end in range(len(path), 0, -1):
            lines = [line for key, line in self.lines.items() if key[:end] == path[:end]]
            if lines:
                return f"{self.file}:{self.lines.get(path[:end], lines[0])}"
        return self.file
