"""When to listen through a web server, to which, and with which credentials."""

from __future__ import annotations

import pytest

import tcsniff
from tcsniff.commands.options.account_options import AccountArgs
from tcsniff.commands.options.resolve_account import is_web, resolve_web_server
from tcsniff.errors import UsageError
from tcsniff.settings.brokers import PROFILES
from tcsniff.settings.model import BUILT_IN, Profile
from tcsniff.settings.value_sources import Rank, ValueSource
from tcsniff.settings.web_server import build_web_server, check_encryption

FIREFOX = "https://firefox-ci-tc.services.mozilla.com"
COMMUNITY = "https://community-tc.services.mozilla.com"
OURS = PROFILES["firefox-ci"]
MADE = {
    "user": Profile(OURS._replace(user="me")),
    "command": Profile(OURS, password_command=("pass",)),
    "cert": Profile(OURS._replace(cert="cert.pem")),
    "local": Profile(OURS._replace(host="localhost")),
    "rootless": Profile(OURS._replace(root_url=None)),
    "hostless": Profile(OURS._replace(host="")),
    "other": Profile(OURS._replace(root_url="https://tc.example.org/", ca=__file__)),
}
TOKEN = {"TASKCLUSTER_CLIENT_ID": "me", "TASKCLUSTER_ACCESS_TOKEN": "s3cret"}


def make_account(**values):
    return AccountArgs(profiles=BUILT_IN | MADE, **values)


@pytest.mark.parametrize(
    ("values", "environment", "expected"),
    [
        ({}, {}, True),
        ({"root_url": "https://x.example"}, {}, True),
        ({"profile": "community"}, {}, True),
        ({"profile": "other"}, {}, True),
        ({"web": True}, {"PULSE_USERNAME": "me", "PULSE_PASSWORD": "s3cret"}, True),
        ({"web": True, "profile": "user"}, {}, True),
        ({"profile": "hostless"}, {"PULSE_USERNAME": "me", "PULSE_PASSWORD": "s3cret"}, True),
        ({}, {"PULSE_USERNAME": "me"}, False),
        ({}, {"PULSE_PASSWORD": "s3cret"}, False),
        ({"profile": "community"}, {"PULSE_USERNAME": "me"}, False),
        ({"url": "amqps://h"}, {}, False),
        ({"password_file": "f"}, {}, False),
        ({"tls_cert": "f"}, {}, False),
        ({"profile": "user"}, {}, False),
        ({"profile": "command"}, {}, False),
        ({"profile": "cert"}, {}, False),
        ({"profile": "local"}, {}, False),
        ({"profile": "rootless"}, {}, False),
    ],
)
def test_an_account_decides_unless_web_is_asked_for(values, environment, expected):
    """Half an account is one, so that what is missing is named."""
    assert is_web(make_account(**values), environment) is expected


@pytest.mark.parametrize(
    ("values", "root_url"),
    [
        ({}, FIREFOX),
        ({"profile": "community"}, COMMUNITY),
        ({"profile": "other"}, "https://tc.example.org"),
        ({"root_url": "https://x.example/"}, "https://x.example"),
        ({"web": True, "url": "amqps://h"}, FIREFOX),
    ],
)
def test_the_deployment_is_chosen_as_for_other_commands(values, root_url):
    """`--root-url`, the profile, or Firefox CI."""
    server = resolve_web_server(make_account(**values), {})

    assert server.root_url == root_url
    assert server.ca == (__file__ if values.get("profile") == "other" else None)


@pytest.mark.parametrize("values", [{"web": True, "profile": "rootless"}, {"tls_ca": "/nowhere"}])
def test_what_is_missing_is_named(values):
    """A root URL, or a file."""
    with pytest.raises(UsageError, match=r"no root-url|no file /nowhere"):
        resolve_web_server(make_account(**values), {})


def test_credentials_belong_to_one_deployment():
    """And do not leave this machine unencrypted."""
    environment = TOKEN | {"TASKCLUSTER_ROOT_URL": COMMUNITY}
    unencrypted = build_web_server("http://h.example", TOKEN, is_chosen=True)

    assert build_web_server(COMMUNITY, environment).client_id == "me"
    assert build_web_server(FIREFOX, environment, is_chosen=True).client_id == ""
    assert "s3cret" not in repr(build_web_server(COMMUNITY, environment))
    with pytest.raises(UsageError, match="would receive the access token unencrypted"):
        check_encryption(unencrypted)


@pytest.mark.parametrize(
    ("values", "rank", "is_sent"),
    [
        ({"root_url": COMMUNITY}, Rank.TYPED, True),
        ({"root_url": COMMUNITY}, Rank.VARIABLE, True),
        ({"root_url": COMMUNITY}, Rank.PAGE, False),
        ({"profile": "community"}, None, True),
        ({}, None, False),
    ],
)
def test_credentials_without_a_root_url_go_where_the_user_chose(values, rank, is_sent):
    """Not to the default deployment, and not to one whose address was pasted."""
    sources = {} if rank is None else {"root_url": ValueSource(rank, "somewhere")}
    account = make_account(**values)._replace(sources=sources)

    server = resolve_web_server(account, TOKEN)

    assert bool(server.client_id) is is_sent


@pytest.mark.parametrize(
    ("root_url", "host", "port", "tls"),
    [
        ("https://h.example", "h.example", 443, True),
        ("http://localhost:8080", "localhost", 8080, False),
        ("http://[::1]", "::1", 80, False),
    ],
)
def test_the_address_is_that_of_the_root_url(root_url, host, port, tls):
    """With the usual ports."""
    server = build_web_server(root_url, {})

    assert (server.host, server.port, server.tls) == (host, port, tls)


def test_the_library_chooses_by_the_environment(monkeypatch):
    """`web()` without an argument."""
    assert tcsniff.web().root_url == FIREFOX
    monkeypatch.setenv("TASKCLUSTER_ROOT_URL", COMMUNITY)
    assert tcsniff.web().root_url == COMMUNITY
    assert tcsniff.web("https://x.example").root_url == "https://x.example"
