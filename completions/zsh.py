"""The completion script for zsh.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from completions.words import (
    EVENTS,
    EXCHANGES,
    NAME,
    SELECTION,
    WRITTEN,
    group_events_by_fields,
    join_alternatives,
    list_arguments,
    list_values,
    takes_exchange,
    wrap_words,
)
from man.interface import DEFAULT, Command, Flag, Interface

_HEAD = f"""\
#compdef tcsniff
# {WRITTEN}
"""

_CODE = r"""
# Finds the names in a table of the configuration file, each with the prefix $2.
_tcsniff_configured() {
  local file=${TCSNIFF_CONFIG-} line
  if [[ -z $file ]]; then
    file=${XDG_CONFIG_HOME-}
    [[ $file == /* ]] || file=${HOME-}/.config
    file+=/tcsniff/config.toml
  fi
  local -a match mbegin mend
  [[ -f $file && -r $file ]] || return 0
  local title='^[[:blank:]]*\[[[:blank:]]*'$1'[[:blank:]]*\.[[:blank:]]*"?(@NAME@)"?[[:blank:]]*\]'
  for line in ${(f)"$(<$file)"}; do
    [[ ! $line =~ $title ]] || found+=($2$match[1])
  done
}

# Completes a name: an argument, or a name in the configuration file.
_tcsniff_configured_names() {
  local table=$1 kind=$2 before=$3
  shift 3
  local -a found=($@) expl
  _tcsniff_configured $table $before
  _wanted $table expl $kind compadd -a found
}

# Completes an EVENT, or the field after EVENT: or a comma.
_tcsniff_event() {
  if [[ $PREFIX == @* ]]; then
    _tcsniff_configured_names @SELECTION@ selection @
    return
  fi
  if [[ $PREFIX != *:* ]]; then
    local ret=1
    _tcsniff_event_names && ret=0
    _tcsniff_configured_names @SELECTION@ selection @ && ret=0
    return ret
  fi
  local given=$PREFIX field
  local -a fields left
  _tcsniff_fields ${given%%:*}
  compset -P '*[:,]'
  if [[ $PREFIX == *=* ]]; then
    _message 'value of the field'
    return
  fi
  for field in $fields; do
    [[ $given == *[:,]$field=* ]] || left+=($field)
  done
  local expl
  _wanted fields expl field compadd -S = -a left
}

_tcsniff() {
  local command=@DEFAULT@ ret=1
  if (( CURRENT == 2 )); then
    _tcsniff_command_names && ret=0
  elif [[ $words[2] == (@COMMANDS@) ]]; then
    command=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  local -a flags
  _tcsniff_${command}_flags
  _arguments -s $flags && ret=0
  return ret
}
"""

_TAIL = """
if [[ $funcstack[1] == _tcsniff ]]; then
  _tcsniff "$@"
else
  compdef _tcsniff tcsniff
fi
"""


def script(interface: Interface) -> str:
    """Return the script."""
    summaries = {command.name: command.summary for command in interface.commands}
    parts = [
        _HEAD,
        *_format_descriptions("command", "command_names", summaries),
        *_format_descriptions("EVENT", "event_names", EVENTS),
        *_format_exchanges(),
        *_format_fields(),
        *_format_value_functions(interface),
        *_format_topics(interface),
        *(line for command in interface.commands for line in _format_flags(command, interface)),
    ]
    code = _CODE.replace("@DEFAULT@", DEFAULT).replace("@COMMANDS@", "|".join(summaries))
    code = code.replace("@NAME@", NAME).replace("@SELECTION@", SELECTION)
    return "\n".join([*parts, code]) + _TAIL


def _format_descriptions(kind: str, function: str, words: dict[str, str]) -> Iterator[str]:
    yield f"_tcsniff_{function}() {{"
    yield "  local -a described=("
    for word, text in words.items():
        yield "    " + _quote_text(f"{word}:{text.rstrip('.')}" if text else word)
    yield "  )"
    yield f"  _describe -t {kind.lower()}s {kind} described"
    yield "}\n"


def _format_exchanges() -> Iterator[str]:
    yield "_tcsniff_exchanges() {"
    yield f"  local -a exchanges=(\n{wrap_words(' '.join(EXCHANGES), 4)}\n  )"
    yield "  local expl"
    yield "  _wanted exchanges expl exchange compadd -a exchanges"
    yield "}\n"


def _format_fields() -> Iterator[str]:
    yield "_tcsniff_fields() {"
    yield "  case $1 in"
    for fields, events in group_events_by_fields().items():
        yield f"{join_alternatives(events, 4)})"
        yield f"      fields=(\n{wrap_words(' '.join(fields), 8)}\n      )\n      ;;"
    yield "  esac"
    yield "}"


def _format_value_functions(interface: Interface) -> Iterator[str]:
    """Yield a completion function for each flag whose values are not plain words."""
    flags = {flag.names[-1]: flag for command in interface.commands for flag in command.flags}
    for name, flag in flags.items():
        known = list_values(flag)
        if known.table:
            words = " ".join(known.words)
            yield f"\n{_name_value_function(flag)}() {{"
            yield f"  _tcsniff_configured_names {known.table} {known.table} '' {words}"
            yield "}"
        if known.is_list:
            yield f"\n{_name_value_function(flag)}() {{"
            yield f"  _values -s , {name.lstrip('-')} \\"
            yield " \\\n".join(
                f"    {_quote_text(_format_list_item(*row))}" for row in known.words.items()
            )
            yield "}"


def _format_list_item(word: str, text: str) -> str:
    return f"{word}[{_escape_text(text)}]" if text else word


def _name_value_function(flag: Flag) -> str:
    return f"_tcsniff_value_of_{flag.names[-1].lstrip('-').replace('-', '_')}"


def _format_topics(interface: Interface) -> Iterator[str]:
    """Yield a completion function for each command whose argument words have meanings."""
    for command in interface.commands:
        words = list_arguments(command, interface.commands)
        if any(words.values()):
            yield from _format_descriptions("topic", f"{command.name}_words", words)


def _format_flags(command: Command, interface: Interface) -> Iterator[str]:
    yield f"\n_tcsniff_{command.name}_flags() {{"
    yield "  flags=("
    for flag in command.flags:
        yield from (f"    {spec}" for spec in _format_flag_specs(flag))
    if command.arguments:
        yield f"    {_quote_text(_format_arguments(command, interface))}"
    yield "  )"
    if command.is_default and interface.flags:
        yield "  if (( CURRENT == 2 )); then"
        yield "    flags+=("
        yield from (
            f"      {spec}" for flag in interface.flags for spec in _format_flag_specs(flag)
        )
        yield "    )"
        yield "  fi"
    yield "}"


def _format_flag_specs(flag: Flag) -> Iterator[str]:
    """Yield a specification of a flag for _arguments, one for each of its names."""
    exclude = "*" if flag.is_repeatable else f"({' '.join(flag.names)})" if flag.names[1:] else ""
    for name in flag.names:
        equals = "" if not flag.metavar else "=" if name.startswith("--") else "+"
        yield _quote_text(
            f"{exclude}{name}{equals}[{_escape_text(flag.help.rstrip('.'))}]{_format_value(flag)}"
        )


def _format_value(flag: Flag) -> str:
    if not flag.metavar:
        return ""
    if takes_exchange(flag):
        return ":exchange:_tcsniff_exchanges"
    label = _escape_text(flag.metavar) if not flag.choices else flag.names[-1].lstrip("-")
    if flag.takes_file:
        return f":{label}:_files"
    known = list_values(flag)
    if known.is_list:
        return f":{label}:{_name_value_function(flag)}"
    words = " ".join(known.words)
    if known.table:
        return f":{label}:{_name_value_function(flag)}"
    return f":{label}:({words})" if words else f":{label}: "


def _format_arguments(command: Command, interface: Interface) -> str:
    if command.takes_events:
        return "*:EVENT:_tcsniff_event"
    if any(argument.takes_file for argument in command.arguments):
        return "*:file:_files"
    words = list_arguments(command, interface.commands)
    label = re.sub(r"[^A-Z_]", "", command.arguments[0].metavar) or command.name
    if any(words.values()):
        return f":{label}:_tcsniff_{command.name}_words"
    return f":{label}:({' '.join(words)})" if words else f":{label}: "


def _escape_text(text: str) -> str:
    return re.sub(r"([\\:\[\]])", r"\\\1", text)


def _quote_text(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"
