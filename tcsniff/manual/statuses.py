"""What tcsniff may end with, and which commands can.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from tcsniff import errors
from tcsniff.interface import Command

_OTHERS = {
    0: "All went well: the source ended, or what was asked for was seen.",
    1: "A bug of tcsniff. `--debug` shows where.",
    10: "What was to count as a failure was seen (`--fail-on`), or a task of the group failed.",
    11: "No task of the group failed, but one ended in exception.",
    124: "The time was up before that (`--timeout`, `--idle-timeout`).",
    129: "Ended by HUP, after cleaning up.",
    130: "Ended by Ctrl-C, after cleaning up.",
    143: "Ended by TERM, after cleaning up.",
}

_ANY = (0, 1, 2, 7, 129, 130, 141, 143)
_BY_FLAG = {
    "--broker": (3, 4, 5),
    "--from": (6,),
    "--fail-on": (10,),
    "--timeout": (124,),
    "--idle-timeout": (124,),
}


def statuses() -> dict[int, str]:
    """List what tcsniff may end with, and what each means.

    Returns:
        Exit status to text, in ascending order: failures as `tcsniff.errors`
        words them, and whatever is none.
    """
    meanings = {status: [text] for status, text in _OTHERS.items()}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.TcsniffError):
            status = getattr(kind, "exit_status", None)
            if status is not None:
                meanings.setdefault(status, []).append((kind.__doc__ or "").partition("\n")[0])
    return {status: " ".join(meanings[status]) for status in sorted(meanings)}


def statuses_of(
    command: Command, further: Iterable[int], *, connects: bool = True
) -> dict[int, str]:
    """List what a command may end with, going by its flags.

    Args:
        command: The command.
        further: What its flags do not tell.
        connects: Whether flags that say where to connect have it do so.
    """
    names = {name for flag in command.flags for name in flag.names}
    names -= set() if connects else {"--broker"}
    by_flags = (status for name in names for status in _BY_FLAG.get(name, ()))
    own = {*_ANY, *by_flags, *further}
    return {status: text for status, text in statuses().items() if status in own}
