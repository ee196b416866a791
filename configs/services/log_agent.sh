# shellcheck shell=bash
# Starts the log agent "$@". It notes a line as read before the hub has it, so a restart while the hub is away would skip
# what it holds. This script keeps positions that are known to be sent, and a start goes back to them: Loki recognizes
# lines of containers and of the journal that it has already, by their time and text. Lines of files have the time at
# which they are read, so their positions (keys that are paths) stay: what is read again would be there twice.
set -u
LATER=7 # looks, of $EVERY seconds, after which what was read has been sent or counted as failed
COUNTERS='^(promtail|alloy)_build_info|^(promtail|loki_write)_request_duration_seconds_count'
copies=() bad=0 good=0 waiting='' child='' ending=''

# Sent: requests that the hub answered for good. Failed: those that the agent tries again. Nothing without an answer.
count() {
    local line sent=0 failed=0 answered=''
    exec 3<> "/dev/tcp/127.0.0.1/$PORT" || return 1
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
    while IFS= read -r line; do
        case $line in
            *_build_info*) answered=1 ;;
            *status_code=\"[-5]*) failed=$((failed + ${line##* })) ;;
            *) sent=$((sent + ${line##* })) ;;
        esac
    done < <(timeout 5 grep -E "$COUNTERS" <&3) # bash itself would read the page byte by byte
    exec 3>&-
    [ -n "$answered" ] && echo "$sent $failed"
} 2> /dev/null

entries() { sed '/^positions:/d' "$1" 2> /dev/null; }
of_files() { grep "$@" "^ *[\"']\\{0,1\\}/"; }

# The positions of $1, those of containers and journals as they are in $2.
go_back() {
    [ -s "$1" ] && [ -s "$2" ] || return 0
    local found
    found=$(entries "$2" | of_files -v; entries "$1" | of_files)
    if [ -n "$found" ]; then printf 'positions:\n%s\n' "$found"; else echo 'positions: {}'; fi > "$1.new"
    mv "$1.new" "$1"
}

look() {
    local sent failed file
    read -r sent failed <<< "$(count)" || return 0
    [ -n "$failed" ] || return 0
    if [ "$failed" -gt "$bad" ]; then
        waiting=1
    elif [ "$sent" -gt "$good" ]; then
        waiting=''
    fi
    bad=$failed good=$sent
    if [ -n "$waiting" ]; then
        copies=()
        return
    fi
    copies+=("$(for file in $POSITIONS; do [ -s "$file" ] && printf '==%s\n%s\n' "$file" "$(< "$file")"; done)")
    [ "${#copies[@]}" -gt "$LATER" ] || return 0
    keep "${copies[0]}"
    copies=("${copies[@]:1}")
}

# A copy of all files, each into its file of sent positions.
keep() {
    local line file=''
    while IFS= read -r line; do
        case $line in
            ==*) file=${line#==} && : > "$file.next" ;;
            *) [ -z "$file" ] || printf '%s\n' "$line" >> "$file.next" ;; # there was no file to copy
        esac
    done <<< "$1"
    for file in $POSITIONS; do [ -s "$file.next" ] && mv "$file.next" "$file.sent"; done
}

for file in $POSITIONS; do go_back "$file" "$file.sent"; done
# Before the agent starts: a signal that came earlier would end this script alone.
trap 'ending=1; [ -z "$child" ] || kill -TERM "$child"' TERM INT
trap '[ -z "$child" ] || kill -HUP "$child"' HUP
"$@" &
child=$!
[ -z "$ending" ] || kill -TERM "$child"
while kill -0 "$child" 2> /dev/null; do
    sleep "$EVERY" & # a signal ends a wait, but not a sleep
    pause=$!
    wait -n "$child" "$pause"
    kill "$pause" 2> /dev/null
    look
done
wait "$child"
