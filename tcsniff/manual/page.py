"""The manual page tcsniff(1).

Pure: commands in, roff out. What is said here by hand is what the commands do
not know of themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tcsniff import __version__, errors
from tcsniff.exchanges import CATALOG
from tcsniff.interface import Command, Flag, Interface
from tcsniff.manual.roff import bold, definition, example, prose, request, usage

_DATE = "2026-11-23"  # of the words in this module; a page must not change by itself

_SYNOPSIS = "show Taskcluster's task events as they happen"

_DESCRIPTION = (
    """Taskcluster announces on a message broker, called Pulse, whatever happens to a task: that it
    is defined, pending, running, completed, failed or in exception. `tcsniff` listens there and
    shows what it hears, as a live table on a terminal, as one JSON object a line in a pipe.""",
    """If the first word is the name of a command, it is that command; else all words belong to
    `sniff`, which shows events. Flags and EVENTs mix in any order.""",
    """`tcsniff` is a reader. On a broker that others use it declares nothing but a queue of its
    own, which goes when it ends, and publishes nothing.""",
    """Standard output holds data and nothing else; everything said to the person goes to standard
    error.""",
)

_EVENTS = """What can be listened for, by the service that announces it. `tcsniff exchanges` tells
    the fields of each. An EVENT may be written with its service in front, as in
    `queue/task-running`, and as Taskcluster's reference spells it, as in `taskRunning`."""

_OTHER_STATUSES = {
    0: "All went well: the source ended, or what was asked for was seen.",
    1: "A bug of tcsniff. `--debug` shows where.",
    10: "What was to count as a failure was seen, or a task of the group failed.",
    11: "No task of the group failed, but one ended in exception.",
    124: "The time was up before that.",
    129: "Ended by HUP, after cleaning up.",
    130: "Ended by Ctrl-C, after cleaning up.",
    143: "Ended by TERM, after cleaning up.",
}

ENVIRONMENT = {
    "TCSNIFF_CONFIG": "The settings file, unless `--config` names one; - is none.",
    "XDG_CONFIG_HOME": "Where tcsniff/config.toml is looked for; else ~/.config.",
    "TCSNIFF_PROFILE": "What `--profile` would be given. Every flag has a variable of its name: "
    "TCSNIFF_WORKER_TYPE for `--worker-type`, TCSNIFF_UTC=1 for `--utc`. A flag that is repeated "
    "takes a line for each value.",
    "TCSNIFF_BROKER": "The broker, if neither `--broker` nor `--profile` names one.",
    "PULSE_URL": "The same, if `TCSNIFF_BROKER` is not set.",
    "PULSE_USERNAME": "The user, if the broker's URL has none. With `PULSE_PASSWORD` and without "
    "any broker, it is for the profile firefox-ci.",
    "PULSE_PASSWORD": "The password, if the broker's URL has none.",
    "TASKCLUSTER_ROOT_URL": "The deployment whose queue is asked for dependencies, if no flag "
    "names one; the profile's comes last. Links lead there, if the profile's is not known.",
    "COLORTERM": "If set, the terminal is taken for one that can follow links, whatever `TERM` "
    "is; but not if it is `xfce4-terminal` or `gnome-terminal`, as old versions set it.",
    "TERM_URLS": "If `no`, nothing is a link in a terminal; any other word says that it can "
    "follow links, where that would not be thought of it.",
    "TASKCLUSTER_CLIENT_ID": "With `TASKCLUSTER_ACCESS_TOKEN`: credentials for the queue of "
    "`TASKCLUSTER_ROOT_URL`, and for no other; public deployments need none.",
    "TASKCLUSTER_ACCESS_TOKEN": "The secret that belongs to `TASKCLUSTER_CLIENT_ID`.",
    "TASKCLUSTER_CERTIFICATE": "The certificate of both, if they are temporary.",
    "TCSNIFF_DEBUG": "If not empty, tcsniff shows where an error comes from, as with `--debug`.",
    "NO_COLOR": "If not empty, no colours, unless `--color` asks for them.",
    "FORCE_COLOR": "If not empty, colours even where there is no terminal; `--color` and "
    "`NO_COLOR` come first.",
    "TERM": "If it is dumb, no live table.",
    "COLUMNS": "The width of the output where there is no terminal to ask; else 80.",
    "LINES": "Its height, likewise; else 24.",
}
"""The variables that tcsniff reads, and what for."""

EXAMPLES = (
    ("See it work, without a broker:", "tcsniff --demo"),
    (
        "Watch a worker type of Mozilla's Firefox CI; the account is in the environment:",
        "tcsniff --worker-type b-linux-large task-running task-failed",
    ),
    (
        "Follow a task group:",
        "tcsniff --task-group fN1SbArXTPSVFNUvaOlinQ",
    ),
    (
        "The ids of tasks that fail:",
        "tcsniff task-failed --scheduler-id gecko-level-3 | jq -r .payload.status.taskId",
    ),
    (
        "Wait until a task is completed, for half an hour at most:",
        "tcsniff task-completed --task G41B6K1FS32lXqJrVoB7Yw -n 1 --timeout 30m",
    ),
    (
        "Give each EVENT fields of its own:",
        "tcsniff task-defined:worker-type=gaia,provisioner-id=aws-provisioner "
        "task-running:worker-type=b2g",
    ),
    (
        "Listen to an exchange that is not Taskcluster's:",
        "tcsniff --exchange exchange/build/normalized --routing-key '#' -o raw",
    ),
    (
        "See what the broker would be asked for, without asking it:",
        "tcsniff explain --task-queue gecko-t/t-linux-large task-exception",
    ),
)
"""What for, and the line for a shell."""

_SEE_ALSO = (
    "Taskcluster's messages: https://docs.taskcluster.net/docs/manual/design/apis/pulse",
    "Accounts for Mozilla's broker: https://pulseguardian.mozilla.org",
    "`jq`(1)",
)


def page(interface: Interface) -> str:
    """Write the manual page.

    Returns:
        Roff with the macros of man(7).
    """
    lines = itertools.chain(
        [r".\" Written by `make docs` from tcsniff's own commands; changes here are lost."],
        [f'.TH "TCSNIFF" "1" "{_DATE}" "tcsniff {__version__}" "User Commands"'],
        [request("SH", "NAME"), rf"tcsniff \- {prose(_SYNOPSIS)}"],
        _synopsis(interface),
        [request("SH", "DESCRIPTION"), *_paragraphs(_DESCRIPTION)],
        [request("SH", "COMMANDS"), *_commands(interface)],
        [request("SH", "EVENTS"), prose(_EVENTS), *_events()],
        [request("SH", "OPTIONS"), *_options(interface)],
        [request("SH", "OPTIONS OF OTHER COMMANDS"), *_other_options(interface)],
        [request("SH", "EXIT STATUS"), *_table({str(n): t for n, t in statuses().items()})],
        [request("SH", "ENVIRONMENT"), *_table(ENVIRONMENT)],
        [request("SH", "EXAMPLES"), *_examples()],
        [request("SH", "SEE ALSO"), *_paragraphs(_SEE_ALSO)],
    )
    return "\n".join(lines) + "\n"


def statuses() -> dict[int, str]:
    """List what tcsniff may end with, and what each means.

    Returns:
        Exit status to text, in ascending order: failures as `tcsniff.errors`
        words them, and whatever is none.
    """
    meanings = {status: [text] for status, text in _OTHER_STATUSES.items()}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.TcsniffError):
            status = getattr(kind, "exit_status", None)
            if status is not None:
                meanings.setdefault(status, []).append((kind.__doc__ or "").partition("\n")[0])
    return {status: " ".join(meanings[status]) for status in sorted(meanings)}


def _synopsis(interface: Interface) -> Iterator[str]:
    yield request("SH", "SYNOPSIS")
    for number, command in enumerate(interface.commands):
        if number:
            yield request("br")
        yield _usage(command)
    for flag in interface.flags:
        yield request("br")
        yield f"{bold('tcsniff')} {_term(flag)}"


def _usage(command: Command) -> str:
    name = "tcsniff" if command.is_default else f"tcsniff {command.name}"
    return f"{bold(name)} {usage(command.usage)}"


def _commands(interface: Interface) -> Iterator[str]:
    for command in interface.commands:
        yield request("TP")
        yield bold(command.name)
        yield from _in_term(command.paragraphs)
        for argument in command.arguments:
            if argument.help:
                yield request("IP")
                yield prose(f"{argument.metavar}: {argument.help}")


def _in_term(paragraphs: tuple[str, ...]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield request("IP")
        if paragraph.startswith("\b"):
            yield from example(paragraph.lstrip("\b").strip("\n").split("\n"))
        else:
            yield prose(paragraph)


def _events() -> Iterator[str]:
    for service, exchanges in itertools.groupby(CATALOG, lambda exchange: exchange.service):
        yield request("SS", service)
        for exchange in exchanges:
            summary = f"{exchange.summary[:1].upper()}{exchange.summary[1:]}."
            yield from definition(bold(exchange.name), summary)


def _sections(flags: tuple[Flag, ...]) -> dict[str, list[Flag]]:
    sections: dict[str, list[Flag]] = {}
    for flag in flags:
        sections.setdefault(flag.section, []).append(flag)
    return sections


def _options(interface: Interface) -> Iterator[str]:
    for command in interface.commands:
        if command.is_default:
            for title, flags in _sections(command.flags).items():
                yield request("SS", title)
                yield from _flags(flags)
    yield request("SS", "In place of a command")
    yield from _flags(list(interface.flags))


def _other_options(interface: Interface) -> Iterator[str]:
    known = {
        title: flags
        for command in interface.commands
        if command.is_default
        for title, flags in _sections(command.flags).items()
    }
    for command in interface.commands:
        if not command.is_default:
            yield request("SS", f"tcsniff {command.name}")
            yield from _unlike(known, command)


def _unlike(known: dict[str, list[Flag]], command: Command) -> Iterator[str]:
    """Set a command's own flags, and name the sections that it shares with the default one."""
    sections = _sections(command.flags)
    shared = [title for title, flags in sections.items() if flags == known.get(title)]
    if shared:
        yield prose(f"Takes all the flags above under: {'; '.join(shared)}.")
    for title, flags in sections.items():
        if title not in shared:
            yield from _flags(flags)


def _flags(flags: list[Flag]) -> Iterator[str]:
    for flag in flags:
        notes = f" [{flag.notes}]" if flag.notes else ""
        yield from definition(_term(flag), flag.help + notes)


def _term(flag: Flag) -> str:
    names = ", ".join(map(bold, flag.names))
    return f"{names} {usage(flag.metavar)}" if flag.metavar else names


def _table(rows: dict[str, str]) -> Iterator[str]:
    for name, text in rows.items():
        yield from definition(bold(name), text)


def _examples() -> Iterator[str]:
    for number, (text, line) in enumerate(EXAMPLES):
        if number:
            yield request("PP")
        yield prose(text)
        yield request("PP")
        yield request("RS", "4")
        yield from example([line])
        yield request("RE")


def _paragraphs(texts: tuple[str, ...]) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number:
            yield request("PP")
        yield prose(text)
