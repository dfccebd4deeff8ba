# bash completion for tcsniff                              -*- shell-script -*-
# Written by `make docs` from tcsniff's own commands; changes here are lost.
# Needs bash 4.4 or later, and not the package bash-completion.

_tcsniff_commands=(
  sniff graph task top runs browse explain exchanges doctor config simulate schema completion
  help
)
_tcsniff_events=(
  task-defined task-pending task-running artifact-created task-completed task-failed
  task-exception task-group-resolved task-group-sealed task-priority-changed
  task-group-priority-changed pull-request push release rerun task-group-creation-requested
  hook-created hook-updated hook-deleted notification client-created client-updated
  client-deleted role-created role-updated role-deleted worker-pool-created worker-pool-updated
  worker-pool-error worker-requested worker-running worker-stopped worker-removed
  launch-config-created launch-config-updated launch-config-archived
)
_tcsniff_exchanges=(
  task-defined task-pending task-running artifact-created task-completed task-failed
  task-exception task-group-resolved task-group-sealed task-priority-changed
  task-group-priority-changed pull-request push release rerun task-group-creation-requested
  hook-created hook-updated hook-deleted notification client-created client-updated
  client-deleted role-created role-updated role-deleted worker-pool-created worker-pool-updated
  worker-pool-error worker-requested worker-running worker-stopped worker-removed
  launch-config-created launch-config-updated launch-config-archived
  exchange/taskcluster-queue/v1/task-defined exchange/taskcluster-queue/v1/task-pending
  exchange/taskcluster-queue/v1/task-running exchange/taskcluster-queue/v1/artifact-created
  exchange/taskcluster-queue/v1/task-completed exchange/taskcluster-queue/v1/task-failed
  exchange/taskcluster-queue/v1/task-exception exchange/taskcluster-queue/v1/task-group-resolved
  exchange/taskcluster-queue/v1/task-group-sealed
  exchange/taskcluster-queue/v1/task-priority-changed
  exchange/taskcluster-queue/v1/task-group-priority-changed
  exchange/taskcluster-github/v1/pull-request exchange/taskcluster-github/v1/push
  exchange/taskcluster-github/v1/release exchange/taskcluster-github/v1/rerun
  exchange/taskcluster-github/v1/task-group-creation-requested
  exchange/taskcluster-hooks/v1/hook-created exchange/taskcluster-hooks/v1/hook-updated
  exchange/taskcluster-hooks/v1/hook-deleted exchange/taskcluster-notify/v1/notification
  exchange/taskcluster-auth/v1/client-created exchange/taskcluster-auth/v1/client-updated
  exchange/taskcluster-auth/v1/client-deleted exchange/taskcluster-auth/v1/role-created
  exchange/taskcluster-auth/v1/role-updated exchange/taskcluster-auth/v1/role-deleted
  exchange/taskcluster-worker-manager/v1/worker-pool-created
  exchange/taskcluster-worker-manager/v1/worker-pool-updated
  exchange/taskcluster-worker-manager/v1/worker-pool-error
  exchange/taskcluster-worker-manager/v1/worker-requested
  exchange/taskcluster-worker-manager/v1/worker-running
  exchange/taskcluster-worker-manager/v1/worker-stopped
  exchange/taskcluster-worker-manager/v1/worker-removed
  exchange/taskcluster-worker-manager/v1/launch-config-created
  exchange/taskcluster-worker-manager/v1/launch-config-updated
  exchange/taskcluster-worker-manager/v1/launch-config-archived
)

# Finds the flags of a command.
_tcsniff_flags() {
  case $1 in
    sniff)
      found=(
        --worker-type --provisioner-id --task-queue --pool --task-group-id --task-group
        --task-id --task --scheduler-id --run-id --worker-group --worker-id --organization
        --repository --action --topic --provider-id --launch-config-id --worker-pool-id --route
        --all --exchange --routing-key --bind --where --state --reason --tag --dedupe --since
        --before --grep --broker --profile --password-file --tls-ca --tls-cert --tls-key
        --tls-insecure --plaintext --web --root-url --queue --queue-expires --queue-max-length
        --delete-queue --drain --resume --max-size --prefetch --auto-ack --from --follow --speed
        --demo --seed -n --count --timeout --idle-timeout --until --fail-on -o --output --json
        --columns --select -r --raw-output --utc --record --save-svg --gaps --color --no-color
        -v --verbose -q --quiet --summary --config -h --help --help-all --debug
      )
      ;;
    graph)
      found=(
        --broker --profile --password-file --tls-ca --tls-cert --tls-key --tls-insecure
        --plaintext --web --root-url --queue --queue-expires --queue-max-length --delete-queue
        --drain --resume --max-size --prefetch --auto-ack --from --follow --speed --demo --seed
        --graph --no-api --no-wait --settle -n --count --timeout -o --output --json --format
        --critical-path --blocked --logs --utc --record --save-svg --notify --color --no-color
        -v --verbose -q --quiet --config -h --help --help-all --debug
      )
      ;;
    task)
      found=(
        --broker --profile --password-file --tls-ca --tls-cert --tls-key --tls-insecure
        --plaintext --web --root-url --queue --queue-expires --queue-max-length --delete-queue
        --drain --resume --max-size --prefetch --auto-ack --from --follow --speed --demo --seed
        --graph --no-api --no-wait --timeout -o --output --json --logs --utc --record --save-svg
        --notify --color --no-color -v --verbose -q --quiet --config -h --help --help-all
        --debug
      )
      ;;
    top)
      found=(
        --by --sort --reverse --every --slo --no-api -o --output --json --record --save-svg
        --color --no-color -v --verbose -q --quiet --worker-type --provisioner-id --task-queue
        --pool --task-group-id --task-group --task-id --task --scheduler-id --run-id
        --worker-group --worker-id --organization --repository --action --topic --provider-id
        --launch-config-id --worker-pool-id --route --all --exchange --routing-key --bind
        --where --state --reason --tag --dedupe --since --before --grep --broker --profile
        --password-file --tls-ca --tls-cert --tls-key --tls-insecure --plaintext --web
        --root-url --queue --queue-expires --queue-max-length --delete-queue --drain --resume
        --max-size --prefetch --auto-ack --from --follow --speed --demo --seed -n --count
        --timeout --idle-timeout --until --fail-on --config -h --help --help-all --debug
      )
      ;;
    runs)
      found=(
        --group --format --json --utc --record --color --no-color -v --verbose -q --quiet
        --worker-type --provisioner-id --task-queue --pool --task-group-id --task-group
        --task-id --task --scheduler-id --run-id --worker-group --worker-id --organization
        --repository --action --topic --provider-id --launch-config-id --worker-pool-id --route
        --all --exchange --routing-key --bind --where --state --reason --tag --dedupe --since
        --before --grep --broker --profile --password-file --tls-ca --tls-cert --tls-key
        --tls-insecure --plaintext --web --root-url --queue --queue-expires --queue-max-length
        --delete-queue --drain --resume --max-size --prefetch --auto-ack --from --follow --speed
        --demo --seed -n --count --timeout --idle-timeout --until --fail-on --config -h --help
        --help-all --debug
      )
      ;;
    browse)
      found=(
        --worker-type --provisioner-id --task-queue --pool --task-group-id --task-group
        --task-id --task --scheduler-id --run-id --worker-group --worker-id --organization
        --repository --action --topic --provider-id --launch-config-id --worker-pool-id --route
        --all --exchange --routing-key --bind --where --state --reason --tag --dedupe --since
        --before --grep --broker --profile --password-file --tls-ca --tls-cert --tls-key
        --tls-insecure --plaintext --web --root-url --queue --queue-expires --queue-max-length
        --delete-queue --drain --resume --max-size --prefetch --auto-ack --from --follow --speed
        --demo --seed --columns --graph --no-api --utc --record --save-svg -n --count --color
        --no-color -v --verbose -q --quiet --config -h --help --help-all --debug
      )
      ;;
    explain)
      found=(
        --worker-type --provisioner-id --task-queue --pool --task-group-id --task-group
        --task-id --task --scheduler-id --run-id --worker-group --worker-id --organization
        --repository --action --topic --provider-id --launch-config-id --worker-pool-id --route
        --all --exchange --routing-key --bind --where --state --reason --tag --dedupe --since
        --before --grep --profile --root-url --web --json --url --config -h --help --help-all
        --debug
      )
      ;;
    exchanges)
      found=(
        --json --config -h --help --help-all --debug
      )
      ;;
    doctor)
      found=(
        --worker-type --provisioner-id --task-queue --pool --task-group-id --task-group
        --task-id --task --scheduler-id --run-id --worker-group --worker-id --organization
        --repository --action --topic --provider-id --launch-config-id --worker-pool-id --route
        --all --exchange --routing-key --bind --web --root-url --broker --profile
        --password-file --tls-ca --tls-cert --tls-key --tls-insecure --plaintext --wait --json
        --config -h --help --help-all --debug
      )
      ;;
    config)
      found=(
        --root-url --web --broker --profile --password-file --tls-ca --tls-cert --tls-key
        --tls-insecure --plaintext --json --path --example --config -h --help --help-all --debug
      )
      ;;
    simulate)
      found=(
        --groups --tasks --fault --seed --speed --rate --delay --graph -q --quiet --broker
        --profile --password-file --tls-ca --tls-cert --tls-key --tls-insecure --plaintext
        --config -h --help --help-all --debug
      )
      ;;
    schema)
      found=(
        -h --help --help-all --debug
      )
      ;;
    completion)
      found=(
        -h --help --help-all --debug
      )
      ;;
    help)
      found=(
        -h --help --help-all --debug
      )
      ;;
  esac
  case $2 in
    1) found+=(-V --version) ;;
  esac
}

# Finds the values of a command's flag; fails if it has none.
_tcsniff_values() {
  case $1 in
    sniff)
      case $2 in
        --worker-type | --provisioner-id | --task-queue | --pool | --task-group-id | \
        --task-group | --task-id | --task | --scheduler-id | --run-id | --worker-group | \
        --worker-id | --organization | --repository | --action | --topic | --provider-id | \
        --launch-config-id | --worker-pool-id | --route | --routing-key | --bind | --where | \
        --tag | --since | --before | --grep | --broker | --root-url | --queue | \
        --queue-expires | --queue-max-length | --resume | --max-size | --prefetch | --speed | \
        --seed | -n | --count | --timeout | --idle-timeout | --until | --fail-on | --select)
          found=()
          ;;
        --exchange)
          found=("${_tcsniff_exchanges[@]}")
          ;;
        --state)
          _tcsniff_list "$3" \
            unscheduled pending running completed failed exception
          ;;
        --reason)
          _tcsniff_list "$3" \
            completed failed deadline-exceeded canceled claim-expired worker-shutdown \
            malformed-payload resource-unavailable internal-error intermittent-task superseded
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        --password-file | --tls-ca | --tls-cert | --tls-key | --from | --record | --save-svg | \
        --config)
          _tcsniff_files "$3"
          ;;
        -o | --output)
          found=(table lines json raw)
          ;;
        --columns)
          _tcsniff_list "$3" \
            time received lag event state task task-id run pool worker reason scheduler group \
            routes exchange key
          ;;
        --color)
          found=(auto always never)
          ;;
        --summary)
          found=(text json)
          ;;
        *) return 1 ;;
      esac
      ;;
    graph)
      case $2 in
        --broker | --root-url | --queue | --queue-expires | --queue-max-length | --resume | \
        --max-size | --prefetch | --speed | --seed | --settle | -n | --count | --timeout | \
        --logs)
          found=()
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        --password-file | --tls-ca | --tls-cert | --tls-key | --from | --graph | --record | \
        --save-svg | --config)
          _tcsniff_files "$3"
          ;;
        -o | --output)
          found=(table lines json)
          ;;
        --format)
          found=(json dot mermaid profile)
          ;;
        --color)
          found=(auto always never)
          ;;
        *) return 1 ;;
      esac
      ;;
    task)
      case $2 in
        --broker | --root-url | --queue | --queue-expires | --queue-max-length | --resume | \
        --max-size | --prefetch | --speed | --seed | --timeout | --logs)
          found=()
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        --password-file | --tls-ca | --tls-cert | --tls-key | --from | --graph | --record | \
        --save-svg | --config)
          _tcsniff_files "$3"
          ;;
        -o | --output)
          found=(table lines json)
          ;;
        --color)
          found=(auto always never)
          ;;
        *) return 1 ;;
      esac
      ;;
    top)
      case $2 in
        --by)
          found=(pool worker label kind project scheduler group reason)
          ;;
        --sort)
          found=(pending running finished failed lost rate wait oldest run streak name)
          ;;
        --every | --slo | --worker-type | --provisioner-id | --task-queue | --pool | \
        --task-group-id | --task-group | --task-id | --task | --scheduler-id | --run-id | \
        --worker-group | --worker-id | --organization | --repository | --action | --topic | \
        --provider-id | --launch-config-id | --worker-pool-id | --route | --routing-key | \
        --bind | --where | --tag | --since | --before | --grep | --broker | --root-url | \
        --queue | --queue-expires | --queue-max-length | --resume | --max-size | --prefetch | \
        --speed | --seed | -n | --count | --timeout | --idle-timeout | --until | --fail-on)
          found=()
          ;;
        -o | --output)
          found=(table json)
          ;;
        --record | --save-svg | --password-file | --tls-ca | --tls-cert | --tls-key | --from | \
        --config)
          _tcsniff_files "$3"
          ;;
        --color)
          found=(auto always never)
          ;;
        --exchange)
          found=("${_tcsniff_exchanges[@]}")
          ;;
        --state)
          _tcsniff_list "$3" \
            unscheduled pending running completed failed exception
          ;;
        --reason)
          _tcsniff_list "$3" \
            completed failed deadline-exceeded canceled claim-expired worker-shutdown \
            malformed-payload resource-unavailable internal-error intermittent-task superseded
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        *) return 1 ;;
      esac
      ;;
    runs)
      case $2 in
        --group | --worker-type | --provisioner-id | --task-queue | --pool | --task-group-id | \
        --task-group | --task-id | --task | --scheduler-id | --run-id | --worker-group | \
        --worker-id | --organization | --repository | --action | --topic | --provider-id | \
        --launch-config-id | --worker-pool-id | --route | --routing-key | --bind | --where | \
        --tag | --since | --before | --grep | --broker | --root-url | --queue | \
        --queue-expires | --queue-max-length | --resume | --max-size | --prefetch | --speed | \
        --seed | -n | --count | --timeout | --idle-timeout | --until | --fail-on)
          found=()
          ;;
        --format)
          found=(table json csv tsv)
          ;;
        --record | --password-file | --tls-ca | --tls-cert | --tls-key | --from | --config)
          _tcsniff_files "$3"
          ;;
        --color)
          found=(auto always never)
          ;;
        --exchange)
          found=("${_tcsniff_exchanges[@]}")
          ;;
        --state)
          _tcsniff_list "$3" \
            unscheduled pending running completed failed exception
          ;;
        --reason)
          _tcsniff_list "$3" \
            completed failed deadline-exceeded canceled claim-expired worker-shutdown \
            malformed-payload resource-unavailable internal-error intermittent-task superseded
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        *) return 1 ;;
      esac
      ;;
    browse)
      case $2 in
        --worker-type | --provisioner-id | --task-queue | --pool | --task-group-id | \
        --task-group | --task-id | --task | --scheduler-id | --run-id | --worker-group | \
        --worker-id | --organization | --repository | --action | --topic | --provider-id | \
        --launch-config-id | --worker-pool-id | --route | --routing-key | --bind | --where | \
        --tag | --since | --before | --grep | --broker | --root-url | --queue | \
        --queue-expires | --queue-max-length | --resume | --max-size | --prefetch | --speed | \
        --seed | -n | --count)
          found=()
          ;;
        --exchange)
          found=("${_tcsniff_exchanges[@]}")
          ;;
        --state)
          _tcsniff_list "$3" \
            unscheduled pending running completed failed exception
          ;;
        --reason)
          _tcsniff_list "$3" \
            completed failed deadline-exceeded canceled claim-expired worker-shutdown \
            malformed-payload resource-unavailable internal-error intermittent-task superseded
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        --password-file | --tls-ca | --tls-cert | --tls-key | --from | --graph | --record | \
        --save-svg | --config)
          _tcsniff_files "$3"
          ;;
        --columns)
          _tcsniff_list "$3" \
            time received lag event state task task-id run pool worker reason scheduler group \
            routes exchange key
          ;;
        --color)
          found=(auto always never)
          ;;
        *) return 1 ;;
      esac
      ;;
    explain)
      case $2 in
        --worker-type | --provisioner-id | --task-queue | --pool | --task-group-id | \
        --task-group | --task-id | --task | --scheduler-id | --run-id | --worker-group | \
        --worker-id | --organization | --repository | --action | --topic | --provider-id | \
        --launch-config-id | --worker-pool-id | --route | --routing-key | --bind | --where | \
        --tag | --since | --before | --grep | --root-url)
          found=()
          ;;
        --exchange)
          found=("${_tcsniff_exchanges[@]}")
          ;;
        --state)
          _tcsniff_list "$3" \
            unscheduled pending running completed failed exception
          ;;
        --reason)
          _tcsniff_list "$3" \
            completed failed deadline-exceeded canceled claim-expired worker-shutdown \
            malformed-payload resource-unavailable internal-error intermittent-task superseded
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        --config)
          _tcsniff_files "$3"
          ;;
        *) return 1 ;;
      esac
      ;;
    exchanges)
      case $2 in
        --config)
          _tcsniff_files "$3"
          ;;
        *) return 1 ;;
      esac
      ;;
    doctor)
      case $2 in
        --worker-type | --provisioner-id | --task-queue | --pool | --task-group-id | \
        --task-group | --task-id | --task | --scheduler-id | --run-id | --worker-group | \
        --worker-id | --organization | --repository | --action | --topic | --provider-id | \
        --launch-config-id | --worker-pool-id | --route | --routing-key | --bind | --root-url | \
        --broker | --wait)
          found=()
          ;;
        --exchange)
          found=("${_tcsniff_exchanges[@]}")
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        --password-file | --tls-ca | --tls-cert | --tls-key | --config)
          _tcsniff_files "$3"
          ;;
        *) return 1 ;;
      esac
      ;;
    config)
      case $2 in
        --root-url | --broker)
          found=()
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        --password-file | --tls-ca | --tls-cert | --tls-key | --config)
          _tcsniff_files "$3"
          ;;
        *) return 1 ;;
      esac
      ;;
    simulate)
      case $2 in
        --groups | --tasks | --seed | --speed | --rate | --delay | --broker)
          found=()
          ;;
        --fault)
          _tcsniff_list "$3" \
            failure claim-expired worker-shutdown intermittent-task malformed-payload \
            deadline-exceeded rerun cancel cancel-group priority-change worker-pool-error \
            duplicate redelivery late none
          ;;
        --graph | --password-file | --tls-ca | --tls-cert | --tls-key | --config)
          _tcsniff_files "$3"
          ;;
        --profile)
          found=(firefox-ci community); _tcsniff_configured profiles ''
          ;;
        *) return 1 ;;
      esac
      ;;
    *) return 1 ;;
  esac
}

# Finds the arguments of a command.
_tcsniff_arguments() {
  case $1 in
    sniff | top | runs | browse | explain | doctor | schema) _tcsniff_event "$2" ;;
    completion)
      [[ $3 != completion && $3 != -* ]] || found+=(
        bash zsh fish
      )
      ;;
    help)
      [[ $3 != help && $3 != -* ]] || found+=(
        environment exit-status expressions files keys pools recipes record security settings
        task-summary sniff graph task top runs browse explain exchanges doctor config simulate
        schema completion help
      )
      ;;
  esac
}

# Finds the fields of an EVENT.
_tcsniff_fields() {
  case $1 in
    task-defined | task-pending | task-running | artifact-created | task-completed | \
    task-failed | task-exception | task-priority-changed)
      fields=(
        task-id run-id worker-group worker-id provisioner-id worker-type scheduler-id
        task-group-id task-queue worker-pool-id
      )
      ;;
    task-group-resolved | task-group-sealed | task-group-priority-changed)
      fields=(
        task-group-id scheduler-id
      )
      ;;
    pull-request)
      fields=(
        organization repository action
      )
      ;;
    push | release | rerun | task-group-creation-requested)
      fields=(
        organization repository
      )
      ;;
    notification)
      fields=(
        topic
      )
      ;;
    worker-pool-created | worker-pool-updated | worker-pool-error | worker-requested | \
    worker-running | worker-stopped | worker-removed | launch-config-created | \
    launch-config-updated | launch-config-archived)
      fields=(
        provider-id provisioner-id worker-type worker-group worker-id launch-config-id
        task-queue worker-pool-id
      )
      ;;
  esac
}

# Finds the names in a table of the configuration file, each with the prefix $2.
_tcsniff_configured() {
  local file=${TCSNIFF_CONFIG-} line
  if [[ -z $file ]]; then
    file=${XDG_CONFIG_HOME-}
    [[ $file == /* ]] || file=${HOME-}/.config
    file+=/tcsniff/config.toml
  fi
  [[ -f $file && -r $file ]] || return 0
  local title='^[[:blank:]]*\[[[:blank:]]*'$1'[[:blank:]]*\.[[:blank:]]*"?([A-Za-z0-9_-]+)"?[[:blank:]]*\]'
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
    _tcsniff_configured selections @
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
  local current=${words[-1]} command=sniff first=1
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
