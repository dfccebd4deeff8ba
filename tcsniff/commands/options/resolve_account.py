"""The broker, web server and deployment that flags, variables and the settings file name.

Apart from the flags, because checking the words of a command needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tcsniff.commands.options.account_options import AccountArgs
from tcsniff.errors import UsageError
from tcsniff.settings import passwords
from tcsniff.settings.brokers import Broker, build_broker, find_profile, parse_broker_url
from tcsniff.settings.deployment import choose_root_url
from tcsniff.settings.model import Profile
from tcsniff.settings.value_sources import Rank
from tcsniff.settings.web_server import WebServer, build_web_server, check_encryption


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
    broker = broker._replace(
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
        server = server._replace(cert=None, key=None, insecure=False)
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
    profile = None if account.url else resolve_profile(account)
    path = account.password_file or (None if profile is None else profile.password_file)
    if path is None or path == "-" or not passwords.is_exposed(path):
        return None
    return f"other users can read the password file {path}; protect it: chmod 600 {path}"


def _read_password(account: AccountArgs, profile: Profile | None) -> str | None:
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
