from __future__ import annotations

import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcsniff.errors import UsageError
from tcsniff.settings.brokers import NO_BROKER, Broker, build_broker, extend_profile

ACCOUNT = {"PULSE_USERNAME": "me", "PULSE_PASSWORD": "s3cret"}
PULSE = "pulse.mozilla.org"


def refusal(url=None, profile=None, environment=ACCOUNT):
    with pytest.raises(UsageError) as refused:
        build_broker(url, profile, environment)
    return str(refused.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqps://u:p@h", Broker("h", "h", 5671, "u", "p", "/", tls=True)),
        ("amqp://u:p@h", Broker("h", "h", 5672, "u", "p", "/", tls=False)),
        ("AMQPS://u:p@H", Broker("h", "h", 5671, "u", "p", "/", tls=True)),
        ("amqps://u:p@h:1", Broker("h", "h", 1, "u", "p", "/", tls=True)),
        ("amqp://u:p@h:65535/", Broker("h", "h", 65535, "u", "p", "/", tls=False)),
        ("amqp://u:p@h/%2F", Broker("h", "h", 5672, "u", "p", "/", tls=False)),
        ("amqp://u:p@h/%2f", Broker("h", "h", 5672, "u", "p", "/", tls=False)),
        ("amqp://u:p@h/communitytc", Broker("h", "h", 5672, "u", "p", "communitytc", tls=False)),
        ("amqp://u:p@h/a%2Fb", Broker("h", "h", 5672, "u", "p", "a/b", tls=False)),
        ("amqp://u:p@h/a%20b", Broker("h", "h", 5672, "u", "p", "a b", tls=False)),
        ("amqp://u:p@[::1]", Broker("::1", "::1", 5672, "u", "p", "/", tls=False)),
        (
            "amqps://u:p@[2001:db8::1]:5673/x",
            Broker("2001:db8::1", "2001:db8::1", 5673, "u", "p", "x", tls=True),
        ),
        ("amqps://u:p%40%2F%3A%25%23@h", Broker("h", "h", 5671, "u", "p@/:%#", "/", tls=True)),
        ("amqps://u%40x:p@h", Broker("h", "h", 5671, "u@x", "p", "/", tls=True)),
        ("amqps://u:a:b@h", Broker("h", "h", 5671, "u", "a:b", "/", tls=True)),
        ("amqps://u:a+b@h", Broker("h", "h", 5671, "u", "a+b", "/", tls=True)),
        ("amqps://u:%C3%A9@h", Broker("h", "h", 5671, "u", "é", "/", tls=True)),
        ("amqps://h", Broker("h", "h", 5671, "me", "s3cret", "/", tls=True)),
        ("amqps://u@h", Broker("h", "h", 5671, "u", "s3cret", "/", tls=True)),
    ],
)
def test_an_amqp_uri_is_read(url, expected):
    """https://www.rabbitmq.com/docs/uri-spec; what it leaves out of the account is PULSE_*'s."""
    assert build_broker(url, None, ACCOUNT) == expected


@given(
    user=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    password=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    vhost=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)
def test_percent_encoding_takes_any_account(user, password, vhost):
    """Every byte may be written as its number, and comes back as it was."""
    found = build_broker(
        f"amqps://{escaped(user)}:{escaped(password)}@h/{escaped(vhost)}", None, {}, plaintext=True
    )

    assert (found.user, found.password, found.vhost) == (user, password, vhost)


def escaped(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize(
    ("profile", "vhost", "root_url"),
    [
        ("firefox-ci", "/", "https://firefox-ci-tc.services.mozilla.com"),
        ("community", "communitytc", "https://community-tc.services.mozilla.com"),
    ],
)
def test_both_deployments_have_a_profile(profile, vhost, root_url):
    """They share a server, and only the vhost tells them apart."""
    expected = Broker(profile, PULSE, 5671, "me", "s3cret", vhost, tls=True, root_url=root_url)

    assert build_broker(None, profile, ACCOUNT) == expected


@pytest.mark.parametrize(
    ("url", "root_url"),
    [
        (f"amqps://u:p@{PULSE}", "https://firefox-ci-tc.services.mozilla.com"),
        (f"amqps://u:p@{PULSE}/communitytc", "https://community-tc.services.mozilla.com"),
        (f"amqps://u:p@{PULSE}/other", None),
        ("amqps://u:p@h", None),
    ],
)
def test_the_deployment_behind_a_known_broker_is_known(url, root_url):
    """By its host and vhost, however it is named."""
    assert build_broker(url, None, {}).root_url == root_url


@pytest.mark.parametrize(
    ("name", "keys", "text", "root_url"),
    [
        ("mine", {"broker": "amqps://h"}, "amqps://@h:5671", None),
        ("mine", {"broker": "amqps://u@h/v", "user": "me"}, "amqps://me@h:5671/v", None),
        ("mine", {"broker": "amqp://h", "vhost": "v"}, "amqp://@h:5672/v", None),
        ("mine", {"broker": "amqp://h", "root-url": "https://t"}, "amqp://@h:5672", "https://t"),
        (
            "community",
            {"user": "me"},
            f"amqps://me@{PULSE}:5671/communitytc",
            "https://community-tc.services.mozilla.com",
        ),
        (
            "community",
            {"broker": "amqp://proxy/v"},
            "amqp://@proxy:5672/v",
            "https://community-tc.services.mozilla.com",
        ),
    ],
)
def test_a_profile_of_ones_own_extends_a_built_in_one(name, keys, text, root_url):
    """Or stands by itself, if there is none of its name."""
    found = extend_profile(name, keys)

    assert (found.name, str(found), found.root_url) == (name, text, root_url)


def test_a_profile_needs_a_broker():
    """Unless one is built in."""
    with pytest.raises(UsageError, match="broker is missing"):
        extend_profile("mine", {"user": "me"})


def test_files_and_switches_of_a_profile_are_its_brokers():
    """Each by its own name."""
    keys = {"tls-ca": "a", "tls-cert": "b", "tls-key": "c"} | dict.fromkeys(
        ("tls-insecure", "plaintext"), True
    )

    found = extend_profile("firefox-ci", keys)

    assert (found.ca, found.cert, found.key, found.insecure, found.plaintext) == (
        *"abc",
        True,
        True,
    )


def test_plaintext_of_a_profile_counts():
    """As the flag does."""
    profiles = {"mine": extend_profile("mine", {"broker": "amqp://h", "plaintext": True})}

    assert build_broker(None, "mine", ACCOUNT, profiles=profiles).plaintext


FLAG, OURS, PULSES = "amqps://a:b@flag", "amqps://a:b@ours", "amqps://a:b@pulses"


@pytest.mark.parametrize(
    ("url", "profile", "environment", "host"),
    [
        (FLAG, None, {"TCSNIFF_BROKER": OURS, "PULSE_URL": PULSES}, "flag"),
        (None, "community", ACCOUNT | {"TCSNIFF_BROKER": OURS, "PULSE_URL": PULSES}, PULSE),
        (None, None, ACCOUNT | {"TCSNIFF_BROKER": OURS, "PULSE_URL": PULSES}, "ours"),
        (None, None, ACCOUNT | {"PULSE_URL": PULSES}, "pulses"),
        (None, None, {"TCSNIFF_BROKER": "", "PULSE_URL": PULSES}, "pulses"),
        (None, None, ACCOUNT, PULSE),
        ("", None, ACCOUNT, PULSE),
    ],
)
def test_flags_beat_the_environment_and_ours_beats_pulses(url, profile, environment, host):
    """`--broker` or `--profile`, TCSNIFF_BROKER, PULSE_URL, and Mozilla's last."""
    assert build_broker(url, profile, environment).host == host


@pytest.mark.parametrize(
    ("url", "environment", "user", "password"),
    [
        ("amqps://a:b@h", ACCOUNT, "a", "b"),
        ("amqps://a@h", ACCOUNT, "a", "s3cret"),
        ("amqps://h", ACCOUNT, "me", "s3cret"),
        ("amqp://localhost", {}, "guest", "guest"),
        ("amqp://127.0.0.1", {}, "guest", "guest"),
        ("amqp://[::1]", {}, "guest", "guest"),
        ("amqp://localhost", ACCOUNT, "me", "s3cret"),
        ("amqp://a:b@localhost", {}, "a", "b"),
    ],
)
def test_the_account_is_the_uris_then_the_environments(url, environment, user, password):
    """On this machine, RabbitMQ's own account stands in where there is none."""
    found = build_broker(url, None, environment)

    assert (found.user, found.password) == (user, password)


@pytest.mark.parametrize(
    ("url", "profile", "environment", "words"),
    [
        (None, None, {}, NO_BROKER),
        (None, None, {"PULSE_USERNAME": "me"}, "no password for me at firefox-ci"),
        (None, None, {"PULSE_PASSWORD": "s3cret"}, "no user for firefox-ci"),
        ("amqps://h", None, {}, "no user for h; set PULSE_USERNAME"),
        ("amqps://u@h", None, {}, "no password for u at h; set PULSE_PASSWORD"),
        (None, "firefox-ci", {}, "no user for firefox-ci; set PULSE_USERNAME and PULSE_PASSWORD"),
        (None, "community", {"PULSE_USERNAME": "me"}, "no password for me at community"),
        ("amqps://h", "community", ACCOUNT, "--broker and --profile both name a broker"),
        (None, "firefox-cy", ACCOUNT, "unknown profile 'firefox-cy'; did you mean 'firefox-ci'?"),
        (None, "xyz", ACCOUNT, "unknown profile 'xyz'; known: firefox-ci, community"),
        (None, "", ACCOUNT, "unknown profile ''"),
    ],
)
def test_what_is_missing_is_named(url, profile, environment, words):
    """And how to give it."""
    assert words in refusal(url, profile, environment)


def test_the_ways_out_are_named_when_nothing_is_set():
    """A broker, Mozilla's account, and the demo that needs neither."""
    for way in ("--broker", "PULSE_USERNAME", "PULSE_PASSWORD", "--demo"):
        assert way in refusal(environment={})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://u:s3cret@h", "must start with amqps:// or amqp://"),
        ("u:s3cret@h", "must start with amqps:// or amqp://"),
        ("s3cret", "must start with amqps:// or amqp://"),
        ("amqps://", "has no host"),
        ("amqps://u:s3cret@", "has no host"),
        ("amqps://u:s3cret@:5671", "has no host"),
        ("amqps://u:s3cret@h:port", "is not valid"),
        ("amqps://u:s3cret@h:65536", "is not valid"),
        ("amqps://u:s3cret@h:-1", "is not valid"),
        ("amqps://u:s3cret@[::1", "is not valid"),
        ("amqps://u:s3cret@[x]", "is not valid"),
        ("amqps://u:[s3cret@h", "is not valid"),
        ("amqps://u:s3cret/x@h", "is not valid"),
        ("amqps://u:s3cret#x@h", "is not valid"),
        ("amqps://u:s3cret?x@h", "is not valid"),
        ("amqps://u:12/s3cret@h", "amqps://USER@HOST:5671/VHOST"),
        ("amqps://u:12#s3cret@h", "amqps://USER@HOST:5671/VHOST"),
    ],
)
def test_a_url_that_is_no_brokers_is_refused_without_showing_it(url, words):
    """What cannot be read may hold a password in any place."""
    with pytest.raises(UsageError) as refused:
        build_broker(url, None, ACCOUNT)

    assert words in str(refused.value)
    assert "s3cret" not in "".join(traceback.format_exception(refused.value, chain=True))


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("amqps://u:s3cret@h", "amqps://u@h:5671"),
        ("amqp://u:s3cret@h:1/v", "amqp://u@h:1/v"),
        ("amqp://u:s3cret@h/%2F", "amqp://u@h:5672"),
        ("amqp://u:s3cret@[::1]/v", "amqp://u@[::1]:5672/v"),
    ],
)
def test_a_broker_is_shown_without_its_password(url, text):
    """Neither for people nor for programmers."""
    found = build_broker(url, None, {})

    assert str(found) == f"{found}" == text
    assert found.password == "s3cret"
    assert "s3cret" not in repr(found)


@example(password="s3@1/cret")
@given(password=st.text(st.sampled_from("x@:/?#[]%&\n 1"), min_size=1).map("s3{}cret".format))
def test_no_password_is_shown_however_it_is_written(password):
    """Also one that should have been percent-encoded, and ends up in another part of the URI."""
    try:
        found = build_broker(f"amqps://u:{password}@h", None, ACCOUNT)
    except UsageError as error:
        shown = "".join(traceback.format_exception(error))
    else:
        shown = f"{found} {found!r}"

    assert "cret" not in shown
    assert "s3" not in shown


def test_a_password_of_its_own_goes_before_all_others():
    """That of a file beats those of the URL and the environment."""
    found = build_broker(
        "amqps://u:url@h", None, {"PULSE_PASSWORD": "environment"}, password="file"
    )

    assert found.password == "file"


def test_a_certificate_can_stand_in_for_a_password():
    """Then none is needed, and the login is by certificate."""
    found = build_broker("amqps://u@h", None, {}, has_certificate=True)

    assert (found.user, found.password) == ("u", "")
