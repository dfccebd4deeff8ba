"""Deployments of Taskcluster: their root URLs, and credentials for them.

Pure: the environment is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from tcsniff.errors import UsageError

_LIKE = "https://firefox-ci-tc.services.mozilla.com"


def root_url_of(root_url: str) -> str:
    """See that a text is a root URL, and write it as all are written here.

    Returns:
        It, without a slash at its end.

    Raises:
        UsageError: If it is none.
    """
    try:
        parts = urlsplit(root_url)
        is_one = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        is_one = False
    if "@" in root_url:  # may be behind a password, which is not to be shown
        raise UsageError("a root URL has no user in it; it looks like " + _LIKE)
    if not is_one or not root_url.isprintable() or " " in root_url:
        raise UsageError(f"{root_url!r} is no root URL of Taskcluster; it looks like {_LIKE}")
    return root_url.rstrip("/")


def credentials_for(root_url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Find credentials in the environment, as Taskcluster's client wants them.

    Returns:
        Those that belong to ``TASKCLUSTER_ROOT_URL``, if that is the root URL;
        none of them is for anybody else. Empty if there are none.
    """
    given = {
        "clientId": environment.get("TASKCLUSTER_CLIENT_ID"),
        "accessToken": environment.get("TASKCLUSTER_ACCESS_TOKEN"),
        "certificate": environment.get("TASKCLUSTER_CERTIFICATE"),
    }
    found = {name: value for name, value in given.items() if value}
    is_theirs = environment.get("TASKCLUSTER_ROOT_URL", "").rstrip("/") == root_url
    return found if is_theirs and {"clientId", "accessToken"} <= found.keys() else {}
