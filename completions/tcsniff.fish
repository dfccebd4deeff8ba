# fish completion for tcsniff
# Written by `make docs` from tcsniff's own commands; changes here are lost.

set -g __tcsniff_commands sniff graph task top runs browse explain exchanges doctor config simulate schema completion help

function __tcsniff_events
    printf '%s\t%s\n' \
        task-defined 'a task was created; its status is always unscheduled here, without runs' \
        task-pending 'a run can be claimed: the first, a retry or a rerun' \
        task-running 'a worker claimed a run; renewed claims are not announced' \
        artifact-created 'a run has a new artifact; never for storage type s3' \
        task-completed 'a run succeeded, and its task with it' \
        task-failed 'a run\'s own code failed, and its task with it' \
        task-exception 'a run ended for another reason; final unless the status says pending' \
        task-group-resolved 'every task of a group has been resolved once; repeats, and reruns may still run' \
        task-group-sealed 'no more tasks can be added to a group (since v48.0.0)' \
        task-priority-changed 'the priority of an unresolved task was changed (since v95.1.0)' \
        task-group-priority-changed 'the priority of all unresolved tasks of a group was changed (since v95.1.0)' \
        pull-request 'something happened to a pull request; the action says what' \
        push 'commits or a tag were pushed' \
        release 'a release was published or changed' \
        rerun 'a rerun of a check was requested (since v44.16.0)' \
        task-group-creation-requested 'the tasks for a GitHub event are about to be created' \
        hook-created 'a hook was created' \
        hook-updated 'a hook\'s definition was changed' \
        hook-deleted 'a hook was deleted' \
        notification 'a notification requested with the notify API or a task\'s notify.pulse route' \
        client-created 'a client was created' \
        client-updated 'a client was changed' \
        client-deleted 'a client was deleted' \
        role-created 'a role was created' \
        role-updated 'a role was changed' \
        role-deleted 'a role was deleted' \
        worker-pool-created 'a worker pool was created; published without field values' \
        worker-pool-updated 'a worker pool\'s definition was changed; published without field values' \
        worker-pool-error 'provisioning, or a worker, reported an error (since v67.0.0)' \
        worker-requested 'a worker was requested from the cloud provider (since v67.0.0)' \
        worker-running 'a worker registered and can claim tasks (since v67.0.0)' \
        worker-stopped 'a worker stopped (since v67.0.0)' \
        worker-removed 'a worker was asked to stop or was terminated, with the reason (since v67.0.0)' \
        launch-config-created 'a launch config was added to a worker pool (since v82.0.0)' \
        launch-config-updated 'a launch config was changed (since v82.0.0)' \
        launch-config-archived 'a launch config was archived (since v82.0.0)'
end

function __tcsniff_exchanges
    printf '%s\n' \
        task-defined task-pending task-running artifact-created task-completed task-failed \
        task-exception task-group-resolved task-group-sealed task-priority-changed \
        task-group-priority-changed pull-request push release rerun \
        task-group-creation-requested hook-created hook-updated hook-deleted notification \
        client-created client-updated client-deleted role-created role-updated role-deleted \
        worker-pool-created worker-pool-updated worker-pool-error worker-requested \
        worker-running worker-stopped worker-removed launch-config-created launch-config-updated \
        launch-config-archived exchange/taskcluster-queue/v1/task-defined \
        exchange/taskcluster-queue/v1/task-pending exchange/taskcluster-queue/v1/task-running \
        exchange/taskcluster-queue/v1/artifact-created \
        exchange/taskcluster-queue/v1/task-completed exchange/taskcluster-queue/v1/task-failed \
        exchange/taskcluster-queue/v1/task-exception \
        exchange/taskcluster-queue/v1/task-group-resolved \
        exchange/taskcluster-queue/v1/task-group-sealed \
        exchange/taskcluster-queue/v1/task-priority-changed \
        exchange/taskcluster-queue/v1/task-group-priority-changed \
        exchange/taskcluster-github/v1/pull-request exchange/taskcluster-github/v1/push \
        exchange/taskcluster-github/v1/release exchange/taskcluster-github/v1/rerun \
        exchange/taskcluster-github/v1/task-group-creation-requested \
        exchange/taskcluster-hooks/v1/hook-created exchange/taskcluster-hooks/v1/hook-updated \
        exchange/taskcluster-hooks/v1/hook-deleted exchange/taskcluster-notify/v1/notification \
        exchange/taskcluster-auth/v1/client-created exchange/taskcluster-auth/v1/client-updated \
        exchange/taskcluster-auth/v1/client-deleted exchange/taskcluster-auth/v1/role-created \
        exchange/taskcluster-auth/v1/role-updated exchange/taskcluster-auth/v1/role-deleted \
        exchange/taskcluster-worker-manager/v1/worker-pool-created \
        exchange/taskcluster-worker-manager/v1/worker-pool-updated \
        exchange/taskcluster-worker-manager/v1/worker-pool-error \
        exchange/taskcluster-worker-manager/v1/worker-requested \
        exchange/taskcluster-worker-manager/v1/worker-running \
        exchange/taskcluster-worker-manager/v1/worker-stopped \
        exchange/taskcluster-worker-manager/v1/worker-removed \
        exchange/taskcluster-worker-manager/v1/launch-config-created \
        exchange/taskcluster-worker-manager/v1/launch-config-updated \
        exchange/taskcluster-worker-manager/v1/launch-config-archived
end

function __tcsniff_fields
    switch $argv[1]
        case \
            task-defined task-pending task-running artifact-created task-completed task-failed \
            task-exception task-priority-changed
            printf '%s\n' \
                task-id run-id worker-group worker-id provisioner-id worker-type scheduler-id \
                task-group-id task-queue worker-pool-id
        case \
            task-group-resolved task-group-sealed task-group-priority-changed
            printf '%s\n' \
                task-group-id scheduler-id
        case \
            pull-request
            printf '%s\n' \
                organization repository action
        case \
            push release rerun task-group-creation-requested
            printf '%s\n' \
                organization repository
        case \
            notification
            printf '%s\n' \
                topic
        case \
            worker-pool-created worker-pool-updated worker-pool-error worker-requested \
            worker-running worker-stopped worker-removed launch-config-created \
            launch-config-updated launch-config-archived
            printf '%s\n' \
                provider-id provisioner-id worker-type worker-group worker-id launch-config-id \
                task-queue worker-pool-id
    end
end

# Succeeds if the word to complete is the first.
function __tcsniff_first
    test (count (commandline -opc)) -eq 1
end

# Succeeds if the command is one of these; the default is sniff.
function __tcsniff_in
    set -l words (commandline -opc)
    set -l command sniff
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
    set -l title '^\s*\[\s*'$argv[1]'\s*\.\s*"?([A-Za-z0-9_-]+)"?\s*\].*$'
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
        __tcsniff_configured selections @
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

complete -c tcsniff -n __tcsniff_first -a sniff -d 'Show Taskcluster\'s events as they happen'
complete -c tcsniff -n __tcsniff_first -a graph -d 'Show a task group and wait for its end'
complete -c tcsniff -n __tcsniff_first -a task -d 'Show tasks and wait for their ends'
complete -c tcsniff -n __tcsniff_first -a top -d 'Show worker pools live: waiting, starved, running, lost, failed'
complete -c tcsniff -n __tcsniff_first -a runs -d 'Print a row for each run that has ended: JSON lines, CSV, TSV'
complete -c tcsniff -n __tcsniff_first -a browse -d 'Look around in events, groups, tasks and pools with keys'
complete -c tcsniff -n __tcsniff_first -a explain -d 'Show the bindings of a selection'
complete -c tcsniff -n __tcsniff_first -a exchanges -d 'List the EVENTs and the fields of their routing keys'
complete -c tcsniff -n __tcsniff_first -a doctor -d 'Test the connection step by step, with advice'
complete -c tcsniff -n __tcsniff_first -a config -d 'Show every setting and where it came from'
complete -c tcsniff -n __tcsniff_first -a simulate -d 'Publish simulated task groups to a broker on this machine'
complete -c tcsniff -n __tcsniff_first -a schema -d 'Print the JSON Schema of the record or of a payload'
complete -c tcsniff -n __tcsniff_first -a completion -d 'Print a completion script for a shell'
complete -c tcsniff -n __tcsniff_first -a help -d 'Show the help of a command or a topic'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor schema' -a '(__tcsniff_event)'
complete -c tcsniff -n '__tcsniff_in completion; and __tcsniff_alone' -a bash
complete -c tcsniff -n '__tcsniff_in completion; and __tcsniff_alone' -a zsh
complete -c tcsniff -n '__tcsniff_in completion; and __tcsniff_alone' -a fish
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a environment -d 'Environment variables that tcsniff reads'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a exit-status -d 'Exit statuses and what they mean'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a expressions -d 'Expressions for --where, --until, --fail-on and --select'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a files -d 'Files that tcsniff reads and writes'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a keys -d 'Keys in the live views: table, graph, task and top'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a pools -d 'Worker pools: the columns and the JSON lines of tcsniff top'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a recipes -d 'Recipes for the shell'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a record -d 'The record: the JSON line that -o json prints'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a security -d 'Passwords, TLS, and what tcsniff sends, prints and stores'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a settings -d 'The settings file'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a task-summary -d 'The summary of a task: the last JSON lines of tcsniff task'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a sniff -d 'Show Taskcluster\'s events as they happen'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a graph -d 'Show a task group and wait for its end'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a task -d 'Show tasks and wait for their ends'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a top -d 'Show worker pools live: waiting, starved, running, lost, failed'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a runs -d 'Print a row for each run that has ended: JSON lines, CSV, TSV'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a browse -d 'Look around in events, groups, tasks and pools with keys'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a explain -d 'Show the bindings of a selection'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a exchanges -d 'List the EVENTs and the fields of their routing keys'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a doctor -d 'Test the connection step by step, with advice'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a config -d 'Show every setting and where it came from'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a simulate -d 'Publish simulated task groups to a broker on this machine'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a schema -d 'Print the JSON Schema of the record or of a payload'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a completion -d 'Print a completion script for a shell'
complete -c tcsniff -n '__tcsniff_in help; and __tcsniff_alone' -a help -d 'Show the help of a command or a topic'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l worker-type -x -d 'Match this worker type'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l provisioner-id -x -d 'Match this provisioner'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l task-queue -l pool -x -d 'Match this task queue (worker pool)'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l task-group-id -l task-group -x -d 'Match tasks of this group'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l task-id -l task -x -d 'Match this task'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l scheduler-id -x -d 'Match this scheduler, such as gecko-level-3'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l run-id -x -d 'Match the run with this number, from 0'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l worker-group -x -d 'Match workers of this group'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l worker-id -x -d 'Match this worker'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l organization -x -d 'Match repositories of this GitHub organization'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l repository -x -d 'Match this GitHub repository'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l action -x -d 'Match this action on a pull request'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l topic -x -d 'Match notifications with this topic; may have several words and wildcards'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l provider-id -x -d 'Match worker pools of this provider'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l launch-config-id -x -d 'Match workers with this launch config'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l worker-pool-id -x -d 'Match this worker pool: the same as --task-queue'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l route -x -d 'Match this route; * and # are wild'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l all -d 'Select every EVENT of the queue'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l exchange -x -a '(__tcsniff_exchanges)' -d 'Bind this exchange, by full name or EVENT'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l routing-key -x -d 'Bind each --exchange with this pattern'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain doctor' -l bind -x -d 'Bind one exchange with one pattern'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain' -l where -x -d 'Match events for which this JMESPath is true'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain' -l state -x -a '(__tcsniff_list unscheduled pending running completed failed exception)' -d 'Match tasks in this state: failed,exception'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain' -l reason -x -a '(__tcsniff_list completed failed deadline-exceeded canceled claim-expired worker-shutdown malformed-payload resource-unavailable internal-error intermittent-task superseded)' -d 'Match runs that were resolved for this reason'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain' -l tag -x -d 'Match tasks with this tag, such as kind=build'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain' -l dedupe -d 'Skip repeated messages; Taskcluster sends some twice'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain' -l since -x -d 'Match events since 18:00, 2026-11-23T18:00, or 90m ago'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain' -l before -x -d 'Match events before a time, like --since'
complete -c tcsniff -n '__tcsniff_in sniff top runs browse explain' -l grep -x -d 'Match events by their line, as -o lines prints it'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse doctor config simulate' -l broker -x -d 'Connect to this broker: amqps://USER@HOST/VHOST'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse explain doctor config simulate' -l profile -x -a 'firefox-ci community (__tcsniff_configured profiles \'\')' -d 'Use a profile: firefox-ci, community, or your own'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse doctor config simulate' -l password-file -r -F -d 'Read the password from FILE; - is standard input'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse doctor config simulate' -l tls-ca -r -F -d 'Trust the authorities in this file, in PEM, instead of the system\'s'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse doctor config simulate' -l tls-cert -r -F -d 'Log in with this certificate, in PEM (EXTERNAL without a password)'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse doctor config simulate' -l tls-key -r -F -d 'Read the certificate\'s key from this file'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse doctor config simulate' -l tls-insecure -d 'Trust any certificate of any host; others on the network can read the password'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse doctor config simulate' -l plaintext -d 'Allow sending a password over amqp:// to another machine, unencrypted'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse explain doctor config' -l web -d 'Listen through the web server; needs no account'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse explain doctor config' -l root-url -x -d 'Use this deployment, not the profile\'s or Firefox CI\'s'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l queue -x -d 'Use a durable queue that stays and can be shared'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l queue-expires -x -d 'Let the broker delete the --queue after this long without a consumer'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l queue-max-length -x -d 'Let the broker drop the oldest messages of the --queue above N'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l delete-queue -d 'Delete the --queue with its messages, and exit'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l drain -d 'Stop when the --queue is empty, with status 0'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l resume -x -d 'Keep the temporary queue this long after a lost connection'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l max-size -x -d 'Skip larger messages, with a warning'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l prefetch -x -d 'Let the broker send N messages ahead; limits the memory'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l auto-ack -d 'Let the broker forget a message when it is sent; faster, but not safe'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l from -r -F -d 'Replay a recording; - is standard input'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l follow -d 'Wait for more at the end, like tail -F'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l speed -x -d 'Replay at N times the recorded pace. Default: as fast as possible'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l demo -d 'Watch simulated tasks; needs no broker'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l seed -x -d 'Simulate the same tasks each time, at the same times'
complete -c tcsniff -n '__tcsniff_in sniff graph top runs browse' -s n -l count -x -d 'Stop after N events'
complete -c tcsniff -n '__tcsniff_in sniff top runs' -l timeout -x -d 'Stop after 500ms, 30s, 1h30m, with status 124'
complete -c tcsniff -n '__tcsniff_in sniff top runs' -l idle-timeout -x -d 'Stop after this long without an event, with status 124'
complete -c tcsniff -n '__tcsniff_in sniff runs' -l until -x -d 'Stop after an event for which this is true'
complete -c tcsniff -n '__tcsniff_in sniff top runs' -l fail-on -x -d 'Stop like --until, with status 10'
complete -c tcsniff -n '__tcsniff_in sniff' -s o -l output -x -a 'table lines json raw' -d 'Choose the view; default: table or json'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs' -l json -d 'Print JSON lines, like -o json'
complete -c tcsniff -n '__tcsniff_in sniff' -l columns -x -a '(__tcsniff_list time\\t\'when it happened, or if unknown, when it was received\' received\\t\'when it was received\' lag\\t\'time from when it happened to when it was received\' event\\t\'what happened, as symbol and word\' state\\t\'the task\\\'s state when the queue sent the message\' task\\t\'the task\\\'s label or kind, the group\\\'s ID, or what else the event is about\' task-id\\t\'the task\\\'s ID\' run\\t\'the run\\\'s number\' pool\\t\'the worker pool: provisioner and worker type\' worker\\t\'the worker: group and ID\' reason\\t\'why a run ended or was created; an artifact\\\'s name; a priority\' scheduler\\t\'the scheduler\' group\\t\'the task group\\\'s ID\' routes\\t\'the task\\\'s own routes\' exchange\\t\'the exchange\\\'s name on the broker\' key\\t\'the routing key\')' -d 'Show these columns; `help` lists them'
complete -c tcsniff -n '__tcsniff_in sniff' -l select -x -d 'Print the result of this JMESPath'
complete -c tcsniff -n '__tcsniff_in sniff' -s r -l raw-output -d 'Print --select\'s strings without quotes'
complete -c tcsniff -n '__tcsniff_in sniff graph task runs browse' -l utc -d 'Show times in UTC'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l record -r -F -d 'Append events to FILE as JSON lines, or .gz'
complete -c tcsniff -n '__tcsniff_in sniff graph task top browse' -l save-svg -r -F -d 'Write the last picture to FILE as SVG, beside any view'
complete -c tcsniff -n '__tcsniff_in sniff' -l gaps -d 'Print a line for each time without connection, also in JSON'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l color -x -a 'auto always never' -d 'Use colors; auto follows the terminal, NO_COLOR and FORCE_COLOR'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -l no-color -d 'Use no colors: --color never'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse' -s v -l verbose -d 'Print more to standard error: queue, bindings, connection'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse simulate' -s q -l quiet -d 'Print only errors'
complete -c tcsniff -n '__tcsniff_in sniff' -l summary -x -a 'text json' -d 'Choose the format of the summary at exit. Default: text'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse explain exchanges doctor config simulate' -l config -r -F -d 'Read settings from FILE, not ~/.config/tcsniff/config.toml; - for none'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse explain exchanges doctor config simulate schema completion help' -s h -l help -d 'Show this message and exit'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse explain exchanges doctor config simulate schema completion help' -l help-all -d 'Show all flags and exit'
complete -c tcsniff -n '__tcsniff_in sniff graph task top runs browse explain exchanges doctor config simulate schema completion help' -l debug -d 'Show the traceback of an error'
complete -c tcsniff -n '__tcsniff_in graph task browse' -l graph -r -F -d 'Read dependencies from task-graph.json, from full-task-graph.json and label-to-taskid.json, or from saved answers of listTaskGroup'
complete -c tcsniff -n '__tcsniff_in graph task' -l no-api -d 'Do not ask the queue'
complete -c tcsniff -n '__tcsniff_in graph task' -l no-wait -d 'Show the present state and exit; needs no broker'
complete -c tcsniff -n '__tcsniff_in graph' -l settle -x -d 'Wait this long for new runs after all tasks have ended'
complete -c tcsniff -n '__tcsniff_in graph task' -l timeout -x -d 'Stop after this long, such as 30s, 10m or 1h30m, with exit status 124'
complete -c tcsniff -n '__tcsniff_in graph' -s o -l output -x -a 'table lines json' -d 'Print a live picture, a line per change, or a JSON object per change and a summary. Default: table on a terminal, else json'
complete -c tcsniff -n '__tcsniff_in graph' -l format -x -a 'json dot mermaid profile' -d 'Print the whole graph at exit: as JSON, for Graphviz, for Mermaid, or for profiler.firefox.com'
complete -c tcsniff -n '__tcsniff_in graph' -l critical-path -d 'Print the chain of tasks that took the time, at exit'
complete -c tcsniff -n '__tcsniff_in graph' -l blocked -d 'Print the tasks that wait and what they wait for, at exit'
complete -c tcsniff -n '__tcsniff_in graph' -l logs -x -d 'Show the last lines of failures\' logs; 10 without N'
complete -c tcsniff -n '__tcsniff_in graph task' -l notify -d 'Notify at exit: the terminal\'s bell, and a notification if it can'
complete -c tcsniff -n '__tcsniff_in task' -s o -l output -x -a 'table lines json' -d 'Print a live picture, a line per change, or a JSON object per change and a summary per task. Default: table on a terminal, else json'
complete -c tcsniff -n '__tcsniff_in task' -l logs -x -d 'Show the last N lines of the log of a task that failed; 0 for none'
complete -c tcsniff -n '__tcsniff_in top' -l by -x -a 'pool worker label kind project scheduler group reason' -d 'Count by worker pool, worker, a tag of the task, scheduler, task group, or reason resolved'
complete -c tcsniff -n '__tcsniff_in top' -l sort -x -a 'pending running finished failed lost rate wait oldest run streak name' -d 'Sort by a number, a rate, a time or by name. wait: by the median waiting time or that of the oldest pending run, whichever is longer'
complete -c tcsniff -n '__tcsniff_in top' -l reverse -d 'Reverse the order'
complete -c tcsniff -n '__tcsniff_in top' -l every -x -d 'Print a JSON line this often, and test --until and --fail-on; in a recording, by recorded time'
complete -c tcsniff -n '__tcsniff_in top' -l slo -x -d 'Show the share of runs that started within this time, such as 30m'
complete -c tcsniff -n '__tcsniff_in top' -l no-api -d 'Do not ask the queue what waited and ran in the pools of --pool before'
complete -c tcsniff -n '__tcsniff_in top' -s o -l output -x -a 'table json' -d 'Print a live table (in a pipe once, at the end), or a JSON object per line. Default: table on a terminal, else json'
complete -c tcsniff -n '__tcsniff_in top' -l until -x -d 'Stop after a JSON line for which this is true'
complete -c tcsniff -n '__tcsniff_in runs' -l group -x -d 'Ask the queue\'s API for the runs of this task group, print them and exit'
complete -c tcsniff -n '__tcsniff_in runs' -l format -x -a 'table json csv tsv' -d 'Print a table, JSON lines, CSV or TSV. Default: table on a terminal, else json'
complete -c tcsniff -n '__tcsniff_in browse' -l columns -x -a '(__tcsniff_list time\\t\'when it happened, or if unknown, when it was received\' received\\t\'when it was received\' lag\\t\'time from when it happened to when it was received\' event\\t\'what happened, as symbol and word\' state\\t\'the task\\\'s state when the queue sent the message\' task\\t\'the task\\\'s label or kind, the group\\\'s ID, or what else the event is about\' task-id\\t\'the task\\\'s ID\' run\\t\'the run\\\'s number\' pool\\t\'the worker pool: provisioner and worker type\' worker\\t\'the worker: group and ID\' reason\\t\'why a run ended or was created; an artifact\\\'s name; a priority\' scheduler\\t\'the scheduler\' group\\t\'the task group\\\'s ID\' routes\\t\'the task\\\'s own routes\' exchange\\t\'the exchange\\\'s name on the broker\' key\\t\'the routing key\')' -d 'Show these columns of events; `tcsniff --columns help` lists them'
complete -c tcsniff -n '__tcsniff_in browse' -l no-api -d 'Do not ask the queue about groups'
complete -c tcsniff -n '__tcsniff_in explain exchanges doctor config' -l json -d 'Print one JSON object per line'
complete -c tcsniff -n '__tcsniff_in explain' -l url -d 'Print the address of Taskcluster\'s web page that shows the same messages'
complete -c tcsniff -n '__tcsniff_in doctor' -l wait -x -d 'Wait this long for a first message'
complete -c tcsniff -n '__tcsniff_in config' -l path -d 'Print only the path of the settings file'
complete -c tcsniff -n '__tcsniff_in config' -l example -d 'Print an example of a settings file'
complete -c tcsniff -n '__tcsniff_in simulate' -l groups -x -d 'Simulate N task groups; one starts every few simulated minutes'
complete -c tcsniff -n '__tcsniff_in simulate' -l tasks -x -d 'Simulate about N tasks in each group; the smallest groups have about 20'
complete -c tcsniff -n '__tcsniff_in simulate' -l fault -x -a '(__tcsniff_list failure claim-expired worker-shutdown intermittent-task malformed-payload deadline-exceeded rerun cancel cancel-group priority-change worker-pool-error duplicate redelivery late none)' -d 'Simulate only this fault instead of all; give several as a,b or repeat the flag, or give none. `--fault help` lists them'
complete -c tcsniff -n '__tcsniff_in simulate' -l seed -x -d 'Simulate the same tasks each time; only the times differ'
complete -c tcsniff -n '__tcsniff_in simulate' -l speed -x -d 'Simulate FACTOR seconds per second. 1 is real time; above that, the times in the messages run ahead of the clock, and no pause is longer than 10 s. Default: 60, or as fast as --rate allows'
complete -c tcsniff -n '__tcsniff_in simulate' -l rate -x -d 'Publish at most N messages per second'
complete -c tcsniff -n '__tcsniff_in simulate' -l delay -x -d 'Wait this long after printing the first group\'s ID, so that a listener can start'
complete -c tcsniff -n '__tcsniff_in simulate' -l graph -r -F -d 'Write the dependencies of all tasks to FILE, like the task-graph.json of a decision task; a name that ends in .gz compresses it'
complete -c tcsniff -n __tcsniff_first -s V -l version -d 'Show the version and exit; with --verbose also those of the libraries'
