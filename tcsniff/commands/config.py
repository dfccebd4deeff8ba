"""``tcsniff config``: every setting in force, and where it came from."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from tcsniff.commands.console import print_message, print_output
from tcsniff.commands.options.account_options import (
    AccountArgs,
    account_options,
    describe_account_source,
    resolve_profile,
    resolve_root_url,
    root_url_option,
)
from tcsniff.commands.options.option import SectionedOption
from tcsniff.commands.options.output_options import check_colors
from tcsniff.commands.options.selection_options import DEBUG, OUTPUT, SectionedCommand, option
from tcsniff.errors import UsageError, suggest
from tcsniff.sanitize import sanitize
from tcsniff.settings.brokers import Broker, build_broker
from tcsniff.settings.config_file import format_path, list_commands
from tcsniff.settings.example import EXAMPLE_SETTINGS
from tcsniff.settings.model import BUILT_IN, SavedSelection
from tcsniff.settings.precedence import PREFIX, Layers, Rank, find_source, get_layers, list_sources

_HIDDEN = "(hidden)"
_BUILT_IN = "built in"


class SettingRow(NamedTuple):
    """A setting.

    Attributes:
        setting: Its name.
        value: What it is, without secrets.
        source: Where that came from.
    """

    setting: str
    value: str
    source: str


@click.command(cls=SectionedCommand)
@account_options
@root_url_option
@option("--json", "as_json", section=OUTPUT, is_flag=True, help="One JSON object a line.")
@option("--path", section=OUTPUT, is_flag=True, help="Only the file's name.")
@option("--example", section=OUTPUT, is_flag=True, help="A settings file to start from.")
@click.pass_context
def config(
    context: click.Context,
    *,
    account: AccountArgs,
    root_url: str | None,
    as_json: bool,
    path: bool,
    example: bool,
) -> None:
    """Show every setting and where it came from.

    Flags come first, then a saved selection, variables (TCSNIFF_WORKER_TYPE for
    --worker-type), the profile that is in use, the settings file, and what is
    built in. Passwords are hidden, and no password-command is run. Connects to
    nothing.
    """
    layers = get_layers(context)
    if example:
        print_output(EXAMPLE_SETTINGS.removesuffix("\n"))
    elif path:
        print_output("" if layers.path is None else str(layers.path))
    else:
        rows = [*_file(layers), *list_account_settings(account, root_url)]
        rows += _flags(context, layers, {"config", *(row.setting for row in rows)})
        rows += _tables(layers)
        for line in map(_json, rows) if as_json else _listing(rows):
            print_output(line)
        for warning in _strangers(context):
            print_message(warning)


def _file(layers: Layers) -> Iterator[SettingRow]:
    if layers.path is None:
        yield SettingRow("config", "none", layers.chosen or _BUILT_IN)
        return
    there = layers.settings.file or f"{format_path(layers.path)} (not there)"
    yield SettingRow("config", there, layers.chosen or "its usual place")


def list_account_settings(account: AccountArgs, root_url: str | None) -> Iterator[SettingRow]:
    """Yield profile, broker, user and password, with hidden secrets."""
    said = describe_account_source(account, os.environ)
    profile = resolve_profile(account)
    if profile is not None:
        yield SettingRow("profile", str(account.profile), account.source_of("profile"))
    source = said.broker if profile is None else f"profile {account.profile}"
    try:
        # No password is needed to see who we would be.
        found: Broker | None = build_broker(
            account.url, account.profile, os.environ, profiles=account.brokers, password=_HIDDEN
        )
        user, why = found.user if found else "", said.user
    except UsageError as error:
        if account.url and profile is not None:
            raise
        found = None if profile is None else profile.broker
        user, why = "none", str(error).partition(";")[0]
    yield SettingRow(
        "broker", "none" if found is None else _shown(found), source if found else why
    )
    if found is not None:
        yield SettingRow("user", user, why)
        hidden = _HIDDEN if said.password else "none"
        yield SettingRow("password", hidden, said.password or "no password is known")
    if root_url is not None:
        yield SettingRow(
            "root-url", str(resolve_root_url(account, root_url)), account.source_of("root_url")
        )
    elif found is not None and (root := resolve_root_url(account, None)) is not None:
        yield SettingRow("root-url", root, source)
    if found is not None:
        yield from _tls(found, account, source)


def _tls(found: Broker, account: AccountArgs, source: str) -> Iterator[SettingRow]:
    # What flags have set is told with the flags.
    rows = {
        "tls_ca": found.ca,
        "tls_cert": found.cert,
        "tls_key": found.key,
        "tls_insecure": found.insecure,
        "plaintext": found.plaintext,
    }
    for name, value in rows.items():
        if value and not getattr(account, name):
            yield SettingRow(name.replace("_", "-"), _text(value), source)


def _shown(broker: Broker) -> str:
    return str(broker).replace("//@", "//")


def _flags(context: click.Context, layers: Layers, known: set[str]) -> Iterator[SettingRow]:
    own = {"as_json", "path", "example"}  # say nothing of other commands
    typed = {
        name: context.params[name]
        for name, source in list_sources(context).items()
        if source.rank is Rank.TYPED and name in context.params.keys() - own
    }
    for command in list_commands(context):
        inner = click.Context(command, parent=context, info_name=command.name)
        layers.fill_default_map(inner)
        for parameter in command.params:
            if not isinstance(parameter, SectionedOption) or parameter.long[0] in known:
                continue
            name = parameter.long[0]
            known.add(name)
            opts = {key: value for key, value in typed.items() if key == parameter.name}
            value, _ = parameter.consume_value(inner, opts)
            parameter.handle_parse_result(inner, opts, [])  # to see that it is right
            source = find_source(inner, parameter)
            default = parameter.default
            if source is not None:
                yield SettingRow(name, _text(value), source.text)
            elif isinstance(default, str | int) and default is not False:
                yield SettingRow(name, _text(default), _BUILT_IN)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple | list) else str(value)


def _tables(layers: Layers) -> Iterator[SettingRow]:
    found = layers.settings
    for name, profile in found.profiles.items():
        is_ours = profile is BUILT_IN.get(name) or ("profiles", name) not in found.lines
        place = _BUILT_IN if is_ours else found.place("profiles", name)
        yield SettingRow(f"profiles.{name}", _shown(profile.broker), place)
    for name, saved in found.selections.items():
        yield SettingRow(f"selections.{name}", _words(saved), found.place("selections", name))
    if found.colors:
        check_colors(found)
    for name, style in found.colors.items():
        yield SettingRow(f"colors.{name}", style, found.place("colors", name))


def _words(saved: SavedSelection) -> str:
    words = list(saved.events)
    for name, value in saved.flags.items():
        if value is True:
            words.append(f"--{name}")
        elif value is not False:
            words += [f"--{name}", _text(value)]
    return shlex.join(words)


def _listing(rows: list[SettingRow]) -> Iterator[str]:
    rows = [SettingRow("setting", "value", "from"), *rows]
    first = max(len(sanitize(row.setting)) for row in rows)
    second = min(48, max(len(sanitize(row.value)) for row in rows))
    for row in rows:
        name, value, source = map(sanitize, row)
        yield f"{name:<{first}}  {value:<{second}}  {source}"


def _json(row: SettingRow) -> str:
    return json.dumps({"setting": row.setting, "value": row.value, "from": row.source})


def _strangers(context: click.Context) -> Iterator[str]:
    known = {DEBUG[2:]}
    for command in list_commands(context):
        for parameter in command.params:
            if isinstance(parameter, SectionedOption):
                known.update(parameter.long)
    names = {PREFIX + name.upper().replace("-", "_") for name in known}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in names:
            yield f"{name} in the environment sets no flag{suggest(name, names)}"
