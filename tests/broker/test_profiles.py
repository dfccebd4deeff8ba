"""Profiles of one's own, from the settings file to a real broker."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from builders import delivery
from rabbitmq import HOST, PULSE, RabbitMQ, Taskcluster
from running import Running, Terminal, finished

SECRET = "hünter2/%s3cret"


def written(folder: Path, text: str) -> dict[str, str]:
    """Write settings; returns the environment in which they are found at their usual place."""
    (folder / "tcsniff").mkdir(exist_ok=True)
    (folder / "tcsniff/config.toml").write_text(text, encoding="utf-8")
    return {"TCSNIFF_CONFIG": "", "XDG_CONFIG_HOME": str(folder)}


def profile(rabbitmq: RabbitMQ, *lines: str) -> str:
    """Word a profile for a server."""
    url = f"amqp://{HOST}:{rabbitmq.port}"
    return "\n".join(["[profiles.mine]", f'broker = "{url}"', f'user = "{PULSE[0]}"', *lines, ""])


def printing(text: str) -> list[str]:
    """Word a command that prints a text."""
    return [sys.executable, "-c", f"print({text!r})"]


def test_from_a_file_to_events(
    rabbitmq: RabbitMQ, taskcluster: Taskcluster, tmp_path: Path
) -> None:
    """A profile with a command for the password, a saved selection, flags of its own."""
    command = json.dumps(printing(f"{PULSE[1]}\nnot this"))
    env = written(
        tmp_path,
        'profile = "mine"\ncolumns = ["event", "task-id"]\n'
        + profile(rabbitmq, f"password-command = {command}", "flags = { count = 2 }")
        + '[selections.lost]\nevents = ["task-exception"]\nreason = "claim-expired"\n'
        'worker-type = "gaia"\n',
    )
    with Running("@lost", "-o", "lines", env=env) as sniffing:
        sniffing.listening()
        for worker_type, reason in (
            ("gaia", "claim-expired"),
            ("b2g", "claim-expired"),
            ("gaia", "canceled"),
            ("gaia", "claim-expired"),
        ):
            one = delivery("task-exception", worker_type=worker_type, reason=reason)
            taskcluster.publish(one.exchange, one.routing_key, one.body)
        status = sniffing.status()
        lines = sniffing.lines(2)

    assert status == 0
    assert [line.split() for line in lines] == [["!", "exception", "fN1SbArXTPSVFNUvaOlinQ"]] * 2
    assert f"listening to task-exception on mine ({HOST}) as pulse\n" in sniffing.said()


@pytest.mark.parametrize("named", ["password", "~/password"])
def test_a_file_beside_the_settings_holds_the_password(
    named: str, rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    """Relative to the settings, wherever tcsniff is started; or in one's home."""
    env = written(tmp_path, profile(rabbitmq, f'password-file = "{named}"'))
    place = tmp_path if named.startswith("~") else tmp_path / "tcsniff"
    (place / "password").write_text(f"{PULSE[1]}\n")
    (place / "password").chmod(0o600)

    words = ("doctor", "--profile", "mine", "--wait", "50ms", "task-running")
    done = finished(*words, env=env | {"HOME": str(tmp_path)})

    assert " ".join(done.stdout.split()).startswith(
        f"✔ configuration amqp://pulse@{HOST}:{rabbitmq.port} "
        "(from --profile; user: profile mine; password: password-file of profile mine)"
    )
    assert done.returncode == 0


def test_what_is_built_in_can_be_led_elsewhere(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """A profile of its name adds to it; its root URL stays."""
    text = profile(rabbitmq, f"password-command = {json.dumps(printing(PULSE[1]))}")
    env = written(tmp_path, text.replace("mine", "firefox-ci"))
    words = ("--profile", "firefox-ci")

    done = finished("doctor", *words, "--wait", "50ms", "task-running", env=env)
    shown = finished("explain", "--url", *words, "task-running", env=env)

    assert done.returncode == 0
    assert shown.stdout.startswith("https://firefox-ci-tc.services.mozilla.com/pulse-messages?")


@pytest.mark.parametrize(
    ("words", "env"),
    [(("--password-file", "password"), {}), ((), {"TCSNIFF_PASSWORD_FILE": "password"})],
    ids=["flag", "variable"],
)
def test_no_command_runs_if_the_password_is_given(
    words: tuple[str, ...],
    env: dict[str, str],
    rabbitmq: RabbitMQ,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The flag and the variable beat the profile."""
    monkeypatch.chdir(tmp_path)
    Path("password").write_text(PULSE[1])
    ran = shlex.quote(str(tmp_path / "ran"))
    env |= written(tmp_path, profile(rabbitmq, f'password-command = "touch {ran}"'))

    done = finished(
        "doctor", "--profile", "mine", *words, "--wait", "50ms", "task-running", env=env
    )

    assert done.returncode == 0
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("words", [("explain", "--profile", "mine"), ("config",), ("exchanges",)])
def test_no_command_runs_where_nothing_connects(words: tuple[str, ...], tmp_path: Path) -> None:
    """No one is asked for a password in vain."""
    ran = tmp_path / "ran"
    command = f'broker = "amqp://h"\npassword-command = "touch {ran}"'
    env = written(tmp_path, f'profile = "mine"\n[profiles.mine]\n{command}')
    events = ("task-running",) if words[0] == "explain" else ()

    done = finished(*words, *events, env=env)

    assert done.returncode == 0
    assert not ran.exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("password-command = 'false'", "false ended with status 1"),
        ("password-command = 'true'", "true printed no password"),
        ("password-command = '/nowhere x'", "cannot run /nowhere: No such file or directory"),
        (
            """password-command = ['printf', '\\377\\376']""",
            "the output of printf is not valid UTF-8",
        ),
        (
            f"password-command = {json.dumps(['sh', '-c', f'echo {SECRET}; exit 3'])}",
            "sh ended with status 3",
        ),
        ("password-file = 'nowhere'", "/nowhere: No such file or directory"),
        ("password-file = '.'", ": Is a directory"),
        ("tls-ca = 'nowhere'\npassword-command = 'echo x'", "no file {folder}/nowhere"),
    ],
)
def test_a_password_that_cannot_be_had_is_told(line: str, words: str, tmp_path: Path) -> None:
    """Status 2, before anything connects, without what was printed, and without a traceback."""
    env = written(tmp_path, f'[profiles.mine]\nbroker = "amqp://127.0.0.1:1"\nuser = "u"\n{line}')

    done = finished("task-running", "--profile", "mine", env=env)

    assert words.format(folder=tmp_path / "tcsniff") in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_the_password_of_a_command_is_nowhere(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """Neither in what is said, nor in what is shown of settings, nor in a traceback."""
    rabbitmq.add_user("secretive", SECRET)
    secret = tmp_path / "secret"
    secret.write_text(SECRET, encoding="utf-8")
    text = profile(rabbitmq, f'password-command = ["cat", "{secret}"]')
    env = written(tmp_path, text.replace(f'"{PULSE[0]}"', '"secretive"'))
    flags = ("--profile", "mine", "--debug")
    lines = [
        ("config", *flags),
        ("config", "--json", *flags),
        ("doctor", *flags, "--wait", "50ms"),
        ("sniff", *flags, "task-running", "--timeout", "50ms"),
        ("sniff", *flags, "--exchange", "none"),
    ]

    shown = [finished(*line, env=env) for line in lines]

    assert [one.returncode for one in shown] == [0, 0, 0, 124, 4]
    assert not any("nter2" in one.stdout + one.stderr for one in shown)


def test_a_command_may_ask_on_the_terminal(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """As password managers do."""
    asking = 'read -r answer; echo \\"$answer\\"'
    text = f'password-command = ["sh", "-c", "echo Passphrase? >&2; {asking}"]'
    env = written(tmp_path, profile(rabbitmq, text))

    words = ("task-running", "--profile", "mine")
    with Terminal(*words, columns=120, env=env) as terminal:
        terminal.shows(lambda rows: "Passphrase?" in rows)
        terminal.type(f"{PULSE[1]}\n")
        rows = terminal.shows(lambda rows: any("listening to" in row for row in rows))

    assert any(f"listening to task-running on mine ({HOST})" in row for row in rows)


def test_colours_of_ones_own_are_shown(tmp_path: Path) -> None:
    """In lines as in the table."""
    env = written(tmp_path, '[colors]\npending = "underline blue"\n')
    demo = ("--demo", "--seed", "1", "-n", "1")

    lines = finished(*demo, "-o", "lines", "--color", "always", env=env)
    with Terminal(*demo, env=env) as table:
        table.status()

    assert "\x1b[4;34m◷ pending\x1b[0m" in lines.stdout
    assert "\x1b[4;34m◷ pending".encode() in table.written


def test_columns_of_the_settings_are_shown_where_there_are_columns(tmp_path: Path) -> None:
    """On a terminal; a pipe gets records, as ever."""
    env = written(tmp_path, 'columns = ["event", "lag"]\n')
    demo = ("--demo", "--seed", "1", "-n", "1")

    piped = finished(*demo, env=env)
    with Terminal(*demo, env=env) as table:
        rows = table.shows(lambda rows: any("pending" in row for row in rows))

    assert json.loads(piped.stdout)["exchange"].endswith("task-pending")
    assert ["EVENT", "LAG"] in [row.split() for row in rows]
