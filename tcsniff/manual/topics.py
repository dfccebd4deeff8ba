"""What does not belong to one command: for sections of pages, and ``tcsniff help TOPIC``.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tcsniff.manual.blocks import Block, Example, Heading, Prose, Terms
from tcsniff.manual.recipes import recipes
from tcsniff.manual.record import ADDED, record
from tcsniff.manual.statuses import statuses


class Topic(NamedTuple):
    """Something to be told of.

    Attributes:
        summary: In a line.
        blocks: Tells of it.
    """

    summary: str
    blocks: Callable[[], Sequence[Block]]


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

VARIABLES_OF_FLAGS = {
    "--broker": ("TCSNIFF_BROKER", "PULSE_URL", "PULSE_USERNAME", "PULSE_PASSWORD"),
    "--config": ("TCSNIFF_CONFIG", "XDG_CONFIG_HOME", "TCSNIFF_PROFILE", "TCSNIFF_DEBUG"),
    "--root-url": (
        "TASKCLUSTER_ROOT_URL",
        "TASKCLUSTER_CLIENT_ID",
        "TASKCLUSTER_ACCESS_TOKEN",
        "TASKCLUSTER_CERTIFICATE",
    ),
    "--color": (
        "NO_COLOR",
        "FORCE_COLOR",
        "TERM",
        "COLORTERM",
        "TERM_URLS",
        "COLUMNS",
        "LINES",
    ),
}
"""Flags, and the variables that matter to every command that has them."""

SECURITY = {
    "Passwords": """No flag takes a password, as everybody on a machine can read the command lines
        of its processes. It comes from `PULSE_PASSWORD`, from the file of `--password-file`, from
        standard input (`--password-file -`), or from what a profile names as password-file or
        password-command; the settings file itself holds none. A URL may hold one, too: put such a
        URL into `TCSNIFF_BROKER` or `PULSE_URL`, not behind `--broker`. A password is in no
        message, no recording and no traceback.""",
    "The line": """With amqps:// the certificate of the broker and the host name in it are checked,
        against the authorities of the system or those of `--tls-ca`; what does not fit ends
        tcsniff with status 5 before the password is sent. `--tls-insecure` checks nothing, and
        says so. Over amqp:// a password does not go to another machine, but
        with `--plaintext`.""",
    "What is sent": """To the broker: user and password (or certificate), name and version of
        tcsniff, the name of its queue, and the bindings that `tcsniff explain` shows. `tcsniff
        graph` asks the queue of the deployment about the task group, unless told `--no-api`; a
        token of `TASKCLUSTER_ACCESS_TOKEN` goes to `TASKCLUSTER_ROOT_URL` alone. Nothing goes
        anywhere else. On a broker that others use, tcsniff declares and deletes no more than its
        own queue, and publishes nothing.""",
    "What is shown": """Task names, worker ids, routes and whole messages are written by strangers.
        Control characters in them, escape sequences and what turns the direction of writing are
        shown on a terminal, never obeyed, in every view and in every error. In a pipe and in a
        file, JSON and `-o raw` are byte for byte what came.""",
    "What is kept": """A recording holds all that the broker sent, among it mail addresses of
        people (owner, createdForUser) and what is meant for those with an account. It is made
        with the permissions that your umask gives.""",
}
"""What about, and what is to be known."""

_EXPRESSIONS = """`--where`, `--until`, `--fail-on` and `--select` take expressions in JMESPath
    (https://jmespath.org), as other command lines do. An expression is asked about one event at a
    time. It sees the record, whose fields `tcsniff help record` tells: received, exchange,
    routingKey, routes, redelivered and payload; and in addition:"""

_OPERATORS = {
    "==  !=": "Equal, not equal.",
    "<  <=  >  >=": "Of two numbers, or of two texts; times are texts that can be compared.",
    "&&  ||  !": "And, or, not. Round brackets group.",
    "a.b  a[0]  a[-1]": "What is in an object; the first and the last of a list.",
    "a[?b=='c']": "Those of a list for which it is true.",
    "'text'": "Text, in single quotes. Without quotes it would be the name of a field.",
    "`60`": "A number, or null, true and false, in backticks; a shell leaves them alone in single "
    "quotes, and in double quotes behind a backslash.",
    '"a-b"': "A field whose name is more than letters, digits and underscores.",
}

_FUNCTIONS = """Functions are those of JMESPath, among them contains(), starts_with(), ends_with(),
    length(), join(), keys() and not_null()."""

_TRUTH = """False are false, null, and the empty text, list and object; all else is true, also 0.
    What is not there is null. Where an expression cannot be told, as when starts_with() gets a
    null, it is not true, and in the end tcsniff tells of how many events that was so."""

_EXPRESSION_EXAMPLES = r"""
tcsniff task-exception --where "payload.status.runs[-1].workerGroup=='eu'"
tcsniff --all --where "lag > \`60\`"
tcsniff task-failed --where "routing.runId != '0'"
tcsniff task-failed --where "contains(payload.task.tags.label || '', 'opt')"
tcsniff task-completed --where "contains(routes, 'index.try.build')"
tcsniff --all --where "time >= '2026-11-23' && time < '2026-11-24'"
tcsniff --all --until "event=='task-group-resolved'"
tcsniff --all --select "{task: routing.taskId, state: payload.status.state}"
tcsniff --all --select "join(' ', [event, routing.taskId])" -r
"""

_FILES = {
    "~/.config/tcsniff/config.toml": "Settings, profiles and saved selections, or where "
    "`XDG_CONFIG_HOME` and `TCSNIFF_CONFIG` say; see tcsniff-config(5). `tcsniff config` shows "
    "what is in force, and `tcsniff config --example` a file to start from.",
    "*.jsonl, *.jsonl.gz": "Recordings, by custom: what `--record` writes, after what is there, "
    "and `--from` reads. Their format is in tcsniff-record(5).",
    "/etc/ssl": "The authorities that the system trusts, for amqps://, where Python's OpenSSL "
    "looks for them; `--tls-ca` names others.",
}


def environment() -> list[Block]:
    """Tell of the variables."""
    return [Terms(ENVIRONMENT)]


def exit_status() -> list[Block]:
    """Tell of the exit statuses."""
    return [Terms({str(status): text for status, text in statuses().items()})]


def security() -> list[Block]:
    """Tell what is to be known by those who care."""
    told: list[Block] = []
    for title, text in SECURITY.items():
        told += [Heading(title), Prose(text)]
    return told


def expressions() -> list[Block]:
    """Tell of expressions."""
    return [
        Prose(_EXPRESSIONS),
        Terms(ADDED),
        Prose("What they are made of:"),
        Terms(_OPERATORS),
        Prose(_FUNCTIONS),
        Prose(_TRUTH),
        Example(_EXPRESSION_EXAMPLES),
    ]


def files() -> list[Block]:
    """Tell of files."""
    return [Terms(_FILES)]


TOPICS = {
    "environment": Topic("The variables that tcsniff reads.", environment),
    "exit-status": Topic("What tcsniff ends with, and what it means.", exit_status),
    "expressions": Topic("What --where, --until, --fail-on and --select take.", expressions),
    "files": Topic("What tcsniff reads and writes besides.", files),
    "recipes": Topic("Things to do, as lines for a shell.", recipes),
    "record": Topic("The line of JSON that -o json prints.", record),
    "security": Topic("Passwords, TLS, what is sent, shown and kept.", security),
}
"""What ``tcsniff help`` tells of besides commands."""
