"""The first screen: what ``tcsniff`` without arguments prints."""

from __future__ import annotations

import click

from tcsniff.commands.config import SettingRow, list_account_settings
from tcsniff.commands.console import print_message
from tcsniff.commands.options.account_options import (
    AccountArgs,
    account_options,
    root_url_option,
    web_option,
)
from tcsniff.commands.options.option import SectionedCommand
from tcsniff.commands.options.resolve_account import is_web, resolve_web_server
from tcsniff.settings.value_sources import get_layers

EXAMPLES = (
    ("tcsniff failed", "tasks that fail now, live"),
    ("tcsniff graph ID", "a task group: progress, failures, what blocks it"),
    ("tcsniff task ID", "one task: its runs, and its log if it failed"),
    ("tcsniff browse", "look around with keys"),
    ("tcsniff --demo", "made-up tasks, no network"),
)
"""Commands to start with, and what each shows."""

_NO_FILE = "none; `tcsniff config --example` prints a file to start from"
_NO_ACCOUNT = "none; set PULSE_USERNAME and PULSE_PASSWORD to use the broker"
_WIDTH = 80


@click.command("first-screen", cls=SectionedCommand)
@root_url_option
@web_option
@account_options
@click.pass_context
def first_screen(context: click.Context, *, account: AccountArgs) -> None:
    """Print examples, and whether an account is set, to standard error."""
    formatter = click.HelpFormatter(width=_WIDTH)
    formatter.write("tcsniff: watch Taskcluster's task events\n")
    with formatter.section("Try it"):
        formatter.write_dl(EXAMPLES, col_max=50)
    formatter.write_paragraph()
    for name, text in _list_settings(context, account).items():
        formatter.write(f"{name:<14}{text}"[:_WIDTH] + "\n")
    formatter.write_paragraph()
    formatter.write("`tcsniff --help` lists commands and flags.")
    print_message(formatter.getvalue(), bare=True)


def _list_settings(context: click.Context, account: AccountArgs) -> dict[str, str]:
    # Where events come from, as whom, and the settings file.
    rows = {row.setting: row for row in list_account_settings(account)}
    source = {"Broker": _describe(rows["broker"])}
    if is_web(account):
        host = resolve_web_server(account).host
        source = {"Listening to": f"{host}, through its web server"}
    return {
        **source,
        "Account": _describe_account(rows),
        "Settings": get_layers(context).settings.file or _NO_FILE,
    }


def _describe_account(rows: dict[str, SettingRow]) -> str:
    user, password = rows.get("user"), rows.get("password")
    if user is None or password is None or "none" in (user.value, password.value):
        return _NO_ACCOUNT
    return _describe(user)


def _describe(row: SettingRow) -> str:
    return f"{row.value} ({row.source})"  # the source of no value is the reason
