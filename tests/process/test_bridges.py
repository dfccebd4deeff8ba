"""The address of Taskcluster's web page: as a selection, and made of one."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from running import finished
from tcsniff.cli import main
from tcsniff.errors import UsageError
from tcsniff.pulse.exchanges import CATALOG
from tcsniff.pulse.routing import Binding
from tcsniff.pulse.urls import build_messages_url, get_page_root, is_url, parse_bindings
from tcsniff.selection.select import build_selection
from tcsniff.selection.selection_args import SelectionArgs

FIREFOX = "https://firefox-ci-tc.services.mozilla.com"
COMMUNITY = "https://community-tc.services.mozilla.com"
PAGE = f"{FIREFOX}/pulse-messages"
RUNNING = "exchange/taskcluster-queue/v1/task-running"
READABLE = f"{PAGE}?bindings[0][exchange]={RUNNING}&bindings[0][pattern]=primary.*.#"

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
BINDINGS = st.lists(st.builds(Binding, WORDS, WORDS), min_size=1, unique=True)


@given(BINDINGS)
def test_an_address_gives_back_the_bindings_that_it_is_made_of(bindings):
    """Whatever is in them, in their order."""
    assert parse_bindings(build_messages_url(FIREFOX, bindings)) == bindings


@pytest.mark.parametrize(
    ("url", "bindings"),
    [
        (READABLE, [Binding(RUNNING, "primary.*.#")]),
        (
            READABLE.replace("#", "%23").replace("[", "%5B").replace("]", "%5D"),
            [(RUNNING, "primary.*.#")],
        ),
        (f"{PAGE}?bindings[0][exchange]={quote(RUNNING, safe='')}", [(RUNNING, "#")]),
        (f"{PAGE}?bindings[0][exchange]={RUNNING}&bindings[0][pattern]=", [(RUNNING, "#")]),
        (f"{PAGE}?bindings[0][exchange]={RUNNING}&bindings[0][pattern]=#", [(RUNNING, "#")]),
        (
            f"{PAGE}?bindings[0][exchange]=a&bindings[0][pattern]=x.#&bindings[1][exchange]=b"
            "&bindings[1][pattern]=#.y",
            [("a", "x.#"), ("b", "#.y")],
        ),
        (
            f"{PAGE}/?bindings[10][exchange]=b&bindings[2][pattern]=x&bindings[2][exchange]=a",
            [("a", "x"), ("b", "#")],
        ),
        (f"{PAGE}?x=1&bindings[0][exchange]=a&bindings[0][exchange]=b", [("b", "#")]),
        (f"{PAGE}?bindings[0][pattern]=x&bindings[1][exchange]=b", [("b", "#")]),
        (f"{PAGE}?bindings[0][exchange]=a&bindings[1][exchange]=a", [("a", "#")]),
        ("http://h/prefix/pulse-messages?bindings[0][exchange]=a", [("a", "#")]),
    ],
)
def test_an_address_is_read_as_people_copy_it(url, bindings):
    """Percent-encoded or not; a pattern that is missing takes all, as on the page."""
    assert parse_bindings(url) == bindings


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (PAGE, "has no bindings"),
        (f"{PAGE}?bindings[0][pattern]=a", "has no bindings"),
        (f"{PAGE}?bindings[a][exchange]=a", "has no bindings"),
        (f"{FIREFOX}/tasks/groups/JFjlQCTkRuWyz2yqxLnGNw", "is not the page that shows messages"),
        (FIREFOX, "is not the page that shows messages"),
        ("https://[::1/pulse-messages", "is not a valid URL"),
    ],
)
def test_another_page_is_no_selection(url, words):
    """And what would be is shown."""
    with pytest.raises(UsageError, match=words) as refused:
        parse_bindings(url)

    assert "pulse-messages?bindings[0][exchange]=" in str(refused.value)


@given(st.text())
def test_any_address_is_read_or_refused(text):
    """In one way."""
    with suppress(UsageError):
        assert parse_bindings(f"https://{text}")


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("https://h", True),
        ("HTTP://h", True),
        ("task-running", False),
        ("amqps://h", False),
        ("https", False),
        ("", False),
    ],
)
def test_addresses_are_told_from_events(word, is_one):
    """By how they start."""
    assert is_url(word) is is_one


def test_the_root_is_the_address_up_to_the_host():
    """In lower case, with the port."""
    assert (
        get_page_root("HTTPS://Tc.Example.org:8080/pulse-messages?x")
        == "https://tc.example.org:8080"
    )


def bound(*words):
    done = finished("explain", "--json", *words)
    assert done.returncode == 0, done.stderr
    rows = map(json.loads, done.stdout.splitlines())
    return [(row["exchange"], row["routingKeyPattern"]) for row in rows]


@pytest.mark.parametrize(
    "words",
    [
        ("task-running",),
        ("task-failed", "task-exception", "--worker-type", "a,b"),
        ("--all",),
        ("--exchange", "exchange/build/normalized", "--routing-key", "a.#"),
        ("--task-queue", "gecko-t/t-linux-large"),
        ("--route", "index.gecko.v2.#"),
    ],
    ids=" ".join,
)
def test_explain_gives_an_address_that_is_the_same_selection(words):
    """There and back."""
    url = finished("explain", "--url", *words).stdout.strip()

    assert url.startswith(f"{PAGE}?")
    assert bound(url) == bound(*words)


EVENTS = st.sampled_from([f"{exchange.service}/{exchange.name}" for exchange in CATALOG])
FIELDS = st.dictionaries(
    st.sampled_from(["workerType", "provisionerId", "schedulerId"]),
    st.lists(st.sampled_from(["gaia", "b2g", "gecko-3"]), min_size=1),
)


@given(st.lists(EVENTS), FIELDS, st.lists(st.sampled_from(["index.#", "a.*.b"])))
def test_every_selection_comes_back(events, fields, routes):
    """All EVENTs, with fields and routes: the same bindings."""
    try:
        selected = build_selection(SelectionArgs(events, fields, routes=routes))
    except UsageError:
        reject()

    found = parse_bindings(build_messages_url(COMMUNITY, selected.bindings))

    again = build_selection(
        SelectionArgs(binds=[f"{exchange}:{pattern}" for exchange, pattern in found])
    )
    assert again.bindings == selected.bindings


def test_an_address_goes_with_other_words():
    """As so many more pairs of exchange and pattern."""
    others = bound("--bind", "a:b", "task-failed")

    assert {*bound(READABLE, "--bind", "a:b", "task-failed")} == {
        (RUNNING, "primary.*.#"),
        *others,
    }


@pytest.mark.parametrize(
    ("words", "env", "root"),
    [
        ((), {}, FIREFOX),
        (("--profile", "community"), {}, COMMUNITY),
        ((), {"TCSNIFF_PROFILE": "community"}, COMMUNITY),
        (("--root-url", "https://tc.example.org/"), {}, "https://tc.example.org"),
        ((), {"TASKCLUSTER_ROOT_URL": "https://tc.example.org"}, "https://tc.example.org"),
        (
            (),
            {"TCSNIFF_ROOT_URL": "https://a.b", "TASKCLUSTER_ROOT_URL": "https://c.d"},
            "https://a.b",
        ),
        (
            ("--profile", "community"),
            {"TASKCLUSTER_ROOT_URL": "https://tc.example.org"},
            COMMUNITY,
        ),
        (
            ("--profile", "community", "--root-url", "https://tc.example.org"),
            {},
            "https://tc.example.org",
        ),
    ],
)
def test_the_root_url_is_that_of_flag_variable_or_profile(words, env, root):
    """In this order, what was typed before what was not."""
    done = finished("explain", "--url", *words, "task-running", env=env)

    assert done.stdout.startswith(f"{root}/pulse-messages?bindings")
    assert done.returncode == 0


def test_the_page_of_a_deployment_names_the_profile():
    """If nothing else says where to listen."""
    url = READABLE.replace(FIREFOX, COMMUNITY)

    done = finished("doctor", url, "--wait", "1ms", "--json")
    other = finished("doctor", url, "--broker", "amqp://u:p@127.0.0.1:1", "--wait", "1ms")
    unknown = finished("doctor", READABLE.replace(FIREFOX, "https://tc.example.org"), "--json")

    assert f"{COMMUNITY} through its web server (from the page's address" in done.stdout
    assert "amqp://u@127.0.0.1:1 (from --broker" in other.stdout
    assert "https://tc.example.org through its web server" in unknown.stdout


def test_what_the_page_cannot_check_is_told(capsys):
    """It shows more then."""
    assert main(["explain", "--url", "task-failed", "--reason", "canceled"]) == 0

    assert (
        capsys.readouterr().err
        == "tcsniff: the page shows more messages, as it has no filters for checks on arrival\n"
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["explain", f"{PAGE}?bindings[0][exchange]=a:b"], "has a colon"),
        (["explain", FIREFOX], "is not the page that shows messages"),
        (["explain", READABLE, "--worker-type", "gaia"], "--worker-type narrows only EVENTs"),
        (
            ["explain", "--url", "--root-url", "x.org", "--all"],
            "--root-url: 'x.org' is not a Taskcluster root URL",
        ),
        (
            ["explain", "--url", "--root-url", "https://[", "--all"],
            "is not a Taskcluster root URL",
        ),
        (["explain", "--url", "--json", "--all"], "--json and --url contradict each other"),
        (["explain", f"{PAGE}?bindings[0][exchange]=a&bindings[0][pattern]={'x' * 256}"], "255"),
    ],
)
def test_an_address_that_cannot_be_bound_is_told(words, text, capsys):
    """Status 2."""
    assert main(words) == 2

    assert text in capsys.readouterr().err
