"""Which broker, as whom, and how safely: the flags for it."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from tcsniff.commands.options import CONNECTION, Command, option, stacked
from tcsniff.config import Broker, broker
from tcsniff.errors import UsageError


class Account(NamedTuple):
    """Where to connect, as the flags say.

    Attributes:
        url: ``--broker``.
        profile: ``--profile``.
        password_file: ``--password-file``.
        tls_ca: ``--tls-ca``.
        tls_cert: ``--tls-cert``.
        tls_key: ``--tls-key``.
        tls_insecure: ``--tls-insecure``.
        plaintext: ``--plaintext``.
    """

    url: str | None
    profile: str | None
    password_file: str | None
    tls_ca: str | None
    tls_cert: str | None
    tls_key: str | None
    tls_insecure: bool
    plaintext: bool


_OPTIONS = stacked(
    option(
        "--broker",
        "url",
        section=CONNECTION,
        metavar="URL",
        help="amqps://USER@HOST:PORT/VHOST; else TCSNIFF_BROKER or PULSE_URL. "
        "PULSE_USERNAME and PULSE_PASSWORD give the account.",
    ),
    option(
        "--profile",
        section=CONNECTION,
        metavar="NAME",
        help="firefox-ci or community: Mozilla's two deployments.",
    ),
    option(
        "--password-file",
        section=CONNECTION,
        metavar="FILE",
        help="Read the password from the first line of this file; - is standard input.",
    ),
    option(
        "--tls-ca",
        section=CONNECTION,
        metavar="FILE",
        help="Trust the authorities in this file, in PEM, instead of the system's.",
    ),
    option(
        "--tls-cert",
        section=CONNECTION,
        metavar="FILE",
        help="Show this certificate, in PEM; without a password it is the login (EXTERNAL).",
    ),
    option(
        "--tls-key",
        section=CONNECTION,
        metavar="FILE",
        help="Its key, if that is not in the same file.",
    ),
    option(
        "--tls-insecure",
        section=CONNECTION,
        is_flag=True,
        help="Trust any certificate of any host: whoever is on the line can read the password.",
    ),
    option(
        "--plaintext",
        section=CONNECTION,
        is_flag=True,
        help="Allow a password to go over amqp:// to another machine, readable on the line.",
    ),
)


def account_options(command: Command) -> Command:
    """Give a command the flags that say where to connect; it gets them as `account`."""

    @functools.wraps(command)
    def with_account(**given: Any) -> Any:
        account = Account(**{name: given.pop(name) for name in Account._fields})
        return command(account=account, **given)

    return _OPTIONS(with_account)


def broker_of(account: Account, environment: Mapping[str, str] = os.environ) -> Broker:
    """Settle on a broker and an account.

    Raises:
        UsageError: If the flags and the environment name none, or a file that
            is not there.
    """
    for path in (account.tls_ca, account.tls_cert, account.tls_key):
        if path is not None and not Path(path).is_file():
            raise UsageError(f"no file {path}")
    found = broker(
        account.url,
        account.profile,
        environment,
        password=_password(account.password_file),
        has_certificate=account.tls_cert is not None,
        plaintext=account.plaintext,
    )
    return replace(
        found,
        ca=account.tls_ca,
        cert=account.tls_cert,
        key=account.tls_key,
        insecure=account.tls_insecure,
    )


def _password(path: str | None) -> str | None:
    if path is None:
        return None
    if path == "-":
        return sys.stdin.readline().rstrip("\r\n")
    try:
        with Path(path).open(encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"--password-file {path}: {reason}") from error
