"""Which broker, as whom, and how safely: the flags for it, and what stands in for them."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import click

from tcsniff.commands.options.option import CONNECTION, Command, option
from tcsniff.commands.options.values import stack_decorators
from tcsniff.errors import UsageError
from tcsniff.pulse.urls import check_root_url
from tcsniff.settings.brokers import (
    DEFAULT_PROFILE,
    Broker,
    build_broker,
    find_profile,
    parse_broker_url,
)
from tcsniff.settings.model import BUILT_IN, Profile
from tcsniff.settings.precedence import Rank, ValueSource, get_layers, list_sources


class AccountArgs(NamedTuple):
    """The broker and the account, by flags, variables and the settings file.

    Attributes:
        url: ``--broker``.
        profile: ``--profile``.
        password_file: ``--password-file``.
        tls_ca: ``--tls-ca``.
        tls_cert: ``--tls-cert``.
        tls_key: ``--tls-key``.
        tls_insecure: ``--tls-insecure``.
        plaintext: ``--plaintext``.
        sources: The sources of the values, by name in Python.
        profiles: All profiles.
    """

    url: str | None = None
    profile: str | None = None
    password_file: str | None = None
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_insecure: bool = False
    plaintext: bool = False
    sources: Mapping[str, ValueSource] = MappingProxyType({})
    profiles: Mapping[str, Profile] = MappingProxyType(BUILT_IN)

    @property
    def is_typed(self) -> bool:
        """Whether a typed flag names the broker."""
        return any(
            self.sources[name].rank is Rank.TYPED
            for name in ("url", "profile")
            if name in self.sources
        )

    @property
    def brokers(self) -> Mapping[str, Broker]:
        """The profiles' brokers."""
        return {name: profile.broker for name, profile in self.profiles.items()}

    def source_of(self, name: str) -> str:
        """Return the source of a value, for messages."""
        return self.sources[name].text if name in self.sources else ""


profile_option = option(
    "--profile",
    is_common=True,
    section=CONNECTION,
    metavar="NAME",
    rivals=("url",),
    help="Use a profile: firefox-ci, community, or your own.",
)
"""The flag that chooses a profile."""

root_url_option = option(
    "--root-url",
    is_common=True,
    section=CONNECTION,
    metavar="URL",
    envvar="TASKCLUSTER_ROOT_URL",
    rivals=("profile",),
    help="Link to this deployment; default: TASKCLUSTER_ROOT_URL, or the profile's.",
)
"""The flag for the deployment's address; `deployment_of` makes use of it."""

_OPTIONS = stack_decorators(
    option(
        "--broker",
        "url",
        is_common=True,
        section=CONNECTION,
        metavar="URL",
        envvar="PULSE_URL",
        rivals=("profile",),
        help="Connect to this broker: amqps://USER@HOST/VHOST.",
    ),
    profile_option,
    option(
        "--password-file",
        section=CONNECTION,
        metavar="FILE",
        help="Read the password from FILE; - is standard input.",
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
        help="Log in with this certificate, in PEM (EXTERNAL without a password).",
    ),
    option(
        "--tls-key",
        section=CONNECTION,
        metavar="FILE",
        help="Read the certificate's key from this file.",
    ),
    option(
        "--tls-insecure",
        section=CONNECTION,
        is_flag=True,
        help="Trust any certificate of any host; others on the network can read the password.",
    ),
    option(
        "--plaintext",
        section=CONNECTION,
        is_flag=True,
        help="Allow sending a password over amqp:// to another machine, unencrypted.",
    ),
)


def account_options(command: Command) -> Command:
    """Give a command the flags that say where to connect; it gets them as `account`."""

    @functools.wraps(command)
    def with_account(**given: Any) -> Any:
        context = click.get_current_context()
        own = set(AccountArgs._fields) - {"sources", "profiles"}
        account = AccountArgs(
            **{name: given.pop(name) for name in own},
            sources=list_sources(context),
            profiles=get_layers(context).settings.profiles,
        )
        return command(account=account, **given)

    return _OPTIONS(with_account)


def resolve_broker(account: AccountArgs, environment: Mapping[str, str] = os.environ) -> Broker:
    """Return the broker and the account to use.

    Raises:
        UsageError: If flags, environment and settings name no broker or a missing
            file, or the password cannot be read.
    """
    profile = resolve_profile(account)
    cert = account.tls_cert or (profile.broker.cert if profile is not None else None)
    found = build_broker(
        account.url,
        account.profile,
        environment,
        profiles=account.brokers,
        password=_password(account, None if account.url else profile),
        has_certificate=cert is not None,
        plaintext=account.plaintext,
    )
    found = replace(
        found,
        ca=account.tls_ca or found.ca,
        cert=cert,
        key=account.tls_key or found.key,
        insecure=account.tls_insecure or found.insecure,
    )
    for path in (found.ca, found.cert, found.key):
        if path is not None and not Path(path).is_file():
            raise UsageError(f"no file {path}")
    return found


def resolve_profile(account: AccountArgs) -> Profile | None:
    """Give the profile that is in use; None for none.

    Raises:
        UsageError: If there is none of that name.
    """
    if account.profile is None:
        return None
    find_profile(account.profile, account.brokers)
    return account.profiles[account.profile]


def resolve_root_url(account: AccountArgs, typed: str | None) -> str | None:
    """Return the root URL of the deployment that publishes to an account's broker.

    Args:
        account: The account; its password is not read.
        typed: The value of `root_url_option`, which wins.

    Returns:
        The URL without a trailing slash; None if unknown.

    Raises:
        UsageError: If the profile is unknown, or the URL is not a root URL.
    """
    if typed is not None:
        try:
            return check_root_url(typed)
        except UsageError as error:
            raise UsageError(f"--root-url: {error}") from None
    if account.url:
        found = parse_broker_url(account.url).root_url
    else:
        found = find_profile(account.profile or DEFAULT_PROFILE, account.brokers).root_url
    return None if found is None else check_root_url(found)


class AccountSource(NamedTuple):
    """What says where to connect, as whom, and with which password: names, for people.

    Attributes:
        broker: What names the broker.
        user: What names the user; empty if nothing does.
        password: Where the password is; empty if it is nowhere.
    """

    broker: str
    user: str
    password: str


def describe_account_source(account: AccountArgs, environment: Mapping[str, str]) -> AccountSource:
    """Return the sources of an account's broker, user and password, without reading any.

    Raises:
        UsageError: If the profile is unknown, or the URL is not valid.
    """
    profile = resolve_profile(account)
    in_url = None if not account.url else parse_broker_url(account.url)
    base = in_url or (None if profile is None else profile.broker)
    own = "RabbitMQ's own on this machine" if base is not None and base.is_local else ""
    user, password = (
        name if environment.get(name) else own for name in ("PULSE_USERNAME", "PULSE_PASSWORD")
    )
    if in_url is not None:
        user = "in the URL" if in_url.user else user
        password = "in the URL" if in_url.password else password
    elif profile is not None:
        user = f"profile {account.profile}" if profile.broker.user else user
        password = _kept_in(profile, account.profile) or password
    return AccountSource(
        account.source_of("url") or account.source_of("profile") or "PULSE_USERNAME",
        user,
        account.source_of("password_file") or password,
    )


def _kept_in(profile: Profile, name: str | None) -> str:
    if profile.password_file is not None:
        return f"password-file of profile {name}"
    return f"password-command of profile {name}" if profile.password_command else ""


def _password(account: AccountArgs, profile: Profile | None) -> str | None:
    from tcsniff.settings.passwords import (  # subprocess: 5 ms
        read_password_file,
        run_password_command,
    )

    if account.password_file is not None:
        return read_password_file(account.password_file, "--password-file")
    if profile is None:
        return None
    if profile.password_file is not None:
        return read_password_file(
            profile.password_file, f"password-file of profile {account.profile}:"
        )
    if profile.password_command:
        place = f"password-command of profile {account.profile}"
        return run_password_command(profile.password_command, place)
    return None
