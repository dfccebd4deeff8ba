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

from tcsniff.commands.options.file_checks import FileUse
from tcsniff.commands.options.option import Command, connection_flag
from tcsniff.commands.options.values import add_options, stack_decorators
from tcsniff.errors import UsageError
from tcsniff.settings.brokers import (
    Broker,
    build_broker,
    find_profile,
    parse_broker_url,
)
from tcsniff.settings.deployment import choose_root_url
from tcsniff.settings.model import BUILT_IN, Profile
from tcsniff.settings.precedence import Rank, ValueSource, get_layers, list_sources
from tcsniff.settings.web_server import WebServer, build_web_server, check_encryption


class AccountArgs(NamedTuple):
    """The broker and the account, by flags, variables and the settings file.

    Attributes:
        url: ``--broker``.
        root_url: ``--root-url``, as it was given; see `resolve_root_url`.
        web: ``--web``; see `is_web`.
        sources: The sources of the values that are set, by field.
        profiles: All profiles, by name.
    """

    url: str | None = None
    profile: str | None = None
    password_file: str | None = None
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_insecure: bool = False
    plaintext: bool = False
    root_url: str | None = None
    web: bool = False
    sources: Mapping[str, ValueSource] = MappingProxyType({})
    profiles: Mapping[str, Profile] = MappingProxyType(BUILT_IN)

    @property
    def is_typed(self) -> bool:
        """Whether a typed flag names the broker or web server."""
        return any(
            self.sources[name].rank is Rank.TYPED
            for name in ("url", "profile", "web")
            if name in self.sources
        )

    @property
    def brokers(self) -> Mapping[str, Broker]:
        """The profiles' brokers."""
        return {name: profile.broker for name, profile in self.profiles.items()}

    def source_of(self, name: str) -> str:
        """Return the source of a value, for messages."""
        return self.sources[name].text if name in self.sources else ""


profile_option = connection_flag(
    "--profile",
    is_common=True,
    metavar="NAME",
    rivals=("url",),
    help="Use a profile: firefox-ci, community, or your own.",
)
"""The flag that chooses a profile."""

root_url_option = connection_flag(
    "--root-url",
    is_common=True,
    metavar="URL",
    envvar="TASKCLUSTER_ROOT_URL",
    help="Use this deployment, not the profile's or Firefox CI's.",
)
"""The flag for the deployment to listen to, to ask, and to link to; see `resolve_root_url`."""

web_option = connection_flag(
    "--web",
    is_common=True,
    is_flag=True,
    rivals=("url",),
    help="Listen through the web server; needs no account.",
)
"""The flag that listens without an account; see `is_web`."""

_OPTIONS = stack_decorators(
    connection_flag(
        "--broker",
        "url",
        is_common=True,
        metavar="URL",
        envvar="PULSE_URL",
        rivals=("profile", "web"),
        help="Connect to this broker: amqps://USER@HOST/VHOST.",
    ),
    profile_option,
    connection_flag(
        "--password-file",
        metavar="FILE",
        file_use=FileUse.READ,
        help="Read the password from FILE; - is standard input.",
    ),
    connection_flag(
        "--tls-ca",
        metavar="FILE",
        file_use=FileUse.READ,
        help="Trust the authorities in this file, in PEM, instead of the system's.",
    ),
    connection_flag(
        "--tls-cert",
        metavar="FILE",
        file_use=FileUse.READ,
        help="Log in with this certificate, in PEM (EXTERNAL without a password).",
    ),
    connection_flag(
        "--tls-key",
        metavar="FILE",
        file_use=FileUse.READ,
        help="Read the certificate's key from this file.",
    ),
    connection_flag(
        "--tls-insecure",
        is_flag=True,
        help="Trust any certificate of any host; others on the network can read the password.",
    ),
    connection_flag(
        "--plaintext",
        is_flag=True,
        help="Allow sending a password over amqp:// to another machine, unencrypted.",
    ),
)


def account_options(command: Command) -> Command:
    """Add the flags of broker and account to a command, which receives them as `account`."""
    call_command = add_options("account", AccountArgs)(command)

    @functools.wraps(call_command)
    def read_settings(**values: Any) -> Any:
        context = click.get_current_context()
        profiles = get_layers(context).settings.profiles
        values = {"root_url": None, "web": False} | values  # not every command has the flags
        return call_command(sources=list_sources(context), profiles=profiles, **values)

    return _OPTIONS(read_settings)


def resolve_broker(account: AccountArgs, environment: Mapping[str, str] = os.environ) -> Broker:
    """Return the broker and the account to use.

    Raises:
        UsageError: If flags, environment and settings name no broker or a missing
            file, or the password cannot be read.
    """
    profile = resolve_profile(account)
    cert = account.tls_cert or (profile.broker.cert if profile is not None else None)
    broker = build_broker(
        account.url,
        account.profile,
        environment,
        profiles=account.brokers,
        password=_read_password(account, None if account.url else profile),
        has_certificate=cert is not None,
        plaintext=account.plaintext,
    )
    broker = replace(
        broker,
        ca=account.tls_ca or broker.ca,
        cert=cert,
        key=account.tls_key or broker.key,
        insecure=account.tls_insecure or broker.insecure,
    )
    for path in (broker.ca, broker.cert, broker.key):
        if path is not None and not Path(path).is_file():
            raise UsageError(f"no file {path}")
    return broker


def resolve_profile(account: AccountArgs) -> Profile | None:
    """Return the profile in use; None for no profile.

    Raises:
        UsageError: If the profile is unknown.
    """
    if account.profile is None:
        return None
    find_profile(account.profile, account.brokers)
    return account.profiles[account.profile]


def resolve_root_url(account: AccountArgs) -> str | None:
    """Return the root URL of the deployment to listen to, to ask, and to link to.

    Args:
        account: The flags; no password is read.

    Returns:
        The URL without a trailing slash; None if only a broker is named whose
        deployment is unknown.

    Raises:
        UsageError: If the profile is unknown, or the URL is not a root URL.
    """
    return choose_root_url(
        account.root_url,
        account.url,
        account.profile,
        profiles=account.brokers,
        sources=account.sources,
    )


def is_web(account: AccountArgs, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether to listen through a web server: if asked to, or without any account.

    Raises:
        UsageError: If the profile is unknown.
    """
    if account.web or account.url:
        return account.web
    profile = resolve_profile(account)
    if profile is not None and not profile.broker.host:
        return True
    if environment.get("PULSE_USERNAME") or environment.get("PULSE_PASSWORD"):
        return False
    if account.password_file or account.tls_cert:
        return False
    if profile is None:
        return True
    broker = profile.broker
    has_account = broker.user or broker.cert or profile.password_file or profile.password_command
    return not (has_account or broker.is_local) and broker.root_url is not None


def resolve_web_server(
    account: AccountArgs, environment: Mapping[str, str] = os.environ
) -> WebServer:
    """Return the web server to listen to, with credentials if the environment has them.

    Raises:
        UsageError: If the profile is unknown, the root URL is not valid or not known, a
            file is missing, or credentials would be sent unencrypted.
    """
    server = resolve_api_server(
        account._replace(url=None) if account.web else account, environment
    )
    if server is None:
        raise UsageError(f"profile {account.profile} has no root-url; set it with --root-url")
    check_encryption(server)
    return server


def resolve_api_server(
    account: AccountArgs, environment: Mapping[str, str] = os.environ
) -> WebServer | None:
    """Return the web server whose API to ask, with credentials if the environment has them.

    Returns:
        None as for `resolve_root_url`. The flags and the profile's settings for TLS count
        if it is also what to listen to; beside a broker, only the authorities to trust.

    Raises:
        UsageError: If the profile is unknown, the root URL is not valid, or a file is
            missing.
    """
    root_url = resolve_root_url(account)
    if root_url is None:
        return None
    ca, cert, key, insecure = None, None, None, False
    if (profile := resolve_profile(account)) is not None:
        broker = profile.broker
        ca, cert, key, insecure = broker.ca, broker.cert, broker.key, broker.insecure
    server = build_web_server(
        root_url,
        environment,
        ca=account.tls_ca or ca,
        cert=account.tls_cert or cert,
        key=account.tls_key or key,
        insecure=account.tls_insecure or insecure,
        is_chosen=_is_deployment_chosen(account),
    )
    if not is_web(account):
        server = replace(server, cert=None, key=None, insecure=False)
    for path in (server.ca, server.cert, server.key):
        if path is not None and not Path(path).is_file():
            raise UsageError(f"no file {path}")
    return server


def _is_deployment_chosen(account: AccountArgs) -> bool:
    # By the flag, a variable of tcsniff, a profile, or a broker of one; not by a page.
    source = account.sources.get("root_url")
    if source is not None and source.rank is Rank.PAGE:
        return False
    return bool(account.root_url or account.profile or account.url)


class AccountSource(NamedTuple):
    """The sources of broker, user and password, for messages; empty if not set."""

    broker: str
    user: str
    password: str


def describe_account_source(account: AccountArgs, environment: Mapping[str, str]) -> AccountSource:
    """Return the sources of an account's broker, user and password, without reading any.

    Raises:
        UsageError: If the profile is unknown, or the URL is not valid.
    """
    profile = resolve_profile(account)
    url_broker = parse_broker_url(account.url) if account.url else None
    broker = url_broker or (None if profile is None else profile.broker)
    default = "RabbitMQ's own on this machine" if broker is not None and broker.is_local else ""
    user, password = (
        name if environment.get(name) else default for name in ("PULSE_USERNAME", "PULSE_PASSWORD")
    )
    if url_broker is not None:
        place = f"in the URL from {account.source_of('url')}"
        user = place if url_broker.user else user
        password = place if url_broker.password else password
    elif profile is not None:
        user = f"profile {account.profile}" if profile.broker.user else user
        password = _describe_password(profile, account.profile) or password
    return AccountSource(
        account.source_of("url") or account.source_of("profile") or "PULSE_USERNAME",
        user,
        account.source_of("password_file") or password,
    )


def _describe_password(profile: Profile, name: str | None) -> str:
    if profile.password_file is not None:
        return f"password-file of profile {name}"
    return f"password-command of profile {name}" if profile.password_command else ""


def describe_exposed_password(account: AccountArgs) -> str | None:
    """Return a warning about a password file that others can read; None if there is none.

    Raises:
        UsageError: If the profile is unknown.
    """
    from tcsniff.settings import passwords  # subprocess: 5 ms

    profile = None if account.url else resolve_profile(account)
    path = account.password_file or (None if profile is None else profile.password_file)
    if path is None or path == "-" or not passwords.is_exposed(path):
        return None
    return f"other users can read the password file {path}; protect it: chmod 600 {path}"


def _read_password(account: AccountArgs, profile: Profile | None) -> str | None:
    from tcsniff.settings import passwords  # subprocess: 5 ms

    if account.password_file is not None:
        return passwords.read_password_file(account.password_file, "--password-file")
    if profile is None:
        return None
    source = _describe_password(profile, account.profile)
    if profile.password_file is not None:
        return passwords.read_password_file(profile.password_file, f"{source}:")
    if profile.password_command:
        return passwords.run_password_command(profile.password_command, source)
    return None
