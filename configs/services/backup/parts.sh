# Read by run.sh: how each part is copied. `store` and `failed` are its functions.
metrics() {
    note metrics "$PROMETHEUS" "$(past)"
    echo any > "$STATE/tmp/snapshot"
    name=$(timeout 600 wget -q -O - --post-data '' "http://$PROMETHEUS/api/v1/admin/tsdb/snapshot" 2> "$STATE/tmp/messages" |
        sed -n 's/.*"name":"\([^"]*\)".*/\1/p')
    case $name in *[!0-9A-Za-z-]*) name='' ;; esac # it becomes a folder's name
    [ -n "$name" ] || { failed metrics "Prometheus made no snapshot" || return 1; }
    echo "$name" > "$STATE/tmp/snapshot"
    cd "/data/prometheus/snapshots/$name" && store metrics . "$STATE/notes/metrics"
    code=$?
    cd /
    echo none > "$STATE/tmp/snapshot"
    return "$code"
}

# What is noted is in chunks then, and no more in memory: of a line that was pushed twice, as after a connection that broke,
# Loki counts both copies as long as they are in memory, and later one. Loki moves later lines from its WAL into chunks and
# then names these in its index: read in this order (restic takes targets by name), a line is in one of the three at
# least. A mount of the volume for each.
logs() {
    at=$(past)
    flushed "$LOKI"
    sleep "$FORGOTTEN" &
    wait $!
    note logs "$LOKI" "$at"
    set -- /data/loki/1/wal
    for one in /data/loki/2/index /data/loki/2/tsdb-shipper-active /data/loki/3/chunks; do
        [ ! -e "$one" ] || set -- "$@" "$one"
    done
    store logs "$@" "$STATE/notes/logs"
}

# SQLite changes its file only while a journal is beside it, and counts each change in bytes 24 to 27.
at_rest() {
    [ ! -s "$1-journal" ] && [ ! -s "$1-wal" ] && stat -c '%i %s %Y' "$1" &&
        dd if="$1" bs=4 skip=6 count=1 2> /dev/null | sha256sum
}

# A part of few files: copied first, so that the noted hashes are of what is stored.
small() {
    part=$1 from=$2
    stage="$STATE/stage/$part"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf "$stage"
        mkdir -p "$stage"
        : > "$STATE/tmp/messages"
        if [ "$part" = grafana ]; then
            copied=''
            [ ! -L "$from/grafana.db" ] || break # it would lead to a file of this container
            [ -e "$from/grafana.db" ] || { copied=yes && break; }
            before=$(at_rest "$from/grafana.db") && cp -p "$from/grafana.db" "$stage/" &&
                after=$(at_rest "$from/grafana.db") && [ "$before" = "$after" ] && copied=yes && break
        else
            copied=''
            cp -a "$from/." "$stage/" 2> "$STATE/tmp/messages" && copied=yes && break
        fi
        sleep 2
    done
    if [ -z "$copied" ]; then
        failed "$part" "its files did not rest long enough to be copied"
        return 1
    fi
    { echo "at $(date +%s)" && sums "$stage"; } > "$STATE/notes/$part"
    cd "$stage" && store "$part" . "$STATE/notes/$part"
    code=$?
    cd /
    rm -rf "$stage"
    return "$code"
}

# The assistant's database writes a dump when the id of one arrives in its pipe.
ask() {
    from=/data/ask/dumps
    id=$(date +%s)
    : > "$STATE/tmp/messages"
    # Without a reader, a pipe cannot be opened.
    if [ ! -p "$from/wanted" ] || ! timeout 10 sh -c 'echo "$1" > "$2"' sh "$id" "$from/wanted"; then
        failed ask "the assistant's database does not answer"
        return 1
    fi
    for _ in $(seq 900); do
        [ "$(cat "$from/last/id" 2> /dev/null)" != "$id" ] || break
        [ "$(cat "$from/failed" 2> /dev/null)" != "$id" ] || break
        sleep 1 &
        wait $!
    done
    if [ "$(cat "$from/last/id" 2> /dev/null)" != "$id" ]; then
        failed ask "the assistant's database wrote no dump, the reason is in its container's log"
        return 1
    fi
    { cat "$from/last/note" && sums "$from/last"; } > "$STATE/notes/ask"
    cd "$from/last" && store ask . "$STATE/notes/ask"
    code=$?
    cd /
    return "$code"
}
