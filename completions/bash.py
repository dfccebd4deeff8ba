"""The completion script for bash.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from completions.words import (
    EVENTS,
    EXCHANGES,
    NAME,
    SELECTION,
    WRITTEN,
    group_events_by_fields,
    join_alternatives,
    list_arguments,
    list_event_commands,
    list_values,
    takes_exchange,
    wrap_words,
)
from man.interface import DEFAULT, Command, Flag, Interface

_HEAD = f"""\
# bash completion for tcsniff                              -*- shell-script -*-
# {WRITTEN}
# Needs bash 4.4 or later, and not the package bash-completion.
"""

# `found` is a local array of _tcsniff that the other functions fill.
_CODE = r"""
# Finds the names in a table of the configuration file, each with the prefix $2.
_tcsniff_configured() {
  local file=${TCSNIFF_CONFIG-} line
  if [[ -z $file ]]; then
    file=${XDG_CONFIG_HOME-}
    [[ $file == /* ]] || file=${HOME-}/.config
    file+=/tcsniff/config.toml
  fi
  [[ -f $file && -r $file ]] || return 0
  local title='^[[:blank:]]*\[[[:blank:]]*'$1'[[:blank:]]*\.[[:blank:]]*"?(@NAME@)"?[[:blank:]]*\]'
  while IFS= read -r line || [[ -n $line ]]; do
    [[ ! $line =~ $title ]] || found+=("$2${BASH_REMATCH[1]}")
  done <"$file"
}

# Finds the next values of a list with commas.
_tcsniff_list() {
  local start=${1%"${1##*,}"} word
  shift
  for word in "$@"; do
    [[ ,$start == *",$word,"* ]] || found+=("$start$word")
  done
  compopt -o nospace 2>/dev/null || :
}

# Finds files. readline completes the rest, such as ~/.
_tcsniff_files() {
  mapfile -t found < <(compgen -f -- "$1")
  compopt -o filenames -o default 2>/dev/null || :
}

# Completes an EVENT, or the field after EVENT: or a comma.
_tcsniff_event() {
  local word=$1 start field
  if [[ $word != *:* ]]; then
    found+=("${_tcsniff_events[@]}")
    _tcsniff_configured @SELECTION@ @
    return
  fi
  start=${word%"${word##*[:,]}"}
  [[ ${word#"$start"} != *=* ]] || return 0
  local -a fields=()
  _tcsniff_fields "${word%%:*}"
  for field in "${fields[@]}"; do
    [[ $start == *[:,]"$field"=* ]] || found+=("$start$field=")
  done
}

# Joins the words that bash splits at :, = and @ without a blank between them.
_tcsniff_join() {
  local line=${COMP_LINE-} piece='' word i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]-}
    if ((i > 0)) && [[ $line != [[:blank:]]* && ($word == [:=@]* || $piece == *[:=@]) ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
    piece=$word
    line=${line#*"$word"}
  done
}

# Returns the matches. bash expects only the part after the last break in the word,
# except that it keeps an @ at the start.
_tcsniff_reply() {
  local current=$1 breaks='' before='' word
  [[ ${COMP_WORDBREAKS-} != *:* ]] || breaks+=:
  [[ ${COMP_WORDBREAKS-} != *=* ]] || breaks+==
  if [[ -n $breaks && $current == *["$breaks"]* ]]; then
    before=${current%"${current##*["$breaks"]}"}
  fi
  for word in "${found[@]}"; do
    [[ $word != "$current"* ]] || COMPREPLY+=("${word#"$before"}")
  done
  if [[ ${COMPREPLY[*]-} == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
}

_tcsniff() {
  COMPREPLY=()
  local -a words=() found=()
  _tcsniff_join
  local current=${words[-1]} command=@DEFAULT@ first=1
  if ((${#words[@]} > 2)); then
    first=0
    [[ " ${_tcsniff_commands[*]} " != *" ${words[1]} "* ]] || command=${words[1]}
  fi
  local flag=${current%%=*}
  if [[ $current == --*=* ]] && _tcsniff_values "$command" "$flag" "${current#*=}"; then
    found=("${found[@]/#/$flag=}")
  elif ((first == 0)) && _tcsniff_values "$command" "${words[-2]}" "$current"; then
    :
  elif [[ $current == -* ]]; then
    _tcsniff_flags "$command" "$first"
  else
    ((first == 0)) || found+=("${_tcsniff_commands[@]}")
    _tcsniff_arguments "$command" "$current" "${words[-2]-}"
  fi
  _tcsniff_reply "$current"
}

complete -F _tcsniff tcsniff
"""


def script(interface: Interface) -> str:
    """Return the script."""
    commands = interface.commands
    parts = [
        _HEAD,
        _format_array("_tcsniff_commands", [command.name for command in commands]),
        _format_array("_tcsniff_events", EVENTS),
        _format_array("_tcsniff_exchanges", EXCHANGES),
        *_format_function("flags", "Finds the flags of a command.", _format_flags(interface)),
        *_format_function(
            "values",
            "Finds the values of a command's flag; fails if it has none.",
            _format_values(commands),
        ),
        *_format_function(
            "arguments", "Finds the arguments of a command.", _format_arguments(commands)
        ),
        *_format_function("fields", "Finds the fields of an EVENT.", _format_fields()),
    ]
    code = _CODE.replace("@DEFAULT@", DEFAULT).replace("@NAME@", NAME)
    return "\n".join([*parts, code.replace("@SELECTION@", SELECTION)])


def _format_array(name: str, words: Iterable[str]) -> str:
    return f"{name}=(\n{wrap_words(' '.join(words), 2)}\n)"


def _format_function(name: str, comment: str, body: Iterator[str]) -> Iterator[str]:
    yield f"\n# {comment}"
    yield f"_tcsniff_{name}() {{"
    yield "  case $1 in"
    yield from body
    yield "  esac"
    yield "}"


def _format_flags(interface: Interface) -> Iterator[str]:
    for command in interface.commands:
        names = " ".join(name for flag in command.flags for name in flag.names)
        yield f"    {command.name})\n      found=(\n{wrap_words(names, 8)}\n      )\n      ;;"
    yield "  esac"
    yield "  case $2 in"
    names = " ".join(name for flag in interface.flags for name in flag.names)
    yield f"    1) found+=({names}) ;;"


def _format_values(commands: tuple[Command, ...]) -> Iterator[str]:
    for command in commands:
        by_value: dict[str, list[str]] = {}
        for flag in command.flags:
            if flag.metavar:
                by_value.setdefault(_format_value(flag), []).extend(flag.names)
        if not by_value:
            continue
        yield f"    {command.name})"
        yield "      case $2 in"
        for value, names in by_value.items():
            yield f"{join_alternatives(names, 8)})"
            yield f"          {value}\n          ;;"
        yield "        *) return 1 ;;"
        yield "      esac"
        yield "      ;;"
    yield "    *) return 1 ;;"


def _format_value(flag: Flag) -> str:
    if takes_exchange(flag):
        return 'found=("${_tcsniff_exchanges[@]}")'
    if flag.takes_file:
        return '_tcsniff_files "$3"'
    known = list_values(flag)
    words = " ".join(known.words)
    if known.is_list:
        return f'_tcsniff_list "$3" \\\n{wrap_words(words, 12, continued=True)}'
    more = f"; _tcsniff_configured {known.table} ''" if known.table else ""
    return f"found=({words}){more}"


def _format_arguments(commands: tuple[Command, ...]) -> Iterator[str]:
    yield f'    {" | ".join(list_event_commands(commands))}) _tcsniff_event "$2" ;;'
    for command in commands:
        if words := " ".join(list_arguments(command, commands)):
            # The command accepts one word.
            yield f"    {command.name})"
            yield f"      [[ $3 != {command.name} && $3 != -* ]] || found+=("
            yield f"{wrap_words(words, 8)}\n      )\n      ;;"
        elif any(argument.takes_file for argument in command.arguments):
            yield f'    {command.name}) _tcsniff_files "$2" ;;'


def _format_fields() -> Iterator[str]:
    for fields, events in group_events_by_fields().items():
        yield f"{join_alternatives(events, 4)})"
        yield f"      fields=(\n{wrap_words(' '.join(fields), 8)}\n      )\n      ;;"
