"""What the settings file means.

Pure: the file is found, read and parsed elsewhere. Every key is checked, also
those that the command at hand does not need.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.urls import check_root_url
from tcsniff.settings.brokers import PROFILES, Broker, extend_profile, parse_broker_url

SettingValue = bool | str | tuple[str, ...]
"""What a flag may be set to."""

NO_VALUES: Mapping[str, Any] = MappingProxyType({})


class FlagKind(Enum):
    """What a setting takes, in words."""

    SWITCH = "true or false"
    LIST = "a string or a list of them"
    TEXT = "a string"


class KnownFlags(NamedTuple):
    """The flags that a file may set.

    Attributes:
        kind_of: Returns the kind of a flag's value, by its long name without dashes; None
            if there is no such flag.
        names: Names all.
    """

    kind_of: Callable[[str], FlagKind | None]
    names: Callable[[], Iterable[str]]


class Profile(NamedTuple):
    """A broker to choose by name, and how to get there.

    Attributes:
        broker: The broker, without a password.
        password_file: Where to read the password; None for not from a file.
        password_command: What to run for it; empty for nothing.
        flags: What flags are set to while it is in use.
    """

    broker: Broker
    password_file: str | None = None
    password_command: tuple[str, ...] = ()
    flags: Mapping[str, SettingValue] = NO_VALUES


class SavedSelection(NamedTuple):
    """A selection to choose by name.

    Attributes:
        events: EVENTs.
        flags: What flags are set to.
    """

    events: tuple[str, ...]
    flags: Mapping[str, SettingValue]


BUILT_IN = {name: Profile(broker) for name, broker in PROFILES.items()}


class Settings(NamedTuple):
    """All that a file sets.

    Attributes:
        file: Its name, for people; empty if there is none.
        flags: What flags are set to, by long name without dashes.
        profiles: Profiles by name, those that are built in among them.
        selections: Saved selections by name.
        colors: What the looks of events are, by name, to be checked.
        lines: Where each key stands, in lines from 1, as far as that is known.
    """

    file: str = ""
    flags: Mapping[str, SettingValue] = NO_VALUES
    profiles: Mapping[str, Profile] = BUILT_IN
    selections: Mapping[str, SavedSelection] = NO_VALUES
    colors: Mapping[str, str] = NO_VALUES
    lines: Mapping[tuple[str, ...], int] = MappingProxyType({})

    def place(self, *path: str) -> str:
        """Return where a key is, or the innermost table around it, like ``config.toml:12``."""
        for end in range(len(path), 0, -1):
            lines = [line for key, line in self.lines.items() if key[:end] == path[:end]]
            if lines:
                return f"{self.file}:{self.lines.get(path[:end], lines[0])}"
        return self.file


# Keys of a profile that its broker is made of, and what they take; and its others.
_BROKER = {
    "broker": FlagKind.TEXT,
    "user": FlagKind.TEXT,
    "vhost": FlagKind.TEXT,
    "root-url": FlagKind.TEXT,
    "tls-ca": FlagKind.TEXT,
    "tls-cert": FlagKind.TEXT,
    "tls-key": FlagKind.TEXT,
    "tls-insecure": FlagKind.SWITCH,
    "plaintext": FlagKind.SWITCH,
}
_OTHERS = ("password-file", "password-command", "flags")
_TABLES = ("profiles", "selections", "colors")
_NOT_HERE = {"config"}  # a file cannot name itself


def parse_settings(
    table: Mapping[str, Any], flags: KnownFlags, *, file: str = "", text: str = ""
) -> Settings:
    """Read a file's settings.

    Args:
        table: The file, as TOML.
        flags: Those that it may set.
        file: Its name, for people.
        text: Its contents, for line numbers.

    Raises:
        UsageError: If there is a key that means nothing, or a value of the wrong
            type, or a password.
    """
    reading = _SettingsReader(flags, Settings(file, lines=dict(find_key_lines(text))))
    top = {key: value for key, value in table.items() if key not in _TABLES}
    profiles = dict(BUILT_IN)
    for name, keys in reading.tables(table, "profiles"):
        profiles[name] = reading.profile(name, keys)
    found = reading.start._replace(
        flags=reading.flags(top, (), others=_TABLES),
        profiles=profiles,
        selections={
            name: reading.saved(name, keys) for name, keys in reading.tables(table, "selections")
        },
        colors={
            name: str(reading.value(style, FlagKind.TEXT, ("colors", name)))
            for name, style in reading.table(table.get("colors", {}), ("colors",)).items()
        },
    )
    if (chosen := found.flags.get("profile")) is not None and chosen not in profiles:
        near = suggest(str(chosen), profiles) or f"; known: {', '.join(profiles)}"
        raise reading.error(("profile",), f"unknown profile {str(chosen)!r}{near}")
    return found


class _SettingsReader:
    # Knows what flags there are, and where we are.

    def __init__(self, flags: KnownFlags, start: Settings) -> None:
        self._flags = flags
        self.start = start

    def error(self, path: tuple[str, ...], text: str) -> UsageError:
        dotted = ".".join(path)
        return UsageError(f"{self.start.place(*path)}: {dotted}: {text}")

    def table(self, value: Any, path: tuple[str, ...]) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.error(path, f"it is a table, [{'.'.join(path)}], not {_type(value)}")
        return value

    def tables(self, table: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
        for key, value in self.table(table.get(name, {}), (name,)).items():
            yield key, self.table(value, (name, key))

    def flags(
        self, table: Mapping[str, Any], path: tuple[str, ...], others: Iterable[str] = ()
    ) -> Mapping[str, SettingValue]:
        # `others` could have stood there too.
        found = {}
        for key, value in table.items():
            kind = None if key in _NOT_HERE else self._flags.kind_of(key)
            if kind is None:
                known = [*others, *self._flags.names()]
                raise self.error((*path, key), f"no such setting{suggest(key, known)}")
            found[key] = self.value(value, kind, (*path, key))
            if key == "broker":
                self._without_password(partial(parse_broker_url, str(value)), (*path, key))
        return found

    def value(self, value: Any, kind: FlagKind, path: tuple[str, ...]) -> SettingValue:
        if kind is FlagKind.SWITCH and isinstance(value, bool):
            return value
        if kind is FlagKind.LIST:
            values = value if isinstance(value, list) else [value]
            if all(map(_is_scalar, values)):
                return tuple(map(str, values))
        elif kind is FlagKind.TEXT and _is_scalar(value):
            return str(value)
        more = ""
        if path == ("profile",) and isinstance(value, dict):
            more = f"; a profile of your own is a table [profiles.{next(iter(value), 'NAME')}]"
        raise self.error(path, f"it is {kind.value}, not {_type(value)}{more}")

    def listed(self, value: Any, path: tuple[str, ...]) -> tuple[str, ...]:
        found = self.value(value, FlagKind.LIST, path)
        return found if isinstance(found, tuple) else ()

    def command(self, value: Any, path: tuple[str, ...]) -> tuple[str, ...]:
        if not isinstance(value, str):
            return self.listed(value, path)
        try:
            return tuple(shlex.split(value))
        except ValueError:
            raise self.error(path, "a quote in it is not closed") from None

    def saved(self, name: str, keys: Mapping[str, Any]) -> SavedSelection:
        path = ("selections", name)
        events = self.listed(keys.get("events", []), (*path, "events"))
        rest = {key: value for key, value in keys.items() if key != "events"}
        return SavedSelection(events, self.flags(rest, path, others=["events"]))

    def profile(self, name: str, keys: Mapping[str, Any]) -> Profile:
        path = ("profiles", name)
        for key in keys:
            if key not in {*_BROKER, *_OTHERS}:
                raise self.error((*path, key), self._stranger(key))
        found = {
            key: self.value(keys[key], kind, (*path, key))
            for key, kind in _BROKER.items()
            if key in keys
        }
        flags = self.table(keys.get("flags", {}), (*path, "flags"))
        for key in flags.keys() & {"profile", "broker"}:
            raise self.error((*path, "flags", key), "the profile says itself where to listen")
        file, command = keys.get("password-file"), keys.get("password-command", ())
        if command and file is not None:
            raise self.error(path, "password-file and password-command: give one of them")
        return Profile(
            self._broker(path, found),
            None
            if file is None
            else str(self.value(file, FlagKind.TEXT, (*path, "password-file"))),
            self.command(command, (*path, "password-command")) if command != () else (),
            self.flags(flags, (*path, "flags")),
        )

    def _stranger(self, key: str) -> str:
        if "password" in key.lower():
            return _SECRETS_ELSEWHERE
        if self._flags.kind_of(key) is not None:
            return f"no such setting of a profile; flags stand in its table: flags.{key}"
        return f"no such setting{suggest(key, [*_BROKER, *_OTHERS])}"

    def _broker(self, path: tuple[str, ...], keys: Mapping[str, SettingValue]) -> Broker:
        try:
            check_root_url(str(keys.get("root-url", "https://h")))
        except UsageError as error:
            raise self.error((*path, "root-url"), str(error)) from None
        return self._without_password(partial(extend_profile, path[-1], keys), (*path, "broker"))

    def _without_password(self, make: Callable[[], Broker], path: tuple[str, ...]) -> Broker:
        try:
            broker = make()
        except UsageError as error:
            raise self.error(path, str(error)) from None
        if broker.password:
            raise self.error(path, _SECRETS_ELSEWHERE)
        return broker


_SECRETS_ELSEWHERE = (
    "no password is kept in this file; password-file or password-command say where it is"
)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _type(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    words = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return words.get(type(value), "a date or time")


_HEADER = re.compile(r"\s*\[\s*([^\[\]#]+?)\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_.-]+|"[^"]*"|'[^']*')+)\s*=""")


def find_key_lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the line numbers of keys and tables, for error messages.

    A line of a string that goes over several may pass for a key.

    Args:
        text: Valid TOML.

    Yields:
        The path of a key or table, and its line, counted from 1.
    """
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.fullmatch(line.rstrip("\r")):
            table = _path(header[1])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_path(key[1])), number


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[^.\s]+""", dotted))
