"""Where the value of a flag comes from, and what gives way to what."""

from __future__ import annotations

import json

import pytest

from shared_fixtures import SETTINGS
from tcsniff import cli
from tcsniff.commands.options.option import CONFIG, SectionedOption
from tcsniff.settings.config_file import list_commands

pytestmark = pytest.mark.usefixtures("no_settings")


ACCOUNT = {"PULSE_USERNAME": "me", "PULSE_PASSWORD": "s3cret"}


@pytest.fixture
def worker_types(run_line):
    """Tell the worker types that an `explain` binds."""

    def worker_types(line):
        rows = map(json.loads, run_line(f"explain --json {line}")[0].splitlines())
        return {row["routingKeyPattern"].split(".")[6] for row in rows}

    return worker_types


@pytest.fixture
def sources(run_line):
    """Give the rows of `config`: setting to value and source."""

    def sources(line=""):
        rows = map(json.loads, run_line(f"config --json {line}")[0].splitlines())
        return {row["setting"]: (row["value"], row["from"]) for row in rows}

    return sources


# Which value


@pytest.mark.parametrize(
    ("line", "environment", "expected"),
    [
        ("task-running", {"TCSNIFF_BROKER": "amqp://u@h"}, "of-file"),
        ("task-running --profile other", {}, "of-file"),
        ("task-running", {}, "of-profile"),
        ("task-running --profile community", {}, "of-community"),
        ("task-running", {"TCSNIFF_PROFILE": "community"}, "of-community"),
        ("task-running", {"PULSE_URL": "amqp://u@h"}, "of-file"),
        ("task-running", {"PULSE_URL": "amqp://u@h", "TCSNIFF_PROFILE": "mine"}, "of-profile"),
        ("task-running", ACCOUNT, "of-profile"),
        ("@elsewhere", {}, "of-community"),
        ("@elsewhere --profile mine", {}, "of-profile"),
        ("task-running", {"TCSNIFF_WORKER_TYPE": "of-variable"}, "of-variable"),
        ("task-running", {"TCSNIFF_WORKER_TYPE": ""}, "of-profile"),
        ("@gaia task-running", {"TCSNIFF_WORKER_TYPE": "of-variable"}, "gaia"),
        ("@gaia task-running --worker-type typed", {"TCSNIFF_WORKER_TYPE": "x"}, "typed"),
        ("task-running --config -", {}, "*"),
    ],
)
def test_the_strongest_source_wins(
    line, environment, expected, write_settings, worker_types, monkeypatch
):
    """Typed, the saved selection, the variable, the profile in use, the file, nothing."""
    write_settings()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert worker_types(line) == {expected}


def test_every_flag_has_its_variable():
    """Of every command, by each of its long names, in one namespace."""
    flags = [
        parameter
        for command in list_commands(cli.tcsniff.make_context("tcsniff", ["explain"]))
        for parameter in command.params
        if isinstance(parameter, SectionedOption)
    ]

    assert {"worker_type", "json", "wait", "config"} <= {
        name.replace("-", "_") for flag in flags for name in flag.long
    }
    for flag in flags:
        for name in flag.long:
            assert f"TCSNIFF_{name.upper().replace('-', '_')}" in flag.envvar


@pytest.mark.parametrize("word", ["1", "true", "yes", "on", "TRUE"])
def test_a_switch_is_switched_on_by_its_variable(word, run_line, monkeypatch):
    """By all that means yes."""
    monkeypatch.setenv("TCSNIFF_JSON", word)

    assert run_line("explain task-running")[0].startswith("{")


@pytest.mark.parametrize("word", ["0", "false", "no", "off", ""])
def test_a_switch_is_left_off_by_its_variable(word, run_line, monkeypatch):
    """By all that means no, and by an empty one."""
    monkeypatch.setenv("TCSNIFF_JSON", word)

    assert run_line("explain task-running")[0].startswith("1 binding")


def test_a_variable_is_what_the_flag_would_be_given(run_line, monkeypatch):
    """Spaces are left alone, commas are the flag's own, and a line is a value."""
    monkeypatch.setenv("TCSNIFF_WHERE", "lag && time\nevent == 'task-failed'")
    monkeypatch.setenv("TCSNIFF_STATE", "failed,exception")

    out, _ = run_line("explain task-failed")

    assert out.splitlines()[-3:] == [
        "  --where lag && time",
        "  --where event == 'task-failed'",
        "  --state failed,exception",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TCSNIFF_PREFETCH", "x", "invalid value for 'TCSNIFF_PREFETCH': 'x'"),
        ("TCSNIFF_UTC", "perhaps", "invalid value for 'TCSNIFF_UTC': 'perhaps'"),
        ("TCSNIFF_TIMEOUT", "long", "invalid value for 'TCSNIFF_TIMEOUT': "),
        ("TCSNIFF_WORKER_TYPE", "a.b", "(--worker-type is from TCSNIFF_WORKER_TYPE)"),
        ("TCSNIFF_TASK", "x", "(--task-id is from TCSNIFF_TASK)"),
        ("TCSNIFF_WHERE", "a ==", "--where is from TCSNIFF_WHERE)"),
        ("TCSNIFF_COLUMNS", "tiem", "did you mean 'time'?"),
        ("TCSNIFF_PROFILE", "mime", "unknown profile 'mime'; did you mean 'mine'?"),
        ("TCSNIFF_CONFIG", "/nowhere", "settings file /nowhere does not exist"),
    ],
)
def test_a_bad_value_is_told_with_its_variable(
    variable, value, words, write_settings, run_line, monkeypatch
):
    """As nobody has typed it."""
    write_settings('[profiles.mine]\nbroker = "amqp://h"')
    monkeypatch.setenv(variable, value)

    live = "" if variable == "TCSNIFF_PROFILE" else "--demo"
    _, err = run_line(f"sniff {live} -o lines task-running -n 1", status=2)

    assert words in err


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("prefetch = 'x'", "sniff --demo", "invalid value for --prefetch, {file}:1: 'x'"),
        ("timeout = 'x'", "sniff --demo", "invalid value for --timeout, {file}:1: "),
        ("worker-type = 'a.b'", "explain task-running", "(--worker-type is from {file}:1)"),
        ("\n[selections.x]\ntask = 'y'", "explain @x", "(--task-id is from @x, {file}:3)"),
        (
            "[profiles.community.flags]\ntask = 'y'",
            "explain --profile community",
            "(--task-id is from profile community, {file}:2)",
        ),
        ("colums = 1", "explain task-running", "{file}:1: colums: unknown setting; did you mean"),
        (
            "a = [",
            "explain task-running",
            "{file} is not valid TOML: invalid value (at end of document)",
        ),
        ("a = " + 9999 * "[", "explain task-running", "{file} is nested too deep"),
        ("[colors]\nfaild = 'red'", "sniff --demo -n 1", "{file}:2: colors.faild: unknown event"),
        ("[colors]\nfaild = 'red'", "config", "{file}:2: colors.faild: unknown event"),
        ("wait = '5s'\nutc = 3", "exchanges", ""),
    ],
)
def test_a_bad_value_is_told_with_its_place_in_the_file(
    text, line, words, write_settings, run_line
):
    """The file, the line, and the flag or key."""
    path = write_settings(text)
    if not words:
        words = "{file}:2: utc: must be true or false, not a number"

    assert words.format(file=path) in run_line(line, status=2)[1]


def test_a_file_of_bytes_is_told(write_settings, run_line):
    """It is no text."""
    write_settings().write_bytes(b"\xff\xfe")

    assert "is not valid UTF-8" in run_line("explain task-running", status=2)[1]


def test_a_folder_is_no_file(write_settings, run_line, tmp_path):
    """It is told why."""
    write_settings()

    assert "Is a directory" in run_line(f"explain task-running --config {tmp_path}", status=2)[1]


def test_the_usual_place_may_be_empty(run_line, tmp_path, monkeypatch):
    """Nobody needs settings."""
    monkeypatch.delenv("TCSNIFF_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    run_line("explain task-running")

    (tmp_path / "tcsniff").mkdir()
    (tmp_path / "tcsniff/config.toml").write_text("json = true")

    assert run_line("explain task-running")[0].startswith("{")


def test_a_variable_shows_where_an_error_comes_from(run_line, monkeypatch):
    """As --debug does."""
    monkeypatch.setenv("TCSNIFF_DEBUG", "1")

    assert "Traceback" in run_line("explain task-runing", status=2)[1]


# Saved selections


@pytest.mark.parametrize(
    ("line", "same"),
    [
        (
            "@saved",
            "task-failed task-exception --worker-type of-selection --where lag "
            "--reason claim-expired --tag kind=build",
        ),
        (
            "--worker-type x @saved task-failed --where time --tag a=b --reason canceled",
            "task-failed --worker-type x --where lag --where time --reason canceled "
            "--tag kind=build --tag a=b",
        ),
        ("@plain", "task-failed"),
        ("@plain --all", "task-failed --all"),
        ("@plain --task-queue a/b", "task-failed --task-queue a/b"),
        ("@plain task-running", "task-running"),
        ("@gaia", "--worker-type gaia"),
    ],
)
def test_a_saved_selection_stands_for_what_it_holds(line, same, write_settings, run_line):
    """What is typed besides takes the place of its own; --where and --tag add."""
    write_settings(SETTINGS.partition("\n\n")[2])

    assert run_line(f"explain {line}") == run_line(f"explain {same}")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("@savd", "unknown saved selection @savd; did you mean '@saved'?"),
        ("@zzz", "unknown saved selection @zzz; known: @saved, @plain, @gaia, @elsewhere"),
        ("@", "unknown saved selection @; known: @saved"),
        ("@saved @plain", "@saved and @plain: use one saved selection"),
        ("@zzz --config -", "unknown saved selection @zzz; no settings file is read"),
    ],
)
@pytest.mark.parametrize("command", ["explain", "sniff --demo", "doctor"])
def test_a_selection_that_nobody_has_saved_is_told(command, line, words, write_settings, run_line):
    """With those that there are."""
    write_settings()

    assert words in run_line(f"{command} {line}", status=2)[1]


def test_where_nothing_is_saved_is_told(write_settings, run_line):
    """In which file, or that there is none."""
    path = write_settings("utc = true")
    assert (
        f"unknown saved selection @x; {path} contains none" in run_line("explain @x", status=2)[1]
    )


def test_a_file_in_ones_home_is_found(write_settings, run_line, tmp_path, monkeypatch):
    """Though no shell has written its name out; an unknown home stays as it is."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "x.jsonl").write_text(run_line("--demo --seed 1 -n 1")[0])

    write_settings('from = ["~/x.jsonl"]')
    assert run_line("task-pending")[0] == (tmp_path / "x.jsonl").read_text()
    write_settings('from = "~nobody-of-that-name/x"')
    assert "~nobody-of-that-name/x" in run_line("task-pending", status=6)[1]


# What gives way


@pytest.mark.parametrize(
    ("text", "line", "start"),
    [
        ("json = true", "-o lines", "1"),
        ("output = 'lines'", "--json", "{"),
        ("output = 'lines'", "--select event", '"'),
        ("output = 'lines'\nraw-output = true", "--select event", "t"),
        ("select = 'event'", "-o lines", "1"),
        ("select = 'event'", "", '"'),
        ("select = 'event'", "--columns event", "◷"),
        ("columns = ['event']", "-o lines", "◷"),
        ("columns = ['event']", "-o json", "{"),
        ("columns = ['event']", "--json", "{"),
        ("columns = ['event']", "--select event", '"'),
        ("columns = ['event']", "", "{"),
        ("columns = ['task']", "--columns event", "◷"),
        ("json = true", "--columns event", "◷"),
        ("raw-output = true", "", "{"),
        ("profile = 'community'", "", "{"),
        ("broker = 'amqps://h'", "", "{"),
        ("speed = 2\nfollow = true\nqueue-expires = '1h'\nrouting-key = 'a'", "", "{"),
        ("queue = 'x'", "--resume 1m", "{"),
        ("resume = '1m'", "--queue x", "{"),
        ("from = '/nowhere'", "", "{"),
    ],
)
def test_what_was_typed_is_never_contradicted_by_settings(
    text, line, start, write_settings, run_line
):
    """The weaker one gives way; a setting with nothing to do is no error."""
    write_settings(text)

    out, _ = run_line(f"--demo --seed 1 -n 1 {line}")

    assert out.startswith(start)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--json -o lines", "--json and -o lines contradict each other"),
        ("--profile x", "--demo needs no connection; leave --broker, --profile and --web out"),
        ("--resume 1m --queue x", "--resume is for temporary queues"),
        ("--raw-output", "--raw-output needs --select"),
        ("--follow", "--follow needs --from"),
        ("--speed 2", "--speed needs --from"),
        ("--queue-expires 1h", "--queue-expires needs --queue"),
        ("--delete-queue", "--delete-queue needs --queue"),
        ("--routing-key a", "--routing-key needs --exchange"),
    ],
)
def test_what_was_typed_can_contradict_itself(line, words, write_settings, run_line):
    """Which is an error, as ever."""
    write_settings()

    assert words in run_line(f"--demo {line}", status=2)[1]


@pytest.mark.parametrize(
    ("text", "line", "start"),
    [
        ("output = 'lines'", "--json", "{"),
        ("json = true", "-o lines", "1"),
        ("json = true", "--format dot", "digraph"),
        ("output = 'lines'\ncritical-path = true", "--format dot", "digraph"),
        ("format = 'dot'", "--json", "{"),
        ("format = 'dot'\nno-api = true", "-o lines", "1"),
    ],
)
def test_settings_give_way_in_graph_too(text, line, start, write_settings, run_line):
    """To the view that was typed."""
    write_settings(text)

    out, _ = run_line(f"graph --demo --seed 1 -n 40 {line}", status=12)

    assert out.startswith(start)


@pytest.mark.parametrize(
    ("text", "line", "start"),
    [
        ("output = 'lines'", "", "{"),
        ("output = 'raw'", "--json", "{"),
        ("json = true", "-o table", "POOL"),
        ("output = 'table'", "--json", "{"),
    ],
)
def test_settings_give_way_in_top_too(text, line, start, write_settings, run_line):
    """To what was typed; a choice that other commands have does not count there."""
    write_settings(text)

    out, _ = run_line(f"top --demo --seed 1 -n 50 {line}")

    assert out.lstrip().startswith(start)


def test_a_choice_that_no_command_has_is_told(write_settings, run_line):
    """In each, as a slip of the finger."""
    path = write_settings("output = 'lnies'")

    for command in ("sniff", "graph", "top"):
        words = f"invalid value for --output, {path}:1: 'lnies' is not one of"
        assert words in run_line(f"{command} --demo", status=2)[1]


def test_a_variable_for_a_choice_of_another_command_does_not_count(run_line, monkeypatch):
    """As in the file."""
    monkeypatch.setenv("TCSNIFF_OUTPUT", "lines")

    assert run_line("top --demo --seed 1 -n 50")[0].startswith("{")


def test_a_file_can_contradict_itself(write_settings, run_line):
    """It is told by lines."""
    path = write_settings("output = 'lines'\njson = true")

    words = f"contradict each other (-o is from {path}:1, --json is from {path}:2)"
    assert words in run_line("--demo", status=2)[1]


def test_a_variable_for_a_source_gives_way_to_another_that_is_typed(
    run_line, tmp_path, monkeypatch
):
    """As does a variable of a broker."""
    monkeypatch.setenv("TCSNIFF_DEMO", "1")
    monkeypatch.setenv("TCSNIFF_BROKER", "amqp://h")
    (tmp_path / "x").write_text(run_line("--seed 1 -n 1")[0])

    assert run_line(f"--from {tmp_path}/x")[0] == (tmp_path / "x").read_text()


def test_typed_colors_replace_a_variable(run_line, monkeypatch):
    """The other way round, --no-color is used."""
    monkeypatch.setenv("TCSNIFF_NO_COLOR", "1")
    line = "--demo --seed 1 -n 1 -o lines"

    assert "\x1b" in run_line(f"{line} --color always")[0]
    assert "\x1b" not in run_line(f"{line} --no-color")[0]
    monkeypatch.setenv("TCSNIFF_COLOR", "always")
    assert "\x1b" not in run_line(f"{line} --no-color")[0]


# The broker


@pytest.mark.parametrize(
    ("line", "environment", "broker", "source"),
    [
        ("", {}, "amqps://somebody@mine.example:5671/v", "profile mine"),
        ("--profile other", ACCOUNT, "amqps://me@other.example:5671", "profile other"),
        ("--broker amqps://u@h", {}, "amqps://u@h:5671", "--broker"),
        ("", {"TCSNIFF_BROKER": "amqp://u:s3cret@h"}, "amqp://u@h:5672", "TCSNIFF_BROKER"),
        ("", {"PULSE_URL": "amqp://u:s3cret@h"}, "amqp://u@h:5672", "PULSE_URL"),
        (
            "",
            {"PULSE_URL": "amqp://u@h", "TCSNIFF_BROKER": "amqp://u@ours"},
            "amqp://u@ours:5672",
            "TCSNIFF_BROKER",
        ),
        (
            "",
            {"PULSE_URL": "amqp://u@h", "TCSNIFF_PROFILE": "mine"},
            "amqps://somebody@mine.example:5671/v",
            "profile mine",
        ),
        (
            "--profile mine",
            {"PULSE_URL": "amqp://u@h", "TCSNIFF_BROKER": "amqp://u@ours"},
            "amqps://somebody@mine.example:5671/v",
            "profile mine",
        ),
        ("", ACCOUNT, "amqps://somebody@mine.example:5671/v", "profile mine"),
        ("--config -", ACCOUNT, "amqps://me@pulse.mozilla.org:5671", "PULSE_USERNAME"),
        ("--config -", {}, "none", "no broker to listen to"),
        ("--profile other", {}, "amqps://other.example:5671", "profile other"),
    ],
)
def test_a_broker_is_settled_by_the_strongest(
    line, environment, broker, source, write_settings, sources, monkeypatch
):
    """The flag, our variable, Pulse's, the file, and Mozilla's for an account alone."""
    write_settings()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert sources(line)["broker"] == (broker, source)


@pytest.mark.parametrize(
    ("line", "environment", "root", "source"),
    [
        ("", {}, "https://tc.mine.example", "profile mine"),
        ("--config -", {}, "https://firefox-ci-tc.services.mozilla.com", "built in"),
        (
            "--root-url https://a.b/",
            {"TASKCLUSTER_ROOT_URL": "https://c.d"},
            "https://a.b",
            "--root-url",
        ),
        ("", {"TASKCLUSTER_ROOT_URL": "https://c.d"}, "https://c.d", "TASKCLUSTER_ROOT_URL"),
        (
            "--profile community",
            {"TASKCLUSTER_ROOT_URL": "https://c.d"},
            "https://community-tc.services.mozilla.com",
            "profile community",
        ),
        (
            "--broker amqp://h",
            {"TCSNIFF_ROOT_URL": "https://c.d"},
            "https://c.d",
            "TCSNIFF_ROOT_URL",
        ),
    ],
)
def test_config_says_where_the_deployment_was_named(
    line, environment, root, source, write_settings, sources, monkeypatch
):
    """So that nobody has to guess why another one is asked."""
    write_settings()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert sources(line)["root-url"] == (root, source)


@pytest.mark.parametrize("command", ["sniff task-running", "config"])
def test_two_variables_that_name_a_broker_are_told(command, write_settings, run_line, monkeypatch):
    """Neither is stronger."""
    write_settings()
    monkeypatch.setenv("TCSNIFF_BROKER", "amqp://h")
    monkeypatch.setenv("TCSNIFF_PROFILE", "mine")

    _, err = run_line(command, status=2)

    assert "--broker and --profile both name a broker" in err
    assert "--broker is from TCSNIFF_BROKER, --profile is from TCSNIFF_PROFILE" in err


# tcsniff config


def test_config_shows_what_is_in_force_and_where_it_came_from(
    write_settings, sources, monkeypatch
):
    """Flags, the profile, the file, variables, and what is built in."""
    path = write_settings("utc = true\n" + SETTINGS)
    monkeypatch.setenv("TCSNIFF_PREFETCH", "7")

    found = sources()

    assert found["config"] == (str(path), "TCSNIFF_CONFIG")
    assert found["profile"] == ("mine", f"{path}:4")
    assert found["user"] == ("somebody", "profile mine")
    assert found["password"] == ("(hidden)", "password-command of profile mine")
    assert found["root-url"] == ("https://tc.mine.example", "profile mine")
    assert found["utc"] == ("true", f"{path}:1")
    assert found["prefetch"] == ("7", "TCSNIFF_PREFETCH")
    assert found["worker-type"] == ("of-profile", f"profile mine, {path}:11")
    assert found["max-size"] == ("16M", "built in")
    assert found["profiles.community"][0] == "amqps://pulse.mozilla.org:5671/communitytc"
    assert found["selections.gaia"] == ("--worker-type gaia", f"{path}:29")
    assert "json" not in found


@pytest.mark.parametrize(
    ("line", "environment", "password"),
    [
        ("--profile other", {}, ("none", "no password is set")),
        ("--profile other", ACCOUNT, ("(hidden)", "PULSE_PASSWORD")),
        ("--password-file f", {}, ("(hidden)", "--password-file")),
        ("", {"TCSNIFF_PASSWORD_FILE": "f"}, ("(hidden)", "TCSNIFF_PASSWORD_FILE")),
        ("--broker amqp://u:s3cret@h", {}, ("(hidden)", "in the URL from --broker")),
        ("--broker amqp://localhost", {}, ("(hidden)", "RabbitMQ's own on this machine")),
    ],
)
def test_config_tells_where_a_password_is(
    line, environment, password, write_settings, sources, monkeypatch
):
    """But nothing of it."""
    write_settings()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    found = sources(line)

    assert found["password"] == password
    assert "s3cret" not in str(found)


def test_config_is_a_table_for_people(write_settings, run_line):
    """What, how much, where from."""
    path = write_settings("utc = true")

    out, err = run_line("config")

    assert out.splitlines()[0].split() == ["setting", "value", "from"]
    assert ["utc", "true", f"{path}:1"] in [line.split() for line in out.splitlines()]
    assert err == ""


def test_config_hides_the_password_of_a_url_that_cannot_be_read(run_line, monkeypatch):
    """It may hold one anywhere."""
    monkeypatch.setenv("TCSNIFF_BROKER", "amqps://u:s3cret/@h")

    _, err = run_line("config", status=2)

    assert "s3cret" not in err


def test_config_tells_of_variables_that_nobody_reads(run_line, monkeypatch):
    """A slip of the finger is found."""
    monkeypatch.setenv("TCSNIFF_WORKERTYPE", "gaia")

    _, err = run_line("config")

    assert err == (
        "tcsniff: TCSNIFF_WORKERTYPE in the environment does not match any flag; "
        "did you mean 'TCSNIFF_WORKER_TYPE'?\n"
    )


def test_config_tells_which_file_it_is(write_settings, run_line):
    """For an editor."""
    path = write_settings()

    assert run_line("config --path")[0] == f"{path}\n"
    assert run_line("config --path --config -")[0] == "\n"


def test_config_gives_a_file_to_start_from(run_line, tmp_path):
    """It is read as it is."""
    (tmp_path / "new.toml").write_text(run_line("config --example")[0])

    run_line(f"config --config {tmp_path}/new.toml")


def test_the_flag_for_the_file_is_everywhere_but_where_no_flag_is():
    """And stands last in each help."""
    for command in list_commands(cli.tcsniff.make_context("tcsniff", ["explain"])):
        flags = [one for one in command.params if isinstance(one, SectionedOption)]
        assert (flags[-1:] == [CONFIG]) == bool(flags)
