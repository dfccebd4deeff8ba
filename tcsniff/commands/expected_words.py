"""Commands and flags that people expect from other programs, and what to use instead.

Pure data and lookups. A hint for a flag is given only by commands that have a flag
that it names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import click

from tcsniff.errors import suggest
from tcsniff.pulse.exchanges import CATALOG, SHORT_NAMES

_LISTEN = "`tcsniff EVENT` prints events as they happen, as in `tcsniff failed`"
_LOGS = "`tcsniff task ID` prints the end of the log of a task that failed"
_STATUS = (
    "`tcsniff task ID` and `tcsniff graph ID` print the state of tasks and wait for their end"
)
_GROUPS = "`tcsniff graph ID` prints the tasks of a group"
_POOLS = "`tcsniff top` prints worker pools"
_READ_ONLY = "tcsniff changes nothing; use Taskcluster's own program, `taskcluster`"
_EXCHANGES = "`tcsniff exchanges` lists the EVENTs"

_COMMANDS = {
    **dict.fromkeys(("watch", "listen", "tail", "follow", "stream", "events", "sub"), _LISTEN),
    **dict.fromkeys(("subscribe", "consume", "start", "run", "live", "monitor"), _LISTEN),
    **dict.fromkeys(("log", "logs"), _LOGS),
    **dict.fromkeys(("status", "wait", "await", "show", "get", "describe", "inspect"), _STATUS),
    **dict.fromkeys(("group", "groups", "task-group", "tree", "dag"), _GROUPS),
    **dict.fromkeys(("tasks", "job", "jobs"), "`tcsniff task ID` prints a task"),
    **dict.fromkeys(("pool", "pools", "worker", "workers", "stats", "htop"), _POOLS),
    **dict.fromkeys(("create", "cancel", "retrigger", "retry", "delete", "publish"), _READ_ONLY),
    "ls": f"{_EXCHANGES}, {_GROUPS}",
    "list": f"{_EXCHANGES}, {_GROUPS}",
    "event": _EXCHANGES,
    "bindings": "`tcsniff explain` prints the bindings of a selection",
    "check": "`tcsniff doctor` tests the connection",
    "ping": "`tcsniff doctor` tests the connection",
    "test": "`tcsniff doctor` tests the connection; `tcsniff --demo` needs none",
    "login": "set PULSE_USERNAME and PULSE_PASSWORD, or see `tcsniff help settings`",
    "auth": "set PULSE_USERNAME and PULSE_PASSWORD, or see `tcsniff help settings`",
    "settings": "`tcsniff config` prints the settings",
    "demo": "`tcsniff --demo` shows made-up tasks",
    "record": "`tcsniff EVENT --record FILE` records events",
    "replay": "`tcsniff --from FILE` replays a recording",
    "version": "`tcsniff --version` prints the version",
    "tui": "`tcsniff browse` shows events, graphs, tasks and pools with keys",
    "ui": "`tcsniff browse` shows events, graphs, tasks and pools with keys",
    "export": "`tcsniff graph ID --format json` exports a group, `tcsniff runs` its runs",
    "csv": "`tcsniff runs` prints a row for each run, as CSV, too",
}
"""Words that are not commands, and what to use instead."""

_WAITS = "graph and task wait for the end; --no-wait prints the present state"
_COUNT = "-n N stops after N events"
_EXPRESSION = "--where EXPR matches events, as in --where \"payload.task.tags.kind == 'test'\""
_SELECT = "--select EXPR prints the result of a JMESPath expression"
_OUTPUT = "-o NAME chooses the view"
_ACCOUNT = "set PULSE_USERNAME and PULSE_PASSWORD, or --broker amqps://USER@HOST"
_LIVE = "events are printed as they happen, without a flag"

_FLAGS: Mapping[str, Sequence[tuple[str, str]]] = {
    # The flag that a command must have, empty for none, and the hint; the first that fits.
    **dict.fromkeys(
        ("--watch", "-w", "--follow", "-f", "--live", "--tail", "--stream"),
        (("--no-wait", _WAITS), ("--count", _LIVE)),
    ),
    "--wait": (("--no-wait", _WAITS), ("--until", "--until EXPR stops after an event")),
    "--once": (("--no-wait", "--no-wait prints the present state"), ("--count", _COUNT)),
    "--snapshot": (("--no-wait", "--no-wait prints the present state"),),
    **dict.fromkeys(
        ("--limit", "--max", "--head", "--lines", "-l", "--max-count", "--number", "-c"),
        (("--count", _COUNT),),
    ),
    **dict.fromkeys(("--jq", "--query", "--jsonpath", "--fields"), (("--select", _SELECT),)),
    **dict.fromkeys(
        ("--template", "-t", "--format-string"),
        (
            ("--select", f"{_SELECT}; -r prints it as text: --select \"join(' ', […])\" -r"),
            ("--format", "--format prints the whole graph in one of several formats"),
        ),
    ),
    **dict.fromkeys(("--filter", "--match", "--if"), (("--where", _EXPRESSION),)),
    **dict.fromkeys(
        ("--output-format", "--format", "--out", "--view", "--ndjson", "--jsonl", "--yaml"),
        (("--output", _OUTPUT),),
    ),
    "--raw": (("--raw-output", "-o raw prints bodies; -r prints --select's strings as they are"),),
    "--csv": (("", "`tcsniff runs` prints a row for each run, as CSV, too"),),
    "--tsv": (("", "`tcsniff runs` prints a row for each run, as TSV, too"),),
    "--search": (("--grep", "--grep REGEX matches lines as -o lines prints them"),),
    "--regex": (("--grep", "--grep REGEX matches lines as -o lines prints them"),),
    "--status": (("--state", "--state matches tasks in a state, such as failed"),),
    "--result": (("--reason", "--reason matches runs by how they ended, such as canceled"),),
    "--label": (("--tag", "--tag label=NAME matches tasks by label"),),
    "--name": (("--tag", "--tag label=NAME matches tasks by label"),),
    "--kind": (("--tag", "--tag kind=NAME matches tasks by kind"),),
    "--project": (("--tag", "--tag project=NAME matches tasks by project"),),
    "--provisioner": (("--provisioner-id", "use --provisioner-id"),),
    "--scheduler": (("--scheduler-id", "use --scheduler-id"),),
    "--group": (("--task-group-id", "use --task-group-id, or `tcsniff graph ID`"),),
    "--queue-id": (("--task-queue", "use --pool PROVISIONER/TYPE"),),
    "--id": (("--task-id", "use --task-id or --task-group-id"),),
    "--topic-pattern": (("--routing-key", "use --routing-key with --exchange"),),
    "--pattern": (("--routing-key", "use --routing-key with --exchange"),),
    **dict.fromkeys(
        ("--file", "--input", "--replay", "--read", "-i"),
        (("--from", "--from FILE replays a recording"),),
    ),
    **dict.fromkeys(("--save", "--write"), (("--record", "--record FILE records events"),)),
    **dict.fromkeys(
        ("--user", "--username", "-u", "--password", "-p"),
        (("--broker", f"{_ACCOUNT}; a password is never a flag"),),
    ),
    **dict.fromkeys(
        ("--host", "--url", "--amqp", "--server", "--uri", "-s"),
        (("--broker", "--broker amqps://USER@HOST names a broker, --root-url a deployment"),),
    ),
    "--interval": (("--every", "use --every"),),
    "--since": (("", "`tcsniff --since` and `tcsniff top --since` match events by their time"),),
    "--dry-run": (("", "`tcsniff explain` prints the bindings without connecting"),),
    "--silent": (("--quiet", "use -q"),),
    "--include-header": (("", "the table has a header; -o lines has none"),),
}
"""Flags that no command has, or not every command, and what to use instead."""


def explain_command(word: str, commands: Collection[str]) -> str:
    """Return what to use instead of a word that is neither a command nor an EVENT.

    Returns:
        Text to be appended to an error; empty if the word is not close to a
        command, or closer to an EVENT.
    """
    if (hint := _COMMANDS.get(word.lower())) is not None:
        return f"; {hint}"
    events = [*(exchange.name for exchange in CATALOG), *SHORT_NAMES]
    hint = suggest(word, [*commands, *events])
    return hint if any(repr(command) in hint for command in commands) else ""


def explain_flag(flag: str, command: click.Command) -> str:
    """Return what to use instead of a flag that a command does not have.

    Returns:
        Text to be appended to an error; empty if no flag of the command is close.
    """
    names = [
        name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in parameter.opts
        if name.startswith("--")
    ]
    for needed, hint in _FLAGS.get(flag, ()):
        if not needed or needed in names:
            return f"; {hint}"
    # Without dashes, which all flags share.
    flags = {name.removeprefix("--"): name for name in names}
    return suggest(flag.lstrip("-"), flags).replace(" '", " '--")
