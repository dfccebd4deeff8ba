"""The flags for the broker or web server and the account; `resolve_account` reads them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tcsniff.commands.options.file_checks import FileUse
from tcsniff.commands.options.option import Command, connection_flag
from tcsniff.commands.options.values import add_options, stack_decorators
from tcsniff.settings.value_sources import Rank, ValueSource, get_layers, list_sources

if TYPE_CHECKING:
    from tcsniff.settings.brokers import Broker
    from tcsniff.settings.model import Profile


class AccountArgs(NamedTuple):
    """The broker and the account, by flags, variables and the settings file.

    Attributes:
        profiles: All profiles, by name.
        url: ``--broker``.
        root_url: ``--root-url``, as it was given; see `resolve_root_url`.
        web: ``--web``; see `is_web`.
        sources: The sources of the values that are set, by field.
    """

    profiles: Mapping[str, Profile]
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
