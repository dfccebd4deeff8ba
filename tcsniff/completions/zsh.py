"""The completion script for zsh.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tcsniff.completions.words import (
    EVENTS,
    EXCHANGES,
    WRITTEN,
    alternatives,
    fields_by_events,
    names_exchange,
    values,
    wrapped,
)
from tcsniff.interface import DEFAULT, Argument, Command, Flag, Interface

_HEAD = f"""\
#compdef tcsniff
# {WRITTEN}
"""

_CODE = r"""
# Completes an EVENT, or the field after EVENT: or a comma.
_tcsniff_event() {
  if [[ $PREFIX != *:* ]]; then
    _tcsniff_event_names
    return
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
    """Write the script."""
    summaries = {command.name: command.summary for command in interface.commands}
    parts = [
        _HEAD,
        *_described("command", "command_names", summaries),
        *_described("EVENT", "event_names", EVENTS),
        *_exchanges(),
        *_fields(),
        *(line for command in interface.commands for line in _flags(command, interface)),
    ]
    code = _CODE.replace("@DEFAULT@", DEFAULT).replace("@COMMANDS@", "|".join(summaries))
    return "\n".join([*parts, code]) + _TAIL


def _described(kind: str, function: str, words: dict[str, str]) -> Iterator[str]:
    yield f"_tcsniff_{function}() {{"
    yield "  local -a described=("
    for word, text in words.items():
        yield "    " + _quoted(word + ":" + text.rstrip("."))
    yield "  )"
    yield f"  _describe -t {kind.lower()}s {kind} described"
    yield "}\n"


def _exchanges() -> Iterator[str]:
    yield "_tcsniff_exchanges() {"
    yield f"  local -a exchanges=(\n{wrapped(' '.join(EXCHANGES), 4)}\n  )"
    yield "  local expl"
    yield "  _wanted exchanges expl exchange compadd -a exchanges"
    yield "}\n"


def _fields() -> Iterator[str]:
    yield "_tcsniff_fields() {"
    yield "  case $1 in"
    for fields, events in fields_by_events().items():
        yield f"{alternatives(events, 4)})"
        yield f"      fields=(\n{wrapped(' '.join(fields), 8)}\n      )\n      ;;"
    yield "  esac"
    yield "}"


def _flags(command: Command, interface: Interface) -> Iterator[str]:
    yield f"\n_tcsniff_{command.name}_flags() {{"
    yield "  flags=("
    for flag in command.flags:
        yield from (f"    {spec}" for spec in _specs(flag))
    for argument in command.arguments:
        yield f"    {_quoted(_argument(argument, command))}"
    yield "  )"
    if command.is_default and interface.flags:
        yield "  if (( CURRENT == 2 )); then"
        yield "    flags+=("
        yield from (f"      {spec}" for flag in interface.flags for spec in _specs(flag))
        yield "    )"
        yield "  fi"
    yield "}"


def _specs(flag: Flag) -> Iterator[str]:
    """Word a flag for _arguments: one specification for each of its names."""
    exclude = "*" if flag.repeatable else f"({' '.join(flag.names)})" if flag.names[1:] else ""
    for name in flag.names:
        equals = "" if not flag.metavar else "=" if name.startswith("--") else "+"
        yield _quoted(f"{exclude}{name}{equals}[{_escaped(flag.help.rstrip('.'))}]{_value(flag)}")


def _value(flag: Flag) -> str:
    if not flag.metavar:
        return ""
    if names_exchange(flag):
        return ":exchange:_tcsniff_exchanges"
    label = _escaped(flag.metavar) if not flag.words else flag.names[-1].lstrip("-")
    if flag.takes_file:
        return f":{label}:_files"
    return f":{label}:({' '.join(values(flag))})" if values(flag) else f":{label}: "


def _argument(argument: Argument, command: Command) -> str:
    if command.takes_events:
        return "*:EVENT:_tcsniff_event"
    if argument.takes_file:
        return "*:file:_files"
    words = f"({' '.join(argument.words)})" if argument.words else " "
    label = re.sub(r"[^A-Z_]", "", argument.metavar) or command.name
    return f":{label}:{words}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\:\[\]])", r"\\\1", text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"
