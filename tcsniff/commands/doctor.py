"""``tcsniff doctor``: what is wrong with a connection, and what to do about it."""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import click

from tcsniff.commands.console import print_message
from tcsniff.commands.options.account_options import (
    AccountArgs,
    account_options,
    describe_account_source,
    resolve_broker,
)
from tcsniff.commands.options.selection_options import (
    OUTPUT,
    STOPPING,
    Duration,
    SectionedCommand,
    option,
    selection_options,
)
from tcsniff.errors import UsageError
from tcsniff.renderers.output import Output
from tcsniff.sanitize import sanitize, sanitize_json
from tcsniff.selection.select import SelectionArgs, build_selection
from tcsniff.settings.brokers import Broker


@click.command(cls=SectionedCommand)
@selection_options
@account_options
@option(
    "--wait",
    section=STOPPING,
    type=Duration(),
    default="5s",
    show_default=True,
    metavar="DURATION",
    help="Wait so long for a first message.",
)
@option("--json", "as_json", section=OUTPUT, is_flag=True, help="One JSON object a line.")
def doctor(*, wanted: SelectionArgs, account: AccountArgs, wait: float, as_json: bool) -> int:
    """Test the connection step by step, with advice.

    Configuration, name, port, TLS, greeting, login, vhost, queue, the binding
    of each exchange and a first message: a line for each, with the time it
    took. The first that fails ends it, with the exit status that listening
    would end with. Without a selection, all exchanges of the queue are tried.
    Nothing is left on the broker.
    """
    selection = build_selection(wanted if any(wanted) else SelectionArgs(all_events=True))
    for note in selection.notes:
        print_message(note)
    notify = functools.partial(_notify, Output(), as_json)
    broker = _configured(account, notify)
    if broker is None:
        return UsageError.exit_status

    from tcsniff.sources.doctor import Examination  # kombu: 50 ms

    examination = Examination(broker, selection.bindings, optional=selection.optional, wait=wait)
    status = 0
    with closing(examination.steps()) as steps:
        for step in steps:
            notify(*step)
            status = step.exit_status or status
    return status


def _configured(account: AccountArgs, notify: Callable[..., None]) -> Broker | None:
    started = time.perf_counter()
    broker = None
    status = 0
    try:
        broker = resolve_broker(account)
        found, advice = provenance(broker, account, os.environ), ""
    except UsageError as error:
        found, _, advice = str(error).partition("; ")
        status = error.exit_status
    notify("configuration", (time.perf_counter() - started) * 1000, found, advice, status)
    return broker


def provenance(broker: Broker, account: AccountArgs, environment: Mapping[str, str]) -> str:
    """Word which broker was settled on, as whom, and which settings say so.

    Args:
        broker: What `broker_of` has made of the others.
        account: The flags.
        environment: The environment.
    """
    said = describe_account_source(account, environment)
    password = said.password if broker.password else "none"
    return f"{broker} (from {said.broker}; user: {said.user}; password: {password})"


def _notify(
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
    line = sanitize_json(json.dumps(row, ensure_ascii=False)) if as_json else _worded(row)
    output.write(f"{line}\n".encode())


def _worded(row: Mapping[str, Any]) -> str:
    symbol = "✖" if not row["ok"] else "!" if row["advice"] else "✔"
    taken = row["milliseconds"]
    line = (
        f"{symbol} {row['step']:<13}  {sanitize(row['found'])}   {taken:,.{int(taken < 10)}f} ms"
    )
    return line if not row["advice"] else f"{line}\n{'':17}{sanitize(row['advice'])}"
