"""The first screen: what ``tcsniff`` without arguments prints."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("no_settings")


def show(run_line):
    out, text = run_line("", status=2)
    assert out == ""
    return text, dict(line.split(maxsplit=1) for line in text.splitlines() if line[:1].isupper())


def test_it_fits_a_small_terminal(run_line, write_settings, monkeypatch):
    """24 lines of 80 columns with the prompt, however long the names are; it has five examples."""
    write_settings(f'broker = "amqps://{"h." * 100}example/"')
    monkeypatch.setenv("PULSE_USERNAME", "u" * 200)
    monkeypatch.setenv("PULSE_PASSWORD", "s3cret")

    text, _ = show(run_line)

    assert len(text.splitlines()) <= 22
    assert max(map(len, text.splitlines())) <= 80
    assert sum(line.startswith("  tcsniff ") for line in text.splitlines()) == 5
    assert "s3cret" not in text


def test_its_examples_are_commands_that_exist(run_line):
    """Words that a newcomer can type; the last one needs no network."""
    text, _ = show(run_line)

    examples = [line.split("  ")[1] for line in text.splitlines() if line.startswith("  tcsniff ")]
    assert examples == [
        "tcsniff failed",
        "tcsniff graph ID",
        "tcsniff task ID",
        "tcsniff browse",
        "tcsniff --demo",
    ]
    assert text.endswith("`tcsniff --help` lists commands and flags.\n")


@pytest.mark.parametrize(
    ("variables", "account"),
    [
        ({}, "none; set"),
        ({"PULSE_USERNAME": "me"}, "none; set"),
        ({"PULSE_PASSWORD": "s3cret"}, "none; set"),
        ({"PULSE_USERNAME": "me", "PULSE_PASSWORD": "s3cret"}, "me (PULSE_USERNAME)"),
        ({"PULSE_URL": "amqp://me:s3cret@host/"}, "me (in the URL from PULSE_URL)"),
    ],
    ids=str,
)
def test_it_shows_whether_an_account_is_set(variables, account, run_line, monkeypatch):
    """A user name without a password is none."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    text, rows = show(run_line)

    assert rows["Account"].startswith(account)
    assert "s3cret" not in text


def test_it_shows_the_broker_and_the_settings_file(run_line, write_settings, monkeypatch):
    """Each with its source, or the reason why there is none."""
    _, rows = show(run_line)
    assert rows["Listening"] == "to  firefox-ci-tc.services.mozilla.com, through its web server"
    assert rows["Settings"].startswith("none; `tcsniff config --example`")

    path = write_settings('broker = "amqps://h.example/"')
    _, rows = show(run_line)
    assert rows["Broker"] == "none (no user for h.example)"
    assert str(path)[:60] in rows["Settings"]

    monkeypatch.setenv("PULSE_USERNAME", "me")
    _, rows = show(run_line)
    assert rows["Broker"].startswith(f"amqps://me@h.example:5671 ({path}"[:60])
