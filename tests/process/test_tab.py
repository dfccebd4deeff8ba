"""Tab, pressed in real shells: what then stands on the screen."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from completions import bash, fish, zsh
from man.interface import read_interface
from running import Terminal, needed
from tcsniff import cli

INTERFACE = read_interface(cli.tcsniff)
PROMPT = "ready>"
MARK = "started"  # the file that says that Tab has started a program

# Each program that could be Python's leaves a mark.
PROGRAM = f'#!/bin/sh\necho "$0 $*" >> "$HOME/{MARK}"\n'
CONFIGURATION = """\
# [profiles.not-this]
[profiles.mine]
broker = "amqps://me@broker.example"
 [ profiles . "quoted" ] # with a comment
[profiles.mine.deeper]
[profiles."$(touch started)"]
[selections.nightly]
[selections.night-shift]\r
"""


class Shell:
    """A shell that has the completions, as after an installation."""

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.home = home
        self._lines = 0
        self._install()
        self._terminal = Terminal(
            program=[needed(name), *self._setting()],
            place=home,
            columns=110,
            lines=60,
            env={
                "HOME": str(home),
                "ZDOTDIR": str(home),
                "XDG_DATA_DIRS": str(home / "share"),
                "XDG_CONFIG_HOME": str(home / "config"),
                "TCSNIFF_CONFIG": "",
                "XDG_DATA_HOME": str(home / "own"),
                "XDG_CACHE_HOME": str(home / "own"),
                "PATH": f"{home / 'bin'}{os.pathsep}{os.defpath}",
            },
        )

    def press(self, keys: str, *shown: str) -> list[str]:
        """Type on a line of its own; wait until all of some words are on the screen."""
        self._clear()
        self._terminal.type(keys)
        return self._terminal.shows(lambda rows: all(word in "\n".join(rows) for word in shown))

    def close(self) -> None:
        self._terminal.__exit__(None, None, None)

    def _clear(self) -> None:
        self._lines += 1
        done = f"line {self._lines}"
        kill = "\x05\x15"  # what is typed: to its end, and away with it
        self._terminal.type(f"{kill} printf '\\033[2J\\033[H'; echo {done}\r")
        self._terminal.shows(lambda rows: [row for row in rows if row] == [done, PROMPT])

    def _install(self) -> None:
        (self.home / "bin").mkdir()
        for name in ("tcsniff", "python", "python3", Path(sys.executable).name):
            (self.home / "bin" / name).write_text(PROGRAM)
            (self.home / "bin" / name).chmod(0o755)
        for path, module in PLACES.items():
            (self.home / "share" / path).parent.mkdir(parents=True)
            (self.home / "share" / path).write_text(module.script(INTERFACE), encoding="utf-8")
        (self.home / "config" / "tcsniff").mkdir(parents=True)
        (self.home / "config" / "tcsniff" / "config.toml").write_text(CONFIGURATION)
        (self.home / "day one.jsonl").touch()
        # Without it fish starts Python by itself, to read all manual pages.
        (self.home / "own" / "fish" / "generated_completions").mkdir(parents=True)

    def _setting(self) -> list[str]:
        share = self.home / "share"
        if self.name == "bash":
            script = share / "bash-completion/completions/tcsniff"
            (self.home / "rc").write_text(f"PS1='{PROMPT} '\nsource {script}\n")
            return ["--noprofile", "--rcfile", str(self.home / "rc"), "-i"]
        if self.name == "zsh":
            (self.home / ".zshrc").write_text(
                f"PS1='{PROMPT} '\nfpath=({share}/zsh/site-functions $fpath)\n"
                "autoload -Uz compinit && compinit -u -D\n"
                "zstyle ':completion:*' menu no\nunsetopt list_beep\n"
            )
            return ["-d", "-i"]
        setting = f"function fish_prompt; echo '{PROMPT} '; end; set -g fish_greeting"
        return [
            "--init-command",
            f"{setting}; set -g fish_autosuggestion_enabled 0",
        ]


PLACES = {
    "bash-completion/completions/tcsniff": bash,
    "zsh/site-functions/_tcsniff": zsh,
    "fish/vendor_completions.d/tcsniff.fish": fish,
}


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    """Give a shell of each kind."""
    started = Shell(request.param, tmp_path_factory.mktemp(request.param))
    yield started
    started.close()


COMPLETED = [
    ("tcsniff expla\t", "tcsniff explain"),
    ("tcsniff task-runn\t", "tcsniff task-running"),
    ("tcsniff doctor task-runn\t", "tcsniff doctor task-running"),
    ("tcsniff --worker-ty\t", "tcsniff --worker-type"),
    ("tcsniff task-running:worker-t\tgaia", "tcsniff task-running:worker-type=gaia"),
    ("tcsniff task-running:run-id=0,sched\tx", "task-running:run-id=0,scheduler-id=x"),
    ("tcsniff --state exc\t", "tcsniff --state exception"),
    ("tcsniff --state=failed,exc\t", "tcsniff --state=failed,exception"),
    ("tcsniff --reason claim\t", "tcsniff --reason claim-expired"),
    ("tcsniff --columns time,sched\t", "tcsniff --columns time,scheduler"),
    ("tcsniff --columns=time,sched\t", "tcsniff --columns=time,scheduler"),
    ("tcsniff -o js\t", "tcsniff -o json"),
    ("tcsniff --color al\t", "tcsniff --color always"),
    ("tcsniff --profile comm\t", "tcsniff --profile community"),
    ("tcsniff --profile mi\t", "tcsniff --profile mine"),
    ("tcsniff --profile quo\t", "tcsniff --profile quoted"),
    ("tcsniff @nightl\t", "tcsniff @nightly"),
    ("tcsniff @night-\t", "tcsniff @night-shift"),
    ("tcsniff --from da\t", "tcsniff --from day\\ one.jsonl"),
    ("tcsniff --from ~/da\t", "day\\ one.jsonl"),
    ("tcsniff --record da\t", "tcsniff --record day\\ one.jsonl"),
    ("tcsniff --tls-ca da\t", "tcsniff --tls-ca day\\ one.jsonl"),
    ("tcsniff --password-file da\t", "tcsniff --password-file day\\ one.jsonl"),
    ("tcsniff completion z\t", "tcsniff completion zsh"),
    ("tcsniff help exit\t", "tcsniff help exit-status"),
    ("tcsniff help doct\t", "tcsniff help doctor"),
]


@pytest.mark.parametrize(("keys", "shown"), COMPLETED)
def test_tab_completes(shell: Shell, keys: str, shown: str) -> None:
    """Commands, EVENTs, flags, fields, values, lists with commas, own names, files, topics."""
    shell.press(keys, shown)


LISTED = [
    ("tcsniff \t\t", ["explain", "doctor", "completion", "task-running", "hook-created"]),
    ("tcsniff --state \t\t", ["unscheduled", "pending", "exception"]),
    ("tcsniff --columns time,\t\t", ["received", "scheduler", "routes"]),
    ("tcsniff task-running:\t\t", ["worker-type", "scheduler-id", "run-id"]),
    ("tcsniff --profile \t\t", ["firefox-ci", "community", "mine", "quoted"]),
    ("tcsniff @night\t\t", ["nightly", "night-shift"]),
    ("tcsniff help \t\t", ["expressions", "recipes", "environment", "completion"]),
]


@pytest.mark.parametrize(("keys", "listed"), LISTED)
def test_tab_lists_what_there_is(shell: Shell, keys: str, listed: list[str]) -> None:
    """Twice pressed, or once where the shell does so at once."""
    shell.press(keys, *listed)


def test_a_list_holds_nothing_twice(shell: Shell) -> None:
    """What stands before the comma is not offered behind it."""
    rows = shell.press("tcsniff --state failed,\t\t", "unscheduled", "pending")

    assert {"failed", "failed,failed"}.isdisjoint(" ".join(rows).split())


def test_words_of_commands_are_offered_where_they_fit_only(shell: Shell) -> None:
    """Not behind another word, nor the flags of a command behind another."""
    rows = shell.press("tcsniff task-running \t\t", "task-pending")
    assert "completion" not in "\n".join(rows)

    rows = shell.press("tcsniff exchanges --\t\t", "--json")
    assert "--worker-type" not in "\n".join(rows)


@pytest.mark.parametrize("shell", ["zsh", "fish"], indirect=True)
def test_meanings_stand_beside_names(shell: Shell) -> None:
    """Of EVENTs, columns, flags and topics; quotes come out right. bash shows words alone."""
    shell.press("tcsniff task-g\t\t", "no more tasks can be added")
    shell.press("tcsniff --pr\t\t", "Use a profile", "--prefetch")
    shell.press("tcsniff --columns r\t\t", "the run's number", "an artifact's name")
    shell.press("tcsniff help e\t\t", "Expressions for --where, --until, --fail-on and --select")


def test_tab_starts_no_program(shell: Shell) -> None:
    """Neither tcsniff nor Python, here and in all of the above; only Return does."""
    for keys, shown in COMPLETED[:2]:
        shell.press(keys, shown)
    shell.press("tcsniff --profile \t\t", "mine")
    assert not (shell.home / MARK).exists()

    shell.press("tcsniff --version; echo e''nd\r", "end")

    assert (shell.home / MARK).read_text().split() == [
        shutil.which("tcsniff", path=shell.home / "bin"),
        "--version",
    ]
