"""The first screen: what ``tcsniff`` without arguments prints."""

from __future__ import annotations

import click

from tcsniff.commands.config import SettingRow, list_account_settings
from tcsniff.commands.console import print_message
from tcsniff.commands.options.account_options import (
    AccountArgs,
    account_options,
    is_web,
    resolve_web_server,
    root_url_option,
    web_option,
)
from tcsniff.commands.options.option import SectionedCommand
from tcsniff.settings.precedence import get_layers

EXAMPLES = (
    ("tcsniff --demo", "simulated tasks, no network"),
    ("tcsniff task-failed", "tasks that fail, live"),
    ("tcsniff --worker-type gaia task-running", "tasks of one worker type"),
    ("tcsniff graph fN1SbArXTPSVFNUvaOlinQ", "progress of a task group"),
    ("tcsniff explain task-failed", "the bindings of a selection"),
)
"""Commands to start with, and what each shows."""

_NO_FILE = "none; `tcsniff config --example` prints a file to start with"
_NO_ACCOUNT = "none; set PULSE_USERNAME and PULSE_PASSWORD to use the broker"
_WIDTH = 80


@click.command("first-screen", cls=SectionedCommand)
@root_url_option
@web_option
@account_options
@click.pass_context
def first_screen(context: click.Context, *, account: AccountArgs) -> None:
    """Print examples, and whether an account is set, to standard error."""
    layers = get_layers(context)
    rows = {row.setting: row for row in list_account_settings(account)}
    source = {"Broker": _describe(rows["broker"])}
    if is_web(account):
        host = resolve_web_server(account).host
        source = {"Listening to": f"{host}, through its web server"}
    settings = {
        **source,
        "Account": _describe_account(rows),
        "Settings": layers.settings.file or _NO_FILE,
    }
    formatter = click.HelpFormatter(width=_WIDTH)
    formatter.write("tcsniff: watch Taskcluster's task events\n")
    with formatter.section("Try it"):
        formatter.write_dl(EXAMPLES, col_max=50)
    formatter.write_paragraph()
    for name, text in settings.items():
        formatter.write(f"{name:<14}{text}"[:_WIDTH] + "\n")
    formatter.write_paragraph()
    formatter.write("`tcsniff --help` lists commands and flags, `tcsniff exchanges` the EVENTs.")
    print_message(formatter.getvalue(), bare=True)


def _describe_account(rows: dict[str, SettingRow]) -> str:
    user, password = rows.get("user"), rows.get("password")
    if user is None or password is None or "none" in (user.value, password.value):
        return _NO_ACCOUNT
    return _describe(user)


def _describe(row: SettingRow) -> str:
    return f"{row.value} ({row.source})"  # the source of no value is the reason
