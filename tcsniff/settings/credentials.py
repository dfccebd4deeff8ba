"""The Taskcluster credentials of the environment, and the deployment that they are for.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

VARIABLES = "TASKCLUSTER_CLIENT_ID, TASKCLUSTER_ACCESS_TOKEN and TASKCLUSTER_CERTIFICATE"
"""The variables that contain credentials, for messages."""


class Credentials(NamedTuple):
    """What a client of a deployment identifies itself with.

    Attributes:
        client_id: The client's name, which is not secret.
        access_token: Its secret.
        certificate: Of temporary credentials, a JSON object as text; empty for others.
    """

    client_id: str
    access_token: str
    certificate: str = ""

    def __repr__(self) -> str:
        """Return the name only, for tracebacks."""
        return f"{type(self).__name__}({self.client_id!r})"


def find_credentials(
    root_url: str, environment: Mapping[str, str], *, is_chosen: bool = False
) -> Credentials | None:
    """Return the credentials for a deployment.

    Args:
        root_url: The deployment, without a trailing slash.
        environment: Environment variables.
        is_chosen: Whether the user chose this deployment: by a flag, a variable of
            tcsniff or a profile; not by the address of a page, and not as the default.

    Returns:
        The credentials in the environment, if its ``TASKCLUSTER_ROOT_URL`` is this root
        URL, or is not set and the user chose the deployment: they must not be sent to
        another one. None if there are none.
    """
    named = environment.get("TASKCLUSTER_ROOT_URL", "").rstrip("/")
    if named != root_url and (named or not is_chosen):
        return None
    client_id = environment.get("TASKCLUSTER_CLIENT_ID")
    access_token = environment.get("TASKCLUSTER_ACCESS_TOKEN")
    if not client_id or not access_token:
        return None
    return Credentials(client_id, access_token, environment.get("TASKCLUSTER_CERTIFICATE", ""))
