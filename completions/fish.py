"""The completion script for fish.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from completions.words import (
    EVENTS,
    EXCHANGES,
    NAME,
    SELECTION,
    WRITTEN,
    group_events_by_fields,
    list_arguments,
    list_event_commands,
    list_values,
    takes_exchange,
    wrap_words,
)
from man.interface import DEFAULT, Command, Flag, Interface

_HEAD = f"""\
# fish completion for tcsniff
# {WRITTEN}
"""

_CODE = r"""
# Succeeds if the word to complete is the first.
function __tcsniff_first
    test (count (commandline -opc)) -eq 1
end

# Succeeds if the command is one of these; the default is @DEFAULT@.
function __tcsniff_in
    set -l words (commandline -opc)
    set -l command @DEFAULT@
    if set -q words[2]; and contains -- $words[2] $__tcsniff_commands
        set command $words[2]
    end
    contains -- $command $argv
end

# Lists the names in a table of the configuration file, each with the prefix $argv[2].
function __tcsniff_configured
    set -l file $TCSNIFF_CONFIG
    if test -z "$file"
        set -l place $XDG_CONFIG_HOME
        string match -q '/*' -- $place; or set place ~/.config
        set file $place/tcsniff/config.toml
    end
    test -f $file -a -r $file; or return
    set -l title '^\s*\[\s*'$argv[1]'\s*\.\s*"?(@NAME@)"?\s*\].*$'
    string replace -r -f -- $title $argv[2]'$1' <$file
end

# Lists the next values of a list with commas, with their meanings.
function __tcsniff_list
    set -l start (string replace -r '^--[^=]*=' '' -- (commandline -ct))
    set start (string match -r '^.*,' -- $start)
    for row in $argv
        set -l word (string split -m 1 \t -- $row)[1]
        string match -q "*,$word,*" -- ,$start; or echo "$start$row"
    end
end

# Succeeds if only flags follow the command.
function __tcsniff_alone
    set -l words (commandline -opc)
    not set -q words[3]; or string match -q -- '-*' $words[-1]
end

# Completes an EVENT, or the field after EVENT: or a comma.
function __tcsniff_event
    set -l word (commandline -ct)
    if string match -q -- '-*' $word
        return # fish would match an unknown flag with similar words
    end
    if not string match -q '*:*' -- $word
        __tcsniff_events
        __tcsniff_configured @SELECTION@ @
        return
    end
    set -l start (string match -r '^.*[:,]' -- $word)
    if string match -q '*=*' -- (string replace -- $start '' $word)
        return
    end
    for field in (__tcsniff_fields (string split -m 1 : -- $word)[1])
        string match -q "*[:,]$field=*" -- $start; or echo $start$field=
    end
end

complete -c tcsniff -f
"""


def script(interface: Interface) -> str:
    """Return the script."""
    commands = interface.commands
    names = " ".join(command.name for command in commands)
    parts = [
        _HEAD,
        f"set -g __tcsniff_commands {names}",
        *_format_events(),
        *_format_exchanges(),
        *_format_fields(),
        _CODE.replace("@DEFAULT@", DEFAULT)
        .replace("@NAME@", NAME)
        .replace("@SELECTION@", SELECTION),
        *_format_commands(commands),
        *_format_flags(commands),
        *(_format_complete(flag, "__tcsniff_first") for flag in interface.flags),
    ]
    return "\n".join(parts) + "\n"


def _format_events() -> Iterator[str]:
    yield "\nfunction __tcsniff_events\n    printf '%s\\t%s\\n' \\"
    rows = [f"        {name} {_quote_text(summary)}" for name, summary in EVENTS.items()]
    yield " \\\n".join(rows)
    yield "end"


def _format_exchanges() -> Iterator[str]:
    yield "\nfunction __tcsniff_exchanges\n    printf '%s\\n' \\"
    yield wrap_words(" ".join(EXCHANGES), 8, continued=True)
    yield "end"


def _format_fields() -> Iterator[str]:
    yield "\nfunction __tcsniff_fields\n    switch $argv[1]"
    for fields, events in group_events_by_fields().items():
        yield f"        case \\\n{wrap_words(' '.join(events), 12, continued=True)}"
        yield f"            printf '%s\\n' \\\n{wrap_words(' '.join(fields), 16, continued=True)}"
    yield "    end\nend"


def _format_commands(commands: tuple[Command, ...]) -> Iterator[str]:
    for command in commands:
        summary = _quote_text(command.summary.rstrip("."))
        yield f"complete -c tcsniff -n __tcsniff_first -a {command.name} -d {summary}"
    events = " ".join(list_event_commands(commands))
    yield f"complete -c tcsniff -n '__tcsniff_in {events}' -a '(__tcsniff_event)'"
    for command in commands:
        inside = f"__tcsniff_in {command.name}"
        for word, text in list_arguments(command, commands).items():
            meaning = f" -d {_quote_text(text.rstrip('.'))}" if text else ""
            yield f"complete -c tcsniff -n '{inside}; and __tcsniff_alone' -a {word}{meaning}"
        if any(argument.takes_file for argument in command.arguments):
            yield f"complete -c tcsniff -n '{inside}' -F"


def _format_flags(commands: tuple[Command, ...]) -> Iterator[str]:
    users: dict[Flag, list[str]] = {}
    for command in commands:
        for flag in command.flags:
            users.setdefault(flag, []).append(command.name)
    for flag, names in users.items():
        yield _format_complete(flag, f"'__tcsniff_in {' '.join(names)}'")


def _format_complete(flag: Flag, condition: str) -> str:
    names = (name.removeprefix("-") for name in flag.names)
    options = (f"-l {name[1:]}" if name.startswith("-") else f"-s {name}" for name in names)
    words = ["complete -c tcsniff -n", condition, *options, *_format_value(flag)]
    return " ".join([*words, "-d", _quote_text(flag.help.rstrip("."))])


def _format_value(flag: Flag) -> list[str]:
    if not flag.metavar:
        return []
    if takes_exchange(flag):
        return ["-x", "-a", "'(__tcsniff_exchanges)'"]
    if flag.takes_file:
        return ["-r", "-F"]
    known = list_values(flag)
    if known.is_list:
        rows = " ".join(_format_row(word, text) for word, text in known.words.items())
        return ["-x", "-a", _quote_text(f"(__tcsniff_list {rows})")]
    words = " ".join(known.words)
    if known.table:
        words += f" (__tcsniff_configured {known.table} '')"
    return ["-x", "-a", _quote_text(words)] if words else ["-x"]


def _format_row(word: str, text: str) -> str:
    return f"{word}\\t{_quote_text(text)}" if text else word


def _quote_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", r"\'") + "'"
