"""``tcsniff config``: every setting in force, and where it came from."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from tcsniff.commands.console import say, show
from tcsniff.commands.options.account_options import (
    Account,
    account_options,
    deployment_of,
    profile_of,
    provenance_of,
    root_url_option,
)
from tcsniff.commands.options.option import Sectioned
from tcsniff.commands.options.selection_options import DEBUG, OUTPUT, SectionedCommand, option
from tcsniff.errors import UsageError, suggestion
from tcsniff.sanitize import safe
from tcsniff.settings.brokers import Broker, broker
from tcsniff.settings.config_file import check_colors, commands_of, shown
from tcsniff.settings.example import EXAMPLE
from tcsniff.settings.file_schema import BUILT_IN, Saved
from tcsniff.settings.precedence import PREFIX, Layers, Rank, layers_of

_HIDDEN = "(hidden)"
_BUILT_IN = "built in"


class Row(NamedTuple):
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
    account: Account,
    root_url: str | None,
    as_json: bool,
    path: bool,
    example: bool,
) -> None:
    """Show every setting in force, and where it came from.

    Flags come first, then a saved selection, variables (TCSNIFF_WORKER_TYPE for
    --worker-type), the profile that is in use, the settings file, and what is
    built in. Passwords are hidden, and no password-command is run. Connects to
    nothing.
    """
    layers = layers_of(context)
    if example:
        show(EXAMPLE.removesuffix("\n"))
    elif path:
        show("" if layers.path is None else str(layers.path))
    else:
        rows = [*_file(layers), *_account(account, root_url)]
        rows += _flags(context, layers, {"config", *(row.setting for row in rows)})
        rows += _tables(layers)
        for line in map(_json, rows) if as_json else _listing(rows):
            show(line)
        for warning in _strangers(context):
            say(warning)


def _file(layers: Layers) -> Iterator[Row]:
    if layers.path is None:
        yield Row("config", "none", layers.chosen or _BUILT_IN)
        return
    there = layers.settings.file or f"{shown(layers.path)} (not there)"
    yield Row("config", there, layers.chosen or "its usual place")


def _account(account: Account, root_url: str | None) -> Iterator[Row]:
    said = provenance_of(account, os.environ)
    profile = profile_of(account)
    if profile is not None:
        yield Row("profile", str(account.profile), account.source_of("profile"))
    source = said.broker if profile is None else f"profile {account.profile}"
    try:
        # No password is needed to see who we would be.
        found: Broker | None = broker(
            account.url, account.profile, os.environ, profiles=account.brokers, password=_HIDDEN
        )
        user, why = found.user if found else "", said.user
    except UsageError as error:
        if account.url and profile is not None:
            raise
        found = None if profile is None else profile.broker
        user, why = "none", str(error).partition(";")[0]
    yield Row("broker", "none" if found is None else _shown(found), source if found else why)
    if found is not None:
        yield Row("user", user, why)
        hidden = _HIDDEN if said.password else "none"
        yield Row("password", hidden, said.password or "no password is known")
    if root_url is not None:
        yield Row("root-url", str(deployment_of(account, root_url)), account.source_of("root_url"))
    elif found is not None and (root := deployment_of(account, None)) is not None:
        yield Row("root-url", root, source)
    if found is not None:
        yield from _tls(found, account, source)


def _tls(found: Broker, account: Account, source: str) -> Iterator[Row]:
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
            yield Row(name.replace("_", "-"), _text(value), source)


def _shown(broker: Broker) -> str:
    return str(broker).replace("//@", "//")


def _flags(context: click.Context, layers: Layers, known: set[str]) -> Iterator[Row]:
    own = {"as_json", "path", "example"}  # say nothing of other commands
    typed = {
        name: context.params[name]
        for name, source in layers.sources.items()
        if source.rank is Rank.TYPED and name in context.params.keys() - own
    }
    for command in commands_of(context):
        inner = click.Context(command, parent=context, info_name=command.name)
        for parameter in command.params:
            if not isinstance(parameter, Sectioned) or parameter.long[0] in known:
                continue
            name = parameter.long[0]
            known.add(name)
            opts = {key: value for key, value in typed.items() if key == parameter.name}
            layers.sources.pop(parameter.name, None)
            value, _ = parameter.consume_value(inner, opts)
            parameter.handle_parse_result(inner, opts, [])  # to see that it is right
            source = layers.sources.get(parameter.name)
            default = parameter.default
            if source is not None:
                yield Row(name, _text(value), source.text)
            elif isinstance(default, str | int) and default is not False:
                yield Row(name, _text(default), _BUILT_IN)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple | list) else str(value)


def _tables(layers: Layers) -> Iterator[Row]:
    found = layers.settings
    for name, profile in found.profiles.items():
        is_ours = profile is BUILT_IN.get(name) or ("profiles", name) not in found.lines
        place = _BUILT_IN if is_ours else found.place("profiles", name)
        yield Row(f"profiles.{name}", _shown(profile.broker), place)
    for name, saved in found.selections.items():
        yield Row(f"selections.{name}", _words(saved), found.place("selections", name))
    if found.colors:
        check_colors(found)
    for name, style in found.colors.items():
        yield Row(f"colors.{name}", style, found.place("colors", name))


def _words(saved: Saved) -> str:
    words = list(saved.events)
    for name, value in saved.flags.items():
        if value is True:
            words.append(f"--{name}")
        elif value is not False:
            words += [f"--{name}", _text(value)]
    return shlex.join(words)


def _listing(rows: list[Row]) -> Iterator[str]:
    rows = [Row("setting", "value", "from"), *rows]
    first = max(len(safe(row.setting)) for row in rows)
    second = min(48, max(len(safe(row.value)) for row in rows))
    for row in rows:
        name, value, source = map(safe, row)
        yield f"{name:<{first}}  {value:<{second}}  {source}"


def _json(row: Row) -> str:
    return json.dumps({"setting": row.setting, "value": row.value, "from": row.source})


def _strangers(context: click.Context) -> Iterator[str]:
    known = {DEBUG[2:]}
    for command in commands_of(context):
        for parameter in command.params:
            if isinstance(parameter, Sectioned):
                known.update(parameter.long)
    names = {PREFIX + name.upper().replace("-", "_") for name in known}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in names:
            yield f"{name} in the environment sets no flag{suggestion(name, names)}"
