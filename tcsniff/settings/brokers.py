"""Which broker to listen to, and as whom.

Pure: the environment is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from tcsniff.errors import UsageError, suggest

# Defaults of AMQP URIs: https://www.rabbitmq.com/docs/uri-spec
_PORTS = {"amqp": 5672, "amqps": 5671}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
"""The names and addresses of this machine."""

NO_BROKER = (
    "no broker to listen to; name one with --broker amqps://USER@HOST (and the password in "
    "PULSE_PASSWORD), or set PULSE_USERNAME and PULSE_PASSWORD for Mozilla's "
    "(accounts: https://pulseguardian.mozilla.org), or try it without a broker: --demo"
)


class Broker(NamedTuple):
    """A broker, and the account to use there.

    Attributes:
        name: What to call it: a profile's name, or the host.
        host: Name or address; empty for a profile that has only a root URL.
        port: TCP port.
        user: User name; queues are named after it.
        password: Never shown.
        vhost: Virtual host.
        tls: Whether to speak TLS.
        ca: File of the authorities to trust; None for the system's.
        cert: File of our certificate; None for none.
        key: File of its key; None if that is in the same.
        insecure: Whether any certificate of any host will do.
        plaintext: Whether the password may go to another machine without TLS.
        root_url: Where the Taskcluster deployment is whose messages it carries;
            None if that is not known.
    """

    name: str
    host: str
    port: int
    user: str
    password: str
    vhost: str = "/"
    tls: bool = True
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False
    plaintext: bool = False
    root_url: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return self.host in LOOPBACK

    def __repr__(self) -> str:
        return f"Broker({self.name!r}, {str(self)!r})"  # without the password

    def __str__(self) -> str:
        vhost = "" if self.vhost == "/" else f"/{self.vhost}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"amqp{'s' if self.tls else ''}://{self.user}@{host}:{self.port}{vhost}"


MAX_NAME = 255
"""The largest number of bytes in the name of a vhost, a queue or an exchange, and in a
routing key: AMQP 0-9-1, section 4.2.5.3."""

# Both deployments share one server; only the vhost differs.
PROFILES = {
    "firefox-ci": Broker(
        "firefox-ci",
        "pulse.mozilla.org",
        5671,
        "",
        "",
        "/",
        root_url="https://firefox-ci-tc.services.mozilla.com",
    ),
    "community": Broker(
        "community",
        "pulse.mozilla.org",
        5671,
        "",
        "",
        "communitytc",
        root_url="https://community-tc.services.mozilla.com",
    ),
}
"""The profiles that are built in."""

DEFAULT_PROFILE = "firefox-ci"
"""The profile for an account without a broker."""


def build_broker(
    url: str | None,
    profile: str | None,
    environment: Mapping[str, str],
    *,
    profiles: Mapping[str, Broker] = PROFILES,
    password: str | None = None,
    has_certificate: bool = False,
    plaintext: bool = False,
) -> Broker:
    """Return the broker and the account to use.

    Args:
        url: AMQP URI of ``--broker``; None if not given.
        profile: Name of ``--profile``; None if not given.
        environment: ``TCSNIFF_BROKER`` and ``PULSE_URL`` are used without `url`,
            ``PULSE_USERNAME`` and ``PULSE_PASSWORD`` where the account is
            incomplete.
        profiles: All profiles by name.
        password: Wins over all other passwords; None if not given.
        has_certificate: Whether a certificate can replace the password.
        plaintext: Whether a password may go to another machine without TLS.

    Raises:
        UsageError: If no broker is named, or what is named is not a broker.
    """
    if url and profile:
        raise UsageError("--broker and --profile both name a broker; use one of them")
    url = url or environment.get("TCSNIFF_BROKER") or environment.get("PULSE_URL")
    if profile is not None:
        found = find_profile(profile, profiles)
    elif url:
        found = parse_broker_url(url)
    elif environment.get("PULSE_USERNAME") or environment.get("PULSE_PASSWORD"):
        found = profiles[DEFAULT_PROFILE]
    else:
        raise UsageError(NO_BROKER)
    if not found.host:
        raise UsageError(
            f"profile {found.name} has no broker; listen through its web server: --web"
        )
    if password is not None:
        found = found._replace(password=password)
    found = _add_account(found, environment, needs_password=not has_certificate)
    return found._replace(plaintext=plaintext or found.plaintext)


def find_profile(name: str, profiles: Mapping[str, Broker] = PROFILES) -> Broker:
    """Return the profile of a name.

    Raises:
        UsageError: If the name is unknown.
    """
    if "://" in name:  # it may contain a password, which must not be shown
        raise UsageError("--profile is a name, such as firefox-ci; a URL goes to --broker")
    try:
        return profiles[name]
    except KeyError:
        near = suggest(name, profiles) or f"; known: {', '.join(profiles)}"
        raise UsageError(f"unknown profile {name!r}{near}") from None


def extend_profile(name: str, keys: Mapping[str, Any]) -> Broker:
    """Return the broker of a profile of the settings file.

    Args:
        name: The profile's name; a built-in profile is extended.
        keys: ``broker``, an AMQP URI; ``user``, ``vhost``, ``root-url``,
            ``tls-ca``, ``tls-cert``, ``tls-key``, ``tls-insecure`` and
            ``plaintext``. Missing keys keep the built-in values.

    Raises:
        UsageError: If ``broker`` and ``root-url`` are missing, or ``broker`` is not an
            AMQP URI.
    """
    base = PROFILES.get(name)
    if (url := keys.get("broker")) is not None:
        found = parse_broker_url(str(url))
        base = found._replace(name=name, root_url=base.root_url if base else found.root_url)
    if base is None and keys.get("root-url"):
        base = Broker(name, "", _PORTS["amqps"], "", "")  # its web server needs no broker
    if base is None:
        raise UsageError(
            f"broker is missing, such as {_EXAMPLE_URL}, or root-url, to listen through a web "
            "server"
        )
    attributes = {_ATTRIBUTES.get(key, key): value for key, value in keys.items()}
    attributes.pop("broker", None)
    return base._replace(**attributes)


_ATTRIBUTES = {
    "root-url": "root_url",
    "tls-ca": "ca",
    "tls-cert": "cert",
    "tls-key": "key",
    "tls-insecure": "insecure",
}


def parse_broker_url(url: str) -> Broker:
    """Parse an AMQP URI.

    Raises:
        UsageError: If it is not one; the message does not show it.
    """
    parts, port = _split_broker_url(url)
    host = parts.hostname or ""
    vhost = unquote(parts.path.removeprefix("/")) or "/"
    roots = {(known.host, known.vhost): known.root_url for known in PROFILES.values()}
    return Broker(
        name=host,
        host=host,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        vhost=vhost,
        tls=parts.scheme == "amqps",
        root_url=roots.get((host, vhost)),
    )


def _split_broker_url(url: str) -> tuple[SplitResult, int | None]:
    # The URL itself stays out of every message: it may hold a password.
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("the broker's URL is not valid; write it like " + _EXAMPLE_URL) from None
    if parts.scheme not in _PORTS:
        raise UsageError(
            f"the broker's URL must start with amqps:// or amqp://, like {_EXAMPLE_URL}"
        )
    if "@" in parts.path or parts.query or parts.fragment or not url.isprintable():
        raise UsageError(
            "the broker's URL has a character in the password or elsewhere that needs to be "
            "percent-encoded, such as %40 for @, %2F for / and %23 for #; write it like "
            + _EXAMPLE_URL
        )
    if port == 0:
        raise UsageError(f"the broker's URL has port 0; write it like {_EXAMPLE_URL}")
    try:
        (parts.hostname or "").encode("idna")
    except UnicodeError:
        raise UsageError(f"{parts.hostname!r} is not a valid host name") from None
    if not parts.hostname:
        raise UsageError(f"the broker's URL has no host; write it like {_EXAMPLE_URL}")
    return parts, port


_EXAMPLE_URL = "amqps://USER@HOST:5671/VHOST"


def _add_account(
    broker: Broker, environment: Mapping[str, str], *, needs_password: bool
) -> Broker:
    user = broker.user or environment.get("PULSE_USERNAME", "")
    password = broker.password or environment.get("PULSE_PASSWORD", "")
    if not user and broker.is_local:
        # RabbitMQ's own account, which may log in from its own machine only.
        user, password = "guest", password or "guest"
    if not user:
        raise UsageError(f"no user for {broker.name}; set PULSE_USERNAME and PULSE_PASSWORD")
    for what, text in (("user", user), ("password", password), ("vhost", broker.vhost)):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UsageError(f"the {what} for {broker.name} is not valid UTF-8") from None
    if (size := len(broker.vhost.encode())) > MAX_NAME:
        raise UsageError(
            f"the vhost for {broker.name} has {size:,} bytes; names have at most {MAX_NAME}"
        )
    if not password and needs_password:
        raise UsageError(
            f"no password for {user} at {broker.name}; set PULSE_PASSWORD or --password-file"
        )
    return broker._replace(user=user, password=password)
