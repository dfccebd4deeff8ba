"""The root command, signals, and the one place where failures become exit statuses."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import click

from tcsniff.commands.console import DEBUG, list_versions, print_help, print_message, print_output
from tcsniff.errors import OutputClosed, TcsniffError, suggest
from tcsniff.signals import signal_handler

INTERRUPTED = 130
_DEFAULT = "sniff"
_COMMANDS = (
    _DEFAULT,
    "graph",
    "top",
    "explain",
    "exchanges",
    "doctor",
    "config",
    "simulate",
    "schema",
    "completion",
    "help",
)

# What each says of itself first, so that the list of all imports none.
SUMMARIES = {
    "sniff": "Show Taskcluster's events as they happen.",
    "graph": "Show a task group as a tree, and wait for its end.",
    "top": "Count runs of tasks, live: how many wait, run and end, how often and how long.",
    "explain": "Show the bindings that a selection becomes.",
    "exchanges": "List what there is to listen for, and the fields of each routing key.",
    "doctor": "Try the connection step by step, and say what to do about what fails.",
    "config": "Show every setting in force, and where it came from.",
    "simulate": "Publish made-up task graphs to a broker on this machine.",
    "schema": "Print the JSON Schema of the record, or of an EVENT's payload.",
    "completion": "Print a completion script for a shell.",
    "help": "Tell of a TOPIC, or of a command.",
}

_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

_SHORT_HELP = """\
tcsniff shows Taskcluster's task events as they happen.

  tcsniff --demo                                    see it work, without a broker
  tcsniff --worker-type gaia task-running           watch a worker type
  tcsniff graph fN1SbArXTPSVFNUvaOlinQ              follow a task group to its end
  tcsniff task-failed -o json | jq .payload.status  JSON lines for jq
  tcsniff explain --worker-type gaia task-running   what would be bound

`tcsniff --help` tells the rest; `tcsniff exchanges` lists the EVENTs."""


def _in_place_of_a_command(args: list[str]) -> bool:
    return args[0] in ("-h", "--help", "--version") or set(args) == {"--version", "--verbose"}


def _with_our_output(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.callback = print_help
    return option


class Root(click.Group):
    """The commands, imported when they are needed; without one, words belong to `sniff`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands."""
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,
        cmd_name: str,
    ) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"tcsniff.commands.{cmd_name}")
        command = getattr(module, cmd_name)
        if not isinstance(command, click.Command):
            return None
        # click keeps the option that it gives here.
        _with_our_output(command.get_help_option(click.Context(command, parent=ctx, **_SETTINGS)))
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give words that do not start with a command to the default one."""
        if args and args[0] not in _COMMANDS and not _in_place_of_a_command(args):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Give ``--help``."""
        return _with_our_output(super().get_help_option(ctx))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help of the default command, and the list of the others."""
        default = self.get_command(ctx, _DEFAULT)
        if default is not None:
            context = click.Context(default, info_name="tcsniff", **_SETTINGS)
            default.format_help(context, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands as click does, without importing those that are known here."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(map(len, names))
        rows = []
        for name in names:
            if summary := SUMMARIES.get(name):
                command: click.Command | None = click.Command(name, help=summary)
            else:
                command = self.get_command(ctx, name)
            if command is not None:
                rows.append((name, command.get_short_help_str(room)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=Root,
    invoke_without_command=True,
    context_settings=_SETTINGS,
)
@click.option(
    "--version", is_flag=True, help="Show the version; with --verbose, of what it runs on, too."
)
@click.option("--verbose", is_flag=True, hidden=True)
@click.pass_context
def tcsniff(ctx: click.Context, *, version: bool, verbose: bool) -> None:
    """Show Taskcluster's events as they happen."""
    if version:
        print_output("\n".join(list_versions(verbose=verbose)))
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        click.echo(_SHORT_HELP, err=True)
        ctx.exit(2)


def main(args: Sequence[str] | None = None) -> int:
    """Run tcsniff.

    Args:
        args: Command-line arguments; None for those of this process.

    Returns:
        The exit status: that of the command, 2 for wrong usage, 130 after
        Ctrl-C, else the one that `tcsniff.errors` lists. Anything not listed
        there is a bug and leaves as an exception.
    """
    words = list(sys.argv[1:] if args is None else args)
    debug = _is_debugging(words)
    words = [word for word in words if word != DEBUG]
    signal_handler.install()
    try:
        status = tcsniff.main(words, prog_name="tcsniff", standalone_mode=False)
    except click.ClickException as error:
        print_message(_usage(error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):  # click makes the first of the second
        return INTERRUPTED
    except OutputClosed as error:
        # Python flushes stdout once more on its way out, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error.exit_status
    except TcsniffError as error:
        if debug:
            sys.__excepthook__(type(error), error, error.__traceback__)
        print_message(str(error))
        return error.exit_status
    return status if isinstance(status, int) else 0


def run() -> None:
    """Run tcsniff as a program: `main`, with bugs told in a line."""
    sys.excepthook = _tell_bug
    sys.exit(main())


def _is_debugging(words: Sequence[str]) -> bool:
    return DEBUG in words or bool(os.environ.get("TCSNIFF_DEBUG"))


def _usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = "tcsniff" if context is None else context.command_path
    see = f"; see {path.removesuffix(f' {_DEFAULT}')} --help"
    if isinstance(error, click.NoSuchOption):
        near = suggest(error.option_name, error.possibilities or ())
        return f"no such flag {error.option_name}{near or see}"
    text = " ".join(error.format_message().split()).rstrip(".")  # click's may have several lines
    return f"{text[:1].lower()}{text[1:]}{see}"


def _tell_bug(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if _is_debugging(sys.argv):
        sys.__excepthook__(kind, error, trace)
    else:
        print_message(f"a bug of tcsniff: {kind.__name__}: {error}; {DEBUG} shows where")
