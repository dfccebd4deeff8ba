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
    alternatives,
    arguments,
    event_commands,
    fields_by_events,
    names_exchange,
    values,
    wrapped,
)
from man.interface import DEFAULT, Command, Flag, Interface

_HEAD = f"""\
# bash completion for tcsniff                              -*- shell-script -*-
# {WRITTEN}
# Needs bash 4.4 or later, and not the package bash-completion.
"""

# In all of it, `found` is _tcsniff's own array, which the others fill.
_CODE = r"""
# Finds the names in a table of the configuration file; $2 stands before each.
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

# Finds what may follow in a list with commas.
_tcsniff_list() {
  local start=${1%"${1##*,}"} word
  shift
  for word in "$@"; do
    [[ ,$start == *",$word,"* ]] || found+=("$start$word")
  done
  compopt -o nospace 2>/dev/null || :
}

# Finds files. What is not found so, such as ~/, readline looks for itself.
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

# Puts the words together again that bash takes apart at :, = and @, and that no
# blank divides.
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

# Gives what is found and fits; bash wants only what follows the last break in the
# word, but for @, which it leaves at the start.
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
    """Write the script."""
    commands = interface.commands
    parts = [
        _HEAD,
        _array("_tcsniff_commands", [command.name for command in commands]),
        _array("_tcsniff_events", EVENTS),
        _array("_tcsniff_exchanges", EXCHANGES),
        *_function("flags", "Finds the flags of a command.", _flags(interface)),
        *_function(
            "values",
            "Finds what may be given to a flag of a command; fails if it takes no value.",
            _values(commands),
        ),
        *_function("arguments", "Finds the other arguments of a command.", _arguments(commands)),
        *_function("fields", "Finds the fields of an EVENT.", _fields()),
    ]
    code = _CODE.replace("@DEFAULT@", DEFAULT).replace("@NAME@", NAME)
    return "\n".join([*parts, code.replace("@SELECTION@", SELECTION)])


def _array(name: str, words: Iterable[str]) -> str:
    return f"{name}=(\n{wrapped(' '.join(words), 2)}\n)"


def _function(name: str, comment: str, body: Iterator[str]) -> Iterator[str]:
    yield f"\n# {comment}"
    yield f"_tcsniff_{name}() {{"
    yield "  case $1 in"
    yield from body
    yield "  esac"
    yield "}"


def _flags(interface: Interface) -> Iterator[str]:
    for command in interface.commands:
        names = " ".join(name for flag in command.flags for name in flag.names)
        yield f"    {command.name})\n      found=(\n{wrapped(names, 8)}\n      )\n      ;;"
    yield "  esac"
    yield "  case $2 in"
    names = " ".join(name for flag in interface.flags for name in flag.names)
    yield f"    1) found+=({names}) ;;"


def _values(commands: tuple[Command, ...]) -> Iterator[str]:
    for command in commands:
        by_value: dict[str, list[str]] = {}
        for flag in command.flags:
            if flag.metavar:
                by_value.setdefault(_value(flag), []).extend(flag.names)
        if not by_value:
            continue
        yield f"    {command.name})"
        yield "      case $2 in"
        for value, names in by_value.items():
            yield f"{alternatives(names, 8)})"
            yield f"          {value}\n          ;;"
        yield "        *) return 1 ;;"
        yield "      esac"
        yield "      ;;"
    yield "    *) return 1 ;;"


def _value(flag: Flag) -> str:
    if names_exchange(flag):
        return 'found=("${_tcsniff_exchanges[@]}")'
    if flag.takes_file:
        return '_tcsniff_files "$3"'
    known = values(flag)
    words = " ".join(known.words)
    if known.listed:
        return f'_tcsniff_list "$3" \\\n{wrapped(words, 12, continued=True)}'
    more = f"; _tcsniff_configured {known.table} ''" if known.table else ""
    return f"found=({words}){more}"


def _arguments(commands: tuple[Command, ...]) -> Iterator[str]:
    yield f'    {" | ".join(event_commands(commands))}) _tcsniff_event "$2" ;;'
    for command in commands:
        if words := " ".join(arguments(command, commands)):
            # One word, so nothing where it is there already.
            yield f"    {command.name})"
            yield f"      [[ $3 != {command.name} && $3 != -* ]] || found+=("
            yield f"{wrapped(words, 8)}\n      )\n      ;;"
        elif any(argument.takes_file for argument in command.arguments):
            yield f'    {command.name}) _tcsniff_files "$2" ;;'


def _fields() -> Iterator[str]:
    for fields, events in fields_by_events().items():
        yield f"{alternatives(events, 4)})"
        yield f"      fields=(\n{wrapped(' '.join(fields), 8)}\n      )\n      ;;"
