from __future__ import annotations

import re
import tomllib
from contextlib import suppress

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paths import ROOT
from tcsniff import cli
from tcsniff.errors import UsageError
from tcsniff.pulse.styles import EVENT_STYLES, apply_colors
from tcsniff.settings.config_file import find_settings_file, list_flags
from tcsniff.settings.example import EXAMPLE_SETTINGS
from tcsniff.settings.file_schema import find_key_lines, parse_settings
from tcsniff.settings.model import BUILT_IN, KnownFlags, Text, TextList

TYPES = {
    "profile": Text,
    "columns": TextList,
    "worker-type": TextList,
    "where": TextList,
    "utc": bool,
    "prefetch": Text,
    "speed": Text,
    "broker": Text,
    "password-file": Text,
}
FLAGS = KnownFlags(TYPES, lambda: TYPES)


def read(text):
    return parse_settings(tomllib.loads(text), FLAGS, file="c.toml", text=text)


def refusal(text):
    with pytest.raises(UsageError) as refused:
        read(text)
    return str(refused.value)


# What is in the file


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("", {}),
        ("utc = true", {"utc": True}),
        ("utc = false", {"utc": False}),
        ('columns = ["time", "task"]', {"columns": ("time", "task")}),
        ('columns = "time,task"', {"columns": ("time,task",)}),
        ("worker-type = [1, 'b']", {"worker-type": ("1", "b")}),
        ("prefetch = 10", {"prefetch": "10"}),
        ("speed = 1.5", {"speed": "1.5"}),
        ("profile = 'community'", {"profile": "community"}),
    ],
)
def test_flags_stand_by_their_long_names(text, flags):
    """As on the command line; a list is a flag that is repeated."""
    assert read(text).flags == flags


def test_a_profile_says_where_to_listen_and_as_whom():
    """And where the password is, which is not in the file."""
    mine = read(
        """
        [profiles.mine]
        broker = "amqps://h/v"
        user = "me"
        password-command = "pass 'show it' pulse"
        flags = { prefetch = 10 }
        """
    ).profiles["mine"]

    assert str(mine.broker) == "amqps://me@h:5671/v"
    assert mine.password_command == ("pass", "show it", "pulse")
    assert mine.flags == {"prefetch": "10"}


@pytest.mark.parametrize("command", ['"a b"', '["a", "b"]'])
def test_a_command_is_a_list_or_words(command):
    """Split as a shell splits them, by no shell."""
    text = f"[profiles.mine]\nbroker = 'amqps://h'\npassword-command = {command}"

    assert read(text).profiles["mine"].password_command == ("a", "b")


def test_built_in_profiles_are_there_from_the_start():
    """Also beside others."""
    assert read("").profiles == BUILT_IN
    assert {*BUILT_IN} < {*read("[profiles.mine]\nbroker = 'amqps://h'").profiles}


def test_a_selection_is_events_and_flags():
    """What `@NAME` stands for."""
    saved = read("[selections.x]\nevents = ['a', 'b']\nworker-type = 'gaia'").selections["x"]

    assert saved == (("a", "b"), {"worker-type": ("gaia",)})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colums = ['a']", "c.toml:1: colums: unknown setting; did you mean 'columns'?"),
        ("\nzzz = 1", "c.toml:2: zzz: unknown setting"),
        ("[profile.mine]", "c.toml:1: profile: must be a string, not a table; to add a profile"),
        ("[selection.x]", "selection: unknown setting; did you mean 'selections'?"),
        ("config = 'x'", "config: unknown setting"),
        (
            "columns = true",
            "c.toml:1: columns: must be a string or a list of strings, not true or false",
        ),
        ("columns = [true]", "columns: must be a string, not true or false"),
        ("columns = [['a']]", "columns: must be a string, not a list"),
        ("utc = 'yes'", "utc: must be true or false, not a string"),
        ("utc = 1", "utc: must be true or false, not a number"),
        ("prefetch = false", "prefetch: must be a string, not true or false"),
        ("prefetch = [1]", "prefetch: must be a string, not a list"),
        ("prefetch = 2026-11-23", "prefetch: must be a string, not a date or time"),
        ("profile = 'mime'\n[profiles.mine]\nbroker = 'amqps://h'", "did you mean 'mine'?"),
        ("profile = 'x'", "c.toml:1: profile: unknown profile 'x'; known: firefox-ci, comm"),
        ("profiles = 1", "profiles: must be a table, [profiles], not a number"),
        (
            "[profiles]\nmine = 'x'",
            "profiles.mine: must be a table, [profiles.mine], not a string",
        ),
        ("[profiles.mine]\nuser = 'x'", "profiles.mine.broker: broker is missing"),
        ("[profiles.mine]\nbroker = 'http://h'", "c.toml:2: profiles.mine.broker: the broker's"),
        (
            "[profiles.community]\nroot-url = 'tc.example'",
            "community.root-url: 'tc.example' is no",
        ),
        ("[profiles.community]\nusr = 'x'", "profiles.community.usr: unknown setting; did you me"),
        ("[profiles.community]\nutc = true", "write flags in its table: flags.utc"),
        (
            "[profiles.community]\nuser = true",
            "profiles.community.user: must be a string, not true",
        ),
        (
            "[profiles.community]\nplaintext = 'x'",
            "plaintext: must be true or false",
        ),
        ("[profiles.community]\nflags = 1", "profiles.community.flags: must be a table"),
        (
            "[profiles.community.flags]\nutx = true",
            "flags.utx: unknown setting; did you mean 'utc",
        ),
        ("[profiles.community.flags]\nbroker = 'x'", "the profile already names the broker"),
        ("[profiles.community]\npassword-command = '\"a'", "a quote is not closed"),
        ("[profiles.community]\npassword-command = 'a'\npassword-file = 'b'", "not both"),
        ("[selections.x]\nevent = 'a'", "selections.x.event: unknown setting; did you mean 'even"),
        ("[selections.x]\nevents = true", "selections.x.events: must be a string or a list"),
        ("[selections]\nx = 'a'", "selections.x: must be a table, [selections.x], not a string"),
        (
            "[colors]\nfailed = 1.0\nrunning = true",
            "colors.running: must be a string, not true",
        ),
        ("colors = []", "colors: must be a table, [colors], not a list"),
    ],
)
def test_invalid_settings_are_errors(text, words):
    """The error names the file, the line and the key, and suggests a name."""
    assert words in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "[profiles.mine]\nbroker = 'amqps://u:s3cret@h'",
        "[profiles.mine]\nbroker = 'amqps://u:s3cret/@h'",
        "broker = 'amqps://u:s3cret@h'",
        "broker = 's3cret'",
        "[selections.x]\nbroker = 'amqps://u:s3cret@h'",
        "[profiles.community]\npassword = 's3cret'",
        "[profiles.community]\nPassword = 's3cret'",
        "[profiles.community]\nflags = 's3cret'",
        "password = 's3cret'",
    ],
)
def test_a_password_in_the_file_is_refused_and_not_shown(text):
    """A file of settings is copied, mailed and committed."""
    assert "s3cret" not in refusal(text)


JSONLIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
KEYS = st.sampled_from([*TYPES, "profiles", "selections", "colors", "events", "flags", "x"])


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, JSONLIKE) | JSONLIKE))
def test_whatever_stands_there_is_read_or_refused(table):
    """In one way: no other failure comes of it."""
    with suppress(UsageError):
        parse_settings(table, FLAGS)


# Where it stands


def test_keys_are_found_in_their_lines():
    """Quoted, dotted, behind headers with comments."""
    text = 'a = 1\n\n[t] # x\nb.c = 2\n"d e" = 3\n[u."v w"]\r\nf=1\n[[no]]\n'

    assert dict(find_key_lines(text)) == {
        ("a",): 1,
        ("t",): 3,
        ("t", "b", "c"): 4,
        ("t", "d e"): 5,
        ("u", "v w"): 6,
        ("u", "v w", "f"): 7,
    }


@given(st.text())
def test_any_text_has_lines(text):
    """Also one that is not valid TOML."""
    assert all(number >= 1 for _, number in find_key_lines(text))


@pytest.mark.parametrize(
    ("typed", "environment", "path", "by"),
    [
        ("x", {"TCSNIFF_CONFIG": "y"}, "x", "--config"),
        (None, {"TCSNIFF_CONFIG": "y", "XDG_CONFIG_HOME": "/z"}, "y", "TCSNIFF_CONFIG"),
        ("-", {"TCSNIFF_CONFIG": "y"}, None, "--config"),
        (None, {"TCSNIFF_CONFIG": "-"}, None, "TCSNIFF_CONFIG"),
        (None, {"TCSNIFF_CONFIG": "", "XDG_CONFIG_HOME": "/z"}, "/z/tcsniff/config.toml", ""),
        (None, {"XDG_CONFIG_HOME": "relative"}, "/home/me/.config/tcsniff/config.toml", ""),
        (None, {}, "/home/me/.config/tcsniff/config.toml", ""),
    ],
)
def test_the_file_is_the_one_that_is_named_last(typed, environment, path, by, monkeypatch):
    """The flag, the variable, the place of the XDG rules."""
    monkeypatch.setenv("HOME", "/home/me")
    found, name = find_settings_file(typed, environment)

    assert (None if found is None else str(found), name) == (path, by)


# The example


def uncommented(text):
    return re.sub(r"^#(?! |$)", "", text, flags=re.MULTILINE)


def test_the_example_sets_nothing():
    """Until its comments are taken away."""
    assert tomllib.loads(EXAMPLE_SETTINGS) == {}


def test_the_example_means_something():
    """Every setting in it is one."""
    top = click.Context(cli.tcsniff)
    text = uncommented(EXAMPLE_SETTINGS)

    found = parse_settings(tomllib.loads(text), list_flags(top), file="c.toml", text=text)

    assert found.profiles["mine"].password_command == ("pass", "show", "pulse")
    assert {*found.profiles} == {"firefox-ci", "community", "mine"}
    assert {*found.selections} == {"infra-failures"}
    assert apply_colors(found.colors)["task-failed"].style == "bold bright_red"


def test_settings_in_the_readme_mean_something():
    """Whatever it shows can be copied."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for text in re.findall(r"^```toml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL):
        parse_settings(tomllib.loads(text), list_flags(click.Context(cli.tcsniff)), text=text)


# Colours


@pytest.mark.parametrize("name", ["failed", "task-failed"])
def test_a_look_can_be_given_another_style(name):
    """By EVENT or by state; the others stay."""
    styles = apply_colors({name: "underline green"})

    assert styles["task-failed"] == EVENT_STYLES["task-failed"]._replace(style="underline green")
    assert styles["task-running"] == EVENT_STYLES["task-running"]


@pytest.mark.parametrize(
    ("colors", "words"),
    [
        ({"faild": "red"}, "faild: unknown event or state; did you mean 'failed'?"),
        ({"zzz": "red"}, "; known events: defined, pending"),
        ({"failed": "bold rde"}, "failed: unknown style 'rde'; did you mean 'red'?"),
        ({"failed": "[link]"}, "failed: unknown style '[link]'"),
    ],
)
def test_what_no_terminal_shows_is_refused(colors, words):
    """With what was perhaps meant."""
    with pytest.raises(UsageError, match=re.escape(words)):
        apply_colors(colors)
