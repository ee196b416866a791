# Backs up each part of the hub when it is due, checks the repository weekly, and answers scrapes of its metrics.
#
# The volumes of the other services are mounted read-only below /data. What this container remembers is on its own
# volume at $STATE; it is lost with the hub's data, which is how a fresh hub is recognised: it never writes into the
# repository of another hub before `make restore TAKE=1` or `make backup TAKE=1`.
set -u
. /etc/backup/common.sh
. /etc/backup/parts.sh
child=''
trap 'kill $responder $child 2> /dev/null; exit 0' TERM INT
mkdir -p "$STATE/cache" "$STATE/notes" "$STATE/values" "$STATE/failed" "$STATE/stage" "$STATE/state"
rm -rf "$STATE/tmp" && mkdir -p "$STATE/tmp"
# A process for each client, ended after 5 s: one that sends nothing holds up no other. BusyBox has -lk or -ll for it.
serve() { nc "$1" -p "$PORT" -e timeout 5 /bin/sh /etc/backup/respond.sh 2> /dev/null; }
while :; do serve -lk || serve -ll || sleep 1; done &
responder=$!

# In the background, because a signal ends a wait and not a foreground command. Restic tries a full bucket again for a
# quarter of an hour: it is ended instead.
quietly() {
    "$@" > "$STATE/tmp/progress" 2> "$STATE/tmp/messages" &
    child=$!
    while sleep 5; do
        ! grep -qiE "$FULL" "$STATE/tmp/messages" || kill "$child"
    done &
    watcher=$!
    wait "$child"
    code=$?
    kill "$watcher"
    child=''
    return "$code"
}

value() {
    printf '%s\n' "$3" > "$STATE/values/.next" && mv "$STATE/values/.next" "$STATE/values/$1.$2"
}

failed() { # part, sentence
    echo "$2" > "$STATE/failed/$1"
    echo "backup of $1 failed: $2" >&2
    cat "$STATE/tmp/messages" >&2 2> /dev/null
    return 1
}

# Whether the repository may be written to; otherwise the sentence why not, in $why. $STATE/waits is read by the responder
# meanwhile: it changes only when the answer is known, and stays while the destination cannot be reached.
repository() {
    quietly timeout 30 restic cat config
    code=$?
    known=$(cat "$STATE/repository" 2> /dev/null)
    if [ "$code" = 0 ]; then
        found=$(sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p' "$STATE/tmp/progress")
        if [ "${known%% *}" = "$found" ] || [ -e "$STATE/adopt" ]; then
            [ "$known" = "$found $REPOSITORY" ] || echo "$found $REPOSITORY" > "$STATE/repository"
            rm -f "$STATE/adopt" "$STATE/waits" "$STATE/restored"
            return 0
        fi
        : > "$STATE/waits"
        why="the repository holds the backup of a hub whose data is not here, run make restore"
        [ ! -e "$STATE/restored" ] ||
            why="the repository is the one of another hub, two hubs would remove each other's backups: run make backup TAKE=1 when that hub is gone"
        return 1
    fi
    why=$(reason "$code" "$STATE/tmp/messages")
    [ "$code" = 10 ] || return 1
    rm -f "$STATE/waits"
    if [ "${known#* }" = "$REPOSITORY" ]; then
        why="the repository is gone from its destination"
        return 1
    fi
    quietly timeout 30 restic init
    code=$?
    why=$(reason "$code" "$STATE/tmp/messages")
    [ "$code" = 0 ] || return 1
    rm -f "$STATE/adopt"
    restic cat config 2> /dev/null | sed -n "s#.*\"id\": *\"\([0-9a-f]*\)\".*#\1 $REPOSITORY#p" > "$STATE/repository"
}

# restic of the targets after the part's name. A snapshot that lacks files is removed again, and the part tried again.
store() {
    part=$1
    shift
    for _ in 1 2 3; do
        quietly restic backup --json --host "$NAME" --tag "$part" --group-by host,tags --ignore-ctime "$@"
        code=$?
        summary=$(grep '"message_type":"summary"' "$STATE/tmp/progress")
        [ "$code" = 3 ] || break
        id=$(echo "$summary" | sed -n 's/.*"snapshot_id":"\([^"]*\)".*/\1/p')
        [ -z "$id" ] || restic forget "$id" > /dev/null 2>&1
        sleep 5
    done
    if [ "$code" != 0 ]; then
        failed "$part" "$(reason "$code" "$STATE/tmp/messages")"
        return 1
    fi
    value "$part" size_bytes "$(echo "$summary" | sed -n 's/.*"total_bytes_processed":\([0-9]*\).*/\1/p')"
    value "$part" added_bytes "$(echo "$summary" | sed -n 's/.*"data_added_packed":\([0-9]*\).*/\1/p')"
}

backup() {
    begin=$(date +%s)
    echo "$1" > "$STATE/tmp/running"
    : > "$STATE/tmp/progress"
    case $1 in
        metrics) metrics ;;
        logs) logs ;;
        state) small state "$STATE/state" ;;
        ask) ask ;;
        *) small "$1" "/data/$1" ;;
    esac
    code=$?
    : > "$STATE/tmp/running"
    [ "$code" = 0 ] || return 1
    rm -f "$STATE/failed/$1"
    value "$1" duration_seconds "$(($(date +%s) - begin))"
    value "$1" last_success_timestamp_seconds "$begin"
    [ -e "$STATE/values/all.drill_timestamp_seconds" ] || value all drill_timestamp_seconds "$begin"
    [ -e "$STATE/values/all.check_timestamp_seconds" ] || value all check_timestamp_seconds "$begin"
    echo "backup of $1 done in $(($(date +%s) - begin)) s"
}

every_part() {
    bad=''
    if ! repository; then
        for part in "$@"; do failed "$part" "$why"; done
        return 1
    fi
    restic unlock > /dev/null 2>&1 # only locks whose owner is gone
    for part in "$@"; do
        backup "$part" || bad=yes
    done
    remove_old || bad=yes
    [ -z "$bad" ]
}

# A key that may not delete is a choice (docs/tasks/backup.md): that restic is refused is in the log, and no failure.
remove_old() {
    # shellcheck disable=SC2086 # several options
    quietly restic forget --retry-lock 5m --group-by host,tags $KEEP --prune
    code=$?
    why=$(reason "$code" "$STATE/tmp/messages")
    if [ "$code" = 0 ] || [ "$why" = "the destination refuses access" ]; then
        [ "$code" = 0 ] || { echo "old backups were not removed: $why" && cat "$STATE/tmp/messages"; } >&2
        rm -f "$STATE/failed/repository"
        return 0
    fi
    failed repository "old backups were not removed: $why"
}

check() {
    repository || return 1
    quietly restic check --retry-lock 5m
    code=$?
    if [ "$code" = 0 ]; then
        rm -f "$STATE/failed/check"
        value all check_timestamp_seconds "$(date +%s)"
        return 0
    fi
    why=$(reason "$code" "$STATE/tmp/messages")
    [ "$code" != 1 ] || ! grep -qiE 'error|damaged|missing' "$STATE/tmp/messages" || why="the repository is damaged"
    failed check "$why"
}

: > "$STATE/tmp/running"
echo none > "$STATE/tmp/snapshot"
for part in $PARTS; do # one that was added is backed up at once
    [ -e "$STATE/values/$part.last_success_timestamp_seconds" ] || rm -f "$STATE/next"
done
while :; do
    . /etc/backup/common.sh
    now=$(date +%s)
    next=$(cat "$STATE/next" 2> /dev/null || echo 0)
    if [ -e "$STATE/now" ] || [ "$now" -ge "$next" ]; then
        rm -f "$STATE/now"
        echo $((now + 60)) > "$STATE/next" # of a run that is ended
        # shellcheck disable=SC2086 # one argument each
        if every_part $PARTS; then
            echo $((now + EVERY)) > "$STATE/next"
        else
            echo $(($(date +%s) + (EVERY / 12 > 60 ? EVERY / 12 : 60))) > "$STATE/next"
        fi
        date +%s > "$STATE/ran"
    elif [ -e "$STATE/state-changed" ]; then
        rm -f "$STATE/state-changed"
        every_part state
    elif [ -e "$STATE/values/all.check_timestamp_seconds" ]; then
        last=$(cat "$STATE/values/all.check_timestamp_seconds")
        tried=$(cat "$STATE/check-tried" 2> /dev/null || echo 0)
        if [ "$now" -ge $((last + CHECK)) ] && [ "$now" -ge $((tried + 3600)) ]; then
            echo "$now" > "$STATE/check-tried"
            check
        fi
    fi
    sleep 2 &
    wait $!
done
