"""``tcsniff config``: every setting in effect, and its source."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from tcsniff.commands.console import DEBUG, print_message, print_output
from tcsniff.commands.options.account_options import (
    AccountArgs,
    account_options,
    root_url_option,
    web_option,
)
from tcsniff.commands.options.option import OUTPUT, SectionedCommand, SectionedOption, option
from tcsniff.commands.options.output_options import check_colors, json_option
from tcsniff.commands.options.resolve_account import (
    describe_account_source,
    is_web,
    resolve_profile,
    resolve_root_url,
)
from tcsniff.errors import UsageError, suggest
from tcsniff.sanitize import sanitize
from tcsniff.settings.brokers import Broker, build_broker
from tcsniff.settings.config_file import format_path, list_commands
from tcsniff.settings.example import EXAMPLE_SETTINGS
from tcsniff.settings.model import BUILT_IN, SavedSelection
from tcsniff.settings.value_sources import (
    PREFIX,
    Layers,
    Rank,
    find_source,
    get_layers,
    list_sources,
    set_layers,
)

_HIDDEN = "(hidden)"
_BUILT_IN = "built in"


class SettingRow(NamedTuple):
    """A setting and its source.

    Attributes:
        setting: The setting's name.
        value: The value, without secrets.
        source: Where the value was set.
    """

    setting: str
    value: str
    source: str


@click.command(cls=SectionedCommand)
@root_url_option
@web_option
@account_options
@json_option
@option("--path", section=OUTPUT, is_flag=True, help="Print only the path of the settings file.")
@option("--example", section=OUTPUT, is_flag=True, help="Print an example of a settings file.")
@click.pass_context
def config(
    context: click.Context,
    *,
    account: AccountArgs,
    as_json: bool,
    path: bool,
    example: bool,
) -> None:
    """Show every setting and where it came from.

    Flags take precedence, then a saved selection, environment variables
    (TCSNIFF_WORKER_TYPE for --worker-type), the profile in use, the settings
    file, and built-in defaults. Passwords are hidden, and password-command is
    not run. Does not connect.
    """
    layers = get_layers(context)
    if example:
        print_output(EXAMPLE_SETTINGS.removesuffix("\n"))
    elif path:
        print_output("" if layers.path is None else str(layers.path))
    else:
        rows = [*_list_file(layers), *list_account_settings(account)]
        rows += _list_flags(context, layers, {"config", *(row.setting for row in rows)})
        rows += _list_tables(layers)
        for line in map(_format_json, rows) if as_json else _format_table(rows):
            print_output(line)
        for warning in _find_unknown_variables(context):
            print_message(warning)


def _list_file(layers: Layers) -> Iterator[SettingRow]:
    if layers.path is None:
        yield SettingRow("config", "none", layers.chosen or _BUILT_IN)
        return
    path = layers.settings.file or f"{format_path(layers.path)} (not found)"
    yield SettingRow("config", path, layers.chosen or "default path")


def list_account_settings(account: AccountArgs) -> Iterator[SettingRow]:
    """Yield profile, broker, user and password, with hidden secrets."""
    sources = describe_account_source(account, os.environ)
    profile = resolve_profile(account)
    if profile is not None:
        yield SettingRow("profile", str(account.profile), account.source_of("profile"))
    source = sources.broker if profile is None else f"profile {account.profile}"
    try:
        # A password is not needed to show the user.
        broker: Broker | None = build_broker(
            account.url, account.profile, os.environ, profiles=account.brokers, password=_HIDDEN
        )
        user, user_source = broker.user if broker else "", sources.user
    except UsageError as error:
        if account.url and profile is not None:
            raise
        broker = None if profile is None or not profile.broker.host else profile.broker
        user, user_source = "none", str(error).partition(";")[0]
    yield SettingRow(
        "broker",
        "none" if broker is None else _format_broker(broker),
        source if broker else user_source,
    )
    if broker is not None:
        yield SettingRow("user", user, user_source)
        password = _HIDDEN if sources.password else "none"
        yield SettingRow("password", password, sources.password or "no password is set")
    if is_web(account):
        reason = account.source_of("web") or "no account is set"
        yield SettingRow("web", "true", reason)
    if (root := resolve_root_url(account)) is not None:
        yield SettingRow("root-url", root, _find_root_source(account, root, source))
    if broker is not None:
        yield from _list_tls_settings(broker, account, source)


def _find_root_source(account: AccountArgs, root: str, broker_source: str) -> str:
    if account.root_url is not None and account.root_url.rstrip("/") == root:
        return account.source_of("root_url")
    return broker_source if account.url or account.profile else _BUILT_IN


def _list_tls_settings(broker: Broker, account: AccountArgs, source: str) -> Iterator[SettingRow]:
    # Values set by flags are listed with the flags.
    rows = {
        "tls_ca": broker.ca,
        "tls_cert": broker.cert,
        "tls_key": broker.key,
        "tls_insecure": broker.insecure,
        "plaintext": broker.plaintext,
    }
    for name, value in rows.items():
        if value and not getattr(account, name):
            yield SettingRow(name.replace("_", "-"), _format_value(value), source)


def _format_broker(broker: Broker) -> str:
    if not broker.host:
        return f"web server of {broker.root_url}"
    return str(broker).replace("//@", "//")


def _list_flags(context: click.Context, layers: Layers, known: set[str]) -> Iterator[SettingRow]:
    own_flags = {"as_json", "path", "example"}  # flags of this command only
    typed_values = {
        name: context.params[name]
        for name, source in list_sources(context).items()
        if source.rank is Rank.TYPED and name in context.params.keys() - own_flags
    }
    for command in list_commands(context):
        inner = click.Context(command, parent=context, info_name=command.name)
        set_layers(inner, layers)
        for parameter in command.params:
            if not isinstance(parameter, SectionedOption) or parameter.long[0] in known:
                continue
            name = parameter.long[0]
            known.add(name)
            opts = {key: value for key, value in typed_values.items() if key == parameter.name}
            value, _ = parameter.consume_value(inner, opts)
            parameter.handle_parse_result(inner, opts, [])  # validates it
            source = find_source(inner, parameter)
            default = parameter.default
            if source is not None:
                yield SettingRow(name, _format_value(value), source.text)
            elif isinstance(default, str | int) and default is not False:
                yield SettingRow(name, _format_value(default), _BUILT_IN)


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple | list) else str(value)


def _list_tables(layers: Layers) -> Iterator[SettingRow]:
    settings = layers.settings
    for name, profile in settings.profiles.items():
        is_built_in = profile is BUILT_IN.get(name) or ("profiles", name) not in settings.lines
        place = _BUILT_IN if is_built_in else settings.place("profiles", name)
        yield SettingRow(f"profiles.{name}", _format_broker(profile.broker), place)
    for name, saved in settings.selections.items():
        yield SettingRow(
            f"selections.{name}", _format_selection(saved), settings.place("selections", name)
        )
    if settings.colors:
        check_colors(settings)
    for name, style in settings.colors.items():
        yield SettingRow(f"colors.{name}", style, settings.place("colors", name))


def _format_selection(saved: SavedSelection) -> str:
    words = list(saved.events)
    for name, value in saved.flags.items():
        if value is True:
            words.append(f"--{name}")
        elif value is not False:
            words += [f"--{name}", _format_value(value)]
    return shlex.join(words)


def _format_table(rows: list[SettingRow]) -> Iterator[str]:
    rows = [SettingRow("setting", "value", "from"), *rows]
    name_width = max(len(sanitize(row.setting)) for row in rows)
    value_width = min(48, max(len(sanitize(row.value)) for row in rows))
    for row in rows:
        name, value, source = map(sanitize, row)
        yield f"{name:<{name_width}}  {value:<{value_width}}  {source}"


def _format_json(row: SettingRow) -> str:
    return json.dumps({"setting": row.setting, "value": row.value, "from": row.source})


def _find_unknown_variables(context: click.Context) -> Iterator[str]:
    known = {DEBUG[2:]}
    for command in list_commands(context):
        for parameter in command.params:
            if isinstance(parameter, SectionedOption):
                known.update(parameter.long)
    names = {PREFIX + name.upper().replace("-", "_") for name in known}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in names:
            yield f"{name} in the environment does not match any flag{suggest(name, names)}"
