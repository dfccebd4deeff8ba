"""The deployment that a command is about."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tcsniff.errors import UsageError
from tcsniff.settings.brokers import PROFILES, Broker
from tcsniff.settings.deployment import choose_root_url
from tcsniff.settings.value_sources import Rank, ValueSource

FIREFOX = "https://firefox-ci-tc.services.mozilla.com"
COMMUNITY = "https://community-tc.services.mozilla.com"
MINE = "https://tc.mine.example"
OTHER = "https://tc.other.example"
BROKERS = {**PROFILES, "mine": Broker("mine", "h", 5671, "u", "p", root_url=f"{MINE}/")}


def rank(**ranks: Rank) -> Mapping[str, ValueSource]:
    """Create the sources of values."""
    return {name: ValueSource(rank, name) for name, rank in ranks.items()}


@pytest.mark.parametrize(
    ("values", "sources", "root"),
    [
        ((None, None, None), {}, FIREFOX),
        ((f"{OTHER}/", None, None), {}, OTHER),
        ((None, None, "mine"), {}, MINE),
        ((None, "amqps://pulse.mozilla.org/communitytc", None), {}, COMMUNITY),
        ((None, "amqps://u@h", None), {}, None),
        (
            (OTHER, "amqps://u@h", None),
            {"url": Rank.TYPED, "root_url": Rank.SHARED_VARIABLE},
            OTHER,
        ),
        ((OTHER, None, "mine"), {"profile": Rank.TYPED, "root_url": Rank.TYPED}, OTHER),
        ((OTHER, None, "mine"), {"profile": Rank.TYPED, "root_url": Rank.SAVED}, MINE),
        ((OTHER, None, "mine"), {"profile": Rank.SAVED, "root_url": Rank.VARIABLE}, MINE),
        (
            (OTHER, None, "mine"),
            {"profile": Rank.VARIABLE, "root_url": Rank.SHARED_VARIABLE},
            MINE,
        ),
        ((OTHER, None, "mine"), {"profile": Rank.PAGE, "root_url": Rank.SHARED_VARIABLE}, OTHER),
        ((OTHER, None, "mine"), {"profile": Rank.FILE, "root_url": Rank.PAGE}, OTHER),
        ((OTHER, None, "mine"), {"profile": Rank.FILE, "root_url": Rank.PROFILE}, OTHER),
        (
            (OTHER, "amqps://pulse.mozilla.org", None),
            {"url": Rank.SHARED_VARIABLE, "root_url": Rank.PAGE},
            FIREFOX,
        ),
    ],
)
def test_the_strongest_source_names_the_deployment(values, sources, root):
    """A broker or profile is as strong as the flag that names it; equals yield to the address."""
    chosen = choose_root_url(*values, profiles=BROKERS, sources=rank(**sources))

    assert chosen == root


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("nonsense", None, None), "--root-url: 'nonsense' is not a Taskcluster root URL"),
        (("https://me:s3cret@h", None, None), "--root-url: a root URL cannot contain a user"),
        ((None, None, "community-x"), "unknown profile 'community-x'"),
        ((None, "https://h", None), "the broker's URL must start with amqps://"),
    ],
)
def test_what_names_no_deployment_is_an_error(values, words):
    """With the flag to mend, and without a password."""
    with pytest.raises(UsageError, match=words) as caught:
        choose_root_url(*values, profiles=BROKERS, sources={})

    assert "s3cret" not in str(caught.value)
