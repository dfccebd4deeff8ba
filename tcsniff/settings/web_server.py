"""A deployment's web server: which one to ask or to listen to, and as whom.

Pure, except that `web` reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from tcsniff.errors import UsageError
from tcsniff.pulse.urls import check_root_url
from tcsniff.settings.brokers import DEFAULT_PROFILE, LOOPBACK, PROFILES
from tcsniff.settings.credentials import Credentials, find_credentials


class WebServer(NamedTuple):
    """A deployment's web server: the queue's API, and Pulse messages without an account.

    Attributes:
        root_url: The deployment's root URL, without a trailing slash.
        ca: File of the authorities to trust, in PEM; None for the system's.
        cert: File of our certificate; None for none.
        key: File of its key; None if that is in the same.
        insecure: Whether any certificate of any host will do.
        credentials: Taskcluster's credentials; None for none.
    """

    root_url: str
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False
    credentials: Credentials | None = None

    @property
    def host(self) -> str:
        """The host's name or address."""
        return urlsplit(self.root_url).hostname or ""

    @property
    def port(self) -> int:
        """The TCP port."""
        return urlsplit(self.root_url).port or (443 if self.tls else 80)

    @property
    def tls(self) -> bool:
        """Whether to speak TLS."""
        return self.root_url.lower().startswith("https:")

    @property
    def client_id(self) -> str:
        """The client ID of the credentials; empty without any."""
        return "" if self.credentials is None else self.credentials.client_id

    def __str__(self) -> str:
        return self.root_url


def build_web_server(
    root_url: str,
    environment: Mapping[str, str],
    *,
    ca: str | None = None,
    cert: str | None = None,
    key: str | None = None,
    insecure: bool = False,
    is_chosen: bool = False,
) -> WebServer:
    """Return the web server of a deployment.

    Args:
        root_url: The deployment's root URL.
        environment: Contains Taskcluster's credentials; see `find_credentials`.
        ca: File of the authorities to trust; None for the system's.
        cert: File of our certificate; None for none.
        key: File of its key; None if that is in the same.
        insecure: Whether any certificate of any host will do.
        is_chosen: Whether the user chose this deployment; see `find_credentials`.

    Raises:
        UsageError: If the root URL is not valid.
    """
    root_url = check_root_url(root_url)
    credentials = find_credentials(root_url, environment, is_chosen=is_chosen)
    return WebServer(root_url, ca, cert, key, insecure, credentials)


def check_encryption(server: WebServer) -> None:
    """Check that no access token is sent to another machine unencrypted.

    A WebSocket sends the token; the API receives signatures only.

    Raises:
        UsageError: If it would be.
    """
    if server.credentials and not server.tls and server.host not in LOOPBACK:
        raise UsageError(
            f"{server} would receive the access token unencrypted; use https://, or unset "
            "TASKCLUSTER_ACCESS_TOKEN"
        )


def web(root_url: str | None = None, *, tls_ca: str | None = None) -> WebServer:
    """Return a deployment's web server, as the first argument of `listen`.

    Args:
        root_url: The deployment's root URL; None for ``TASKCLUSTER_ROOT_URL``, or else
            Mozilla's Firefox CI. Taskcluster credentials in the environment are used if
            its ``TASKCLUSTER_ROOT_URL`` is this root URL, or is not set.
        tls_ca: File of the authorities to trust, in PEM; None for the system's.

    Raises:
        UsageError: If the root URL is not valid, or credentials would be sent to another
            machine unencrypted.
    """
    is_chosen = root_url is not None
    default = PROFILES[DEFAULT_PROFILE].root_url or ""
    root_url = root_url or os.environ.get("TASKCLUSTER_ROOT_URL") or default
    server = build_web_server(root_url, os.environ, ca=tls_ca, is_chosen=is_chosen)
    check_encryption(server)
    return server
