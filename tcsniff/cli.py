"""The root command, and the one place where failures become exit statuses."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import click

from tcsniff.commands.arguments import (
    END_OF_FLAGS,
    is_flag,
    list_argument_places,
    list_flags_with_value,
)
from tcsniff.commands.console import (
    DEBUG,
    list_versions,
    open_missing_streams,
    print_message,
    print_output,
)
from tcsniff.commands.help_format import (
    HELP_ALL,
    DescribedCommand,
    print_help,
    print_long_text,
    read_text,
)
from tcsniff.errors import OutOfMemory, OutputClosed, TcsniffError, UsageError
from tcsniff.identifiers import SLUG_ID_EXAMPLE
from tcsniff.signals import signal_handler

INTERRUPTED = 130
HELP_FILE = "root_help.txt"  # in `commands`
"""What ``tcsniff --help`` prints, written by ``make docs``: importing all flags takes 50 ms."""

_DEFAULT = "sniff"
_COMMANDS = (
    _DEFAULT,
    "graph",
    "task",
    "top",
    "runs",
    "browse",
    "explain",
    "exchanges",
    "doctor",
    "config",
    "simulate",
    "schema",
    "completion",
    "help",
)
_IDENTIFY = "identify"
"""The command for an ID or address without a command; not listed."""
_VERSION_FLAGS = {"-V", "--version", "-v", "--verbose"}
_HELP_FLAGS = {"-h", "--help", HELP_ALL}
_ROOT_FLAGS = {*_HELP_FLAGS, "-V", "--version"}
_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
_NO_MEMORY = (
    "out of memory; read less at a time, or raise the limit of memory (ulimit -v, containers)"
)
_MORE = "`tcsniff --help-all` lists all flags, `tcsniff help` lists further topics."


class Root(DescribedCommand, click.Group):
    """The commands, each imported when it is used; `sniff` if none is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in (*_COMMANDS, _IDENTIFY):
            return None
        command = getattr(importlib.import_module(f"tcsniff.commands.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the flags of tcsniff itself; the command, with its own, is put first."""
        return super().parse_args(ctx, self.put_command_first(ctx, args))

    def put_command_first(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return the words with the command in front.

        The command is the first word that is neither a flag nor a flag's value; `sniff`
        if that is none.

        Raises:
            UsageError: If that word is none, and no EVENT, ID or address either.
        """
        asks_for_version = {"-V", "--version"} & set(args) and set(args) <= _VERSION_FLAGS
        if not args or args[0] in _COMMANDS or asks_for_version:
            return args
        if is_flag(args[0]):
            for place, word in enumerate(args):
                # Imported only if its name is among the words, perhaps as a flag's value.
                if word in _COMMANDS and self._find_word(ctx, args, word) == place:
                    return [word, *args[:place], *args[place + 1 :]]
            if args[0] in _ROOT_FLAGS:
                return args
        first = self._find_word(ctx, args, _DEFAULT)
        if first is None:
            return [_DEFAULT, *args]
        # Behind a flag that is mistyped, what looks like a word may be its value.
        is_certain = first == 0 and _HELP_FLAGS.isdisjoint(args)
        return [_choose_command(args[first], is_certain=is_certain), *args]

    def _find_word(self, ctx: click.Context, args: list[str], name: str) -> int | None:
        # The place of the first argument, if the flags are those of a command; the default
        # command's are known, too, so that values of its flags are not taken for commands.
        if not is_flag(args[0]):
            return 0
        flags: dict[str, bool] = {}
        for command in (self.get_command(ctx, _DEFAULT), self.get_command(ctx, name)):
            if command is not None:
                flags |= list_flags_with_value(command)
        end = args.index(END_OF_FLAGS) if END_OF_FLAGS in args else len(args)
        places = list_argument_places(args[:end], flags)
        return places[0] if places else None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``, which prints `HELP_FILE`."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _print_root_help
        return option

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, examples, and the flags of the default command."""
        default = self.get_command(ctx, _DEFAULT)
        assert isinstance(default, DescribedCommand)  # noqa: S101 - for mypy
        context = click.Context(default, info_name="tcsniff", **_SETTINGS)
        context.meta.update(ctx.meta)
        default.format_usage(context, formatter)
        formatter.write_usage("tcsniff", "COMMAND [OPTIONS] ...", " " * len("Usage: "))
        default.format_help_text(context, formatter)
        self.format_commands(ctx, formatter)
        from tcsniff.commands.first_screen import EXAMPLES

        with formatter.section("Examples"):
            formatter.write_dl(EXAMPLES, col_max=50)
        default.write_flags(context, formatter)
        formatter.write_paragraph()
        formatter.write_text(_MORE)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command."""
        commands = {name: self.get_command(ctx, name) for name in _COMMANDS}
        with formatter.section("Commands"):
            formatter.write_dl(
                (name, command.get_short_help_str(formatter.width))
                for name, command in commands.items()
                if command is not None
            )


def _choose_command(word: str, *, is_certain: bool) -> str:
    # The command for an argument that is none.
    from tcsniff.pulse.exchanges import find_exchange, has_exchange

    name = word.partition(":")[0]
    if has_exchange(name) or word.startswith("@"):
        return _DEFAULT
    if len(word) >= len(SLUG_ID_EXAMPLE) or "/" in word:  # neither an ID nor an address else
        from tcsniff.pulse.addresses import find_address  # 5 ms
        from tcsniff.pulse.urls import is_url

        if find_address(word) is not None:
            return _IDENTIFY
        if is_url(word):
            return _DEFAULT
    from tcsniff.commands.expected_words import explain_command

    if hint := explain_command(word, _COMMANDS):
        raise UsageError(f"{word!r} is neither a command nor an event{hint}")
    if is_certain:
        find_exchange(name)  # raises the error of `sniff`, 15 ms earlier
    return _DEFAULT


def format_root_help() -> str:
    """Return the text of `HELP_FILE`, 80 columns wide."""
    context = click.Context(tcsniff, info_name="tcsniff", terminal_width=80, **_SETTINGS)
    return tcsniff.get_help(context)


def _print_root_help(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and (text := read_text(HELP_FILE)):
        print_long_text(text.rstrip("\n"))
        context.exit()
    print_help(context, parameter, value)


@click.group(cls=Root, invoke_without_command=True, context_settings=_SETTINGS)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    help="Show the version and exit; with --verbose also those of the libraries.",
)
@click.option("-v", "--verbose", is_flag=True, hidden=True)
@click.pass_context
def tcsniff(ctx: click.Context, *, version: bool, verbose: bool) -> None:
    """Print Taskcluster's task events as they happen."""
    if version:
        print_output("\n".join(list_versions(verbose=verbose)))
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        from tcsniff.commands.first_screen import first_screen

        first_screen.invoke(first_screen.make_context("tcsniff", [], parent=ctx))
        ctx.exit(2)


def main(args: Sequence[str] | None = None, *, is_program: bool = False) -> int:
    """Run tcsniff.

    Args:
        args: Command-line arguments; None for those of this process.
        is_program: Whether the process does nothing else, so that a signal may end it
            at once where nothing has to be cleaned up.

    Returns:
        The exit status: that of the command, 2 for wrong usage, 130 after
        Ctrl-C, else the one that `tcsniff.errors` lists. Other exceptions are
        bugs and are not caught.
    """
    words = list(sys.argv[1:] if args is None else args)
    debug = _is_debugging(words)
    words = [word for word in words if word != DEBUG]
    signal_handler.install(unwinds=not is_program)
    try:
        return _run_command(words)
    except click.ClickException as error:
        print_message(_describe_usage_error(error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except OutputClosed as error:
        # Python flushes stdout again at exit, and would report an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return error.exit_status
    except (TcsniffError, MemoryError) as error:
        if debug:
            sys.__excepthook__(type(error), error, error.__traceback__)
        failure = error if isinstance(error, TcsniffError) else OutOfMemory(_NO_MEMORY)
        print_message(str(failure))
        return failure.exit_status


def run() -> None:
    """Run tcsniff as a program: `main`, with one line for a bug."""
    sys.excepthook = _report_bug
    open_missing_streams()
    status = main(is_program=True)
    gc.freeze()  # Python searches all objects for garbage at exit: a twelfth of a usage error
    sys.exit(status)


def _run_command(words: list[str]) -> int:
    # Not `tcsniff.main`, which writes to standard error when it is interrupted.
    try:
        with tcsniff.make_context("tcsniff", words) as context:
            status = tcsniff.invoke(context)
    except click.exceptions.Exit as error:
        status = error.exit_code
    if signal_handler.received is not None:  # a library has dropped the exception
        return signal_handler.exit_status
    return status if isinstance(status, int) else 0


def _is_debugging(words: Sequence[str]) -> bool:
    return DEBUG in words or bool(os.environ.get("TCSNIFF_DEBUG"))


def _describe_usage_error(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = "tcsniff" if context is None else context.command_path
    see_help = f"; see {path.removesuffix(f' {_DEFAULT}')} --help"
    if isinstance(error, click.NoSuchOption):
        from tcsniff.commands.expected_words import explain_flag

        hint = "" if context is None else explain_flag(error.option_name, context.command)
        return f"unknown flag {error.option_name!r}{hint or see_help}"
    text = " ".join(error.format_message().split()).rstrip(".")  # may have several lines
    return f"{text[:1].lower()}{text[1:]}{see_help}"


def _report_bug(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if _is_debugging(sys.argv):
        sys.__excepthook__(kind, error, trace)
    else:
        print_message(f"a bug in tcsniff: {kind.__name__}: {error}; {DEBUG} shows the traceback")
