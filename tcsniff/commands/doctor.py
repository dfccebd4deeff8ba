"""``tcsniff doctor``: a check of the connection, with advice."""

from __future__ import annotations

import functools
import json
import os
import shutil
import textwrap
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Any

import click

from tcsniff.commands.console import print_message
from tcsniff.commands.options.account_options import (
    AccountArgs,
    account_options,
    root_url_option,
    web_option,
)
from tcsniff.commands.options.option import STOPPING, SectionedCommand, option
from tcsniff.commands.options.output_options import json_option
from tcsniff.commands.options.resolve_account import (
    describe_account_source,
    describe_exposed_password,
    is_web,
    resolve_broker,
    resolve_web_server,
)
from tcsniff.commands.options.selection_options import selection_options
from tcsniff.commands.options.values import Duration
from tcsniff.errors import UsageError
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize, sanitize_json
from tcsniff.selection.select import Selection, build_selection
from tcsniff.selection.selection_args import SelectionArgs
from tcsniff.settings.brokers import Broker
from tcsniff.sources.doctor_step import DoctorStep

_INDENT = 17  # columns of symbol and step
_NO_BREAK = "\N{NO-BREAK SPACE}"


@click.command(cls=SectionedCommand)
@selection_options
@web_option
@root_url_option
@account_options
@option(
    "--wait",
    section=STOPPING,
    type=Duration(),
    default="5s",
    show_default=True,
    metavar="DURATION",
    help="Wait this long for a first message.",
)
@json_option
def doctor(*, wanted: SelectionArgs, account: AccountArgs, wait: float, as_json: bool) -> int:
    """Test the connection step by step, with advice.

    Checks configuration, name, port, TLS, greeting, login, vhost, queue, the
    binding of each exchange and a first message, and prints a line for each
    with the time it took. Without an account, or with --web, it checks the web
    server: name, port, TLS, HTTP, WebSocket handshake, scope, subscription and a
    first message. It stops at the first failure, with the exit status that
    listening would have. Without a selection, it tries every exchange of the
    queue service. It leaves nothing on the broker.
    """
    selection = build_selection(wanted if any(wanted) else SelectionArgs(all_events=True))
    for note in selection.notes:
        print_message(note)
    report = functools.partial(_report_step, Output(), as_json)
    if is_web(account):
        return _check_web(account, selection, wait, report)
    broker = _check_configuration(account, report)
    if broker is None:
        return UsageError.exit_status

    from tcsniff.sources.doctor import ConnectionCheck  # kombu: 50 ms

    check = ConnectionCheck(broker, selection.bindings, optional=selection.optional, wait=wait)
    return _report_steps(check.steps(), report)


def _report_steps(steps: Generator[DoctorStep], report: Callable[..., None]) -> int:
    status = 0
    with closing(steps):
        for step in steps:
            report(*step)
            status = step.exit_status or status
    return status


def _check_web(
    account: AccountArgs, selection: Selection, wait: float, report: Callable[..., None]
) -> int:
    started = time.perf_counter()
    server, found, advice, status = None, "", "", 0
    try:
        server = resolve_web_server(account)
        source = account.source_of("root_url") or account.source_of("profile") or "built in"
        credentials = f"client {server.client_id}" if server.client_id else "no account"
        found = f"{server} through its web server (from {source}; {credentials})"
    except UsageError as error:
        found, _, advice = str(error).partition("; ")
        status = error.exit_status
    report("configuration", (time.perf_counter() - started) * 1000, found, advice, status)
    if server is None:
        return status

    from tcsniff.sources.web_doctor import WebCheck  # websockets: 30 ms

    return _report_steps(WebCheck(server, selection, wait=wait).steps(), report)


def _check_configuration(account: AccountArgs, report: Callable[..., None]) -> Broker | None:
    started = time.perf_counter()
    broker = None
    status = 0
    try:
        broker = resolve_broker(account)
        found = _describe_broker(broker, account, os.environ)
        advice = describe_exposed_password(account) or ""
    except UsageError as error:
        found, _, advice = str(error).partition("; ")
        status = error.exit_status
    report("configuration", (time.perf_counter() - started) * 1000, found, advice, status)
    return broker


def _describe_broker(broker: Broker, account: AccountArgs, environment: Mapping[str, str]) -> str:
    source = describe_account_source(account, environment)
    password = source.password if broker.password else "none"
    return f"{broker} (from {source.broker}; user: {source.user}; password: {password})"


def _report_step(
    output: Output,
    as_json: bool,
    name: str,
    milliseconds: float,
    found: str,
    advice: str,
    status: int,
) -> None:
    row = {
        "step": name,
        "ok": not status,
        "milliseconds": round(milliseconds, 1),
        "found": found,
        "advice": advice or None,
    }
    if as_json:
        text = sanitize_json(json.dumps(row, ensure_ascii=False))
    else:
        text = "\n".join(_format_step(row, shutil.get_terminal_size().columns))
    output.write(f"{text}\n".encode())


def _format_step(row: Mapping[str, Any], width: int) -> Iterator[str]:
    symbol = "✖" if not row["ok"] else "!" if row["advice"] else "✔"
    milliseconds = row["milliseconds"]
    duration = f"  {milliseconds:,.{int(milliseconds < 10)}f} ms".replace(" ", _NO_BREAK)
    lines = _wrap_text(f"{sanitize(row['found'])} {duration}", width)
    if row["advice"]:
        lines += _wrap_text(sanitize(row["advice"]), width)
    yield f"{symbol} {row['step']:<13}  {lines[0]}"
    yield from (" " * _INDENT + line for line in lines[1:])


def _wrap_text(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(
        text, max(40, width - _INDENT), break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]
