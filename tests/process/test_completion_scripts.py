"""Completion scripts, run by bash, zsh and fish."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from completions import bash, fish, zsh
from man.interface import DEFAULT, read_interface
from running import needed, output_of
from tcsniff import cli

INTERFACE = read_interface(cli.tcsniff)
COMMANDS = {command.name: command for command in INTERFACE.commands}
PATIENCE = 20  # seconds for a shell to answer


SCRIPTS = {
    "bash": (bash.script(INTERFACE), "-n"),
    "zsh": (zsh.script(INTERFACE), "-n"),
    "fish": (fish.script(INTERFACE), "--no-execute"),
}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_script_can_be_parsed(shell, tmp_path):
    """By its own shell, without a word."""
    text, flag = SCRIPTS[shell]
    (tmp_path / "script").write_text(text, encoding="utf-8")

    assert output_of(needed(shell), flag, str(tmp_path / "script")) == ""


def test_other_commands_do_not_import_completions():
    """They stay fast."""
    program = (
        "import sys; from tcsniff.cli import main; main(['explain', 'task-running']); "
        "print('LOADED', *sys.modules)"
    )

    loaded = output_of(sys.executable, "-c", program).partition("LOADED")[2].split()

    assert [name for name in loaded if name.startswith("tcsniff.commands.completion")] == []


def _fields(*names: str, before: str = "") -> list[str]:
    return [f"{before}{name}=" for name in names]


COMPLETED_BY_BASH = [
    ("tcsniff exp", ["explain"]),
    ("tcsniff task-ru", ["task-running"]),
    ("tcsniff explain task-ru", ["task-running"]),
    ("tcsniff task-running task-def", ["task-defined"]),
    ("tcsniff task-running expl", []),
    (
        "tcsniff task-running:wo",
        _fields("worker-group", "worker-id", "worker-type", "worker-pool-id"),
    ),
    ("tcsniff explain task-running:worker-t", _fields("worker-type")),
    ("tcsniff task-running:worker-type=", []),
    ("tcsniff task-running:worker-type=gaia,sch", _fields("scheduler-id", before="gaia,")),
    ("tcsniff task-running:scheduler-id=a,sch", []),
    ("tcsniff hook-created:", []),
    ("tcsniff --worker-ty", ["--worker-type"]),
    ("tcsniff --vers", ["--version"]),
    ("tcsniff task-running --vers", []),
    ("tcsniff explain --dem", []),
    ("tcsniff --output=", ["table", "lines", "json", "raw"]),
    ("tcsniff --output=js", ["json"]),
    ("tcsniff --output js", ["json"]),
    ("tcsniff -o ", ["table", "lines", "json", "raw"]),
    ("tcsniff -o json task-ru", ["task-running"]),
    ("tcsniff --worker-type ", []),
    ("tcsniff --worker-type=", []),
    ("tcsniff --worker-type= task-ru", ["task-running"]),
    ("tcsniff --worker-type=a:b task-ru", ["task-running"]),
    ("tcsniff --profile ", ["firefox-ci", "community"]),
    ("tcsniff --exchange task-ru", ["task-running"]),
    (
        "tcsniff --exchange=exchange/taskcluster-queue/v1/task-r",
        ["exchange/taskcluster-queue/v1/task-running"],
    ),
    ("tcsniff completion ", ["bash", "zsh", "fish"]),
    ("tcsniff exchanges ", []),
    ("tcsniff exchanges --js", ["--json"]),
]


@pytest.mark.parametrize(("typed", "offered"), COMPLETED_BY_BASH)
def test_bash_completes(typed, offered):
    """As bash would replace what follows the last break of the word."""
    assert _bash(typed) == offered


def test_bash_completes_where_a_colon_breaks_no_word():
    """Some people take it out of COMP_WORDBREAKS."""
    assert _bash("tcsniff task-running:worker-t", breaks="=") == ["task-running:worker-type="]


@pytest.mark.parametrize("typed", ["tcsniff task-running:worker-t", "tcsniff --output=js"])
def test_bash_completes_without_knowing_the_line(typed):
    """Words that were taken apart are joined, with nothing to tell of blanks between."""
    assert _bash(typed, line=False) == _bash(typed)


def test_bash_offers_commands_and_events_first():
    """As the first word may be either."""
    assert set(_bash("tcsniff ")) >= {*COMMANDS, "task-running", "notification"}


def _bash(typed: str, *, breaks: str = ":=", line: bool = True) -> list[str]:
    words = re.findall(rf"[{breaks}]+|[^\s{breaks}]+", typed) + [""] * typed.endswith(" ")
    setting = [
        f"COMP_WORDBREAKS={shlex.quote(breaks)}",
        f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1}",
        f"COMP_LINE={shlex.quote(typed)} COMP_POINT={len(typed)}" if line else "unset COMP_LINE",
    ]
    asking = ["_tcsniff tcsniff", r"printf '%s\n' ${COMPREPLY[@]}"]
    given = "\n".join(["set -u", SCRIPTS["bash"][0], *setting, *asking])
    return output_of(needed("bash"), "--norc", "--noprofile", given=given).split()


TYPED = [
    ("explain task-runn\t", ["explain", "task-running"]),
    ("task-running:worker-t\tgaia", ["task-running:worker-type=gaia"]),
    ("task-running:run-id=0,scheduler-\tx", ["task-running:run-id=0,scheduler-id=x"]),
    ("--output=js\t", ["--output=json"]),
    ("-o ta\t hook-del\t", ["-o", "table", "hook-deleted"]),
    ("completion fi\t", ["completion", "fish"]),
]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(("keys", "words"), TYPED)
def test_tab_completes_in_a_terminal(shell, keys, words, tmp_path):
    """Typed into the shell itself, tcsniff gets these words."""
    assert _words_typed(shell, keys, SCRIPTS[shell][0], tmp_path) == words


def _words_typed(shell: str, keys: str, script: str, tmp_path: Path) -> list[str]:
    program = needed(shell)
    (tmp_path / "_tcsniff").write_text(script, encoding="utf-8")
    show = "PS1='ready> '; tcsniff() { printf '<%s>' \"$@\"; echo; }\n"
    (tmp_path / "bashrc").write_text(f"{show}source {tmp_path}/_tcsniff\n", encoding="utf-8")
    setting = f"fpath=({tmp_path} $fpath)\nautoload -Uz compinit\ncompinit -u -D\n"
    (tmp_path / ".zshrc").write_text(show + setting, encoding="utf-8")
    flags = {"bash": ["--rcfile", str(tmp_path / "bashrc")], "zsh": ["-d"]}

    shown = _typed([program, *flags[shell], "-i"], f"tcsniff {keys}\r", home=tmp_path)

    return re.findall("<([^>]*)>", shown)


def _typed(command: list[str], keys: str, *, home: Path) -> str:
    ours, theirs = pty.openpty()
    environment = {"TERM": "dumb", "HOME": str(home), "ZDOTDIR": str(home), "PATH": os.defpath}
    shell = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=home,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        _read_until(ours, "ready> ")
        os.write(ours, keys.encode())
        return _read_until(ours, ">\r\n")
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


def _read_until(terminal: int, end: str) -> str:
    shown = ""
    deadline = time.monotonic() + PATIENCE
    while end not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"no {end!r} in {shown!r}"
        shown += os.read(terminal, 4096).decode()
    return shown


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("tcsniff exp", {"explain"}),
        ("tcsniff task-ru", {"task-running"}),
        ("tcsniff explain task-ru", {"task-running"}),
        ("tcsniff task-running completio", set()),
        ("tcsniff task-running:worker-t", {"task-running:worker-type="}),
        ("tcsniff task-running:run-id=0,sch", {"task-running:run-id=0,scheduler-id="}),
        ("tcsniff task-running:worker-type=", set()),
        ("tcsniff --worker-t", {"--worker-type"}),
        ("tcsniff --task-gr", {"--task-group", "--task-group-id"}),
        ("tcsniff explain --dem", set()),
        ("tcsniff --output=j", {"--output=json"}),
        ("tcsniff -o ", {"table", "lines", "json", "raw"}),
        ("tcsniff --worker-type ", set()),
        ("tcsniff --exchange exchange/taskcluster-auth/v1/role-c", {"role-created"}),
        ("tcsniff completion ", {"bash", "zsh", "fish"}),
        ("tcsniff exchanges ", set()),
    ],
)
def test_fish_completes(typed, offered, tmp_path):
    """Asked by fish's own means."""
    assert {word.rpartition("v1/")[2] for word, _ in _fish(typed, tmp_path)} == offered


def test_fish_says_what_an_event_is(tmp_path):
    """The summary of the catalog stands beside the name."""
    assert _fish("tcsniff task-ru", tmp_path) == [
        ("task-running", "a worker claimed a run; renewed claims are not announced")
    ]


def _fish(typed: str, home: Path, script: str = SCRIPTS["fish"][0]) -> list[tuple[str, str]]:
    program = needed("fish")
    (home / "tcsniff.fish").write_text(script, encoding="utf-8")
    asked = f"source {home}/tcsniff.fish; complete -C {shlex.quote(typed)}"
    environment = {"HOME": str(home), "PATH": os.defpath}
    done = subprocess.run(
        [program, "--no-config", "-c", asked],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=home,
    )
    rows = [line.partition("\t") for line in done.stdout.splitlines()]
    return [(word, text) for word, _, text in rows]


FILES = read_interface(
    click.Group(
        "root",
        commands={
            DEFAULT: click.Command(DEFAULT, params=[click.Option(["--from"], metavar="FILE")]),
            "read": click.Command("read", params=[click.Argument(["path"], type=click.Path())]),
        },
    )
)
FILE_WANTED = ["--from da", "--from=da", "read da"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("keys", FILE_WANTED)
def test_files_are_completed_where_a_file_is_wanted(shell, keys, tmp_path):
    """As a flag's value or as an argument, with a blank in the name."""
    (tmp_path / "day one.jsonl").touch()
    script = {"bash": bash, "zsh": zsh}[shell].script(FILES)

    typed = _words_typed(shell, f"{keys}\t", script, tmp_path)

    assert " ".join(typed) == f"{keys}y one.jsonl"


@pytest.mark.parametrize("keys", FILE_WANTED)
def test_fish_completes_files_where_a_file_is_wanted(keys, tmp_path):
    """The same, by its own means."""
    (tmp_path / "day one.jsonl").touch()

    offered = _fish(f"tcsniff {keys}", tmp_path, fish.script(FILES))

    assert [word.rpartition("=")[2] for word, _ in offered] == ["day one.jsonl"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_no_file_is_offered_where_none_is_wanted(shell, tmp_path):
    """A flag's value that cannot be listed stays as it was typed."""
    (tmp_path / "day.jsonl").touch()

    typed = _words_typed(shell, "--worker-type da\t", SCRIPTS[shell][0], tmp_path)

    assert typed == ["--worker-type", "da"]
