"""Which Taskcluster deployment a command is about.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from tcsniff.errors import UsageError
from tcsniff.pulse.urls import check_root_url
from tcsniff.settings.brokers import DEFAULT_PROFILE, Broker, find_profile, parse_broker_url
from tcsniff.settings.value_sources import Rank, ValueSource


def choose_root_url(
    root_url: str | None,
    url: str | None,
    profile: str | None,
    *,
    profiles: Mapping[str, Broker],
    sources: Mapping[str, ValueSource],
) -> str | None:
    """Return the root URL of the deployment to listen to and to ask.

    That of the strongest source: a typed flag, a saved selection, a variable, the
    address of a page, a profile, the settings file. A broker or profile names its
    deployment with the strength of the flag that names the broker or profile.

    Args:
        root_url: ``--root-url``, with its variables ``TCSNIFF_ROOT_URL`` and
            ``TASKCLUSTER_ROOT_URL``; None if not given.
        url: ``--broker``; None if not given.
        profile: ``--profile``; None if not given.
        profiles: The brokers of all profiles, by name.
        sources: The sources of these values, as `root_url`, `url` and `profile`;
            a missing one counts as typed.

    Returns:
        The URL without a trailing slash; that of the default profile if nothing is
        given; None if only a broker is given whose deployment is unknown.

    Raises:
        UsageError: If the profile is unknown, or a URL is not valid.
    """
    broker = None
    if url:
        broker = parse_broker_url(url)
    elif profile or not root_url:
        broker = find_profile(profile or DEFAULT_PROFILE, profiles)
    named = broker.root_url if broker is not None else None
    if root_url and (
        not named
        or _get_rank(sources, "root_url") <= _get_rank(sources, "url" if url else "profile")
    ):
        try:
            return check_root_url(root_url)
        except UsageError as error:
            raise UsageError(f"--root-url: {error}") from None
    return check_root_url(named) if named else None


def _get_rank(sources: Mapping[str, ValueSource], name: str) -> Rank:
    return sources[name].rank if name in sources else Rank.TYPED
