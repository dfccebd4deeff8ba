"""The schema of the settings file.

Pure. Every key is checked, also those that the current command does not use. Flags are checked
one by one, because the commands declare them; all other tables by msgspec's types.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from tcsniff.errors import UsageError, suggest
from tcsniff.pulse.urls import check_root_url
from tcsniff.settings.brokers import Broker, extend_profile, parse_broker_url
from tcsniff.settings.model import (
    BUILT_IN,
    KnownFlags,
    Profile,
    SavedSelection,
    Settings,
    SettingValue,
    Text,
    TextList,
)


class _ProfileTable(msgspec.Struct, forbid_unknown_fields=True, rename="kebab"):
    broker: Text | None = None
    user: Text | None = None
    vhost: Text | None = None
    root_url: Text | None = None
    tls_ca: Text | None = None
    tls_cert: Text | None = None
    tls_key: Text | None = None
    tls_insecure: bool | None = None
    plaintext: bool | None = None
    password_file: Text | None = None
    password_command: TextList | None = None
    flags: dict[str, Any] = {}


_PROFILE_KEYS = _ProfileTable.__struct_encode_fields__
_BROKER_KEYS = _PROFILE_KEYS[: _PROFILE_KEYS.index("password-file")]
_TABLES = ("profiles", "selections", "colors")
# TOML's words for the types in msgspec's errors.
_EXPECTED = {
    "bool": "true or false",
    "int | float | str": "a string",
    "int | float | str | array": "a string or a list of strings",
    "object": "a table",
}
_FOUND = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "str": "a string",
    "array": "a list",
    "object": "a table",
}
_MISMATCH = re.compile(r"Expected `(.*?)(?: \| null)?`, got `(.*?)`(?: - at `\$\.?([a-z-]*).*`)?")
_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_NO_SECRETS = "this file must not contain a password; use password-file or password-command"


def parse_settings(
    table: Mapping[str, Any], flags: KnownFlags, *, file: str = "", text: str = ""
) -> Settings:
    """Return the settings of a file.

    Args:
        table: The parsed TOML.
        flags: The flags that the file may set.
        file: Its name, for messages.
        text: Its text, to find the lines of errors.

    Raises:
        UsageError: If a key is unknown, a value has the wrong type, or the file
            contains a password.
    """
    reader = _SettingsReader(flags, Settings(file, lines=dict(find_key_lines(text))))
    top = {key: value for key, value in table.items() if key not in _TABLES}
    profiles, selections, colors = (reader.read_table(table.get(name), name) for name in _TABLES)
    settings = reader.settings._replace(
        flags=reader.read_flags(top, other_keys=_TABLES),
        profiles=BUILT_IN | {name: reader.read_profile(name, profiles[name]) for name in profiles},
        selections={name: reader.read_selection(name, selections[name]) for name in selections},
        colors={
            name: str(reader.convert(style, Text, "colors", name))
            for name, style in colors.items()
        },
    )
    if (name := settings.flags.get("profile")) is not None and name not in settings.profiles:
        hint = suggest(str(name), settings.profiles) or f"; known: {', '.join(settings.profiles)}"
        raise reader.make_error(f"unknown profile {name!r}{hint}", "profile")
    return settings


class _SettingsReader:
    def __init__(self, flags: KnownFlags, settings: Settings) -> None:
        self._flags = flags
        self.settings = settings

    def make_error(self, text: str, *path: str) -> UsageError:
        return UsageError(f"{self.settings.place(*path)}: {'.'.join(path)}: {text}")

    def convert(self, value: Any, kind: Any, *path: str) -> Any:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            text = str(error)
        if unknown := _UNKNOWN_KEY.fullmatch(text):
            raise self.make_error(self._explain_unknown_key(unknown[1]), *path, unknown[1])
        if mismatch := _MISMATCH.fullmatch(text):
            expected, found, key = mismatch.groups()
            if key:
                path = (*path, key)
            hint = f", [{'.'.join(path)}]" if expected == "object" else ""
            text = (
                f"must be {_EXPECTED[expected]}{hint}, not {_FOUND.get(found, 'a date or time')}"
            )
        if path == ("profile",) and isinstance(value, dict):
            text += f"; to add a profile, write [profiles.{next(iter(value), 'NAME')}]"
        raise self.make_error(text, *path)

    def _explain_unknown_key(self, key: str) -> str:
        if "password" in key.lower():
            return _NO_SECRETS
        if key in self._flags.load_all():
            return f"unknown setting of a profile; write flags in its table: flags.{key}"
        return f"unknown setting{suggest(key, _PROFILE_KEYS)}"

    def read_table(self, value: Any, *path: str) -> dict[str, Any]:
        table: dict[str, Any] = self.convert({} if value is None else value, dict[str, Any], *path)
        return table

    def read_flags(
        self, table: Mapping[str, Any], *path: str, other_keys: Iterable[str] = ()
    ) -> Mapping[str, SettingValue]:
        flags = self._flags.current
        if not table.keys() <= flags.keys():
            flags = self._flags.load_all()
        values: dict[str, SettingValue] = {}
        for key, value in table.items():
            if key not in flags:
                hint = suggest(key, [*other_keys, *flags])
                raise self.make_error(f"unknown setting{hint}", *path, key)
            converted = self.convert(value, flags[key], *path, key)
            if flags[key] is bool:
                values[key] = converted
            else:
                values[key] = _to_strings(converted) if flags[key] == TextList else str(converted)
            if key == "broker":
                self._check_broker(partial(parse_broker_url, str(value)), *path, key)
        return values

    def read_selection(self, name: str, value: Any) -> SavedSelection:
        path = ("selections", name)
        table = self.read_table(value, *path)
        events = self.convert(table.pop("events", []), TextList, *path, "events")
        return SavedSelection(
            _to_strings(events), self.read_flags(table, *path, other_keys=["events"])
        )

    def read_profile(self, name: str, value: Any) -> Profile:
        path = ("profiles", name)
        table = self.read_table(value, *path)
        keys: _ProfileTable = self.convert(table, _ProfileTable, *path)
        for key in keys.flags.keys() & {"profile", "broker"}:
            raise self.make_error("the profile already names the broker", *path, "flags", key)
        if keys.password_command and keys.password_file is not None:
            raise self.make_error("use password-file or password-command, not both", *path)
        broker_keys = {
            key: setting if isinstance(setting, bool) else str(setting)
            for key, setting in table.items()
            if key in _BROKER_KEYS
        }
        try:
            check_root_url(str(keys.root_url or "https://h"))
        except UsageError as error:
            raise self.make_error(str(error), *path, "root-url") from None
        return Profile(
            self._check_broker(partial(extend_profile, name, broker_keys), *path, "broker"),
            None if keys.password_file is None else str(keys.password_file),
            self._split_command(keys.password_command or (), *path, "password-command"),
            self.read_flags(keys.flags, *path, "flags"),
        )

    def _split_command(self, command: Any, *path: str) -> tuple[str, ...]:
        try:
            return tuple(
                shlex.split(command) if isinstance(command, str) else _to_strings(command)
            )
        except ValueError:
            raise self.make_error("a quote is not closed", *path) from None

    def _check_broker(self, make_broker: Callable[[], Broker], *path: str) -> Broker:
        try:
            broker = make_broker()
        except UsageError as error:
            raise self.make_error(str(error), *path) from None
        if broker.password:
            raise self.make_error(_NO_SECRETS, *path)
        return broker


def _to_strings(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


_HEADER = re.compile(r"\s*\[\s*([^\[\]#]+?)\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_.-]+|"[^"]*"|'[^']*')+)\s*=""")


def find_key_lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the paths of keys and tables with their lines, from 1, for messages.

    A line of a multi-line string that looks like a key counts as one.

    Args:
        text: Valid TOML.
    """
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.fullmatch(line.rstrip("\r")):
            table = _split_path(header[1])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_split_path(key[1])), number


def _split_path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[^.\s]+""", dotted))
