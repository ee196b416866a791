# Runs in a container of its own, with the volume that is restored at /into and those of the backup's container.
#   snapshots              the repository's snapshots, as JSON
#   stage PART SNAPSHOT    restores beside the live data, which stays in use
#   merge PART             moves it in; metrics and logs are added, of the others the files are replaced. ask: a dump,
#                          which its database loads afterwards
#   verify PART            compares the files with the hashes noted at backup time
#   note PART SNAPSHOT     what was noted at backup time
#   count PART ADDRESS AT  what a store has now, in the form of the note
#   dump SNAPSHOT FILE     one file
#   id                     the repository's
set -eu
. /etc/backup/common.sh
mkdir -p /tmp/cache
export RESTIC_CACHE_DIR=/tmp/cache TMPDIR=/tmp RESTIC_PROGRESS_FPS=0
next=/into/.fleetwatch-restore

try() {
    code=0
    "$@" 2> /tmp/messages || code=$?
    [ "$code" = 0 ] && return
    cat /tmp/messages >&2
    why=$(reason "$code" /tmp/messages)
    case $why in # this container is removed, and its log with it
        "restic failed,"*) why="restic failed: $(grep . /tmp/messages | tail -n 1 | cut -c1-200 | sed 's/\.$//')" ;;
    esac
    echo "sentence: $why" >&2
    exit 1
}

case $1 in
    snapshots)
        try timeout 30 restic --no-lock snapshots --json
        ;;
    note)
        try restic --no-lock dump "$3" "/state/notes/$2"
        ;;
    dump)
        try restic --no-lock dump "$2" "$3"
        ;;
    id)
        # Not a pipe: its exit code would be sed's, and an unreachable repository would read as another hub's.
        try timeout 30 restic --no-lock cat config > /tmp/config
        sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p' /tmp/config
        ;;
    count)
        count "$2" "$3" "$4"
        ;;
    stage)
        [ "$(cat "$next.done" 2> /dev/null)" != "$3" ] || exit 0
        rm -rf "$next" "$next.done"
        need=$(($(restic --no-lock stats --json --mode restore-size "$3" 2> /dev/null |
            sed -n 's/.*"total_size":\([0-9]*\).*/\1/p' || echo 0) / 1048576))
        free=$(df -Pm /into | awk 'NR == 2 { print $4 }')
        if [ "$need" -gt "$free" ]; then
            echo "sentence: it needs $need MB, and the disk of its volume has $free MB free" >&2
            exit 1
        fi
        mkdir -p "$next"
        if [ "$2" = logs ]; then
            for one in 1 2 3; do
                try restic --no-lock restore "$3:/data/loki/$one" --target "$next" --quiet
            done
        else
            try restic --no-lock restore "$3" --target "$next" --exclude /state --quiet
        fi
        echo "$3" > "$next.done"
        ;;
    merge)
        [ -e "$next.done" ]
        owner=$(find "$next" -mindepth 1 ! -user root -exec stat -c %u:%g {} \; -quit)
        [ -z "$owner" ] || chown "$owner" /into
        case $2 in
            metrics)
                for block in "$next"/*/; do
                    [ -e "$block/meta.json" ] || continue
                    name=$(basename "$block")
                    [ -e "/into/$name" ] || mv "$block" "/into/$name"
                done
                ;;
            logs)
                # What Loki has now was flushed before it was stopped: its WAL is not needed any more.
                for one in chunks index tsdb-shipper-active; do
                    [ ! -d "$next/$one" ] || (cd "$next" && find "$one" -type d -exec mkdir -p "/into/{}" \; &&
                        find "$one" -type f -exec sh -c 'for f; do [ -e "/into/$f" ] || mv "$f" "/into/$f"; done' sh {} +)
                done
                if [ -d "$next/wal" ]; then
                    rm -rf /into/.fleetwatch-wal-before
                    [ ! -d /into/wal ] || mv /into/wal /into/.fleetwatch-wal-before
                    mv "$next/wal" /into/wal
                fi
                [ -z "$owner" ] || chown -R "$owner" /into
                ;;
            ask)
                # Its database loads it from there, and removes it.
                mkdir -p /into/restored
                [ -z "$owner" ] || chown "$owner" /into/restored
                find "$next" -type f -exec mv -f {} /into/restored/ \;
                ;;
            *)
                rm -f /into/grafana.db-journal /into/grafana.db-wal /into/grafana.db-shm
                (cd "$next" && find . -type d -exec mkdir -p "/into/{}" \; &&
                    find . -type f -exec sh -c 'for f; do mv -f "$f" "/into/$f"; done' sh {} +)
                # The backup's copies belong to root; the program whose volume it is has to write into them.
                chown -R "$(stat -c %u:%g /into)" /into
                ;;
        esac
        rm -rf "$next" "$next.done"
        ;;
    verify)
        cd /into
        [ "$2" != ask ] || cd restored
        sed -n 's/^\([0-9a-f]\{64\}  \)/\1/p' | while IFS= read -r line; do
            echo "$line" | sha256sum -c - > /dev/null 2>&1 || {
                echo "sentence: ${line#*  } is not the file that was backed up" >&2
                exit 1
            }
        done
        ;;
esac
